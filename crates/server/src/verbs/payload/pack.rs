//! `handsel payload pack`: the archive, or a part of it.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::problem::Problem;
use archive::{Deflater, DosTime, Entry, Layout, Protection, Reader};
use indicatif::{ProgressBar, ProgressStyle};
use kernel::Secret;
use payload::{Came, Placement, Resolution};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::{Output, VerbError, printable};
use super::ground::{Ground, Opened};
use super::range::ByteRange;
use super::spool::Spool;
use super::words;
use crate::config::secret_file;
use crate::outfile::OutFile;
use crate::secrets::{self, Cost};
use crate::wiring::StartError;

/// Which spec, and what of its archive.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    ground: Ground,
    /// A file with a password, readable by nobody else: contents are encrypted with it (WinZip AES-256).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Only these bytes of the archive, counted from zero, both included; FIRST- for all from there on.
    #[arg(long, value_name = "FIRST-LAST")]
    range: Option<ByteRange>,
    /// The file to write; - is standard output.
    #[arg(short, long = "output", value_name = "FILE")]
    output: PathBuf,
}

/// Runs the verb.
pub fn run(options: &Options, output: Output) -> Result<(), VerbError> {
    let password = options.password_file.as_deref().map(password).transpose()?;
    let opened = options.ground.open()?;
    let found = opened.resolve()?;
    refuse(&opened, &found)?;
    let out = Out::open(&options.output)?;
    let mut spool = out.spool()?;
    let entries = take_in(&opened, &found, &mut spool)?;
    let layout = Arc::new(lay_out(entries, password)?);
    let range = match options.range {
        None => 0..layout.length(),
        Some(range) => range.within(layout.length()).ok_or_else(|| {
            refusal(format!(
                "the range begins behind the archive's end: it has {}",
                words::bytes(layout.length())
            ))
        })?,
    };
    let mut reader = Reader::new(layout.clone(), &spool, range.clone());
    let written = out.write(&mut reader)?;
    let packed = json!({
        "bytes": layout.length(), "etag": layout.etag(), "first": range.start, "written": written.bytes,
        "sha256": written.sha256, "entries": layout.entries().map(told).collect::<Vec<_>>(),
    });
    let text = format!(
        "{} of {}, {}; SHA-256 {}",
        words::bytes(written.bytes),
        words::bytes(layout.length()),
        words::files(layout.entries().len()),
        written.sha256
    );
    if written.to_stdout {
        output.done_aside(&text, &packed)
    } else {
        output.done(&text, &packed)
    }
    Ok(())
}

fn told(entry: &Entry) -> Value {
    json!({ "name": entry.name, "bytes": entry.size, "held": entry.held(), "sha256": entry.content })
}

fn password(path: &Path) -> Result<Secret<String>, VerbError> {
    let password = secret_file("--password-file", path).map_err(StartError::from)?;
    let why = |error| VerbError::Usage(format!("{}: {error}", path.display()));
    archive::password::check(password.expose()).map_err(why)?;
    Ok(password)
}

fn refusal(text: String) -> VerbError {
    VerbError::Refused(Problem::invalid("spec", text).into())
}

/// A payload that is not as it should be is not packed; what is no file is said.
fn refuse(opened: &Opened, found: &Resolution) -> Result<(), VerbError> {
    for (item, outcome) in opened.spec.items.iter().zip(&found.outcomes) {
        match &outcome.came {
            Came::Broken(problem) => return Err(refusal(printable(&format!("{item}: {problem}")))),
            Came::Elsewhere | Came::Nothing => {
                eprintln!("not packed: {item}: {}", words::came(&outcome.came))
            }
            Came::Files(_) | Came::Spared | Came::Held => {}
        }
    }
    if found.files.is_empty() {
        return Err(refusal("no file is there to be packed; see: handsel payload explain".to_owned()));
    }
    Ok(())
}

fn take_in(opened: &Opened, found: &Resolution, spool: &mut Spool) -> Result<Vec<Entry>, VerbError> {
    let bar = ProgressBar::new(found.bytes);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    let mut take = |at: &Placement| {
        bar.set_message(printable(at.path.name()));
        let failed = |why: String| refusal(printable(&format!("{}: {why}", opened.path(at))));
        let (file, length) = opened.read(at).map_err(|error| failed(error.to_string()))?;
        let entry = spool.take(at.path.name(), &mut bar.wrap_read(file), length);
        entry.map_err(|error| failed(error.to_string()))
    };
    let entries = found.files.iter().map(&mut take).collect::<Result<Vec<_>, VerbError>>();
    bar.finish_and_clear();
    entries
}

/// The same files and the same password give the same archive, always.
///
/// A shop draws a seed for each archive and keeps it. Here nothing is kept, so it follows from the password and from all that
/// decides the archive's bytes. It is made to take longer than opening the archive by trying: what can be seen
/// of it, the salts, must be no shorter way to the password.
fn lay_out(entries: Vec<Entry>, password: Option<Secret<String>>) -> Result<Layout, VerbError> {
    let refused = |error: archive::LayoutError| refusal(error.to_string());
    let plain = Layout::new(entries.clone(), DosTime::FIRST, None).map_err(refused)?;
    let Some(password) = password else { return Ok(plain) };
    let usage = |error: &dyn std::fmt::Display| VerbError::Usage(error.to_string());
    let digest: [u8; 32] = Sha256::digest(format!("handsel payload pack\0{}", plain.etag())).into();
    let mut salt = [0u8; 16];
    salt.copy_from_slice(digest.split_at(16).0);
    let seed = secrets::derive(&password, &salt, Cost::USUAL).map_err(|error| usage(&error))?;
    let protection = Protection::new(seed, password).map_err(|error| usage(&error))?;
    Layout::new(entries, DosTime::FIRST, Some(protection)).map_err(refused)
}

/// Where the bytes go.
enum Out<'a> {
    Stdout,
    File { path: &'a Path, out: OutFile },
}

struct Written {
    bytes: u64,
    sha256: String,
    to_stdout: bool,
}

impl<'a> Out<'a> {
    fn open(path: &'a Path) -> Result<Self, VerbError> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let out =
            OutFile::create(path).map_err(|why| VerbError::File { path: path.display().to_string(), why })?;
        Ok(Self::File { path, out })
    }

    fn failed(&self, why: io::Error) -> VerbError {
        let path = match self {
            Self::Stdout => "standard output".to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        };
        VerbError::File { path, why }
    }

    /// A spool where the archive will be, for there is most likely room; else where temporary files are.
    fn spool(&self) -> Result<Spool, VerbError> {
        let folder = match self {
            Self::Stdout => std::env::temp_dir(),
            Self::File { path, .. } => match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            },
        };
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let why = |why| VerbError::File { path: folder.display().to_string(), why };
        Spool::new(&folder, Deflater::new(threads)).map_err(why)
    }

    fn write(self, reader: &mut Reader<&Spool>) -> Result<Written, VerbError> {
        let stdout = io::stdout();
        let copied = match &self {
            Self::Stdout => copy(reader, &mut stdout.lock()),
            Self::File { out, .. } => copy(reader, &mut out.file()),
        };
        let (bytes, sha256) = copied.map_err(|why| self.failed(why))?;
        let to_stdout = matches!(self, Self::Stdout);
        if let Self::File { path, out } = self {
            out.finish().map_err(|why| VerbError::File { path: path.display().to_string(), why })?;
        }
        Ok(Written { bytes, sha256, to_stdout })
    }
}

fn copy(reader: &mut Reader<&Spool>, to: &mut dyn Write) -> io::Result<(u64, String)> {
    let (mut bytes, mut sha256) = (0u64, Sha256::new());
    let mut buffer = vec![0u8; BUFFER];
    loop {
        let read = reader.fill(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        sha256.update(part);
        to.write_all(part)?;
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    to.flush()?;
    Ok((bytes, hex::encode(sha256.finalize())))
}

const BUFFER: usize = 1024 * 1024;
