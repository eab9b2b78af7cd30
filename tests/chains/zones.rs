//! Programs of one server that write in different zones: what is locked up in a directory without the zone's file writes in UTC, and
//! the rest in local time.

use crate::support::{figure, log, newsletter, report_of, rows_of, text};

/// The log as it would be if these programs wrote in another zone.
fn elsewhere(log: &str, programs: &[&str], hour: &str) -> String {
    let moved = |line: &str| {
        let is_one = programs.iter().any(|program| line.contains(&format!(" postfix/{program}[")));
        if is_one { line.replacen("T10:", hour, 1) } else { line.to_owned() }
    };
    log.lines().map(|line| moved(line) + "\n").collect()
}

/// Lines of every program before the first message: a clock that seems to leap by an hour takes what is under way for given up.
const BEFORE: &str = "10:00:00 qmgr Y000000001: removed
10:00:00 smtpd Y000000002: client=other.example[192.0.2.9]
10:00:00 smtpd Y000000003: client=other.example[192.0.2.9]
10:00:00 smtp Y000000004: to=<one@other.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (no route)
10:00:00 smtp Y000000004: to=<two@other.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (no route)
10:00:00 qmgr Y000000005: removed";

#[test]
fn what_happened_to_messages_is_the_same() {
    for (says, programs, hours) in [
        (true, &["smtpd"][..], &["T09:", "T08:", "T02:", "T11:", "T15:"][..]),
        (true, &["smtp", "cleanup"], &["T08:", "T12:"]),
        (false, &["smtpd"], &["T09:", "T08:"]),
    ] {
        let log = log(&[BEFORE]) + &newsletter(300, says);
        let expected = report_of(&log, &[]);
        assert_eq!(figure(&expected, "messages.received"), 300);
        for hour in hours {
            let log = elsewhere(&log, programs, hour);
            let report = report_of(&log, &[]);
            let counted = ["messages.received", "messages.reinjected", "messages.queue_files", "messages.removed", "messages.size_bytes"];
            for name in counted.into_iter().chain(["recipients", "attempts", "domains"]) {
                assert_eq!(figure(&report, name), figure(&expected, name), "{name}, {programs:?} at {hour}");
            }
            let rows = rows_of("recipients", &log, &[]);
            let delivered = rows.iter().filter(|row| text(row, "outcome") == "delivered");
            assert!(delivered.clone().all(|row| text(row, "first_queue_id")[1..] == text(row, "queue_id")[1..]));
            assert_eq!(delivered.count(), 300);
        }
    }
}
