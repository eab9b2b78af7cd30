//! Queue files that continue one another: content filters, filters before the queue, second instances, aliases; and what
//! only looks like it.

use crate::support::{Row, assert_figures, figure, log, report_of, rows_of, text};

/// A message that a client hands in, for the content filter on port 10024.
const IN: &str = "10:00:00 smtpd A000000001: client=client.example[192.0.2.1]
10:00:00 cleanup A000000001: message-id=<1@client.example>
10:00:00 qmgr A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)";
const TO_FILTER: &str = "10:00:05 smtp A000000001: to=<to@there.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=5, \
delays=0.1/0/0/4.9, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as B000000002)";
const IN_AGAIN: &str = "10:00:05 smtpd B000000002: client=localhost[127.0.0.1]
10:00:05 cleanup B000000002: message-id=<1@client.example>
10:00:05 qmgr B000000002: from=<sender@client.example>, size=1300, nrcpt=1 (queue active)";
const OUT: &str = "10:00:12 smtp B000000002: to=<to@there.example>, relay=mx.there.example[198.51.100.1]:25, delay=6, \
delays=0.1/0/0/5.9, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 7CC7F)
10:00:12 qmgr B000000002: removed";
const GONE: &str = "10:00:06 qmgr A000000001: removed";

/// One message in two queue files, delivered 12 seconds after it set out.
#[track_caller]
fn assert_one_message(log: &str, delay_s: f64) -> Vec<Row> {
    let report = report_of(log, &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.reinjected", 1),
            ("messages.queue_files", 2),
            ("messages.size_bytes", 1000),
            ("messages.open", 0),
            ("recipients.delivered", 1),
            ("recipients.handed_off", 1),
            ("delay.count", 1),
        ],
    );
    assert_eq!(figure(&report, "delay.max_s").as_f64(), Some(delay_s), "the delay of the chain");
    let rows = rows_of("recipients", log, &[]);
    let delivered: Vec<&Row> = rows.iter().filter(|row| text(row, "outcome") == "delivered").collect();
    assert_eq!(delivered.len(), 1);
    assert_eq!(text(delivered[0], "queue_id"), "B000000002");
    assert_eq!(text(delivered[0], "first_queue_id"), "A000000001");
    assert_eq!(text(delivered[0], "client_ip"), "192.0.2.1");
    assert_eq!(delivered[0]["delay_s"].as_f64(), Some(delay_s));
    rows
}

/// Two messages that have nothing to do with each other.
#[track_caller]
fn assert_two_messages(log: &str) {
    assert_figures(
        &report_of(log, &[]),
        &[("messages.received", 2), ("messages.reinjected", 0), ("recipients.delivered", 2), ("recipients.handed_off", 0)],
    );
}

#[test]
fn a_content_filter_by_queued_as() {
    // The hand-off's 5 seconds, and 7 from its line to the delivery's.
    assert_one_message(&log(&[IN, IN_AGAIN, TO_FILTER, GONE, OUT]), 12.0);
}

#[test]
fn the_hand_off_may_be_logged_before_or_after_everything_of_the_other_queue_file() {
    assert_one_message(&log(&[IN, TO_FILTER, GONE, IN_AGAIN, OUT]), 12.0);
    let quick = OUT.replace("10:00:12", "10:00:06").replace("delay=6", "delay=1");
    assert_one_message(&log(&[IN, IN_AGAIN, &quick, TO_FILTER, GONE]), 6.0);
}

#[test]
fn lines_of_one_moment_may_be_logged_in_any_order() {
    let [client, message_id, queued]: [&str; 3] = IN.lines().collect::<Vec<_>>().try_into().expect("three lines");
    let [client_again, message_id_again, queued_again]: [&str; 3] = IN_AGAIN.lines().collect::<Vec<_>>().try_into().expect("three lines");
    let silent = TO_FILTER.replace("queued as B000000002", "done");
    for handed in [TO_FILTER, &silent] {
        let handed = handed.replace("10:00:05", "10:00:01").replace("delay=5", "delay=1");
        let at_once = |lines: &str| lines.replace("10:00:05", "10:00:01");
        let again = [at_once(client_again), at_once(message_id_again), at_once(queued_again)];
        let gone = GONE.replace("10:00:06", "10:00:01");
        for log in [
            log(&[queued, client, &handed, message_id, &again[0], &again[1], &again[2], &gone, OUT]),
            log(&[client, &handed, &gone, message_id, queued, &again[2], &again[1], &again[0], OUT]),
            log(&[client, message_id, queued, &again[1], &again[2], &handed, &gone, &again[0], OUT]),
        ] {
            assert_one_message(&log, 12.0);
        }
    }
}

#[test]
fn all_recipients_that_were_handed_on_before_the_other_queue_file_was_seen() {
    let both = |lines: &str| format!("{lines}\n{}", lines.lines().next().unwrap_or_default().replace("<to@", "<other@"));
    let two = IN.replace("nrcpt=1", "nrcpt=2");
    let report = report_of(&log(&[&two, &both(TO_FILTER), GONE, &IN_AGAIN.replace("nrcpt=1", "nrcpt=2"), &both(OUT)]), &[]);
    assert_figures(
        &report,
        &[("messages.received", 1), ("messages.reinjected", 1), ("recipients.delivered", 2), ("recipients.handed_off", 2)],
    );
}

#[test]
fn the_delay_of_a_chain_is_never_less_than_its_last_part() {
    let slow = OUT.replace("delay=6", "delay=60");
    assert_one_message(&log(&[IN, IN_AGAIN, TO_FILTER, GONE, &slow]), 60.0);
}

#[test]
fn a_content_filter_through_lmtp_and_ipv6() {
    let lmtp = TO_FILTER.replace("smtp A", "lmtp A");
    assert_one_message(&log(&[IN, IN_AGAIN, &lmtp, GONE, OUT]), 12.0);
    let v6 = TO_FILTER.replace("127.0.0.1[127.0.0.1]", "ip6-localhost[::1]");
    let from_v6 = IN_AGAIN.replace("[127.0.0.1]", "[::1]");
    assert_one_message(&log(&[IN, &from_v6, &v6, GONE, OUT]), 12.0);
}

#[test]
fn a_content_filter_by_orig_queue_id() {
    let silent = TO_FILTER.replace(" from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as B000000002", " Ok");
    let said = IN_AGAIN.replace(
        "client=localhost[127.0.0.1]",
        "client=localhost[127.0.0.1], orig_queue_id=A000000001, orig_client=client.example[192.0.2.1]",
    );
    assert_one_message(&log(&[IN, &said, &silent, GONE, OUT]), 12.0);
}

#[test]
fn a_content_filter_by_message_id_and_recipient() {
    let silent = TO_FILTER.replace("queued as B000000002", "done");
    assert_one_message(&log(&[IN, IN_AGAIN, &silent, GONE, OUT]), 12.0);
    assert_one_message(&log(&[IN, &silent, GONE, IN_AGAIN, OUT]), 12.0);
}

const TO_PIPE: &str = "10:00:05 pipe A000000001: to=<to@there.example>, relay=filter, delay=5, delays=0.1/0/0/4.9, dsn=2.0.0, \
status=sent (delivered via filter service)";

fn picked_up(at: &str) -> String {
    IN_AGAIN
        .replace("smtpd B000000002: client=localhost[127.0.0.1]", "pickup B000000002: uid=65 from=<sender@client.example>")
        .replace("10:00:05", at)
}

#[test]
fn a_filter_that_hands_back_through_sendmail() {
    assert_one_message(&log(&[IN, TO_PIPE, GONE, &picked_up("10:00:05"), OUT]), 12.0);
    assert_one_message(&log(&[IN, &picked_up("10:00:04"), TO_PIPE, GONE, OUT]), 12.0);
}

#[test]
fn the_same_message_id_ten_minutes_later_is_a_new_message() {
    let later = OUT.replace("10:00:12", "10:16:00");
    assert_two_messages(&log(&[IN, TO_PIPE, GONE, &picked_up("10:15:10"), &later]));
    assert_one_message(&log(&[IN, TO_PIPE, GONE, &picked_up("10:09:50"), &OUT.replace("10:00:12", "10:09:55")]), 595.0);
}

#[test]
fn the_same_message_sent_twice_from_inside_is_two_messages() {
    // A mailing list's two lists that have a member in common, or a program that sends once more: neither was handed to a filter.
    let again = |lines: &str| lines.replace("10:00:", "10:02:").replace("B000000002", "C000000003");
    assert_two_messages(&log(&[IN_AGAIN, OUT, &again(IN_AGAIN), &again(OUT)]));
    assert_two_messages(&log(&[IN_AGAIN, &again(IN_AGAIN), OUT, &again(OUT)]));
}

#[test]
fn the_same_message_id_from_a_client_outside_is_a_new_message() {
    let outside = IN_AGAIN.replace("localhost[127.0.0.1]", "list.example[203.0.113.7]");
    assert_two_messages(&log(&[IN, TO_PIPE, GONE, &outside, OUT]));
}

#[test]
fn the_re_post_of_a_list_manager_is_a_new_message() {
    let to_list = TO_PIPE.replace("to@there.example", "list@lists.example").replace("relay=filter", "relay=mailman");
    assert_two_messages(&log(&[IN, &to_list, GONE, &picked_up("10:00:06"), OUT]));
    assert_two_messages(&log(&[IN, &to_list, GONE, IN_AGAIN, OUT]));
}

#[test]
fn an_id_that_a_remote_host_names_is_not_ours() {
    // The remote host's queue id happens to be one of this host.
    let remote = "10:00:04 smtp A000000001: to=<to@there.example>, relay=mx.there.example[198.51.100.1]:25, delay=4, delays=0/0/0/4, \
        dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as B000000002)";
    let other = IN_AGAIN.replace("localhost[127.0.0.1]", "other.example[203.0.113.7]").replace("<1@client", "<2@client");
    assert_two_messages(&log(&[IN, remote, GONE, &other, OUT]));
}

/// The hand-off to an instance that listens on the host's own address, and what arrives there.
fn second_instance() -> [String; 3] {
    let long_id = |lines: &str| lines.replace("B000000002", "4jYXyH6xTcz1XQCP");
    let handed = TO_FILTER.replace("127.0.0.1[127.0.0.1]:10024", "mail.here.example[192.0.2.10]:10125");
    let handed = long_id(&handed.replace("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): ", ""));
    let arrived = IN_AGAIN.replace("localhost[127.0.0.1]", "mail.here.example[192.0.2.10]");
    let of_instance = |lines: &str| long_id(lines).replace(" smtp", " postfix-out/smtp").replace(" qmgr", " postfix-out/qmgr");
    [handed, of_instance(&arrived), of_instance(OUT)]
}

#[track_caller]
fn assert_handed_to_second_instance(log: &str) {
    assert_figures(
        &report_of(log, &[]),
        &[("messages.received", 1), ("messages.reinjected", 1), ("recipients.delivered", 1), ("recipients.handed_off", 1)],
    );
}

#[test]
fn a_second_instance_by_the_hosts_own_address() {
    let [handed, arrived, out] = second_instance();
    assert_handed_to_second_instance(&log(&[IN, &arrived, &handed, GONE, &out]));
}

#[test]
fn a_second_instance_whose_arrival_is_logged_after_the_hand_off() {
    let [handed, arrived, out] = second_instance();
    assert_handed_to_second_instance(&log(&[IN, &handed, GONE, &arrived, &out]));
}

#[test]
fn a_filter_before_the_queue_is_no_chain() {
    let log = log(&[
        "10:00:00 smtpd B000000002: client=localhost[127.0.0.1], orig_client=client.example[192.0.2.1]",
        "10:00:00 cleanup B000000002: message-id=<1@client.example>",
        "10:00:00 qmgr B000000002: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:00 smtpd proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as B000000002; from=<sender@client.example> \
         to=<to@there.example> proto=ESMTP helo=<client.example>",
        OUT,
    ]);
    let report = report_of(&log, &[]);
    assert_figures(
        &report,
        &[
            ("messages.received", 1),
            ("messages.reinjected", 0),
            ("messages.queue_files", 1),
            ("recipients.delivered", 1),
            ("rejects.total", 0),
        ],
    );
    assert_eq!(text(&rows_of("recipients", &log, &[])[0], "client_ip"), "192.0.2.1");
    assert_figures(crate::support::row(&report, "clients", "192.0.2.1"), &[("received", 1), ("size_bytes", 1000)]);
}

#[test]
fn an_alias_is_forwarded_into_a_new_queue_file() {
    let forwarded = "10:00:01 local A000000001: to=<team@here.example>, relay=local, delay=1, delays=0.9/0/0/0.1, dsn=2.0.0, \
        status=sent (forwarded as B000000002)";
    let child = "10:00:01 cleanup B000000002: message-id=<1@client.example>
10:00:01 qmgr B000000002: from=<sender@client.example>, size=1200, nrcpt=1 (queue active)";
    let out = "10:00:05 smtp B000000002: to=<to@there.example>, orig_to=<team@here.example>, relay=mx.there.example[198.51.100.1]:25, \
        delay=4, delays=0/0/0/4, dsn=2.0.0, status=sent (250 2.0.0 Ok)";
    for lines in [[IN, child, forwarded, GONE, out], [IN, forwarded, GONE, child, out], [IN, forwarded, GONE, out, child]] {
        let log = log(&lines);
        let report = report_of(&log, &[]);
        assert_figures(
            &report,
            &[
                ("messages.received", 1),
                ("messages.queue_files", 2),
                ("messages.size_bytes", 1000),
                ("recipients.forwarded", 1),
                ("recipients.delivered", 1),
                ("recipients.handed_off", 0),
                ("attempts.sent", 2),
                ("delay.count", 1),
            ],
        );
        assert_eq!(figure(&report, "delay.max_s").as_f64(), Some(5.0));
        let rows = rows_of("recipients", &log, &[]);
        let delivered = rows.iter().find(|row| text(row, "outcome") == "delivered").expect("a delivered row");
        assert_eq!(text(delivered, "first_queue_id"), "A000000001");
        assert_eq!(text(delivered, "original_recipient"), "team@here.example");
    }
}

#[test]
fn a_filter_that_is_asked_twice_counts_each_attempt() {
    let refused = "10:00:02 smtp A000000001: to=<to@there.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=2, delays=0/0/0/2, \
        dsn=4.3.0, status=deferred (host 127.0.0.1[127.0.0.1] said: 451 4.3.0 Busy (in reply to end of DATA command))";
    let log = log(&[IN, refused, IN_AGAIN, TO_FILTER, GONE, OUT]);
    assert_one_message(&log, 12.0);
    assert_figures(&report_of(&log, &[]), &[("attempts.deferred", 1), ("attempts.sent", 2), ("recipients.deferred", 0)]);
}

#[test]
fn a_hand_over_between_hosts_is_delivered_on_one_and_received_on_the_other() {
    let log = log(&[
        "10:00:00 smtpd@gate A000000001: client=client.example[192.0.2.1]",
        "10:00:00 qmgr@gate A000000001: from=<sender@client.example>, size=1000, nrcpt=1 (queue active)",
        "10:00:01 smtpd@store B000000002: client=gate.here.example[192.0.2.20]",
        "10:00:01 qmgr@store B000000002: from=<sender@client.example>, size=1100, nrcpt=1 (queue active)",
        "10:00:01 smtp@gate A000000001: to=<to@here.example>, relay=store.here.example[192.0.2.21]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, \
         status=sent (250 2.0.0 Ok: queued as B000000002)",
        "10:00:01 qmgr@gate A000000001: removed",
        "10:00:02 local@store B000000002: to=<to@here.example>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to \
         mailbox)",
        "10:00:02 qmgr@store B000000002: removed",
    ]);
    assert_figures(
        &report_of(&log, &[]),
        &[("messages.received", 2), ("messages.size_bytes", 2100), ("messages.reinjected", 0), ("recipients.delivered", 2)],
    );
}
