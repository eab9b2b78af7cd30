//! Texts without their varying parts: ids, addresses, numbers and names in angle brackets become `*`. A pure function of
//! the text, so that the same text always falls into the same row.

/// A longer template is cut.
const LONGEST: usize = 160;

/// Writes the template of `text` to `out`.
pub fn template(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = text;
    while let Some(first) = rest.first() {
        if out.len() >= LONGEST {
            break;
        }
        if *first == b'<'
            && let Some(end) = memchr::memchr(b'>', rest)
        {
            out.extend_from_slice(b"<*>");
            rest = &rest[end + 1..];
            continue;
        }
        let word = rest.iter().take_while(|c| is_word(**c)).count();
        if word == 0 {
            out.push(*first);
            rest = &rest[1..];
            continue;
        }
        let (token, after) = rest.split_at(word);
        rest = after;
        let trimmed = token.iter().rposition(|c| !matches!(c, b'.' | b':')).map_or(0, |at| at + 1);
        if varies(&token[..trimmed], out) {
            if out.last() != Some(&b'*') {
                out.push(b'*');
            }
        } else {
            out.extend_from_slice(&token[..trimmed]);
        }
        out.extend_from_slice(&token[trimmed..]);
    }
    out.truncate(LONGEST);
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b':' | b'@' | b'+' | b'/' | b'=') || c >= 0x80
}

/// Whether a word is of this one message, host or moment. Status codes are not: `550`, `5.1.1` at the front.
fn varies(token: &[u8], before: &[u8]) -> bool {
    if token.contains(&b'@') {
        return true;
    }
    let digits = token.iter().any(u8::is_ascii_digit);
    let code = token.len() <= 7 && token.iter().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-')) && before.len() < 10;
    (digits && !code) || (token.contains(&b'.') && token.len() > 3 && token.iter().any(u8::is_ascii_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let mut out = Vec::new();
        template(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_varies_goes_and_what_says_why_stays() {
        assert_eq!(
            of("550 5.1.1 <a@b.example>: Recipient address rejected: User unknown"),
            "550 5.1.1 <*>: Recipient address rejected: User unknown"
        );
        assert_eq!(of("hostname mx1.example.org does not resolve to address 192.0.2.7"), "hostname * does not resolve to address *");
        assert_eq!(of("0BADBADBAD: queue file size limit exceeded"), "*: queue file size limit exceeded");
        assert_eq!(of("table hash:/etc/aliases(0,lock) is older"), "table hash:/etc/aliases(*,lock) is older");
        assert_eq!(of(""), "");
    }

    #[test]
    fn it_never_grows_without_bound() {
        assert!(of(&"x ".repeat(10_000)).len() <= LONGEST);
        assert!(of(&"<".repeat(10_000)).len() <= LONGEST);
    }
}
