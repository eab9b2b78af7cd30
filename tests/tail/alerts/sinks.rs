//! Servers that take what they are sent, on this machine and in this process: one for webhooks, one for mail.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// A webhook.
pub struct Hook {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    bodies: Receiver<(u16, Value)>,
}

impl Hook {
    pub fn start() -> Self {
        let (listener, status) = (TcpListener::bind("127.0.0.1:0").expect("a port"), Arc::new(AtomicU16::new(200)));
        let (address, (to, bodies), answers) = (listener.local_addr().expect("an address"), channel(), status.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                take_post(stream, &answers, &to);
            }
        });
        Self { address, status, bodies }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next body, whatever was answered to it.
    #[track_caller]
    pub fn next(&self) -> Value {
        self.bodies.recv_timeout(PATIENCE).expect("a message").1
    }

    /// Every body that has come and was taken with 200.
    pub fn taken(&self) -> Vec<Value> {
        self.bodies.try_iter().filter(|(status, _)| *status == 200).map(|(_, body)| body).collect()
    }

    /// Nothing comes for so long.
    #[track_caller]
    pub fn stays_quiet(&self, time: Duration) {
        let came = self.bodies.recv_timeout(time);
        assert!(matches!(came, Err(RecvTimeoutError::Timeout)), "{came:?}");
    }
}

fn take_post(mut stream: TcpStream, status: &AtomicU16, to: &Sender<(u16, Value)>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let status = status.load(Ordering::SeqCst);
    // What the test sees was answered.
    let _ = write!(stream, "HTTP/1.1 {status} Said\r\nContent-Length: 3\r\nConnection: close\r\n\r\nso\n");
    let _ = to.send((status, serde_json::from_slice(&body).expect("JSON")));
}

/// What the mail server took.
pub struct Letter {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
}

/// A mail server that takes everything.
pub struct Mailbox {
    address: SocketAddr,
    letters: Receiver<Letter>,
}

impl Mailbox {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, (to, letters)) = (listener.local_addr().expect("an address"), channel());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = take_mail(stream, &to);
            }
        });
        Self { address, letters }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    #[track_caller]
    pub fn next(&self) -> Letter {
        self.letters.recv_timeout(PATIENCE).expect("a letter")
    }
}

/// One conversation (RFC 5321).
fn take_mail(mut stream: TcpStream, to: &Sender<Letter>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut letter = Letter { from: String::new(), to: Vec::new(), data: String::new() };
    let address = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    stream.write_all(b"220 sink\r\n")?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "MAIL" => {
                letter.from = address(&line);
                "250 ok\r\n"
            }
            "RCPT" => {
                letter.to.push(address(&line));
                "250 ok\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go\r\n")?;
                let mut data = String::new();
                while !data.ends_with("\r\n.\r\n") && reader.read_line(&mut data)? > 0 {}
                letter.data = data;
                "250 taken\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 sink\r\n",
        };
        stream.write_all(answer.as_bytes())?;
        if word == "DATA" {
            let taken = std::mem::replace(&mut letter, Letter { from: String::new(), to: Vec::new(), data: String::new() });
            let _ = to.send(taken);
        }
        line.clear();
    }
    Ok(())
}
