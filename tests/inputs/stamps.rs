//! Stamps of the user's own, clocks that are set, lines of other days, and logs that nothing fits.

use super::{TIME, sample, turned};
use crate::support::{directory, figure, file, log, program, report_on, run_on, set_time, text, without_files};
use std::path::Path;

const REPORT: &[&str] = &["report", "--format", "json", "--top", "50", "--tz", "UTC"];

// ---- --time-format -----------------------------------------------------------------------------

#[test]
fn a_format_of_ones_own_gives_the_report_of_the_plain_log() {
    let (directory, log) = (directory(), sample());
    let plain = file(&directory, "plain", &log);
    set_time(&plain, TIME);
    let plain = without_files(&run_on(REPORT, &[&plain]).ok());
    let own = turned(&log, |line| {
        let pid = if line.pid.is_empty() { String::new() } else { format!("[{}]", line.pid) };
        [format!("2026 {}.000 mail {}{pid}: ", line.stamp, line.program).as_bytes(), line.text].concat()
    });
    for bytes in [own.clone(), crate::support::gzipped(&own)] {
        let own = file(&directory, "own", bytes);
        let format = &["--time-format", "%Y %b %d %H:%M:%S%.3f"];
        for more in [&["--threads", "1"][..], &["--threads", "3", "--chunk-size", "1000"]] {
            let ran = run_on(&[REPORT, format, more].concat(), &[&own]);
            assert_eq!(ran.stderr, "");
            assert!(plain == without_files(&ran.ok()));
        }
    }
}

#[test]
fn a_wrong_format_is_wrong_use() {
    for (format, why) in [("%Y-%m-%d %H:%M:%Q", "holds a % that stands for nothing"), ("%H:%M:%S", "does not say month, day")] {
        let ran = run_on(&["report", "--time-format", format], &["none.log"]);
        assert_eq!(ran.status, Some(2));
        assert!(ran.stderr.contains("--time-format: ") && ran.stderr.contains(why), "{}", ran.stderr);
    }
}

// ---- clocks that are set -----------------------------------------------------------------------

/// A line every ten minutes of a night in Berlin, from midnight on, in local time.
fn night(day: &str, hours: &[u32]) -> String {
    let minutes = hours.iter().flat_map(|hour| (0..6).map(move |ten| (hour, ten * 10)));
    let line = |(number, (hour, minute))| {
        format!("{day} {hour:02}:{minute:02}:00 mail postfix/smtpd[{number}]: connect from a.example[192.0.2.1]\n")
    };
    minutes.enumerate().map(line).collect()
}

/// The times of a log's events, in UTC.
fn times(log: &str, more: &[&str]) -> Vec<String> {
    let directory = directory();
    let path = file(&directory, "mail.log", log);
    set_time(&path, 1_795_502_096);
    let ran = run_on(&[&["parse", "--tz", "Europe/Berlin"], more].concat(), &[&path]);
    crate::support::objects(&ran.ok()).iter().map(|row| text(row, "time").to_owned()).collect()
}

fn steps_s(times: &[String]) -> Vec<i64> {
    let seconds: Vec<i64> = times.iter().map(|time| chrono::DateTime::parse_from_rfc3339(time).expect("a time").timestamp()).collect();
    seconds.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[test]
fn the_hour_that_comes_twice_is_two_hours() {
    let log = night("Oct 25", &[0, 1, 2, 2, 3, 4]);
    let whole = times(&log, &[]);
    assert_eq!(whole[12], "2026-10-25T02:00:00+02:00");
    assert_eq!(whole[18], "2026-10-25T02:00:00+01:00");
    assert!(steps_s(&whole).iter().all(|step| *step == 600), "{whole:?}");
    for size in ["1", "100", "333", "1000", "65536"] {
        for threads in ["1", "3"] {
            assert_eq!(whole, times(&log, &["--chunk-size", size, "--threads", threads]), "chunks of {size} bytes on {threads} threads");
        }
    }
    // In two files, cut in the second pass.
    let directory = directory();
    let cut = log.match_indices('\n').nth(20).expect("a line").0 + 1;
    let files = [file(&directory, "mail.log.1", &log[..cut]), file(&directory, "mail.log", &log[cut..])];
    files.iter().for_each(|path| set_time(path, 1_795_502_096));
    let ran = run_on(&["parse", "--tz", "Europe/Berlin"], &files).ok();
    assert_eq!(whole, crate::support::objects(&ran).iter().map(|row| text(row, "time").to_owned()).collect::<Vec<_>>());
}

#[test]
fn the_machines_own_zone_has_an_hour_twice_too() {
    let named = times(&night("Oct 25", &[0, 1, 2, 2, 3, 4]), &[]);
    let directory = directory();
    let path = file(&directory, "mail.log", night("Oct 25", &[0, 1, 2, 2, 3, 4]));
    set_time(&path, 1_795_502_096);
    // As a rule, and as a file where the machine has one.
    for zone in ["CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin"] {
        if !zone.contains(',') && !Path::new("/usr/share/zoneinfo").join(zone).exists() {
            continue;
        }
        let output = program().env("TZ", zone).arg("parse").arg(&path).output().expect("the program starts");
        let rows = crate::support::objects(std::str::from_utf8(&output.stdout).expect("UTF-8"));
        assert_eq!(rows.iter().map(|row| text(row, "time")).collect::<Vec<_>>(), named, "{zone}");
    }
}

#[test]
fn a_late_line_in_the_hour_that_comes_twice_is_late_and_no_more() {
    let log = "Oct 25 02:30:00 mail postfix/smtpd[1]: connect from a.example[192.0.2.1]\n\
               Oct 25 02:29:58 mail postfix/smtpd[2]: connect from a.example[192.0.2.1]\n\
               Oct 25 02:31:00 mail postfix/smtpd[3]: connect from a.example[192.0.2.1]\n\
               Oct 25 02:05:00 mail postfix/smtpd[4]: connect from a.example[192.0.2.1]\n\
               Oct 25 03:00:00 mail postfix/smtpd[5]: connect from a.example[192.0.2.1]\n\
               Oct 25 02:59:59 mail postfix/smtpd[6]: connect from a.example[192.0.2.1]\n";
    let offsets: Vec<String> = times(log, &[]).iter().map(|time| time[11..].to_owned()).collect();
    assert_eq!(offsets, ["02:30:00+02:00", "02:29:58+02:00", "02:31:00+02:00", "02:05:00+01:00", "03:00:00+01:00", "02:59:59+01:00"]);
}

#[test]
fn the_hour_that_is_left_out_in_spring_takes_no_time() {
    let whole = times(&night("Mar 29", &[0, 1, 3, 4]), &[]);
    assert_eq!(whole[12], "2026-03-29T03:00:00+02:00");
    assert!(steps_s(&whole).iter().all(|step| *step == 600), "{whole:?}");
}

// ---- lines of other days, hosts and servers ----------------------------------------------------

#[test]
fn a_line_of_another_day_moves_neither_years_nor_files() {
    let directory = directory();
    let stray = "Jan  1 00:00:07 mail postfix/smtpd[1]: connect from a.example[192.0.2.1]\n";
    let lines = |day: u32| {
        (0..9).map(|n| format!("Nov {day} 10:00:0{n} mail postfix/smtpd[{day}]: connect from a.example[192.0.2.1]\n")).collect::<String>()
    };
    for (first, second) in [
        (stray.to_owned() + &lines(23), lines(24)),
        (lines(23), stray.to_owned() + &lines(24)),
        (lines(23) + stray, lines(24) + stray),
        (lines(23), lines(24) + stray),
    ] {
        // By name the second would be first.
        let files = [file(&directory, "mail.log.2", &second), file(&directory, "mail.log.1", &first)];
        files.iter().for_each(|path| set_time(path, TIME));
        let rows = crate::support::objects(&run_on(&["parse", "--tz", "UTC"], &files).ok());
        let days: Vec<&str> = rows.iter().map(|row| &text(row, "time")[..10]).filter(|day| !day.contains("-01-01")).collect();
        assert_eq!(days, [["2026-11-23"; 9], ["2026-11-24"; 9]].concat(), "{first}{second}");
    }
}

#[test]
fn a_line_of_another_day_does_not_stretch_the_window() {
    let directory = directory();
    let line = |stamp: &str| format!("{stamp} mail postfix/smtpd[1]: connect from a.example[192.0.2.1]\n");
    let day: String = (0..60).map(|minute| line(&format!("2026-11-24T10:{minute:02}:00+00:00"))).collect();
    let whole = report_on(&[file(&directory, "whole", &day)], &[]);
    let stray = line("1970-01-01T00:00:07+00:00");
    let half: usize = day.lines().take(30).map(|line| line.len() + 1).sum();
    for (name, log) in [("before", stray.clone() + &day), ("within", format!("{}{stray}{}", &day[..half], &day[half..]))] {
        for more in [&["--threads", "1"][..], &["--threads", "3", "--chunk-size", "700"]] {
            let report = report_on(&[file(&directory, name, &log)], more);
            assert_eq!((&report["window"], &report["bucket_s"]), (&whole["window"], &whole["bucket_s"]), "{name}");
            assert_eq!((figure(&report, "input.stray"), figure(&report, "input.lines")), (&1.into(), &61.into()));
            assert_eq!(figure(&report, "connections.inbound"), 61);
            let printed = run_on(&["report", "--tz", "UTC"], &[directory.path().join(name)]).ok();
            assert!(printed.contains("1 of another time altogether"), "{printed}");
        }
    }
}

#[test]
fn several_hosts_and_servers_in_one_log() {
    let mixed = log(&[
        "10:00:00 smtpd@mx1 connect from a.example[192.0.2.1]",
        "10:00:00 smtpd@mx2 connect from a.example[192.0.2.1]",
        "10:00:01 smtpd@mx1 disconnect from a.example[192.0.2.1]",
    ]) + "2026-11-24T10:00:02+00:00 mx1 dovecot: master: Dovecot v2.3.19.1 (9b53102964) starting up for lmtp (core dumps disabled)\n";
    let directory = directory();
    let report = report_on(&[file(&directory, "mail.log", mixed)], &[]);
    assert_eq!(figure(&report, "input.unrecognized"), 0);
    assert_eq!(report["hosts"].as_array().map(Vec::len), Some(2));
    assert_eq!(report["input"]["by_parser"].as_object().map(serde_json::Map::len), Some(2));
}

// ---- nothing fits ------------------------------------------------------------------------------

#[test]
fn a_log_that_nothing_fits_is_shown_with_what_was_tried() {
    let directory = directory();
    let path = file(&directory, "odd.log", "24.11.2026 10:00 \x1b[31mmail\x1b[0m gestartet\n\nnoch eine Zeile\n");
    let ran = run_on(&["report"], &[&path]);
    assert_eq!(ran.status, Some(0));
    assert!(ran.stderr.contains("none of the 3 lines could be read. Tried: syslog lines"), "{}", ran.stderr);
    assert!(ran.stderr.contains("postfix") && ran.stderr.contains("noch eine Zeile") && !ran.stderr.contains('\x1b'), "{}", ran.stderr);
    let ran = run_on(&["report", "--parser", "dovecot"], &[&path]);
    assert!(ran.stderr.contains("with the parsers dovecot."), "{}", ran.stderr);
    let plain = file(&directory, "mail.log", sample());
    assert!(!run_on(&["report"], &[&plain]).stderr.contains("could be read"));
}
