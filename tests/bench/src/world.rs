//! Who writes to whom: the domains, the hosts that take their mail, and the senders. Fixed before the first line.

use crate::names::{DOMAIN_FIRST, DOMAIN_SECOND, FIRST, LAST, SUFFIXES};
use crate::relays::{self, Relay};
use crate::rng::{Rng, mix};
use crate::zipf::Zipf;
use std::collections::HashSet;
use std::fmt;

pub const DOMAINS: usize = 20_000;
pub const SENDERS: usize = 200_000;
/// This host's address, as other servers quote it back.
pub const OWN_IP: &str = "192.0.2.25";
pub const OWN_NAME: &str = "mail.corp.example";

/// Which delivery agent takes mail for a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    Smtp,
    RelaySmtp,
    Local,
    Virtual,
    Lmtp,
    Pipe,
    Error,
}

/// Whose words a failure is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Google,
    Microsoft,
    Yahoo,
    Apple,
    Gmx,
    Telekom,
    Proofpoint,
    Mimecast,
    Plain,
}

pub struct Domain {
    pub name: String,
    pub agent: Agent,
    pub family: Family,
    /// First and second choice, by number. The same host twice where there is one.
    pub relays: [u32; 2],
    /// Failures relative to the average.
    pub trouble: f64,
    /// How many mailboxes write and are written to.
    pub users: u32,
}

pub struct Sender {
    pub address: String,
    pub domain: u32,
    /// One of ours, who writes to the world.
    pub outbound: bool,
}

/// A mailbox, small enough to copy about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    User {
        domain: u32,
        user: u32,
    },
    Sender(u32),
    /// `admin@corp.example`, who gets what is for the postmaster.
    Admin,
    /// `postmaster`, without a domain, as the postmaster's notices are addressed.
    Postmaster,
    /// The null sender.
    Null,
    /// Who sends what is for the postmaster.
    DoubleBounce,
}

pub struct World {
    pub domains: Vec<Domain>,
    pub relays: Vec<Relay>,
    pub senders: Vec<Sender>,
    /// The number of hosted domains, which stand after the remote ones.
    pub hosted: usize,
    pub remote_domains: Zipf,
    pub hosted_domains: Zipf,
    pub sender_ranks: Zipf,
    pub recipient_counts: Zipf,
}

const HOSTED: [(&str, Agent); 11] = [
    ("corp.example", Agent::Lmtp),
    ("vhost.example", Agent::Virtual),
    ("office.corp.example", Agent::Local),
    ("exchange.corp.example", Agent::RelaySmtp),
    ("partner.example", Agent::Lmtp),
    ("newsletter.example", Agent::Virtual),
    ("lists.corp.example", Agent::Pipe),
    ("shop.corp.example", Agent::Lmtp),
    ("legacy.corp.example", Agent::Local),
    ("branch.corp.example", Agent::Virtual),
    ("tickets.corp.example", Agent::Pipe),
];

/// The hosted domains of customers, behind the company's own. The last has left.
const CUSTOMERS: usize = 29;

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(rng: &mut Rng) -> Self {
        let mut relays = relays::all(rng);
        let mut domains = remote_domains(rng, &mut relays);
        domains.extend(hosted_domains());
        let hosted = HOSTED.len() + CUSTOMERS;
        let senders = (0..SENDERS as u64).map(|rank| sender(rank, &domains)).collect();
        Self {
            domains,
            relays,
            senders,
            hosted,
            remote_domains: Zipf::new(DOMAINS, 1.0),
            hosted_domains: Zipf::new(hosted, 1.0),
            sender_ranks: Zipf::new(SENDERS, 1.0),
            recipient_counts: Zipf::new(50, 2.6),
        }
    }

    #[must_use]
    pub fn domain(&self, number: u32) -> &Domain {
        &self.domains[number as usize]
    }

    /// The domain's name of a mailbox, by number.
    #[must_use]
    pub fn domain_of(&self, mailbox: Mailbox) -> u32 {
        match mailbox {
            Mailbox::User { domain, .. } => domain,
            Mailbox::Sender(rank) => self.senders[rank as usize].domain,
            Mailbox::Admin | Mailbox::Postmaster | Mailbox::Null | Mailbox::DoubleBounce => DOMAINS as u32,
        }
    }

    /// A mailbox as it stands between the angle brackets. `shout` writes the domain as some clients do.
    #[must_use]
    pub fn address(&self, mailbox: Mailbox, shout: bool) -> Address<'_> {
        Address { world: self, mailbox, shout }
    }

    pub fn names(&self) -> Vec<&str> {
        self.domains.iter().map(|d| d.name.as_str()).collect()
    }
}

/// A mailbox that is being written.
pub struct Address<'a> {
    world: &'a World,
    mailbox: Mailbox,
    shout: bool,
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mailbox {
            Mailbox::User { domain, user } => {
                let name = &self.world.domain(domain).name;
                write_local_part(f, domain, user)?;
                if self.shout { write!(f, "@{}", name.to_ascii_uppercase()) } else { write!(f, "@{name}") }
            }
            Mailbox::Sender(rank) => f.write_str(&self.world.senders[rank as usize].address),
            Mailbox::Admin => f.write_str("admin@corp.example"),
            Mailbox::Postmaster => f.write_str("postmaster"),
            Mailbox::Null => Ok(()),
            Mailbox::DoubleBounce => f.write_str("double-bounce@mail.corp.example"),
        }
    }
}

/// A user's local part. Different users of a domain have different ones: names hold no digits and a domain has one way.
fn write_local_part(out: &mut impl fmt::Write, domain: u32, user: u32) -> fmt::Result {
    let (first, last) = (FIRST[user as usize % 48], LAST[user as usize / 48 % 64]);
    let number = user / (48 * 64);
    match mix(u64::from(domain)) % 4 {
        0 => write!(out, "{first}.{last}")?,
        1 => write!(out, "{first}_{last}")?,
        2 => write!(out, "{last}.{first}")?,
        _ => write!(out, "{first}-{last}")?,
    }
    if number > 0 { write!(out, "{number}") } else { Ok(()) }
}

/// The remote domains by rank: the big mailbox providers, then invented ones.
fn remote_domains(rng: &mut Rng, relays: &mut Vec<Relay>) -> Vec<Domain> {
    let hosts = relays::Hosts::of(relays);
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(DOMAINS + HOSTED.len() + CUSTOMERS);
    for rank in 0..DOMAINS {
        let head = relays::HEAD.get(rank).copied();
        let (name, family) = match head {
            Some((name, family)) => (name.to_owned(), family),
            None => (invented_domain(rank as u64), relays::family_by_share(rng)),
        };
        let name = if seen.insert(name.clone()) { name } else { format!("{rank}-{name}") };
        let choice = hosts.choose(rng, relays, family, &name, rank);
        let trouble = match rng.below(100) {
            _ if head.is_some() => 1.0,
            0..70 => 0.6,
            70..94 => 1.5,
            _ => 4.0,
        };
        let users = if head.is_some() { 400_000 } else { rng.range(2, 40 + 200_000 / (rank as u64 + 1)) as u32 };
        all.push(Domain { name, agent: Agent::Smtp, family, relays: choice, trouble, users });
    }
    all
}

fn invented_domain(rank: u64) -> String {
    let h = mix(rank ^ 0xD0_3A1A);
    let (first, second) = (DOMAIN_FIRST[(h % 64) as usize], DOMAIN_SECOND[(h / 64 % 60) as usize]);
    let suffix = SUFFIXES[(h / 3_840 % 10) as usize];
    let joint = if (h / 38_400).is_multiple_of(2) { "-" } else { "" };
    // Past the first few hundred a number keeps the names apart.
    if rank < 300 { format!("{first}{joint}{second}.{suffix}") } else { format!("{first}{joint}{second}{rank}.{suffix}") }
}

fn hosted_domains() -> impl Iterator<Item = Domain> {
    let customers = (0..CUSTOMERS).map(|k| {
        let agent = if k + 1 == CUSTOMERS { Agent::Error } else { [Agent::Virtual, Agent::Lmtp, Agent::Lmtp][k % 3] };
        (format!("kunde{:02}.hosted.example", k + 1), agent)
    });
    HOSTED.iter().map(|(name, agent)| ((*name).to_owned(), *agent)).chain(customers).map(|(name, agent)| Domain {
        name,
        agent,
        family: Family::Plain,
        relays: [0, 0],
        trouble: 1.0,
        users: 900,
    })
}

/// The sender of a rank. Who it is depends on the rank alone; the head is newsletters and applications, as on real hosts.
fn sender(rank: u64, domains: &[Domain]) -> Sender {
    let h = mix(rank ^ 0x5E4D);
    let outbound = h % 100 < 58;
    // A power of a uniform number is Zipf-like with s = 1.
    let skewed = |n: usize, bits: u64| ((n as f64).powf((bits % 10_000) as f64 / 10_000.0) as u64 - 1).min(n as u64 - 1);
    let domain = if outbound { DOMAINS as u64 + skewed(HOSTED.len() + CUSTOMERS, h / 100) } else { skewed(DOMAINS, h / 100) };
    let name = &domains[domain as usize].name;
    let mut address = String::new();
    if rank < 40 || h / 1_000_000 % 100 < 12 {
        let role = ["noreply", "bounce", "news", "orders", "alerts", "no-reply", "billing", "jira"][(h / 7 % 8) as usize];
        address.push_str(role);
        address.push_str(&format!("+{rank}"));
    } else {
        let _ = write_local_part(&mut address, domain as u32, 3_072 + rank as u32);
    }
    address.push_str(&format!("@{name}"));
    Sender { address, domain: domain as u32, outbound }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_reserved() {
        let world = World::new(&mut Rng::new(1));
        let names: HashSet<&str> = world.names().into_iter().collect();
        assert_eq!(names.len(), DOMAINS + world.hosted);
        assert!(names.iter().all(|n| n.ends_with(".example") || n.ends_with(".test")));
        let senders: HashSet<&str> = world.senders.iter().map(|s| s.address.as_str()).collect();
        assert_eq!(senders.len(), SENDERS);
        assert!((2_500..3_500).contains(&world.relays.len()), "{}", world.relays.len());
    }

    #[test]
    fn users_of_a_domain_are_distinct() {
        let world = World::new(&mut Rng::new(1));
        let domain = 5;
        let all: HashSet<String> = (0..20_000).map(|user| world.address(Mailbox::User { domain, user }, false).to_string()).collect();
        assert_eq!(all.len(), 20_000);
    }
}
