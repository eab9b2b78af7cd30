//! `mailscope explain`, and the rules of a user's own in every command that classes.

use crate::support::{directory, file, log, objects, program, report_on, rows_on, run, run_on};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

fn object(arguments: &[&str]) -> Value {
    let text = run([&["explain", "--format", "json"], arguments].concat()).ok();
    serde_json::from_str(text.trim_end()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Standard output for what is given on standard input, and the exit status.
fn piped(arguments: &[&str], input: &[u8]) -> (String, Option<i32>) {
    let mut command = program();
    command.arg("explain").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("a reader");
    let output = child.wait_with_output().expect("an end");
    (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code())
}

#[test]
fn a_reply_has_every_field_of_the_protocol() {
    let found = object(&["550-5.7.1 Blocked. See https://support.google.com/mail/?p=NotAuthorizedError x - gsmtp"]);
    for (key, value) in [
        ("class", json!("reputation")),
        ("permanence", json!("permanent")),
        ("side", json!("sender")),
        ("reply_code", json!(550)),
        ("dsn", json!("5.7.1")),
        ("provider", json!("Google")),
        ("rule", json!("google-ip-not-authorized")),
    ] {
        assert_eq!(found[key], value, "{key}");
    }
    for key in ["meaning", "advice"] {
        assert!(found[key].as_str().is_some_and(|text| text.len() > 20), "{key}");
    }
    let unknown = object(&["nobody knows this"]);
    let keys: Vec<&String> = unknown.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["advice", "class", "meaning"], "what the reply does not say is absent");
}

#[test]
fn a_bare_code_means_what_its_rfc_says() {
    for (code, class, permanence) in [
        ("5.7.26", "authentication", "permanent"),
        ("4.2.2", "mailbox_full", "transient"),
        ("421", "receiver_unavailable", "transient"),
        ("535", "credentials", "permanent"),
        ("550", "recipient_unknown", "permanent"),
        ("556", "domain_invalid", "permanent"),
    ] {
        let found = object(&[code]);
        assert_eq!((found["class"].as_str(), found["permanence"].as_str()), (Some(class), Some(permanence)), "{code}");
        assert!(found["meaning"].as_str().unwrap().contains(&format!("{code}: ")), "{code}");
    }
    assert!(object(&["250"])["meaning"].as_str().unwrap().starts_with("no failure"));
}

#[test]
fn words_need_no_quotes_and_a_provider_can_be_named() {
    assert_eq!(object(&["550", "5.1.1", "User", "unknown"]), object(&["550 5.1.1 User unknown"]));
    assert_eq!(object(&["--provider", "gmx", "550"])["provider"], json!("GMX, web.de"));
}

#[test]
fn what_is_another_thing_in_this_servers_mouth_is_told_with_both() {
    let found = object(&["451 local error"]);
    assert_eq!(found["class"], json!("receiver_unavailable"));
    assert_eq!(found["said_by_this_server"]["class"], json!("local_error"));
    assert!(object(&["host mx.example[192.0.2.1] said: 451 local error"])["said_by_this_server"].is_null());
}

#[test]
fn one_line_in_one_object_out() {
    let (text, status) = piped(&["--format", "json", "-"], b"550 5.1.1 User unknown\n\n\xff\xfe 421 4.7.0 busy\r\nmailbox full");
    assert_eq!(status, Some(0));
    let classes: Vec<Value> = objects(&text).into_iter().map(|object| object["class"].clone()).collect();
    assert_eq!(classes, [json!("recipient_unknown"), json!("unknown"), json!("receiver_unavailable"), json!("mailbox_full")]);
    let long = [&b"x".repeat(200_000)[..], b"\nmailbox full\n"].concat();
    assert_eq!(piped(&["--format", "json", "-"], &long).0.lines().count(), 2);
}

#[test]
fn hostile_bytes_do_not_reach_the_terminal() {
    let (text, _) = piped(&["-"], b"550 \x1b]0;x\x07 \xc2\x9b31m user unknown \xe2\x80\xae\n");
    assert!(text.contains("recipient_unknown"));
    assert!(!text.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'), "{text:?}");
    let ran = run(["explain", "--provider", "\x1b[31m", "550"]);
    assert!(ran.status == Some(2) && !ran.stderr.contains('\x1b'), "{:?}", ran.stderr);
}

#[test]
fn wrong_input_is_told_and_ends_with_2() {
    for (arguments, why) in [
        (vec!["explain", ""], "there is nothing to explain"),
        (vec!["explain", "  "], "there is nothing to explain"),
        (vec!["explain", "999"], "999 is no code"),
        (vec!["explain", "5.7"], "5.7 is no code"),
        (vec!["explain", "192.0.2.1"], "192.0.2.1 is no code"),
        (vec!["explain", "--provider", "zork", "550"], "the provider zork is not known; known are Google"),
        (vec!["explain", "--rules", "nowhere.toml", "550"], "nowhere.toml"),
        (vec!["explain"], "Usage"),
    ] {
        let ran = run(&arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}");
        assert!(ran.stderr.contains(why) && ran.stdout.is_empty(), "{arguments:?}: {}", ran.stderr);
    }
}

// ---- rules of a user's own ---------------------------------------------------------------------

const OWN: &str = r#"
[[rule]]
id = "night-shift"
class = "greylisted"
any = ["mailbox sleeps"]
examples = ["450 4.2.0 That mailbox sleeps at night"]
advice = "Wait for the morning."
"#;

#[test]
fn own_rules_class_in_every_command() {
    let directory = directory();
    let rules = file(&directory, "own.toml", OWN);
    let text = log(&[
        "10:00:00 qmgr A000000001: from=<a@b.example>, size=1, nrcpt=1 (queue active)",
        "10:00:01 smtp A000000001: to=<c@d.example>, relay=mx.d.example[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred (host mx.d.example[198.51.100.1] said: 450 The mailbox sleeps (in reply to RCPT TO command))",
    ]);
    let files = [file(&directory, "mail.log", text)];
    let own = ["--rules", rules.to_str().expect("a path")];
    let class = |rows: Vec<crate::support::Row>| rows[0]["class"].clone();
    for (options, expected) in [(&own[..], "greylisted"), (&[], "unknown")] {
        assert_eq!(class(rows_on("deliveries", &files, options)), json!(expected));
        assert_eq!(class(rows_on("recipients", &files, options)), json!(expected));
        assert_eq!(report_on(&files, options)["classes"][0]["class"], json!(expected));
        let events = objects(&run_on(&[&["parse"], options].concat(), &files).ok());
        assert_eq!(events[1]["class"], json!(expected));
        let explained = object(&[options, &["450 the mailbox sleeps"]].concat());
        assert_eq!(explained["class"], json!(expected));
    }
    assert_eq!(object(&["--rules", own[1], "450 the mailbox sleeps"])["advice"], json!("Wait for the morning."));
}

#[test]
fn rules_that_cannot_be_used_are_named_and_nothing_is_done() {
    let directory = directory();
    let rules = file(&directory, "own.toml", OWN.replace("greylisted", "sleepy").replace("\"mailbox sleeps\"", "\"450\""));
    let ran = run(["explain", "--rules", rules.to_str().expect("a path"), "450"]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("own.toml: rule night-shift: the class \"sleepy\" is not known"), "{}", ran.stderr);
    assert!(ran.stderr.contains("own.toml: rule night-shift: \"450\" is no pattern"), "{}", ran.stderr);
}
