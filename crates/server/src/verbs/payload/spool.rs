//! What is packed is what was read.
//!
//! Files in a source folder change under our hands, and an archive's bytes must not: names, sizes and digests stand
//! in front of contents, and with a password one keystream must never meet two contents. So each file is read
//! once, into a file without a name that nobody else can open and that is gone with this process, and packed from there.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use archive::{ContentId, DeflateError, Deflater, Entry, Form, Source};
use sha2::{Digest as _, Sha256};

/// Contents that do not change any more.
pub struct Spool {
    held: File,
    /// One file as it was read, until it is known in which form it is held.
    scratch: File,
    deflater: Deflater,
    /// Where each content is: from which byte on, and how many.
    places: HashMap<ContentId, (u64, u64)>,
}

/// Why a file was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// It changed meanwhile.
    #[error("it changed while it was read; try again when nobody writes to it")]
    Changed,
    /// The temporary file cannot be used: most likely the disk is full.
    #[error("the temporary copy cannot be made: {0}; make room, or choose another folder with TMPDIR or -o")]
    Copy(io::Error),
    /// It cannot be deflated.
    #[error(transparent)]
    Deflate(DeflateError),
}

impl Spool {
    /// An empty spool on the disk of this folder.
    pub fn new(folder: &Path, deflater: Deflater) -> io::Result<Self> {
        let (held, scratch) = (tempfile::tempfile_in(folder)?, tempfile::tempfile_in(folder)?);
        Ok(Self { held, scratch, deflater, places: HashMap::new() })
    }

    /// Reads a file of this length to its end, and holds it deflated where that pays.
    pub fn take(&mut self, name: &str, file: &mut dyn Read, length: u64) -> Result<Entry, SpoolError> {
        let whole = self.read(file, length)?;
        let form = self.deflate(&whole)?;
        if form == Form::Stored && !self.places.contains_key(&whole.content) {
            let mut scratch = &self.scratch;
            let at = self.held.seek(SeekFrom::End(0)).map_err(SpoolError::Copy)?;
            scratch.rewind().map_err(SpoolError::Copy)?;
            io::copy(&mut scratch, &mut self.held).map_err(SpoolError::Copy)?;
            self.places.insert(whole.content, (at, whole.size));
        }
        let Whole { content, crc32, size } = whole;
        Ok(Entry { name: name.to_owned(), content, crc32, size, form })
    }

    /// Copies the file, and learns what it is.
    fn read(&mut self, file: &mut dyn Read, length: u64) -> Result<Whole, SpoolError> {
        self.scratch.set_len(0).and_then(|()| self.scratch.rewind()).map_err(SpoolError::Copy)?;
        let (mut sha256, mut crc32, mut size) = (Sha256::new(), crc32fast::Hasher::new(), 0u64);
        // One byte more than there should be, to notice that there is more.
        let mut file = file.take(length.saturating_add(1));
        let mut buffer = vec![0u8; BUFFER];
        loop {
            let read = file.read(&mut buffer).map_err(SpoolError::Read)?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            sha256.update(bytes);
            crc32.update(bytes);
            self.scratch.write_all(bytes).map_err(SpoolError::Copy)?;
            size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        }
        if size != length {
            return Err(SpoolError::Changed);
        }
        Ok(Whole { content: ContentId::from_bytes(sha256.finalize().into()), crc32: crc32.finalize(), size })
    }

    /// Adds the file's stream to what is held, unless it does not pay.
    fn deflate(&mut self, whole: &Whole) -> Result<Form, SpoolError> {
        let at = self.held.seek(SeekFrom::End(0)).map_err(SpoolError::Copy)?;
        self.scratch.rewind().map_err(SpoolError::Copy)?;
        let mut stream = Hashed { to: &mut self.held, sha256: Sha256::new() };
        let deflated = self.deflater.deflate(&mut &self.scratch, &mut stream).map_err(SpoolError::Deflate)?;
        let blob = ContentId::from_bytes(stream.sha256.finalize().into());
        // What was just copied is what is deflated.
        if deflated.size != whole.size {
            return Err(SpoolError::Changed);
        }
        let pays = deflated.pays();
        if !pays || self.places.contains_key(&blob) {
            self.held.set_len(at).map_err(SpoolError::Copy)?;
        }
        if !pays {
            return Ok(Form::Stored);
        }
        self.places.entry(blob).or_insert((at, deflated.length));
        Ok(Form::Deflated { blob, length: deflated.length })
    }
}

struct Whole {
    content: ContentId,
    crc32: u32,
    size: u64,
}

/// Learns the digest of what is written.
struct Hashed<'a> {
    to: &'a mut File,
    sha256: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sha256.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Source for Spool {
    fn read_at(&self, blob: &ContentId, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (at, length) = *self.places.get(blob).ok_or(io::ErrorKind::NotFound)?;
        let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        self.held.read_at(buffer.get_mut(..most).unwrap_or_default(), at.saturating_add(offset))
    }
}

const BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn spool() -> Spool {
        Spool::new(&std::env::temp_dir(), Deflater::new(std::num::NonZeroUsize::MIN)).unwrap()
    }

    fn held(spool: &Spool, entry: &Entry) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(entry.held()).unwrap() + 1];
        let read = spool.read_at(&entry.blob(), 0, &mut bytes).unwrap();
        bytes.truncate(read);
        bytes
    }

    #[test]
    fn a_file_is_held_in_the_form_that_is_smaller() {
        let mut spool = spool();
        let (text, noise) = (b"handsel ".repeat(1000), (0..=255).collect::<Vec<u8>>());
        let deflated = spool.take("a", &mut text.as_slice(), 8000).unwrap();
        let stored = spool.take("b", &mut noise.as_slice(), 256).unwrap();
        assert!(matches!(deflated.form, Form::Deflated { length, .. } if length < 200));
        assert_eq!((stored.form, held(&spool, &stored)), (Form::Stored, noise));
        assert_eq!(u64::try_from(held(&spool, &deflated).len()).unwrap(), deflated.held());
    }

    #[test]
    fn two_files_with_one_content_take_the_room_of_one() {
        let mut spool = spool();
        let room = |spool: &Spool| spool.held.metadata().unwrap().len();
        let (text, noise) = (b"handsel ".repeat(1000), (0..=255).collect::<Vec<u8>>());
        let mut twice = || {
            let text = spool.take("a", &mut text.as_slice(), 8000).unwrap();
            let noise = spool.take("b", &mut noise.as_slice(), 256).unwrap();
            (text, noise, room(&spool))
        };
        assert_eq!(twice(), twice());
    }

    #[test]
    fn a_file_that_grows_or_shrinks_meanwhile_is_not_packed() {
        let mut spool = spool();
        for length in [2, 4] {
            let error = spool.take("a", &mut &b"abc"[..], length).unwrap_err();
            assert!(matches!(error, SpoolError::Changed), "{error}");
        }
        assert_eq!(spool.take("a", &mut &b"abc"[..], 3).unwrap().size, 3);
    }
}
