//! A server that answers whatever the test wants, down to the last byte, over a real connection.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use kernel::{ManualClock, Timestamp};
use stores::S3Store;

use crate::network::TestNetwork;
use crate::server::{config, open};

/// What was asked.
pub struct Asked {
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The lines of the head, names in lower case.
    pub head: Vec<String>,
    /// Which request this is, from 0.
    pub number: usize,
}

impl Asked {
    pub fn is(&self, method: &str) -> bool {
        self.method == method
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// A store whose bucket is played by a function.
pub struct Liar {
    pub store: S3Store,
    pub network: Arc<TestNetwork>,
    _dir: tempfile::TempDir,
}

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

impl Liar {
    pub fn new(answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static) -> Self {
        Self::with(|_| {}, answer)
    }

    pub fn with(
        adjust: impl FnOnce(&mut stores::S3Config),
        answer: impl Fn(&Asked) -> Vec<u8> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let _ = serve(&stream, number, &answer);
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let network = TestNetwork::to(address);
        let mut config = config(&format!("http://{address}"));
        adjust(&mut config);
        let store = open(&config, dir.path(), network.clone(), Arc::new(ManualClock::at(NOW)));
        Self { store, network, _dir: dir }
    }
}

fn serve(mut stream: &TcpStream, number: usize, answer: &impl Fn(&Asked) -> Vec<u8>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let first = lines.first().cloned().unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let asked = Asked { method, target, head: lines.split_off(1), number };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new())?;
    stream.write_all(&answer(&asked))
}

/// An answer as it stands on the wire.
pub fn raw(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| *name == "content-length") {
        answer.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    answer.push_str("\r\n");
    [answer.as_bytes(), body].concat()
}
