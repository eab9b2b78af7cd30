use super::*;

/// UTC, and 2026 where the log has no year.
struct Utc;

impl Calendar for Utc {
    fn local_hour(&mut self, year: Option<i32>, month: u32, day: u32, hour: u32) -> Option<i64> {
        Some(chrono::NaiveDate::from_ymd_opt(year.unwrap_or(2026), month, day)?.and_hms_opt(hour, 0, 0)?.and_utc().timestamp())
    }
}

fn record(line: &str) -> Record<'_> {
    match Envelope::default().open(line.as_bytes(), &mut Utc) {
        Ok(Opened::Record(record)) => record,
        other => panic!("{line}: {other:?}"),
    }
}

fn refused(line: &str) -> Unrecognized {
    Envelope::default().open(line.as_bytes(), &mut Utc).expect_err(line)
}

const NOV_24: i64 = 1_795_501_875_000_000; // 2026-11-24 06:31:15 UTC

#[test]
fn every_style_gives_the_same_record() {
    for (line, micros) in [
        ("Nov 24 06:31:15 mail postfix/smtpd[541]: text", 0),
        ("<22>Nov 24 06:31:15 mail postfix/smtpd[541]: text", 0),
        ("\u{feff}Nov 24 06:31:15 mail postfix/smtpd[541]: text\r", 0),
        ("2026-11-24T06:31:15.834252+00:00 mail postfix/smtpd[541]: text", 834_252),
        ("2026-11-24T08:31:15+0200 mail postfix/smtpd[541]: text", 0),
        ("2026-11-24 06:31:15,834 mail postfix/smtpd[541]: text", 834_000),
        ("2026-11-24T06:31:15 mail postfix/smtpd[541]: text\r", 0),
        ("<22>1 2026-11-24T06:31:15.834252Z mail postfix/smtpd 541 - - text", 834_252),
        ("<22>1 2026-11-24T06:31:15.834252Z mail postfix/smtpd 541 - [a@1 b=\"\\]c\"][d e=\"\"]  text", 834_252),
    ] {
        let record = record(line);
        assert_eq!(record.time, NOV_24 + micros, "{line}");
        assert_eq!(
            (record.host.0, record.program.0, record.pid, record.text.0),
            (&b"mail"[..], &b"postfix/smtpd"[..], Some(541), &b"text"[..]),
            "{line}"
        );
    }
}

#[test]
fn days_may_be_padded_or_not() {
    assert_eq!(record("Aug  3 15:30:49 h p: x").time, record("Aug 3 15:30:49 h p: x").time);
}

#[test]
fn a_log_without_host_names_is_read() {
    let record = record("Nov 24 06:31:15 postfix/smtpd[541]: text");
    assert_eq!((record.host.0, record.program.0, record.pid), (&b""[..], &b"postfix/smtpd"[..], Some(541)));
}

#[test]
fn damaged_headers_say_why() {
    assert_eq!(refused(""), Unrecognized::Blank);
    assert_eq!(refused("  \t"), Unrecognized::Blank);
    assert_eq!(refused("Jan"), Unrecognized::Timestamp);
    assert_eq!(refused("Foo 1 00:00:00 hostname x: y"), Unrecognized::Timestamp);
    assert_eq!(refused("Feb 30 00:00:00 hostname x: y"), Unrecognized::Timestamp);
    assert_eq!(refused("Jan  1 24:00:00 hostname x: y"), Unrecognized::Timestamp);
    assert_eq!(refused("Jan 1 00:00:00"), Unrecognized::Timestamp);
    assert_eq!(refused("Jan 1 00:00:00 hostname"), Unrecognized::Header);
    assert_eq!(refused("Jan 1 00:00:00 hostname postfix/postscreen[abcde]: foo"), Unrecognized::Header);
    assert_eq!(refused("Jan 1 00:00:00 hostname postfix/postscreen[12345"), Unrecognized::Header);
    assert_eq!(refused("<22>1 - host app - - - x"), Unrecognized::Timestamp);
}

#[test]
fn repetitions() {
    let opened = Envelope::default().open(b"Nov 24 06:31:15 mail last message repeated 3 times", &mut Utc);
    assert!(matches!(opened, Ok(Opened::Repeat { times: 3, host: Text(b"mail"), .. })));
    assert_eq!(repeated(Text(b"message repeated 2 times: [ warning: x]")), (2, Text(b"warning: x")));
    assert_eq!(repeated(Text(b"message repeated x")), (1, Text(b"message repeated x")));
}

#[test]
fn exims_own_lines_have_no_host_and_no_program() {
    for (line, micros, pid, text) in [
        ("2026-11-24 06:31:15 1xVjd0-00005d-17 Completed", 0, None, "1xVjd0-00005d-17 Completed"),
        ("2026-11-24 06:31:15.123 1xVjd0-00005d-17 Completed", 123_000, None, "1xVjd0-00005d-17 Completed"),
        ("2026-11-24 07:31:15 +0100 Start queue run: pid=7", 0, None, "Start queue run: pid=7"),
        ("2026-11-24 01:01:15.5 -0530 [341] H=[192.0.2.1] x", 500_000, Some(341), "H=[192.0.2.1] x"),
        ("2026-11-24 06:31:15 [341] SMTP call from x dropped: y", 0, Some(341), "SMTP call from x dropped: y"),
        ("2026-11-24 06:31:15 SIGHUP received: re-exec daemon", 0, None, "SIGHUP received: re-exec daemon"),
        ("2026-11-24 06:31:15 1xVjd0-00005d-17 DKIM: signing failed", 0, None, "1xVjd0-00005d-17 DKIM: signing failed"),
        ("2026-11-24 06:31:15 Warning: purging the environment.", 0, None, "Warning: purging the environment."),
        ("2026-11-24 06:31:15 [192.0.2.1] SSL verify error: x", 0, None, "[192.0.2.1] SSL verify error: x"),
    ] {
        let record = record(line);
        assert_eq!(record.time, NOV_24 + micros, "{line}");
        assert_eq!((record.host.0, record.program.0, record.pid), (&b""[..], &b"exim"[..], pid), "{line}");
        assert_eq!(record.text.0, text.as_bytes(), "{line}");
    }
    for line in ["2026-11-24 06:31:15 mail dovecot[7]: x", "2026-11-24 06:31:15 postfix/smtpd[7]: x"] {
        assert_ne!(record(line).program.0, b"exim", "{line}");
    }
}
