//! EPUB files: what is in them, what other programs say of the stamped ones, and how a mark survives.

use crate::pages::{lines, mark, turned};
use crate::tools::Bench;
use stamp::{Kind, Mark, Place, Position, Stamp, StampError, find_marks, stamp, stamp_epub};
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const CONTAINER: &str = r#"<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"#;
const PACKAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:uuid:6a5b1f3e-7f0e-4d0e-9d51-0d7b6c1e2f3a</dc:identifier>
<dc:title>A Book</dc:title><dc:language>en</dc:language><meta property="dcterms:modified">2026-01-02T03:04:05Z</meta></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="one" href="text/one%2D1.xhtml" media-type="application/xhtml+xml"/>
<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="one"/><itemref idref="two"/></spine></package>"#;
const NAV: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Contents</title></head>
<body><nav epub:type="toc"><ol><li><a href="text/one%2D1.xhtml">One</a></li><li><a href="text/two.xhtml">Two</a></li></ol></nav></body></html>"#;
const ONE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>One</title></head>
<body><h1>One</h1><p>It was a &#8220;bright&#8221; day.</p><p>Clocks struck.</p></body></html>"#;
const TWO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Two</title></head><body><h1>Two</h1></body></html>"#;

/// A book of two chapters with more files in it.
pub fn book(more: &[(&str, &str)]) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    out.start_file("mimetype", stored).unwrap();
    out.write_all(b"application/epub+zip").unwrap();
    let files = [
        ("META-INF/container.xml", CONTAINER),
        ("OEBPS/book.opf", PACKAGE),
        ("OEBPS/nav.xhtml", NAV),
        ("OEBPS/text/one-1.xhtml", ONE),
        ("OEBPS/text/two.xhtml", TWO),
    ];
    for (name, content) in files.iter().chain(more) {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(content.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn stamped() -> Vec<u8> {
    stamp(&book(&[]), &lines(Position::Bottom), mark()).unwrap()
}

fn entry(file: &[u8], name: &str) -> String {
    let mut text = String::new();
    ZipArchive::new(Cursor::new(file)).unwrap().by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn every_chapter_says_whose_it_is() {
    let out = stamped();

    for chapter in ["OEBPS/text/one-1.xhtml", "OEBPS/text/two.xhtml"] {
        assert!(entry(&out, chapter).contains("Licensed to Zoë Łuczak &lt;zoe@example.org&gt;"), "{chapter}");
    }
    assert_eq!(entry(&out, "OEBPS/nav.xhtml"), NAV);
}

#[test]
fn epubcheck_finds_no_fault_with_the_copy() {
    let bench = Bench::with("out.epub", &stamped());

    let said = bench.says("java", &["-jar", "/usr/bin/epubcheck", "out.epub", "--json", "-"]);

    assert!(said.contains("\"nError\" : 0") && said.contains("\"nWarning\" : 0"), "{said}");
}

#[test]
fn other_programs_read_the_archive_and_its_first_entry_is_the_type() {
    let bench = Bench::with("out.epub", &stamped());

    bench.says("unzip", &["-t", "out.epub"]);
    let names = bench.says("python3", &["-c", "import zipfile\nz=zipfile.ZipFile('out.epub')\nassert z.testzip() is None\nprint(z.namelist()[0], z.infolist()[0].compress_type)"]);

    assert_eq!(names.trim(), "mimetype 0");
}

#[test]
fn a_book_carries_its_mark_in_four_places() {
    let found = find_marks(&stamped());

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].mark, mark());
    assert_eq!(found[0].places, [Place::Metadata, Place::Text, Place::Element]);
}

#[test]
fn the_mark_survives_a_new_archive_without_metadata_and_without_the_lines() {
    let out = stamped();
    let one = entry(&out, "OEBPS/text/one-1.xhtml");
    let (before, _) = one.split_once("<div").unwrap();
    let mut again = ZipWriter::new(Cursor::new(Vec::new()));
    again.start_file("one.xhtml", SimpleFileOptions::default()).unwrap();
    again.write_all(before.as_bytes()).unwrap();

    let found = find_marks(&again.finish().unwrap().into_inner());

    assert_eq!(found.first().map(|found| found.mark), Some(mark()));
}

#[test]
fn the_mark_is_found_in_a_book_within_an_archive() {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    out.start_file("collection/book.epub", SimpleFileOptions::default()).unwrap();
    out.write_all(&stamped()).unwrap();

    let found = find_marks(&out.finish().unwrap().into_inner());

    assert_eq!(found.first().map(|found| found.mark), Some(mark()));
}

#[test]
fn the_same_order_gives_the_same_bytes() {
    assert_eq!(stamped(), stamped());
}

#[test]
fn a_protected_or_signed_book_is_refused() {
    let drm = r#"<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><enc:EncryptedData xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes256-cbc"/></enc:EncryptedData></encryption>"#;
    let font =
        drm.replace("http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.idpf.org/2008/embedding");
    let of = |name: &str, content: &str| {
        stamp_epub(&book(&[(name, content)]), &lines(Position::Top), mark()).map(|_| ())
    };

    assert_eq!(of("META-INF/encryption.xml", drm), Err(StampError::Encrypted));
    assert_eq!(of("META-INF/encryption.xml", &font), Ok(()));
    assert_eq!(of("META-INF/rights.xml", "<r/>"), Err(StampError::Encrypted));
    assert_eq!(of("META-INF/signatures.xml", "<s/>"), Err(StampError::Signed));
}

#[test]
fn a_book_is_known_by_its_content_and_a_plain_archive_is_none() {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    out.start_file("a.txt", SimpleFileOptions::default()).unwrap();
    let plain = out.finish().unwrap().into_inner();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    out.start_file("a.pdf", stored).unwrap();
    out.write_all(&turned()).unwrap();

    assert_eq!(Kind::of(&out.finish().unwrap().into_inner()), Some(Kind::Zip));
    assert_eq!(Kind::of(&book(&[])), Some(Kind::Epub));
    assert_eq!(Kind::of(&plain), Some(Kind::Zip));
    assert_eq!(stamp(&plain, &lines(Position::Top), mark()), Err(StampError::Nothing));
}

#[test]
fn the_files_in_an_archive_are_stamped_and_the_others_stay_as_they_are() {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in
        [("a/one.pdf", turned()), ("two.EPUB", book(&[])), ("read me.txt", b"hello".to_vec())]
    {
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(&content).unwrap();
    }
    let bundle = out.finish().unwrap().into_inner();

    let stamped = stamp(&bundle, &lines(Position::Bottom), mark()).unwrap();

    let bench = Bench::with("out.zip", &stamped);
    bench.says("unzip", &["-q", "out.zip"]);
    bench.says("qpdf", &["--check", "a/one.pdf"]);
    assert_eq!(find_marks(&std::fs::read(bench.path("two.EPUB")).unwrap())[0].mark, mark());
    assert_eq!(std::fs::read(bench.path("read me.txt")).unwrap(), b"hello");
    assert_eq!(find_marks(&stamped)[0].mark, mark());
}

#[test]
fn an_archive_with_one_file_that_cannot_be_stamped_is_refused_whole() {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("one.pdf", turned()), ("two.pdf", b"broken".to_vec())] {
        out.start_file(name, SimpleFileOptions::default()).unwrap();
        out.write_all(&content).unwrap();
    }
    let bundle = out.finish().unwrap().into_inner();

    let refused = stamp(&bundle, &lines(Position::Bottom), mark()).map(|out| out.len()).unwrap_err();

    assert!(refused.to_string().contains("two.pdf"), "{refused}");
}

#[test]
fn a_copy_without_lines_still_carries_its_mark() {
    let nothing = Stamp { lines: vec![], ..lines(Position::Bottom) };

    let found = find_marks(&stamp_epub(&book(&[]), &nothing, Mark::new([7; 10])).unwrap());

    assert_eq!(found[0].mark, Mark::new([7; 10]));
}
