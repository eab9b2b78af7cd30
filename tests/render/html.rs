//! What stands in the page.

use super::{PLACES, day, hostile, is_unsafe, rendered};
use crate::support::{run_on, samples};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// What stands between two texts.
#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let rest = text.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}

#[test]
fn one_file_that_loads_nothing() {
    let page = run_on(&["report", "--year", "2026", "--tz", "UTC", "--format", "html"], &[samples().join("mail.log")]).ok();
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    for link in page.split(" href=\"").skip(1) {
        assert!(link.starts_with('#') || link.starts_with("data:,\""), "{}", &link[..40]);
    }
    for loads in [" src=", "@import", "url(", "<iframe", "<object", "<form", " style=", " onclick=", " onload="] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn the_policy_lets_its_own_style_and_script_run_and_nothing_else() {
    let page = rendered(&day(), "html", &[]);
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let style = hash(between(&page, "<style>", "</style>"));
    let script = hash(between(&page, "<script>", "</script>"));
    assert_eq!(
        policy,
        format!("default-src 'none'; style-src {style}; script-src {script}; img-src data:; base-uri 'none'; form-action 'none'")
    );
}

#[test]
fn findings_stand_before_figures_and_figures_before_lists() {
    let page = rendered(&day(), "html", &[]);
    let places: Vec<usize> = [
        "findings",
        "figures",
        "timeline",
        "classes",
        "patterns",
        "heat",
        "domains",
        "providers",
        "delay",
        "rejects",
        "clients",
        "senders",
    ]
    .iter()
    .map(|id| page.find(&format!("<section id=\"{id}\">")).unwrap_or_else(|| panic!("no section {id}")))
    .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(between(&page, "<dt>Delivered</dt><dd>", "<").parse::<u64>().is_ok());
}

#[test]
fn lists_end_at_the_top_and_say_what_is_beyond() {
    let page = rendered(&day(), "html", &["--top", "3"]);
    let table = between(&page, "<table id=\"t-domains\"", "</table>");
    assert_eq!(between(table, "<tbody>", "</tbody>").matches("<tr>").count(), 3);
    assert!(between(table, "<tfoot>", "</tfoot>").contains("others"), "{table}");
    assert!(!rendered(&day(), "html", &["--top", "500"]).contains("<tfoot>"));
}

#[test]
fn what_a_log_says_is_text() {
    let page = rendered(&hostile(), "html", &[]);
    for place in PLACES {
        assert!(page.contains(&format!("javascript:alert({place})\\u{{202e}}")), "{place} is not shown");
    }
    assert_eq!((page.matches("<script").count(), page.matches("</script").count(), page.matches("</style").count()), (1, 1, 1));
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert!(page.contains("{{7*7}}"), "template syntax of a log is not evaluated");
    assert!(!page.contains(is_unsafe), "{:?}", page.chars().find(|c| is_unsafe(*c)));
}

#[test]
fn an_empty_log_is_a_page_too() {
    let page = rendered("", "html", &[]);
    assert!(page.contains("no line with a time") && page.ends_with("</html>\n"), "{page}");
}

#[test]
fn the_heat_has_the_deferrals_of_the_report() {
    let report = crate::support::report_of(&day(), &[]);
    let heat = report["heat"].as_array().expect("a list");
    let sum = heat.iter().map(|cell| cell["deferred_attempts"].as_u64().expect("a count")).sum::<u64>();
    assert_eq!(Some(sum), report["attempts"]["deferred"].as_u64());
    let of = |destination: &str| heat.iter().filter(|cell| cell["destination"] == destination).count();
    // By the hour, from the first hour in which a message of that kind came.
    assert_eq!((of("Google"), of("full.example"), of("gmail.example")), (7, 9, 0));
    let page = rendered(&day(), "html", &[]);
    let rows = between(&page, "<table id=\"t-heat\"", "</table>");
    assert_eq!(rows.matches("<title>").count(), heat.len());
}
