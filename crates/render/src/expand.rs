//! How much a template is once everything that is used many times is written out.
//!
//! A renderer does write it out, so ten levels of ten uses each are ten thousand million elements
//! from a file of two kilobytes. This counts without writing anything: each element once.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use crate::check::{is, line};
use crate::error::{TemplateError, Why};
use crate::limits::{DEPTH_MAX, EXPANDED_MAX};

/// Counts a checked template.
pub fn check(document: &Document<'_>) -> Result<(), TemplateError> {
    let by_id: HashMap<&str, Node<'_, '_>> =
        document.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
    style_sheets(document, &by_id)?;
    let mut counter = Counter { by_id, known: HashMap::new(), open: Vec::new() };
    match counter.count(document.root_element()) {
        Ok(count) if count > EXPANDED_MAX => Err(Why::Expanded.into()),
        Ok(_) => Ok(()),
        Err(why) => Err(why.into()),
    }
}

/// A rule can give a pattern to the shapes of the same pattern, and which elements a rule is
/// about is the renderer's business. So rules may refer to gradients, which hold no shapes.
fn style_sheets(document: &Document<'_>, by_id: &HashMap<&str, Node<'_, '_>>) -> Result<(), TemplateError> {
    for sheet in document.descendants().filter(|node| is(node, "style")) {
        let css: String = sheet.descendants().filter_map(|text| text.text()).collect();
        for target in targets(&css).filter_map(|id| by_id.get(id)) {
            if !is(target, "linearGradient") && !is(target, "radialGradient") {
                let why = Why::Style("a reference to a pattern, clip or mask");
                return Err(TemplateError::at(line(&sheet), why));
            }
        }
    }
    Ok(())
}

/// The ids in `url(#…)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("url(").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.trim_matches([' ', '"', '\'', '\t', '\n', '\r']);
        target.strip_prefix('#')
    })
}

struct Counter<'a, 'input> {
    by_id: HashMap<&'a str, Node<'a, 'input>>,
    known: HashMap<NodeId, u64>,
    /// The elements that are being counted: one of them again is a circle.
    open: Vec<NodeId>,
}

impl<'a, 'input> Counter<'a, 'input> {
    fn count(&mut self, node: Node<'a, 'input>) -> Result<u64, Why> {
        if let Some(known) = self.known.get(&node.id()) {
            return Ok(*known);
        }
        if self.open.contains(&node.id()) {
            return Err(Why::Circle(node.attribute("id").unwrap_or_default().to_owned()));
        }
        // References lead on from one to the next, so they count as nesting does.
        if self.open.len() > DEPTH_MAX.saturating_mul(2) {
            return Err(Why::Depth);
        }
        self.open.push(node.id());
        let counted = self.count_new(node);
        self.open.pop();
        let counted = counted?;
        self.known.insert(node.id(), counted);
        Ok(counted)
    }

    fn count_new(&mut self, node: Node<'a, 'input>) -> Result<u64, Why> {
        let mut within: u64 = 1;
        for child in node.children().filter(Node::is_element) {
            within = within.saturating_add(self.count(child)?);
        }
        let mut once: u64 = 0;
        let mut inherited: u64 = 1;
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            if name == "href" && !is(&node, "a") {
                once = once.saturating_add(self.target(value.trim().strip_prefix('#'))?);
            }
            for id in targets(value) {
                let count = self.target(Some(id))?;
                match name {
                    "clip-path" | "mask" => once = once.saturating_add(count),
                    // Every element below is painted with it.
                    _ => inherited = inherited.saturating_add(count),
                }
            }
        }
        Ok(within.saturating_mul(inherited).saturating_add(once))
    }

    fn target(&mut self, id: Option<&str>) -> Result<u64, Why> {
        match id.and_then(|id| self.by_id.get(id)) {
            Some(node) => self.count(*node),
            None => Ok(0),
        }
    }
}
