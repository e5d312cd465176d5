//! What holds for any file and any text.

use crate::books::book;
use crate::pages::{Pages, lines, mark, turned};
use crate::tools::Bench;
use proptest::prelude::*;
use stamp::{Mark, Position, Stamp, find_marks, stamp, stamp_epub, stamp_pdf};

/// A file with some bytes changed.
fn damaged(mut file: Vec<u8>, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(file.len());
        file[at] = *byte;
    }
    file
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_pdf_is_stamped_or_refused_and_never_a_panic(changes in changes()) {
        let file = damaged(turned(), &changes);
        if let Ok(out) = stamp_pdf(&file, &lines(Position::Top), mark()) {
            prop_assert_eq!(find_marks(&out)[0].mark, mark());
        }
        let _ = find_marks(&file);
    }

    #[test]
    fn a_damaged_book_is_stamped_or_refused_and_never_a_panic(changes in changes()) {
        let file = damaged(book(&[]), &changes);
        if let Ok(out) = stamp_epub(&file, &lines(Position::Top), mark()) {
            prop_assert_eq!(find_marks(&out)[0].mark, mark());
        }
        let _ = find_marks(&file);
    }

    #[test]
    fn bytes_of_no_kind_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = stamp(&bytes, &lines(Position::Top), mark());
        prop_assert_eq!(find_marks(&bytes), vec![]);
    }

    #[test]
    fn any_name_and_any_mark_give_a_copy_that_is_found(
        name in "\\PC{0,60}",
        code in any::<[u8; 10]>(),
        size in any::<u8>(),
        opacity in any::<u8>(),
    ) {
        let stamped = Stamp { lines: vec![name], position: Position::Side, size, opacity };
        let mark = Mark::new(code);
        let pdf = stamp_pdf(&Pages::inheriting().text("a").bytes(), &stamped, mark).unwrap();
        let epub = stamp_epub(&book(&[]), &stamped, mark).unwrap();
        prop_assert_eq!(find_marks(&pdf)[0].mark, mark);
        prop_assert_eq!(find_marks(&epub)[0].mark, mark);
        prop_assert_eq!(mark.to_string().parse::<Mark>(), Ok(mark));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_name_gives_a_pdf_that_qpdf_finds_sound(name in "\\PC{0,120}") {
        let stamped = Stamp { lines: vec![name], ..lines(Position::Diagonal) };
        let out = stamp_pdf(&turned(), &stamped, mark()).unwrap();
        Bench::with("out.pdf", &out).says("qpdf", &["--check", "out.pdf"]);
    }
}

#[test]
fn the_same_file_and_order_give_the_same_bytes() {
    let file = turned();

    assert_eq!(stamp(&file, &lines(Position::Top), mark()), stamp(&file, &lines(Position::Top), mark()));
}
