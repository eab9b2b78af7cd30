//! The page in headless Chromium: what is drawn, what sorts and filters, and that nothing of a log runs. Where there is no
//! Chromium these tests say that they are skipped; with CI=true they fail there.

use super::{day, hostile, rendered};
use crate::support::{directory, file};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// A browser on a busy machine is slow; one that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(240);

/// A page, opened.
struct Opened {
    dom: String,
    /// What the console says.
    console: Vec<String>,
    picture: Option<Picture>,
}

/// Pixels of three bytes.
struct Picture(Vec<u8>);

impl Picture {
    fn read(path: &Path) -> Self {
        let decoder = png::Decoder::new(std::io::BufReader::new(File::open(path).expect("a picture")));
        let mut reader = decoder.read_info().expect("a PNG");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
        let frame = reader.next_frame(&mut bytes).expect("a frame");
        let samples = frame.color_type.samples();
        Self(bytes.chunks(samples).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
    }

    fn pixels_of(&self, colour: [u8; 3]) -> usize {
        self.0.chunks(3).filter(|pixel| *pixel == colour).count()
    }
}

fn browser(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|path| path.is_file());
    if found.is_none() {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "there is no Chromium");
        eprintln!("{test}: skipped, there is no Chromium");
    }
    found
}

/// Runs the browser to its end. What it prints goes to files: a pipe could fill up.
fn run(browser: &Path, directory: &TempDir, arguments: &[&str]) -> (String, String) {
    let (out, err) = (directory.path().join("out"), directory.path().join("err"));
    let mut child = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=3000", "--window-size=1000,4000", "--force-device-scale-factor=1"])
        .arg(format!("--user-data-dir={}", directory.path().join("profile").display()))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("a file"))
        .stderr(File::create(&err).expect("a file"))
        .spawn()
        .expect("the browser starts");
    let begin = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill().expect("our own child");
            panic!("the browser hangs: {}", fs::read_to_string(&err).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).expect("its output")).into_owned();
    (read(&out), read(&err))
}

/// Opens a page; `hash` is what stands behind the `#` of its address.
fn open(browser: &Path, page: &str, hash: &str, picture: bool) -> Opened {
    let directory = directory();
    let address = format!("file://{}#{hash}", file(&directory, "page.html", page).display());
    let (dom, said) = run(browser, &directory, &["--dump-dom", &address]);
    assert!(dom.contains("<title>Mail report"), "no page: {said}");
    let console = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    let picture = picture.then(|| {
        let path = directory.path().join("page.png");
        run(browser, &directory, &[&format!("--screenshot={}", path.display()), &address]);
        Picture::read(&path)
    });
    Opened { dom, console, picture }
}

/// The page with one more script, which its policy is told about: it does what a reader's hand would do.
fn with_script(page: &str, script: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(script));
    page.replace("script-src '", &format!("script-src 'sha256-{hash}' '")).replace("</body>", &format!("<script>{script}</script></body>"))
}

/// The first cells of a table's rows that are shown, in order.
fn shown(dom: &str, table: &str) -> Vec<String> {
    let rest = dom.split_once(&format!("id=\"t-{table}\"")).unwrap_or_else(|| panic!("no table {table}")).1;
    let body = rest.split_once("<tbody>").and_then(|(_, rest)| rest.split_once("</tbody>")).expect("rows").0;
    let rows = body.split("<tr").skip(1).filter(|row| !row.starts_with(" hidden"));
    rows.map(|row| row.split_once("<td class=\"log\">").expect("a name").1.split('<').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn charts_are_drawn_in_both_themes() {
    let Some(browser) = browser("charts_are_drawn_in_both_themes") else { return };
    let page = rendered(&day(), "html", &[]);
    // Delivered, deferred, failed, rejected, a 50th percentile, and the page behind them, light and dark.
    let light = [[0x3a, 0x7b, 0xc8], [0xe0, 0xa0, 0x21], [0xc9, 0x3a, 0x3a], [0x8b, 0x7f, 0xa8], [0x1f, 0x5f, 0xae], [0xf6, 0xf7, 0xf9]];
    let dark = [[0x5b, 0x9b, 0xe6], [0xe5, 0xb0, 0x4a], [0xea, 0x6a, 0x62], [0xa5, 0x97, 0xc6], [0x8d, 0xbc, 0xf5], [0x14, 0x17, 0x1b]];
    for (theme, colours) in [("light", light), ("dark", dark)] {
        let opened = open(&browser, &page, &format!("theme={theme}"), true);
        assert_eq!(opened.console, [""; 0]);
        let picture = opened.picture.expect("a picture");
        let pixels = colours.map(|colour| picture.pixels_of(colour));
        assert!(pixels.iter().all(|pixels| *pixels > 400), "{theme}: {pixels:?}");
    }
}

#[test]
fn the_address_sorts_and_filters() {
    let Some(browser) = browser("the_address_sorts_and_filters") else { return };
    let page = rendered(&day(), "html", &["--top", "100"]);
    let plain = open(&browser, &page, "", false);
    let mut names = shown(&plain.dom, "domains");
    assert!(names.len() > 5 && !names.is_sorted(), "{names:?}");
    names.sort();
    let sorted = open(&browser, &page, "sort=domains:0:asc", false);
    assert_eq!(shown(&sorted.dom, "domains"), names);
    assert!(sorted.dom.contains("aria-sort=\"ascending\""));
    // Waiting, the most first; other tables stay as they are.
    let by_number = open(&browser, &page, "sort=domains:4", false);
    assert_eq!(shown(&by_number.dom, "domains")[..2], ["full.example", "gmail.example"]);
    assert_eq!(shown(&by_number.dom, "providers"), shown(&plain.dom, "providers"));
    let filtered = open(&browser, &page, "filter=domains:D3.ex", false);
    assert_eq!(shown(&filtered.dom, "domains"), ["d3.example"]);
    assert!(filtered.dom.contains(&format!("1 of {}", names.len())));
    // An address of somebody else's making is nothing but words.
    let odd = open(&browser, &page, "sort=domains:999&sort=nothing:1&sort=patterns:2&filter=domains:%3Cimg%20src=x%3E&theme=%22%3E", false);
    assert_eq!((shown(&odd.dom, "domains"), odd.dom.contains("<img")), (Vec::new(), false));
    for opened in [plain, sorted, by_number, filtered, odd] {
        assert_eq!(opened.console, [""; 0]);
    }
}

#[test]
fn hands_sort_filter_and_switch_the_theme() {
    let Some(browser) = browser("hands_sort_filter_and_switch_the_theme") else { return };
    let page = rendered(&day(), "html", &["--top", "100"]);
    let script = "const table = document.getElementById('t-domains');\
        table.tHead.querySelectorAll('button')[0].click(); table.tHead.querySelectorAll('button')[0].click();\
        const input = table.closest('section').querySelector('input'); input.value = 'example d'; input.dispatchEvent(new Event('input'));\
        document.getElementById('theme').click();\
        document.documentElement.dataset.address = location.hash;";
    let opened = open(&browser, &with_script(&page, script), "", false);
    assert_eq!(opened.console, [""; 0]);
    let names = shown(&opened.dom, "domains");
    assert!(names.len() > 5 && names.iter().rev().is_sorted(), "{names:?}");
    let address = "sort=domains%3A0%3Adesc&amp;filter=domains%3Aexample+d&amp;theme=dark";
    assert!(opened.dom.contains(&format!("data-address=\"#{address}\"")), "{}", &opened.dom[..200]);
    assert!(opened.dom.contains("data-theme=\"dark\""));
    // The address leads back to the same view.
    let again = open(&browser, &page, &address.replace("&amp;", "&"), false);
    assert_eq!(shown(&again.dom, "domains"), names);
}

#[test]
fn nothing_of_a_log_runs() {
    let Some(browser) = browser("nothing_of_a_log_runs") else { return };
    let page = rendered(&hostile(), "html", &[]);
    let opened = open(&browser, &page, "", false);
    assert_eq!(opened.console, [""; 0]);
    assert!(!opened.dom.contains("data-owned"));
    // Neither a picture nor a second script has become part of the page.
    assert_eq!((opened.dom.matches("<img").count(), opened.dom.matches("<script").count()), (0, 1));
    assert!(opened.dom.contains("{{7*7}}"));
}

#[test]
fn the_policy_stops_what_would_get_in() {
    let Some(browser) = browser("the_policy_stops_what_would_get_in") else { return };
    let page = rendered(&day(), "html", &[]);
    for foreign in [
        "<script>document.documentElement.dataset.owned = 1</script>",
        "<img src=x onerror=\"document.documentElement.dataset.owned = 1\">",
        "<style>nav { display: none }</style>",
        "<img src=\"https://tracker.example/pixel.png\">",
    ] {
        let opened = open(&browser, &page.replace("<main>", &format!("<main>{foreign}")), "", false);
        assert!(!opened.dom.contains("data-owned"), "{foreign} ran");
        assert!(opened.console.iter().any(|line| line.contains("Content Security Policy")), "{foreign}: {:?}", opened.console);
    }
}
