//! Lines, tables, bars and numbers on a terminal or in a plain file.

use super::printable;
use crate::numbers::count;
use crate::report::Counts;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How the page looks: colours, and where lines end.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub colour: bool,
    pub width: usize,
}

impl Look {
    /// For a terminal, as wide as it is; else plain and wide enough for whole rows.
    #[must_use]
    pub fn of(terminal: bool) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let width = if terminal { terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)) } else { 120 };
        Self { colour: terminal && !no_colour, width: width.max(40) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Plain,
    Title,
    Dim,
    Good,
    Warn,
    Bad,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

#[derive(Clone, Copy, Debug)]
pub struct Column<'n> {
    name: &'n str,
    align: Align,
}

impl<'n> Column<'n> {
    pub fn new(name: &'n str, align: Align) -> Self {
        Self { name, align }
    }
}

pub struct Canvas<'a, W> {
    to: &'a mut W,
    look: Look,
}

impl<'a, W: Write> Canvas<'a, W> {
    pub fn new(to: &'a mut W, look: Look) -> Self {
        Self { to, look }
    }

    pub fn width(&self) -> usize {
        self.look.width
    }

    fn paint(&self, text: &str, colour: Colour) -> String {
        let code = match colour {
            Colour::Plain => return text.to_owned(),
            _ if !self.look.colour => return text.to_owned(),
            Colour::Title => "1",
            Colour::Dim => "2",
            Colour::Good => "32",
            Colour::Warn => "33",
            Colour::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    pub fn blank(&mut self) -> io::Result<()> {
        writeln!(self.to)
    }

    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{}", cut(text, self.look.width))
    }

    /// A line that someone may want to copy whole.
    pub fn verbatim(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{text}")
    }

    /// A word that matters, and what it means, in as many lines as that needs.
    pub fn note(&mut self, word: &str, colour: Colour, text: &str) -> io::Result<()> {
        let word = self.paint(&format!("{word:<10}"), colour);
        let mut lines = wrapped(text, self.look.width.saturating_sub(12).max(20)).into_iter();
        writeln!(self.to, "  {word}{}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(self.to, "{:12}{line}", ""))
    }

    pub fn title(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(&cut(text, self.look.width), Colour::Title);
        writeln!(self.to, "{text}")
    }

    pub fn section(&mut self, text: &str) -> io::Result<()> {
        self.blank()?;
        self.title(text)
    }

    /// Text beside something short that stands before its first line; nothing of it is cut.
    pub fn hanging(&mut self, head: &str, text: &str, colour: Colour) -> io::Result<()> {
        let room = self.look.width.saturating_sub(head.width()).max(20);
        let mut head = head.to_owned();
        for line in wrapped(&broken(text, room), room) {
            writeln!(self.to, "{head}{}", self.paint(&line, colour))?;
            head = " ".repeat(head.width());
        }
        Ok(())
    }

    /// A number that matters, and what it means.
    pub fn fact(&mut self, name: &str, number: u64, colour: Colour, words: &str) -> io::Result<()> {
        let number = self.paint(&format!("{:>12}", count(number)), colour);
        let mut lines = wrapped(words, self.look.width.saturating_sub(28).max(20)).into_iter();
        writeln!(self.to, "  {name:<12}{number}  {}", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(self.to, "{:28}{line}", ""))
    }

    /// A sentence that matters, in as many lines as it needs.
    pub fn marked(&mut self, colour: Colour, text: &str) -> io::Result<()> {
        for (at, line) in wrapped(text, self.look.width.saturating_sub(2).max(20)).into_iter().enumerate() {
            let mark = if at == 0 { "* " } else { "  " };
            let line = self.paint(&format!("{mark}{line}"), colour);
            writeln!(self.to, "{line}")?;
        }
        Ok(())
    }

    /// Words below a sentence.
    pub fn paragraph(&mut self, text: &str) -> io::Result<()> {
        wrapped(text, self.look.width.saturating_sub(4).max(20)).into_iter().try_for_each(|line| writeln!(self.to, "    {line}"))
    }

    /// Words and how often, the most frequent first, in as many lines as they need.
    pub fn counts(&mut self, name: &str, counts: &Counts) -> io::Result<()> {
        if counts.is_empty() {
            return Ok(());
        }
        let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let mut line = format!("  {name:<10}");
        for (word, number) in sorted {
            let next = format!(" {} {},", printable(word), count(*number));
            if line.width() + next.width() > self.look.width && line.width() > 12 {
                writeln!(self.to, "{}", cut(&line, self.look.width))?;
                line = " ".repeat(12);
            }
            line.push_str(&next);
        }
        let line = cut(line.trim_end_matches(','), self.look.width);
        writeln!(self.to, "{line}")
    }

    /// A table; the widest left-aligned column gives way where a row is too long.
    pub fn table(&mut self, columns: &[Column<'_>], rows: Vec<Vec<String>>) -> io::Result<()> {
        let mut widths: Vec<usize> = columns.iter().map(|column| column.name.width()).collect();
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let room = self.look.width.saturating_sub(2 + 2 * columns.len().saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let left = (0..columns.len()).filter(|at| columns[*at].align == Align::Left && widths[*at] > 8);
            let Some(widest) = left.max_by_key(|at| widths[*at]) else { break };
            let over = widths.iter().sum::<usize>() - room;
            widths[widest] = widths[widest].saturating_sub(over).max(8);
        }
        if columns.iter().any(|column| !column.name.is_empty()) {
            let names = columns.iter().map(|column| column.name.to_owned()).collect::<Vec<_>>();
            let head = row_text(columns, &widths, &names);
            let head = self.paint(&head, Colour::Dim);
            writeln!(self.to, "{head}")?;
        }
        for row in &rows {
            writeln!(self.to, "{}", row_text(columns, &widths, row))?;
        }
        Ok(())
    }
}

fn row_text(columns: &[Column<'_>], widths: &[usize], cells: &[String]) -> String {
    let mut line = String::from("  ");
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        let cell = cut(cell, *width);
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        match column.align {
            Align::Left => line.push_str(&format!("{cell}{pad}  ")),
            Align::Right => line.push_str(&format!("{pad}{cell}  ")),
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// The text in lines of at most so many columns, broken at blanks.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, width)),
        }
    }
    lines
}

/// The text with its longest words broken, so that each has room in a line.
fn broken(text: &str, width: usize) -> String {
    let mut broken = String::new();
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 {
            broken.push(' ');
        }
        let mut room = width;
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if wide > room {
                broken.push(' ');
                room = width;
            }
            room -= wide;
            broken.push(c);
        }
    }
    broken
}

/// The text, cut with an ellipsis where it is wider.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > room {
            break;
        }
        room -= wide;
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// A bar of up to `width` places.
pub fn bar(value: u64, most: u64, width: usize) -> String {
    if most == 0 || value == 0 {
        return String::new();
    }
    let eighths = (value as f64 / most as f64 * width as f64 * 8.0).round().max(1.0) as usize;
    let mut text = "█".repeat(eighths / 8);
    text.extend([None, Some('▏'), Some('▎'), Some('▍'), Some('▌'), Some('▋'), Some('▊'), Some('▉')][eighths % 8]);
    text
}

/// One character a value, or a sum of neighbours where there are more values than places.
pub fn sparkline(values: &[u64], width: usize) -> String {
    const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let together = values.len().div_ceil(width.max(1)).max(1);
    let sums: Vec<u64> = values.chunks(together).map(|part| part.iter().sum()).collect();
    let most = sums.iter().max().copied().unwrap_or(0);
    sums.iter().map(|sum| if *sum == 0 { ' ' } else { STEPS[(((sum * 7) as f64) / most as f64).round() as usize] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_sparklines_keep_their_width() {
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(1, 1000, 4), "▏");
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(sparkline(&[0, 1, 8], 10).chars().count(), 3);
        assert!(sparkline(&[1; 1000], 60).chars().count() <= 60);
    }

    #[test]
    fn wide_characters_are_cut_where_they_end() {
        assert_eq!(cut("用户不存在", 5), "用户…");
        assert_eq!(cut("short", 5), "short");
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(broken("a 用户不存在 b", 4), "a 用户 不存 在 b");
    }
}
