use super::*;
use anyhow::{Result, bail};

const COLUMNS: &[Column] = &[
    Column { name: "class", holds: Type::Text },
    Column { name: "recipient_domain", holds: Type::Text },
    Column { name: "attempts", holds: Type::Integer },
    Column { name: "delay_s", holds: Type::Seconds },
    Column { name: "arrival", holds: Type::Time },
];

fn instant(text: &str) -> Result<Micros> {
    match text {
        "noon" => Ok(43_200_000_000),
        _ => bail!("{text:?} is no time"),
    }
}

fn holds(condition: &str, row: &[Cell<'_>]) -> bool {
    Condition::new(condition, COLUMNS, &instant).unwrap_or_else(|why| panic!("{condition}: {why}")).holds(row)
}

#[test]
fn conditions_hold_as_in_sql() {
    let row =
        [Cell::Word("reputation"), Cell::Text(b"mail.it's.de"), Cell::Integer(3), Cell::Seconds(1_500_000), Cell::Time(43_200_000_000)];
    for yes in [
        "class = 'reputation'",
        "class='reputation' and recipient_domain like '%.de'",
        "recipient_domain like '%''s.d_' AND NOT attempts < 3",
        "(class = 'x' or attempts >= 3) and delay_s > 1.4",
        "class = 'x' and attempts = 9 or attempts = 3",
        "class in ('a', 'reputation')",
        "class not in ('a', 'b') and class is not null",
        "CLASS not like 'rep' and class <> 'b'",
        "arrival >= 'noon' and arrival <= 'noon'",
        "not (not (attempts != 2))",
        "attempts in (1, 2, 3) and delay_s = 1.5",
        "recipient_domain like 'm%l.%.de' and recipient_domain like '%'",
    ] {
        assert!(holds(yes, &row), "{yes}");
        assert!(!holds(&format!("not ({yes})"), &row), "not ({yes})");
    }
    for no in ["class like 'REP%'", "attempts = -3", "recipient_domain like '_'", "class is null", "class < 'a'"] {
        assert!(!holds(no, &row), "{no}");
    }
}

#[test]
fn what_is_not_there_is_neither_equal_nor_unequal() {
    let row = [Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty];
    for no in ["class = 'x'", "class != 'x'", "not class = 'x'", "class in ('x')", "not class in ('x')", "class like '%'", "attempts < 1"] {
        assert!(!holds(no, &row), "{no}");
    }
    assert!(holds("class is null", &row));
    assert!(holds("class = 'x' or attempts is null", &row));
}

#[test]
fn mistakes_are_pointed_at() {
    for (wrong, word, under) in [
        ("clas = 'x'", "class", "clas"),
        ("attempts = 1 and domain = 'x'", "recipient_domain", "domain"),
        ("attempts = 'x'", "number", "'x'"),
        ("class = 1", "quotes", "1"),
        ("arrival < 'someday'", "no time", "'someday'"),
        ("arrival < 7", "quotes", "7"),
        ("attempts like '1'", "like", "'1'"),
        ("class = ", "from here on", ""),
        ("class = 'x' und attempts = 1", "from here on", "u"),
        ("class = 'x' and", "from here on", ""),
        ("class", "from here on", ""),
        ("(class = 'x'", "from here on", ""),
        ("class = 'x", "from here on", "'"),
        ("class in ()", "from here on", ")"),
        ("", "from here on", ""),
        ("and", "from here on", "a"),
    ] {
        let why = Condition::new(wrong, COLUMNS, &instant).expect_err(wrong);
        assert!(why.to_string().contains(word), "{wrong}: {why}");
        let shown = why.shown();
        let lines: Vec<&str> = shown.lines().rev().collect();
        let from = lines[0].find('^').expect("a mark");
        let pointed = lines[1].get(from..from + lines[0].len() - from).unwrap_or_default();
        assert_eq!(pointed, under, "{why}");
    }
}

#[test]
fn no_condition_is_too_deep_or_too_long() {
    let deep = format!("{}class = 'x'{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(Condition::new(&deep, COLUMNS, &instant).is_err());
    assert!(Condition::new(&format!("{}class = 'x'", "not ".repeat(10_000)), COLUMNS, &instant).is_err());
    assert!(!like(&"a".repeat(5000), &format!("{}b", "%a".repeat(200)).chars().collect::<Vec<_>>()));
}
