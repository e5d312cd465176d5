//! Archives that are laid out again.

use std::sync::Arc;

use archive::{DosTime, Entry, Frozen, Layout, Tags, ThawError};
use sha2::{Digest as _, Sha256};

use crate::shelf::{Shelf, noise, plain, prose, protection, range, sealed, whole};

fn entries(shelf: &mut Shelf) -> Vec<Entry> {
    vec![shelf.stored("CON/a.bin", noise(1, 5000)), shelf.deflated("CON/b.txt", prose(5000))]
}

fn again(layout: &Layout) -> Frozen {
    let text = serde_json::to_string(&layout.freeze()).expect("written");
    serde_json::from_str(&text).expect("read")
}

#[test]
fn a_frozen_archive_comes_out_the_same() {
    let mut shelf = Shelf::default();
    let entries = entries(&mut shelf);
    let first = plain(entries.clone());
    let second = Arc::new(Layout::thaw(again(&first), None).expect("thawed"));
    assert_eq!(whole(&first, &shelf), whole(&second, &shelf));
    assert_eq!(first.etag(), second.etag());

    let first = sealed(entries);
    let second = Arc::new(Layout::thaw(again(&first), Some(protection(7))).expect("thawed"));
    assert_eq!(whole(&first, &shelf), whole(&second, &shelf));
    assert_eq!(first.etag(), second.etag());
}

/// Fails when this program writes other bytes than it did when the first archive was promised. Then raise
/// `WRITING`, keep the old way for frozen layouts, or undo it: never just correct these digests.
#[test]
fn archives_are_those_of_the_first_release() {
    let mut shelf = Shelf::default();
    let entries = vec![shelf.stored("a/Ä.bin", noise(1, 5000)), shelf.stored("b.txt", "abc")];
    let digest = |layout: &Arc<Layout>| hex::encode(Sha256::digest(whole(layout, &shelf)));
    assert_eq!(
        digest(&plain(entries.clone())),
        "b7b1b69c2515755cefe5035981f2c3b3b5eda74a46b35c9b6e3bc90e184cb7ae"
    );
    assert_eq!(
        digest(&sealed(entries.clone())),
        "a8c37d1dcdd1bb227d6755e0c6a38943e13f6578ab1ce8e39df3f7629cc76420"
    );
    assert_eq!(plain(entries.clone()).etag(), "8555502619b29ab9e95f4bbe99f0abd6");
    assert_eq!(sealed(entries).etag(), "b319c61228103a455a93dfb809957fe9");
}

#[test]
fn a_frozen_layout_is_read_in_the_form_of_the_first_release() {
    let text = r#"{
        "version": 1,
        "modified": { "date": 33, "time": 0 },
        "protected": false,
        "etag": "160165f68086c211d4d8371c502c91c2",
        "entries": [
            {
                "name": "a.txt",
                "content": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "crc32": 891568578,
                "size": 3,
                "form": "stored"
            },
            {
                "name": "b.txt",
                "content": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "crc32": 891568578,
                "size": 3,
                "form": { "deflated": {
                    "blob": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae",
                    "length": 5
                } }
            }
        ]
    }"#;
    let frozen: Frozen = serde_json::from_str(text).expect("read");
    assert_eq!(Layout::thaw(frozen, None).expect("thawed").length(), 202);
}

#[test]
fn a_frozen_layout_holds_no_secret() {
    let text = serde_json::to_string(&sealed(entries(&mut Shelf::default())).freeze()).expect("written");
    assert!(!text.contains("xk3mq"), "{text}");
    assert!(!text.contains("0707"), "{text}");
}

#[test]
fn a_layout_that_would_give_other_bytes_does_not_thaw() {
    let layout = sealed(entries(&mut Shelf::default()));
    let thaw = |from: &str, to: &str, protection| {
        let text = serde_json::to_string(&layout.freeze()).expect("written");
        assert!(text.contains(from), "{text}");
        let frozen = serde_json::from_str(&text.replacen(from, to, 1)).expect("read");
        Layout::thaw(frozen, protection).expect_err("not the same")
    };
    assert_eq!(thaw("a.bin", "a.bin", None), ThawError::Protected);
    assert!(matches!(thaw("a.bin", "a.bin", Some(protection(8))), ThawError::Changed { .. }));
    assert!(matches!(thaw("a.bin", "b.bin", Some(protection(7))), ThawError::Changed { .. }));
    assert!(matches!(thaw("5000", "5001", Some(protection(7))), ThawError::Changed { .. }));
    assert!(matches!(
        thaw("_CON/a.bin", "../a.bin", Some(protection(7))),
        ThawError::Name { ordinal: 0, .. }
    ));
    assert_eq!(thaw("\"version\":1", "\"version\":2", Some(protection(7))), ThawError::Version(2));
    assert_eq!(
        thaw("\"protected\":true", "\"protected\":false", Some(protection(7))),
        ThawError::Unprotected
    );
}

#[test]
fn tags_are_taken_over_by_another_process() {
    let mut shelf = Shelf::default();
    let first = sealed(entries(&mut shelf));
    whole(&first, &shelf);
    let tags = serde_json::to_string(&first.tags()).expect("written");
    let tags: Tags = serde_json::from_str(&tags).expect("read");
    let second = Arc::new(Layout::thaw(again(&first), Some(protection(7))).expect("thawed"));
    second.learn(&tags).expect("of the same archive");
    let before = shelf.read();
    range(&second, &shelf, second.length() - 300, second.length());
    assert!(shelf.read() - before < 300);
}

#[test]
fn tags_of_another_archive_are_refused() {
    let mut shelf = Shelf::default();
    let entries = entries(&mut shelf);
    let first = sealed(entries.clone());
    whole(&first, &shelf);
    let other = Layout::new(entries, DosTime::FIRST, Some(protection(8))).expect("a layout");
    other.learn(&first.tags()).expect_err("another seed");
    assert!(other.tags().tags.is_empty());
}
