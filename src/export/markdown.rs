//! A table of GitHub Flavored Markdown. No character of a log's is a mark of the page.

use super::stamp::seconds;
use super::{Cell, Column, Rows, Sink, Stamps, Type, shown};
use crate::input::Zone;
use std::fmt::Write as _;
use std::io::Write;

pub struct Markdown<W: Write> {
    to: W,
    stamps: Stamps,
}

impl<W: Write> Markdown<W> {
    /// Begins with the columns' names; numbers stand to the right.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn new<'c>(mut to: W, columns: impl IntoIterator<Item = &'c Column>, zone: Zone) -> anyhow::Result<Self> {
        let (mut names, mut rule) = ("|".to_owned(), "|".to_owned());
        for column in columns {
            let _ = write!(names, " {} |", column.name);
            rule.push_str(if matches!(column.holds, Type::Text | Type::Time) { "---|" } else { "--:|" });
        }
        writeln!(to, "{names}\n{rule}")?;
        Ok(Self { to, stamps: Stamps::new(zone) })
    }
}

/// Text without any mark of Markdown or HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '!' => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
    }
    safe
}

impl<W: Write + Send> Rows for Markdown<W> {
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()> {
        let mut row = b"|".to_vec();
        for cell in cells {
            row.push(b' ');
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => row.extend(escaped(&shown(text)).bytes()),
                Cell::Word(word) => row.extend(word.bytes()),
                Cell::Dsn(dsn) => row.extend(dsn.to_string().bytes()),
                Cell::Integer(number) => row.extend(number.to_string().bytes()),
                Cell::Number(number) => row.extend(number.to_string().bytes()),
                Cell::Seconds(micros) => seconds(&mut row, *micros, b'.'),
                Cell::Time(at) => self.stamps.write(&mut row, *at),
            }
            row.extend(b" |");
        }
        row.push(b'\n');
        self.to.write_all(&row)?;
        Ok(())
    }
}

impl<W: Write + Send> Sink<W> for Markdown<W> {
    fn finish(mut self: Box<Self>) -> anyhow::Result<W> {
        self.to.flush()?;
        Ok(self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_log_is_a_mark() {
        let columns = [Column { name: "diagnostic", holds: Type::Text }, Column { name: "delay_s", holds: Type::Seconds }];
        let mut to = Markdown::new(Vec::new(), &columns, "UTC".parse().unwrap()).unwrap();
        to.row(&[Cell::Text(b"<script>|[x](http://y) `a`\n\x1b[1m"), Cell::Seconds(2_500_000)]).unwrap();
        let text = String::from_utf8(Box::new(to).finish().unwrap()).unwrap();
        let expected = "| diagnostic | delay_s |\n|---|--:|\n| &lt;script&gt;\\|\\[x\\](http://y) \\`a\\`\\\\n\\\\u{1b}\\[1m | 2.5 |\n";
        assert_eq!(text, expected);
    }
}
