use super::*;
use crate::live::alerts::{By, Condition, Form, Limits, Measure};
use std::time::Duration;

#[test]
fn a_whole_file() {
    let config = Config::read(
        r#"
        tz = "Europe/Berlin"
        top = 20
        [alerts]
        group_wait = "10s"
        repeat = 0
        [[channel]]
        name = "ops"
        kind = "mattermost"
        url_file = "/etc/mailscope/url"
        [[channel]]
        name = "mail"
        kind = "email"
        server = "mail.example.org"
        from = "mailscope@example.org"
        to = ["postmaster@example.org"]
        [[alert]]
        name = "deferrals"
        on = "rate"
        of = "deferral_rate"
        by = "provider"
        only = ["google"]
        above = "20%"
        for = "5m"
        channels = ["ops"]
        "#,
    )
    .expect("a good file");
    assert_eq!((config.tz.as_deref(), config.top), (Some("Europe/Berlin"), Some(20)));
    assert_eq!(config.manner(), Manner { group_wait: Duration::from_secs(10), repeat: None, most_per_hour: 20 });
    assert!(matches!(&config.channels[0].means, Means::Webhook { form: Form::Mattermost, url: Secret::File(_), .. }));
    assert!(matches!(&config.channels[1].means, Means::Email { security: Security::Starttls, port: None, .. }));
    let alert = &config.alerts[0];
    assert_eq!((alert.hold, alert.release, alert.channels.as_slice()), (300_000_000, 300_000_000, &["ops".to_owned()][..]));
    let limits = Limits { above: 0.2, clear: 0.2 * 0.8 };
    let (measure, only) = (Measure::DeferralRate, vec!["google".to_owned()]);
    assert_eq!(alert.condition, Condition::Rate { measure, by: By::Provider, only, window_s: 900, limits, at_least: 20 });
}

/// What is said of a file, with the line.
#[track_caller]
fn wrong(text: &str, line: usize, words: &[&str]) {
    let wrong = Config::read(text).expect_err("a bad file");
    assert!(wrong.line == line && words.iter().all(|word| wrong.what.contains(word)), "{wrong}");
}

#[test]
fn mistakes_are_told_with_line_and_remedy() {
    wrong("tz = \"Berlin\"", 1, &["tz", "Europe/Berlin"]);
    wrong("top = 5\n\nthread = 2\n", 3, &["unknown key `thread`", "`threads`"]);
    wrong("[[chanel]]\nname = \"x\"", 1, &["`chanel`", "`channel`"]);
    wrong("[[alert]]\nname = \"x\"\non = \"rates\"", 3, &["unknown word `rates`", "`rate`"]);
    wrong("[[alert]]\nname = \"x\"\non = \"rate\"\nof = \"bounce\"\nabove = 1", 4, &["`bounce`", "`bounced`"]);
    wrong("[[alert]]\nname = \"x\"\non = \"rate\"\nof = \"bounced\"\nabove = \"1%\"", 5, &["number"]);
    wrong("[[alert]]\nname = \"x\"\non = \"silence\"", 3, &["needs for"]);
    wrong("[[alert]]\nname = \"x\"\non = \"silence\"\nfor = \"5\"", 4, &["\"5m\""]);
    wrong("[[alert]]\nname = \"x\"\non = \"silence\"\nfor = \"5m\"\nby = \"domain\"", 3, &["`by`"]);
    wrong("[[alert]]\nname = \"x\"\non = \"finding\"\nfinding = [\"queue_grow\"]", 4, &["`queue_grows`"]);
    wrong("[[alert]]\nname = \"x\"\non = \"finding\"\nchannels = [\"ops\"]", 4, &["no channel `ops`"]);
    wrong("[[channel]]\nname = \"x\"\nkind = \"slack\"", 3, &["url"]);
    wrong("[[channel]]\nname = \"x\"\nkind = \"command\"\nrun = [\"a\"]\nurl = \"http://b\"", 3, &["`url`"]);
    wrong("[alerts]\nmost_per_hour = 0", 2, &["most_per_hour"]);
    wrong("a = = b", 1, &[]);
}
