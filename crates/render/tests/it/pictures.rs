//! Pictures that buyers upload.

use render::{Picture, PictureError};

use crate::samples::{half_clear_png, jpeg};

#[test]
fn a_photograph_is_kept_as_jpeg_without_what_the_camera_wrote() {
    let mut photograph = jpeg(120, 80);
    // An EXIF block that says: turned to the right, and where it was taken.
    let note = b"\xff\xe1\x00\x2eExif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0GPS 51.5 -0.1 ";
    let length = u16::try_from(note.len() - 2).unwrap().to_be_bytes();
    let mut note = note.to_vec();
    note.splice(2..4, length);
    photograph.splice(2..2, note);
    let read = Picture::read(&photograph).unwrap();
    assert_eq!(read.size(), (80, 120));
    assert!(read.bytes().starts_with(&[0xff, 0xd8]));
    assert!(!read.bytes().windows(3).any(|window| window == b"GPS" || window == b"Exi"));
}

#[test]
fn transparency_is_kept() {
    let read = Picture::read(&half_clear_png(40, 30)).unwrap();
    assert!(read.bytes().starts_with(b"\x89PNG"));
    assert_eq!(read.size(), (40, 30));
}

#[test]
fn what_is_finer_than_any_print_is_made_smaller() {
    let read = Picture::read(&jpeg(5_000, 100)).unwrap();
    assert_eq!(read.size(), (4_096, 82));
}

#[test]
fn reading_what_was_kept_gives_the_same_bytes() {
    let once = Picture::read(&jpeg(64, 64)).unwrap();
    let again = Picture::kept(once.bytes().to_vec()).unwrap();
    assert_eq!(once, again);
}

#[test]
fn what_is_no_picture_or_half_of_one_is_refused() {
    assert_eq!(Picture::read(b"%PDF-1.7"), Err(PictureError::Format));
    assert_eq!(Picture::read(b""), Err(PictureError::Format));
    assert_eq!(Picture::read(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Err(PictureError::Format));
    let whole = half_clear_png(300, 200);
    assert!(matches!(Picture::read(&whole[..whole.len() / 2]), Err(PictureError::Damaged(_))));
    assert_eq!(Picture::read(&vec![0xff; 20 * 1024 * 1024]), Err(PictureError::Bytes));
}

#[test]
fn a_bomb_is_refused_by_its_head() {
    let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0".to_vec();
    head.extend_from_slice(&[0xcf, 0x5a, 0xb6, 0x1c]);
    let refused = Picture::read(&head);
    assert!(matches!(refused, Err(PictureError::Pixels { .. } | PictureError::Damaged(_))), "{refused:?}");
}
