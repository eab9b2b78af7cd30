use super::*;

const STAMP: &str = "2026-11-24T06:31:15.834252+00:00";

fn json(lines: &[&str]) -> String {
    let (mut records, mut out) = (Records::default(), Vec::new());
    lines.iter().for_each(|line| records.json(line.as_bytes(), &mut out));
    records.finish(&mut out);
    String::from_utf8(out).unwrap()
}

fn cri(lines: &[&str]) -> String {
    let (mut records, mut out) = (Records::default(), Vec::new());
    lines.iter().for_each(|line| records.cri(line.as_bytes(), &mut out));
    records.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_json_of_syslog_daemons() {
    let line = format!("{STAMP} mail postfix/smtpd[541]: connect from a[192.0.2.1]\n");
    for object in [
        r#"{"@timestamp":"T","host":"mail","severity":"info","program":"postfix","tag":"postfix\/smtpd[541]:","procid":"541","message":" connect from a[192.0.2.1]"}"#,
        r#"{"timereported":"T","hostname":"mail","syslogtag":"postfix/smtpd[541]:","msg":"connect from a[192.0.2.1]\n"}"#,
        r#"{"msg": "connect from a[192.0.2.1]", "appname": "postfix/smtpd", "pid": 541, "host": {"ip": [], "name": "mail"}, "timestamp": "T"}"#,
        r#"{"PROGRAM":"postfix/smtpd","PRIORITY":"info","PID":"541","MESSAGE":"connect from a[192.0.2.1]","HOST":"mail","ISODATE":"T"}"#,
    ] {
        assert_eq!(json(&[&object.replace("\"T\"", &format!("\"{STAMP}\""))]), line, "{object}");
    }
}

#[test]
fn stamps_of_every_kind() {
    for (stamp, written) in [
        ("\"Nov 24 06:31:15\"", "Nov 24 06:31:15"),
        ("\"2026-11-24 06:31:15,5\"", "2026-11-24 06:31:15,5"),
        ("1795501875", "2026-11-24T06:31:15.000000Z"),
        ("1795501875.25", "2026-11-24T06:31:15.250000Z"),
        ("1795501875834", "2026-11-24T06:31:15.834000Z"),
        ("\"1795501875834252\"", "2026-11-24T06:31:15.834252Z"),
        ("1795501875834252999", "2026-11-24T06:31:15.834252Z"),
    ] {
        let object = format!(r#"{{"time":{stamp},"host":"h","program":"p","message":"x"}}"#);
        assert_eq!(json(&[&object]), format!("{written} h p: x\n"));
    }
}

#[test]
fn what_is_no_record_comes_out_as_it_came() {
    for line in [
        "",
        "{",
        "{\"message\":\"x\"}",
        "{\"time\":\"soon\",\"message\":\"x\"}",
        "{\"time\":1795501875}",
        "{\"time\":1795501875,\"host\":\"h\",\"message\":\"delivered\"}",
        "Nov 24 06:31:15 h p: x",
        "{\"time\":99999999999999999999999,\"message\":\"x\"}",
        "{\"time\":\".\",\"message\":\"x\"}",
    ] {
        assert_eq!(json(&[line]), format!("{line}\n"));
    }
}

#[test]
fn one_record_is_one_line_and_its_header_holds() {
    let object = format!(r#"{{"time":"{STAMP}","host":"a b\n","program":"x y[1]:","pid":"7]","message":"one\ntwo\u0000\tthree"}}"#);
    assert_eq!(json(&[&object]), format!("{STAMP} a_b x_y_1__: one#012two#000#011three\n"));
}

#[test]
fn docker_lines_of_every_kind() {
    let docker = |log: &str| format!(r#"{{"log":"{log}","stream":"stdout","time":"2026-11-24T06:31:15.834252123Z"}}"#);
    for (log, line) in [
        ("postfix/smtpd[541]: text\\n", "2026-11-24T06:31:15.834252123Z postfix/smtpd[541]: text"),
        // The runtime knows the year, the zone and the fraction.
        ("Nov 24 07:31:15 mail postfix/smtpd[541]: text\\n", "2026-11-24T06:31:15.834252123Z mail postfix/smtpd[541]: text"),
        (
            "\\u003c22\\u003eNov 24 07:31:15 mail postfix/smtpd[541]: text\\r\\n",
            "2026-11-24T06:31:15.834252123Z mail postfix/smtpd[541]: text",
        ),
        ("2026-11-24T06:31:15Z mail postfix/smtpd[541]: text\\n", "2026-11-24T06:31:15Z mail postfix/smtpd[541]: text"),
        ("2026-11-24 06:31:15 1wZyXw-000001-2Y Completed\\n", "2026-11-24 06:31:15 1wZyXw-000001-2Y Completed"),
    ] {
        assert_eq!(json(&[&docker(log)]), format!("{line}\n"));
    }
}

#[test]
fn pieces_of_a_container_line_are_joined() {
    let (long, short) = ("x".repeat(PIECE), "y".repeat(10));
    let docker = |log: &str, stream: &str| format!(r#"{{"log":"{log}","stream":"{stream}","time":"2026-11-24T06:31:15Z"}}"#);
    let lines = [docker(&format!("p: {long}"), "stdout"), docker("q: z\\n", "stderr"), docker(&format!("{short}\\n"), "stdout")];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let first = "2026-11-24T06:31:15Z";
    assert_eq!(json(&lines), format!("{first} q: z\n{first} p: {long}{short}\n"));

    let at = |second: u32| format!("2026-11-24T06:31:{second}.123456789Z");
    let lines = [format!("{} stdout P p: on", at(15)), format!("{} stderr F q: z", at(15)), format!("{} stdout F e", at(16))];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(cri(&lines), format!("{0} q: z\n{0} p: one\n", at(15)));
    assert_eq!(cri(&lines[..1]), format!("{} p: on\n", at(15)));
    assert_eq!(cri(&["no line of a container"]), "no line of a container\n");
}

#[test]
fn entries_of_the_journal() {
    let object = r#"{"__REALTIME_TIMESTAMP":"1795501875834999","_SOURCE_REALTIME_TIMESTAMP":"1795501875834252","_HOSTNAME":"mail",
        "SYSLOG_IDENTIFIER":"postfix/smtp","_COMM":"smtp","_PID":"1","SYSLOG_PID":["548","549"],"MESSAGE":[97,58,32,255,10,98]}"#;
    let (mut records, mut out) = (Records::default(), Vec::new());
    records.json(object.as_bytes(), &mut out);
    assert_eq!(out, b"2026-11-24T06:31:15.834252Z mail postfix/smtp[548]: a: \xff#012b\n");
    assert_eq!(
        json(&[r#"{"__REALTIME_TIMESTAMP":"1795501875834999","_HOSTNAME":"mail","_COMM":"x","MESSAGE":null}"#]),
        "2026-11-24T06:31:15.834999Z mail x: \n"
    );

    out.clear();
    records.field(b"__REALTIME_TIMESTAMP", b"1795501875834252");
    records.field(b"MESSAGE", b"a\nb");
    records.field(b"SYSLOG_IDENTIFIER", b"postfix/smtp");
    records.field(b"_HOSTNAME", b"mail");
    records.entry(&mut out);
    records.entry(&mut out);
    assert_eq!(out, b"2026-11-24T06:31:15.834252Z mail postfix/smtp: a#012b\n");
}

#[test]
fn forms_are_told_by_the_first_line_that_says_so() {
    for (head, form) in [
        ("", None),
        ("hello\n", None),
        ("ov 24 06:31:15 cut\nNov 24 06:31:15 h p: x\n{\"a\":1}\n", Some(Form::Lines)),
        ("<22>1 2026-11-24T06:31:15Z h p - - - x\n", Some(Form::Lines)),
        ("\u{feff}{\"a\":1}", Some(Form::Json)),
        ("ge\":\"cut\"}\n{ \"a\":1}\n", Some(Form::Json)),
        ("{curly}\n", None),
        ("2026-11-24T05:28:16.123456789Z stdout F x\n", Some(Form::Cri)),
        ("2026-11-24T05:28:16.123456789Z stdout postfix/smtpd[1]: x\n", Some(Form::Lines)),
        ("__CURSOR=s=1\n__REALTIME_TIMESTAMP=1\n", Some(Form::Export)),
        ("CUT=1\n\n__CURSOR=s=1\n", Some(Form::Export)),
    ] {
        assert_eq!(Form::of(head.as_bytes()), form, "{head}");
    }
}

#[test]
fn no_damage_makes_it_fail() {
    let object = r#"{"log":"Nov 24 06:31:15 m p[1]: \ud83d\u00","stream":"stdout","time":"2026-11-24T06:31:15.8Z","host":{"name":["a"]}}"#;
    for end in 0..object.len() {
        for c in [b'"', b'\\', b'{', b']', 0, 0xff] {
            let mut bytes = object.as_bytes().to_vec();
            bytes[end] = c;
            let (mut records, mut out) = (Records::default(), Vec::new());
            records.json(&bytes, &mut out);
            records.json(&bytes[..end], &mut out);
            records.finish(&mut out);
            assert_eq!(out.iter().filter(|c| **c == b'\n').count(), 2, "{}", String::from_utf8_lossy(&out));
        }
    }
}
