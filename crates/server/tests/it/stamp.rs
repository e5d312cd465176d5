//! `handsel stamp`: whose copy a file is, and the helper that reads files within limits.

use std::path::Path;

use app::stamps::work::{self, Done, Task};
use bytes::Bytes;
use serde_json::json;
use stamp::{Mark, Position, Stamp};

use crate::support::{HANDSEL, Place};

fn task() -> Task {
    let stamp = Stamp { lines: vec!["For Ada".to_owned()], position: Position::Top, size: 9, opacity: 60 };
    Task::Stamp { stamp, code: *b"0123456789" }
}

/// A PDF of one page, and more objects.
fn pdf(more: &[u8]) -> Vec<u8> {
    let head = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
        2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 300 400]>>\nendobj\n\
        3 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n";
    [head.as_slice(), more, b"trailer\n<</Root 1 0 R/Size 9>>\nstartxref\n0\n%%EOF\n"].concat()
}

fn ask(file: Vec<u8>) -> (Done, Vec<u8>) {
    let mut copy = Vec::new();
    let done = work::ask(Path::new(HANDSEL), &task(), &Bytes::from(file), &mut copy).expect("it can be run");
    (done, copy)
}

#[test]
fn the_helper_makes_the_copy_that_would_be_made_here() {
    let file = pdf(b"");
    let Task::Stamp { stamp, code } = task() else { unreachable!("it stamps") };

    let (done, copy) = ask(file.clone());

    assert!(matches!(done, Done::Stamped), "{done:?}");
    assert_eq!(Ok(copy), stamp::stamp(&file, &stamp, Mark::new(code)));
}

#[test]
fn a_file_made_to_use_up_memory_ends_the_helper_and_nothing_else() {
    // An array of thirty million numbers, in sixty megabytes: some gigabytes of objects.
    let bomb = [b"4 0 obj\n[".as_slice(), &b"1 ".repeat(30_000_000), b"]\nendobj\n"].concat();

    let (done, copy) = ask(pdf(&bomb));

    assert!(matches!(&done, Done::Unfit(why) if why.contains("more memory")), "{done:?}");
    assert!(copy.is_empty());
}

#[test]
fn a_file_tells_the_codes_that_are_in_it_whoever_made_them() {
    let place = Place::new();
    place.begin();
    let (_, copy) = ask(pdf(b""));
    std::fs::write(place.path("leaked.pdf"), copy).expect("written");
    place.file("clean.txt", 0o644, "nothing in it");
    let code = Mark::new(*b"0123456789").to_string();

    let found = place.json(&["stamp", "lookup", "leaked.pdf"]);

    assert_eq!((&found[0]["code"], &found[0]["copy"]), (&json!(code), &json!(null)));
    assert_eq!(found[0]["places"].as_array().map(Vec::len), Some(5), "{found}");
    assert_eq!(place.json(&["stamp", "lookup", "clean.txt"]), json!([]));
    assert_eq!(place.json(&["stamp", "lookup", &code])[0]["copy"], json!(null));
    assert!(place.refused(&["stamp", "lookup", "missing.pdf"], 2).contains("missing.pdf"));
}
