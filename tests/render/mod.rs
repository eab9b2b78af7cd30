//! The report as a web page and as Markdown: whole, safe to open whatever a log says, and working in a real browser.

mod browser;
mod html;
mod markdown;

use crate::support::{arrival, attempt, directory, file, log_of, removed, run_on};

const GOOGLE: &str = "gmail-smtp-in.l.google.com[192.0.2.27]:25";

/// Ten hours of a log on which every chart and every list has something.
fn day() -> String {
    let mut lines = Vec::new();
    for hour in 0..10_u32 {
        for n in 0..=hour {
            let (id, start, end) = (format!("A{hour:02}{n:07}"), format!("{hour:02}:0{n}:00"), format!("{hour:02}:1{n}:01"));
            lines.push(arrival(&start, &id, 1));
            match n % 5 {
                0 => lines.push(attempt(&end, &id, &format!("to@d{hour}.example"), "sent")),
                1 => lines.push(attempt(&end, &id, "full@full.example", "deferred")),
                2 => lines.push(attempt(&end, &id, "nobody@gone.example", "bounced")),
                3 => lines.push(format!(
                    "{end} smtp {id}: to=<a@gmail.example>, relay={GOOGLE}, delay=70, delays=0.1/0.2/0.3/69, dsn=4.7.28, status=deferred \
                     (host {GOOGLE} said: 421 4.7.28 unusual rate of mail (in reply to MAIL FROM command))"
                )),
                _ => lines.push(format!(
                    "{end} smtp {id}: to=<a@gmail.example>, relay={GOOGLE}, delay=70, delays=0.1/0.2/0.3/69, dsn=2.0.0, status=sent (250 Ok)"
                )),
            }
            lines.push(removed(&end, &id));
        }
        lines.push(format!(
            "{hour:02}:30:00 smtpd NOQUEUE: reject: RCPT from bad.example[192.0.2.66]: 554 5.7.1 <x@corp.example>: Relay access denied; \
             from=<a@bad.example> to=<x@corp.example> proto=ESMTP helo=<bad.example>"
        ));
    }
    lines.push("09:40:00 smtpd warning: bad.example[192.0.2.66]: SASL LOGIN authentication failed: x, sasl_username=bob".to_owned());
    lines.push("09:41:00 smtpd warning: the disk is slow today".to_owned());
    lines.push("09:42:00 nobody/knows what this is".to_owned());
    log_of(&lines)
}

/// Where hostile text stands in [`hostile`], each named by the word in its payload.
const PLACES: [&str; 9] = ["sender", "recipient", "reply", "relay", "client", "user", "reject", "problem", "line"];

/// Markup, script, template syntax, a link that runs, a mark that turns text around, an escape, and what ends the elements
/// and attributes that it may stand in.
fn payload(place: &str) -> String {
    format!(
        "\"><img/src=x/onerror=document.documentElement.dataset.owned='{place}'><script>document.documentElement.dataset.owned='{place}'\
         </script></style></title><!--{{{{7*7}}}}{{%raw%}}javascript:alert({place})\u{202e}\u{7}\x1b[31m|`*_"
    )
}

/// A log whose every part that a stranger writes is hostile.
fn hostile() -> String {
    let [sender, recipient, reply, relay, client, user, reject, problem, line] = PLACES.map(payload);
    let at = "2026-11-24T10:00:00+00:00";
    let mut log = String::new();
    for n in 0..3 {
        let id = format!("A00000000{n}");
        log.push_str(&format!(
            "{at} mail postfix/smtpd[7]: {id}: client={client}[192.0.2.{n}]\n\
             {at} mail postfix/qmgr[7]: {id}: from=<{sender}@x.example>, size=1000, nrcpt=2 (queue active)\n\
             {at} mail postfix/smtp[7]: {id}: to=<a@{recipient}.example>, relay={relay}[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, \
             status=deferred (host {relay}[192.0.2.9] said: 450 4.0.0 {reply})\n\
             {at} mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from {client}[192.0.2.{n}]: 554 5.7.1 {reject}; from=<{sender}@x.example> \
             to=<b@corp.example> proto=ESMTP helo=<{client}>\n\
             {at} mail postfix/smtpd[7]: warning: {client}[192.0.2.{n}]: SASL LOGIN authentication failed: x, sasl_username={user}\n\
             {at} mail postfix/smtpd[7]: warning: {problem}\n\
             {at} mail {line}[7]: {line}\0\n"
        ));
    }
    log
}

/// The report on a log in some format.
fn rendered(log: &str, format: &str, more: &[&str]) -> String {
    let directory = directory();
    let path = file(&directory, "mail.log", log);
    run_on(&[&["report", "--tz", "UTC", "-q", "--format", format], more].concat(), &[path]).ok()
}

/// Whether a character may change what is shown around it, line breaks apart.
fn is_unsafe(c: char) -> bool {
    c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
}
