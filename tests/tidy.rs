//! What keeps the layout: names at the top, who may import whom, lengths, words, and that the documents say what the code
//! does. Every failure names the file and the line.

mod imports;
mod layout;
mod readme;
mod source;
mod toy;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a directory of the checkout, as paths relative to the root, in order. Hidden directories and what the
/// build writes are left out.
fn files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(below)];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        for path in entries.map(|entry| entry.expect("a directory entry").path()) {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            if !path.is_dir() {
                found.push(path.strip_prefix(root()).expect("below the root").to_path_buf());
            } else if name == ".ci" || !name.starts_with('.') && name != "target" {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The Rust files below a directory.
fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut found = files(below);
    found.retain(|path| path.extension().is_some_and(|end| end == "rs"));
    assert!(!found.is_empty(), "no Rust in {below}");
    found
}

/// A file of the checkout, as text.
fn text(path: &Path) -> String {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Fails with all that was found, one a line.
fn none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}
