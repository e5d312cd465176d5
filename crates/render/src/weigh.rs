//! What rendering a parsed page takes, and what it shows. The parsed tree is what is rendered, so
//! it is what is judged: nothing that a style sheet does is missed here.

use resvg::tiny_skia::{NonZeroRect, Rect};
use resvg::usvg::{Group, Image, ImageKind, Mask, Node, Paint, Path, Pattern, Text, Transform, Tree};

use crate::error::Why;
use crate::fonts;
use crate::limits::{COATS_MAX, EXPANDED_MAX, LAYERS_MAX, POINTS_MAX};

/// Judges a parsed page.
pub fn weigh(tree: &Tree) -> Result<(), Why> {
    let (width, height) = (tree.size().width(), tree.size().height());
    let page = NonZeroRect::from_xywh(0.0, 0.0, width, height).ok_or(Why::NoSize)?;
    let mut scales = Scales { page, nodes: 0, points: 0, area: 0.0 };
    scales.group(tree.root(), Inside::default())
}

/// Where the judged element is.
#[derive(Debug, Clone, Copy, Default)]
struct Inside {
    layers: usize,
}

struct Scales {
    page: NonZeroRect,
    nodes: u64,
    points: usize,
    area: f32,
}

impl Scales {
    fn group(&mut self, group: &Group, mut inside: Inside) -> Result<(), Why> {
        self.one_more()?;
        if group.should_isolate() {
            inside.layers = inside.layers.saturating_add(1);
            self.paint(group.abs_layer_bounding_box().to_rect())?;
        }
        if inside.layers > LAYERS_MAX {
            return Err(Why::Layers);
        }
        if !group.filters().is_empty() {
            return Err(Why::Element("filter".to_owned()));
        }
        let mut clip = group.clip_path();
        while let Some(path) = clip {
            inside.layers = inside.layers.saturating_add(1);
            self.group(path.root(), inside)?;
            clip = path.clip_path();
        }
        let mut mask: Option<&Mask> = group.mask();
        while let Some(sheet) = mask {
            inside.layers = inside.layers.saturating_add(1);
            self.group(sheet.root(), inside)?;
            mask = sheet.mask();
        }
        group.children().iter().try_for_each(|node| self.node(node, inside))
    }

    fn node(&mut self, node: &Node, inside: Inside) -> Result<(), Why> {
        match node {
            Node::Group(group) => self.group(group, inside),
            Node::Path(path) => self.path(path, inside),
            Node::Image(image) => self.image(image),
            Node::Text(text) => self.text(text, inside),
        }
    }

    fn path(&mut self, path: &Path, inside: Inside) -> Result<(), Why> {
        self.one_more()?;
        self.points(path)?;
        self.paint(path.abs_stroke_bounding_box())?;
        self.patterns(path, inside)
    }

    fn points(&mut self, path: &Path) -> Result<(), Why> {
        self.points = self.points.saturating_add(path.data().len());
        if self.points > POINTS_MAX { Err(Why::Points) } else { Ok(()) }
    }

    fn patterns(&mut self, path: &Path, inside: Inside) -> Result<(), Why> {
        let fill = path.fill().map(|fill| fill.paint());
        let stroke = path.stroke().map(|stroke| stroke.paint());
        for paint in [fill, stroke].into_iter().flatten() {
            if let Paint::Pattern(pattern) = paint {
                self.pattern(pattern, path.abs_transform(), inside)?;
            }
        }
        Ok(())
    }

    /// A tile is rendered into a picture of its own, however little of it is seen.
    fn pattern(&mut self, pattern: &Pattern, at: Transform, inside: Inside) -> Result<(), Why> {
        let tile = pattern.rect().transform(pattern.transform()).and_then(|tile| tile.transform(at));
        let tile = tile.ok_or(Why::Tile)?;
        if tile.width() > self.page.width() * 1.5 || tile.height() > self.page.height() * 1.5 {
            return Err(Why::Tile);
        }
        let inside = Inside { layers: inside.layers.saturating_add(1) };
        self.group(pattern.root(), inside)
    }

    fn image(&mut self, image: &Image) -> Result<(), Why> {
        self.one_more()?;
        if !matches!(image.kind(), ImageKind::PNG(_) | ImageKind::JPEG(_)) {
            return Err(Why::Picture("it is neither PNG nor JPEG".to_owned()));
        }
        self.paint(image.abs_bounding_box())
    }

    fn text(&mut self, text: &Text, inside: Inside) -> Result<(), Why> {
        for span in text.chunks().iter().flat_map(|chunk| chunk.spans()) {
            if !fonts::is_here(span.font().families()) {
                return Err(Why::Font(fonts::wanted(span.font().families())));
            }
        }
        self.paint(text.abs_stroke_bounding_box())?;
        self.outlines(text.flattened(), inside)
    }

    /// The letters of a text, whose outlines are in the text's own coordinates.
    fn outlines(&mut self, group: &Group, inside: Inside) -> Result<(), Why> {
        for node in group.children() {
            match node {
                Node::Group(inner) => self.outlines(inner, inside)?,
                Node::Path(path) => {
                    self.one_more()?;
                    self.points(path)?;
                    self.patterns(path, inside)?;
                }
                Node::Image(_) | Node::Text(_) => {}
            }
        }
        Ok(())
    }

    fn one_more(&mut self) -> Result<(), Why> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > EXPANDED_MAX { Err(Why::Expanded) } else { Ok(()) }
    }

    fn paint(&mut self, bounds: Rect) -> Result<(), Why> {
        let Some(seen) = self.page.to_rect().intersect(&bounds) else { return Ok(()) };
        self.area += seen.width() * seen.height();
        let coats = self.area / (self.page.width() * self.page.height());
        if coats > COATS_MAX { Err(Why::Coats) } else { Ok(()) }
    }
}

/// The letters of a text that no font has.
pub fn missing_letters(text: &Text) -> Option<String> {
    let glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
    glyphs.into_iter().find(|glyph| glyph.id.0 == 0).map(|glyph| glyph.text.clone())
}

/// Every text of a page.
pub fn texts(tree: &Tree) -> Vec<&Text> {
    let mut found = Vec::new();
    let mut waiting: Vec<&Group> = vec![tree.root()];
    while let Some(group) = waiting.pop() {
        for node in group.children() {
            match node {
                Node::Group(inner) => waiting.push(inner),
                Node::Text(text) => found.push(&**text),
                Node::Path(_) | Node::Image(_) => {}
            }
        }
    }
    found
}
