//! `/metrics` and `/healthz` over HTTP/1.1, for Prometheus and whoever asks whether the tail is well. One thread answers,
//! one request a connection, from a page that the reader puts down now and then: nobody who asks makes it wait.

use anyhow::{Context as _, Result};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A client that is slower is let go.
const PATIENCE: Duration = Duration::from_secs(2);
/// No request for a page is longer.
const LONGEST: usize = 8192;
/// A page is put down so often.
const EVERY: Duration = Duration::from_secs(1);
/// A reader that has not been heard of for so long hangs.
const HANGS: Duration = Duration::from_secs(30);

/// What is shown, and when it was put down.
struct Page {
    text: String,
    heard: Instant,
}

pub struct Server {
    page: Arc<Mutex<Page>>,
    put: Option<Instant>,
    pub address: SocketAddr,
}

impl Server {
    /// # Errors
    /// Where the address can't be had.
    pub fn start(address: &str) -> Result<Self> {
        let listener = TcpListener::bind(address).with_context(|| format!("--metrics {address}"))?;
        let page = Arc::new(Mutex::new(Page { text: String::new(), heard: Instant::now() }));
        let (shown, address) = (page.clone(), listener.local_addr()?);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away is its own affair.
                let _ = answer(stream, &shown);
            }
        });
        Ok(Self { page, put: None, address })
    }

    /// Says that the reader is well, and shows what it counted.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let text = self.put.is_none_or(|put| put.elapsed() >= EVERY).then(text);
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        page.heard = Instant::now();
        if let Some(text) = text {
            page.text = text;
            self.put = Some(Instant::now());
        }
    }
}

fn answer(mut stream: TcpStream, page: &Mutex<Page>) -> io::Result<()> {
    let begun = Instant::now();
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut request, mut block) = (Vec::new(), [0; 1024]);
    while memchr::memmem::find(&request, b"\r\n\r\n").is_none() && request.len() < LONGEST && begun.elapsed() < PATIENCE {
        match stream.read(&mut block)? {
            0 => break,
            read => request.extend_from_slice(&block[..read]),
        }
    }
    let mut words = request.split(|c| matches!(c, b' ' | b'\r'));
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split(|c| *c == b'?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        (b"GET" | b"HEAD", b"/metrics") => ("200 OK", page.lock().unwrap_or_else(PoisonError::into_inner).text.clone()),
        (b"GET" | b"HEAD", b"/healthz") => {
            let hangs = page.lock().unwrap_or_else(PoisonError::into_inner).heard.elapsed() > HANGS;
            if hangs { ("503 Service Unavailable", "hangs\n".into()) } else { ("200 OK", "ok\n".into()) }
        }
        (b"GET" | b"HEAD", _) => ("404 Not Found", "there are /metrics and /healthz\n".into()),
        _ => ("405 Method Not Allowed", "GET only\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if method != b"HEAD" {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}
