//! Files that are broken, closed, or made to do harm.

use crate::pages::{Pages, lines, mark, turned};
use crate::tools::Bench;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use lopdf::{Document, Object, Stream, dictionary};
use stamp::{Position, StampError, find_marks, stamp_pdf};
use std::io::Write;

fn of(file: &[u8]) -> Result<Vec<u8>, StampError> {
    stamp_pdf(file, &lines(Position::Bottom), mark())
}

fn refused(file: &[u8]) -> StampError {
    of(file).map(|out| out.len()).unwrap_err()
}

#[test]
fn encrypted_files_are_refused_with_and_without_a_password_to_open_them() {
    let bench = Bench::with("in.pdf", &turned());
    for (user, bits) in [("secret", "256"), ("", "256"), ("", "128"), ("secret", "40")] {
        let weak: &[&str] = if bits == "256" { &[] } else { &["--allow-weak-crypto"] };
        let encrypt = ["--encrypt", user, "owner", bits, "--", "in.pdf", "closed.pdf"];
        let closed = bench.makes("qpdf", &[weak, &encrypt].concat(), "closed.pdf");

        assert_eq!(refused(&closed), StampError::Encrypted, "{bits} {user:?}");
    }
}

#[test]
fn signed_files_are_refused() {
    let file = Pages::inheriting().text("a").changed(|document, catalog| {
        let signature = document.add_object(dictionary! {
            "Type" => "Sig", "ByteRange" => vec![0.into(), 1.into()], "Contents" => Object::string_literal("x"),
        });
        catalog.set("AcroForm", dictionary! { "Fields" => vec![Object::Dictionary(dictionary! { "V" => signature })] });
    });

    assert_eq!(refused(&file), StampError::Signed);
}

#[test]
fn what_readers_show_instead_of_the_pages_is_refused() {
    let xfa = Pages::inheriting().text("a").changed(|_, catalog| {
        catalog.set("AcroForm", dictionary! { "XFA" => Object::string_literal("x") });
    });
    let portfolio =
        Pages::inheriting().text("a").changed(|_, catalog| catalog.set("Collection", dictionary! {}));

    assert!(refused(&xfa).to_string().contains("XFA"));
    assert!(refused(&portfolio).to_string().contains("portfolio"));
}

#[test]
fn a_file_cut_off_is_stamped_whole_or_refused() {
    let file = turned();
    for length in (0..file.len()).step_by(97) {
        if let Ok(out) = of(&file[..length]) {
            let pages = Document::load_mem(&file[..length]).unwrap().get_pages().len();
            assert_eq!(Document::load_mem(&out).unwrap().get_pages().len(), pages);
        }
    }
}

#[test]
fn a_page_that_cannot_be_reached_makes_the_whole_file_refused() {
    let missing = Pages::inheriting().text("a").text("b").changed(|document, catalog| {
        let root = catalog.get(b"Pages").and_then(Object::as_reference).unwrap();
        let tree = document.get_dictionary_mut(root).unwrap();
        tree.get_mut(b"Kids").and_then(Object::as_array_mut).unwrap().push(Object::Reference((999, 0)));
    });
    let inline = Pages::inheriting().text("a").changed(|document, catalog| {
        let root = catalog.get(b"Pages").and_then(Object::as_reference).unwrap();
        let tree = document.get_dictionary_mut(root).unwrap();
        let page = Object::Dictionary(dictionary! { "Type" => "Page" });
        tree.get_mut(b"Kids").and_then(Object::as_array_mut).unwrap().push(page);
    });

    assert!(matches!(refused(&missing), StampError::Broken(_)));
    assert!(matches!(refused(&inline), StampError::Broken(_)));
}

#[test]
fn a_page_tree_that_holds_itself_ends() {
    let file = Pages::inheriting().text("a").changed(|document, catalog| {
        let root = catalog.get(b"Pages").and_then(Object::as_reference).unwrap();
        let tree = document.get_dictionary_mut(root).unwrap();
        tree.get_mut(b"Kids").and_then(Object::as_array_mut).unwrap().push(Object::Reference(root));
    });

    assert!(of(&file).is_ok());
}

#[test]
fn a_content_that_unpacks_to_very_much_is_neither_unpacked_nor_lost() {
    let mut zeros = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        zeros.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let bomb = zeros.finish().unwrap();
    let file = Pages::inheriting().text("a").changed(|document, catalog| {
        let root = catalog.get(b"Pages").and_then(Object::as_reference).unwrap();
        let page = document.get_dictionary(root).unwrap().get(b"Kids").and_then(Object::as_array).unwrap()[0]
            .as_reference()
            .unwrap();
        let content = document.add_object(Stream::new(dictionary! { "Filter" => "FlateDecode" }, bomb));
        document.get_dictionary_mut(page).unwrap().set("Contents", content);
    });

    let out = of(&file).unwrap();

    assert!(out.len() < file.len() + 60_000);
    assert_eq!(find_marks(&out)[0].mark, mark());
}

#[test]
fn an_object_stream_that_unpacks_to_very_much_is_refused() {
    let mut zeros = ZlibEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        zeros.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let bomb = zeros.finish().unwrap();
    let file = Pages::inheriting().text("a").changed(|document, _| {
        let dict = dictionary! { "Type" => "Metadata", "N" => 1, "First" => 4, "Filter" => "FlateDecode" };
        document.add_object(Stream::new(dict, bomb));
    });
    // The writer leaves object streams out: this one gets its type afterward.
    let text = b"/Type/Metadata";
    let at = file.windows(text.len()).position(|window| window == text).unwrap();
    let mut file = file;
    file[at..at + text.len()].copy_from_slice(b"/Type/ObjStm  ");

    assert!(matches!(refused(&file), StampError::TooLarge { .. }));
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let mut file = turned();
    let deep = format!("\n99 0 obj\n{}{}\nendobj\n", "[".repeat(100_000), "]".repeat(100_000));
    file.extend_from_slice(deep.as_bytes());

    let _ = of(&file);
    let _ = find_marks(&file);
}

#[test]
fn a_name_cannot_write_pdf_operators() {
    let stamp = stamp::Stamp { lines: vec![") Tj ET Q (\\".to_owned()], ..lines(Position::Bottom) };

    let out = stamp_pdf(&turned(), &stamp, mark()).unwrap();

    let bench = Bench::with("out.pdf", &out);
    bench.says("qpdf", &["--check", "out.pdf"]);
    assert!(bench.says("pdftotext", &["out.pdf", "-"]).contains(") Tj ET Q (\\"));
}
