//! The program's own rules, rules that can't be used, and what everybody is told every day.

use super::*;
use crate::model::Class::{self, *};
use crate::model::{Delivery, Status, Text};

fn class(text: &str) -> Class {
    Classifier::built_in().classify(&Reply::of(text.as_bytes())).class
}

fn said(said: Said, text: &str) -> Class {
    Classifier::built_in().classify(&Reply { said, ..Reply::of(text.as_bytes()) }).class
}

#[track_caller]
fn all(expected: &[(Class, &str)]) {
    let wrong: Vec<String> = expected
        .iter()
        .filter(|(right, text)| class(text) != *right)
        .map(|(right, text)| format!("{text}: {}, should be {}", class(text).name(), right.name()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rules_of_the_program_are_clean() {
    let problems: Vec<String> = Classifier::built_in().lint().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(Classifier::built_in().rules().len() > 100);
}

#[test]
fn many_at_a_time_are_classed_as_one_by_one() {
    let texts =
        ["550 5.1.1 user unknown", "452 4.2.2 mailbox full", "550 5.1.1 user unknown", "no such thing", "550 5.1.1 <a@b.example>: x"];
    let failure = |text: &'static str| {
        let delivery = Delivery { diagnostic: Text(text.as_bytes()), ..Delivery::new(Text(b"1"), Status::Bounced) };
        Failure::of_delivery(&delivery).expect("a failure")
    };
    let failures = texts.map(failure);
    let of = |classifier: &Classifier, failures: &[Failure<'_>]| {
        let mut told = Vec::new();
        classifier.class_all(failures, |n, one| told.push((n, one.class, one.skeleton != 0)));
        told
    };
    // Each by a classifier that knows nothing yet, and all together by one that knows nothing, and by one that does.
    let alone = failures.each_ref().map(|failure| of(&Classifier::with(&[]).expect("clean rules"), std::slice::from_ref(failure))[0]);
    let classifier = Classifier::with(&[]).expect("clean rules");
    for _ in 0..2 {
        let together = of(&classifier, &failures);
        assert_eq!(together.iter().map(|(n, ..)| *n).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert!(together.iter().zip(alone).all(|(one, other)| (one.1, one.2) == (other.1, other.2)), "{together:?} {alone:?}");
    }
    let [first, _, again, ..] = alone;
    assert_eq!((first.1, again.1), (Some(RecipientUnknown), Some(RecipientUnknown)));
}

#[test]
fn what_everybody_is_told() {
    all(&[
        (Timeout, "connection timed out"),
        (Timeout, "server not responding"),
        (Connection, "could not connect"),
        (Credentials, "authentication failed"),
        (Credentials, "username or password incorrect"),
        (Credentials, "535"),
        (Credentials, "535 5.7.8 Error: authentication failed: bad protocol"),
        (RecipientUnknown, "user not found"),
        (RecipientUnknown, "550 mailbox unavailable"),
        (RecipientUnknown, "550"),
        (ReceiverUnavailable, "421 service not available"),
        (ReceiverUnavailable, "451 local error"),
        (RelayDenied, "relay access denied"),
        (RelayDenied, "not allowed to send mail"),
        (SenderRejected, "sender rejected"),
        (SenderRejected, "553 mailbox name not allowed"),
        (Reputation, "sender domain blacklisted"),
        (Tls, "certificate expired"),
        (Tls, "certificate not trusted"),
        (MailboxFull, "mailbox full"),
        (Unknown, ""),
        (Unknown, "554 5.0.0 Hmpf"),
    ]);
}

#[test]
fn what_this_servers_kin_say_of_themselves() {
    all(&[
        (DomainInvalid, "Host or domain name not found. Name service error for name=x.example type=MX: Host not found"),
        (DomainInvalid, "Domain x.example does not accept mail (nullMX)"),
        (DomainInvalid, "unable to look up host x.example: Name or service not known"),
        (DomainInvalid, "all relevant MX records point to non-existent hosts"),
        (Timeout, "connect to x.example[192.0.2.1]:25: Connection timed out"),
        (Timeout, "conversation with x.example[192.0.2.1] timed out while sending end of data -- message may be sent more than once"),
        (Connection, "connect to mx.spam.example[192.0.2.1]:25: Connection refused"),
        (
            Connection,
            "delivery temporarily suspended: lost connection with x.example[192.0.2.1] while receiving the initial server greeting",
        ),
        (RoutingLoop, "mail for x.example loops back to myself"),
        (RoutingLoop, "554 5.4.6 Too many hops"),
        (Greylisted, "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted"),
        (Tls, "TLS is required, but was not offered by host x.example[192.0.2.1]"),
        (Tls, "Server certificate not trusted"),
        (MailboxFull, "maildir delivery failed: error writing message: Disk quota exceeded"),
        (MailboxFull, "cannot update mailbox /var/mail/a for user a. error writing message: File too large"),
        (LocalError, "cannot update mailbox /var/mail/a for user a. unable to lock for exclusive access"),
        (LocalError, "mail transport unavailable"),
        (LocalError, "Command died with status 1: \"/usr/bin/x\". Command output: boom"),
        (Expired, "retry timeout exceeded"),
        (SenderRejected, "450 4.1.8 <a@b.example>: Sender address rejected: Domain not found"),
        (Reputation, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        (Reputation, "450 4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"),
        (RelayDenied, "554 5.7.1 <a@b.example>: Relay access denied"),
        (Policy, "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname"),
        (Policy, "554 5.7.1 <x.example[192.0.2.1]>: Client host rejected: Access denied"),
        (MessageTooLarge, "552 5.3.4 Message size exceeds fixed limit"),
        (RateLimited, "450 4.7.1 Error: too much mail from 192.0.2.1"),
    ]);
}

#[test]
fn the_same_words_mean_another_thing_in_this_servers_mouth() {
    assert_eq!(said(Said::Local, "cannot update mailbox /var/mail/a for user a. error writing message: File too large"), MailboxFull);
    for text in ["451 4.3.0 <a@b.example>: Temporary lookup failure", "451 local error", "452 4.3.1 Insufficient system storage"] {
        assert_eq!(said(Said::Local, text), LocalError, "{text}");
        assert_eq!(said(Said::Remote, text), ReceiverUnavailable, "{text}");
    }
}

#[test]
fn an_address_says_nothing() {
    assert_eq!(class("550 5.1.1 <spam.virus@quota.example>: unknown user"), RecipientUnknown);
    assert_eq!(class("host mx.spamhaus.example[192.0.2.1] said: 550 5.1.1 <a@blacklist.example> no such user"), RecipientUnknown);
}

#[test]
fn a_provider_is_known_by_the_relay_and_by_its_words() {
    let of = |relay: &'static [u8], text: &'static str| {
        let found = Classifier::built_in().classify(&Reply { relay, ..Reply::of(text.as_bytes()) });
        (found.class, found.provider)
    };
    assert_eq!(of(b"alt1.gmail-smtp-in.l.google.com", "550 5.1.1 no such user"), (RecipientUnknown, Some("Google")));
    assert_eq!(of(b"", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]"), (Reputation, Some("Microsoft")));
    assert_eq!(of(b"mx.example", "550 5.1.1 no such user"), (RecipientUnknown, None));
}

#[test]
fn every_text_is_classed() {
    let long = "spam ... full ".repeat(100_000);
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    for text in [long.as_bytes(), &bytes, b"\xff\xfe", b"550", b"5.1", b" said: ", b"host  said: ", b"(in reply to "] {
        let _ = Classifier::built_in().classify(&Reply::of(text));
    }
}

// ---- a user's own rules ------------------------------------------------------------------------

fn problems(text: &str) -> Vec<String> {
    Classifier::with(&[("own.toml", text)]).map_or_else(|all| all.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[test]
fn own_rules_come_first() {
    let text = r#"
        [[rule]]
        id = "house-greylist"
        class = "greylisted"
        any = ["mailbox full"]
        codes = ["452"]
        examples = ["452 Mailbox full, says our old server when it greylists"]
    "#;
    let own = Classifier::with(&[("own.toml", text)]).expect("good rules");
    let class = |text: &str| own.classify(&Reply::of(text.as_bytes())).class;
    assert_eq!(class("452 Mailbox full"), Greylisted);
    assert_eq!(class("552 Mailbox full"), MailboxFull);
}

#[test]
fn what_is_wrong_is_said_with_the_file_the_rule_and_the_reason() {
    let rule = |more: &str| format!("[[rule]]\nid = \"mine\"\n{more}");
    let good = "class = \"policy\"\nany = [\"zork\"]\nexamples = [\"550 zork\"]\n";
    assert_eq!(problems(&rule(good)), Vec::<String>::new());
    for (more, reason) in [
        ("class = \"policy\"\nany = [\"zork\"]\n", "own.toml: rule mine: it has no example"),
        ("class = \"zork\"\nany = [\"zork\"]\nexamples = [\"zork\"]", "own.toml: rule mine: the class \"zork\" is not known; classes are"),
        ("class = \"policy\"\nany = [\"550\"]\nexamples = [\"zork\"]", "own.toml: rule mine: \"550\" is no pattern"),
        ("class = \"policy\"\ncodes = [\"5\"]\nexamples = [\"zork\"]", "own.toml: rule mine: \"5\" is no code"),
        ("class = \"policy\"\nexamples = [\"zork\"]", "own.toml: rule mine: it asks for nothing"),
        ("class = \"policy\"\nany = [\"zork\"]\nexamples = [\"borg\"]", "own.toml: rule mine: its example \"borg\" does not match"),
        (
            "class = \"policy\"\nany = [\"zork\"]\nnot = [\"zork\"]\nexamples = [\"a zork\"]",
            "rule mine: its pattern \"zork\" can never decide",
        ),
        (
            "class = \"policy\"\nany = [\"zork\"]\nprovider = \"Zork\"\nexamples = [\"zork\"]",
            "rule mine: the provider \"Zork\" is not known",
        ),
        (
            "class = \"policy\"\nany = [\"zork\"]\nsaid = \"zork\"\nexamples = [\"zork\"]",
            "rule mine: said is \"remote\" or \"local\", not \"zork\"",
        ),
        ("class = \"policy\"\nany = [\"zork\"]\nrelay = true\nexamples = [\"zork\"]", "rule mine: relay = true without a provider"),
        ("colour = \"red\"\n", "own.toml: line 3: unknown field `colour`"),
    ] {
        let found = problems(&rule(more));
        assert!(found.iter().any(|problem| problem.contains(reason)), "{reason}: {found:?}");
    }
}

#[test]
fn rules_that_an_earlier_one_takes_everything_from_are_found() {
    let two = |first: &str, second: &str| {
        format!(
            "[[rule]]\nid = \"first\"\nclass = \"policy\"\nany = [\"{first}\"]\nexamples = [\"{first}\"]\n\
             [[rule]]\nid = \"second\"\nclass = \"virus\"\nany = [\"{second}\"]\nexamples = [\"{second}\"]\n"
        )
    };
    let shadowed = problems(&two("zork", "big zork"));
    assert!(shadowed.iter().any(|problem| problem.contains("rule second: its pattern \"big zork\" can never decide")), "{shadowed:?}");
    assert!(shadowed.iter().any(|problem| problem.contains("rule second: its example \"big zork\" is taken by the earlier rule first")));
    assert_eq!(problems(&two("big zork", "zork")), Vec::<String>::new());
    let same = problems(&two("zork", "borg").replace("second", "first"));
    assert!(same.iter().any(|problem| problem.contains("its id is taken by a rule in own.toml")), "{same:?}");
}
