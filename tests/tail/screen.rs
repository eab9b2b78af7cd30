//! The screen, as a person sees it: in a terminal of tmux(1), with keys pressed and the window resized.

use crate::support::directory;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A server of tmux of a test's own.
pub struct Tmux {
    socket: String,
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

impl Tmux {
    /// `None`, said, where there is no tmux.
    fn start(name: &str, directory: &Path, log: &Path) -> Option<Self> {
        Self::start_with(name, directory, log, "")
    }

    /// With further arguments of the program.
    pub fn start_with(name: &str, directory: &Path, log: &Path, more: &str) -> Option<Self> {
        let tmux = Self { socket: directory.join(name).display().to_string() };
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: there is no tmux");
            return None;
        }
        let program = env!("CARGO_BIN_EXE_mailscope");
        // What stands after the program shows that the terminal is the shell's again.
        let command = format!("{program} tail --tz UTC --year 2026 {more} {}; echo ended $?; exec sleep 60", log.display());
        let started = tmux.run(&["-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", &command]);
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("tmux").args(["-S", &self.socket]).args(arguments).output().expect("tmux")
    }

    pub fn press(&self, key: &str) {
        assert!(self.run(&["send-keys", key]).status.success());
    }

    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !is_so(&self.shown()) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}; shown is\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn line(second: u32, text: &str) -> String {
    format!("Nov 24 10:00:{second:02} mail {text}\n")
}

fn attempt(second: u32, user: &str, domain: &str, status: &str) -> String {
    let relay = format!("relay=mx.{domain}[198.51.100.1]:25, delay=1.5, delays=0.1/0.2/0.3/0.9");
    let reply = match status {
        "sent" => "dsn=2.0.0, status=sent (250 2.0.0 Ok)",
        "deferred" => "dsn=4.2.2, status=deferred (host said: 452 4.2.2 Mailbox full)",
        _ => "dsn=5.1.1, status=bounced (host said: 550 5.1.1 User unknown)",
    };
    line(second, &format!("postfix/smtp[1]: A00000000{second}: to=<{user}@{domain}>, {relay}, {reply}"))
}

#[test]
fn the_screen_shows_what_happens_and_obeys_its_keys() {
    let directory = directory();
    let log = crate::support::file(&directory, "mail.log", "");
    let Some(tmux) = Tmux::start("screen", directory.path(), &log) else { return };
    let mut file = File::options().append(true).open(&log).expect("the log");
    let mut write = |text: String| file.write_all(text.as_bytes()).expect("room");
    tmux.until("the keys are shown", |shown| shown.contains("q quit") && shown.contains("space pause"));
    write(
        attempt(1, "ann", "good.example", "sent")
            + &attempt(2, "bob", "bad.example", "bounced")
            + &attempt(3, "eve", "full.example", "deferred"),
    );
    tmux.until("failures are shown", |shown| {
        shown.contains("bob@bad.example") && shown.contains("eve@full.example") && !shown.contains("ann@")
    });
    tmux.until("a new pattern is shown", |shown| shown.contains("new") && shown.contains("User unknown"));
    tmux.press("Tab");
    tmux.until("domains with their rates are shown", |shown| {
        shown.lines().any(|line| line.contains("bad.example") && line.contains("100.0 %"))
            && shown.lines().any(|line| line.contains("good.example") && line.contains("1.5s"))
    });
    for key in ["/", "b", "o", "b", "Enter"] {
        tmux.press(key);
    }
    tmux.until("only what fits the filter is shown", |shown| shown.contains("bob@bad.example") && !shown.contains("eve@full.example"));
    tmux.press("Escape");
    tmux.until("the filter is gone", |shown| shown.contains("eve@full.example"));
    tmux.press("Space");
    tmux.until("it is paused", |shown| shown.contains("paused"));
    write(attempt(4, "late", "bad.example", "bounced"));
    tmux.until("a line waits", |shown| shown.contains("1 waiting") && !shown.contains("late@bad.example"));
    tmux.press("Space");
    tmux.until("it goes on", |shown| shown.contains("late@bad.example"));
    tmux.press("Down");
    tmux.press("Down");
    tmux.press("Enter");
    tmux.until("the story of the message is told", |shown| {
        shown.contains("story of A000000003") && shown.contains("eve@full.example") && !shown.contains("late@bad.example")
    });
    for _ in 0..2 {
        tmux.press("Escape");
    }
    tmux.until("the stream goes on", |shown| shown.contains("late@bad.example") && !shown.contains("paused"));
    tmux.run(&["resize-window", "-x", "70", "-y", "20"]);
    tmux.until("it fits a small window", |shown| shown.contains("q quit") && shown.lines().all(|line| line.chars().count() <= 70));
    tmux.press("q");
    tmux.until("the terminal is given back", |shown| shown.contains("ended 0") && !shown.contains("q quit"));
}

#[test]
fn the_terminal_is_given_back_after_a_signal() {
    let directory = directory();
    let log = crate::support::file(&directory, "mail.log", "");
    let Some(tmux) = Tmux::start("signal", directory.path(), &log) else { return };
    tmux.until("the keys are shown", |shown| shown.contains("q quit"));
    let shell = String::from_utf8(tmux.run(&["list-panes", "-F", "#{pane_pid}"]).stdout).expect("a number");
    let killed = Command::new("pkill").args(["-TERM", "-P", shell.trim()]).status().expect("pkill(1)");
    assert!(killed.success());
    tmux.until("the terminal is given back", |shown| shown.contains("ended 0") && !shown.contains("q quit"));
}
