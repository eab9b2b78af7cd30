//! The terminal while the screen is on it: taken over, drawn to a few times a second, and given back whatever happens.

use super::Wake;
use super::printing::{is_news, summed_up};
use super::running::Running;
use crate::input::Zone;
use crate::live::{Live, Pressed, Screen};
use crate::pipeline::Seen;
use anyhow::Result;
use mailscope_parsers::model::{Line, Micros};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

/// Between two pictures.
const PICTURE: Duration = Duration::from_millis(250);
/// Between two looks for findings; more where they take long.
const LOOK: Duration = Duration::from_secs(5);

pub struct Terminal {
    terminal: DefaultTerminal,
    screen: Screen,
    live: Live,
    zone: Zone,
    drawn: Option<Instant>,
    looked: Option<(Instant, Duration)>,
    /// The latest time of the log, and when it was seen first.
    clock: (Micros, Instant),
    pub is_stale: bool,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

impl Terminal {
    /// Takes the terminal over; a panic gives it back before it is told.
    pub fn open(title: String, zone: Zone, wake: SyncSender<Wake>) -> Result<Self> {
        let terminal = ratatui::try_init()?;
        std::thread::spawn(move || {
            loop {
                let wakes = match event::read() {
                    Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => wake.send(Wake::Key(key)),
                    Ok(Event::Resize(..)) => wake.send(Wake::Resized),
                    Ok(_) => Ok(()),
                    Err(_) => return,
                };
                if wakes.is_err() {
                    return;
                }
            }
        });
        let screen = Screen::new(title);
        let clock = (Micros::MIN, Instant::now());
        Ok(Self { terminal, screen, live: Live::default(), zone, drawn: None, looked: None, clock, is_stale: true })
    }

    pub fn see(&mut self, seen: &Seen<'_>) {
        self.is_stale = true;
        self.live.see(seen, || match &seen.line {
            Line::Event(event) if is_news(event) => Some(summed_up(event, seen)),
            _ => None,
        });
    }

    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        let pressed = self.screen.press(key, &mut self.live);
        if pressed != Pressed::Nothing {
            self.drawn = None;
        }
        pressed
    }

    /// Shows a message's story.
    pub fn tell(&mut self, queue_id: &str, text: String) {
        self.screen.tell(queue_id, text);
        self.drawn = None;
    }

    /// Says something that has no place in the log.
    pub fn notice(&mut self, text: String) {
        self.live.say(text);
    }

    /// Draws, if it is time to.
    pub fn draw(&mut self, running: &Running, at_once: bool) -> Result<()> {
        if !at_once && self.drawn.is_some_and(|drawn| drawn.elapsed() < PICTURE) {
            return Ok(());
        }
        if self.live.now > self.clock.0 {
            self.clock = (self.live.now, Instant::now());
        }
        if self.looked.is_none_or(|(at, took)| at.elapsed() > LOOK.max(took * 50)) {
            let begun = Instant::now();
            self.live.trends(running.patterns());
            self.live.found(&running.findings(self.zone));
            self.looked = Some((Instant::now(), begun.elapsed()));
        }
        // The log's own time, going on while nothing is logged.
        let now = self.clock.0.max(0) + if self.clock.0 > 0 { i64::try_from(self.clock.1.elapsed().as_micros()).unwrap_or(0) } else { 0 };
        let (screen, live, zone) = (&self.screen, &self.live, self.zone);
        self.terminal.draw(|frame| screen.draw(frame, live, now, zone))?;
        (self.drawn, self.is_stale) = (Some(Instant::now()), false);
        Ok(())
    }
}
