//! Which rows and which columns of a table are wanted.

use super::{Cell, Column, Condition, Rows, Table, nearest};
use anyhow::{Result, bail};

/// Takes rows of a table, and hands on the wanted cells of the wanted rows.
pub struct Pick<R> {
    to: R,
    condition: Option<Condition>,
    /// Places of the wanted columns; `None` where all are wanted.
    columns: Option<Vec<usize>>,
}

impl<R: Rows> Pick<R> {
    #[must_use]
    pub fn new(to: R, condition: Option<Condition>, columns: Option<Vec<usize>>) -> Self {
        Self { to, condition, columns }
    }

    #[must_use]
    pub fn into_inner(self) -> R {
        self.to
    }
}

impl<R: Rows> Rows for Pick<R> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        if self.condition.as_ref().is_some_and(|condition| !condition.holds(cells)) {
            return Ok(());
        }
        match &self.columns {
            None => self.to.row(cells),
            Some(columns) => self.to.row(&columns.iter().map(|at| cells[*at]).collect::<Vec<_>>()),
        }
    }
}

/// The places of columns by their names.
///
/// # Errors
/// Where the table has no such column.
pub fn places(table: &Table, names: &[String]) -> Result<Vec<usize>> {
    let place = |name: &String| {
        let found = table.columns.iter().position(|column: &Column| column.name.eq_ignore_ascii_case(name));
        let Some(at) = found else {
            let nearest = nearest(name, table.columns.iter().map(|column| column.name));
            bail!("{} has no column {name:?}; the nearest is {nearest}", table.name)
        };
        Ok(at)
    };
    names.iter().map(place).collect()
}
