//! What the tests share: the program with a clean environment, the samples, small logs written by hand, and figures
//! looked up by their dotted names.

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// One object of JSON lines.
pub type Row = Map<String, Value>;

// ---- the program -------------------------------------------------------------------------------

/// What a run came to.
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ran {
    /// Standard output of a run that ended well.
    pub fn ok(self) -> String {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        String::from_utf8(self.stdout).expect("the output is UTF-8")
    }

    /// The report that was printed, whatever the exit status.
    pub fn report(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("no report: {error}; {}", self.stderr))
    }
}

/// The program; neither the clock's zone nor a configuration of whoever runs the tests changes what it prints.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailscope"));
    command.env("TZ", "UTC").env("HOME", "/nonexistent").env("XDG_CONFIG_HOME", "/nonexistent").env("NO_COLOR", "1");
    command.stdin(Stdio::null());
    command
}

pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    let output = program().args(arguments).output().expect("the program starts");
    Ran { status: output.status.code(), stdout: output.stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
}

/// Runs `mailscope ARGUMENTS.. FILES..`.
pub fn run_on(arguments: &[&str], files: &[impl AsRef<Path>]) -> Ran {
    run(arguments.iter().map(OsStr::new).chain(files.iter().map(|file| file.as_ref().as_os_str())))
}

/// The report on some files, with every row of its lists unless `more` says how many.
pub fn report_on(files: &[impl AsRef<Path>], more: &[&str]) -> Value {
    let every_row: &[&str] = if more.contains(&"--top") { &[] } else { &["--top", "5000"] };
    let ran = run_on(&[&["report", "--format", "json"], every_row, more].concat(), files);
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran.report()
}

/// The rows of a table.
pub fn rows_on(table: &str, files: &[impl AsRef<Path>], more: &[&str]) -> Vec<Row> {
    objects(&run_on(&[&["export", table, "--format", "jsonl"], more].concat(), files).ok())
}

pub fn objects(text: &str) -> Vec<Row> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))).collect()
}

/// Waits for the end of a child and gives the most memory it used, in bytes; `None` where the system does not say.
pub fn peak_memory(child: &mut Child) -> Option<u64> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait().expect("a child").is_none() {
        let said = fs::read_to_string(&status).ok();
        let kilobytes = said.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("VmHWM:")));
        let kilobytes = kilobytes.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kilobytes.map(|kilobytes| kilobytes << 10));
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}

// ---- files -------------------------------------------------------------------------------------

pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/postfix")
}

/// The samples of another server.
pub fn samples_of(server: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(server)
}

/// A directory of a test's own.
pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Writes a file and gives its path.
pub fn file(directory: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).expect("a temporary file");
    path
}

/// Sets the modification time, which tells the year of stamps without one. Seconds since 1970.
pub fn set_time(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("a file's time");
}

pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// The bytes of a file, unpacked if its name ends in `.gz`.
pub fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).expect("gzip data");
    text
}

// ---- figures -----------------------------------------------------------------------------------

/// A figure of the report by its dotted name.
pub fn figure<'r>(report: &'r Value, name: &str) -> &'r Value {
    name.split('.').fold(report, |value, key| &value[key])
}

/// Holds figures of a report against what they should be, and names all that differ.
#[track_caller]
pub fn assert_figures(report: &Value, expected: &[(&str, u64)]) {
    let wrong: Vec<String> = expected
        .iter()
        .filter(|(name, value)| figure(report, name).as_u64() != Some(*value))
        .map(|(name, value)| format!("{name} = {}, should be {value}", figure(report, name)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("; "));
}

/// The row of a list whose key is `name`.
#[track_caller]
pub fn row<'r>(report: &'r Value, list: &str, name: &str) -> &'r Value {
    let rows = report[list].as_array().unwrap_or_else(|| panic!("no list {list}"));
    let is_it = |row: &&Value| row.as_object().is_some_and(|row| row.values().any(|value| value == name));
    rows.iter().find(is_it).unwrap_or_else(|| panic!("{list} has no row {name:?}: {rows:?}"))
}

pub fn text<'r>(row: &'r Row, field: &str) -> &'r str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Leaves out what may differ between one file and several: how many there are, and their bytes.
pub fn without_files(report: &str) -> String {
    let differs = |line: &&str| line.starts_with("    \"files\": ") || line.starts_with("    \"bytes\": ");
    report.lines().filter(|line| !differs(line)).map(|line| format!("{line}\n")).collect()
}

// ---- logs written by hand ----------------------------------------------------------------------

/// A log out of a short notation, one line `TIME DAEMON TEXT` each: `10:00:00 smtpd A000000001: client=...` stands for
/// `2026-11-24T10:00:00+00:00 mail postfix/smtpd[7]: A000000001: client=...`. TIME may name another day
/// (`2026-11-25T10:00:00`); DAEMON another instance (`postfix-out/smtp`) and another host (`smtpd@mx2`).
pub fn log(notation: &[&str]) -> String {
    let mut log = String::new();
    for line in notation.iter().flat_map(|lines| lines.lines()) {
        let mut words = line.splitn(3, ' ');
        let (Some(time), Some(daemon), Some(text)) = (words.next(), words.next(), words.next()) else { panic!("{line:?}") };
        let day = if time.contains('T') { "" } else { "2026-11-24T" };
        let (daemon, host) = daemon.split_once('@').unwrap_or((daemon, "mail"));
        let instance = if daemon.contains('/') { "" } else { "postfix/" };
        log.push_str(&format!("{day}{time}+00:00 {host} {instance}{daemon}[7]: {text}\n"));
    }
    log
}

/// A message of 1000 bytes from a client: `client=`, message-id and the queue manager's line.
pub fn arrival(time: &str, id: &str, nrcpt: u32) -> String {
    format!(
        "{time} smtpd {id}: client=client.example[192.0.2.1]\n\
         {time} cleanup {id}: message-id=<{id}@client.example>\n\
         {time} qmgr {id}: from=<sender@client.example>, size=1000, nrcpt={nrcpt} (queue active)"
    )
}

/// One attempt by smtp(8), with a delay of one second: `sent`, `deferred` or `bounced`.
pub fn attempt(time: &str, id: &str, recipient: &str, status: &str) -> String {
    let domain = recipient.rsplit_once('@').map_or("none.example", |(_, domain)| domain);
    let host = format!("mx.{domain}[198.51.100.1]");
    let (dsn, reply) = match status {
        "sent" => ("2.0.0", "250 2.0.0 Ok".to_owned()),
        "deferred" => ("4.2.2", format!("host {host} said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)")),
        _ => ("5.1.1", format!("host {host} said: 550 5.1.1 User unknown (in reply to RCPT TO command)")),
    };
    format!("{time} smtp {id}: to=<{recipient}>, relay={host}:25, delay=1, delays=0.1/0.2/0.3/0.4, dsn={dsn}, status={status} ({reply})")
}

pub fn removed(time: &str, id: &str) -> String {
    format!("{time} qmgr {id}: removed")
}

/// The lines of a log put together out of owned pieces.
pub fn log_of(pieces: &[String]) -> String {
    log(&pieces.iter().map(String::as_str).collect::<Vec<_>>())
}

/// 10:00 and so many hundredths of a second.
fn time(hundredths: usize) -> String {
    format!("10:{:02}:{:02}.{:02}", hundredths / 6000, hundredths / 100 % 60, hundredths % 100)
}

/// A newsletter that goes to each reader as a message of its own, all with one message-id, and through a filter, which says or does
/// not say as what it hands one back: `A000000007` goes on as `B000000007`, to `reader7@there7.example`.
pub fn newsletter(readers: usize, says: bool) -> String {
    let reader = |n: usize| {
        let (a, b, to) = (format!("A{n:09}"), format!("B{n:09}"), format!("reader{n}@there{}.example", n % 97));
        let begun = |id: &str, at: usize, client: &str| {
            let at = time(at);
            format!(
                "{at} smtpd {id}: client={client}\n{at} cleanup {id}: message-id=<october@list.example>\n\
                 {at} qmgr {id}: from=<bounces@list.example>, size=2000, nrcpt=1 (queue active)"
            )
        };
        let sent = |id: &str, at: usize, relay: &str, reply: &str| {
            let at = time(at);
            format!(
                "{at} smtp {id}: to=<{to}>, relay={relay}, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok{reply})\n\
                 {at} qmgr {id}: removed"
            )
        };
        let reply = if says { format!(": queued as {b}") } else { String::new() };
        [
            (n, begun(&a, n, "list.example[192.0.2.7]")),
            (n + 90, begun(&b, n + 90, "localhost[127.0.0.1]")),
            (n + 100, sent(&a, n + 100, "127.0.0.1[127.0.0.1]:10024", &reply)),
            (n + 200, sent(&b, n + 200, "mx.there.example[198.51.100.9]:25", "")),
        ]
    };
    let mut lines: Vec<(usize, String)> = (0..readers).flat_map(reader).collect();
    lines.sort_by_key(|(at, _)| *at);
    log_of(&lines.into_iter().map(|(_, lines)| lines).collect::<Vec<_>>())
}

/// The report on a log.
pub fn report_of(log: &str, more: &[&str]) -> Value {
    let directory = directory();
    report_on(&[file(&directory, "mail.log", log)], &[&["--tz", "UTC"], more].concat())
}

/// The rows of a table of a log.
pub fn rows_of(table: &str, log: &str, more: &[&str]) -> Vec<Row> {
    let directory = directory();
    rows_on(table, &[file(&directory, "mail.log", log)], &[&["--tz", "UTC"], more].concat())
}
