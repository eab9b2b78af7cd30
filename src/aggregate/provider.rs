//! Who really receives the mail: most domains are hosted, and the relay's name tells by whom.

/// Provider and the domains of its inbound hosts, as the providers document them.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("Google", &["google.com", "googlemail.com"]),
    ("Microsoft", &["outlook.com", "hotmail.com", "mx.microsoft", "outlook.cn"]),
    ("Yahoo", &["yahoodns.net", "yahoo.com", "yahoo.co.jp"]),
    ("Apple", &["icloud.com", "apple.com"]),
    ("GMX, web.de", &["gmx.net", "gmx.com", "web.de", "mail.com"]),
    ("IONOS", &["kundenserver.de", "ionos.com", "ionos.de", "perfora.net", "1and1.com"]),
    ("Telekom", &["t-online.de"]),
    ("Orange", &["orange.fr"]),
    ("Free", &["free.fr"]),
    ("OVH", &["ovh.net", "mail.ovh.net"]),
    ("Libero", &["libero.it"]),
    ("Comcast", &["comcast.net"]),
    ("Mail.ru", &["mail.ru"]),
    ("Yandex", &["yandex.ru", "yandex.net"]),
    ("Tencent QQ", &["qq.com", "exmail.qq.com"]),
    ("NetEase", &["163.com", "126.com", "netease.com", "qiye163.com"]),
    ("Zoho", &["zoho.com", "zoho.eu", "zoho.in", "zohomail.com"]),
    ("Proton", &["protonmail.ch", "proton.me"]),
    ("Fastmail", &["messagingengine.com"]),
    ("Rackspace", &["emailsrvr.com"]),
    ("GoDaddy", &["secureserver.net"]),
    ("Amazon", &["amazonaws.com", "awsapps.com"]),
    ("Mimecast", &["mimecast.com", "mimecast.co.za"]),
    ("Proofpoint", &["pphosted.com", "ppe-hosted.com"]),
    ("Barracuda", &["barracudanetworks.com"]),
    ("Cisco", &["iphmx.com"]),
    ("Broadcom", &["messagelabs.com"]),
    ("Hornetsecurity", &["hornetsecurity.com", "antispameurope.com"]),
    ("Sophos", &["sophos.com", "hydra.sophos.com"]),
    ("Trend Micro", &["trendmicro.com", "trendmicro.eu"]),
    ("Trellix", &["fireeyecloud.com", "mxlogic.net"]),
];

/// The provider that a relay belongs to, `(none)` for none that is known.
#[must_use]
pub fn provider(relay: &[u8]) -> &'static str {
    let belongs = |domain: &str| {
        let domain = domain.as_bytes();
        let at = relay.len().wrapping_sub(domain.len());
        relay.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(domain)) && (at == 0 || relay[at - 1] == b'.')
    };
    PROVIDERS.iter().find(|(_, domains)| domains.iter().any(|domain| belongs(domain))).map_or("(none)", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_end_of_the_name() {
        assert_eq!(provider(b"gmail-smtp-in.l.google.com"), "Google");
        assert_eq!(provider(b"Example-COM.mail.protection.OUTLOOK.com"), "Microsoft");
        assert_eq!(provider(b"mta7.am0.yahoodns.net"), "Yahoo");
        assert_eq!(provider(b"notgoogle.com"), "(none)");
        assert_eq!(provider(b"google.com.evil.example"), "(none)");
        assert_eq!(provider(b""), "(none)");
    }
}
