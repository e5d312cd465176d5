//! Deflate streams made on several threads.

use std::io::{Error, Read, Write};
use std::num::NonZeroUsize;

use archive::{DeflateError, Deflated, Deflater, Entry, Form};
use proptest::prelude::*;

use crate::shelf::{Shelf, digest, noise, plain, prose, whole};
use crate::tools::{has, run};

fn deflate(threads: usize, content: &[u8]) -> (Deflated, Vec<u8>) {
    let mut stream = Vec::new();
    let deflater = Deflater::new(NonZeroUsize::new(threads).expect("some")).level(4);
    let deflated = deflater.deflate(&mut &*content, &mut stream).expect("memory");
    assert_eq!(deflated.size, u64::try_from(content.len()).expect("small"));
    assert_eq!(deflated.length, u64::try_from(stream.len()).expect("small"));
    (deflated, stream)
}

fn inflate(stream: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut inflating = flate2::bufread::DeflateDecoder::new(stream);
    inflating.read_to_end(&mut content).expect("a good stream");
    // All of it is one stream: nothing is left behind its end.
    assert!(inflating.into_inner().is_empty());
    content
}

#[test]
fn a_file_of_many_blocks_is_one_stream() {
    let content = [prose(1_300_000), noise(1, 700_000), vec![b'x'; 600_000], prose(10)].concat();
    assert!(inflate(&deflate(2, &content).1) == content);
}

#[test]
fn a_stream_does_not_depend_on_the_number_of_threads() {
    let content = [prose(2_000_000), noise(1, 700_000), prose(2_000_000)].concat();
    assert!(deflate(1, &content).1 == deflate(5, &content).1);
}

#[test]
fn a_block_refers_to_what_stands_before_it() {
    // 30,000 bytes that do not deflate, again and again: only a reference over the block's border saves the copy there.
    let content = noise(1, 30_000).repeat(40);
    let (deflated, _) = deflate(2, &content);
    assert!(deflated.length < 60_000, "{deflated:?}");
}

#[test]
fn an_empty_file_is_the_shortest_stream() {
    let (deflated, stream) = deflate(1, b"");
    assert_eq!(inflate(&stream), b"");
    assert_eq!(deflated.length, 2);
    assert!(!deflated.pays());
}

#[test]
fn a_stream_pays_when_it_saves_a_thirty_second_part() {
    assert!(deflate(2, &prose(1_000_000)).0.pays());
    assert!(!deflate(2, &noise(1, 1_000_000)).0.pays());
    assert!(Deflated { size: 3200, length: 3100 }.pays());
    assert!(!Deflated { size: 3200, length: 3101 }.pays());
    assert!(!Deflated { size: 10, length: 10 }.pays());
    assert!(!Deflated { size: 10, length: 12 }.pays());
}

#[test]
fn what_does_not_deflate_grows_by_less_than_a_thousandth() {
    let (deflated, _) = deflate(2, &noise(1, 3_000_000));
    assert!(deflated.length < 3_003_000, "{deflated:?}");
}

/// Gives so many bytes and then fails.
struct Failing(usize);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = buffer.len().min(self.0);
        self.0 -= read;
        if read == 0 { Err(Error::other("unplugged")) } else { Ok(read) }
    }
}

impl Write for Failing {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(buffer.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_an_error() {
    let deflater = Deflater::new(NonZeroUsize::MIN);
    let error = deflater.deflate(&mut Failing(3_000_000), &mut std::io::sink()).expect_err("unplugged");
    assert!(matches!(error, DeflateError::Read { .. }), "{error}");
}

#[test]
fn a_full_disk_is_an_error_and_ends_the_threads() {
    let deflater = Deflater::new(NonZeroUsize::MIN.saturating_add(2));
    let content = noise(1, 5_000_000);
    let error = deflater.deflate(&mut content.as_slice(), &mut Failing(1_000_000)).expect_err("full");
    let DeflateError::Write { source, .. } = error else { panic!("{error}") };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
}

#[test]
fn other_programs_inflate_the_stream() {
    if has("unzip") && has("7z") && has("jar") {
        let content = [prose(1_300_000), noise(1, 700_000), prose(900_000)].concat();
        let (deflated, stream) = deflate(2, &content);
        let mut shelf = Shelf::default();
        let blob = shelf.stored("", stream).content;
        let entry = Entry {
            name: "a.txt".to_owned(),
            content: digest(&content),
            crc32: crc32fast::hash(&content),
            size: deflated.size,
            form: Form::Deflated { blob, length: deflated.length },
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.zip").to_str().expect("UTF-8").to_owned();
        std::fs::write(&path, whole(&plain(vec![entry]), &shelf)).expect("written");
        assert!(run("unzip", &["-p", &path, "a.txt"]).stdout == content);
        assert!(run("7z", &["x", "-so", &path, "a.txt"]).stdout == content);
        let out = std::process::Command::new("jar").args(["-xf", &path]).current_dir(folder.path()).status();
        assert!(out.expect("it starts").success());
        assert!(std::fs::read(folder.path().join("a.txt")).expect("unpacked") == content);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_file_comes_out_as_it_went_in(parts in prop::collection::vec((0u8..4, 0usize..400_000), 0..6), threads in 1usize..4) {
        let part = |(kind, length): (u8, usize)| match kind {
            0 => prose(length),
            1 => noise(7, length),
            2 => noise(3, 5000).into_iter().cycle().take(length).collect(),
            _ => vec![0; length],
        };
        let content: Vec<u8> = parts.into_iter().flat_map(part).collect();
        prop_assert!(inflate(&deflate(threads, &content).1) == content);
    }
}
