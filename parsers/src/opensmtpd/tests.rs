use super::fields::{delay, field, to_the_end};
use crate::scan::Cursor;

#[test]
fn times() {
    for (text, seconds) in [("0s", Some(0)), ("1m40s", Some(100)), ("1d2h3m4s", Some(93_784)), ("", Some(0)), ("5", None), ("5w", None)] {
        assert_eq!(delay(text.as_bytes()), seconds.map(|seconds: i64| seconds * 1_000_000), "{text}");
    }
}

#[test]
fn values_are_bracketed_quoted_or_plain() {
    let mut text = Cursor::new(b"from=<\"a b\"@c.example> source=\"192.0.2.1\" delay=5s, stat=x");
    assert_eq!(field(&mut text, b"from"), Some(&b"\"a b\"@c.example"[..]));
    assert_eq!(field(&mut text, b"relay"), None);
    assert_eq!(field(&mut text, b"source"), Some(&b"192.0.2.1"[..]));
    assert_eq!(field(&mut text, b"delay"), Some(&b"5s"[..]));
    assert_eq!(to_the_end(b"\"550 said \"no\"\""), b"550 said \"no\"");
    assert_eq!(to_the_end(b"Delivered"), b"Delivered");
}
