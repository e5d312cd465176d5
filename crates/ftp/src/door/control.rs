//! The control connection: lines in, replies out, in clear text or in TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::reply::Reply;

/// Longer than any path that leads anywhere. Without it a client that never ends its line would fill
/// the memory.
const LINE_BYTES_MAX: usize = 2048;

/// How much is read at once.
const READ_BYTES: usize = 512;

/// What begins a telnet command. It is in no UTF-8 text.
const IAC: u8 = 0xff;

/// A connection, protected or not.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    /// Makes a connection secure.
    pub(super) async fn secure(stream: TcpStream, acceptor: &TlsAcceptor) -> io::Result<Self> {
        Ok(Self::Tls(Box::new(acceptor.accept(stream).await?)))
    }

    /// Ends it so that the other side cannot take what it has for the whole.
    pub(super) fn cut(self) {
        let stream = match &self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        };
        // Where the system refuses, the reply on the control connection still says so.
        let _ = stream.set_zero_linger();
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Text(String),
    /// A line that is no UTF-8.
    NotText,
    /// More than a line can be: what follows cannot be understood either.
    TooLong,
    /// The end, or a connection that broke.
    Closed,
}

/// The control connection of a visit.
pub(super) struct Control {
    wire: Wire,
    input: Vec<u8>,
}

impl Control {
    pub(super) const fn new(wire: Wire) -> Self {
        Self { wire, input: Vec::new() }
    }

    /// The next line. Dropping the future loses nothing.
    pub(super) async fn line(&mut self) -> Line {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                return read(line);
            }
            if self.input.len() > LINE_BYTES_MAX {
                return Line::TooLong;
            }
            let mut bytes = [0; READ_BYTES];
            match self.wire.read(&mut bytes).await {
                Ok(0) | Err(_) => return Line::Closed,
                Ok(count) => self.input.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Sends a reply.
    pub(super) async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        self.wire.write_all(&reply.bytes()).await?;
        self.wire.flush().await
    }

    /// Goes over to TLS. What was sent in clear text after the request for it would be taken for
    /// something that came protected: then there is no connection any more.
    pub(super) async fn secure(self, acceptor: &TlsAcceptor) -> io::Result<Self> {
        match self.wire {
            Wire::Plain(stream) if self.input.is_empty() => {
                Ok(Self::new(Wire::secure(stream, acceptor).await?))
            }
            _ => Err(io::Error::other("clear text followed the request for TLS")),
        }
    }

    /// Says that nothing follows.
    pub(super) async fn end(mut self) {
        let _ = self.wire.shutdown().await;
    }
}

fn read(mut line: Vec<u8>) -> Line {
    while matches!(line.last(), Some(b'\n' | b'\r')) {
        line.pop();
    }
    let line = without_telnet(&line);
    match String::from_utf8(line) {
        // What a name would hide in a log or a reply is no name.
        Ok(text) if !text.contains(char::is_control) => Line::Text(text),
        _ => Line::NotText,
    }
}

/// Old clients send telnet's "interrupt" before `ABOR`.
fn without_telnet(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == IAC {
            bytes.next();
        } else {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_text_without_its_end_and_without_telnet() {
        assert_eq!(read(b"RETR a b\r\n".to_vec()), Line::Text("RETR a b".to_owned()));
        assert_eq!(read(b"\xff\xf4\xff\xf2ABOR\r\n".to_vec()), Line::Text("ABOR".to_owned()));
        assert_eq!(read(b"CWD \xc3\xa4\n".to_vec()), Line::Text("CWD ä".to_owned()));
        assert_eq!(read(b"CWD \xe4\r\n".to_vec()), Line::NotText);
        assert_eq!(read(b"CWD a\rb\r\n".to_vec()), Line::NotText);
        assert_eq!(read(b"CWD a\0\r\n".to_vec()), Line::NotText);
    }
}
