//! What holds for any text.

use payload::{Layout, Limits, MemoryTree, Root, Spec, resolve};
use proptest::prelude::*;

/// Texts made of what the grammar is about.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(",".to_owned()),
        Just("+".to_owned()),
        Just("^".to_owned()),
        Just("%".to_owned()),
        Just("~".to_owned()),
        Just("@".to_owned()),
        Just("#".to_owned()),
        Just("!".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just("\"".to_owned()),
        Just("*".to_owned()),
        Just("?".to_owned()),
        Just("..".to_owned()),
        Just("c:".to_owned()),
        Just(" ".to_owned()),
        Just("FFPSOURCED!PDF!".to_owned()),
        Just("NONE".to_owned()),
        Just("{id}".to_owned()),
        "[a-c]{1,3}(\\.zip)?",
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_spec_or_an_error_with_a_place(text in text()) {
        match Spec::parse(&text) {
            Ok(spec) => {
                for item in &spec.items {
                    prop_assert!(!item.span.of(&text).is_empty());
                }
            }
            Err(error) => {
                prop_assert!(error.byte <= text.len() && text.is_char_boundary(error.byte));
                prop_assert!(error.at >= 1);
            }
        }
    }

    #[test]
    fn a_spec_written_out_is_the_same_spec(text in text()) {
        if let Ok(mut spec) = Spec::parse(&text) {
            spec.seal(|_, _| Ok::<_, ()>("id".to_owned())).expect("kept");
            let written = spec.to_string();
            let again = Spec::parse(&written);
            prop_assert!(again.is_ok(), "{text:?} became {written:?}: {again:?}");
            prop_assert_eq!(again.expect("parsed").to_string(), written);
        }
    }

    #[test]
    fn whatever_a_spec_says_only_files_of_the_tree_are_found(text in text()) {
        let tree = MemoryTree::new().with("a.zip", 1).with("b/c.zip", 2).with("b/a", 3);
        if let Ok(spec) = Spec::parse(&text) {
            let roots = [Root::new(r"c:\", &tree).expect("a root"), Root::new("/a", &tree).expect("a root")];
            for layout in [Layout::FullPaths, Layout::by_attribute("/a", None).expect("a base")] {
                let found = resolve(&spec, &roots, &layout, Limits::default());
                prop_assert!(found.files.len() <= 6);
                for file in &found.files {
                    prop_assert!(["a.zip", "b/c.zip", "b/a"].contains(&file.path.to_string().as_str()));
                }
            }
        }
    }
}
