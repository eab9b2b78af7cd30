//! The grammar: `or` binds least, then `and`, then `not`; a test is a column, an operator and a value. Words of the
//! language are the same in any case.

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{char, multispace0, satisfy};
use nom::combinator::{consumed, cut, map, not, opt, peek, recognize, value, verify};
use nom::multi::separated_list1;
use nom::number::complete::double;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};
use std::cmp::Ordering;

/// As deep as parentheses and `not` may go.
const DEEPEST: usize = 64;
const RESERVED: [&str; 7] = ["and", "or", "not", "in", "like", "is", "null"];

/// A name as it stands, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word<'a> {
    pub text: &'a str,
    at: usize,
}

impl Word<'_> {
    pub fn place(&self) -> (usize, usize) {
        (self.at, self.text.len())
    }
}

/// A literal, and its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Text(String, Word<'a>),
    Number(f64, Word<'a>),
}

impl Value<'_> {
    pub fn place(&self) -> (usize, usize) {
        match self {
            Self::Text(_, word) | Self::Number(_, word) => word.place(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    More,
    AtMost,
    AtLeast,
}

impl Comparison {
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::More => order.is_gt(),
            Self::AtMost => order.is_le(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test<'a> {
    IsNull,
    Compare(Comparison, Value<'a>),
    Like(Value<'a>),
    In(Vec<Value<'a>>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expression<'a> {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Test(Word<'a>, Test<'a>),
}

type Parsed<'a, T> = IResult<&'a str, T>;

/// Where a word stands: what is left tells how far the text was read.
#[derive(Clone, Copy)]
struct Source<'a>(&'a str);

impl<'a> Source<'a> {
    fn word(self, text: &'a str, rest: &'a str) -> Word<'a> {
        Word { text, at: self.0.len() - rest.len() - text.len() }
    }
}

/// Reads a whole condition.
///
/// # Errors
/// The place up to which it could be read.
pub fn expression(text: &str) -> Result<Expression<'_>, usize> {
    let source = Source(text);
    let left = |rest: &str| text.len() - rest.trim_start().len();
    match either(source, text, 0) {
        Ok((rest, expression)) if rest.trim().is_empty() => Ok(expression),
        Ok((rest, _)) => Err(left(rest)),
        Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Err(left(error.input)),
        Err(nom::Err::Incomplete(_)) => Err(text.len()),
    }
}

fn either<'a>(source: Source<'a>, text: &'a str, depth: usize) -> Parsed<'a, Expression<'a>> {
    chain(source, text, depth, "or", both, Expression::Or)
}

fn both<'a>(source: Source<'a>, text: &'a str, depth: usize) -> Parsed<'a, Expression<'a>> {
    chain(source, text, depth, "and", single, Expression::And)
}

/// Parts with a word between them; what follows the word must be another part.
fn chain<'a>(
    source: Source<'a>,
    text: &'a str,
    depth: usize,
    word: &'static str,
    part: fn(Source<'a>, &'a str, usize) -> Parsed<'a, Expression<'a>>,
    join: fn(Box<Expression<'a>>, Box<Expression<'a>>) -> Expression<'a>,
) -> Parsed<'a, Expression<'a>> {
    let (mut rest, mut all) = part(source, text, depth)?;
    while let Ok((after, _)) = keyword(word, rest) {
        let (left, next) = part(source, after, depth).map_err(failure)?;
        all = join(Box::new(all), Box::new(next));
        rest = left;
    }
    Ok((rest, all))
}

fn failure(error: nom::Err<nom::error::Error<&str>>) -> nom::Err<nom::error::Error<&str>> {
    match error {
        nom::Err::Error(error) => nom::Err::Failure(error),
        other => other,
    }
}

fn single<'a>(source: Source<'a>, text: &'a str, depth: usize) -> Parsed<'a, Expression<'a>> {
    if depth > DEEPEST {
        return Err(nom::Err::Failure(nom::error::Error::new(text, nom::error::ErrorKind::TooLarge)));
    }
    if let Ok((rest, _)) = keyword("not", text) {
        let (rest, inner) = single(source, rest, depth + 1).map_err(failure)?;
        return Ok((rest, Expression::Not(Box::new(inner))));
    }
    if let Ok((rest, _)) = mark("(", text) {
        let (rest, inner) = either(source, rest, depth + 1).map_err(failure)?;
        let (rest, _) = mark(")", rest).map_err(failure)?;
        return Ok((rest, inner));
    }
    let (rest, word) = name(source, text)?;
    let (rest, (negated, test)) = test(source, rest).map_err(failure)?;
    let test = Expression::Test(word, test);
    Ok((rest, if negated { Expression::Not(Box::new(test)) } else { test }))
}

fn test<'a>(source: Source<'a>, text: &'a str) -> Parsed<'a, (bool, Test<'a>)> {
    if let Ok((rest, _)) = keyword("is", text) {
        let (rest, negated) = opt(|text| keyword("not", text)).parse(rest)?;
        let (rest, _) = cut(|text| keyword("null", text)).parse(rest)?;
        return Ok((rest, (negated.is_some(), Test::IsNull)));
    }
    let (rest, negated) = opt(|text| keyword("not", text)).parse(text)?;
    let literal = |text| literal(source, text);
    let list = delimited(|text| mark("(", text), separated_list1(|text| mark(",", text), literal), |text| mark(")", text));
    let like = map(preceded(|text| keyword("like", text), cut(literal)), Test::Like);
    let within = map(preceded(|text| keyword("in", text), cut(list)), Test::In);
    if negated.is_some() {
        let (rest, test) = alt((like, within)).parse(rest)?;
        return Ok((rest, (true, test)));
    }
    let compare = map(pair(comparison, cut(literal)), |(how, value)| Test::Compare(how, value));
    let (rest, test) = alt((like, within, compare)).parse(rest)?;
    Ok((rest, (false, test)))
}

fn comparison(text: &str) -> Parsed<'_, Comparison> {
    let operator = alt((
        value(Comparison::AtMost, tag("<=")),
        value(Comparison::AtLeast, tag(">=")),
        value(Comparison::Unequal, alt((tag("!="), tag("<>")))),
        value(Comparison::Equal, alt((tag("=="), tag("=")))),
        value(Comparison::Less, tag("<")),
        value(Comparison::More, tag(">")),
    ));
    preceded(multispace0, operator).parse(text)
}

fn mark<'a>(what: &'static str, text: &'a str) -> Parsed<'a, &'a str> {
    preceded(multispace0, tag(what)).parse(text)
}

fn letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn keyword<'a>(word: &'static str, text: &'a str) -> Parsed<'a, &'a str> {
    preceded(multispace0, terminated(tag_no_case(word), peek(not(satisfy(letter))))).parse(text)
}

fn name<'a>(source: Source<'a>, text: &'a str) -> Parsed<'a, Word<'a>> {
    let is_name = |word: &str| {
        !RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word)) && !word.starts_with(|c: char| c.is_ascii_digit())
    };
    let (rest, text) = preceded(multispace0, verify(take_while1(letter), is_name)).parse(text)?;
    Ok((rest, source.word(text, rest)))
}

/// `'text'`, in which `''` is an apostrophe, or a number.
fn literal<'a>(source: Source<'a>, text: &'a str) -> Parsed<'a, Value<'a>> {
    let piece = delimited(char('\''), take_while(|c| c != '\''), char('\''));
    let quoted = recognize(nom::multi::many1_count(piece));
    let number = terminated(consumed(double), peek(not(satisfy(letter))));
    let (text, _) = multispace0.parse(text)?;
    if let Ok((rest, text)) = quoted_text(text, quoted) {
        return Ok((rest, Value::Text(text[1..text.len() - 1].replace("''", "'"), source.word(text, rest))));
    }
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let (rest, (text, number)) = verify(number, |_: &(&str, f64)| starts).parse(text)?;
    Ok((rest, Value::Number(number, source.word(text, rest))))
}

fn quoted_text<'a>(
    text: &'a str,
    mut quoted: impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>>,
) -> Parsed<'a, &'a str> {
    quoted.parse(text)
}
