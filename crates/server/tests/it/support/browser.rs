//! The least of a browser: one connection per request, cookies, and the hidden token of forms.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any wait that the server allows a client.
const HANG: Duration = Duration::from_secs(40);

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    fn read(text: String) -> Self {
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, text }
    }

    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A connection on which a test says what it likes.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(HANG)).expect("a timeout");
    stream
}

/// Everything that comes back for these bytes until the server closes.
pub fn exchange(mut stream: impl Read + Write, bytes: impl AsRef<[u8]>) -> Answer {
    // A server that refuses early may close while more is being sent.
    let _ = stream.write_all(bytes.as_ref());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::read(String::from_utf8_lossy(&answer).into_owned())
}

/// Keeps cookies and the token of the page it saw last.
pub struct Browser {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
    token: String,
    /// Sent with every request, as a client of bad or good faith would.
    pub headers: Vec<(String, String)>,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new(), token: String::new(), headers: Vec::new() }
    }

    /// The same browser, claiming to be forwarded for this address from now on.
    pub fn forwarded_for(&mut self, address: &str) {
        self.headers = vec![("X-Forwarded-For".to_owned(), address.to_owned())];
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    /// Posts a form, written as it travels, with the token of the last page.
    pub fn post(&mut self, path: &str, fields: &str) -> Answer {
        self.post_bytes(path, self.form(fields).as_bytes())
    }

    /// A form as it travels, with the token of the last page.
    pub fn form(&self, fields: &str) -> String {
        format!("_csrf={}&{fields}", self.token)
    }

    /// Posts what may be a form.
    pub fn post_bytes(&mut self, path: &str, body: &[u8]) -> Answer {
        self.ask("POST", path, "Content-Type: application/x-www-form-urlencoded\r\n", body)
    }

    fn ask(&mut self, method: &str, path: &str, lines: &str, body: &[u8]) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let extra: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n{extra}{lines}Content-Length: {}\r\n\r\n",
            self.address,
            cookies.join("; "),
            body.len(),
        );
        let answer = exchange(connect(self.address), [request.as_bytes(), body].concat());
        self.see(&answer);
        answer
    }

    fn see(&mut self, answer: &Answer) {
        let head = answer.text.split("\r\n\r\n").next().unwrap_or_default();
        let cookies = head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let pairs = cookies.filter_map(|line| line.split(';').next()?.split_once('='));
        self.cookies.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let hidden =
            answer.text.split("name=\"_csrf\"").nth(1).and_then(|rest| rest.split("value=\"").nth(1));
        if let Some(token) = hidden.and_then(|rest| rest.split('"').next()) {
            self.token = token.to_owned();
        }
    }
}
