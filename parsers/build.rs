//! Lists the formats that come with the program: every definition in `formats/`, by name. Nothing else has to be told of one.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let directory = Path::new("formats");
    writeln!(io::stdout(), "cargo:rerun-if-changed={}", directory.display())?;
    let mut paths = fs::read_dir(directory)?.map(|entry| fs::canonicalize(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    let mut list = String::from("&[\n");
    for path in &paths {
        let name = path.file_name().unwrap_or_default();
        let _ = writeln!(list, "    ({name:?}, include_str!({path:?})),");
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("formats.rs"), list)
}
