//! Measures a protected archive against a bare loop of AES-256-CTR and HMAC-SHA-1 over the same bytes, on one
//! core, and the layout of 10,000 entries. `cargo run --release -p archive --example aes`

#![expect(clippy::disallowed_methods, reason = "measures elapsed time")]
#![expect(clippy::print_stdout, reason = "its result")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use aes::Aes256;
use archive::{ContentId, DosTime, Entry, Form, Layout, Protection, Reader, Source};
use ctr::Ctr128LE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use kernel::{Secret, SystemEntropy};
use sha1::Sha1;

const SIZE: usize = 150 << 20;
const ROUNDS: usize = 5;

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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let content = Content((0..SIZE).map(|at| at.to_le_bytes()[at % 3]).collect());
    let mut bare = Duration::MAX;
    let mut ours = Duration::MAX;
    let mut known = Duration::MAX;
    for _ in 0..ROUNDS {
        bare = bare.min(bare_loop(&content.0));
        let layout = Arc::new(Layout::new(vec![entry(0, SIZE)?], DosTime::FIRST, Some(protection()?))?);
        ours = ours.min(archived(&layout, &content)?);
        known = known.min(archived(&layout, &content)?);
    }
    let entries = (0..10_000).map(|ordinal| entry(ordinal, 1_000)).collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    let layout = Layout::new(entries, DosTime::FIRST, Some(protection()?))?;
    let laid_out = began.elapsed();
    let small = archived(&Arc::new(layout), &content)?;

    println!("bare loop:               {:.2} GiB/s", speed(bare));
    println!("archive, first time:     {:.2} GiB/s, ratio {:.2}", speed(ours), ratio(bare, ours));
    println!("archive, tag known:      {:.2} GiB/s, ratio {:.2}", speed(known), ratio(bare, known));
    println!("layout of 10,000 entries: {:.1} ms", laid_out.as_secs_f64() * 1e3);
    println!("all of them, 1,000 bytes each: {:.0} us an entry", small.as_secs_f64() * 1e2);
    Ok(())
}

/// In pieces that stay in the first-level cache: the loop at its fastest.
fn bare_loop(content: &[u8]) -> Duration {
    let mut out = vec![0u8; 16 * 1024];
    let began = Instant::now();
    let mut cipher = Ctr128LE::<Aes256>::new(&[1; 32].into(), &[1; 16].into());
    let mut mac = Hmac::<Sha1>::new(&[2; 64].into());
    for piece in content.chunks(out.len()) {
        if let Some(out) = out.get_mut(..piece.len()) {
            out.copy_from_slice(piece);
            cipher.apply_keystream(out);
            mac.update(out);
        }
    }
    std::hint::black_box(mac.finalize());
    began.elapsed()
}

fn archived(layout: &Arc<Layout>, content: &Content) -> Result<Duration, archive::ReadError> {
    let mut out = vec![0u8; 256 * 1024];
    let began = Instant::now();
    let mut reader = Reader::new(layout.clone(), content, 0..layout.length());
    while reader.fill(&mut out)? > 0 {
        std::hint::black_box(&out);
    }
    Ok(began.elapsed())
}

fn entry(ordinal: u32, size: usize) -> Result<Entry, std::num::TryFromIntError> {
    let mut content = [0u8; 32];
    for (to, from) in content.iter_mut().zip(ordinal.to_le_bytes()) {
        *to = from;
    }
    Ok(Entry {
        name: format!("Folder {}/Übung {ordinal}.bin", ordinal % 50),
        content: ContentId::from_bytes(content),
        crc32: 0,
        size: u64::try_from(size)?,
        form: Form::Stored,
    })
}

fn protection() -> Result<Protection, archive::password::PasswordError> {
    Protection::new(Secret::new([7; 32]), archive::password::generate(&SystemEntropy))
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "for showing")]
fn speed(took: Duration) -> f64 {
    SIZE as f64 / took.as_secs_f64() / f64::from(1u32 << 30)
}

fn ratio(bare: Duration, ours: Duration) -> f64 {
    bare.as_secs_f64() / ours.as_secs_f64()
}
