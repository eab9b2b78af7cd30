//! Memory does not grow with the log, nor with what the key finds in it.

use crate::support::{directory, file, log, newsletter, peak_memory, program};
use std::process::Stdio;

/// So many messages of one client among nine times as many lines of others; every one goes on under an id of another host.
fn busy(messages: u32) -> String {
    let mut text = String::new();
    for n in 0..messages {
        let time = format!("{:02}:{:02}:{:02}", n / 3600, n / 60 % 60, n % 60);
        let id = format!("A{n:09X}");
        text.push_str(&log(&[
            &format!("{time} smtpd {id}: client=busy.example[192.0.2.9]"),
            &format!("{time} qmgr {id}: from=<s{n}@busy.example>, size=1000, nrcpt=1 (queue active)"),
            &format!(
                "{time} smtp {id}: to=<r{n}@far.example>, relay=mx.far.example[198.51.100.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
                 status=sent (250 2.0.0 Ok: queued as B{n:09X})"
            ),
            &format!("{time} qmgr {id}: removed"),
        ]));
        for other in 0..6 {
            text.push_str(&log(&[&format!("{time} smtpd connect from other{other}.example[203.0.113.{other}]")]));
        }
    }
    text
}

#[test]
fn memory_is_bounded_whatever_matches() {
    let directory = directory();
    let peak = |messages: u32, key: &str, more: &str| {
        let path = file(&directory, "mail.log", busy(messages));
        let mut command = program();
        command.args(["trace", key, "-q", "--tz", "UTC", "--threads", "2", more]).arg(path);
        peak_memory(&mut command.stdout(Stdio::null()).spawn().expect("the program starts"))
    };
    for (key, more) in [("192.0.2.9", "--raw"), ("BUSY.example", "--list")] {
        let (Some(short), Some(long)) = (peak(2_000, key, more), peak(20_000, key, more)) else {
            eprintln!("skipped: this system does not say how much memory a process used");
            return;
        };
        assert!(long < short + short / 4 + (4 << 20), "{key}: 2,000 messages took {short} bytes, 20,000 took {long}");
        assert!(long < 96 << 20, "{key}: {long} bytes");
    }
}

#[test]
fn one_reader_of_a_newsletter_is_told_without_the_others() {
    let directory = directory();
    let path = file(&directory, "mail.log", newsletter(16_000, false));
    let mut command = program();
    command.args(["trace", "reader15000@there62.example", "--format", "json", "--tz", "UTC", "--threads", "2"]).arg(&path);
    let Some(peak) = peak_memory(&mut command.stdout(Stdio::null()).spawn().expect("the program starts")) else {
        eprintln!("skipped: this system does not say how much memory a process used");
        return;
    };
    assert!(peak < 80 << 20, "{peak} bytes");
}
