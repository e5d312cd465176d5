//! Beyond four gibibytes and 65,535 files.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use aes::Aes256;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use archive::{ContentId, Entry, Form, Layout, Piece, Reader, Source};

use crate::shelf::{PASSWORD, Shelf, plain, sealed, whole};
use crate::tools::{has, run};

const FOUR_GIB: u64 = 1 << 32;

/// A source of nothing but zeros, as many as anybody wants.
struct Zeros;

impl Source for Zeros {
    fn read_at(&self, _: &ContentId, _: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(0);
        Ok(buffer.len())
    }
}

/// The checksum of so many zeros, without having seen them all.
fn crc_of_zeros(length: u64) -> u32 {
    let mut whole = crc32fast::Hasher::new();
    let mut power = crc32fast::Hasher::new();
    power.update(&[0]);
    for bit in 0..40 {
        if length >> bit & 1 == 1 {
            whole.combine(&power);
        }
        power.combine(&power.clone());
    }
    whole.finalize()
}

fn zeros(name: &str, size: u64) -> Entry {
    let content = ContentId::from_bytes([0; 32]);
    Entry { name: name.to_owned(), content, crc32: crc_of_zeros(size), size, form: Form::Stored }
}

/// Writes an archive in which all but zeros is read from the shelf; zeros take no room on the disk.
fn write_sparse(layout: &Layout, shelf: &Shelf, path: &str) {
    let file = File::create(path).expect("created");
    file.set_len(layout.length()).expect("long enough");
    let mut at = 0;
    for piece in layout.pieces(0..layout.length()) {
        at += match piece {
            Piece::Literal(bytes) => {
                file.write_all_at(&bytes, at).expect("written");
                u64::try_from(bytes.len()).expect("small")
            }
            Piece::Content(stretch) | Piece::Sealed(stretch) => {
                let mut bytes = [0; 100];
                if let Ok(read) = shelf.read_at(&stretch.blob, 0, &mut bytes) {
                    file.write_all_at(&bytes[..read], at).expect("written");
                }
                stretch.length
            }
            Piece::Tag { part, .. } => u64::try_from(part.len()).expect("small"),
        };
    }
    assert_eq!(at, layout.length());
}

/// A file in a folder that lives as long as the test.
fn path(folder: &tempfile::TempDir) -> String {
    folder.path().join("large.zip").to_str().expect("UTF-8").to_owned()
}

/// An archive with a file of zeros and a small one behind it.
fn with_large(size: u64, path: &str) {
    let mut shelf = Shelf::default();
    let layout = plain(vec![zeros("zeros.bin", size), shelf.stored("after.txt", "behind it")]);
    write_sparse(&layout, &shelf, path);
}

const LIST: &str = "import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
print([i.file_size for i in z.infolist()], [i.header_offset for i in z.infolist()], z.read('after.txt').decode())";

#[test]
fn a_file_beyond_four_gibibytes_is_without_fault() {
    if has("7z") {
        let folder = tempfile::tempdir().expect("a folder");
        with_large(FOUR_GIB + 5, &path(&folder));
        run("7z", &["t", &path(&folder)]);
    }
}

#[test]
fn python_reads_what_stands_beyond_four_gibibytes() {
    if has("python3") {
        let folder = tempfile::tempdir().expect("a folder");
        with_large(5 * FOUR_GIB, &path(&folder));
        let listed = run("python3", &["-c", LIST, &path(&folder)]).stdout;
        assert_eq!(String::from_utf8_lossy(&listed), "[21474836480, 9] [0, 21474836539] behind it\n");
    }
}

#[test]
fn info_zip_reads_what_stands_beyond_four_gibibytes() {
    if has("unzip") {
        let folder = tempfile::tempdir().expect("a folder");
        with_large(5 * FOUR_GIB, &path(&folder));
        assert_eq!(run("unzip", &["-p", &path(&folder), "after.txt"]).stdout, b"behind it");
    }
}

#[test]
fn seven_zip_reads_what_stands_beyond_four_gibibytes() {
    if has("7z") {
        let folder = tempfile::tempdir().expect("a folder");
        with_large(5 * FOUR_GIB, &path(&folder));
        assert_eq!(run("7z", &["x", "-so", &path(&folder), "after.txt"]).stdout, b"behind it");
    }
}

#[test]
fn libarchive_reads_what_stands_beyond_four_gibibytes() {
    if has("bsdtar") {
        let folder = tempfile::tempdir().expect("a folder");
        with_large(5 * FOUR_GIB, &path(&folder));
        assert_eq!(run("bsdtar", &["-xOf", &path(&folder), "after.txt"]).stdout, b"behind it");
    }
}

#[test]
fn java_lists_what_stands_beyond_four_gibibytes() {
    if has("jar") {
        let folder = tempfile::tempdir().expect("a folder");
        with_large(5 * FOUR_GIB, &path(&folder));
        assert_eq!(run("jar", &["-tf", &path(&folder)]).stdout, b"zeros.bin\nafter.txt\n");
    }
}

#[test]
fn sizes_and_offsets_at_the_border_of_32_bits_are_read() {
    if has("python3") && has("7z") {
        let folder = tempfile::tempdir().expect("a folder");
        // The second entry begins behind 39 bytes of header, or 59 where the size needs 64 bits.
        for (size, offset) in [
            (FOUR_GIB - 42, FOUR_GIB - 3),
            (FOUR_GIB - 41, FOUR_GIB - 2),
            (FOUR_GIB - 40, FOUR_GIB - 1),
            (FOUR_GIB - 39, FOUR_GIB),
            (FOUR_GIB - 2, FOUR_GIB + 37),
            (FOUR_GIB - 1, FOUR_GIB + 58),
            (FOUR_GIB, FOUR_GIB + 59),
        ] {
            with_large(size, &path(&folder));
            let listed = run("python3", &["-c", LIST, &path(&folder)]).stdout;
            assert_eq!(String::from_utf8_lossy(&listed), format!("[{size}, 9] [0, {offset}] behind it\n"));
            assert_eq!(run("7z", &["x", "-so", &path(&folder), "after.txt"]).stdout, b"behind it");
        }
    }
}

#[test]
fn info_zip_reads_what_stands_at_the_border_of_32_bits() {
    if has("unzip") {
        let folder = tempfile::tempdir().expect("a folder");
        // Not a file of FOUR_GIB - 1 bytes: the 64-bit form of that size Info-ZIP takes for the sign of one.
        for size in [FOUR_GIB - 42, FOUR_GIB - 41, FOUR_GIB - 40, FOUR_GIB - 39, FOUR_GIB - 2, FOUR_GIB] {
            with_large(size, &path(&folder));
            assert_eq!(run("unzip", &["-p", &path(&folder), "after.txt"]).stdout, b"behind it");
        }
    }
}

#[test]
fn a_protected_file_beyond_four_gibibytes_is_listed() {
    if has("python3") && has("7z") {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = sealed(vec![zeros("zeros.bin", 2 * FOUR_GIB)]);
        write_sparse(&layout, &Shelf::default(), &path(&folder));
        let script = "import sys, zipfile; i = zipfile.ZipFile(sys.argv[1]).infolist()[0]; \
                      print(i.file_size, i.compress_size)";
        assert_eq!(run("python3", &["-c", script, &path(&folder)]).stdout, b"8589934592 8589934620\n");
        let listed = run("7z", &["l", "-slt", &path(&folder)]).stdout;
        let listed = String::from_utf8_lossy(&listed);
        assert!(listed.contains("\nSize = 8589934592\nPacked Size = 8589934620\n"), "{listed}");
        assert!(listed.contains("AES-256"), "{listed}");
    }
}

#[test]
fn a_range_far_inside_is_encrypted_by_its_place() {
    let layout = sealed(vec![zeros("zeros.bin", 100 * FOUR_GIB)]);
    let read = |start: u64, length: usize| {
        let mut bytes = vec![0; length];
        Reader::new(layout.clone(), Zeros, start..u64::MAX).fill(&mut bytes).expect("zeros");
        bytes
    };
    // Header 59, extra field of AES 11, salt 16, check 2.
    let salt = read(70, 16);
    let mut keys = [0; 66];
    pbkdf2::pbkdf2_hmac::<sha1::Sha1>(PASSWORD.as_bytes(), &salt, 1000, &mut keys);
    assert_eq!(read(86, 2), keys[64..]);

    let cipher = Aes256::new_from_slice(&keys[..32]).expect("32 bytes");
    let first_block = 70 * (FOUR_GIB / 16) + 1;
    let stream: Vec<u8> = (first_block..first_block + 4)
        .flat_map(|block| {
            let mut bytes = (u128::from(block) + 1).to_le_bytes().into();
            cipher.encrypt_block(&mut bytes);
            bytes
        })
        .collect();
    assert_eq!(read(88 + first_block * 16 + 5, 50), stream[5..55]);
}

/// So many files of three bytes.
fn many(entries: u32, path: &str) {
    let mut shelf = Shelf::default();
    let one = shelf.stored("f", "abc");
    let named = |ordinal| Entry { name: format!("{}/{ordinal}.txt", ordinal % 100), ..one.clone() };
    let layout: Arc<Layout> = plain((0..entries).map(named).collect());
    std::fs::write(path, whole(&layout, &shelf)).expect("written");
}

#[test]
fn seventy_thousand_files_are_without_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    many(70_000, &path(&folder));
    if has("7z") {
        run("7z", &["t", &path(&folder)]);
    }
    if has("unzip") {
        run("unzip", &["-tqq", &path(&folder)]);
    }
    if has("jar") {
        let listed = run("jar", &["-tf", &path(&folder)]).stdout;
        assert_eq!(listed.split(|byte| *byte == b'\n').count(), 70_001);
    }
    if has("bsdtar") {
        let listed = run("bsdtar", &["-tf", &path(&folder)]).stdout;
        assert_eq!(listed.split(|byte| *byte == b'\n').count(), 70_001);
    }
}

#[test]
fn numbers_of_files_at_the_border_of_16_bits_are_read() {
    if has("python3") {
        let folder = tempfile::tempdir().expect("a folder");
        for entries in [65_534, 65_535, 65_536, 70_000] {
            many(entries, &path(&folder));
            let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); n = z.namelist(); \
                          print(len(n), z.read(n[-1]).decode())";
            let listed = run("python3", &["-c", script, &path(&folder)]).stdout;
            assert_eq!(String::from_utf8_lossy(&listed), format!("{entries} abc\n"));
        }
    }
}

#[test]
fn what_needs_no_64_bits_has_none() {
    let mut shelf = Shelf::default();
    let bytes = whole(&plain(vec![shelf.stored("a", "abc")]), &shelf);
    assert_eq!(bytes.len(), 30 + 1 + 3 + 46 + 1 + 22);
}
