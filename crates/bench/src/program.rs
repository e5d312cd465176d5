//! The program as a whole: its size, how fast it starts, what memory it holds.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::report::{Bound, Failure, Report, Stopwatch, part};
use crate::slow::{self, Crowd};

/// MiB of anonymous memory, of the design.
const IDLE_BUDGET: f64 = 64.0;
const STARTS: usize = 7;
const START_MAX: Duration = Duration::from_secs(60);
/// How large the file is that all fetch: none is done before the end.
const FILE_BYTES: usize = 64 << 20;

/// Measures a built program, if one is given, and the memory of so many downloads at once.
///
/// # Errors
/// When the program does not start, or a download breaks off.
pub fn run(program: Option<&Path>, downloads: usize, report: &mut Report) -> Result<(), Failure> {
    if let Some(program) = program {
        of_program(program, report)?;
    }
    slow::run(Crowd { program, readers: downloads, bytes: FILE_BYTES }, report)
}

fn of_program(program: &Path, report: &mut Report) -> Result<(), Failure> {
    report.note("size of the program", mebibytes(std::fs::metadata(program)?.len())?, "MiB", None);
    let folder = tempfile::tempdir()?;
    let (first, running) = start(program, folder.path())?;
    drop(running);
    report.note("first start, until it is ready", milliseconds(first), "ms", None);
    let mut times = Vec::new();
    let mut idle = 0.0;
    for _ in 0..STARTS {
        let (time, running) = start(program, folder.path())?;
        times.push(milliseconds(time));
        idle = anonymous(running.0.id())?;
    }
    times.sort_by(f64::total_cmp);
    report.note("later starts, median", part(&times, 50), "ms", None);
    report.note("anonymous memory, idle", idle, "MiB", Some(Bound::AtMost(IDLE_BUDGET)));
    Ok(())
}

/// A program that is told to end when it is dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A program that ended by itself is not there to be told.
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn start(program: &Path, folder: &Path) -> Result<(Duration, Running), Failure> {
    let port = free_port()?;
    let mut command = Command::new(program);
    command.arg("serve");
    command.env("HANDSEL_LISTEN", format!("127.0.0.1:{port}"));
    command.env("HANDSEL_DATA", folder.join("data"));
    let stopwatch = Stopwatch::start();
    let running = ready(command, port)?;
    Ok((stopwatch.elapsed(), running))
}

/// A port that nobody listens on.
pub fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Starts a program that serves on this port, and waits until it does.
pub fn ready(mut command: Command, port: u16) -> Result<Running, Failure> {
    let stopwatch = Stopwatch::start();
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut running = Running(child);
    while !is_ready(port) {
        if stopwatch.elapsed() > START_MAX || running.0.try_wait()?.is_some() {
            return Err(format!("the program does not start: {command:?}").into());
        }
        std::thread::yield_now();
    }
    Ok(running)
}

fn is_ready(port: u16) -> bool {
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    asked.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// MiB that belong to nobody's file, as the system counts them.
pub fn anonymous(process: u32) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    mebibytes(kibibytes * 1024)
}

fn mebibytes(bytes: u64) -> Result<f64, Failure> {
    Ok(f64::from(u32::try_from(bytes / 1024)?) / 1024.0)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
