//! Thousands of queue files that have something in common: each is told apart, and takes no longer than if it were the only one.

use crate::support::{assert_figures, log_of, newsletter, report_of, rows_of, text};
use std::time::{Duration, Instant};

/// To look at all others for each of them took minutes.
const PATIENCE: Duration = Duration::from_secs(20);
const MANY: usize = 16_000;

#[test]
fn a_newsletter_of_one_message_id_through_a_filter() {
    let many = MANY as u64;
    for says in [true, false] {
        let log = newsletter(MANY, says);
        let began = Instant::now();
        let report = report_of(&log, &[]);
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        assert_figures(
            &report,
            &[
                ("messages.received", many),
                ("messages.reinjected", many),
                ("messages.queue_files", 2 * many),
                ("recipients.delivered", many),
                ("recipients.handed_off", many),
            ],
        );
        let rows = rows_of("recipients", &log, &[]);
        let delivered: Vec<_> = rows.iter().filter(|row| text(row, "outcome") == "delivered").collect();
        assert_eq!(delivered.len(), MANY);
        for row in delivered {
            assert_eq!(text(row, "first_queue_id")[1..], text(row, "queue_id")[1..], "each reader's own, said: {says}");
        }
    }
}

#[test]
fn two_instances_of_one_machine_among_thousands_of_hosts() {
    let other = |n: usize| {
        format!(
            "10:00:00 smtpd@mx{n} A{n:09}: client=client.example[192.0.2.1]\n\
             10:00:00 cleanup@mx{n} A{n:09}: message-id=<{n}@client.example>\n\
             10:00:00 smtp@mx{n} A{n:09}: to=<to@there.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, \
             status=sent (250 2.0.0 Ok: queued as F{n:09})"
        )
    };
    let one = "10:00:01 smtpd@in B000000001: client=client.example[192.0.2.1]
10:00:01 cleanup@in B000000001: message-id=<one@client.example>
10:00:01 smtp@in B000000001: to=<to@there.example>, relay=127.0.0.1[127.0.0.1]:10125, delay=1, delays=0/0/0/1, dsn=2.0.0, \
status=sent (250 2.0.0 Ok: queued as C000000001)";
    let other_one = "10:00:01 postfix-out/smtpd@out C000000001: client=localhost[127.0.0.1]
10:00:01 postfix-out/cleanup@out C000000001: message-id=<one@client.example>
10:00:01 postfix-out/qmgr@out C000000001: from=<sender@client.example>, size=1100, nrcpt=1 (queue active)";
    let others: Vec<String> = (0..MANY).map(other).collect();
    for pair in [[one, other_one], [other_one, one]] {
        let log = log_of(&[others.clone(), pair.map(str::to_owned).to_vec()].concat());
        let began = Instant::now();
        let report = report_of(&log, &[]);
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
        assert_figures(
            &report,
            &[
                ("messages.received", MANY as u64 + 1),
                ("messages.reinjected", 1),
                ("recipients.delivered", MANY as u64),
                ("recipients.handed_off", 1),
            ],
        );
    }
}
