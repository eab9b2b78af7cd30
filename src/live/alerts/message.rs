//! Changes as a person or a program is told them: a subject and lines for mail, the text of a chat, an object for programs.
//!
//! Names of alerts are the configuration's own. Keys and texts may hold what strangers wrote into the log: no control
//! character of theirs survives, no mark-up of a chat's, and nobody is called by an `@all` of theirs.

use super::Change;
use crate::input::Zone;
use crate::render::printable;
use crate::report::Severity;
use mailscope_parsers::model::Micros;
use serde_json::{Value, json};

/// A subject is no longer.
const SUBJECT: usize = 150;

/// What a chat takes as mark-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Slack,
    Mattermost,
    /// No mark-up: an object for programs.
    Json,
}

/// What is to be told, and how it is addressed.
pub struct Letter<'a> {
    pub changes: &'a [Change],
    /// Further changes that there was no room for.
    pub left_out: u64,
    /// Who says it.
    pub host: &'a str,
    pub zone: Zone,
}

impl Letter<'_> {
    /// `[mailscope mx1] 2 alerts, 1 resolved: deferrals (gmail), silence`
    #[must_use]
    pub fn subject(&self) -> String {
        let over = self.changes.iter().filter(|change| change.until.is_some()).count();
        let firing = self.changes.len() - over;
        let counts = [(firing, if firing == 1 { "alert" } else { "alerts" }), (over, "resolved")];
        let counts: Vec<String> = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        let names: Vec<String> = self.changes.iter().map(name).collect();
        let whole = format!("[mailscope {}] {}: {}", printable(self.host), counts.join(", "), names.join(", "));
        if whole.chars().count() <= SUBJECT { whole } else { whole.chars().take(SUBJECT - 3).chain("...".chars()).collect() }
    }

    /// The first change in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let line = |change: &Change| format!("{}: {}: {} ({})", word(change), name(change), printable(&change.text), self.times(change));
        self.changes.first().map_or_else(String::new, line)
    }

    /// One paragraph a change.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for change in self.changes {
            text += &format!("{}: {}\n    {}\n    {}\n", word(change), name(change), printable(&change.text), self.times(change));
        }
        text + &self.rest()
    }

    /// The body of a webhook.
    #[must_use]
    pub fn json(&self, form: Form) -> Value {
        match form {
            Form::Slack => json!({"text": self.chat(slack), "mrkdwn": false}),
            Form::Mattermost => json!({"text": self.chat(mattermost)}),
            Form::Json => self.object(),
        }
    }

    fn chat(&self, safe: fn(&str) -> String) -> String {
        let mut text = format!("mailscope on {}\n", safe(self.host));
        for change in self.changes {
            text += &format!("{}: {} - {} ({})\n", word(change), safe(&name(change)), safe(&change.text), self.times(change));
        }
        text + &self.rest()
    }

    fn object(&self) -> Value {
        let time = |time: Micros| self.zone.local(time).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false);
        let alert = |change: &Change| {
            json!({
                "alert": change.alert,
                "key": printable(&change.key),
                "state": if change.until.is_some() { "resolved" } else { "firing" },
                "severity": severity(change.severity),
                "text": printable(&change.text),
                "since": time(change.since),
                "until": change.until.map(time),
            })
        };
        let alerts: Vec<Value> = self.changes.iter().map(alert).collect();
        json!({"schema": "mailscope.alerts/1", "host": self.host, "subject": self.subject(), "alerts": alerts, "left_out": self.left_out})
    }

    fn times(&self, change: &Change) -> String {
        let time = |time: Micros| self.zone.local(time).format("%Y-%m-%d %H:%M:%S %:z");
        match change.until {
            Some(until) => format!("from {} to {}", time(change.since), time(until)),
            None => format!("since {}", time(change.since)),
        }
    }

    fn rest(&self) -> String {
        if self.left_out > 0 { format!("and {} more changes\n", self.left_out) } else { String::new() }
    }
}

/// `deferrals (gmail)`
fn name(change: &Change) -> String {
    let key = printable(&change.key);
    if key.is_empty() { change.alert.clone() } else { format!("{} ({key})", change.alert) }
}

fn word(change: &Change) -> &'static str {
    if change.until.is_some() { "resolved" } else { severity(change.severity) }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    }
}

/// Slack's three characters; all its mark-up that calls people or hides a link stands in angle brackets.
fn slack(text: &str) -> String {
    printable(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// As code, in which nothing is mark-up and nobody is called.
fn mattermost(text: &str) -> String {
    format!("`{}`", printable(text).replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(changes: &[Change]) -> Letter<'_> {
        Letter { changes, left_out: 0, host: "mx1", zone: Zone::Named(chrono_tz::Tz::UTC) }
    }

    fn change(key: &str, text: &str, until: Option<Micros>) -> Change {
        let (alert, severity) = ("deferrals".into(), Severity::Critical);
        Change { alert, key: key.into(), severity, text: text.into(), since: 1_795_521_600_000_000, until, channels: Vec::new() }
    }

    #[test]
    fn a_letter_for_people() {
        let changes = [change("gmail", "30.0 % deferred", None), change("", "all", Some(1_795_525_200_000_000))];
        let letter = letter(&changes);
        assert_eq!(letter.subject(), "[mailscope mx1] 1 alert, 1 resolved: deferrals (gmail), deferrals");
        let expected = "critical: deferrals (gmail)\n    30.0 % deferred\n    since 2026-11-24 12:00:00 +00:00\n\
                        resolved: deferrals\n    all\n    from 2026-11-24 12:00:00 +00:00 to 2026-11-24 13:00:00 +00:00\n";
        assert_eq!(letter.text(), expected);
    }

    #[test]
    fn nothing_of_a_strangers_is_mark_up() {
        let changes = [change("x\r\nBcc: all@example.org", "<!channel> `@all` *now* \x1b[31m", None)];
        let letter = letter(&changes);
        assert!(!letter.subject().contains(['\r', '\n']));
        let slack = letter.json(Form::Slack);
        assert!(!slack["text"].as_str().unwrap().contains('<') && slack["mrkdwn"] == false, "{slack}");
        let mattermost = letter.json(Form::Mattermost);
        let outside: String = mattermost["text"].as_str().unwrap().split('`').step_by(2).collect();
        assert!(!outside.contains(['@', '*', '<']), "{mattermost}");
        let json = letter.json(Form::Json);
        assert!(!json.to_string().contains("\\u001b[") && json["alerts"][0]["state"] == "firing", "{json}");
        assert!(letter.subject().chars().count() <= SUBJECT);
    }
}
