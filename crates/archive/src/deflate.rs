//! Deflates a file once, when it is added, on several threads.
//!
//! As `pigz` does it: the file is cut into blocks, each block is deflated by itself with the 32 KiB before it as a
//! dictionary, and ends on a whole byte, so that the results one after another are one deflate stream (RFC 1951). The
//! stream depends on the file and the level alone, not on the number of threads.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

/// How much one thread deflates at a time.
const BLOCK: usize = 512 * 1024;
/// How far back a deflate stream can refer.
const WINDOW: usize = 32 * 1024;
/// Blocks that are read ahead, per thread.
const AHEAD: usize = 2;
/// An empty last block: the end of a stream.
const LAST: [u8; 2] = [3, 0];

/// Deflates files. Holds about 3 MiB of memory per thread, whatever the file's size.
#[derive(Debug, Clone, Copy)]
pub struct Deflater {
    threads: NonZeroUsize,
    level: Compression,
}

/// What came of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflated {
    /// The length of the file in bytes.
    pub size: u64,
    /// The length of the stream in bytes.
    pub length: u64,
}

impl Deflated {
    /// Whether the stream is worth keeping: it saves a thirty-second part (3.125 %) or more. Below that
    /// it only costs room here and time at the buyer's; the file is then better stored as it is.
    pub const fn pays(&self) -> bool {
        let saved = self.size.saturating_sub(self.length);
        saved > 0 && saved >= self.size / 32
    }
}

/// Why a file was not deflated. What was written until then is of no use.
#[derive(Debug, thiserror::Error)]
pub enum DeflateError {
    /// The file could not be read.
    #[error("the file to be deflated cannot be read at byte {at}: {source}")]
    Read {
        /// Where.
        at: u64,
        /// The answer.
        source: std::io::Error,
    },
    /// The stream could not be written.
    #[error("the deflated file cannot be written at byte {at}: {source}")]
    Write {
        /// Where.
        at: u64,
        /// The answer.
        source: std::io::Error,
    },
    /// What was deflated did not come out as it went in: broken memory, or a mistake in the deflater.
    #[error(
        "the file did not come out of deflation as it went in, at block {block}; check this machine's memory"
    )]
    Differs {
        /// Which block of 512 KiB, counted from zero.
        block: u64,
    },
    /// A thread could not be had or ended early.
    #[error("no thread to deflate the file: {0}")]
    Thread(String),
}

impl Deflater {
    /// A deflater with so many threads, at the level that makes the most of a file that is sold often.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads, level: Compression::new(9) }
    }

    /// The same at another level, from 1 (fast) to 9 (small).
    pub fn level(self, level: u32) -> Self {
        Self { level: Compression::new(level.clamp(1, 9)), ..self }
    }

    /// Deflates all of a file into one raw stream. Each block is inflated again and compared before it is written.
    ///
    /// Waits for reader, writer and threads: not for async workers.
    ///
    /// # Errors
    /// When reading or writing fails, or the result is not right.
    pub fn deflate(&self, from: &mut dyn Read, to: &mut dyn Write) -> Result<Deflated, DeflateError> {
        let (jobs, waiting) = channel::<Job>();
        let waiting = Mutex::new(waiting);
        std::thread::scope(|scope| {
            let mut workers = Vec::with_capacity(self.threads.get());
            for _ in 0..self.threads.get() {
                let work = || work(&waiting, self.level);
                match std::thread::Builder::new().name("deflate".to_owned()).spawn_scoped(scope, work) {
                    Ok(worker) => workers.push(worker),
                    // One is enough; with none there is nobody to wait for.
                    Err(error) if workers.is_empty() => return Err(DeflateError::Thread(error.to_string())),
                    Err(_) => break,
                }
            }
            let ahead = workers.len().saturating_mul(AHEAD);
            let deflated = run(from, to, jobs, ahead);
            for worker in workers {
                // Its block is missing then, which `run` has noticed.
                let _panicked = worker.join();
            }
            deflated
        })
    }
}

/// A block to deflate, what comes before it, and where to put the result.
struct Job {
    block: Vec<u8>,
    dictionary: Vec<u8>,
    done: SyncSender<Option<Vec<u8>>>,
}

/// Hands out blocks and writes what comes back, in order.
fn run(
    from: &mut dyn Read,
    to: &mut dyn Write,
    jobs: Sender<Job>,
    ahead: usize,
) -> Result<Deflated, DeflateError> {
    let mut out = Out { to, blocks: 0, length: 0 };
    let mut size = 0;
    let mut pending = VecDeque::with_capacity(ahead);
    let mut dictionary = Vec::new();
    loop {
        let block = read_block(from, size)?;
        if block.is_empty() {
            break;
        }
        size = add(size, block.len());
        let before = std::mem::replace(&mut dictionary, tail(&block).to_vec());
        let (done, result) = sync_channel(1);
        // Nobody takes the job if all threads ended; the result is then missing, too.
        let _sent = jobs.send(Job { block, dictionary: before, done });
        pending.push_back(result);
        if pending.len() >= ahead {
            out.take(pending.pop_front())?;
        }
    }
    drop(jobs);
    while !pending.is_empty() {
        out.take(pending.pop_front())?;
    }
    out.write(&LAST)?;
    out.to.flush().map_err(|source| DeflateError::Write { at: out.length, source })?;
    Ok(Deflated { size, length: out.length })
}

/// The stream as it grows.
struct Out<'a> {
    to: &'a mut dyn Write,
    blocks: u64,
    length: u64,
}

impl Out<'_> {
    fn take(&mut self, result: Option<Receiver<Option<Vec<u8>>>>) -> Result<(), DeflateError> {
        let Some(result) = result else { return Ok(()) };
        let result = result.recv().map_err(|_| DeflateError::Thread("a thread ended early".to_owned()))?;
        self.write(&result.ok_or(DeflateError::Differs { block: self.blocks })?)?;
        self.blocks = self.blocks.saturating_add(1);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DeflateError> {
        self.to.write_all(bytes).map_err(|source| DeflateError::Write { at: self.length, source })?;
        self.length = add(self.length, bytes.len());
        Ok(())
    }
}

/// A whole block, or what is left of the file.
fn read_block(from: &mut dyn Read, at: u64) -> Result<Vec<u8>, DeflateError> {
    let mut block = Vec::with_capacity(BLOCK);
    let most = u64::try_from(BLOCK).unwrap_or(u64::MAX);
    from.take(most).read_to_end(&mut block).map_err(|source| DeflateError::Read { at, source })?;
    Ok(block)
}

/// As much of the end of a block as the next one can refer to.
fn tail(block: &[u8]) -> &[u8] {
    block.get(block.len().saturating_sub(WINDOW)..).unwrap_or_default()
}

fn add(sum: u64, length: usize) -> u64 {
    sum.saturating_add(u64::try_from(length).unwrap_or(u64::MAX))
}

/// Deflates what is waiting, until nothing more will come.
fn work(waiting: &Mutex<Receiver<Job>>, level: Compression) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { block, dictionary, done }) = next else { return };
        let stream = deflated(&block, &dictionary, level);
        let right = stream.filter(|stream| inflated(stream, &dictionary, block.len()) == Some(block));
        // Nobody waits any more when something else went wrong.
        let _sent = done.send(right);
    }
}

/// The block as a piece of a stream, up to a whole byte. Nothing, if the library fails.
fn deflated(block: &[u8], dictionary: &[u8], level: Compression) -> Option<Vec<u8>> {
    // Made anew each time: one that was used before and reset gave another stream, a few bytes longer.
    let mut deflate = Compress::new(level, false);
    if !dictionary.is_empty() {
        deflate.set_dictionary(dictionary).ok()?;
    }
    let mut stream = Vec::with_capacity(block.len().saturating_add(ROOM));
    loop {
        let done = usize::try_from(deflate.total_in()).ok()?;
        deflate.compress_vec(block.get(done..)?, &mut stream, FlushCompress::Sync).ok()?;
        // What fits is complete: the flush is done when room is left.
        if stream.len() < stream.capacity() {
            return Some(stream);
        }
        stream.reserve(ROOM);
    }
}

/// What a reader will make of it.
fn inflated(stream: &[u8], dictionary: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut inflate = Decompress::new(false);
    if !dictionary.is_empty() {
        inflate.set_dictionary(dictionary).ok()?;
    }
    let mut block = Vec::with_capacity(length.saturating_add(1));
    inflate.decompress_vec(stream, &mut block, FlushDecompress::Sync).ok()?;
    (inflate.total_in() == u64::try_from(stream.len()).ok()?).then_some(block)
}

/// More than the worst a block can grow by.
const ROOM: usize = 1024;
