//! A product's artwork as staff type it: every field is checked at once.

use std::collections::BTreeMap;

use render::limits::{DPI_MAX, DPI_MIN};
use render::{Color, Fit, Format, Kind, RulesError};
use ui::admin::{ArtworkFieldForm, ArtworkForm, Errors};

use super::{FieldTerms, Preview, Terms};
use crate::products::form::sentence;

/// What was typed, by field: `label-NAME`, `letters-NAME` and so on for each field of the drawing.
pub type Typed = BTreeMap<String, String>;

/// Reads what was typed over the present terms.
///
/// # Errors
/// Every field that is wrong, with what to write instead.
pub fn read(present: &Terms, typed: &Typed) -> Result<Terms, Errors> {
    let mut errors = Errors::new();
    let mut terms = present.clone();
    let text = |name: &str| typed.get(name).map_or("", |value| value.trim());
    match Format::ALL.into_iter().find(|format| format.extension() == text("format")) {
        Some(format) => terms.format = format,
        None => {
            errors.insert("format".to_owned(), "Choose PDF, PNG or JPEG.".to_owned());
        }
    }
    match text("dpi").parse() {
        Ok(dpi) if (DPI_MIN..=DPI_MAX).contains(&dpi) => terms.dpi = dpi,
        _ => {
            let told = format!("Write a whole number from {DPI_MIN} to {DPI_MAX}.");
            errors.insert("dpi".to_owned(), told);
        }
    }
    if let (false, Err(too_many)) = (errors.contains_key("dpi"), pixels(&terms)) {
        errors.insert("dpi".to_owned(), too_many);
    }
    terms.preview = if text("marked").is_empty() { Preview::Plain } else { Preview::Marked };
    for field in &mut terms.fields {
        read_field(field, typed, &mut errors);
    }
    if errors.is_empty() { Ok(terms) } else { Err(errors) }
}

/// Whether the page has no more pixels at this resolution than can be rendered.
fn pixels(terms: &Terms) -> Result<(), String> {
    // A PDF page has none.
    if terms.format == Format::Pdf {
        return Ok(());
    }
    let dots = |micrometers: u32| u64::from(micrometers).saturating_mul(u64::from(terms.dpi)) / 25_400;
    let pixels = dots(terms.page.0).saturating_mul(dots(terms.page.1));
    let most = render::limits::PAGE_PIXELS_MAX;
    if pixels <= most {
        return Ok(());
    }
    let (has, most) = (pixels / 1_000_000, most / 1_000_000);
    Err(format!(
        "The page would have {has} million pixels, and {most} million can be rendered: choose less, or PDF."
    ))
}

fn read_field(field: &mut FieldTerms, typed: &Typed, errors: &mut Errors) {
    let name = field.name.clone();
    let form_name = |part: &str| format!("{part}-{name}");
    let text = |part: &str| typed.get(&form_name(part)).map_or("", |value| value.trim());
    let rules = &mut field.rules;
    rules.label = text("label").to_owned();
    if field.kind != Kind::Color {
        rules.required = !text("required").is_empty();
    }
    let mut number = |part: &str, into: &mut u32| match text(part).parse() {
        Ok(number) => *into = number,
        Err(_) => {
            errors.insert(form_name(part), "Write a whole number.".to_owned());
        }
    };
    match field.kind {
        Kind::Text => {
            number("letters", &mut rules.letters);
            number("lines", &mut rules.lines);
            number("smallest", &mut rules.smallest);
            rules.fit = if text("shrink").is_empty() { Fit::Refuse } else { Fit::Shrink };
        }
        Kind::Image => number("dpi", &mut rules.dpi),
        Kind::Color => match colors(text("choices")) {
            Ok(colors) => rules.choices = colors,
            Err(told) => {
                errors.insert(form_name("choices"), told);
            }
        },
    }
    if let Err(error) = rules.check(field.kind) {
        let part = match error {
            RulesError::Label => "label",
            RulesError::Letters => "letters",
            RulesError::Lines => "lines",
            RulesError::Smallest => "smallest",
            RulesError::Dpi => "dpi",
            RulesError::Choices => "choices",
        };
        errors.entry(form_name(part)).or_insert_with(|| sentence(&error.to_string()));
    }
}

fn colors(text: &str) -> Result<Vec<Color>, String> {
    let written = text.split([' ', ',', '\n', '\r', '\t']).filter(|color| !color.is_empty());
    let read =
        |color: &str| color.parse().map_err(|_| format!("\"{color}\" is no color; write colors as #rrggbb."));
    written.map(read).collect()
}

/// The form of these terms.
pub fn form(terms: &Terms) -> ArtworkForm {
    ArtworkForm {
        format: terms.format.extension().to_owned(),
        dpi: terms.dpi.to_string(),
        marked: terms.preview == Preview::Marked,
        fields: terms.fields.iter().map(field_form).collect(),
    }
}

/// The form as it was typed, where that cannot be taken.
pub fn again(terms: &Terms, typed: &Typed) -> ArtworkForm {
    let text = |name: &str| typed.get(name).cloned().unwrap_or_default();
    let mut form = form(terms);
    form.format = text("format");
    form.dpi = text("dpi");
    form.marked = !text("marked").is_empty();
    for field in &mut form.fields {
        let text = |part: &str| text(&format!("{part}-{}", field.name));
        field.label = text("label");
        field.required = !text("required").is_empty();
        field.letters = text("letters");
        field.lines = text("lines");
        field.smallest = text("smallest");
        field.shrink = !text("shrink").is_empty();
        field.dpi = text("dpi");
        field.choices = text("choices");
    }
    form
}

fn field_form(field: &FieldTerms) -> ArtworkFieldForm {
    let rules = &field.rules;
    let colors: Vec<String> = rules.choices.iter().map(ToString::to_string).collect();
    ArtworkFieldForm {
        name: field.name.clone(),
        kind: match field.kind {
            Kind::Text => "text",
            Kind::Image => "image",
            Kind::Color => "color",
        }
        .to_owned(),
        sample: field.sample.clone(),
        label: rules.label.clone(),
        required: rules.required,
        letters: rules.letters.to_string(),
        lines: rules.lines.to_string(),
        smallest: rules.smallest.to_string(),
        shrink: rules.fit == Fit::Shrink,
        dpi: rules.dpi.to_string(),
        choices: colors.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='90mm' height='50mm' viewBox='0 0 900 500'>\
            <text data-field='name' x='9' y='99'>Ada</text><rect data-field='ink' width='9' height='9'/></svg>";
        let template = render::Template::read(drawing.as_bytes()).unwrap();
        Terms::of(&template, ("ab".to_owned(), 9, "card.svg".to_owned()), None)
    }

    fn typed(changed: &[(&str, &str)]) -> Typed {
        let usual = [
            ("format", "png"),
            ("dpi", "300"),
            ("marked", "yes"),
            ("label-name", "Your name"),
            ("required-name", "yes"),
            ("letters-name", "30"),
            ("lines-name", "1"),
            ("smallest-name", "60"),
            ("shrink-name", "yes"),
            ("label-ink", "Ink"),
            ("choices-ink", "#ff0000, #00f"),
        ];
        usual.iter().chain(changed).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_typed_becomes_the_terms() {
        let read = read(&terms(), &typed(&[("required-name", ""), ("marked", "")])).unwrap();
        assert_eq!((read.format, read.dpi, read.preview), (Format::Png, 300, Preview::Plain));
        assert_eq!((read.fields[0].rules.letters, read.fields[0].rules.required), (30, false));
        assert_eq!(read.fields[1].rules.choices.len(), 2);
    }

    #[test]
    fn every_mistake_is_told_beside_its_field() {
        let wrong = [
            ("format", "gif"),
            ("dpi", "9"),
            ("label-name", ""),
            ("letters-name", "0"),
            ("lines-name", "many"),
            ("choices-ink", "red"),
        ];
        let errors = read(&terms(), &typed(&wrong)).unwrap_err();
        let fields: Vec<&str> = errors.keys().map(String::as_str).collect();
        assert_eq!(fields, ["choices-ink", "dpi", "format", "label-name", "lines-name"]);
        let letters = read(&terms(), &typed(&[("letters-name", "0")])).unwrap_err();
        assert_eq!(letters.keys().collect::<Vec<_>>(), ["letters-name"]);
    }

    #[test]
    fn more_pixels_than_can_be_rendered_are_refused_beside_the_resolution() {
        let large = Terms { page: (1_000_000, 1_000_000), ..terms() };
        assert!(read(&large, &typed(&[("dpi", "600")])).unwrap_err().contains_key("dpi"));
        assert!(read(&large, &typed(&[("dpi", "600"), ("format", "pdf")])).is_ok());
    }

    #[test]
    fn a_form_that_is_saved_as_it_stands_changes_nothing() {
        let terms = terms();
        let form = form(&terms);
        let mut typed = Typed::from([
            ("format".to_owned(), form.format.clone()),
            ("dpi".to_owned(), form.dpi.clone()),
            ("marked".to_owned(), "yes".to_owned()),
        ]);
        for field in &form.fields {
            let parts = [
                ("label", field.label.clone()),
                ("required", if field.required { "yes".to_owned() } else { String::new() }),
                ("letters", field.letters.clone()),
                ("lines", field.lines.clone()),
                ("smallest", field.smallest.clone()),
                ("shrink", if field.shrink { "yes".to_owned() } else { String::new() }),
                ("dpi", field.dpi.clone()),
                ("choices", field.choices.clone()),
            ];
            typed.extend(parts.map(|(part, value)| (format!("{part}-{}", field.name), value)));
        }
        assert_eq!(read(&terms, &typed).unwrap(), terms);
        assert_eq!(again(&terms, &typed).fields.len(), 2);
    }
}
