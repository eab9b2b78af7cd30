//! `--fail-on`: what makes a report fail, for cron.

use crate::report::{FINDINGS, Report, Severity};

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// A finding of that word.
    Finding(&'static str),
    /// Any finding that is at least so severe.
    Severity(Severity),
    /// A rate above so much.
    Rate(Rate, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    Bounce,
    Deferral,
    Reject,
}

/// Reads `bounce>5%`, `deferral>0.1`, `critical`, `blocklisted`.
///
/// # Errors
/// Where it is none of these: what it can be.
pub fn parse(text: &str) -> Result<Limit, String> {
    if let Some((rate, limit)) = text.split_once('>') {
        let rate = match rate.trim() {
            "bounce" => Rate::Bounce,
            "deferral" => Rate::Deferral,
            "reject" => Rate::Reject,
            other => return Err(format!("there is no rate {other}; there are bounce, deferral and reject")),
        };
        let limit = limit.trim();
        let (number, unit) = limit.strip_suffix('%').map_or((limit, 1.0), |number| (number.trim(), 100.0));
        let number: f64 = number.parse().map_err(|_| format!("{limit} is no number such as 5% or 0.05"))?;
        return Ok(Limit::Rate(rate, number / unit));
    }
    match text {
        "critical" => Ok(Limit::Severity(Severity::Critical)),
        "warning" => Ok(Limit::Severity(Severity::Warning)),
        "notice" => Ok(Limit::Severity(Severity::Notice)),
        _ => FINDINGS.iter().find(|finding| **finding == text).map(|finding| Limit::Finding(finding)).ok_or_else(|| {
            format!("no finding is called so; there are critical, warning, notice, {}, and rates such as bounce>5%", FINDINGS.join(", "))
        }),
    }
}

impl Limit {
    /// Whether it is so.
    pub fn is_met(&self, report: &Report) -> bool {
        match self {
            Self::Finding(word) => report.findings.iter().any(|finding| finding.finding == *word),
            Self::Severity(severity) => report.findings.iter().any(|finding| finding.severity <= *severity),
            Self::Rate(rate, limit) => {
                let rates = &report.rates;
                let rate = match rate {
                    Rate::Bounce => rates.bounce,
                    Rate::Deferral => rates.deferral,
                    Rate::Reject => rates.reject,
                };
                rate.is_some_and(|rate| rate > *limit)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_or_refused_with_what_there_is() {
        assert_eq!(parse("bounce>5%"), Ok(Limit::Rate(Rate::Bounce, 0.05)));
        assert_eq!(parse("deferral > 0.25"), Ok(Limit::Rate(Rate::Deferral, 0.25)));
        assert_eq!(parse("critical"), Ok(Limit::Severity(Severity::Critical)));
        assert_eq!(parse("blocklisted"), Ok(Limit::Finding("blocklisted")));
        assert!(parse("bounces>5%").unwrap_err().contains("bounce, deferral"));
        assert!(parse("bounce>much").unwrap_err().contains("much"));
        assert!(parse("blacklisted").unwrap_err().contains("blocklisted"));
    }
}
