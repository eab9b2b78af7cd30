//! The screen: rates and the last hour above, destinations and what is new in the middle, the stream of failures below.

use super::{Counts, Live, Trend};
use crate::input::Zone;
use crate::render::printable;
use crate::report::Severity;
use mailscope_parsers::model::Micros;
use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Sparkline, Table};

/// What is shown, and how.
#[derive(Default)]
pub struct Screen {
    shows_domains: bool,
    /// A filter is being typed.
    is_typing: bool,
    title: String,
    /// The failure that is marked, counted from the newest.
    marked: Option<usize>,
    story: Option<Story>,
}

/// A message's story, shown in the place of the stream.
struct Story {
    queue_id: String,
    /// Not there as long as it is looked for.
    text: Option<String>,
    /// Lines above the first that is shown.
    above: u16,
}

/// What a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    Nothing,
    Changed,
    /// The story of this message is wanted.
    Story(String),
    Quit,
}

const STILL: Style = Style::new().fg(Color::DarkGray);
const HEAD: Style = Style::new().add_modifier(Modifier::BOLD);

impl Screen {
    #[must_use]
    pub fn new(title: String) -> Self {
        Self { title, ..Self::default() }
    }

    pub fn press(&mut self, key: KeyEvent, live: &mut Live) -> Pressed {
        let stream = &mut live.stream;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Pressed::Quit } else { Pressed::Nothing };
        }
        match key.code {
            KeyCode::Enter if self.is_typing => self.is_typing = false,
            KeyCode::Enter => return self.open(live),
            KeyCode::Esc if self.story.take().is_some() => {}
            KeyCode::Esc if self.marked.take().is_some() => stream.pause(false),
            KeyCode::Esc => {
                self.is_typing = false;
                stream.filter.clear();
            }
            KeyCode::Up => self.move_by(-1, live),
            KeyCode::Down => self.move_by(1, live),
            KeyCode::Backspace if self.is_typing => {
                stream.filter.pop();
            }
            KeyCode::Char(c) if self.is_typing => stream.filter.push(c),
            KeyCode::Char('/') => {
                self.is_typing = true;
                stream.filter.clear();
            }
            KeyCode::Char(' ') => {
                let is_paused = !stream.is_paused;
                stream.pause(is_paused);
            }
            KeyCode::Tab | KeyCode::Char('d') => self.shows_domains = !self.shows_domains,
            KeyCode::Char('q') => return Pressed::Quit,
            _ => return Pressed::Nothing,
        }
        Pressed::Changed
    }

    /// Marks another failure, while the stream stands still; or moves in a story.
    fn move_by(&mut self, lines: i8, live: &mut Live) {
        if let Some(story) = &mut self.story {
            story.above = story.above.saturating_add_signed(lines.into());
            return;
        }
        live.stream.pause(true);
        let last = live.stream.newest().count().saturating_sub(1);
        let marked = self.marked.map_or(0, |marked| marked.saturating_add_signed(lines.into()));
        self.marked = Some(marked.min(last));
    }

    /// Opens the story of the failure that is marked, if it is about a message.
    fn open(&mut self, live: &Live) -> Pressed {
        let failure = self.marked.and_then(|marked| live.stream.newest().nth(marked));
        let Some(queue_id) = failure.map(|failure| failure.queue_id.clone()).filter(|id| !id.is_empty()) else { return Pressed::Nothing };
        self.story = Some(Story { queue_id: queue_id.clone(), text: None, above: 0 });
        Pressed::Story(queue_id)
    }

    /// Shows a story that was found, if it is still wanted.
    pub fn tell(&mut self, queue_id: &str, text: String) {
        if let Some(story) = self.story.as_mut().filter(|story| story.queue_id == queue_id) {
            story.text = Some(text);
        }
    }

    fn story(frame: &mut Frame<'_>, area: Rect, story: &Story) {
        let text = story.text.as_deref().unwrap_or("looking through the logs ...");
        let lines: Vec<Line<'_>> = text.lines().map(|line| Line::raw(printable(line).into_owned())).collect();
        let above = story.above.min(u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(1));
        frame.render_widget(Paragraph::new(lines).scroll((above, 0)).block(titled(&format!("story of {}", story.queue_id))), area);
    }

    pub fn draw(&self, frame: &mut Frame<'_>, live: &Live, now: Micros, zone: Zone) {
        let middle = if frame.area().height > 30 { 12 } else { 8 };
        let rows = [Constraint::Length(1), Constraint::Length(7), Constraint::Length(middle), Constraint::Min(3), Constraint::Length(1)];
        let [head, above, middle, below, keys] = Layout::vertical(rows).areas(frame.area());
        let line = format!(" mailscope tail  {}  {}  {} lines", self.title, zone.local(now).format("%Y-%m-%d %H:%M:%S"), live.lines);
        frame.render_widget(Paragraph::new(printable(&line)).style(Style::new().add_modifier(Modifier::REVERSED)), head);
        let [left, right] = Layout::horizontal([Constraint::Length(56), Constraint::Min(10)]).areas(above);
        rates(frame, left, live, now);
        last_hour(frame, right, live, now);
        let [left, right] = Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(middle);
        self.destinations(frame, left, live, now);
        news(frame, right, live);
        match &self.story {
            Some(story) => Self::story(frame, middle.union(below), story),
            None => self.failures(frame, below, live, zone),
        }
        self.keys(frame, keys, live);
    }

    fn destinations(&self, frame: &mut Frame<'_>, area: Rect, live: &Live, now: Micros) {
        let (name, of) = if self.shows_domains { ("domain", &live.domains) } else { ("provider", &live.providers) };
        let share = |part: u64, all: u64| if all == 0 { String::new() } else { format!("{:.1} %", part as f64 * 100.0 / all as f64) };
        let seconds = |micros: u64| format!("{:.1}s", micros as f64 / 1e6);
        let row = |(key, row): (String, super::destinations::Destination)| {
            let delays = row.delay.quantiles([0.5, 0.95]);
            let failing = row.bounced * 20 > row.attempts() || row.deferred * 2 > row.attempts();
            Row::new([
                printable(&key).into_owned(),
                row.sent.to_string(),
                share(row.bounced, row.sent + row.bounced),
                share(row.deferred, row.attempts()),
                delays.map_or_else(String::new, |[half, _]| seconds(half)),
                delays.map_or_else(String::new, |[_, most]| seconds(most)),
            ])
            .style(if failing { Style::new().fg(Color::Yellow) } else { Style::new() })
        };
        let rows: Vec<Row<'_>> = of.top(now, usize::from(area.height)).into_iter().map(row).collect();
        let head = Row::new([name, "delivered", "bounce", "defer", "p50", "p95"]).style(HEAD);
        let widths = [
            Constraint::Min(12),
            Constraint::Length(9),
            Constraint::Length(7),
            Constraint::Length(7),
            Constraint::Length(7),
            Constraint::Length(8),
        ];
        frame.render_widget(Table::new(rows, widths).header(head).block(titled(&format!("{name}s, last hour"))), area);
    }

    fn failures(&self, frame: &mut Frame<'_>, area: Rect, live: &Live, zone: Zone) {
        let stream = &live.stream;
        let mut title = "failures".to_owned();
        if !stream.filter.is_empty() || self.is_typing {
            title += &format!(" with \"{}\"", stream.filter);
        }
        if stream.is_paused {
            title += &format!(", paused, {} waiting", stream.waiting());
        }
        let line = |(at, failure): (usize, &super::Failure)| {
            let color = match (failure.class, failure.permanent) {
                (None, _) => Color::Cyan,
                (_, true) => Color::Red,
                (_, false) => Color::Yellow,
            };
            Line::from(vec![
                Span::styled(zone.local(failure.time).format("%H:%M:%S ").to_string(), STILL),
                Span::styled(failure.text.clone(), Style::new().fg(color)),
            ])
            .style(if self.marked == Some(at) { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() })
        };
        // The line that is marked is in sight.
        let shown = usize::from(area.height).saturating_sub(1).max(1);
        let above = self.marked.map_or(0, |marked| (marked + 1).saturating_sub(shown));
        let lines: Vec<Line<'_>> = stream.newest().enumerate().skip(above).take(shown).map(line).collect();
        frame.render_widget(Paragraph::new(lines).block(titled(&title)), area);
    }

    fn keys(&self, frame: &mut Frame<'_>, area: Rect, live: &Live) {
        let text = if self.story.is_some() {
            " up down move   esc close   q quit".to_owned()
        } else if self.is_typing {
            format!(" filter: {}_   enter keep   esc clear", live.stream.filter)
        } else {
            " q quit   space pause   / filter   esc back   up down enter a message's story   tab providers or domains".to_owned()
        };
        frame.render_widget(Paragraph::new(text).style(STILL), area);
    }
}

fn titled(title: &str) -> Block<'static> {
    Block::new().borders(Borders::TOP).border_style(STILL).title(format!(" {} ", printable(title)))
}

/// Per minute: now, and over longer times.
fn rates(frame: &mut Frame<'_>, area: Rect, live: &Live, now: Micros) {
    let windows = [10, 60, 900, 3600].map(|seconds| live.rates.last(now, seconds));
    let row = |name: &'static str, of: &dyn Fn(&Counts) -> i64, style: Style| {
        let cells = windows.iter().map(|(counts, minutes)| Cell::from(format!("{:>9.1}", of(counts) as f64 / minutes)));
        Row::new([Cell::from(name)].into_iter().chain(cells)).style(style)
    };
    let bad = |count: fn(&Counts) -> u64, color| if count(&windows[1].0) > 0 { Style::new().fg(color) } else { Style::new() };
    let rows = [
        row("received", &|counts| counts.received().cast_signed(), Style::new()),
        row("delivered", &|counts| counts.delivered.cast_signed(), Style::new()),
        row("deferred", &|counts| counts.deferred.cast_signed(), bad(|counts| counts.deferred, Color::Yellow)),
        row("bounced", &|counts| counts.bounced.cast_signed(), bad(|counts| counts.bounced, Color::Red)),
        row("rejected", &|counts| (counts.rejected + counts.auth_failures).cast_signed(), Style::new()),
        row("queue +/-", &Counts::growth, Style::new()),
    ];
    let widths = [Constraint::Length(10), Constraint::Length(10), Constraint::Length(10), Constraint::Length(10), Constraint::Length(10)];
    let head = Row::new(["a minute", "      now", "    1 min", "   15 min", "      1 h"]).style(HEAD);
    frame.render_widget(Table::new(rows, widths).header(head), area);
}

/// Delivered and failed, minute by minute.
fn last_hour(frame: &mut Frame<'_>, area: Rect, live: &Live, now: Micros) {
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(area);
    let parts = live.rates.parts(now, usize::from(area.width).clamp(1, 180));
    let delivered: Vec<u64> = parts.iter().map(|part| part.delivered).collect();
    let failed: Vec<u64> = parts.iter().map(|part| part.deferred + part.bounced + part.rejected).collect();
    let spark = |data: Vec<u64>, title: &str, color| Sparkline::default().data(data).style(Style::new().fg(color)).block(titled(title));
    frame.render_widget(spark(delivered, "delivered, last hour", Color::Green), above);
    frame.render_widget(spark(failed, "failed or rejected", Color::Red), below);
}

/// Findings, and patterns that are new or grow.
fn news(frame: &mut Frame<'_>, area: Rect, live: &Live) {
    let color = |severity| match severity {
        Severity::Critical => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Notice => Color::Reset,
    };
    let findings = live.findings.iter().map(|finding| {
        let style = if finding.is_over { STILL } else { Style::new().fg(color(finding.severity)) };
        let over = if finding.is_over { " (over)" } else { "" };
        Line::styled(printable(&format!("{}{over}", finding.title)).into_owned(), style)
    });
    let patterns = live.patterns.iter().map(|Trend { template, is_new, count }| {
        let word = if *is_new { "new" } else { "grows" };
        Line::from(vec![Span::styled(format!("{word:<5} {count:>5}  "), HEAD), Span::raw(printable(template).into_owned())])
    });
    let lines: Vec<Line<'_>> = findings.take(usize::from(area.height) / 2).chain(patterns).take(usize::from(area.height)).collect();
    frame.render_widget(Paragraph::new(lines).block(titled("findings, patterns that are new or grow")), area);
}
