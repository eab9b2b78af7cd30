//! An earlier report as the measure of a normal day.

use super::{Facts, Finding, Severity};
use mailscope_parsers::model::Side;
use serde::Deserialize;

/// Why an earlier report can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("is no report in JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("has the schema {0:?}; mailscope.report/1 is needed")]
    Schema(String),
}

/// What is compared of an earlier report.
#[derive(Clone, Debug, Deserialize)]
pub struct Baseline {
    schema: String,
    rates: Rates,
    delay: Delay,
    messages: Messages,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Rates {
    bounce: Option<f64>,
    deferral: Option<f64>,
    reject: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Delay {
    p90_s: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Messages {
    received: u64,
}

impl Baseline {
    /// Reads an earlier report.
    ///
    /// # Errors
    /// Where it is no such report.
    pub fn read(from: impl std::io::Read) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_reader(from)?;
        if baseline.schema == "mailscope.report/1" { Ok(baseline) } else { Err(BaselineError::Schema(baseline.schema)) }
    }

    pub(super) fn find(&self, facts: &Facts<'_>, all: &mut Vec<Finding>) {
        let (lines, mail) = (&facts.summary.lines, &facts.summary.mail);
        let share = |part: u64, whole: u64| (whole >= 100).then(|| part as f64 / whole as f64);
        let delay = mail.delay.all();
        let p90 = delay.quantiles([0.9]).map(|[p90]| p90 as f64 / 1e6);
        let rates = [
            ("bounce rate", self.rates.bounce, share(mail.bad, mail.good + mail.bad), 0.01, mail.bad),
            ("deferral rate", self.rates.deferral, share(lines.attempts.deferred, lines.attempts.total), 0.03, lines.attempts.deferred),
            (
                "reject rate",
                self.rates.reject,
                share(lines.rejects.total, lines.rejects.total + mail.messages.received),
                0.05,
                lines.rejects.total,
            ),
        ];
        for (what, before, now, least, weight) in rates {
            if let (Some(before), Some(now)) = (before, now)
                && now > before * 1.5
                && now - before > least
            {
                let words = format!("{:.1} % instead of {:.1} %", now * 100.0, before * 100.0);
                all.push(worse(what, words, weight, Severity::Warning));
            }
        }
        if let (Some(before), Some(now)) = (self.delay.p90_s, p90)
            && now > before * 3.0
            && now - before > 10.0
        {
            all.push(worse("delay (p90)", format!("{now:.0} s instead of {before:.0} s"), delay.count, Severity::Warning));
        }
        let received = mail.messages.received;
        if received * 2 < self.messages.received && self.messages.received >= 100 {
            all.push(worse(
                "traffic",
                format!("{received} messages received instead of {}", self.messages.received),
                self.messages.received,
                Severity::Notice,
            ));
        }
    }
}

fn worse(what: &str, words: String, weight: u64, severity: Severity) -> Finding {
    Finding {
        finding: "worse_than_baseline",
        severity,
        title: format!("The {what} is not what it was in the earlier report"),
        evidence: words,
        since: None,
        until: None,
        side: Side::Nobody,
        action: "compare the lists of both reports: which class, provider or sender is new?".to_owned(),
        weight,
    }
}
