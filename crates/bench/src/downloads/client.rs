//! Clients that fetch as fast as they can and look at nothing but lengths.

use std::io::{Read as _, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::report::{Failure, Stopwatch};

/// Where and what to fetch.
pub struct Target {
    port: u16,
    paths: Vec<String>,
    per_path: usize,
    next: AtomicUsize,
}

impl Target {
    /// These paths on loopback, one after the other, each so often.
    pub fn new(port: u16, paths: Vec<String>, per_path: usize) -> Self {
        Self { port, paths, per_path, next: AtomicUsize::new(0) }
    }

    fn next(&self) -> Option<&str> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) / self.per_path;
        self.paths.get(number).map(String::as_str)
    }
}

/// What a client reads at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Fetches on so many connections until the time is over or the paths are used up. Answers how
/// many whole contents; each connection fetches at least one.
pub fn fetch(target: &Target, connections: usize, size: u64, turn: Duration) -> Result<u64, Failure> {
    let stopwatch = Stopwatch::start();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| one_connection(target, size, turn, stopwatch))).collect();
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| Failure::from("a client panicked"))?);
        joined.sum()
    })
}

fn one_connection(target: &Target, size: u64, turn: Duration, stopwatch: Stopwatch) -> Result<u64, Failure> {
    let mut stream = connect(target.port)?;
    let mut buffer = vec![0u8; BUFFER_BYTES];
    let mut done = 0;
    while done == 0 || stopwatch.elapsed() < turn {
        let Some(path) = target.next() else { break };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
        let got = receive(&mut stream, &mut buffer)?;
        if got != size {
            return Err(format!("{got} bytes came instead of {size}").into());
        }
        done += 1;
    }
    Ok(done)
}

/// Asks for a page again and again. Answers the milliseconds to the first byte of each answer.
pub fn first_bytes(port: u16, path: &str, cookie: &str, rounds: usize) -> Result<Vec<f64>, Failure> {
    let mut stream = connect(port)?;
    let mut buffer = vec![0u8; BUFFER_BYTES];
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let stopwatch = Stopwatch::start();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n")?;
        stream.peek(&mut [0])?;
        times.push(stopwatch.elapsed().as_secs_f64() * 1000.0);
        receive(&mut stream, &mut buffer)?;
    }
    Ok(times)
}

/// Posts nothing to a path. Answers where it redirects to.
pub fn redirected(port: u16, path: &str) -> Result<String, Failure> {
    let mut stream = connect(port)?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
    location.map(str::to_owned).ok_or_else(|| format!("no redirect: {answer}").into())
}

/// A whole content, and how long its first byte was waited for.
pub fn fetch_one(port: u16, path: &str, to: &mut impl Write) -> Result<(u64, Duration), Failure> {
    let mut stream = connect(port)?;
    let mut buffer = vec![0u8; BUFFER_BYTES];
    let stopwatch = Stopwatch::start();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    let (size, begun) = receive_head(&mut stream, &mut buffer)?;
    let mut waited = (!begun.is_empty()).then(|| stopwatch.elapsed());
    let mut left = size.saturating_sub(u64::try_from(begun.len())?);
    to.write_all(buffer.get(begun).unwrap_or_default())?;
    while left > 0 {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Err("the server closed the connection in a body".into());
        }
        waited.get_or_insert_with(|| stopwatch.elapsed());
        to.write_all(buffer.get(..count).unwrap_or_default())?;
        left = left.saturating_sub(u64::try_from(count)?);
    }
    Ok((size, waited.unwrap_or_default()))
}

/// A connection that has been answered so far: what follows comes slowly.
pub fn begin(port: u16, path: &str) -> Result<TcpStream, Failure> {
    let mut stream = connect(port)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    Ok(stream)
}

fn connect(port: u16) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// One answer, which must be a 200 with a length; its body is read and dropped.
fn receive(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<u64, Failure> {
    let (size, begun) = receive_head(stream, buffer)?;
    let mut left = size.saturating_sub(u64::try_from(begun.len())?);
    while left > 0 {
        let most = usize::try_from(left)?.min(buffer.len());
        let count = stream.read(buffer.get_mut(..most).unwrap_or_default())?;
        if count == 0 {
            return Err("the server closed the connection in a body".into());
        }
        left -= u64::try_from(count)?;
    }
    Ok(size)
}

/// The length of what comes, and where in the buffer its first bytes are that came with the head.
fn receive_head(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<(u64, Range<usize>), Failure> {
    let mut filled = 0;
    loop {
        let room = buffer.get_mut(filled..).ok_or("the head is too long")?;
        let count = stream.read(room)?;
        if count == 0 {
            return Err("the server closed the connection".into());
        }
        filled += count;
        let got = buffer.get(..filled).unwrap_or_default();
        if let Some(at) = got.windows(4).position(|four| four == b"\r\n\r\n") {
            let size = length_of(got.get(..at + 4).unwrap_or_default())?;
            return Ok((size, at + 4..filled));
        }
    }
}

fn length_of(head: &[u8]) -> Result<u64, Failure> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    if !lines.next().is_some_and(|status| status.starts_with("HTTP/1.1 200")) {
        return Err(format!("unexpected answer: {head}").into());
    }
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.ok_or("an answer without a length")?;
    Ok(length.trim().parse()?)
}
