//! Why a template is refused, why a value does not fit, and what can go wrong afterwards.

use crate::limits;

/// A template that is refused: where, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The line, where it can be told.
    pub line: Option<u32>,
    /// Why.
    pub why: Why,
}

impl TemplateError {
    pub(crate) const fn at(line: u32, why: Why) -> Self {
        Self { line: Some(line), why }
    }
}

impl From<Why> for TemplateError {
    fn from(why: Why) -> Self {
        Self { line: None, why }
    }
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.why),
            None => self.why.fmt(f),
        }
    }
}

impl std::error::Error for TemplateError {}

/// What is wrong with a template, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// More bytes than a template may have.
    #[error("the template has {0} bytes, and {max} are allowed; make its pictures smaller", max = limits::TEMPLATE_BYTES_MAX)]
    Bytes(usize),
    /// Compressed.
    #[error("this is a compressed SVG; save it as plain SVG")]
    Compressed,
    /// Not UTF-8.
    #[error("this is no text in UTF-8, so no SVG; save it as plain SVG")]
    NotText,
    /// Not well-formed.
    #[error("this is no well-formed XML: {0}")]
    Malformed(String),
    /// The root is something else.
    #[error("the outermost element is <{0}>, and <svg> of the SVG namespace is expected")]
    NotSvg(String),
    /// A document type that defines things.
    #[error("the document type declares entities; save the SVG without them")]
    Entities,
    /// Too many elements.
    #[error("it has more than {max} elements; simplify the drawing", max = limits::NODES_MAX)]
    Nodes,
    /// Too many elements within elements.
    #[error("its elements are nested more than {max} deep; ungroup them", max = limits::DEPTH_MAX)]
    Depth,
    /// Too much once written out.
    #[error("written out, its uses, patterns and clips come to more than {max} elements; simplify them", max = limits::EXPANDED_MAX)]
    Expanded,
    /// An element that refers to itself.
    #[error("#{0} refers to itself; remove the circle")]
    Circle(String),
    /// An element that is not rendered here.
    #[error("<{0}> is not allowed here; {advice}", advice = advice(.0))]
    Element(String),
    /// A script in an attribute.
    #[error("{0}=\"…\" is a script, and artwork has none; remove it")]
    Script(String),
    /// Something that is not in the file.
    #[error(
        "\"{0}\" is outside of the file, and nothing is fetched; embed it as PNG or JPEG, or refer to an #id"
    )]
    External(String),
    /// A style sheet that is not in the file.
    #[error("it names a style sheet outside of the file; write the styles into it")]
    StyleSheet,
    /// An embedded font.
    #[error("it brings a font of its own; use one of these, or convert the text to outlines: {fonts}", fonts = crate::fonts::names())]
    FontFace,
    /// A font that is not here.
    #[error("there is no font \"{0}\" here; use one of these, or convert the text to outlines: {fonts}", fonts = crate::fonts::names())]
    Font(String),
    /// A letter that no font has.
    #[error("no font here has the letter \"{0}\"; convert the text to outlines")]
    Glyph(String),
    /// A style sheet that cannot be judged.
    #[error("the style sheet has {0}; write the styles as attributes of the elements")]
    Style(&'static str),
    /// An id twice.
    #[error("the id \"{0}\" stands here a second time; give every element its own")]
    IdTwice(String),
    /// The page has no size.
    #[error(
        "the page has no size for print; give <svg> a width and a height, as in width=\"85mm\" height=\"55mm\""
    )]
    NoSize,
    /// The page is too small or too large.
    #[error("the page has {width} × {height} mm; each side may have {min} to {max} mm", min = limits::PAGE_MM_MIN, max = limits::PAGE_MM_MAX)]
    Size {
        /// In whole millimeters.
        width: u32,
        /// In whole millimeters.
        height: u32,
    },
    /// Too many points.
    #[error("its outlines have more than {max} points; simplify them", max = limits::POINTS_MAX)]
    Points,
    /// Too many layers.
    #[error("opacity, clips and masks are nested more than {max} deep; flatten them", max = limits::LAYERS_MAX)]
    Layers,
    /// Painted too often.
    #[error("its shapes cover the page more than {max} times over; flatten the drawing", max = limits::COATS_MAX)]
    Coats,
    /// A pattern larger than the page.
    #[error("a pattern's tile is larger than the page; make it smaller")]
    Tile,
    /// A picture that cannot be used.
    #[error("an embedded picture cannot be used: {0}")]
    Picture(String),
    /// A mistake in a field's description.
    #[error("the field \"{name}\": {what}")]
    Field {
        /// Whose.
        name: String,
        /// What is wrong, and what is expected.
        what: String,
    },
    /// Too many fields.
    #[error("it has more than {max} fields", max = limits::FIELDS_MAX)]
    Fields,
    /// The sample does not fit into its own field.
    #[error("the sample in field \"{name}\" does not fit: {unfit}")]
    Sample {
        /// Whose.
        name: String,
        /// Why.
        unfit: Unfit,
    },
    /// The parser of the renderer says no.
    #[error("it cannot be rendered: {0}")]
    Unrenderable(String),
}

fn advice(element: &str) -> &'static str {
    match element {
        "script" => "artwork has no scripts; remove it",
        "foreignObject" => "it is a web page within the drawing; draw its content as SVG",
        "filter" => "filters do not print alike everywhere; flatten the effect into a picture",
        "marker" => "draw line ends as paths",
        "animate" | "animateMotion" | "animateTransform" | "set" => "print does not move; remove it",
        "flowRoot" => "it is no part of SVG; convert flowed text to text",
        "font" | "font-face" => "it brings a font; convert its text to outlines",
        _ => "it is not rendered; draw it with paths, shapes, text and pictures",
    }
}

/// Why a value is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing was entered.
    #[error("it is needed")]
    Missing,
    /// More letters than the field takes.
    #[error("it has {has} letters, and {most} are allowed")]
    Letters {
        /// How many there are.
        has: u32,
        /// How many may be.
        most: u32,
    },
    /// More lines than the field takes.
    #[error("it has {has} lines, and {most} are allowed")]
    Lines {
        /// How many there are.
        has: u32,
        /// How many may be.
        most: u32,
    },
    /// Wider than its place, also in the smallest letters.
    #[error("it does not fit into its place; make it shorter")]
    Room,
    /// A letter that no font has.
    #[error("the letter \"{0}\" cannot be printed")]
    Glyph(String),
    /// Not a color as `#rrggbb`.
    #[error("it is no color; write it as #rrggbb")]
    NotAColor,
    /// Not one of the colors to choose from.
    #[error("it is none of the colors to choose from")]
    NotAChoice,
    /// A picture where a text belongs, or the other way round.
    #[error("it is of another kind than the field")]
    Kind,
    /// A picture that would print blurred.
    #[error("it prints at {has} dpi only, and {least} are needed; take a larger picture")]
    Coarse {
        /// How fine it would print.
        has: u32,
        /// How fine it has to print.
        least: u32,
    },
    /// The template has no such field.
    #[error("the template has no such field")]
    Unknown,
    /// The page with it is more than can be rendered.
    #[error("with it the page cannot be rendered: {0}")]
    Page(String),
}

/// Why a page was not rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Finer or coarser than can be.
    #[error("{0} dpi cannot be rendered; choose {min} to {max}", min = limits::DPI_MIN, max = limits::DPI_MAX)]
    Dpi(u32),
    /// More pixels than can be.
    #[error("the page would have {pixels} pixels, and {max} can be rendered; choose a lower resolution or PDF", max = limits::PAGE_PIXELS_MAX)]
    Pixels {
        /// How many.
        pixels: u64,
    },
    /// More bytes than can be.
    #[error("the rendered page has {bytes} bytes, and {max} are allowed", max = limits::OUTPUT_BYTES_MAX)]
    Bytes {
        /// How many.
        bytes: usize,
    },
    /// Whoever asked does not wait any longer.
    #[error("rendering took too long and was stopped")]
    Stopped,
    /// The renderer failed.
    #[error("the page could not be rendered: {0}")]
    Renderer(String),
}
