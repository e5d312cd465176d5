//! Two people with the same form open: the later is shown what the earlier saved.

use std::collections::BTreeMap;

use ui::admin::Errors;

use crate::app::App;
use crate::merchants::{Merchant, view};

/// What a form holds, by field.
type Fields = BTreeMap<String, String>;

/// A stored text is shown beside a field no further than this many characters.
const SHOWN_MAX: usize = 300;

/// What a form would show now where that is not what was typed into it.
pub fn differing(mut now: Fields, typed: &Fields) -> Fields {
    // Browsers send line ends as CRLF.
    now.retain(|field, value| typed.get(field).is_none_or(|typed| typed.replace("\r\n", "\n") != *value));
    now
}

/// Says above the form that somebody else has saved, and at each field what stands there now.
/// `whole` is the form's id: the summary leads to its beginning.
pub fn errors(app: &App, merchant: &Merchant, whole: &str, theirs: &Fields) -> Errors {
    let locale = view::language(merchant, &merchant.locale);
    let text = |word: &str, values: &[(&str, &str)]| {
        let key = format!("admin.stale.{word}");
        app.renderer().text(locale, &key, values).unwrap_or_else(|_| word.to_owned())
    };
    let beside = |(field, value): (&String, &String)| {
        let shown: String = value.chars().take(SHOWN_MAX).collect();
        let sentence =
            if shown.is_empty() { text("empty", &[]) } else { text("theirs", &[("value", &shown)]) };
        (field.clone(), sentence)
    };
    let mut errors: Errors = theirs.iter().map(beside).collect();
    errors.insert(whole.to_owned(), text("saved", &[]));
    errors
}
