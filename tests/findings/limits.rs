//! `--fail-on` and `--baseline`, for cron.

use super::day::{Attempt, Day, finding};
use crate::support::{directory, file, run_on};

fn bouncing(every: usize) -> String {
    let mut day = Day::healthy();
    for minute in (0..700).step_by(every) {
        day.message(
            f64::from(minute) + 0.5,
            &Attempt { status: "bounced", dsn: "5.1.1", reply: "host mx said: 550 5.1.1 User unknown", ..Attempt::default() },
        );
    }
    day.log()
}

#[test]
fn the_exit_status_is_1_where_a_limit_is_met() {
    let folder = directory();
    let log = [file(&folder, "mail.log", bouncing(4))];
    for (limit, status) in [("bounce>5%", 1), ("bounce>0.5", 0), ("bounce_rate", 1), ("blocklisted", 0), ("critical", 1), ("deferral>0", 0)]
    {
        let ran = run_on(&["report", "--fail-on", limit, "--format", "json"], &log);
        assert_eq!(ran.status, Some(status), "{limit}: {}", ran.stderr);
        assert_eq!(ran.report()["schema"], "mailscope.report/1");
    }
    let ran = run_on(&["report", "--fail-on", "boredom"], &log);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("bounce_rate"), "{}", ran.stderr);
    let missing = folder.path().join("missing.log");
    assert_eq!(run_on(&["report", "--fail-on", "bounce>5%"], &[&log[0], &missing]).status, Some(2));
}

#[test]
fn an_earlier_report_is_the_measure() {
    let folder = directory();
    let (before, now) = (file(&folder, "before.log", bouncing(100)), file(&folder, "now.log", bouncing(30)));
    let earlier = folder.path().join("earlier.json");
    let write = ["report", "--format", "json", "-o", earlier.to_str().expect("a path")];
    assert_eq!(run_on(&write, &[&before]).status, Some(0));
    let compare = ["report", "--format", "json", "--baseline", earlier.to_str().expect("a path")];
    let report = run_on(&compare, &[&now]).report();
    let worse = finding(&report, "worse_than_baseline").unwrap_or_else(|| panic!("{:#}", report["findings"]));
    assert!(worse["title"].as_str().expect("a title").contains("bounce rate"), "{worse:#}");
    assert_eq!(finding(&run_on(&compare, &[&before]).report(), "worse_than_baseline"), None);
    let ran = run_on(&["report", "--baseline", before.to_str().expect("a path")], &[&now]);
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("before.log") && ran.stderr.contains("no report in JSON"), "{}", ran.stderr);
}
