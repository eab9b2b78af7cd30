//! Conditions on rows: `class = 'reputation' and recipient_domain like '%.de'`.
//!
//! In comes the text of a condition and a table's columns, out comes something that says yes or no to a row. As in SQL, a
//! cell that is not there is neither equal nor unequal to anything: only `is null` is true of it. What can't be meant is
//! refused before anything is read, with the word that is wrong.

mod parse;

use super::{Cell, Column, Type};
use mailscope_parsers::model::Micros;
use parse::{Comparison, Expression, Test, Value, Word};
use std::cmp::Ordering;

/// What a row must be like.
#[derive(Debug)]
pub struct Condition(Node);

/// What is wrong with a text that somebody typed, and where.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Mistake {
    pub why: String,
    text: String,
    at: usize,
    len: usize,
}

impl Mistake {
    #[must_use]
    pub fn new(why: String, text: &str, (at, len): (usize, usize)) -> Self {
        Self { why, text: text.to_owned(), at, len }
    }

    /// The text, and below it marks under the word that is meant.
    #[must_use]
    pub fn shown(&self) -> String {
        let line: String = self.text.chars().map(|c| if crate::render::is_unsafe(c) { ' ' } else { c }).collect();
        let before = self.text.get(..self.at).map_or(0, |before| before.chars().count());
        let marks = self.text.get(self.at..self.at + self.len).map_or(1, |word| word.chars().count().max(1));
        format!("    {line}\n    {}{}", " ".repeat(before), "^".repeat(marks))
    }
}

#[derive(Debug)]
enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    IsNull(usize),
    Compare(usize, Comparison, Operand),
    Like(usize, Vec<char>),
    In(usize, Vec<Operand>),
}

#[derive(Debug)]
enum Operand {
    Text(String),
    Number(f64),
    Time(Micros),
}

impl Condition {
    /// Reads a condition on rows of these columns; `instant` reads times as they are typed.
    ///
    /// # Errors
    /// Where it is none, or names what there is not, or compares what can't be compared.
    pub fn new(text: &str, columns: &[Column], instant: &dyn Fn(&str) -> anyhow::Result<Micros>) -> Result<Self, Mistake> {
        let expression = match parse::expression(text) {
            Ok(expression) => expression,
            Err(at) => return Err(Mistake::new("it can't be read from here on".to_owned(), text, (at, 1))),
        };
        Ok(Self(Bind { text, columns, instant }.node(expression)?))
    }

    /// Whether the row is like that.
    #[must_use]
    pub fn holds(&self, row: &[Cell<'_>]) -> bool {
        self.0.says(row) == Some(true)
    }

    /// Whether it looks at a column.
    #[must_use]
    pub fn looks_at(&self, column: usize) -> bool {
        self.0.looks_at(column)
    }
}

/// Puts columns and typed values in the place of words.
struct Bind<'a> {
    text: &'a str,
    columns: &'a [Column],
    instant: &'a dyn Fn(&str) -> anyhow::Result<Micros>,
}

impl Bind<'_> {
    fn node(&self, expression: Expression<'_>) -> Result<Node, Mistake> {
        Ok(match expression {
            Expression::And(a, b) => Node::And(Box::new(self.node(*a)?), Box::new(self.node(*b)?)),
            Expression::Or(a, b) => Node::Or(Box::new(self.node(*a)?), Box::new(self.node(*b)?)),
            Expression::Not(a) => Node::Not(Box::new(self.node(*a)?)),
            Expression::Test(word, test) => {
                let at = self.column(word)?;
                match test {
                    Test::IsNull => Node::IsNull(at),
                    Test::Compare(how, value) => Node::Compare(at, how, self.operand(at, value)?),
                    Test::In(values) => Node::In(at, values.into_iter().map(|value| self.operand(at, value)).collect::<Result<_, _>>()?),
                    Test::Like(Value::Text(pattern, _)) if self.columns[at].holds == Type::Text => {
                        Node::Like(at, pattern.chars().collect())
                    }
                    Test::Like(value) => return Err(self.mistake("like compares text with 'text'".to_owned(), value.place())),
                }
            }
        })
    }

    fn column(&self, word: Word<'_>) -> Result<usize, Mistake> {
        let named = |column: &Column| column.name.eq_ignore_ascii_case(word.text);
        if let Some(at) = self.columns.iter().position(named) {
            return Ok(at);
        }
        let nearest = nearest(word.text, self.columns.iter().map(|column| column.name));
        Err(self.mistake(format!("there is no column {:?}; the nearest is {nearest}", word.text), word.place()))
    }

    fn operand(&self, column: usize, value: Value<'_>) -> Result<Operand, Mistake> {
        let Column { name, holds } = self.columns[column];
        let place = value.place();
        Ok(match (holds, value) {
            (Type::Text, Value::Text(text, _)) => Operand::Text(text),
            (Type::Integer | Type::Number | Type::Share | Type::Seconds, Value::Number(number, _)) => Operand::Number(number),
            (Type::Time, Value::Text(text, _)) => match (self.instant)(&text) {
                Ok(time) => Operand::Time(time),
                Err(why) => return Err(self.mistake(why.to_string(), place)),
            },
            (Type::Text, _) => return Err(self.mistake(format!("{name} is text, and text stands in quotes ('...')"), place)),
            (Type::Time, _) => return Err(self.mistake(format!("{name} is a time, and times stand in quotes ('2026-11-23 14:30')"), place)),
            (_, _) => return Err(self.mistake(format!("{name} is a number"), place)),
        })
    }

    fn mistake(&self, why: String, place: (usize, usize)) -> Mistake {
        Mistake::new(why, self.text, place)
    }
}

impl Node {
    /// SQL's three values: yes, no, and not known.
    fn says(&self, row: &[Cell<'_>]) -> Option<bool> {
        match self {
            Self::And(a, b) => match (a.says(row), b.says(row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.says(row), b.says(row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(a) => a.says(row).map(|yes| !yes),
            Self::IsNull(at) => Some(matches!(row[*at], Cell::Empty)),
            Self::Compare(at, how, operand) => Some(how.holds(order(&row[*at], operand)?)),
            Self::In(at, operands) => {
                let found = operands.iter().map(|operand| order(&row[*at], operand));
                found.collect::<Option<Vec<_>>>().map(|orders| orders.contains(&Ordering::Equal))
            }
            Self::Like(at, pattern) => Some(like(&row[*at].text()?, pattern)),
        }
    }

    fn looks_at(&self, column: usize) -> bool {
        match self {
            Self::And(a, b) | Self::Or(a, b) => a.looks_at(column) || b.looks_at(column),
            Self::Not(a) => a.looks_at(column),
            Self::IsNull(at) | Self::Compare(at, ..) | Self::Like(at, _) | Self::In(at, _) => *at == column,
        }
    }
}

fn order(cell: &Cell<'_>, operand: &Operand) -> Option<Ordering> {
    let number = if let Cell::Integer(number) = cell { Some(*number as f64) } else { cell.number() };
    match (operand, cell) {
        (Operand::Text(text), Cell::Text(bytes)) => Some((*bytes).cmp(text.as_bytes())),
        (Operand::Text(text), _) => Some((*cell.text()?).cmp(text)),
        (Operand::Number(wanted), _) => number?.partial_cmp(wanted),
        (Operand::Time(wanted), Cell::Time(time)) => Some(time.cmp(wanted)),
        (Operand::Time(_), _) => None,
    }
}

/// SQL's patterns: `%` is any text, `_` any character. A pattern is tried from its last `%` on again, so a long text costs
/// its length times the pattern's at most.
fn like(text: &str, pattern: &[char]) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut of) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(of) {
            Some('%') => {
                again = Some((at, of));
                of += 1;
            }
            Some(c) if *c == '_' || *c == text[at] => {
                at += 1;
                of += 1;
            }
            _ => {
                let Some((from, percent)) = again else { return false };
                again = Some((from + 1, percent));
                (at, of) = (from + 1, percent + 1);
            }
        }
    }
    pattern[of..].iter().all(|c| *c == '%')
}

/// The name that takes the fewest changes of letters to come to; of equal ones the first.
#[must_use]
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> &'n str {
    let word: String = word.to_ascii_lowercase().chars().take(64).collect();
    names.min_by_key(|name| distance(&word, name)).unwrap_or_default()
}

/// Letters to change, add or take away; a part of the name, as `domain` of `recipient_domain`, is as near as two.
fn distance(word: &str, name: &str) -> usize {
    if word.chars().nth(2).is_some() && name.contains(word) {
        return 2.min(name.len() - word.len());
    }
    strsim::levenshtein(word, name)
}

#[cfg(test)]
mod tests;
