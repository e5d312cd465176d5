//! Every template with every sample, for the test that renders them all and for looking at them.

use crate::{Frame, Mail, MailBody, RenderError, Renderer, Template};

/// What a sample renders to.
#[derive(Debug, Clone)]
pub enum Rendered {
    /// A page or a piece of one.
    Page(String),
    /// A mail's parts.
    Mail(MailBody),
}

type Render = Box<dyn Fn(&Renderer, &Frame) -> Result<Rendered, RenderError>>;

/// One sample of one template.
pub struct Exhibit {
    /// The template's name, for mails without an ending.
    pub name: &'static str,
    /// Which of its samples.
    pub number: usize,
    render: Render,
}

impl Exhibit {
    /// Renders it.
    ///
    /// # Errors
    /// What the renderer says.
    pub fn render(&self, renderer: &Renderer, frame: &Frame) -> Result<Rendered, RenderError> {
        (self.render)(renderer, frame)
    }
}

impl std::fmt::Debug for Exhibit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.number)
    }
}

/// The samples of one page.
pub fn page<T: Template + 'static>() -> Vec<Exhibit> {
    let exhibit = |(number, sample): (usize, T)| Exhibit {
        name: T::NAME,
        number,
        render: Box::new(move |renderer, frame| renderer.render(&sample, frame).map(Rendered::Page)),
    };
    T::samples().into_iter().enumerate().map(exhibit).collect()
}

/// The samples of one page, in surroundings that it changes first: somebody is signed in.
pub(crate) fn surrounded<T: Template + 'static>(
    change: impl Fn(&Frame) -> Frame + Copy + 'static,
) -> Vec<Exhibit> {
    let around = |exhibit: Exhibit| Exhibit {
        render: Box::new(move |renderer, frame| (exhibit.render)(renderer, &change(frame))),
        ..exhibit
    };
    page::<T>().into_iter().map(around).collect()
}

/// The samples of one mail.
pub fn mail<T: Mail + 'static>() -> Vec<Exhibit> {
    let exhibit = |(number, sample): (usize, T)| Exhibit {
        name: T::NAME,
        number,
        render: Box::new(move |renderer, frame| renderer.mail(&sample, frame).map(Rendered::Mail)),
    };
    T::samples().into_iter().enumerate().map(exhibit).collect()
}

/// All of them. A new template is added here; a test finds those that were forgotten.
pub fn exhibits() -> Vec<Exhibit> {
    [
        page::<crate::problem::ProblemPage>(),
        crate::shop::exhibits(),
        crate::delivery::exhibits(),
        crate::portal::exhibits(),
        crate::invoice::exhibits(),
        crate::stream::exhibits(),
        crate::ticket::exhibits(),
        crate::mailbox::exhibits(),
        crate::mails::exhibits(),
        crate::admin::exhibits(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The names that [`exhibits`] must have: every template but the shared pieces, which are named
/// with an underscore or are extended by others; for a mail, its name without the ending.
pub fn contexts_wanted() -> Vec<&'static str> {
    let is_shared = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        file.starts_with('_') || file == "layout.html" || file == "macros.html"
    };
    let without_ending = |name: &'static str| {
        if name.starts_with("mail/") { name.rsplit_once('.').map_or(name, |(stem, _)| stem) } else { name }
    };
    crate::templates::all()
        .map(|(name, _)| name)
        .filter(|name| !is_shared(name))
        .map(without_ending)
        .collect()
}
