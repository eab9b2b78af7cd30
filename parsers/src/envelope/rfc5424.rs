//! RFC 5424 after `<PRI>1 `: `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`, `-` for what is missing.

use super::{Hour, Opened, iso, process_id};
use crate::model::{Calendar, Record, Text, Unrecognized};
use crate::scan::Cursor;
use nom::{
    IResult, Parser,
    branch::alt,
    bytes::complete::{escaped, is_not, tag, take_till1},
    character::complete::{char, one_of},
    combinator::{opt, recognize},
    multi::{many0_count, many1_count},
    sequence::delimited,
};

/// Takes the header off a line whose priority and version are gone.
pub fn open<'a>(hour: &mut Hour, mut line: Cursor<'a>, calendar: &mut dyn Calendar) -> Result<Opened<'a>, Unrecognized> {
    let time = iso::stamp(hour, &mut line, calendar).ok_or(Unrecognized::Timestamp)?;
    let mut field = || line.until(b' ').map(|value| if value == b"-" { b"" } else { value }).ok_or(Unrecognized::Header);
    let (host, program, process, _message_id) = (field()?, field()?, field()?, field()?);
    let (rest, _) = structured_data(line.rest).map_err(|_| Unrecognized::Header)?;
    let text = rest.strip_prefix(b" ").unwrap_or(rest);
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    // rsyslog's own template leaves the blank that followed the tag.
    let text = Text(text.strip_prefix(b" ").unwrap_or(text));
    Ok(Opened::Record(Record { time, host: Text(host), program: Text(program), pid: process_id(process), text }))
}

/// RFC 5424 section 6.3: `-`, or elements `[id name="value" ...]` in which `"`, `\` and `]` are escaped.
fn structured_data(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let value = || delimited(char('"'), opt(escaped(is_not("\"\\"), '\\', one_of("\"\\]"))), char('"'));
    let name = || take_till1(|c: u8| matches!(c, b'=' | b' ' | b']' | b'"'));
    let parameter = (char(' '), name(), char('='), value());
    let element = delimited(char('['), (name(), many0_count(parameter)), char(']'));
    recognize(alt((tag("-").map(|_: &[u8]| 0), many1_count(element)))).parse(input)
}
