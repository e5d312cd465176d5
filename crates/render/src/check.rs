//! What a template may be made of. Everything that is not known to be harmless is refused.

use std::collections::HashSet;

use resvg::usvg::roxmltree::{Document, Node};

use crate::error::{TemplateError, Why};
use crate::limits::{DEPTH_MAX, STYLE_BYTES_MAX};
use crate::read::SVG;

/// The elements that are rendered here, or that say nothing.
const ELEMENTS: [&str; 30] = [
    "svg",
    "g",
    "defs",
    "symbol",
    "use",
    "a",
    "switch",
    "title",
    "desc",
    "metadata",
    "style",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "textPath",
    "image",
    "linearGradient",
    "radialGradient",
    "stop",
    "pattern",
    "clipPath",
    "mask",
    "view",
    "solidColor",
];
/// What holds nothing that is drawn; tools keep their own there.
const SILENT: [&str; 3] = ["metadata", "title", "desc"];

/// Goes over a parsed template.
pub fn check(document: &Document<'_>) -> Result<(), TemplateError> {
    let root = document.root_element();
    if root.tag_name().name() != "svg" || root.tag_name().namespace() != Some(SVG) {
        return Err(Why::NotSvg(root.tag_name().name().to_owned()).into());
    }
    if let Some(sheet) = document.root().children().find(|node| node.pi().is_some_and(names_a_style_sheet)) {
        return Err(TemplateError::at(line(&sheet), Why::StyleSheet));
    }
    let mut ids = HashSet::new();
    let mut styles = 0;
    for node in document.descendants().filter(Node::is_element) {
        let judged = element(&node).and_then(|()| attributes(&node, &mut ids));
        judged.map_err(|why| TemplateError::at(line(&node), why))?;
        if is(&node, "style") {
            let css: String = node.descendants().filter_map(|text| text.text()).collect();
            styles += css.len();
            style(&css, styles).map_err(|why| TemplateError::at(line(&node), why))?;
        }
    }
    Ok(())
}

fn names_a_style_sheet(instruction: resvg::usvg::roxmltree::PI<'_>) -> bool {
    instruction.target.eq_ignore_ascii_case("xml-stylesheet")
}

/// The line of a node in its file.
pub fn line(node: &Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

/// Whether this is the SVG element of that name.
pub fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(SVG)
}

fn element(node: &Node<'_, '_>) -> Result<(), Why> {
    if node.ancestors().take(DEPTH_MAX.saturating_add(2)).count() > DEPTH_MAX {
        return Err(Why::Depth);
    }
    // The renderer passes over what drawing programs write for themselves, and so do we.
    let foreign = node.tag_name().namespace() != Some(SVG);
    let silent = node.ancestors().any(|above| SILENT.iter().any(|name| is(&above, name)));
    let name = node.tag_name().name();
    if foreign && !silent && SCRIPTED.contains(&name) {
        return Err(Why::Element(name.to_owned()));
    }
    if foreign || silent || ELEMENTS.contains(&name) { Ok(()) } else { Err(Why::Element(name.to_owned())) }
}

/// Elements of other languages that a browser would act on.
const SCRIPTED: [&str; 4] = ["script", "iframe", "object", "embed"];

fn attributes<'a>(node: &Node<'a, '_>, ids: &mut HashSet<&'a str>) -> Result<(), Why> {
    if let Some(id) = node.attribute("id")
        && !ids.insert(id)
    {
        return Err(Why::IdTwice(id.to_owned()));
    }
    for attribute in node.attributes() {
        let (name, value) = (attribute.name(), attribute.value());
        let plain = attribute.namespace().is_none();
        if plain && name.len() > 2 && name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("on")) {
            return Err(Why::Script(name.to_owned()));
        }
        if name == "base" {
            return Err(Why::External(value.to_owned()));
        }
        // A link leads nobody anywhere on paper.
        if name == "href" && !is(node, "a") {
            href(node, value)?;
        }
        if name == "style" || is_paint(name) {
            inside(value)?;
        }
    }
    Ok(())
}

/// Attributes that may refer to something by `url()`.
fn is_paint(name: &str) -> bool {
    matches!(name, "fill" | "stroke" | "clip-path" | "mask" | "cursor")
        || name.starts_with("marker")
        || name.contains("filter")
}

fn href(node: &Node<'_, '_>, value: &str) -> Result<(), Why> {
    let value = value.trim();
    let embedded = ["data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,"];
    let picture = is(node, "image") && embedded.iter().any(|start| value.starts_with(start));
    if picture || (value.starts_with('#') && !is(node, "image")) {
        return Ok(());
    }
    Err(Why::External(short(value)))
}

/// Every `url()` stays inside of the file.
fn inside(value: &str) -> Result<(), Why> {
    if value.contains('\\') {
        return Err(Why::Style("backslashes"));
    }
    let lower = value.to_ascii_lowercase();
    for (at, found) in lower.match_indices("url(") {
        let target = lower.get(at.saturating_add(found.len())..).unwrap_or_default();
        if !target.trim_start_matches([' ', '"', '\'', '\t', '\n', '\r']).starts_with('#') {
            return Err(Why::External(short(target.split(')').next().unwrap_or_default())));
        }
    }
    Ok(())
}

fn style(css: &str, bytes: usize) -> Result<(), Why> {
    if bytes > STYLE_BYTES_MAX {
        return Err(Why::Style("more than 64 KiB"));
    }
    let lower = css.to_ascii_lowercase();
    if lower.contains("@font-face") {
        return Err(Why::FontFace);
    }
    if lower.contains("@import") {
        return Err(Why::StyleSheet);
    }
    inside(css)
}

/// The beginning of what may be a megabyte.
pub fn short(text: &str) -> String {
    const LETTERS: usize = 60;
    let cut: String = text.chars().take(LETTERS).filter(|letter| !letter.is_control()).collect();
    if text.chars().count() > LETTERS { format!("{cut}…") } else { cut }
}
