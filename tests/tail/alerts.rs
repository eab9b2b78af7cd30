//! Alerts, against real servers on this machine: what is told, how often, by which channel, and what happens while one is
//! down; the configuration that says all that, and what is said of a wrong one.

mod sinks;

use super::await_handlers;
use crate::support::{directory, program};
use serde_json::Value;
use sinks::{Hook, Mailbox};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than any channel of these tests waits before it tells something.
const QUIET: Duration = Duration::from_millis(2500);

/// A file of the checkout.
fn sample(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(path)
}

/// A tail that follows a log which the test writes.
struct Watched {
    child: Child,
    directory: TempDir,
    log: File,
    said: Receiver<String>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watched {
    fn start(config: &str) -> Self {
        Self::start_in(directory(), config, &[])
    }

    fn start_in(directory: TempDir, config: &str, more: &[&str]) -> Self {
        let path = directory.path().join("mail.log");
        let log = File::options().create(true).append(true).open(&path).expect("a log");
        fs::write(directory.path().join("config.toml"), config).expect("room");
        let mut command = program();
        command.args(["tail", "--tz", "UTC", "--year", "2026", "--format", "text", "--config"]).arg(directory.path().join("config.toml"));
        let mut child = command.args(more).arg(&path).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program");
        let (to, said) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
        let watched = Self { child, directory, log, said };
        await_handlers(&watched.child);
        // What is written before it looks is old.
        std::thread::sleep(Duration::from_millis(300));
        watched
    }

    fn write(&mut self, text: &str) {
        self.log.write_all(text.as_bytes()).expect("room");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().expect("kill(1)");
        assert!(sent.success());
    }

    /// Waits until a line with such words is on standard error.
    #[track_caller]
    fn says(&self, words: &str) -> String {
        let begun = Instant::now();
        let mut all = Vec::new();
        while let Ok(line) = self.said.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if line.contains(words) {
                return line;
            }
            all.push(line);
        }
        panic!("nothing says {words:?}: {}", all.join("\n"));
    }

    fn kill(mut self) -> TempDir {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
        std::mem::replace(&mut self.directory, directory())
    }

    fn end(mut self) -> TempDir {
        self.signal("TERM");
        assert!(self.child.wait().expect("a child").success());
        std::mem::replace(&mut self.directory, directory())
    }
}

/// An attempt in the minutes and seconds after ten o'clock.
fn attempt(seconds: u32, domain: &str, status: &str) -> String {
    let time = format!("Nov 24 10:{:02}:{:02}", seconds / 60, seconds % 60);
    let why = if status == "sent" { "250 Ok" } else { "host said: 550 5.1.1 User unknown" };
    let relay = format!("mx.{domain}[198.51.100.1]:25");
    format!("{time} mail postfix/smtp[1]: A{seconds:09X}: to=<u@{domain}>, relay={relay}, delay=1, dsn=5.1.1, status={status} ({why})\n")
}

fn bounces(seconds: std::ops::Range<u32>, domain: &str) -> String {
    seconds.map(|second| attempt(second, domain, "bounced")).collect()
}

const BOUNCED: &str = "[[alert]]\nname = \"bounces\"\non = \"rate\"\nof = \"bounced\"\nabove = 3\nwindow = \"5m\"\n";
const BY_DOMAIN: &str = "[[alert]]\nname = \"by domain\"\non = \"rate\"\nof = \"bounce_rate\"\nby = \"domain\"\nabove = \"50%\"\nat_least = 4\nwindow = \"5m\"\n";

fn to(hook: &Hook, kind: &str) -> String {
    format!("[[channel]]\nname = \"hook\"\nkind = \"{kind}\"\nurl = \"{}\"\n", hook.url())
}

const QUICK: &str = "[alerts]\ngroup_wait = \"1s\"\n";

/// Alerts of a message as `state name key`.
fn told(message: &Value) -> Vec<String> {
    let word = |alert: &Value, key: &str| alert[key].as_str().expect("a word").to_owned();
    let alerts = message["alerts"].as_array().expect("alerts").iter();
    alerts.map(|alert| format!("{} {} {}", word(alert, "state"), word(alert, "alert"), word(alert, "key"))).collect()
}

#[test]
fn it_fires_once_in_one_message_and_resolves() {
    let hook = Hook::start();
    let mut tail = Watched::start(&[QUICK, &to(&hook, "webhook"), BOUNCED, BY_DOMAIN].concat());
    tail.write(&(attempt(0, "good.example", "sent") + &bounces(1..10, "bad.example")));
    let message = hook.next();
    assert_eq!(told(&message), ["firing bounces ", "firing by domain bad.example"]);
    assert_eq!(message["schema"], "mailscope.alerts/1");
    assert_eq!(message["alerts"][0]["since"], "2026-11-24T10:00:09+00:00");
    tail.write(&bounces(10..20, "bad.example"));
    hook.stays_quiet(QUIET);
    tail.write(&attempt(1200, "good.example", "sent"));
    let message = hook.next();
    assert_eq!(told(&message), ["resolved bounces ", "resolved by domain bad.example"]);
    assert_eq!(message["alerts"][0]["until"], "2026-11-24T10:20:00+00:00");
    hook.stays_quiet(Duration::from_millis(500));
}

/// Rules name real domains, and messages none.
#[test]
fn a_message_has_pseudonyms_and_rules_have_none() {
    let hook = Hook::start();
    let only = BY_DOMAIN.replace("above", "only = [\"bad.invalid\"]\nabove");
    let pattern = "[[alert]]\nname = \"new\"\non = \"pattern\"\nlearning = 0\nat_least = 3\n";
    let config = [QUICK, &to(&hook, "webhook"), &only, pattern].concat();
    let mut tail = Watched::start_in(directory(), &config, &["--anonymize", "--anonymize-key", "k"]);
    tail.write(&(bounces(1..10, "bad.invalid") + &bounces(10..20, "worse.invalid")).replace("said:", "mx.bad.invalid[198.51.100.1] said:"));
    let said = tail.says("by domain");
    let message = hook.next();
    let keys: Vec<&str> = message["alerts"].as_array().expect("alerts").iter().filter_map(|alert| alert["key"].as_str()).collect();
    let domain = keys.iter().find(|key| key.starts_with('d')).expect("a domain");
    assert!(
        domain.ends_with(".example") && said.contains(*domain) && keys.iter().filter(|key| key.starts_with('d')).count() == 1,
        "{message}"
    );
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    assert_ne!(message["host"].as_str(), Some(host.trim()));
    let text = message.to_string() + &said;
    assert!(["bad", "worse", "invalid", "198.51"].iter().all(|name| !text.contains(name)), "{text}");
}

#[test]
fn a_channel_that_is_down_is_told_when_it_is_back() {
    let hook = Hook::start();
    hook.answer(503);
    let mut tail = Watched::start(&[QUICK, &to(&hook, "webhook"), BOUNCED, BY_DOMAIN].concat());
    tail.write(&bounces(1..10, "bad.example"));
    assert!(tail.says("the channel hook failed").contains("503"));
    // While nobody listens, it is over, and something else begins.
    tail.write(&(attempt(1200, "good.example", "sent") + &bounces(1201..1203, "bad.example") + &bounces(1204..1212, "other.example")));
    let refused = hook.next();
    assert!(!told(&refused).is_empty());
    tail.says("alert: warning: by domain (other.example)");
    hook.answer(200);
    tail.says("the channel hook works again");
    // One message, or two where an attempt was under way just then.
    let mut all: Vec<String> = hook.taken().iter().flat_map(told).collect();
    while all.len() < 3 {
        all.extend(told(&hook.next()));
    }
    all.sort();
    assert_eq!(all, ["firing bounces ", "firing by domain other.example", "resolved by domain bad.example"]);
}

#[test]
fn no_more_messages_an_hour_than_wanted() {
    let hook = Hook::start();
    let config = "[alerts]\ngroup_wait = \"1s\"\nmost_per_hour = 1\n";
    let mut tail = Watched::start(&[config, &to(&hook, "webhook"), BY_DOMAIN].concat());
    tail.write(&bounces(1..6, "one.example"));
    assert_eq!(told(&hook.next()), ["firing by domain one.example"]);
    tail.write(&bounces(6..12, "two.example"));
    tail.says("(two.example)");
    hook.stays_quiet(QUIET);
    // What waits is told at the end.
    tail.end();
    assert_eq!(told(&hook.next()), ["firing by domain two.example"]);
}

#[test]
fn a_restart_tells_nothing_twice_and_what_is_over() {
    let hook = Hook::start();
    let config = [QUICK, &to(&hook, "webhook"), BOUNCED].concat();
    let directory = directory();
    let state = directory.path().join("state").display().to_string();
    let mut tail = Watched::start_in(directory, &config, &["--state", &state]);
    tail.write(&bounces(1..10, "bad.example"));
    assert_eq!(told(&hook.next()), ["firing bounces "]);
    let directory = tail.end();
    let mut tail = Watched::start_in(directory, &config, &["--state", &state]);
    tail.write(&bounces(20..30, "bad.example"));
    hook.stays_quiet(QUIET);
    tail.write(&attempt(1200, "good.example", "sent"));
    assert_eq!(told(&hook.next()), ["resolved bounces "]);
}

/// What waits to go with others is told by the next run, and so is what a channel would not take.
#[test]
fn what_a_killed_tail_had_not_told_is_told_by_the_next() {
    let hook = Hook::start();
    for (wait, status) in [("1h", 200), ("1s", 503)] {
        let config = |wait: &str| format!("[alerts]\ngroup_wait = \"{wait}\"\n{}{BOUNCED}", to(&hook, "webhook"));
        let directory = directory();
        let state = directory.path().join("state");
        let more = ["--state", &state.display().to_string()];
        hook.answer(status);
        let mut tail = Watched::start_in(directory, &config(wait), &more);
        tail.write(&bounces(1..10, "bad.example"));
        tail.says("alert: warning: bounces");
        await_word(&state, b"bounced in 5 min");
        let directory = tail.kill();
        hook.answer(200);
        hook.taken();
        let mut tail = Watched::start_in(directory, &config("1s"), &more);
        assert_eq!(told(&hook.next()), ["firing bounces "], "{wait}");
        tail.write(&bounces(20..30, "bad.example"));
        hook.stays_quiet(QUIET);
        // It knows that it was told: nobody hears of it again.
        let directory = tail.end();
        let tail = Watched::start_in(directory, &config("1s"), &more);
        hook.stays_quiet(QUIET);
        tail.end();
    }
}

/// Waits until a state file has these words in it.
fn await_word(state: &Path, words: &[u8]) {
    let begun = Instant::now();
    while !fs::read(state).is_ok_and(|bytes| bytes.windows(words.len()).any(|part| part == words)) {
        assert!(begun.elapsed() < PATIENCE, "not in the state file");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A channel that is set right is told what it would not take before.
#[test]
fn what_waits_for_a_channel_outlives_its_settings() {
    let (wrong, right) = (Hook::start(), Hook::start());
    wrong.answer(503);
    let mut tail = Watched::start(&[QUICK, &to(&wrong, "webhook"), BOUNCED].concat());
    tail.write(&bounces(1..10, "bad.example"));
    tail.says("the channel hook failed");
    fs::write(tail.directory.path().join("config.toml"), [QUICK, &to(&right, "webhook"), BOUNCED].concat()).expect("room");
    tail.signal("HUP");
    assert_eq!(told(&right.next()), ["firing bounces "]);
    right.stays_quiet(QUIET);
}

#[test]
fn silence_is_told_without_a_line() {
    let hook = Hook::start();
    let silence = "[[alert]]\nname = \"silence\"\non = \"silence\"\nfor = \"2s\"\nseverity = \"critical\"\n";
    let mut tail = Watched::start(&["[alerts]\ngroup_wait = 0\n", &to(&hook, "webhook"), silence].concat());
    tail.write(&attempt(0, "good.example", "sent"));
    let message = hook.next();
    assert!(told(&message) == ["firing silence "] && message["alerts"][0]["severity"] == "critical", "{message}");
    tail.write(&attempt(60, "good.example", "sent"));
    assert_eq!(told(&hook.next()), ["resolved silence "]);
}

#[test]
fn findings_and_patterns_that_are_new() {
    let hook = Hook::start();
    let finding = "[[alert]]\nname = \"found\"\non = \"finding\"\nfinding = [\"bounce_rate\"]\n";
    let pattern = "[[alert]]\nname = \"new\"\non = \"pattern\"\nlearning = 0\nat_least = 3\n";
    let mut tail = Watched::start(&[QUICK, &to(&hook, "webhook"), finding, pattern].concat());
    let sent: String = (0..60).map(|second| attempt(second, "good.example", "sent")).collect();
    tail.write(&sent);
    tail.write(&(60..160).map(|second| attempt(second, "bad.example", "bounced") + &removed(second)).collect::<String>());
    let mut all: Vec<String> = told(&hook.next());
    while all.len() < 2 {
        all.extend(told(&hook.next()));
    }
    all.sort();
    assert_eq!(all[0], "firing found bounce_rate");
    assert!(all[1].starts_with("firing new ") && all[1].contains("User unknown"), "{all:?}");
    tail.end();
}

/// The message and its end; ten minutes later nothing more is expected of it.
fn removed(seconds: u32) -> String {
    let time = format!("Nov 24 10:{:02}:{:02}", seconds / 60, seconds % 60);
    let later = format!("Nov 24 10:{:02}:{:02}", seconds / 60 + 11, seconds % 60);
    format!("{time} mail postfix/qmgr[1]: A{seconds:09X}: removed\n{later} mail postfix/anvil[1]: statistics: max cache size 1 at x\n")
}

#[test]
fn mail_goes_through_a_server() {
    let mailbox = Mailbox::start();
    let channel = format!(
        "[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Mail watch <watch@example.org>\"\nto = [\"ann@example.org\", \"bob@example.org\"]\n",
        mailbox.port()
    );
    let mut tail = Watched::start(&[QUICK, &channel, BY_DOMAIN].concat());
    tail.write(&bounces(1..10, "bad.example"));
    let letter = mailbox.next();
    assert_eq!((letter.from.as_str(), letter.to.join(" ").as_str()), ("watch@example.org", "ann@example.org bob@example.org"));
    let (head, body) = letter.data.split_once("\r\n\r\n").expect("a head");
    for line in ["From: \"Mail watch\" <watch@example.org>", "Auto-Submitted: auto-generated"] {
        assert!(head.contains(line), "{head}");
    }
    assert!(head.contains("Subject: [mailscope ") && head.contains("bad.example") && head.contains("Message-ID: <"), "{head}");
    assert!(body.starts_with("warning: by domain (bad.example)\r\n") && body.contains("100.0 % bounced in 5 min: 9 of 9"), "{body}");
}

#[test]
fn a_command_gets_words_and_no_shell_reads_them() {
    let directory = directory();
    let taken = directory.path().join("taken");
    let run = format!("cat > '{0}.part' && printf '%s' \"$MAILSCOPE_SUBJECT\" > '{0}.subject' && mv '{0}.part' '{0}'", taken.display());
    let channel = format!("[[channel]]\nname = \"command\"\nkind = \"command\"\nrun = [\"sh\", \"-c\", {run:?}]\n");
    let mut tail = Watched::start_in(directory, &[QUICK, &channel, BY_DOMAIN].concat(), &[]);
    tail.write(&bounces(1..10, "$(touch${IFS}owned);`id`.example"));
    let begun = Instant::now();
    while !taken.exists() {
        assert!(begun.elapsed() < PATIENCE, "the command was not run");
        std::thread::sleep(Duration::from_millis(20));
    }
    let message: Value = serde_json::from_slice(&fs::read(&taken).expect("a message")).expect("JSON");
    assert_eq!(message["alerts"][0]["key"], "$(touch${ifs}owned);`id`.example");
    let subject = fs::read_to_string(taken.with_extension("subject")).expect("a subject");
    assert!(subject.contains("$(touch${ifs}owned);`id`.example"), "{subject}");
}

#[test]
fn chats_get_text_without_mark_up_of_strangers() {
    for (kind, wanted) in [("slack", "&lt;!channel&gt;"), ("mattermost", "`by domain (x@all<!channel>")] {
        let hook = Hook::start();
        let mut tail = Watched::start(&[QUICK, &to(&hook, kind), BY_DOMAIN].concat());
        tail.write(&bounces(1..10, "x@all<!channel>.example").replace("relay=mx.x@all<!channel>.example", "relay=mx.example"));
        let message = hook.next();
        let text = message["text"].as_str().expect("a text");
        assert!(text.contains(wanted.trim_start_matches("`by domain (x@all").trim_start_matches('`')), "{kind}: {text}");
    }
}

fn test_alerts(directory: &Path, config: &str) -> (Option<i32>, String, String) {
    let path = directory.join("config.toml");
    fs::write(&path, config).expect("room");
    let output = program().args(["tail", "--test-alerts", "--config"]).arg(path).output().expect("the program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_channel_is_tried_and_told_of() {
    let (hook, directory) = (Hook::start(), directory());
    let good = to(&hook, "webhook");
    let (status, said, _) = test_alerts(directory.path(), &good);
    assert_eq!((status, said.as_str()), (Some(0), "hook  sent\n"));
    assert_eq!(told(&hook.next()), ["firing test "]);
    let bad = "[[channel]]\nname = \"broken\"\nkind = \"command\"\nrun = [\"sh\", \"-c\", \"echo out of paper >&2; exit 3\"]\n";
    let (status, said, _) = test_alerts(directory.path(), &[&good, bad].concat());
    assert!(status == Some(2) && said.contains("hook    sent\n") && said.contains("out of paper"), "{said}");
    let (status, _, complaint) = test_alerts(directory.path(), "");
    assert!(status == Some(2) && complaint.contains("[[channel]]"), "{complaint}");
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let hook = Hook::start();
    let mut tail = Watched::start(&[QUICK, &to(&hook, "webhook"), BY_DOMAIN].concat());
    let config: PathBuf = tail.directory.path().join("config.toml");
    fs::write(&config, [QUICK, &to(&hook, "webhook"), "[[alert]]\nname = \"x\"\non = \"rat\"\n"].concat()).expect("room");
    tail.signal("HUP");
    let said = tail.says("the settings stay as they were");
    assert!(said.contains("config.toml: line 9: unknown word `rat`; is `rate` meant?"), "{said}");
    tail.write(&bounces(1..10, "bad.example"));
    assert_eq!(told(&hook.next()), ["firing by domain bad.example"]);
    fs::write(&config, [QUICK, &to(&hook, "webhook"), BY_DOMAIN, BOUNCED].concat()).expect("room");
    tail.signal("HUP");
    tail.says("the configuration was read again");
    tail.write(&bounces(10..30, "bad.example"));
    assert_eq!(told(&hook.next()), ["firing bounces "]);
}

#[test]
fn a_flag_beats_the_file_and_a_wrong_file_is_named() {
    let directory = directory();
    let path = directory.path().join("config.toml");
    let rows = |config: &str, more: &[&str]| {
        fs::write(&path, config).expect("room");
        let mut command = program();
        command.args(["report", "--year", "2026", "--format", "json", "--config"]).arg(&path).args(more);
        let output = command.arg(crate::support::samples().join("mail.log")).output().expect("the program");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (report["domains"].as_array().map(Vec::len), report["window"]["from"].as_str().expect("a time").to_owned())
    };
    let config = "top = 3\ntz = \"+02:00\"\n";
    assert_eq!(rows(config, &[]), (Some(3), "2026-11-24T06:31:15+02:00".to_owned()));
    assert_eq!(rows(config, &["--top", "2", "--tz", "UTC"]), (Some(2), "2026-11-24T06:31:15+00:00".to_owned()));
    fs::write(&path, "top = 3\nparser_files = [\"x\"]\n").expect("room");
    let output = program().args(["report", "--config"]).arg(&path).output().expect("the program");
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = format!("{}: line 2: unknown key `parser_files`; is `parser_file` meant?", path.display());
    assert!(output.status.code() == Some(2) && said.contains(&expected), "{said}");
}

/// Every key of the sample is one that there is: those in comments, too.
#[test]
fn the_sample_configuration_is_a_configuration() {
    let text = fs::read_to_string(sample("config/mailscope.toml")).expect("a sample");
    let config = mailscope::config::Config::read(&text).expect("a configuration");
    assert_eq!((config.channels.len(), config.alerts.len()), (3, 8));
    let commented =
        |line: &str| line.strip_prefix("# ").is_some_and(|line| line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')));
    // A value of the channel "mail" would be a second one of another way to say it.
    let whole: Vec<&str> = text.lines().map(|line| if commented(line) { &line[2..] } else { line }).collect();
    let keys = whole.iter().filter(|line| line.contains(" = ")).count();
    assert!(keys > 60, "{keys}");
    mailscope::config::Config::read(&whole.join("\n")).expect("a configuration with all that is commented out");
}

/// The unit is one that systemd would take, with next to no rights, and it says what a reload does.
#[test]
fn the_sample_service_is_hardened() {
    let unit = sample("systemd/mailscope.service");
    let text = fs::read_to_string(&unit).expect("a sample");
    for line in [
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "StateDirectory=mailscope",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "SupplementaryGroups=adm",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}");
    }
    let directory = directory();
    // The program is not installed here.
    let installed = text.replace("/usr/local/bin/mailscope", env!("CARGO_BIN_EXE_mailscope"));
    let copy = crate::support::file(&directory, "mailscope.service", installed);
    let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output() else {
        eprintln!("skipped: there is no systemd-analyze");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let of_unit: Vec<&str> = said.lines().filter(|line| line.contains("mailscope.service")).collect();
    assert!(of_unit.is_empty(), "{}", of_unit.join("\n"));
}
