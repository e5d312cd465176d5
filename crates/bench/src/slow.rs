//! Many clients that take a little now and then, of a file, of an archive and of a protected one, and the memory
//! that they cost.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use app::ring::{KEY_LENGTH, Ring};
use db::Options;
use kernel::Secret;

use crate::downloads::client;
use crate::program::{anonymous, free_port, ready};
use crate::report::{Bound, Failure, Report};
use crate::shop;

/// MiB of anonymous memory, of the design.
const BUDGET: f64 = 160.0;
/// What a client takes at once.
const SIP_BYTES: usize = 16 << 10;
/// How often each client takes a little while the memory is looked at.
const SIPS: usize = 40;
/// A client that gets nothing for so long has been forgotten.
const PATIENCE: Duration = Duration::from_secs(30);
/// Beside the large file, so that there is an archive.
const SMALL_BYTES: usize = 64 << 10;

/// Who fetches, what, and from whom.
#[derive(Debug, Clone, Copy)]
pub struct Crowd<'p> {
    /// The built program; this one serves where none is given.
    pub program: Option<&'p Path>,
    /// Clients at once.
    pub readers: usize,
    /// Of the file that all fetch: none is done before the end.
    pub bytes: usize,
}

/// Measures the memory of a server with so many clients of a file, then of an archive, then of one with a password.
///
/// # Errors
/// When the server does not start, or a client gets nothing any more.
pub fn run(crowd: Crowd<'_>, report: &mut Report) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let paths = prepare(&data, crowd)?;
    for (what, paths) in ["a file", "an archive", "a protected archive"].into_iter().zip(paths) {
        let what = format!("{what} of {} MiB", crowd.bytes >> 20);
        measure(crowd, &data, &what, &paths, report)?;
    }
    Ok(())
}

/// Puts a shop into this folder, as the program expects one, and opens a session for each client. Answers the
/// paths of the file, of the archive and of the protected one.
fn prepare(data: &Path, crowd: Crowd<'_>) -> Result<[Vec<String>; 3], Failure> {
    std::fs::DirBuilder::new().mode(0o700).create(data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (large, small) = (shop::content(crowd.bytes), shop::content(SMALL_BYTES));
    let files: [(&str, &[u8]); 2] = [("file.bin", &large), ("notes.txt", &small)];
    let shop = shop::open(data, &database(data), "http://127.0.0.1:9", &files)?;
    write_keys(data, shop.app.ring())?;
    let link = shop.paid_link(&runtime)?;
    let files = shop.open_sessions(&link, crowd.readers)?;
    let plain = shop.open_archives(&link, crowd.readers)?;
    shop.protect()?;
    let protected = shop.open_archives(&shop.paid_link(&runtime)?, crowd.readers)?;
    shop.app.db().close();
    Ok([files, plain, protected])
}

fn measure(
    crowd: Crowd<'_>,
    data: &Path,
    what: &str,
    paths: &[String],
    report: &mut Report,
) -> Result<(), Failure> {
    let port = free_port()?;
    let server = ready(command(crowd.program, data, port)?, port)?;
    let before = anonymous(server.0.id())?;
    let mut streams = Vec::with_capacity(paths.len());
    for path in paths {
        let stream = client::begin(port, path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        streams.push(stream);
    }
    let mut most: f64 = 0.0;
    let mut sip = vec![0u8; SIP_BYTES];
    for _ in 0..SIPS {
        for stream in &mut streams {
            stream.read_exact(&mut sip)?;
        }
        most = most.max(anonymous(server.0.id())?);
    }
    let readers = format!("{} slow readers of {what}", crowd.readers);
    report.note(&format!("anonymous memory, before {readers}"), before, "MiB", None);
    report.note(&format!("anonymous memory, {readers}"), most, "MiB", Some(Bound::AtMost(BUDGET)));
    Ok(())
}

fn command(program: Option<&Path>, data: &Path, port: u16) -> Result<Command, Failure> {
    if let Some(program) = program {
        let mut command = Command::new(program);
        command.arg("serve").env("HANDSEL_DATA", data).env("HANDSEL_LISTEN", format!("127.0.0.1:{port}"));
        // All clients come from one address, as they do through a proxy.
        command.env("HANDSEL_PROXIES__TRUSTED", "[\"127.0.0.1/32\"]");
        return Ok(command);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve-downloads").arg("--data").arg(data).arg("--port").arg(port.to_string());
    Ok(command)
}

/// The other side of the above, where no program was given: serves the shop in a folder until its parent ends.
///
/// # Errors
/// When the shop cannot be opened.
pub fn serve(data: &Path, port: u16) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let app = shop::wire(data, &database(data), "http://127.0.0.1:9", read_keys(data)?)?;
    let (_, _stop) = shop::serve(&app, &runtime, port)?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn database(data: &Path) -> Options {
    Options::Sqlite(data.join("handsel.db"))
}

/// As the program keeps its keys: a number and hex.
fn write_keys(data: &Path, ring: &Ring) -> Result<(), Failure> {
    std::fs::DirBuilder::new().mode(0o700).create(data.join("keys"))?;
    let new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(ring_path(data))?;
    for (number, key) in ring.keys() {
        let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(&new, "{number} {hex}")?;
    }
    Ok(())
}

fn read_keys(data: &Path) -> Result<Ring, Failure> {
    let text = std::fs::read_to_string(ring_path(data))?;
    let mut keys = BTreeMap::new();
    for line in text.lines() {
        let (number, hex) = line.split_once(' ').ok_or("a line of the keys has no number")?;
        let mut key = [0u8; KEY_LENGTH];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2).ok_or("a key is too short")?, 16)?;
        }
        keys.insert(number.parse()?, Secret::new(key));
    }
    Ok(Ring::new(keys)?)
}

fn ring_path(data: &Path) -> std::path::PathBuf {
    data.join("keys").join("ring")
}
