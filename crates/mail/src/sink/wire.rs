//! Lines in, replies out.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A reply of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    text: String,
}

impl Reply {
    pub(super) fn new(code: u16, text: &str) -> Self {
        Self { code, text: text.replace(char::is_control, " ") }
    }
}

/// The session is over: the client has gone, or waits for nothing any more.
pub(super) struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

/// A line as it came, without its CR LF.
pub(super) enum Line {
    Whole(Vec<u8>),
    /// Longer than allowed; what was too long has been skipped.
    TooLong,
}

/// What came after DATA.
pub(super) enum Content {
    Message(Vec<u8>),
    /// Read to its end, but not kept.
    TooLarge,
    /// So large that its end was not waited for.
    Endless,
    /// A lone CR or LF: two servers would not agree where the message ends.
    BareLineEnd,
}

/// How many times the largest message is read before the client is given up on.
const PATIENCE: usize = 4;
/// Room for the line end and the dots of the longest line.
const LINE_SLACK: usize = 1024;

pub(super) struct Wire {
    stream: BufReader<TcpStream>,
    idle_max: Duration,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, idle_max: Duration) -> Self {
        Self { stream: BufReader::new(stream), idle_max }
    }

    pub(super) async fn say(&mut self, reply: &Reply) -> Result<(), Over> {
        self.write(&format!("{} {}\r\n", reply.code, reply.text)).await
    }

    /// A reply of several lines.
    pub(super) async fn say_all(&mut self, code: u16, lines: &[String]) -> Result<(), Over> {
        let last = lines.len().saturating_sub(1);
        let separator = |index: usize| if index == last { ' ' } else { '-' };
        let text: String = lines
            .iter()
            .enumerate()
            .map(|(index, line)| format!("{code}{}{line}\r\n", separator(index)))
            .collect();
        self.write(&text).await
    }

    async fn write(&mut self, text: &str) -> Result<(), Over> {
        // A client that sends but never reads would otherwise hold its session.
        let written =
            tokio::time::timeout(self.idle_max, self.stream.get_mut().write_all(text.as_bytes())).await;
        written.map_err(|_| Over)?.map_err(Over::from)
    }

    /// The next line of at most `max` bytes.
    pub(super) async fn line(&mut self, max: usize) -> Result<Line, Over> {
        let mut line = Vec::new();
        self.until_line_end(&mut line, max).await?;
        if line.ends_with(b"\r\n") {
            line.truncate(line.len() - 2);
            return Ok(Line::Whole(line));
        }
        while !line.ends_with(b"\r\n") {
            // The last byte is kept: the line end may come apart here.
            let last = line.split_off(line.len().saturating_sub(1));
            line = last;
            self.until_line_end(&mut line, max).await?;
        }
        Ok(Line::TooLong)
    }

    /// A message of at most `max` bytes, up to the line with nothing but a dot, with the
    /// dots taken off again that the client has put before others.
    pub(super) async fn content(&mut self, max: usize) -> Result<Content, Over> {
        let mut message = Vec::new();
        let mut bare = false;
        let mut read = 0;
        loop {
            let mut line = Vec::new();
            self.until_line_end(&mut line, max.saturating_add(LINE_SLACK)).await?;
            read += line.len();
            let Some(text) = line.strip_suffix(b"\r\n").filter(|_| read <= max.saturating_mul(PATIENCE))
            else {
                return Ok(Content::Endless);
            };
            if text == b"." {
                break;
            }
            bare |= text.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
            if message.len() <= max {
                message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
        if message.len() > max {
            return Ok(Content::TooLarge);
        }
        Ok(if bare { Content::BareLineEnd } else { Content::Message(message) })
    }

    /// Reads up to CR LF, but not more than `max` bytes. A lone LF is part of the line.
    async fn until_line_end(&mut self, line: &mut Vec<u8>, max: usize) -> Result<(), Over> {
        while !line.ends_with(b"\r\n") && line.len() < max {
            let room = u64::try_from(max - line.len()).unwrap_or(u64::MAX);
            let mut limited = (&mut self.stream).take(room);
            let read = tokio::time::timeout(self.idle_max, limited.read_until(b'\n', line)).await;
            if read.map_err(|_| Over)?? == 0 {
                return Err(Over);
            }
        }
        Ok(())
    }
}
