//! The program as a whole: its size, how fast it starts, what memory it holds.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::downloads::client;
use crate::report::{Bound, Failure, Report, Stopwatch, part};
use crate::shop;

/// MiB of anonymous memory, of the design.
const IDLE_BUDGET: f64 = 64.0;
const LOADED_BUDGET: f64 = 160.0;
const STARTS: usize = 7;
const START_MAX: Duration = Duration::from_secs(60);
/// How large the file is that all fetch: none is done before the end.
const FILE_BYTES: usize = 64 << 20;
/// What a slow client takes at once.
const SIP_BYTES: usize = 16 << 10;
/// How often each client takes a little while the memory is looked at.
const SIPS: usize = 40;

/// Measures a built program, if one is given, and the memory of so many downloads at once.
///
/// # Errors
/// When the program does not start, or a download breaks off.
pub fn run(program: Option<&Path>, downloads: usize, report: &mut Report) -> Result<(), Failure> {
    if let Some(program) = program {
        of_program(program, report)?;
    }
    of_downloads(downloads, report)
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
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // A program that ended by itself is not there to be told.
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn start(program: &Path, data: &Path) -> Result<(Duration, Running), Failure> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let stopwatch = Stopwatch::start();
    let child = Command::new(program)
        .arg("serve")
        .env("HANDSEL_LISTEN", format!("127.0.0.1:{port}"))
        .env("HANDSEL_DATA", data.join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut running = Running(child);
    while !is_ready(port) {
        if stopwatch.elapsed() > START_MAX || running.0.try_wait()?.is_some() {
            return Err("the program does not start".into());
        }
        std::thread::yield_now();
    }
    Ok((stopwatch.elapsed(), running))
}

fn is_ready(port: u16) -> bool {
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    asked.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn of_downloads(downloads: usize, report: &mut Report) -> Result<(), Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve-downloads", "--downloads", &downloads.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let told = child.stdout.take().ok_or("the server tells nothing")?;
    let running = Running(child);
    let mut lines = BufReader::new(told).lines();
    let port: u16 = lines.next().ok_or("the server does not start")??.parse()?;
    let before = anonymous(running.0.id())?;
    let mut streams = Vec::with_capacity(downloads);
    for _ in 0..downloads {
        let path = lines.next().ok_or("too few downloads")??;
        streams.push(client::begin(port, &path)?);
    }
    let mut most: f64 = 0.0;
    let mut sip = vec![0u8; SIP_BYTES];
    for _ in 0..SIPS {
        for stream in &mut streams {
            stream.read_exact(&mut sip)?;
        }
        most = most.max(anonymous(running.0.id())?);
    }
    report.note("anonymous memory, before downloads", before, "MiB", None);
    let what = format!("anonymous memory, {downloads} downloads running");
    report.note(&what, most, "MiB", Some(Bound::AtMost(LOADED_BUDGET)));
    Ok(())
}

/// The other side of the above: a shop that tells its port and the paths of its downloads, and
/// serves until it is told to end.
///
/// # Errors
/// When the shop cannot be opened.
pub fn serve_downloads(downloads: usize) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let options = db::Options::Sqlite(folder.path().join("bench.db"));
    let file = shop::content(FILE_BYTES);
    let shop = shop::open(folder.path(), &options, "http://127.0.0.1:9", &file)?;
    drop(file);
    let (port, _stop) = shop.serve(&runtime)?;
    let link = shop.paid_link(&runtime)?;
    println!("{port}");
    for path in shop.open_sessions(&link, downloads)? {
        println!("{path}");
    }
    // Ends with its parent, whose pipe then closes.
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// MiB that belong to nobody's file, as the system counts them.
fn anonymous(process: u32) -> Result<f64, Failure> {
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
