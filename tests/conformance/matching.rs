//! The rules by which an output fits an expectation: which strings are equal in which field, and the operators that an
//! expectation may use in place of a value.

use std::fmt;
use std::net::IpAddr;

use serde_json::{Map, Number, Value};

/// An expectation that did not hold.
#[derive(Debug)]
pub(super) struct Mismatch {
    /// Index of the case's line.
    pub(super) line: usize,
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) got: String,
}

impl Mismatch {
    pub(super) fn new(path: &str, expected: impl fmt::Display, got: Option<&Value>) -> Mismatch {
        Mismatch {
            line: 0,
            path: path.to_owned(),
            expected: expected.to_string(),
            got: got.map_or_else(|| "nothing".to_owned(), Value::to_string),
        }
    }
}

/// How two strings of one field are compared.
#[derive(Debug, PartialEq)]
pub(super) enum Rule {
    Exact,
    Word,
    TlsVersion,
    Ip,
    Address,
    MessageId,
    Time,
}

/// The rule of a field, by its name in an event (`ip`) or in a row of a table (`client_ip`).
pub(super) fn rule(field: &str) -> Rule {
    match field {
        "kind" | "status" | "stage" | "action" | "by" | "trust" | "direction" | "cause" | "notification" | "severity" | "verdict"
        | "mechanism" | "protocol" | "class" | "host" | "helo" | "name" => Rule::Word,
        "tls_version" => Rule::TlsVersion,
        "ip" => Rule::Ip,
        "envelope_sender" | "envelope_recipient" | "original_recipient" => Rule::Address,
        "message_id" => Rule::MessageId,
        "time" => Rule::Time,
        _ if field.ends_with("_ip") => Rule::Ip,
        _ if field.ends_with("_name") => Rule::Word,
        _ => Rule::Exact,
    }
}

pub(super) fn same_text(field: &str, expected: &str, got: &str) -> bool {
    let both = |normal: fn(&str) -> String| normal(expected) == normal(got);
    match rule(field) {
        Rule::Exact => expected == got,
        Rule::Word => both(|text| text.to_lowercase().replace(['-', ' '], "_")),
        Rule::TlsVersion => both(|text| text.replacen("TLSv", "TLS", 1)),
        Rule::Ip => match (expected.parse::<IpAddr>(), got.parse::<IpAddr>()) {
            (Ok(expected), Ok(got)) => expected.to_canonical() == got.to_canonical(),
            _ => expected == got,
        },
        // The local part keeps its case: it belongs to the receiving system.
        Rule::Address => both(|text| match text.rsplit_once('@') {
            Some((local, domain)) => format!("{local}@{}", domain.to_lowercase()),
            None => text.to_owned(),
        }),
        Rule::MessageId => both(|text| {
            let inner = text.strip_prefix('<').and_then(|t| t.strip_suffix('>'));
            inner.unwrap_or(text).to_owned()
        }),
        Rule::Time => match instant(expected) {
            Some(expected) => instant(got) == Some(expected),
            None => got.starts_with(expected),
        },
    }
}

/// Seconds since 1970 and nanoseconds of an RFC 3339 time; None where it has no zone.
pub(super) fn instant(text: &str) -> Option<(i64, u32)> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let rest = text.get(19..)?;
    let fraction_end = rest.find(['Z', '+', '-'])?;
    let fraction = rest[..fraction_end].trim_start_matches('.');
    let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let zone = &rest[fraction_end..];
    let offset = if zone == "Z" {
        0
    } else {
        let (hours, minutes) = zone[1..].split_once(':')?;
        let size = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        if zone.starts_with('-') { -size } else { size }
    };
    // Days since 1970 with March as the first month, so that the leap day is the last of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset, nanoseconds))
}

pub(super) fn same_number(expected: &Number, got: &Number) -> bool {
    match (expected.as_i64(), got.as_i64()) {
        (Some(expected), Some(got)) => expected == got,
        // 2017 and 2017.0 are one number.
        _ => expected.as_f64() == got.as_f64(),
    }
}

/// The operator and its operand, if the expectation is one and no nested object.
pub(super) fn operator(expected: &Value) -> Option<(&str, &Value)> {
    let object = expected.as_object().filter(|object| object.len() == 1)?;
    let (name, operand) = object.iter().next()?;
    matches!(name.as_str(), "any" | "contains" | "not" | "absent" | "present").then_some((name, operand))
}

pub(super) fn holds(operator: &str, operand: &Value, path: &str, got: Option<&Value>) -> bool {
    let equal = |operand: &Value| compare(path, operand, got).is_empty();
    match (operator, operand, got) {
        ("any", Value::Array(choices), _) => choices.iter().any(equal),
        ("contains", Value::String(part), Some(Value::String(text))) => plain(text).contains(&plain(part)),
        ("not", operand, Some(_)) => !equal(operand),
        ("absent", _, got) => got.is_none(),
        ("present", _, got) => got.is_some_and(|got| !got.is_null()),
        _ => false,
    }
}

/// Lower case, each run of blanks as one blank.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.to_lowercase().chars() {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        if letter != ' ' || !plain.ends_with(' ') {
            plain.push(letter);
        }
    }
    plain
}

/// Everything in which `got` falls short of `expected`; fields that are not named are not looked at.
pub(super) fn compare(path: &str, expected: &Value, got: Option<&Value>) -> Vec<Mismatch> {
    let field = path.rsplit('.').next().unwrap_or(path);
    let fits = match (operator(expected), expected, got) {
        (Some((operator, operand)), _, got) => holds(operator, operand, path, got),
        (None, Value::Object(fields), Some(Value::Object(object))) => {
            return compare_fields(path, fields, object);
        }
        (None, Value::String(expected), Some(Value::String(got))) => same_text(field, expected, got),
        (None, Value::Number(expected), Some(Value::Number(got))) => same_number(expected, got),
        (None, expected, Some(got)) => expected == got,
        (None, _, None) => false,
    };
    if fits { Vec::new() } else { vec![Mismatch::new(path, expected, got)] }
}

pub(super) fn compare_fields(path: &str, fields: &Map<String, Value>, object: &Map<String, Value>) -> Vec<Mismatch> {
    fields
        .iter()
        .flat_map(|(name, expected)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            compare(&path, expected, object.get(name))
        })
        .collect()
}
