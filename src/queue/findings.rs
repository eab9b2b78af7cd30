//! What stands out in a queue, and the commands that would do something about it. Commands are text for a person: nothing
//! here runs one. Ids are log text, so only those of letters, digits and `-` get into a command.

use super::gather::{Origin, Sums};
use super::message::Message;
use super::snapshot::Finding;
use crate::aggregate::Table;
use mailscope_parsers::model::QueueState;

/// Less than this is no flood.
const MANY: u64 = 100;
/// One sender's share of a queue, in per cent, that is one.
const SHARE: u64 = 30;
/// Notifications to fewer domains are the doing of one partner, not of forged senders.
const SCATTERED: usize = 10;
/// Ids named in a command.
const NAMED: usize = 10;

/// All that stands out, the worst first.
#[must_use]
pub fn find(sums: &Sums, oldest: &[Message]) -> Vec<Finding> {
    let mut found = Vec::new();
    floods(sums, &mut found);
    stuck(sums, &mut found);
    let [overdue, within_1h, within_24h] = sums.expiring;
    if overdue + within_1h > 0 {
        found.push(Finding {
            severity: "warning",
            title: format!("{} to be returned to the sender within the hour", messages(overdue + within_1h)),
            evidence: format!(
                "{overdue} are past the lifetime of {}, {within_1h} reach it within an hour, {within_24h} more within a day",
                days(sums.options.lifetime_s)
            ),
            action: command(among(oldest, |message| message.age_s.is_some_and(|age| age + 3600 >= sums.options.lifetime_s)), Deed::Try),
        });
    }
    found
}

fn floods(sums: &Sums, found: &mut Vec<Finding>) {
    for (name, sender) in heavy(sums, &sums.senders) {
        if name != "<>" {
            found.push(flood(sums, sender, "critical", format!("{name} fills the queue")));
        } else if sums.notified.len() >= SCATTERED {
            let title = "Notifications fill the queue: bounces of mail with forged senders, as it looks".to_owned();
            let mut finding = flood(sums, sender, "critical", title);
            finding.evidence += &format!(", to {} domains", sums.notified.len());
            finding.action = command(examples(sender), Deed::Delete);
            found.push(finding);
        }
    }
    for (account, origin) in heavy(sums, &sums.accounts) {
        found.push(flood(sums, origin, "critical", format!("The account {account} fills the queue: is its password known to others?")));
    }
    // A server that has one client for all its mail has no more than that.
    for (ip, origin) in heavy(sums, &sums.clients).into_iter().filter(|_| sums.clients.iter().nth(1).is_some()) {
        found.push(flood(sums, origin, "warning", format!("The client {}[{ip}] fills the queue", origin.name)));
    }
}

/// Those that have so much of the queue that it is a flood, the heaviest first.
fn heavy<'s>(sums: &Sums, origins: &'s Table<Origin>) -> Vec<(String, &'s Origin)> {
    let share = |part: u64, whole: u64| part >= MANY && part * 100 >= whole * SHARE;
    let is_heavy = |origin: &Origin| share(origin.entries, sums.entries) || share(origin.recipients, sums.recipients);
    let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    let mut heavy: Vec<(String, &Origin)> =
        origins.iter().filter(|(_, origin)| is_heavy(origin)).map(|(key, origin)| (name(key), origin)).collect();
    heavy.sort_by(|a, b| b.1.entries.cmp(&a.1.entries).then_with(|| a.0.cmp(&b.0)));
    heavy
}

fn flood(sums: &Sums, origin: &Origin, severity: &'static str, title: String) -> Finding {
    let evidence = format!("{} of {} messages, {} of {} recipients", origin.entries, sums.entries, origin.recipients, sums.recipients);
    Finding { severity, title, evidence, action: command(examples(origin), Deed::Hold) }
}

fn examples(origin: &Origin) -> impl Iterator<Item = (&str, &'static str)> {
    origin.examples.iter().map(|(id, mta)| (id.as_str(), *mta))
}

fn stuck(sums: &Sums, found: &mut Vec<Finding>) {
    for (state, stuck) in QueueState::ALL.iter().zip(&sums.stuck).filter(|(_, stuck)| stuck.entries > 0) {
        let (severity, title, deed) = match state {
            QueueState::Incoming => ("critical", "in incoming for over ten minutes: the queue manager does not take them", None),
            QueueState::Corrupt => ("critical", "damaged: can't be delivered", None),
            QueueState::Frozen => ("warning", "frozen: not tried until thawed", Some(Deed::Release)),
            QueueState::Quarantined => ("warning", "quarantined: not tried until released", Some(Deed::Release)),
            _ => ("warning", "on hold: not tried until released", Some(Deed::Release)),
        };
        let ids = stuck.queue_ids.iter().map(String::as_str).zip(stuck.mtas.iter().copied());
        found.push(Finding {
            severity,
            title: format!("{} {title}", messages(stuck.entries)),
            evidence: format!("state {} in the listing", state.name()),
            action: deed.and_then(|deed| command(ids, deed)),
        });
    }
}

/// `1 message`, `2 messages`.
fn messages(count: u64) -> String {
    format!("{count} message{}", if count == 1 { "" } else { "s" })
}

/// What to do with some messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Try again now.
    Try,
    /// Put aside.
    Hold,
    /// Let go on.
    Release,
    Delete,
}

/// How a server is told about some messages.
enum Form {
    /// One command, with this in front of each id.
    Together(&'static str, &'static str),
    /// A command for each.
    Apart(&'static str),
}

fn form(mta: &str, deed: Deed) -> Option<Form> {
    use Form::{Apart, Together};
    Some(match (mta, deed) {
        ("postfix", Deed::Try) => Apart("postqueue -i "),
        ("postfix", Deed::Hold) => Together("postsuper", " -h "),
        ("postfix", Deed::Release) => Together("postsuper", " -H "),
        ("postfix", Deed::Delete) => Together("postsuper", " -d "),
        ("exim", Deed::Try) => Together("exim -M", " "),
        ("exim", Deed::Hold) => Together("exim -Mf", " "),
        ("exim", Deed::Release) => Together("exim -Mt", " "),
        ("exim", Deed::Delete) => Together("exim -Mrm", " "),
        ("opensmtpd", Deed::Try) => Apart("smtpctl schedule "),
        ("opensmtpd", Deed::Hold) => Apart("smtpctl pause envelope "),
        ("opensmtpd", Deed::Release) => Apart("smtpctl resume envelope "),
        ("opensmtpd", Deed::Delete) => Apart("smtpctl remove "),
        ("sendmail", Deed::Try) => Together("sendmail -v", " -qI"),
        ("sendmail", Deed::Hold) => Together("sendmail -Qheld", " -qI"),
        ("sendmail", Deed::Release) => Together("sendmail -qQ -Q", " -qI"),
        _ => return None,
    })
}

/// The messages shown that are meant, with their servers.
fn among(oldest: &[Message], is_meant: impl Fn(&Message) -> bool) -> impl Iterator<Item = (&str, &'static str)> {
    oldest.iter().filter(move |message| is_meant(message)).map(|message| (message.queue_id.as_str(), message.mta))
}

/// A line for a shell, with the ids of the first messages that it is about; `None` where the server has no such command.
fn command<'m>(meant: impl Iterator<Item = (&'m str, &'static str)>, deed: Deed) -> Option<String> {
    let is_plain = |id: &str| !id.is_empty() && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') && !id.starts_with('-');
    let mut meant = meant.filter(|(id, _)| is_plain(id));
    let (first, server) = meant.next()?;
    let form = form(server, deed)?;
    let ids = std::iter::once(first).chain(meant.filter(|(_, mta)| *mta == server).map(|(id, _)| id)).take(NAMED);
    Some(match form {
        Form::Together(command, before) => ids.fold(command.to_owned(), |line, id| line + before + id),
        Form::Apart(command) => ids.map(|id| format!("{command}{id}")).collect::<Vec<_>>().join("; "),
    })
}

/// `5 days`, or hours.
fn days(seconds: u64) -> String {
    if seconds.is_multiple_of(86_400) { format!("{} days", seconds / 86_400) } else { format!("{} hours", seconds / 3600) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, mta: &'static str, deed: Deed) -> Option<String> {
        command(among(&[message(id, mta)], |_| true), deed)
    }

    fn message(id: &str, mta: &'static str) -> Message {
        Message {
            queue_id: id.to_owned(),
            state: QueueState::Deferred,
            arrival: None,
            age_s: None,
            size_bytes: None,
            envelope_sender: None,
            recipients: Vec::new(),
            expires: None,
            next_attempt: None,
            estimated: false,
            tried: None,
            mta,
        }
    }

    #[test]
    fn no_hostile_id_gets_into_a_command() {
        let hostile = ["$(reboot)", "a;b", "a b", "-r", ""].map(|id| message(id, "postfix"));
        assert_eq!(command(among(&hostile, |_| true), Deed::Delete), None);
        let two = [message("4F9D195432C", "postfix"), message("x`y`", "postfix"), message("4JfdNQ5stDz1yJf", "postfix")];
        assert_eq!(command(among(&two, |_| true), Deed::Hold).unwrap(), "postsuper -h 4F9D195432C -h 4JfdNQ5stDz1yJf");
        assert_eq!(one("1xVjdP-0000JF-1u", "exim", Deed::Release).unwrap(), "exim -Mt 1xVjdP-0000JF-1u");
        assert_eq!(one("6AO6Ugvb001438", "sendmail", Deed::Try).unwrap(), "sendmail -v -qI6AO6Ugvb001438");
        assert_eq!(one("6AO6Ugvb001438", "sendmail", Deed::Delete), None);
    }
}
