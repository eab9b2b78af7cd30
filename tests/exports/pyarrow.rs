//! Parquet as another reader sees it, where there is one: Arrow for Python reads the types that the columns have and the
//! values that JSON has, of every table.

use crate::support::{directory, objects, rows_on, run_on, samples};
use mailscope::export::{Source, TABLES, Type};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const YEAR: &[&str] = &["--year", "2026", "--tz", "Europe/Berlin", "-q"];
/// The types of the columns on a line, and each row on one.
const READ: &str = "import json, sys, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1])
print(json.dumps({field.name: str(field.type) for field in table.schema}))
for row in table.to_pylist():
    print(json.dumps({name: value for name, value in row.items() if value is not None}, default=lambda time: time.isoformat()))";

fn python(script: &str, path: &Path) -> Option<String> {
    let output = Command::new("python3").args(["-c", script]).arg(path).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Numbers as numbers, times as moments.
fn same(found: &Value, expected: &Value, holds: Type) -> bool {
    let moment = |value: &Value| chrono::DateTime::parse_from_rfc3339(value.as_str()?).ok();
    match holds {
        Type::Time => moment(found).is_some() && moment(found) == moment(expected),
        Type::Text => found == expected,
        _ => found.as_f64().zip(expected.as_f64()).is_some_and(|(found, expected)| (found - expected).abs() < 1e-9),
    }
}

#[test]
fn arrow_reads_every_table_as_it_is() {
    if python("import pyarrow.parquet", Path::new("-")).is_none() {
        eprintln!("skipped: no python3 with pyarrow to read parquet");
        return;
    }
    let (directory, log, listing) = (directory(), samples().join("mail.log"), samples().join("queue/mixed.json"));
    for table in TABLES {
        let from = if table.source == Source::Listings { &listing } else { &log };
        let path = directory.path().join(format!("{}.parquet", table.name));
        run_on(&[&["export", table.name, "-o", path.to_str().expect("UTF-8")], YEAR].concat(), &[from]).ok();
        let read = objects(&python(READ, &path).expect("Arrow reads it"));
        let (types, rows) = read.split_first().expect("the types");
        for column in table.columns {
            let expected: &[&str] = match column.holds {
                Type::Text => &["string", "large_string", "string_view"],
                Type::Integer => &["int64"],
                Type::Number | Type::Share | Type::Seconds => &["double"],
                Type::Time => &["timestamp[us, tz=UTC]"],
            };
            let found = types[column.name].as_str().expect("a type");
            assert!(expected.contains(&found), "{} {}: {found}", table.name, column.name);
        }
        let expected = rows_on(table.name, &[from], YEAR);
        assert_eq!(rows.len(), expected.len(), "{}", table.name);
        for (row, expected) in rows.iter().zip(&expected) {
            assert_eq!(row.len(), expected.len(), "{}: {row:?}", table.name);
            for column in table.columns.iter().filter(|column| row.contains_key(column.name)) {
                assert!(same(&row[column.name], &expected[column.name], column.holds), "{} {}: {row:?}", table.name, column.name);
            }
        }
    }
}
