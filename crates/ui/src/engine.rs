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
        self.run(T::NAME, Value::from(Serde(page)), surroundings)
    }

    /// Renders both parts of a mail and its subject.
    ///
    /// # Errors
    /// [`RenderError`] says which template and line.
    pub fn mail<T: Mail>(&self, mail: &T, frame: &Frame) -> Result<MailBody, RenderError> {
        let surroundings = self.surroundings(frame)?;
        let page = Value::from(Serde(mail));
        let text = self.run(&format!("{}.txt", T::NAME), page.clone(), surroundings.clone())?;
        let html = self.run(&format!("{}.html", T::NAME), page, surroundings)?;
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        // A product or a name must not be able to start another header line.
        let subject: String = subject.chars().filter(|c| !c.is_control()).collect();
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
        let root = Root { page: Value::from(Serde(page)), frame };
        self.environment.template_from_named_str("probe.html", template)?.render(Value::from_object(root))
    }

    fn run(&self, name: &str, page: Value, surroundings: Arc<Surroundings>) -> Result<String, RenderError> {
        let failed = |error| RenderError::of(name, &error);
        let template = self.environment.get_template(name).map_err(failed)?;
        let root = Root { page, frame: Value::from_dyn_object(surroundings) };
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
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

/// The outermost scope of a template: the page's own fields, and `frame`.
#[derive(Debug)]
struct Root {
    page: Value,
    frame: Value,
}

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if key.as_str() == Some("frame") {
            return Some(self.frame.clone());
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
