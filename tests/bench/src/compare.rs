//! A report held against the totals that the generator knows.
//!
//! Every key of the truth must be in the report, with the same number. `domains` is an object in the truth and a list in
//! the report: each of the truth's domains is looked up by name.

use serde_json::{Map, Value};
use std::fmt;

/// Where a report and the truth differ.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// `messages.received`, `domains.isp.example.bounced`.
    pub at: String,
    pub truth: String,
    /// What the report says; none where it says nothing.
    pub report: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.report.as_deref().unwrap_or("nothing");
        write!(f, "{}: the truth is {}, the report says {said}", self.at, self.truth)
    }
}

/// Which of the truth's domains must be in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domains {
    All,
    /// Those that the report's list, cut at `--top`, happens to hold; at least one.
    Listed,
}

/// What was compared.
#[derive(Debug, Default)]
pub struct Comparison {
    pub figures: usize,
    pub differences: Vec<Difference>,
}

impl Comparison {
    fn differ(&mut self, at: String, truth: &Value, report: Option<&Value>) {
        self.differences.push(Difference { at, truth: truth.to_string(), report: report.map(Value::to_string) });
    }

    fn value(&mut self, at: &str, truth: &Value, report: Option<&Value>) {
        if let Value::Object(inner) = truth {
            for (key, value) in inner {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                self.value(&at, value, report.and_then(|report| report.get(key)));
            }
            return;
        }
        self.figures += 1;
        if report != Some(truth) {
            self.differ(at.to_owned(), truth, report);
        }
    }

    fn domains(&mut self, truth: &Map<String, Value>, report: Option<&Value>, which: Domains) {
        let rows = report.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let row = |name: &str| rows.iter().find(|row| row.get("domain").and_then(Value::as_str) == Some(name));
        let mut found = 0;
        for (name, counts) in truth {
            match row(name) {
                None if which == Domains::Listed => {}
                row => {
                    found += 1;
                    self.value(&format!("domains.{name}"), counts, row);
                }
            }
        }
        if found == 0 && !truth.is_empty() {
            self.differ("domains".to_owned(), &Value::from(truth.len()), None);
        }
    }
}

/// Holds the report against the truth.
#[must_use]
pub fn compare(report: &Value, truth: &Value, which: Domains) -> Comparison {
    let mut comparison = Comparison::default();
    for (key, value) in truth.as_object().into_iter().flatten() {
        match value {
            Value::Object(domains) if key == "domains" => comparison.domains(domains, report.get(key), which),
            value => comparison.value(key, value, report.get(key)),
        }
    }
    if comparison.figures == 0 {
        comparison.differ("truth".to_owned(), &Value::from("some figures"), None);
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn truth() -> Value {
        json!({
            "input": { "lines": 9 },
            "recipients": { "delivered": 5, "bounced": 1 },
            "domains": { "a.example": { "delivered": 4, "bounced": 1 }, "b.example": { "delivered": 1, "bounced": 0 } },
        })
    }

    fn report() -> Value {
        json!({
            "schema": "mailscope.report/1",
            "input": { "lines": 9, "files": 1 },
            "recipients": { "delivered": 5, "bounced": 1, "expired": 0 },
            "domains": [
                { "domain": "a.example", "delivered": 4, "bounced": 1, "expired": 0 },
                { "domain": "b.example", "delivered": 1, "bounced": 0, "expired": 0 },
            ],
        })
    }

    fn differing(report: &Value, which: Domains) -> Vec<String> {
        compare(report, &truth(), which).differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_report_says_besides_is_no_difference() {
        let comparison = compare(&report(), &truth(), Domains::All);
        assert_eq!((comparison.figures, comparison.differences), (7, vec![]));
    }

    #[test]
    fn every_difference_is_named() {
        let mut wrong = report();
        wrong["recipients"]["delivered"] = json!(6);
        wrong["input"].as_object_mut().unwrap().remove("lines");
        wrong["domains"][1]["bounced"] = json!(2);
        assert_eq!(
            differing(&wrong, Domains::All),
            [
                "domains.b.example.bounced: the truth is 0, the report says 2",
                "input.lines: the truth is 9, the report says nothing",
                "recipients.delivered: the truth is 5, the report says 6",
            ]
        );
    }

    #[test]
    fn a_domain_beyond_the_list_is_missed_only_where_all_are_asked_for() {
        let mut short = report();
        short["domains"].as_array_mut().unwrap().pop();
        assert_eq!(differing(&short, Domains::All).len(), 2);
        assert!(differing(&short, Domains::Listed).is_empty());
        short["domains"] = json!([]);
        assert_eq!(differing(&short, Domains::Listed), ["domains: the truth is 2, the report says nothing"]);
    }

    #[test]
    fn an_empty_truth_proves_nothing() {
        assert_eq!(compare(&report(), &json!({}), Domains::All).differences.len(), 1);
        assert_eq!(compare(&report(), &json!([1]), Domains::All).differences.len(), 1);
    }
}
