//! What the goldens beside the samples can't show: pieces of lines, copies, and that every known shape has its sample.

use super::*;
use crate::model::Event;
use crate::scan::shape;

fn record<'a>(host: &'a str, time: i64, text: &'a str) -> Record<'a> {
    let pid = Some(7);
    Record { time, host: Text(host.as_bytes()), program: Text(b"exim"), pid, text: Text(text.as_bytes()) }
}

fn read(text: &str) -> Line<'_> {
    let mut line = Line::Unrecognized(Unrecognized::Blank);
    assert!(parse(&record("", 0, text), &mut line));
    line
}

#[test]
fn pieces_of_a_long_line_are_one_event() {
    let first = "[1/2] 2026-11-24 06:11:46 1xVjko-00008v-2j ** long@isp.example R=dnslookup T=remote_smtp: SMTP error from remote mail server after RCPT TO:<x>: 550 5.7.1 Your";
    let Line::Event(Event::Delivery(delivery)) = read(first) else { panic!("{first}") };
    assert_eq!((delivery.queue_id.0, delivery.reply_code), (&b"1xVjko-00008v-2j"[..], Some(550)));
    let endless = format!("[1/4] 2026-11-29 20:16:07.094 [2713] SMTP syntax error in \"MAIL FROM:<{}", "a".repeat(800));
    assert!(matches!(read(&endless), Line::Event(Event::Other(_))), "{endless}");
    for later in ["[2/2]  message DT=0s", "[2\\15] Envelope-from: <a@b.example>", "[15/15]   X-Header: x", "[3\\3]"] {
        assert!(matches!(read(later), Line::Ignored(_)), "{later}");
    }
    for none in ["[0/2] x", "[3/2] x", "[2] x", "[2/x] x", "[12345/99999] x"] {
        assert!(matches!(read(none), Line::Unrecognized(_)), "{none}");
    }
}

#[test]
fn copies_for_the_reject_log_stand_side_by_side() {
    let line = "2026-11-24 06:12:16 1xVjlI-0000OA-1k H=[203.0.113.10] F=<a@b.example> rejected after DATA: spam";
    let second = format!("[1\\15] {line}");
    let copy = |a: &Record<'_>, b: &Record<'_>| is_copy(a, b).is_some();
    assert!(copy(&record("mx", 1, line), &record("mx", 1, &second)));
    assert!(copy(&record("mx", 1, line), &record("mx", 1, line)));
    assert!(!copy(&record("mx", 1, line), &record("mx", 2, line)), "another second");
    assert!(!copy(&record("mx", 1, line), &Record { pid: Some(8), ..record("mx", 1, line) }), "another process");
    assert!(!copy(&record("", 1, line), &record("", 1, line)), "Exim's own file");
    let completed = "2026-11-24 06:12:16 1xVjlI-0000OA-1k Completed";
    assert!(!copy(&record("mx", 1, completed), &record("mx", 1, completed)), "no such line goes to the reject log");
}

#[test]
fn a_refused_message_stands_below_its_line() {
    let own = record("", 1, "1xVjdd-0000RE-0Q H=[203.0.113.10] F=<a@b.example> rejected after DATA: virus");
    for line in [
        "Envelope-from: <a@b.example>",
        "Envelope-to: <c@d.example>",
        "    <e@d.example>",
        "\tby mx.corp.example",
        "P Received: from x",
        "  Subject: x",
        "* X-Old: y",
    ] {
        assert!(goes_on(&own, line.as_bytes()).is_some(), "{line}");
    }
    for line in ["Subject: x", "P Received from x", "Envelope-from: a", "-----", "p Received: x"] {
        assert!(goes_on(&own, line.as_bytes()).is_none(), "{line}");
    }
    assert!(goes_on(&record("mx", 1, "x"), b"\tby mx").is_none(), "syslog marks its pieces");
    assert!(goes_on(&Record { program: Text(b"postfix/smtpd"), ..own }, b"\tby mx").is_none());
}

/// Every shape of the closed sets is in a sample, so that its golden was read.
#[test]
fn every_shape_has_its_sample() {
    let shapes = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/exim/shapes");
    let logs = std::fs::read_dir(&shapes).expect("samples").map(|entry| entry.expect("an entry").path());
    let texts: Vec<Vec<u8>> = logs
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .flat_map(|path| std::fs::read(path).expect("a log").split(|c| *c == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .filter_map(|line| line.get(20..).map(<[u8]>::to_vec))
        .collect();
    let fits = |pattern: &str| texts.iter().any(|text| shape::fits(pattern.as_bytes(), id::split(text).map_or(text, |(_, rest)| rest)));
    let missing: Vec<_> = notes::every_pattern().filter(|pattern| !fits(pattern)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
