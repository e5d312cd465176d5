//! Fields of a template, by the attributes that describe them.

use std::ops::Range;
use std::str::FromStr;

use resvg::usvg::roxmltree::{Document, Node};

use crate::check::{is, line};
use crate::error::{TemplateError, Why};
use crate::limits::{FIELDS_MAX, NAME_CHARS_MAX};
use crate::rules::{Fit, Rules};
use crate::splice::Tag;
use crate::value::Color;

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Letters.
    Text,
    /// A picture.
    Image,
    /// A color.
    Color,
}

/// A field of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, in small letters.
    pub name: String,
    /// What it takes.
    pub kind: Kind,
    /// What it takes in detail, as the template says.
    pub rules: Rules,
    /// What the template shows in it: a text, or a color. Empty for pictures.
    pub sample: String,
    pub(crate) places: Vec<Place>,
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// Between the tags of a text.
    Text(TextPlace),
    /// Into the frame of an image.
    Image(Tag),
    /// Onto an element: `fill`, `stroke` or `stop-color`.
    Color(Tag, &'static str),
}

/// A text's place.
#[derive(Debug, Clone, PartialEq)]
pub struct TextPlace {
    /// The text's start tag.
    pub tag: Tag,
    /// What stands between its tags.
    pub content: Range<usize>,
    /// The start tags of the spans around the sample, which stay.
    pub opened: String,
    /// Their end tags.
    pub closed: String,
    /// Where lines begin, stand or end, by the text's anchor.
    pub x: f32,
    /// How wide the place is.
    pub width: Option<f32>,
    /// From line to line, in letter sizes.
    pub line_height: f32,
    /// Which part of several lines stays where the sample stands.
    pub hold: Hold,
}

/// Which part of several lines stays where the sample stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The first line.
    Top,
    /// The middle.
    Middle,
    /// The last line.
    Bottom,
}

/// What `id` begins with where a drawing program knows no other attributes.
const BY_ID: &str = "field-";

/// Finds the fields of a checked template in the order of the drawing.
pub fn find(document: &Document<'_>, text: &str) -> Result<Vec<Field>, TemplateError> {
    let mut fields: Vec<Field> = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        let found = fields_of(&node, text);
        let found = found.map_err(|(name, what)| {
            TemplateError::at(line(&node), Why::Field { name: crate::check::short(&name), what })
        })?;
        for field in found {
            merge(&mut fields, field)
                .map_err(|(name, what)| TemplateError::at(line(&node), Why::Field { name, what }))?;
        }
        if fields.len() > FIELDS_MAX {
            return Err(Why::Fields.into());
        }
    }
    Ok(fields)
}

/// A mistake: whose, and what.
type Mistake = (String, String);

/// The same name again is the same field in one more place.
fn merge(fields: &mut Vec<Field>, field: Field) -> Result<(), Mistake> {
    match fields.iter_mut().find(|known| known.name == field.name) {
        Some(known) if known.kind == field.kind => {
            known.places.extend(field.places);
            Ok(())
        }
        Some(_) => Err((field.name, "stands here as one kind and elsewhere as another".to_owned())),
        None => {
            fields.push(field);
            Ok(())
        }
    }
}

fn fields_of(node: &Node<'_, '_>, text: &str) -> Result<Vec<Field>, Mistake> {
    let by_id = node.attribute("id").and_then(|id| id.strip_prefix(BY_ID));
    let own = node.attribute("data-field").or(by_id);
    let fill = node.attribute("data-color").map(|name| (name, "fill"));
    let stroke = node.attribute("data-stroke").map(|name| (name, "stroke"));
    let mut fields = Vec::new();
    if let Some(name) = own {
        let name = checked(name)?;
        fields.push(own_field(node, text, &name).map_err(|what| (name, what))?);
    }
    for (name, property) in [fill, stroke].into_iter().flatten() {
        let name = checked(name)?;
        fields.push(color_field(node, text, &name, property).map_err(|what| (name, what))?);
    }
    if !fields.is_empty() {
        let name = fields.first().map(|field| field.name.clone()).unwrap_or_default();
        outside_of_definitions(node).map_err(|what| (name, what))?;
    }
    Ok(fields)
}

fn checked(name: &str) -> Result<String, Mistake> {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    if begins && name.len() <= NAME_CHARS_MAX && name.chars().all(plain) {
        return Ok(name.to_owned());
    }
    let what = format!(
        "needs a name of 1 to {NAME_CHARS_MAX} small letters, digits, \"-\" and \"_\" that begins with a letter"
    );
    Err((name.to_owned(), what))
}

/// What is defined once and used elsewhere has many places and none.
fn outside_of_definitions(node: &Node<'_, '_>) -> Result<(), String> {
    const DEFINITIONS: [&str; 5] = ["defs", "symbol", "clipPath", "mask", "pattern"];
    let stop = is(node, "stop");
    match node.ancestors().find(|above| DEFINITIONS.iter().any(|name| is(above, name))) {
        Some(above) if !stop => {
            let name = above.tag_name().name();
            Err(format!("is within <{name}>; move it to where it is drawn"))
        }
        _ => Ok(()),
    }
}

fn own_field(node: &Node<'_, '_>, text: &str, name: &str) -> Result<Field, String> {
    let usual = if is(node, "text") {
        "text"
    } else if is(node, "image") {
        "image"
    } else {
        "color"
    };
    match node.attribute("data-type").unwrap_or(usual) {
        "text" => text_field(node, text, name),
        "image" => image_field(node, text, name),
        "color" => color_field(node, text, name, if is(node, "stop") { "stop-color" } else { "fill" }),
        other => Err(format!("has the type \"{other}\"; expected text, image or color")),
    }
}

fn text_field(node: &Node<'_, '_>, text: &str, name: &str) -> Result<Field, String> {
    if !is(node, "text") {
        return Err("takes a text, so it has to be on a <text>".to_owned());
    }
    let (first, last) = (node.first_child(), node.last_child());
    let sample = sample(node);
    let (Some(first), Some(last)) = (first, last) else { return Err(NO_SAMPLE.to_owned()) };
    if sample.is_empty() {
        return Err(NO_SAMPLE.to_owned());
    }
    if node.descendants().any(|inner| is(&inner, "textPath")) {
        return Err("follows a path, and fields stand in straight lines".to_owned());
    }
    let mut x = number(node, "x")?.unwrap_or(0.0);
    let (mut opened, mut closed) = (String::new(), String::new());
    let mut around = *node;
    while let Some(span) = around.children().find(|child| is(child, "tspan")) {
        if let Some(own) = number(&span, "x")? {
            x = own;
        }
        let Some(inner) = span.first_child() else { break };
        let tag = text.get(span.range().start..inner.range().start).unwrap_or_default();
        opened.push_str(tag);
        let name = tag.trim_start_matches('<').split([' ', '\n', '\t', '\r', '>']).next().unwrap_or("tspan");
        closed = format!("</{name}>{closed}");
        around = span;
    }
    let place = TextPlace {
        tag: Tag::of(node, text),
        content: first.range().start..last.range().end,
        opened,
        closed,
        x,
        width: positive(node, "data-width")?,
        line_height: positive(node, "data-line-height")?.unwrap_or(1.2),
        hold: hold(node)?,
    };
    let rules = rules(node, name, Kind::Text)?;
    Ok(Field { name: name.to_owned(), kind: Kind::Text, rules, sample, places: vec![Place::Text(place)] })
}

const NO_SAMPLE: &str = "is empty; write a sample text into it, which shows where and how it stands";

/// The text that the designer wrote; spans that lie below each other are lines.
fn sample(node: &Node<'_, '_>) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for inner in node.descendants() {
        let below = inner.attribute("dy").or_else(|| inner.attribute("y"));
        if is(&inner, "tspan") && below.is_some() && lines.last().is_some_and(|line| !line.trim().is_empty())
        {
            lines.push(String::new());
        }
        if let (true, Some(line)) = (inner.is_text(), lines.last_mut()) {
            line.push_str(inner.text().unwrap_or_default());
        }
    }
    let lines = lines.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn image_field(node: &Node<'_, '_>, text: &str, name: &str) -> Result<Field, String> {
    if !is(node, "image") {
        return Err("takes a picture, so it has to be on an <image>".to_owned());
    }
    if positive(node, "width")?.is_none() || positive(node, "height")?.is_none() {
        return Err("needs a width and a height, in which the picture is placed".to_owned());
    }
    let place = Place::Image(Tag::of(node, text));
    let rules = rules(node, name, Kind::Image)?;
    Ok(Field { name: name.to_owned(), kind: Kind::Image, rules, sample: String::new(), places: vec![place] })
}

fn color_field(node: &Node<'_, '_>, text: &str, name: &str, property: &'static str) -> Result<Field, String> {
    let place = Place::Color(Tag::of(node, text), property);
    let rules = rules(node, name, Kind::Color)?;
    let written = node.attribute(property).and_then(|value| Color::from_str(value).ok());
    let sample = written.or_else(|| rules.choices.first().copied());
    let sample = sample.map_or_else(|| "#000000".to_owned(), |color| color.to_string());
    Ok(Field { name: name.to_owned(), kind: Kind::Color, rules, sample, places: vec![place] })
}

fn rules(node: &Node<'_, '_>, name: &str, kind: Kind) -> Result<Rules, String> {
    let usual = Rules::usual(name);
    let label = node.attribute("data-label").map(|label| label.trim().to_owned()).unwrap_or(usual.label);
    let required = match node.attribute("data-required") {
        None => usual.required,
        Some("yes") => true,
        Some("no") => false,
        Some(other) => return Err(format!("has data-required=\"{other}\"; expected yes or no")),
    };
    let fit = match node.attribute("data-fit") {
        None => usual.fit,
        Some("shrink") => Fit::Shrink,
        Some("refuse") => Fit::Refuse,
        Some(other) => return Err(format!("has data-fit=\"{other}\"; expected shrink or refuse")),
    };
    let choices = node.attribute("data-choices").unwrap_or_default();
    let choices = choices.split([' ', ',']).filter(|choice| !choice.is_empty()).map(|choice| {
        Color::from_str(choice)
            .map_err(|_| format!("has the color \"{choice}\" in data-choices; write it as #rrggbb"))
    });
    let rules = Rules {
        label,
        required,
        fit,
        letters: whole(node, "data-max")?.unwrap_or(usual.letters),
        lines: whole(node, "data-lines")?.unwrap_or(usual.lines),
        smallest: whole(node, "data-smallest")?.unwrap_or(usual.smallest),
        dpi: whole(node, "data-min-dpi")?.unwrap_or(usual.dpi),
        choices: choices.collect::<Result<_, _>>()?,
    };
    rules.check(kind).map_err(|error| format!("has a rule that cannot be: {error}"))?;
    Ok(rules)
}

fn hold(node: &Node<'_, '_>) -> Result<Hold, String> {
    match node.attribute("data-valign") {
        None | Some("top") => Ok(Hold::Top),
        Some("middle") => Ok(Hold::Middle),
        Some("bottom") => Ok(Hold::Bottom),
        Some(other) => Err(format!("has data-valign=\"{other}\"; expected top, middle or bottom")),
    }
}

fn whole(node: &Node<'_, '_>, name: &str) -> Result<Option<u32>, String> {
    let Some(text) = node.attribute(name) else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| format!("has {name}=\"{text}\"; expected a whole number"))
}

/// The first number of a coordinate; units other than the drawing's own are not understood here.
fn number(node: &Node<'_, '_>, name: &str) -> Result<Option<f32>, String> {
    let Some(text) = node.attribute(name) else { return Ok(None) };
    let first = text.split([' ', ',', '\t', '\n', '\r']).find(|part| !part.is_empty()).unwrap_or("0");
    let number = first.strip_suffix("px").unwrap_or(first).parse::<f32>();
    match number {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(format!("has {name}=\"{}\"; expected a number without a unit", crate::check::short(text))),
    }
}

fn positive(node: &Node<'_, '_>, name: &str) -> Result<Option<f32>, String> {
    match number(node, name)? {
        Some(number) if number <= 0.0 => Err(format!("has {name}=\"{number}\"; expected more than 0")),
        number => Ok(number),
    }
}
