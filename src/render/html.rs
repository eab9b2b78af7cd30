//! The report as one web page: a file that needs no network, runs nothing but its own script, and reads as well on paper or a
//! phone as on a screen.
//!
//! In goes the report, out comes HTML. The template writes all markup; no string of the report is ever markup: each is made
//! printable and escaped on its way out, and the page's policy (CSP) lets a browser use the style and the script that stand in
//! it, known by their hashes, and load nothing. The page keeps nothing and asks nobody; how it is sorted and filtered stands in
//! its address.

mod charts;

use super::printable;
use crate::numbers::{bytes, count, duration, percent};
use crate::report::{Counts, Report};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use charts::Charts;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, context, escape_formatter};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Writes the page.
///
/// # Errors
/// Where it can't be written.
pub fn write(to: &mut impl Write, report: &Report) -> io::Result<()> {
    let page = page(report).map_err(io::Error::other)?;
    to.write_all(page.as_bytes())
}

fn page(report: &Report) -> Result<String, Error> {
    let environment = environment()?;
    environment.get_template("page")?.render(context! {
        report => Value::from(Serde(report)),
        charts => Value::from(Serde(Charts::of(report))),
        style => Value::from_safe_string(STYLE.to_owned()),
        style_hash => hash(STYLE),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        script_hash => hash(SCRIPT),
        version => env!("CARGO_PKG_VERSION"),
    })
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(harmless);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.add_filter("count", count);
    environment.add_filter("bytes", bytes);
    environment.add_filter("duration", duration);
    environment.add_filter("percent", percent);
    environment.add_filter("clock", clock);
    environment.add_filter("said", said);
    environment.add_filter("frequent", frequent);
    environment.add_template("page", PAGE)?;
    Ok(environment)
}

/// Writes a value: text is made printable, then escaped; only what the template itself made is markup.
fn harmless(to: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str().filter(|_| !value.is_safe()) {
        Some(text) => escape_formatter(to, state, &Value::from(printable(text).as_ref())),
        None => escape_formatter(to, state, value),
    }
}

/// `2026-11-24T06:31:15+00:00` as `2026-11-24 06:31:15`; the page names its zone once.
fn clock(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

/// A template of replies without the words that all of them begin with.
fn said(template: &str) -> String {
    template.trim_start_matches("host *[*] said: ").to_owned()
}

/// Words and how often, the most frequent first.
fn frequent(counts: Serde<Counts>) -> Vec<Value> {
    let mut sorted: Vec<(String, u64)> = counts.0.into_iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted.into_iter().map(|(word, count)| Value::from(vec![Value::from(word), Value::from(count)])).collect()
}

/// A source of the page's policy: the text whose hash this is, and no other.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut environment = environment().unwrap();
        environment.add_template("test", "<td title=\"{{ text }}\">{{ text }}</td>{{ missing.text }}").unwrap();
        let render = |text: &str| {
            let values = context! { text, missing => context! { text => 1 } };
            environment.get_template("test").unwrap().render(values).unwrap()
        };
        let hostile = "</td><script>\"'{{ 7 * 7 }}{% raw %}\u{202e}\0&lt;";
        let page = render(hostile);
        let escaped = "&lt;&#x2f;td&gt;&lt;script&gt;&quot;&#x27;{{ 7 * 7 }}{% raw %}\\u{202e}\\u{0}&amp;lt;";
        assert_eq!(page, format!("<td title=\"{escaped}\">{escaped}</td>1"));
    }

    #[test]
    fn the_policy_knows_a_text_by_its_hash() {
        assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
