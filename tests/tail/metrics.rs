//! `--metrics`: what Prometheus gets, held against the report and read by its own tool; the samples that use it.

use crate::support::{program, report_on, samples};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A tail of the sample, and where it answers.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve() -> Served {
    serve_with(&[])
}

fn serve_with(more: &[&str]) -> Served {
    let mut command = program();
    command.args(["tail", "--from", "start", "--tz", "UTC", "--year", "2026", "--format", "text", "--metrics", "127.0.0.1:0"]).args(more);
    let mut child = command.arg(samples().join("mail.log")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program");
    let mut said = String::new();
    BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut said).expect("a line");
    let address = said.trim().rsplit("http://").next().and_then(|url| url.strip_suffix("/metrics")).expect(&said).to_owned();
    Served { child, address }
}

impl Served {
    fn ask(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("an answer");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("room");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.lines().next().expect("a status").to_owned(), body.to_owned())
    }

    /// The page once it counts all lines.
    fn metrics(&self) -> String {
        let begun = Instant::now();
        loop {
            let (status, page) = self.ask("GET /metrics");
            assert_eq!(status, "HTTP/1.1 200 OK");
            if sum(&page, "mailscope_lines_total", "") == 7334 {
                return page;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{page}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The sum of a metric's samples that have such labels.
fn sum(page: &str, name: &str, label: &str) -> u64 {
    let values =
        page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label));
    values.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[test]
fn metrics_are_those_of_the_report() {
    let served = serve();
    let page = served.metrics();
    let report = report_on(&[samples().join("mail.log")], &["--tz", "UTC", "--year", "2026"]);
    let figure = |name: &str| crate::support::figure(&report, name).as_u64();
    assert_eq!(Some(sum(&page, "mailscope_deliveries_total", "status=\"deferred\"")), figure("attempts.deferred"));
    assert_eq!(Some(sum(&page, "mailscope_deliveries_total", "status=\"bounced\"")), figure("attempts.bounced"));
    assert_eq!(Some(sum(&page, "mailscope_rejects_total", "")), figure("rejects.total"));
    assert_eq!(Some(sum(&page, "mailscope_auth_failures_total", "")), figure("auth.failures"));
    assert_eq!(Some(sum(&page, "mailscope_lines_total", "\"event\"")), figure("input.events"));
    let sent = sum(&page, "mailscope_deliveries_total", "status=\"sent\"");
    assert_eq!(sum(&page, "mailscope_delivery_delay_seconds_count", "stage=\"total\""), sent);
    assert_eq!(served.ask("GET /healthz"), ("HTTP/1.1 200 OK".into(), "ok\n".into()));
    assert_eq!(served.ask("GET /").0, "HTTP/1.1 404 Not Found");
    assert_eq!(served.ask("POST /metrics").0, "HTTP/1.1 405 Method Not Allowed");
}

#[test]
fn metrics_have_no_names_and_the_same_figures_with_pseudonyms() {
    let (plain, other) = (serve().metrics(), serve_with(&["--anonymize"]).metrics());
    crate::pseudonyms::nothing_of(&crate::pseudonyms::names(&samples().join("mail.log")), &other, "metrics");
    assert_eq!(plain, other);
}

/// Prometheus' own tool, if it is here.
fn promtool(arguments: &[&str], input: &str) -> Option<()> {
    let child = Command::new("promtool").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no promtool");
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("room");
    let output = child.wait_with_output().expect("promtool");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{arguments:?}: {said}");
    Some(())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn promtool_accepts_the_metrics_and_the_rules() {
    let page = serve().metrics();
    promtool(&["check", "metrics"], &page);
    promtool(&["check", "rules", root().join("samples/prometheus/rules.yml").to_str().expect("UTF-8")], "");
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split("mailscope_").skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default());
    words.map(|word| ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word)).collect()
}

#[test]
fn the_samples_ask_for_metrics_that_there_are() {
    let page = serve().metrics();
    let there = names(&page);
    for sample in ["samples/prometheus/rules.yml", "samples/grafana/dashboard.json"] {
        let text = fs::read_to_string(root().join(sample)).expect("a sample");
        let missing: Vec<&str> = names(&text).difference(&there).copied().collect();
        assert!(missing.is_empty() && names(&text).len() > 5, "{sample}: {missing:?}");
        if sample.ends_with(".json") {
            serde_json::from_str::<Value>(&text).expect("JSON");
        }
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let served = serve();
    let ran = crate::support::run_on(&["tail", "--metrics", &served.address], &[samples().join("mail.log")]);
    assert!(ran.status == Some(2) && ran.stderr.contains("--metrics"), "{}", ran.stderr);
}
