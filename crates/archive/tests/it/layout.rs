//! What a layout says.

use std::time::Duration;

use archive::{ContentId, DosTime, Entry, Form, Layout, LayoutError, Piece, ReadError, Reader};

use crate::shelf::{Shelf, noise, plain, range, sealed, whole};

fn foreign(ordinal: u32) -> Entry {
    let mut content = [0; 32];
    content[..4].copy_from_slice(&ordinal.to_be_bytes());
    Entry {
        name: format!("Folder {}/File {ordinal} é.bin", ordinal % 50),
        content: ContentId::from_bytes(content),
        crc32: ordinal,
        size: u64::from(ordinal) * 1000,
        form: Form::Stored,
    }
}

#[test]
fn an_archive_is_as_long_as_its_layout_says() {
    let mut shelf = Shelf::default();
    let entries = vec![shelf.stored("a", "abc"), shelf.deflated("b", vec![b'x'; 1000])];
    let layouts = [plain(entries.clone()), sealed(entries)];
    for layout in layouts {
        assert_eq!(u64::try_from(whole(&layout, &shelf).len()), Ok(layout.length()));
    }
}

#[test]
fn nothing_makes_an_archive_of_22_bytes() {
    assert_eq!(plain(Vec::new()).length(), 22);
    assert_eq!(sealed(Vec::new()).length(), 22);
}

#[test]
fn the_entries_of_a_layout_have_their_final_names() {
    let mut shelf = Shelf::default();
    let layout = plain(vec![shelf.stored("/a", "1"), shelf.stored("A", "2")]);
    let names: Vec<&str> = layout.entries().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["a", "A (2)"]);
}

#[test]
fn a_range_behind_the_end_is_empty() {
    let layout = plain(Vec::new());
    assert_eq!(range(&layout, &Shelf::default(), 22, 30), b"");
    assert_eq!(range(&layout, &Shelf::default(), 4, u64::MAX).len(), 18);
}

#[test]
fn a_range_has_something_of_the_entries_that_it_touches() {
    let mut shelf = Shelf::default();
    let layout = plain(vec![shelf.stored("a", "12"), shelf.stored("b", ""), shelf.stored("c", "345")]);
    // Each header has 30 bytes and the name.
    let (second, third, directory) = (33, 64, 98);

    let touched = [0..1, 0..second, 32..second + 1, second..third, 70..71, directory..directory + 9, 5..5]
        .map(|range| layout.entries_in(&range));

    assert_eq!(touched, [0..1, 0..1, 0..2, 1..2, 2..3, 0..0, 0..0]);
    assert_eq!(layout.entries_in(&(0..layout.length())), 0..3);
}

#[test]
fn the_etag_changes_with_whatever_changes_a_byte() {
    let mut shelf = Shelf::default();
    let entry = shelf.stored("a", "abc");
    let of = |entry: &Entry| plain(vec![entry.clone()]).etag().to_owned();
    let mut tags = vec![
        of(&entry),
        of(&Entry { name: "b".to_owned(), ..entry.clone() }),
        of(&Entry { crc32: 1, ..entry.clone() }),
        of(&Entry { size: 4, ..entry.clone() }),
        of(&shelf.stored("a", "abd")),
        of(&shelf.deflated("a", "abc")),
        sealed(vec![entry.clone()]).etag().to_owned(),
        plain(vec![entry.clone(), entry.clone()]).etag().to_owned(),
        Layout::new(vec![entry], DosTime::LAST, None).expect("a layout").etag().to_owned(),
    ];
    assert!(tags.iter().all(|tag| tag.len() == 32));
    let wanted = tags.len();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), wanted);
}

#[test]
fn pieces_say_where_the_bytes_come_from() {
    let mut shelf = Shelf::default();
    let entry = shelf.stored("a", "abcdef");
    let layout = plain(vec![entry.clone()]);
    let pieces: Vec<Piece> = layout.pieces(33..35).collect();
    let [Piece::Content(stretch)] = pieces.as_slice() else { panic!("{pieces:?}") };
    assert_eq!((stretch.blob, stretch.from, stretch.length), (entry.content, 2, 2));
}

#[test]
fn laying_out_ten_thousand_protected_entries_derives_no_key() {
    // Their keys would cost 80 million rounds of SHA-1: many seconds even with optimization.
    let entries: Vec<Entry> = (0..10_000).map(foreign).collect();
    #[expect(clippy::disallowed_methods, reason = "measures elapsed time")]
    let began = std::time::Instant::now();
    let layout = sealed(entries);
    let took = began.elapsed();
    assert_eq!(layout.entries().len(), 10_000);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn an_impossible_file_is_refused_by_its_name() {
    let long = Entry { size: u64::MAX, ..foreign(1) };
    let error = Layout::new(vec![long], DosTime::FIRST, None).expect_err("too long");
    assert_eq!(error, LayoutError::Long { name: "Folder 1/File 1 é.bin".to_owned() });

    let half = Entry { size: archive::LENGTH_MAX / 2, ..foreign(2) };
    let error = Layout::new(vec![half; 3], DosTime::FIRST, None).expect_err("too long");
    assert_eq!(error, LayoutError::Long { name: "Folder 2/File 2 é (2).bin".to_owned() });

    let empty = Entry { form: Form::Deflated { blob: foreign(3).content, length: 0 }, ..foreign(3) };
    let error = Layout::new(vec![empty], DosTime::FIRST, None).expect_err("no stream");
    assert!(matches!(error, LayoutError::EmptyStream { .. }));
}

#[test]
fn a_content_that_is_too_short_ends_the_archive_there() {
    let mut shelf = Shelf::default();
    let entry = shelf.stored("a", noise(1, 1000));
    shelf.truncate(&entry.content, 600);
    let mut reader = Reader::new(plain(vec![entry.clone()]), &shelf, 0..u64::MAX);
    let mut buffer = [0; 5000];
    assert_eq!(reader.fill(&mut buffer).expect("what is there"), 31 + 600);
    let error = reader.fill(&mut buffer).expect_err("no more");
    assert!(matches!(error, ReadError::Ended { offset: 600, length: 1000, .. }), "{error}");
}

#[test]
fn a_content_that_is_missing_is_named() {
    let mut shelf = Shelf::default();
    let entry = shelf.stored("a", "abc");
    shelf.forget(&entry.content);
    let mut reader = Reader::new(plain(vec![entry.clone()]), &shelf, 31..34);
    let error = reader.fill(&mut [0; 10]).expect_err("missing");
    assert!(error.to_string().contains(&entry.content.to_string()), "{error}");
}
