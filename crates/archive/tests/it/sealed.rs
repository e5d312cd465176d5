//! Salts, keys and tags.

use archive::{Piece, Protection, Reader, password::PasswordError};
use kernel::Secret;

use crate::shelf::{Shelf, noise, plain, prose, protection, range, sealed, whole};

/// What stands in front of an entry's ciphertext.
fn salts(layout: &archive::Layout) -> Vec<Vec<u8>> {
    let literals = layout.pieces(0..layout.length()).filter_map(|piece| match piece {
        Piece::Literal(bytes) if bytes.len() == 18 => Some(bytes[..16].to_vec()),
        _ => None,
    });
    literals.collect()
}

#[test]
fn two_entries_with_one_content_have_two_salts() {
    let mut shelf = Shelf::default();
    let entry = shelf.stored("a", "abc");
    let salts = salts(&sealed(vec![entry.clone(), entry]));
    assert_ne!(salts[0], salts[1]);
}

#[test]
fn a_salt_changes_with_content_method_stream_and_seed() {
    let mut shelf = Shelf::default();
    let text = prose(1000);
    let stored = shelf.stored("a", text.as_slice());
    let deflated = shelf.deflated("a", text.as_slice());
    let mut other_stream = deflated.clone();
    other_stream.form = archive::Form::Deflated { blob: stored.content, length: 5 };
    let other_content = shelf.stored("a", "abc");
    let first = |entry: &archive::Entry| salts(&sealed(vec![entry.clone()])).remove(0);
    let other_seed = archive::Layout::new(vec![stored.clone()], archive::DosTime::FIRST, Some(protection(8)));

    let mut all = vec![
        first(&stored),
        first(&deflated),
        first(&other_stream),
        first(&other_content),
        salts(&other_seed.expect("a layout")).remove(0),
    ];
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 5);
}

#[test]
fn a_salt_does_not_change_with_the_name() {
    let mut shelf = Shelf::default();
    let (one, other) = (shelf.stored("a", "abc"), shelf.stored("b", "abc"));
    assert_eq!(salts(&sealed(vec![one])), salts(&sealed(vec![other])));
}

#[test]
fn a_wrong_password_gives_another_archive_and_another_etag() {
    let mut shelf = Shelf::default();
    let entry = shelf.stored("a", "abc");
    let other = Protection::new(Secret::new([7; 32]), Secret::new("other".to_owned())).expect("a password");
    let other = archive::Layout::new(vec![entry.clone()], archive::DosTime::FIRST, Some(other));
    let (one, other) = (sealed(vec![entry]), std::sync::Arc::new(other.expect("a layout")));
    assert_ne!(one.etag(), other.etag());
    assert_ne!(whole(&one, &shelf), whole(&other, &shelf));
}

#[test]
fn a_password_that_cannot_be_typed_is_refused() {
    let refused = Protection::new(Secret::new([7; 32]), Secret::new("é".to_owned()));
    assert_eq!(refused.expect_err("not ASCII"), PasswordError::Character { at: 1 });
}

#[test]
fn a_protected_content_does_not_show_and_has_no_checksum() {
    let mut shelf = Shelf::default();
    let text = prose(10_000);
    let entry = shelf.stored("a", text.as_slice());
    let crc32 = entry.crc32.to_le_bytes();
    let bytes = whole(&sealed(vec![entry]), &shelf);
    assert!(!bytes.windows(40).any(|window| window == &text[..40]));
    assert!(!bytes.windows(4).any(|window| window == crc32));
}

#[test]
fn reading_all_of_an_entry_gives_its_tag_on_the_way() {
    let mut shelf = Shelf::default();
    let layout = sealed(vec![shelf.stored("a", noise(1, 500_000)), shelf.stored("b", noise(2, 500_000))]);
    whole(&layout, &shelf);
    assert_eq!(shelf.read(), 1_000_000);
    assert_eq!(layout.tags().tags.len(), 2);
}

#[test]
fn a_tail_costs_one_pass_over_its_entry_once() {
    let mut shelf = Shelf::default();
    let layout = sealed(vec![shelf.stored("a", noise(1, 500_000)), shelf.stored("b", noise(2, 500_000))]);
    let end = layout.length();
    range(&layout, &shelf, end - 400_000, end);
    let first = shelf.read();
    assert!(first > 500_000 && first < 1_000_000, "{first}");
    range(&layout, &shelf, end - 400_000, end);
    assert_eq!(shelf.read() - first, first - 500_000);
}

#[test]
fn a_range_before_the_tag_needs_none() {
    let mut shelf = Shelf::default();
    let layout = sealed(vec![shelf.stored("a", noise(1, 500_000))]);
    range(&layout, &shelf, 0, 500_000);
    assert_eq!(shelf.read(), 500_000 - (30 + 1 + 11 + 18));
    assert!(layout.tags().tags.is_empty());
}

#[test]
fn only_a_range_that_begins_within_an_entry_owes_its_tag() {
    let mut shelf = Shelf::default();
    let layout = sealed(vec![shelf.stored("a", noise(1, 500)), shelf.stored("b", noise(2, 500))]);
    let owed = |start, end| Reader::new(layout.clone(), &shelf, start..end).owed_tag();
    assert_eq!(owed(0, u64::MAX), None);
    assert_eq!(owed(60, u64::MAX), None);
    assert_eq!(owed(61, u64::MAX), Some(0));
    assert_eq!(owed(61, 560), None);
    assert_eq!(owed(61, 561), Some(0));
    assert_eq!(owed(569, 570), Some(0));
    assert_eq!(owed(570, u64::MAX), None);
    assert_eq!(owed(700, u64::MAX), Some(1));
    layout.tag_from(1, &shelf).expect("read");
    assert_eq!(owed(700, u64::MAX), None);
}

#[test]
fn an_entry_that_was_not_encrypted_to_its_end_has_no_tag() {
    let mut shelf = Shelf::default();
    let layout = sealed(vec![shelf.stored("a", noise(1, 500))]);
    let mut sealing = layout.sealing(&layout.whole(0).expect("an entry")).expect("encrypted");
    sealing.seal(&mut [0; 499]);
    layout.sealed(0, sealing);
    assert_eq!(layout.tag(0), None);
}

#[test]
fn an_archive_without_password_has_nothing_to_encrypt() {
    let mut shelf = Shelf::default();
    let layout = plain(vec![shelf.stored("a", "abc")]);
    assert!(layout.sealing(&layout.whole(0).expect("an entry")).is_err());
    assert!(layout.tag_from(0, &shelf).is_err());
    assert!(sealed(Vec::new()).tag_from(0, &shelf).is_err());
}

#[test]
fn secrets_are_not_printed() {
    let shown = format!("{:?}", sealed(vec![Shelf::default().stored("a", "abc")]));
    assert!(!shown.contains("xk3mq"), "{shown}");
    assert!(!shown.contains("7, 7, 7"), "{shown}");
}

#[test]
fn parts_that_are_read_side_by_side_make_up_the_whole() {
    let mut shelf = Shelf::default();
    let entries = vec![shelf.stored("a", noise(1, 300_000)), shelf.deflated("b", prose(900_000))];
    let expected = whole(&sealed(entries.clone()), &shelf);
    let layout = sealed(entries);
    let part = layout.length() / 8 + 1;
    let parts: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let read = |index: u64| range(&layout, &shelf, index * part, (index + 1) * part);
        let readers: Vec<_> = (0..8).map(|index| scope.spawn(move || read(index))).collect();
        readers.into_iter().map(|reader| reader.join().expect("read")).collect()
    });
    assert!(parts.concat() == expected);
}
