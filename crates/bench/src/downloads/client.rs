//! A client that fetches as fast as it can and looks at nothing but lengths.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::report::{Failure, Stopwatch};

/// Where and what to fetch.
pub struct Target {
    /// On loopback.
    pub port: u16,
    /// Paths, used one after the other.
    pub paths: Arc<Vec<String>>,
    /// How often each may be fetched.
    pub per_path: usize,
}

static NEXT: AtomicUsize = AtomicUsize::new(0);
const BUFFER_BYTES: usize = 1 << 20;

/// Fetches on so many connections until the time is over. Answers how many whole contents.
pub fn fetch(
    target: &Target,
    connections: usize,
    size: u64,
    turn: Duration,
) -> Result<(u64, Duration), Failure> {
    let stopwatch = Stopwatch::start();
    let counts = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| one_connection(target, size, turn, stopwatch))).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| Failure::from("a client panicked"))?);
        joined.collect::<Result<Vec<u64>, Failure>>()
    })?;
    Ok((counts.into_iter().sum(), stopwatch.elapsed()))
}

fn one_connection(target: &Target, size: u64, turn: Duration, stopwatch: Stopwatch) -> Result<u64, Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", target.port))?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0u8; BUFFER_BYTES];
    let mut done = 0;
    while done == 0 || stopwatch.elapsed() < turn {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) / target.per_path;
        let path = target.paths.get(number % target.paths.len()).ok_or("no path")?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
        receive(&mut stream, &mut buffer, size)?;
        done += 1;
    }
    Ok(done)
}

/// One answer: its head must be a 200 of the right length, its body is read and dropped.
fn receive(stream: &mut TcpStream, buffer: &mut [u8], size: u64) -> Result<(), Failure> {
    let mut filled = 0;
    let head_end = loop {
        let room = buffer.get_mut(filled..).ok_or("the head is too long")?;
        let count = stream.read(room)?;
        if count == 0 {
            return Err("the server closed the connection".into());
        }
        filled += count;
        let got = buffer.get(..filled).unwrap_or_default();
        if let Some(at) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(buffer.get(..head_end).unwrap_or_default()).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") || !head.contains(&format!("content-length: {size}\r\n")) {
        return Err(format!("unexpected answer: {head}").into());
    }
    let mut left = size - u64::try_from(filled - head_end)?;
    while left > 0 {
        let most = usize::try_from(left)?.min(buffer.len());
        let count = stream.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err("the server closed the connection in a body".into());
        }
        left -= u64::try_from(count)?;
    }
    Ok(())
}
