//! What programs beside the server thought of a message is told with it, by its queue id or by its message-id.

use super::{outcomes, stories, trace, word};
use crate::support::rows_of;

/// A message, a verdict by queue id, one by message-id alone from beside the queue, and one on another message.
const LOG: &str = "\
2026-11-24T07:00:00+00:00 mail postfix/smtpd[1]: 4jYXyH6xTcz1XQCP: client=mx.isp.example[198.51.100.50]
2026-11-24T07:00:01+00:00 mail postfix/cleanup[2]: 4jYXyH6xTcz1XQCP: message-id=<1@isp.example>
2026-11-24T07:00:01+00:00 mail opendkim[3]: 4jYXyH6xTcz1XQCP: DKIM verification successful
2026-11-24T07:00:01+00:00 mail rspamd[4]: <d4e5f6>; task; rspamd_task_write_log: id: <1@isp.example>, qid: <4jYXyH6xTcz1XQCP>, ip: 198.51.100.50, from: <bob@isp.example>, (default: F (no action): [-1.20/15.00] [MIME_GOOD(-0.10){}]), len: 1234
2026-11-24T07:00:01+00:00 mail postfix/qmgr[5]: 4jYXyH6xTcz1XQCP: from=<bob@isp.example>, size=500, nrcpt=1 (queue active)
2026-11-24T07:00:02+00:00 mail amavis[6]: (00901-01) Passed CLEAN {RelayedInbound}, [198.51.100.50]:51234 <bob@isp.example> -> <alice@corp.example>, Message-ID: <1@isp.example>, mail_id: Hb3xYz0aQw1e, Hits: -1.899, size: 500, 312 ms
2026-11-24T07:00:02+00:00 mail postfix/smtp[7]: 4jYXyH6xTcz1XQCP: to=<alice@corp.example>, relay=mx.corp.example[192.0.2.30]:25, delay=2, delays=1/0/0/1, dsn=2.0.0, status=sent (250 ok)
2026-11-24T07:00:02+00:00 mail postfix/qmgr[5]: 4jYXyH6xTcz1XQCP: removed
2026-11-24T07:00:03+00:00 mail opendkim[3]: 4jYXyK6xTcz1XQCR: bad signature data
2026-11-24T07:00:03+00:00 mail amavis[6]: (00901-02) Blocked SPAM {DiscardedInbound}, [203.0.113.16]:40000 <x@scanner.example> -> <alice@corp.example>, Message-ID: <2@scanner.example>, mail_id: Hb3xYz0aQw1f, Hits: 20.1, size: 500, 312 ms
";

/// Who thought what, in the order of the events.
fn verdicts(key: &str) -> Vec<String> {
    let stories = stories(LOG, key, &[]);
    assert_eq!(stories.len(), 1, "{key}");
    assert_eq!(outcomes(&stories[0]), [("alice@corp.example".to_owned(), "delivered".to_owned())]);
    let events = stories[0]["events"].as_array().expect("events");
    let verdicts = events.iter().filter(|event| event["kind"] == "verdict");
    verdicts.map(|event| format!("{} {} {}", word(&event["by"]), word(&event["check"]), word(&event["result"]))).collect()
}

#[test]
fn verdicts_come_with_the_message_whatever_was_asked_for() {
    for key in ["4jYXyH6xTcz1XQCP", "1@isp.example", "<1@isp.example>", "bob@isp.example", "alice@corp.example", "198.51.100.50"] {
        assert_eq!(verdicts(key), ["opendkim dkim pass", "rspamd spam no_action", "amavis spam clean"], "{key}");
    }
}

#[test]
fn the_story_tells_them() {
    let told = trace(LOG, "4jYXyH6xTcz1XQCP", &[]).ok();
    for step in ["opendkim: dkim pass", "rspamd: spam no_action, score -1.2", "amavis: spam clean, score -1.899, for alice@corp.example"] {
        assert!(told.contains(step), "{step}: {told}");
    }
}

#[test]
fn a_row_of_messages_has_them() {
    let rows = rows_of("messages", LOG, &[]);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["verdicts"], "dkim=pass spam=no_action(-1.2) spam=clean(-1.899)");
}

#[test]
fn a_milter_may_speak_before_the_server_does() {
    let log = "2026-11-24T07:00:00+00:00 mail opendkim[3]: 6AO700Ca000700: DKIM verification successful\n\
               2026-11-24T07:00:01+00:00 mail sm-mta[700]: 6AO700Ca000700: from=<a@isp.example>, size=100, class=0, nrcpts=1, \
               msgid=<1@isp.example>, proto=ESMTP, daemon=MTA, relay=mx.isp.example [198.51.100.50]\n\
               2026-11-24T07:00:02+00:00 mail sm-mta[701]: 6AO700Ca000700: to=<b@corp.example>, delay=00:00:01, mailer=local, pri=1, \
               dsn=2.0.0, stat=Sent\n";
    assert_eq!(rows_of("messages", log, &[])[0]["verdicts"], "dkim=pass");
    assert_eq!(stories(log, "b@corp.example", &[])[0]["events"][0]["kind"], "verdict");
}
