//! The least of an HTTP client: one connection per request, and bodies that may be cut short.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::trouble::{Tried, trouble};

/// Longer than anything that the program takes over an answer.
const HANG: Duration = Duration::from_secs(30);
const PIECE: usize = 64 * 1024;

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// `GET` or another.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Further lines of the head, each with its line end.
    pub lines: &'a str,
    /// What is sent.
    pub body: &'a [u8],
}

/// What came back, as far as it came.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    head: String,
    /// Its body, or the beginning of it.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks the program that listens there, whose own name is `host`.
///
/// # Errors
/// When there is nobody, or no whole head came back.
pub fn ask(port: u16, host: &str, question: &Question<'_>) -> Tried<Answer> {
    read(send(port, host, question)?, u64::MAX)
}

/// Sends a question and leaves its answer for later.
///
/// # Errors
/// When there is nobody.
pub fn send(port: u16, host: &str, question: &Question<'_>) -> Tried<TcpStream> {
    let Question { method, path, lines, body } = question;
    let mut stream = connect(port)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), *body].concat())?;
    Ok(stream)
}

/// A connection to a port of this machine.
///
/// # Errors
/// When nobody listens there.
pub fn connect(port: u16) -> Tried<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), HANG)?;
    stream.set_read_timeout(Some(HANG))?;
    stream.set_write_timeout(Some(HANG))?;
    Ok(stream)
}

/// Reads an answer until it ends, breaks off, or is this long.
///
/// # Errors
/// When no whole head came.
pub fn read(mut stream: TcpStream, most: u64) -> Tried<Answer> {
    let mut bytes = Vec::new();
    let mut piece = vec![0u8; PIECE];
    while u64::try_from(bytes.len()).unwrap_or(u64::MAX) < most {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(piece.get(..count).unwrap_or_default()),
        }
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| trouble("the connection ended before there was an answer"))?;
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Ok(Answer { status, head, body })
}
