use super::fields;
use super::queue_id;
use crate::model::{Peer, Text};
use crate::scan::Cursor;

#[test]
fn ids_of_all_ages_and_texts_that_have_none() {
    for (text, id) in [
        ("6AO6S1Ca000413: x", "6AO6S1Ca000413"),
        ("xA32R2PQ3529565: x", "xA32R2PQ3529565"),
        ("MAA12345: x", "MAA12345"),
        ("NOQUEUE: x", ""),
        ("STARTTLS: x", ""),
        ("collect: x", ""),
        ("6AO6S1Ca000413:x", ""),
        ("", ""),
    ] {
        assert_eq!(queue_id(text.as_bytes()).0.lossy(), id, "{text}");
    }
}

#[test]
fn delays_have_days_in_front() {
    let read = |text: &str| fields::delay(&mut Cursor::new(text.as_bytes()));
    assert_eq!(read("00:01:34"), Some(94_000_000));
    assert_eq!(read("1+02:03:04"), Some(93_784_000_000));
    assert_eq!(read("99999999999999+00:00:00"), Some(864_000_000_000_000));
    assert_eq!(read("1:2"), None);
}

#[test]
fn recipients_end_where_the_next_field_begins() {
    let read = |text: &'static str| {
        let mut cursor = Cursor::new(text.as_bytes());
        let (first, all) = fields::recipients(&mut cursor);
        (first.lossy().into_owned(), all.iter().count(), String::from_utf8_lossy(cursor.rest).into_owned())
    };
    assert_eq!(read("<a@b.example>, delay=1"), ("a@b.example".into(), 0, ", delay=1".into()));
    assert_eq!(read("<\"a>, stat=Sent\"@b.example>,c, delay=1"), ("\"a>, stat=Sent\"@b.example".into(), 2, ", delay=1".into()));
    assert_eq!(read("bob,\"|/usr/bin/filter -x\" [more], delay=1").1, 2);
    assert_eq!(read("<a@b.example"), ("<a@b.example".into(), 0, String::new()));
}

#[test]
fn relays() {
    let peer = |name: &'static str, ip: &'static str| Peer { name: Text(name.as_bytes()), ip: Text(ip.as_bytes()), port: 0 };
    for (text, expected) in [
        ("mx.isp.example. [198.51.100.50]", peer("mx.isp.example", "198.51.100.50")),
        ("[203.0.113.20] (may be forged)", peer("", "203.0.113.20")),
        ("[127.0.0.1] [127.0.0.1]", peer("", "127.0.0.1")),
        ("ident@x.example [IPv6:2001:db8::1]", peer("x.example", "2001:db8::1")),
        ("mx.notls.example.", peer("mx.notls.example", "")),
        ("", Peer::default()),
    ] {
        assert_eq!(fields::peer(text.as_bytes()), expected, "{text}");
    }
}
