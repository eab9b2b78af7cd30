//! SQL over the tables.
//!
//! In goes a query, out come the tables that it names, and once their frames are there, its rows. What it names and is not
//! there is pointed at, with the nearest name that is.

use crate::export::{Cell, Column, Mistake, Rows, TABLES, Table, Type, nearest, table};
use anyhow::Result;
use polars::prelude::{AnyValue, DataFrame, DataType, IntoLazy, PolarsError};
use polars::sql::{SQLContext, extract_table_identifiers};

/// The tables that a query names.
///
/// # Errors
/// Where it is no query, or names a table that there is not.
pub fn tables(sql: &str) -> Result<Vec<&'static Table>, Mistake> {
    let names = extract_table_identifiers(sql, false, true).map_err(|error| mistake(sql, &error, &[]))?;
    let of = |name: &String| {
        table(name).ok_or_else(|| {
            let nearest = nearest(name, TABLES.iter().map(|table| table.name));
            Mistake::new(format!("there is no table {name:?}; the nearest is {nearest}"), sql, place(sql, name))
        })
    };
    names.iter().filter(|name| !is_defined(sql, name)).map(of).collect()
}

/// Whether the query itself says what it means by that name: `with name as (...)`.
fn is_defined(sql: &str, name: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|c: char| c.is_whitespace() || c == '(' || c == ',').filter(|word| !word.is_empty()).collect();
    words.contains(&"with") && words.windows(2).any(|two| two[0] == name.to_ascii_lowercase() && two[1] == "as") && table(name).is_none()
}

/// Runs a query over frames of the tables that it names.
///
/// # Errors
/// Where it can't be run.
pub fn run(sql: &str, frames: Vec<(&'static Table, DataFrame)>) -> Result<DataFrame, Mistake> {
    let mut context = SQLContext::new();
    let names: Vec<&str> = frames.iter().flat_map(|(table, _)| table.columns).map(|column| column.name).collect();
    for (table, frame) in frames {
        context.register(table.name, frame.lazy());
    }
    context.execute(sql).and_then(polars::prelude::LazyFrame::collect).map_err(|error| mistake(sql, &error, &names))
}

/// What polars complains of, in our words where it is a name.
fn mistake(sql: &str, error: &PolarsError, names: &[&str]) -> Mistake {
    let said = error.to_string();
    let said = said.split("\n\n").next().unwrap_or_default();
    let missing = said.split('"').nth(1).filter(|name| !names.is_empty() && !names.contains(name) && sql.contains(*name));
    if let Some(name) = missing {
        let nearest = nearest(name, names.iter().copied());
        return Mistake::new(format!("there is no column {name:?}; the nearest is {nearest}"), sql, place(sql, name));
    }
    // The parser tells where it was: `... at Line: 1, Column: 8`.
    let number = |word: &str| said.rsplit_once(word)?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok();
    let line = number("Line: ").map_or(0, |line| sql.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum());
    let at = number("Column: ").map_or(sql.len(), |column| (line + column.saturating_sub(1)).min(sql.len()));
    Mistake::new(said.to_owned(), sql, (at, 1))
}

/// Where a name stands as a word of its own.
fn place(sql: &str, name: &str) -> (usize, usize) {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |at: &usize| !sql[..*at].ends_with(letter) && !sql[at + name.len()..].starts_with(letter);
    (sql.match_indices(name).map(|(at, _)| at).find(alone).unwrap_or(sql.len()), name.len())
}

/// The columns of a result. Their names are kept to the end of the program, as those of the tables are.
#[must_use]
pub fn columns(frame: &DataFrame) -> Vec<Column> {
    let column = |(name, holds): (&str, &DataType)| {
        let holds = match holds {
            DataType::Datetime(..) => Type::Time,
            number if number.is_integer() => Type::Integer,
            number if number.is_float() => Type::Number,
            _ => Type::Text,
        };
        Column { name: Box::leak(name.to_owned().into_boxed_str()), holds }
    };
    frame.schema().iter().map(|(name, holds)| column((name.as_str(), holds))).collect()
}

/// Hands on the rows of a result; times are those of a clock on the wall, which `moment` knows.
///
/// # Errors
/// Where a row can't be written.
pub fn rows(frame: &DataFrame, moment: &dyn Fn(i64) -> i64, to: &mut dyn Rows) -> Result<()> {
    for at in 0..frame.height() {
        let values = frame.columns().iter().map(|column| column.get(at)).collect::<Result<Vec<_>, _>>()?;
        let texts: Vec<Option<String>> = values.iter().map(shown).collect();
        let cells = values.iter().zip(&texts).map(|(value, text)| match (value, text) {
            (_, Some(text)) => Cell::Text(text.as_bytes()),
            (AnyValue::Datetime(time, ..) | AnyValue::DatetimeOwned(time, ..), _) => Cell::Time(moment(*time)),
            (value, None) if value.is_float() => value.extract::<f64>().map_or(Cell::Empty, Cell::Number),
            (value, None) => match value.extract::<i64>() {
                Some(number) => u64::try_from(number).map_or(Cell::Number(number as f64), Cell::Integer),
                None => Cell::Empty,
            },
        });
        to.row(&cells.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// A value that is neither a number nor a time nor missing, as text.
fn shown(value: &AnyValue<'_>) -> Option<String> {
    match value {
        AnyValue::String(text) => Some((*text).to_owned()),
        AnyValue::StringOwned(text) => Some(text.to_string()),
        AnyValue::Null | AnyValue::Datetime(..) | AnyValue::DatetimeOwned(..) => None,
        value if value.is_integer() || value.is_float() => None,
        value => Some(value.to_string()),
    }
}
