//! The hosts that take mail for the remote domains: big providers by their well-known names, the rest invented.

use crate::names::{DOMAIN_FIRST, DOMAIN_SECOND};
use crate::rng::{Rng, mix};
use crate::world::Family;

pub struct Relay {
    pub name: String,
    pub ip: String,
}

/// The domains with the most mail, in order.
pub const HEAD: [(&str, Family); 40] = [
    ("gmail.example", Family::Google),
    ("outlook.example", Family::Microsoft),
    ("yahoo.example", Family::Yahoo),
    ("hotmail.example", Family::Microsoft),
    ("icloud.example", Family::Apple),
    ("gmx.example", Family::Gmx),
    ("webde.example", Family::Gmx),
    ("aol.example", Family::Yahoo),
    ("tonline.example", Family::Telekom),
    ("live.example", Family::Microsoft),
    ("me.example", Family::Apple),
    ("googlemail.example", Family::Google),
    ("msn.example", Family::Microsoft),
    ("ymail.example", Family::Yahoo),
    ("freenet.example", Family::Plain),
    ("orange.example", Family::Plain),
    ("libero.example", Family::Plain),
    ("proton.example", Family::Plain),
    ("comcast.example", Family::Plain),
    ("arcor.example", Family::Plain),
    ("wanadoo.example", Family::Plain),
    ("bluewin.example", Family::Plain),
    ("seznam.example", Family::Plain),
    ("posteo.example", Family::Plain),
    ("mailbox.example", Family::Plain),
    ("zoho.example", Family::Plain),
    ("fastmail.example", Family::Plain),
    ("btinternet.example", Family::Plain),
    ("ziggo.example", Family::Plain),
    ("telenet.example", Family::Plain),
    ("bigbank.example", Family::Proofpoint),
    ("airline.example", Family::Proofpoint),
    ("carmaker.example", Family::Mimecast),
    ("insurer.example", Family::Proofpoint),
    ("retailer.example", Family::Mimecast),
    ("ministry.example", Family::Plain),
    ("university.example", Family::Google),
    ("railway.example", Family::Microsoft),
    ("publisher.example", Family::Google),
    ("hospital.example", Family::Microsoft),
];

const NAMED: [(&str, Family); 24] = [
    ("gmail-smtp-in.l.google.com", Family::Google),
    ("alt1.gmail-smtp-in.l.google.com", Family::Google),
    ("alt2.gmail-smtp-in.l.google.com", Family::Google),
    ("aspmx.l.google.com", Family::Google),
    ("alt1.aspmx.l.google.com", Family::Google),
    ("outlook-com.olc.protection.outlook.com", Family::Microsoft),
    ("hotmail-com.olc.protection.outlook.com", Family::Microsoft),
    ("mta5.am0.yahoodns.net", Family::Yahoo),
    ("mta6.am0.yahoodns.net", Family::Yahoo),
    ("mta7.am0.yahoodns.net", Family::Yahoo),
    ("mx01.mail.icloud.com", Family::Apple),
    ("mx02.mail.icloud.com", Family::Apple),
    ("mx00.gmx.net", Family::Gmx),
    ("mx01.gmx.net", Family::Gmx),
    ("mx-ha02.web.de", Family::Gmx),
    ("mx-ha03.web.de", Family::Gmx),
    ("mx00.t-online.de", Family::Telekom),
    ("mx01.t-online.de", Family::Telekom),
    ("mxa-00123456.gslb.pphosted.com", Family::Proofpoint),
    ("mxb-00123456.gslb.pphosted.com", Family::Proofpoint),
    ("mxa-0042aa01.gslb.pphosted.com", Family::Proofpoint),
    ("eu-smtp-inbound-1.mimecast.com", Family::Mimecast),
    ("eu-smtp-inbound-2.mimecast.com", Family::Mimecast),
    ("us-smtp-inbound-1.mimecast.com", Family::Mimecast),
];

/// Invented hosters' machines; with the named ones and Microsoft's one-a-customer about three thousand.
const INVENTED: usize = 1_950;
/// Only so many customers have their own `*.mail.protection.outlook.com`.
const TENANTS: u64 = 6;

/// The hosts that exist from the start; the tenants of Microsoft are added with their domains.
pub fn all(rng: &mut Rng) -> Vec<Relay> {
    let named = NAMED.iter().map(|(name, _)| (*name).to_owned());
    let invented = (0..INVENTED).map(|k| {
        let h = mix(k as u64 ^ 0x4E1A);
        let (first, second) = (DOMAIN_FIRST[(h % 64) as usize], DOMAIN_SECOND[(h / 64 % 60) as usize]);
        let host = ["mx", "mx1", "mx2", "mail", "smtp-in", "mx10", "in", "mxgate", "mx-a", "relay"][(h / 9_999 % 10) as usize];
        format!("{host}.{first}{second}{k}.example")
    });
    named.chain(invented).map(|name| Relay { name, ip: address(rng) }).collect()
}

/// A documentation address; one host in six has only IPv6.
pub fn address(rng: &mut Rng) -> String {
    match rng.below(6) {
        0 => format!("2001:db8:{:x}::{:x}", rng.range(1, 0xffff), rng.range(1, 0xffff)),
        1 | 2 => format!("203.0.113.{}", rng.range(1, 254)),
        _ => format!("198.51.100.{}", rng.range(1, 254)),
    }
}

/// Who hosts an invented domain.
pub fn family_by_share(rng: &mut Rng) -> Family {
    match rng.below(100) {
        0..22 => Family::Google,
        22..28 => Family::Microsoft,
        28..31 => Family::Proofpoint,
        31..33 => Family::Mimecast,
        33..36 => Family::Gmx,
        _ => Family::Plain,
    }
}

/// Where each family's hosts stand.
pub struct Hosts {
    named: Vec<(u32, Family)>,
}

impl Hosts {
    #[must_use]
    pub fn of(relays: &[Relay]) -> Self {
        debug_assert!(relays.len() >= NAMED.len());
        Self { named: NAMED.iter().enumerate().map(|(k, (_, family))| (k as u32, *family)).collect() }
    }

    /// First and second choice for a domain.
    pub fn choose(&self, rng: &mut Rng, relays: &mut Vec<Relay>, family: Family, domain: &str, rank: usize) -> [u32; 2] {
        if family == Family::Plain {
            // Hosters differ in size as domains do.
            let first = (INVENTED as f64).powf(rng.unit()) as usize - 1;
            let base = NAMED.len();
            return [(base + first) as u32, (base + (first + 1) % INVENTED) as u32];
        }
        if family == Family::Microsoft && rank >= 4 && !mix(rank as u64).is_multiple_of(TENANTS) {
            let name = format!("{}.mail.protection.outlook.com", domain.replace('.', "-"));
            relays.push(Relay { name, ip: address(rng) });
            let last = (relays.len() - 1) as u32;
            return [last, last];
        }
        let own: Vec<u32> = self.named.iter().filter(|(_, f)| *f == family).map(|(k, _)| *k).collect();
        let first = if rank < HEAD.len() { rank % own.len().min(2) } else { rng.below(own.len() as u64) as usize };
        [own[first], own[(first + 1) % own.len()]]
    }
}
