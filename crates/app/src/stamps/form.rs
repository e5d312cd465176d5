//! The form of stamping, as it is typed and as it is read.

use std::collections::BTreeMap;

use stamp::{Kind, LINES_MAX, Position};

use super::{Stamping, Unfit, checked};

/// What was typed, by field.
pub type Typed = BTreeMap<String, String>;
/// Field name to what is wrong with it.
pub type Wrong = BTreeMap<String, String>;

/// The text of a product that is stamped for the first time.
pub const TEXT_USUAL: &str = "Licensed to {name} <{email}>, order {order}";
/// Longest text of lines.
const TEXT_LENGTH_MAX: usize = 1_000;

/// Reads what was typed; `None` when stamping is off.
///
/// # Errors
/// Every field that is wrong, with what to write instead.
pub fn read(typed: &Typed) -> Result<Option<Stamping>, Wrong> {
    if typed.get("on").is_none_or(|on| on != "yes") {
        return Ok(None);
    }
    settings(typed).map(Some)
}

/// Reads the settings, whether stamping is on or not: for a copy to look at.
///
/// # Errors
/// Every field that is wrong, with what to write instead.
pub fn settings(typed: &Typed) -> Result<Stamping, Wrong> {
    let mut form = Form { typed, wrong: Wrong::new() };
    let stamping = Stamping {
        text: form.text(),
        position: form.one_of("position", Position::Bottom),
        size: form.number("size", 4, 72),
        opacity: form.number("opacity", 5, 100),
        kinds: form.kinds(),
        unfit: form.one_of("unfit", Unfit::Ask),
    };
    if form.wrong.is_empty() { Ok(stamping) } else { Err(form.wrong) }
}

/// What the fields hold for settings, or for a product that has none.
pub fn typed_of(stamping: Option<&Stamping>) -> Typed {
    let usual = Stamping {
        text: TEXT_USUAL.to_owned(),
        position: Position::Bottom,
        size: 8,
        opacity: 60,
        kinds: vec![Kind::Pdf, Kind::Epub],
        unfit: Unfit::Ask,
    };
    let of = stamping.unwrap_or(&usual);
    let yes = |on: bool| if on { "yes".to_owned() } else { String::new() };
    [
        ("on", yes(stamping.is_some())),
        ("text", of.text.clone()),
        ("position", word(&of.position)),
        ("size", of.size.to_string()),
        ("opacity", of.opacity.to_string()),
        ("pdf", yes(of.kinds.contains(&Kind::Pdf))),
        ("epub", yes(of.kinds.contains(&Kind::Epub))),
        ("zip", yes(of.kinds.contains(&Kind::Zip))),
        ("unfit", word(&of.unfit)),
    ]
    .map(|(field, value)| (field.to_owned(), value))
    .into()
}

/// A choice's word, as it is stored and posted.
fn word(choice: &impl serde::Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

struct Form<'a> {
    typed: &'a Typed,
    wrong: Wrong,
}

impl Form<'_> {
    fn get(&self, field: &str) -> &str {
        self.typed.get(field).map_or("", |text| text.trim())
    }

    fn refuse(&mut self, field: &str, why: impl Into<String>) {
        self.wrong.insert(field.to_owned(), why.into());
    }

    fn text(&mut self) -> String {
        // Browsers post line ends of their own kind.
        let text = self.get("text").replace("\r\n", "\n");
        if text.lines().count() > LINES_MAX {
            self.refuse("text", format!("Write at most {LINES_MAX} lines."));
        } else if text.chars().count() > TEXT_LENGTH_MAX {
            self.refuse("text", format!("Use at most {TEXT_LENGTH_MAX} characters."));
        } else if let Err(error) = checked(&text) {
            self.refuse("text", error.to_string());
        }
        text
    }

    fn number(&mut self, field: &str, least: u8, most: u8) -> u8 {
        match self.get(field).parse() {
            Ok(number) if (least..=most).contains(&number) => number,
            Ok(_) | Err(_) => {
                self.refuse(field, format!("Write a whole number from {least} to {most}."));
                least
            }
        }
    }

    fn one_of<T: serde::de::DeserializeOwned>(&mut self, field: &str, otherwise: T) -> T {
        match serde_json::from_value(self.get(field).into()) {
            Ok(choice) => choice,
            Err(_) => {
                self.refuse(field, "Choose one of these.");
                otherwise
            }
        }
    }

    fn kinds(&mut self) -> Vec<Kind> {
        let chosen: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| self.get(kind.extension()) == "yes").collect();
        if chosen.is_empty() {
            self.refuse("pdf", "Choose at least one kind of files, or switch stamping off.");
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fields_hold_is_read_back() {
        let mut typed = typed_of(None);
        assert_eq!(read(&typed), Ok(None));

        typed.insert("on".to_owned(), "yes".to_owned());
        let stamping = read(&typed).unwrap().unwrap();

        assert_eq!(stamping.text, TEXT_USUAL);
        assert_eq!(typed_of(Some(&stamping)), typed);
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong = [
            ("on", "yes"),
            ("text", "For {buyer}"),
            ("position", "middle"),
            ("size", "3"),
            ("opacity", "a lot"),
            ("pdf", ""),
            ("epub", ""),
            ("unfit", ""),
        ];
        let mut typed = typed_of(None);
        typed.extend(wrong.map(|(field, value)| (field.to_owned(), value.to_owned())));

        let told = read(&typed).unwrap_err();

        let fields: Vec<&str> = told.keys().map(String::as_str).collect();
        assert_eq!(fields, ["opacity", "pdf", "position", "size", "text", "unfit"]);
    }
}
