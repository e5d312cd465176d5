//! The crate `archive` by itself, on one core: no database, no network.

use std::sync::Arc;
use std::time::Duration;

use aes::Aes256;
use archive::{ContentId, DosTime, Entry, Form, Layout, Protection, Reader, Source};
use ctr::Ctr128LE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::{Secret, SystemEntropy};
use sha1::Sha1;

use super::Scale;
use crate::report::{Bound, Failure, Pace, Report, Stopwatch, part, timed};
use crate::shop;

/// Budgets of the design.
const SEALING_BUDGET: f64 = 0.8;
const LAYOUT_BUDGET: f64 = 50.0;
const FIRST_BYTE_BUDGET: f64 = 5.0;

/// Rates are told in these.
const KIB: usize = 1024;
/// Stays in the first-level cache: the bare loop at its fastest.
const PIECE: usize = 16 * KIB;
/// What a reader is asked for at once.
const FILL: usize = 256 * KIB;
/// A file that no disk here holds: its first byte must not wait for its last.
const HUGE: u64 = 1 << 40;

/// Measures encrypting, laying out and beginning.
///
/// # Errors
/// When an archive cannot be laid out or read.
pub fn run(scale: Scale, pace: Pace, report: &mut Report) -> Result<(), Failure> {
    let content = Content(shop::content(scale.content));
    report.compare(
        "archive with password, KiB on one core",
        ("bare AES-256-CTR + HMAC-SHA-1 loop", &mut timed(|turn| again(turn, || bare_loop(&content.0)))),
        &mut timed(|turn| again(turn, || sealed(&content))),
        Some(SEALING_BUDGET),
        pace,
    )?;
    let many = (0..scale.entries).map(|ordinal| entry(ordinal, 1000)).collect::<Vec<_>>();
    let time = median(pace, || {
        let entries = many.clone();
        let stopwatch = Stopwatch::start();
        Layout::new(entries, DosTime::FIRST, Some(protection()?))?;
        Ok(stopwatch.elapsed())
    })?;
    let what = format!("layout of {} entries with password", scale.entries);
    report.note(&what, time, "ms", Some(Bound::AtMost(LAYOUT_BUDGET)));
    for (name, size) in [("1 MiB", 1 << 20), ("1 TiB", HUGE)] {
        let time = median(pace, || first_byte(size))?;
        let what = format!("layout and first encrypted byte of {name}");
        report.note(&what, time, "ms", Some(Bound::AtMost(FIRST_BYTE_BUDGET)));
    }
    Ok(())
}

/// Does the same again until the time is over. Answers how many KiB that was.
fn again(turn: Duration, mut once: impl FnMut() -> Result<usize, Failure>) -> Result<u64, Failure> {
    let stopwatch = Stopwatch::start();
    let mut bytes = 0;
    while bytes == 0 || stopwatch.elapsed() < turn {
        bytes += once()?;
    }
    Ok(u64::try_from(bytes / KIB)?)
}

/// The median in milliseconds.
fn median(pace: Pace, mut once: impl FnMut() -> Result<Duration, Failure>) -> Result<f64, Failure> {
    let times = (0..pace.turns.max(1)).map(|_| once()).collect::<Result<Vec<_>, _>>()?;
    let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    Ok(part(&times, 50))
}

fn bare_loop(content: &[u8]) -> Result<usize, Failure> {
    let mut out = vec![0u8; PIECE];
    let mut cipher = Ctr128LE::<Aes256>::new(&[1; 32].into(), &[1; 16].into());
    let mut mac = Hmac::<Sha1>::new(&[2; 64].into());
    for piece in content.chunks(PIECE) {
        let out = out.get_mut(..piece.len()).ok_or("a piece is longer than asked for")?;
        out.copy_from_slice(piece);
        cipher.apply_keystream(out);
        mac.update(out);
    }
    std::hint::black_box(mac.finalize());
    Ok(content.len())
}

/// All bytes of a new archive: its keys and its tag are made on the way.
fn sealed(content: &Content) -> Result<usize, Failure> {
    let layout = laid_out(u64::try_from(content.0.len())?)?;
    let mut out = vec![0u8; FILL];
    let mut reader = Reader::new(Arc::clone(&layout), content, 0..layout.length());
    let mut bytes = 0;
    loop {
        let filled = reader.fill(&mut out)?;
        if filled == 0 {
            return Ok(bytes);
        }
        std::hint::black_box(&out);
        bytes += filled;
    }
}

/// From nothing to the first byte of the encrypted content, its keys made on the way.
fn first_byte(size: u64) -> Result<Duration, Failure> {
    let stopwatch = Stopwatch::start();
    let layout = laid_out(size)?;
    let range = 0..layout.length();
    // A header, then salt and check, then the content.
    let mut reader = Reader::new(layout, Endless, range);
    let mut out = vec![0u8; KIB];
    reader.fill(&mut out)?;
    std::hint::black_box(&out);
    Ok(stopwatch.elapsed())
}

fn laid_out(size: u64) -> Result<Arc<Layout>, Failure> {
    Ok(Arc::new(Layout::new(vec![entry(0, size)], DosTime::FIRST, Some(protection()?))?))
}

fn entry(ordinal: u32, size: u64) -> Entry {
    let mut content = [0u8; 32];
    for (to, from) in content.iter_mut().zip(ordinal.to_le_bytes()) {
        *to = from;
    }
    Entry {
        name: format!("Folder {}/Übung {ordinal}.bin", ordinal % 50),
        content: ContentId::from_bytes(content),
        crc32: 0,
        size,
        form: Form::Stored,
    }
}

fn protection() -> Result<Protection, Failure> {
    Ok(Protection::new(Secret::new([7; 32]), archive::password::generate(&SystemEntropy))?)
}

/// One content in memory.
struct Content(Vec<u8>);

impl Source for Content {
    fn read_at(&self, _: &ContentId, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..read), rest.get(..read)) {
            to.copy_from_slice(from);
        }
        Ok(read)
    }
}

/// As many zeros as are asked for.
struct Endless;

impl Source for Endless {
    fn read_at(&self, _: &ContentId, _: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(0);
        Ok(buffer.len())
    }
}
