//! What the log records has words for people, in every language.

use std::collections::BTreeSet;
use std::path::Path;

use app::payments::FactKind;

/// Events whose names are put together where they are recorded.
const COMPOSED: [&str; 2] = ["invoice.issued", "credit_note.issued"];

#[test]
fn every_event_that_is_recorded_has_words_in_every_language() {
    let mut recorded: BTreeSet<String> = COMPOSED.map(ToOwned::to_owned).into();
    recorded.extend(FactKind::ALL.iter().map(|kind| format!("payment.{kind}")));
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut recorded);
    assert!(recorded.contains("order.placed"), "the search finds what is there: {recorded:?}");

    for language in ["en", "de"] {
        let words =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../locales/admin.{language}.toml"));
        let words: toml::Table = std::fs::read_to_string(words).expect("texts").parse().expect("TOML");
        let without: Vec<_> = recorded
            .iter()
            .filter(|event| {
                let (noun, verb) = event.split_once('.').expect("noun.verb");
                words["admin"]["event"].get(noun).and_then(|verbs| verbs.get(verb)).is_none()
            })
            .collect();
        assert!(without.is_empty(), "{language}: no words for {without:?}");
    }
}

/// The names in every `flow::record(…)` below a folder.
fn gather(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, into);
        } else if let Ok(source) = std::fs::read_to_string(&path) {
            let calls = source.split("flow::record(").skip(1);
            into.extend(calls.filter_map(event_of));
        }
    }
}

/// The first literal of a call that looks like `noun.verb`.
fn event_of(call: &str) -> Option<String> {
    let call = call.split_once(';').map_or(call, |(call, _)| call);
    let words = |literal: &&str| {
        literal.split('.').count() == 2
            && literal.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.')
    };
    call.split('"').skip(1).step_by(2).find(words).map(ToOwned::to_owned)
}
