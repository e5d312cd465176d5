//! What holds for any text.

use kernel::Currency;
use payload::sendsafe::{Columns, Items, Settings, Text, TtlUnit, Verdict};
use payload::{
    Anchor, Artwork, Attributes, Delivery, Format, Goods, Item, Join, Layout, Limits, Login, MemoryTree,
    NamePattern, PathSpec, Pick, Reach, Root, Span, Spec, resolve,
};
use proptest::prelude::*;

use crate::disk::{both, resolve_in};

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
        Just("PROGRA~1".to_owned()),
        Just("\"PROGRA~1\"".to_owned()),
        "[a-c]{1,3}(\\.zip)?",
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Names that can be, with whatever is special in a spec and for Windows.
fn name() -> impl Strategy<Value = String> {
    let known = |name: &String| Attributes::new([name.clone()]).is_ok();
    prop_oneof![
        "\\PC{1,6}",
        "[ab ,+^%~@#!\"{}.1-]{1,6}",
        Just("NONE".to_owned()),
        Just("FFPSOURCED".to_owned())
    ]
    .prop_filter("a name", known)
}

fn goods() -> impl Strategy<Value = Goods> {
    let anchor = prop_oneof![Just(Anchor::Relative), Just(Anchor::Top), Just(Anchor::Drive('c'))];
    let path = (anchor, prop::collection::vec(name(), 0..3), name()).prop_map(|(anchor, folders, name)| {
        let reach = if anchor == Anchor::Relative { Reach::Store } else { Reach::Absolute };
        Goods::Files {
            path: PathSpec { anchor, folders, name: NamePattern::Exact(name) },
            pick: Pick::First,
            reach,
        }
    });
    prop_oneof![
        path,
        "\\PC{1,8}".prop_map(Goods::External),
        "\\PC{1,8}".prop_map(Goods::DropShip),
        (name(), name()).prop_map(|(directory, id)| {
            let id = id.chars().filter(char::is_ascii_alphanumeric).chain(['1']).collect();
            let host = "ftp.example.com".to_owned();
            let delivery = Delivery::Upload { host, directory, login: Login::Stored(id) };
            Goods::Artwork(Artwork { format: Format::Png, delivery })
        }),
    ]
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused_with_the_reason(
        head in "(sku,price,payloadloc|sku;price;attribute|PAYLOAD TTL = 6|\\PC{0,20})",
        lines in prop::collection::vec("[-a1,;\t=\"$.%~^*/ ]{0,20}|\\PC{0,20}", 0..6),
        bytes in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let written = [head.as_bytes(), b"\n", lines.join("\n").as_bytes(), &bytes].concat();
        let text = Text::decode(&written).text;
        let settings = Settings::read(&text, Some(TtlUnit::Hours));
        let number = text.lines().count();
        prop_assert!(settings.lines.iter().all(|line| (1..=number).contains(&line.line)));
        if let Ok(items) = Items::read(&text, &Columns::default(), &settings, Currency::USD) {
            for (line, item) in items.rows {
                prop_assert_eq!(item.is_some(), line.verdict == Verdict::Taken);
                prop_assert!(item.is_some() || !line.told.is_empty());
            }
        }
    }

    #[test]
    fn every_tree_can_be_written_and_read_again(
        items in prop::collection::vec((goods(), any::<bool>()), 0..6)
    ) {
        let item = |(at, (goods, alternative)): (usize, (Goods, bool))| Item {
            span: Span { start: 0, end: 0 },
            join: if alternative && at > 0 { Join::IfNot } else { Join::And },
            goods,
        };
        let spec = Spec { items: items.into_iter().enumerate().map(item).collect() };
        let written = spec.to_string();
        let mut again = Spec::parse(&written).map_err(|error| TestCaseError::fail(error.pointed(&written)))?;
        again.items.iter_mut().for_each(|item| item.span = Span { start: 0, end: 0 });
        prop_assert_eq!(format!("{again:?}"), format!("{spec:?}"));
    }

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

    /// Both trees of [`both`] are one, so what is told of them is one, too: above all that a link or a
    /// pipe is never taken, whatever its name.
    #[test]
    fn a_disk_and_a_model_of_it_give_one_answer(
        entries in prop::collection::vec((prop::collection::vec("[abA]{1,2}", 1..3), any::<u8>()), 0..12),
        specs in prop::collection::vec("(~)?([abA]{1,2}/){0,2}[abA*?]{1,2}(,\\^[abA*]{1,2})?", 1..4),
    ) {
        let (disk, tree) = both(&entries);
        let root = disk.spelled();
        let layout = Layout::by_attribute(&root, None).expect("a base");
        for text in specs {
            let Ok(spec) = Spec::parse(&text) else { continue };
            let (real, model) = (
                resolve_in(&root, &disk.tree(), &spec, &layout),
                resolve_in(&root, &tree, &spec, &layout),
            );
            prop_assert_eq!(format!("{real:?}"), format!("{model:?}"), "{}", text);
            for file in &real.files {
                let (_, length) = disk.tree().read(&file.path).expect("what is delivered can be read");
                prop_assert_eq!(length, 3);
            }
        }
    }
}
