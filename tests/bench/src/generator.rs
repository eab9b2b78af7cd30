//! The run: sessions begin at the pace asked for, lines are written in the order of time, totals follow what is written.

use crate::clock::{Micros, Stamps, Style};
use crate::schedule::Job;
use crate::simulation::Simulation;
use crate::truth::Truth;
use std::io::{self, Write};

/// Within so many bytes of the budget's end the log stops at the first place where every child is named by its parent:
/// a reader can't know what a cut-off line would have told. (A small log stops within a thousandth.)
const LANDING: u64 = 16_000;

pub struct Plan {
    pub bytes: u64,
    pub seed: u64,
    pub bytes_per_day: f64,
    pub style: Style,
}

/// Writes the log and returns its totals, with the domains' names for them.
pub fn generate(plan: &Plan, out: &mut impl Write) -> io::Result<(Truth, Vec<String>)> {
    let mut simulation = Simulation::new(plan.seed, plan.bytes_per_day, plan.style);
    let names: Vec<String> = simulation.world.names().into_iter().map(str::to_owned).collect();
    let mut truth = Truth::new(names.len());
    let mut stamps = Stamps::new(plan.style);
    simulation.start(0);
    let landing = LANDING.min(plan.bytes / 1_000);
    let mut next_session: Micros = 1_000_000;
    loop {
        while simulation.schedule.next_at().is_none_or(|due| next_session <= due) {
            begin(&mut simulation, next_session);
            next_session += simulation.gap(next_session) + 1;
        }
        let Some((at, job)) = simulation.schedule.pop() else {
            break;
        };
        let (text, fact) = match job {
            Job::Retry(file) => {
                simulation.round(*file, at);
                continue;
            }
            Job::Line(text, fact) => (text, fact),
        };
        let stamp = stamps.of(at);
        let size = (stamp.len() + text.len()) as u64;
        let written = truth.totals.bytes;
        if written + size > plan.bytes || (written + landing >= plan.bytes && truth.is_settled()) {
            break;
        }
        out.write_all(stamp.as_bytes())?;
        out.write_all(text.as_bytes())?;
        truth.count(fact, size);
        simulation.schedule.recycle(text);
    }
    out.flush()?;
    Ok((truth, names))
}

/// One session of the kind that the draw says.
fn begin(simulation: &mut Simulation, at: Micros) {
    if let Some(due) = simulation.due_reload(at) {
        simulation.reload(due.max(at));
    }
    match simulation.rng.below(1_000) {
        0..838 => simulation.mail_session(at),
        838..938 => simulation.reject_session(at),
        938..958 => simulation.scan_session(at),
        958..969 => simulation.guess_session(at),
        969..986 => simulation.postscreen_session(at),
        _ => simulation.background(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seed: u64, style: Style) -> (Vec<u8>, serde_json::Value) {
        let plan = Plan { bytes: 3_000_000, seed, bytes_per_day: 10e6, style };
        let mut log = Vec::new();
        let (truth, names) = generate(&plan, &mut log).expect("writing to memory");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        (log, truth.json(&names))
    }

    #[test]
    fn equal_seeds_give_equal_logs() {
        let (log, truth) = run(7, Style::Bsd);
        assert!((log.clone(), truth) == run(7, Style::Bsd));
        assert!(log != run(8, Style::Bsd).0);
    }

    #[test]
    fn lines_are_whole_and_in_the_order_of_time() {
        let (log, truth) = run(9, Style::Rfc3339);
        assert!(log.len() <= 3_000_000 && log.len() > 2_996_000, "{}", log.len());
        let text = String::from_utf8(log).expect("text");
        assert!(text.ends_with('\n'));
        assert!(text.lines().map(|l| &l[..26]).is_sorted());
        assert_eq!(truth["input"]["lines"], text.lines().count());
    }

    #[test]
    fn totals_are_those_of_the_words() {
        let (log, truth) = run(10, Style::Bsd);
        let text = String::from_utf8(log).expect("text");
        let count = |what: &str| text.lines().filter(|l| l.contains(what)).count();
        assert_eq!(truth["attempts"]["sent"], count(", status=sent ("));
        assert_eq!(truth["attempts"]["bounced"], count(", status=bounced ("));
        assert_eq!(truth["attempts"]["deferred"], count(", status=deferred ("));
        assert_eq!(truth["messages"]["removed"], text.lines().filter(|l| l.ends_with(": removed")).count());
        assert_eq!(truth["messages"]["notifications"], count(" notification: "));
        assert_eq!(truth["rejects"]["total"], count(": reject: ") + count(": milter-reject: "));
        assert_eq!(truth["rejects"]["warnings"], count(": reject_warning: "));
        assert_eq!(truth["auth"]["failures"], count(" authentication failed: "));
        assert_eq!(truth["recipients"]["forwarded"], count("(forwarded as "));
    }
}
