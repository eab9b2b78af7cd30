//! Just enough of a reader for source that rustfmt has written: code without comments and tests, paths that it names,
//! functions with their lengths.

/// Whether a file is part of the tests of its crate and never of the program.
pub fn is_test(path: &std::path::Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// The lines of a source file that end up in the program, numbered from 1: no comments, no items under `#[cfg(test)]`.
pub fn code(text: &str) -> Vec<(usize, &str)> {
    let mut kept = Vec::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line)).peekable();
    while let Some((number, line)) = lines.next() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
            // An item of one line, or all up to the brace that closes it.
            let short = lines.next().is_none_or(|(_, item)| item.ends_with(';') || item.ends_with('}'));
            while !short && lines.next().is_some_and(|(_, line)| line != end) {}
        } else if !line.trim_start().starts_with("//") {
            kept.push((number, line.split(" // ").next().unwrap_or_default()));
        }
    }
    kept
}

/// Every path that begins with `start` (as in `crate::`), without it, braces multiplied out: `a::{b, c::d}` is `a::b` and
/// `a::c::d`.
pub fn paths(code: &[(usize, &str)], start: &str) -> Vec<(usize, String)> {
    let text: String = code.iter().map(|(_, line)| format!("{line}\n")).collect();
    let mut found = Vec::new();
    for (at, _) in text.match_indices(start) {
        let within = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        if within {
            continue;
        }
        let number = code[text[..at].matches('\n').count()].0;
        let mut rest = &text[at + start.len()..];
        found.extend(tree(&mut rest).into_iter().map(|path| (number, path)));
    }
    found
}

/// One branch of a use tree; `rest` is left behind it.
fn tree(rest: &mut &str) -> Vec<String> {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
    let head = rest[..end].to_owned();
    *rest = &rest[end..];
    if !(head.is_empty() || head.ends_with("::")) || !rest.starts_with('{') {
        return vec![head.trim_end_matches(':').to_owned()];
    }
    let mut branches = Vec::new();
    *rest = &rest[1..];
    loop {
        *rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if rest.is_empty() || rest.starts_with('}') {
            *rest = rest.get(1..).unwrap_or_default();
            return branches;
        }
        branches.extend(tree(rest).into_iter().map(|branch| format!("{head}{branch}")));
        // What is left of the branch: ` as name`, or what no use tree has.
        *rest = rest.trim_start_matches(|c: char| !matches!(c, ',' | '}'));
    }
}

/// A function's name, its first line, counted from 1, and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    pub name: &'a str,
    pub line: usize,
    pub lines: usize,
}

/// The functions of a file that rustfmt has written: one ends at the first line that is its indentation and a brace.
pub fn functions(text: &str) -> Vec<Function<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indentation = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &str| {
            line.strip_prefix(indentation).is_some_and(|line| line == "}" || line.starts_with(')') && line.ends_with([';', '}']))
        };
        let one = line.ends_with(['}', ';']);
        let length = if one { 1 } else { lines[at..].iter().position(|line| ends(line)).map_or(lines.len() - at, |after| after + 1) };
        found.push(Function { name, line: at + 1, lines: length });
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start().split(' ');
    let is_before = |word: &str| matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"" | "pub") || word.starts_with("pub(");
    let word = words.find(|word| !is_before(word))?;
    let name = (word == "fn").then(|| words.next()).flatten()?;
    Some(name.split(['(', '<']).next().unwrap_or(name))
}

#[test]
fn code_is_what_the_program_is_made_of() {
    let text = "//! x\nuse a;\n#[cfg(test)]\nmod tests;\nlet b = c; // d\n#[cfg(test)]\nmod more {\n    e\n}\nf\n";
    assert_eq!(code(text), [(2, "use a;"), (5, "let b = c;"), (10, "f")]);
}

#[test]
fn use_trees_are_multiplied_out() {
    let text = "use crate::a::{self, b::C as D, e::{\n    F,\n    G,\n}};\nlet x: crate::h::I = my_crate::j::k();\nuse crate::l;\n";
    let found = paths(&code(text), "crate::");
    let found: Vec<(usize, &str)> = found.iter().map(|(line, path)| (*line, path.as_str())).collect();
    assert_eq!(found, [(1, "a::self"), (1, "a::b::C"), (1, "a::e::F"), (1, "a::e::G"), (5, "h::I"), (6, "l")]);
}

#[test]
fn functions_have_lengths() {
    let text = "fn a() {}\npub(crate) const fn b<T>(\n    x: T,\n) -> u8\nwhere\n    T: X,\n{\n    if x {\n    }\n}\n\
                trait T {\n    fn c(\n        y: u8,\n    ) -> u8;\n    fn d(&self) {\n        1\n    }\n}\n";
    let found: Vec<(&str, usize, usize)> = functions(text).iter().map(|f| (f.name, f.line, f.lines)).collect();
    assert_eq!(found, [("a", 1, 1), ("b", 2, 9), ("c", 12, 3), ("d", 15, 3)]);
}
