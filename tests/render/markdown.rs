//! What stands in the Markdown.

use super::{PLACES, day, hostile, is_unsafe, rendered};

/// The text outside of code spans.
fn outside_of_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let inside = &rest[at + fence..];
        // A span ends at a run of exactly as many backticks.
        let mut from = 0;
        let end = loop {
            let begin = from + inside[from..].find('`').unwrap_or_else(|| panic!("a fence is left open: {line}"));
            let run = inside[begin..].len() - inside[begin..].trim_start_matches('`').len();
            if run == fence {
                break begin + run;
            }
            from = begin + run;
        };
        rest = &inside[end..];
    }
    outside + rest
}

#[test]
fn findings_come_first_and_tables_have_even_rows() {
    let text = rendered(&day(), "markdown", &[]);
    let sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(sections[..3], ["Findings", "Traffic", "Why mail failed or waits"]);
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let lines: Vec<&str> = text.lines().collect();
    let tables = lines.split(|line| !line.starts_with('|')).filter(|table| !table.is_empty());
    let uneven: Vec<&[&str]> = tables.filter(|table| table.iter().any(|line| cells(line) != cells(table[0]))).collect();
    assert!(uneven.is_empty(), "{uneven:?}");
    assert!(lines.iter().any(|line| line.starts_with("| `gone.example` |")), "{text}");
}

#[test]
fn what_a_log_says_is_code() {
    let text = rendered(&hostile(), "markdown", &[]);
    for place in PLACES.iter().filter(|place| !["sender", "user"].contains(place)) {
        assert!(text.contains(&format!("javascript:alert({place})\\u{{202e}}")), "{place} is not shown: {text}");
    }
    for line in text.lines() {
        let outside = outside_of_code(line);
        assert!(!outside.contains(['<', '>', '{', '[', '@', '_', '\\']), "{outside}");
        if line.starts_with('|') {
            let pipes = line.replace("\\|", "").matches('|').count();
            assert_eq!(outside.matches('|').count(), pipes, "a pipe of a log ends a cell: {line}");
        }
    }
    assert!(!text.contains(is_unsafe));
}

#[test]
fn a_log_without_failures_says_so() {
    assert!(rendered("", "md", &[]).contains("Nothing was found"));
}
