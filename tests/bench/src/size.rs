//! Sizes on the command line: `500`, `20K`, `50M`, `1.5G`. Decimal, as disks and the promise "1 GB a day" count.

/// Bytes of a size with an optional K, M or G.
pub fn parse(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.chars().last() {
        Some('K' | 'k') => (&text[..text.len() - 1], 1e3),
        Some('M' | 'm') => (&text[..text.len() - 1], 1e6),
        Some('G' | 'g') => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok((value * unit).round() as u64),
        _ => Err(format!("not a size: {text:?} (a number with K, M or G)")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units() {
        assert_eq!(parse("500"), Ok(500));
        assert_eq!(parse("20K"), Ok(20_000));
        assert_eq!(parse("1.5G"), Ok(1_500_000_000));
        for wrong in ["", "G", "-1M", "nan", "1T"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
