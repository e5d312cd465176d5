//! What holds for any archive.

use std::collections::HashSet;
use std::sync::Arc;

use archive::{DosTime, Entry, Layout, NAME_BYTES_MAX, PART_BYTES_MAX, Piece, safe_names};
use proptest::prelude::*;
use unicode_normalization::is_nfc;

use crate::shelf::{Shelf, protection, range, whole};

/// Names made of what is dangerous in them.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just(" ".to_owned()),
        Just("C:".to_owned()),
        Just("con".to_owned()),
        Just("LPT1".to_owned()),
        Just("\u{202E}".to_owned()),
        Just("\u{200D}".to_owned()),
        Just("\u{301}".to_owned()),
        Just("ß".to_owned()),
        Just(" (2)".to_owned()),
        Just("x".repeat(190)),
        "[a-bA-B]{1,2}(\\.zip)?",
        "[\\x00-\\x7f]{0,3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// A file: how it is kept, and what is in it.
fn file() -> impl Strategy<Value = (bool, Vec<u8>)> {
    (
        any::<bool>(),
        prop_oneof![prop::collection::vec(any::<u8>(), 0..300), (0usize..3000).prop_map(|n| vec![b'x'; n])],
    )
}

fn archive() -> impl Strategy<Value = (Shelf, Arc<Layout>)> {
    (prop::collection::vec((name(), file()), 0..6), any::<bool>()).prop_map(|(files, sealed)| {
        let mut shelf = Shelf::default();
        let put = |(name, (deflate, content)): (String, (bool, Vec<u8>))| -> Entry {
            if deflate { shelf.deflated(&name, content) } else { shelf.stored(&name, content) }
        };
        let entries = files.into_iter().map(put).collect();
        let layout = Layout::new(entries, DosTime::FIRST, sealed.then(|| protection(3)));
        (shelf, Arc::new(layout.expect("a layout")))
    })
}

proptest! {
    #[test]
    fn any_names_become_safe(wanted in prop::collection::vec(name(), 0..12)) {
        let names = safe_names(wanted.iter().map(String::as_str));
        prop_assert_eq!(names.len(), wanted.len());
        for name in &names {
            prop_assert!(is_nfc(name), "{name:?}");
            prop_assert!(name.len() <= NAME_BYTES_MAX);
            for part in name.split('/') {
                prop_assert!(!part.is_empty() && part.len() <= PART_BYTES_MAX, "{name:?}");
                prop_assert!(!part.ends_with(['.', ' ']) && !part.starts_with(' '), "{name:?}");
                prop_assert!(!part.contains(['\\', ':', '<', '>', '"', '|', '?', '*', '\0', '\n', '\u{202E}']), "{name:?}");
                let stem = part.split('.').next().unwrap_or_default().trim_end().to_lowercase();
                prop_assert!(!["con", "lpt1"].contains(&stem.as_str()), "{name:?}");
            }
        }
    }

    #[test]
    fn any_names_become_unique_also_as_folders(wanted in prop::collection::vec(name(), 0..12)) {
        let names = safe_names(wanted.iter().map(String::as_str));
        let files: HashSet<String> = names.iter().map(|name| fold(name)).collect();
        prop_assert_eq!(files.len(), names.len(), "{:?}", names);
        for name in &names {
            for (slash, _) in name.match_indices('/') {
                prop_assert!(!files.contains(&fold(&name[..slash])), "{:?}", names);
            }
        }
    }

    #[test]
    fn safe_names_stay_as_they_are(wanted in prop::collection::vec(name(), 0..12)) {
        let names = safe_names(wanted.iter().map(String::as_str));
        prop_assert_eq!(safe_names(names.iter().map(String::as_str)), names);
    }

    #[test]
    fn any_range_is_that_part_of_the_whole((shelf, layout) in archive(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        // A range first, so that tags are not known yet.
        let length = usize::try_from(layout.length()).expect("small");
        let (a, b) = (from.index(length + 1), to.index(length + 1));
        let (start, end) = (a.min(b), a.max(b));
        let part = range(&layout, &shelf, u64::try_from(start).expect("small"), u64::try_from(end).expect("small"));
        let again = Layout::thaw(layout.freeze(), layout.is_protected().then(|| protection(3)));
        let whole = whole(&Arc::new(again.expect("thawed")), &shelf);
        prop_assert_eq!(whole.len(), length);
        prop_assert_eq!(part, &whole[start..end]);
    }

    #[test]
    fn pieces_are_as_long_as_their_range((_, layout) in archive(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let length = usize::try_from(layout.length()).expect("small");
        let [from, to] = [from, to].map(|index| u64::try_from(index.index(length + 1)).expect("small"));
        let sum: u64 = layout.pieces(from..to).map(|piece| match piece {
            Piece::Literal(bytes) => u64::try_from(bytes.len()).expect("small"),
            Piece::Content(stretch) | Piece::Sealed(stretch) => stretch.length,
            Piece::Tag { part, .. } => u64::try_from(part.len()).expect("small"),
        }).sum();
        prop_assert_eq!(sum, to.saturating_sub(from));
    }

    #[test]
    fn no_two_entries_share_a_salt(contents in prop::collection::vec((0u8..3, any::<bool>()), 1..12)) {
        let mut shelf = Shelf::default();
        let put = |(content, deflate): (u8, bool)| {
            if deflate { shelf.deflated("a", [content]) } else { shelf.stored("a", [content]) }
        };
        let entries: Vec<Entry> = contents.into_iter().map(put).collect();
        let number = entries.len();
        let layout = Layout::new(entries, DosTime::FIRST, Some(protection(3))).expect("a layout");
        let openings = layout.pieces(0..layout.length()).filter_map(|piece| match piece {
            Piece::Literal(bytes) if bytes.len() == 18 => Some(bytes[..16].to_vec()),
            _ => None,
        });
        prop_assert_eq!(openings.collect::<HashSet<_>>().len(), number);
    }
}
