//! The renderer: templates, texts and filters behind two calls, one for pages and one for mails.

use std::sync::Arc;

use minijinja::value::{Object, Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::i18n::Catalogs;
use crate::{CatalogError, Frame, FrameError, Locale, escape, filters, templates};

/// The typed context of one page or of one piece of a page.
pub trait Template: Serialize + Sized {
    /// The file under `/templates`.
    const NAME: &'static str;
    /// Contexts that stretch the template: shortest, longest and right-to-left texts.
    fn samples() -> Vec<Self>;
}

/// The typed context of one mail.
pub trait Mail: Serialize + Sized {
    /// The two files under `/templates`, without `.txt` and `.html`.
    ///
    /// The first line of the `.txt` file is the subject, the second is empty.
    const NAME: &'static str;
    /// Contexts that stretch the templates.
    fn samples() -> Vec<Self>;
}

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailBody {
    /// One line, no control characters.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Why a page could not be made. Each is a fault in the program, not in what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template does not parse, or names something that its context lacks.
    #[error("the template {template} cannot be rendered: {why}")]
    Template {
        /// The file under `/templates`.
        template: String,
        /// The engine's words, with the line.
        why: String,
    },
    /// A text is missing or malformed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The frame names something that does not exist.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl RenderError {
    fn of(template: &str, error: &minijinja::Error) -> Self {
        let mut why = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(deeper) = cause {
            why.push_str("; because ");
            why.push_str(&deeper.to_string());
            cause = deeper.source();
        }
        Self::Template { template: template.to_owned(), why }
    }
}

/// Renders pages and mails. Made once; cheap to share.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    catalogs: Arc<Catalogs>,
}

impl Renderer {
    /// Parses every template and every catalog that is compiled in.
    ///
    /// # Errors
    /// When one of them is malformed; the tests keep that from being shipped.
    pub fn new() -> Result<Self, RenderError> {
        let catalogs = Arc::new(Catalogs::embedded()?);
        let mut environment = Environment::new();
        // Debug reports quote the values at hand, and links are among them: they would end up in logs.
        environment.set_debug(false);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if name.ends_with(".txt") { AutoEscape::None } else { AutoEscape::Html }
        });
        environment.set_formatter(escape::write_value);
        // A line with only a statement on it leaves no line behind.
        environment.set_syntax(
            minijinja::syntax::SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                .map_err(|error| RenderError::of("(syntax)", &error))?,
        );
        filters::register(&mut environment);
        crate::admin::register(&mut environment);
        for (name, source) in templates::all() {
            environment.add_template(name, source).map_err(|error| RenderError::of(name, &error))?;
        }
        Ok(Self { environment, catalogs })
    }

    /// Renders a page, or a piece of one for a script to swap in.
    ///
    /// # Errors
    /// [`RenderError`] says which template and line.
    pub fn render<T: Template>(&self, page: &T, frame: &Frame) -> Result<String, RenderError> {
        let surroundings = self.surroundings(frame)?;
        let frame = Value::from_dyn_object(surroundings);
        self.run(T::NAME, Root { page: Value::from(Serde(page)), frame, subject: Value::UNDEFINED })
    }

    /// Renders both parts of a mail and its subject.
    ///
    /// # Errors
    /// [`RenderError`] says which template and line.
    pub fn mail<T: Mail>(&self, mail: &T, frame: &Frame) -> Result<MailBody, RenderError> {
        let surroundings = self.surroundings(frame)?;
        let page = Value::from(Serde(mail));
        let root = Root { page, frame: Value::from_dyn_object(surroundings), subject: Value::UNDEFINED };
        let text = self.run(&format!("{}.txt", T::NAME), root.clone())?;
        let (subject, text) = text.trim_start().split_once('\n').unwrap_or((&text, ""));
        // A product or a name must not be able to start another header line.
        let subject: String = subject.chars().filter(|c| !c.is_control()).collect();
        let root = Root { subject: Value::from(subject.trim()), ..root };
        let html = self.run(&format!("{}.html", T::NAME), root)?;
        Ok(MailBody { subject: subject.trim().to_owned(), text: tidy(text), html })
    }

    /// A single text of the catalog, for flash messages and the like.
    ///
    /// # Errors
    /// When no language has the key, or a slot has no value.
    pub fn text(&self, locale: Locale, key: &str, values: &[(&str, &str)]) -> Result<String, RenderError> {
        Ok(self.catalogs.text(locale, key, values)?)
    }

    /// Renders a template that is only a line of a test.
    #[cfg(test)]
    pub(crate) fn probe<T: Serialize>(
        &self,
        template: &str,
        page: &T,
        frame: &Frame,
    ) -> Result<String, minijinja::Error> {
        let frame = Value::from_dyn_object(self.surroundings(frame).expect("the frame of a test is whole"));
        let root = Root { page: Value::from(Serde(page)), frame, subject: Value::UNDEFINED };
        self.environment.template_from_named_str("probe.html", template)?.render(Value::from_object(root))
    }

    fn run(&self, name: &str, root: Root) -> Result<String, RenderError> {
        let failed = |error| RenderError::of(name, &error);
        let template = self.environment.get_template(name).map_err(failed)?;
        template.render(Value::from_object(root)).map_err(failed)
    }

    fn surroundings(&self, frame: &Frame) -> Result<Arc<Surroundings>, RenderError> {
        Ok(Arc::new(Surroundings {
            zone: frame.merchant.zone()?,
            values: Value::from(Serde(frame)),
            catalogs: Arc::clone(&self.catalogs),
            frame: frame.clone(),
        }))
    }
}

/// At most one empty line in a row, none at the ends: loops in text templates leave gaps.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim().lines() {
        // The dashes before a signature keep their space: mail programs know them by it.
        let line = if line == "-- " { line } else { line.trim_end() };
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

/// The outermost scope of a template: the page's own fields, `frame`, and in HTML mails `subject`.
#[derive(Debug, Clone)]
struct Root {
    page: Value,
    frame: Value,
    subject: Value,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key.as_str() == Some("frame") {
            return Some(self.frame.clone());
        }
        if key.as_str() == Some("subject") && !self.subject.is_undefined() {
            return Some(self.subject.clone());
        }
        self.page.get_item(key).ok().filter(|value| !value.is_undefined())
    }
}

/// `frame` in templates: its fields, and what the filters need with their types.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) frame: Frame,
    pub(crate) zone: jiff::tz::TimeZone,
    pub(crate) catalogs: Arc<Catalogs>,
    values: Value,
}

impl Object for Surroundings {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.values.get_item(key).ok().filter(|value| !value.is_undefined())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{self, NOW};
    use kernel::Span;

    /// What a line of a template makes of this page.
    fn shown(source: &str, page: impl Serialize) -> Result<String, RenderError> {
        shown_in(&samples::frame(Locale::En), "probe.html", source, page)
    }

    fn shown_in(
        frame: &Frame,
        name: &str,
        source: &str,
        page: impl Serialize,
    ) -> Result<String, RenderError> {
        let mut renderer = Renderer::new().unwrap();
        renderer.environment.add_template_owned(name.to_owned(), source.to_owned()).unwrap();
        let around = Value::from_dyn_object(renderer.surroundings(frame).unwrap());
        renderer.run(name, Root { page: Value::from(Serde(page)), frame: around, subject: Value::UNDEFINED })
    }

    #[derive(Serialize)]
    struct Page {
        name: &'static str,
        at: kernel::Timestamp,
        price: kernel::Money,
    }

    const PAGE: Page = Page { name: "<Ada & Bob>", at: NOW, price: samples::eur(49_00) };

    #[test]
    fn an_undefined_name_is_an_error_that_says_where() {
        let error = shown("{{ nmae }}", PAGE).unwrap_err().to_string();
        assert!(error.contains("probe.html") && error.contains("undefined"), "{error}");
        assert!(shown("{% if nmae %}x{% endif %}", PAGE).is_err());
        assert!(shown("{{ frame.nmae }}", PAGE).is_err());
    }

    #[test]
    fn a_missing_text_or_value_is_an_error() {
        assert!(shown("{{ t('no.such.text') }}", PAGE).is_err());
        assert!(shown("{{ t('cart.each') }}", PAGE).is_err());
        assert!(shown("{{ t('time.days') }}", PAGE).is_err());
    }

    #[test]
    fn an_error_does_not_quote_what_was_to_be_shown() {
        let error = shown("{{ name }}{{ nmae }}", PAGE).unwrap_err();
        assert!(!error.to_string().contains("Ada"), "{error}");
    }

    #[test]
    fn html_is_escaped_once_and_slashes_stay() {
        assert_eq!(shown("{{ name }} {{ url('/cart') }}", PAGE).unwrap(), "&lt;Ada &amp; Bob&gt; /cart");
        assert_eq!(shown("{{ t('mail.hello', name=name) }}", PAGE).unwrap(), "Hello &lt;Ada &amp; Bob&gt;,");
        let mixed = shown("{{ t('mail.paid', at=at|date, gateway=name) }}", PAGE).unwrap();
        assert_eq!(
            mixed,
            "Paid on <time datetime=\"2026-09-21T14:13:20Z\">Sep 21, 2026</time> with &lt;Ada &amp; Bob&gt;:"
        );
    }

    #[test]
    fn plain_text_is_plain() {
        let frame = samples::frame(Locale::En);
        let text =
            shown_in(&frame, "probe.txt", "{{ name }} {{ at|datetime }} {{ price|money }}", PAGE).unwrap();
        assert_eq!(text, "<Ada & Bob> Sep 21, 2026, 16:13\u{a0}CEST €49.00");
    }

    #[test]
    fn a_merchants_own_words_take_the_place_of_ours() {
        let mut frame = samples::frame(Locale::En);
        frame.merchant.words.insert("packages".to_owned(), "Albums".to_owned());
        let words =
            shown_in(&frame, "probe.html", "{{ t('words.packages') }} {{ t('words.accounts') }}", PAGE)
                .unwrap();
        assert_eq!(words, "Albums Accounts");
    }

    #[test]
    fn what_is_left_is_told_in_two_units() {
        let left = |span| {
            let text = shown("{{ at|left }}", Page { at: NOW + span, ..PAGE }).unwrap();
            text.split(['>', '<']).nth(2).unwrap().to_owned()
        };
        assert_eq!(left(Span::days(3)), "3 days");
        assert_eq!(left(Span::days(3)), left(Span::micros(3 * 24 * 3_600_000_000 - 5_000_000)));
        assert_eq!(left(Span::hours(50)), "2 days 2 hours");
        assert_eq!(left(Span::minutes(61)), "1 hour 1 minute");
        assert_eq!(left(Span::seconds(20)), "1 minute");
        assert_eq!(left(Span::days(-1)), "0 minutes");
    }

    #[test]
    fn ids_are_told_apart_by_their_ends() {
        assert_eq!(shown("{{ 'ord_01j9zzabcdef'|short_id }}", PAGE).unwrap(), "ord…abcdef");
    }

    #[test]
    fn a_checksum_may_wrap_but_is_copied_whole() {
        let html = shown("{{ '0123456789abcdef0'|groups }}", PAGE).unwrap();
        assert_eq!(html, "01234567<wbr>89abcdef<wbr>0");
    }

    #[test]
    fn a_signature_keeps_its_space_and_gaps_close() {
        assert_eq!(tidy("a \n\n\n\nb\n-- \nc\n\n"), "a\n\nb\n-- \nc\n");
    }
}
