//! The pages of a document and how they are seen.

use crate::StampError;
use lopdf::{Dictionary, Document, Object, ObjectId};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The most pages of a document.
const PAGES_MAX: usize = 50_000;
/// How deep a page tree may be.
const DEPTH_MAX: usize = 64;
/// The box of a page that says none: US Letter.
const LETTER: Rect = Rect { left: 0.0, bottom: 0.0, right: 612.0, top: 792.0 };
/// What a page may measure, in its own units; the format allows 14,400.
const SIDE_MAX: f64 = 1_000_000.0;

/// A page as it is seen.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Its object.
    pub(crate) id: ObjectId,
    /// Its resources, its own or inherited; pages that share them share this too.
    pub(crate) resources: Rc<Dictionary>,
    visible: Rect,
    turned: Turned,
    /// How many points one unit is.
    unit: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Rect {
    left: f64,
    bottom: f64,
    right: f64,
    top: f64,
}

/// How far a page is turned clockwise when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turned {
    Not,
    Quarter,
    Half,
    ThreeQuarters,
}

impl Page {
    /// Width and height in points, as the page is seen.
    pub(crate) fn size(&self) -> (f64, f64) {
        let (width, height) = (self.visible.width() * self.unit, self.visible.height() * self.unit);
        match self.turned {
            Turned::Not | Turned::Half => (width, height),
            Turned::Quarter | Turned::ThreeQuarters => (height, width),
        }
    }

    /// What pages that look alike have in common.
    pub(crate) fn seen_as(&self) -> String {
        let (width, height) = self.size();
        format!("{width:.1}x{height:.1}")
    }

    /// The matrix that takes points, counted from the lower left as the page is seen, to the page's own space.
    pub(crate) fn matrix(&self) -> [f64; 6] {
        let s = 1.0 / self.unit;
        let Rect { left, bottom, right, top } = self.visible;
        match self.turned {
            Turned::Not => [s, 0.0, 0.0, s, left, bottom],
            Turned::Quarter => [0.0, s, -s, 0.0, right, bottom],
            Turned::Half => [-s, 0.0, 0.0, -s, right, top],
            Turned::ThreeQuarters => [0.0, -s, s, 0.0, left, top],
        }
    }
}

impl Rect {
    fn width(&self) -> f64 {
        self.right - self.left
    }

    fn height(&self) -> f64 {
        self.top - self.bottom
    }

    fn within(self, outer: Self) -> Self {
        let inner = Self {
            left: self.left.max(outer.left),
            bottom: self.bottom.max(outer.bottom),
            right: self.right.min(outer.right),
            top: self.top.min(outer.top),
        };
        if inner.is_usable() { inner } else { outer }
    }

    fn is_usable(&self) -> bool {
        let side = |length: f64| (1.0..=SIDE_MAX).contains(&length);
        side(self.width()) && side(self.height())
    }
}

/// What pages inherit from the nodes above them.
#[derive(Clone, Default)]
struct Inherited {
    resources: Option<Rc<Dictionary>>,
    media_box: Option<Rect>,
    crop_box: Option<Rect>,
    rotate: Option<i64>,
}

/// Every page, in order. A tree with a part that cannot be read is an error: its pages would go out unstamped.
pub(crate) fn all(document: &Document) -> Result<Vec<Page>, StampError> {
    let root = document
        .catalog()
        .and_then(|catalog| catalog.get(b"Pages"))
        .and_then(Object::as_reference)
        .map_err(|_| StampError::broken("it has no page tree"))?;
    let mut found = Found::default();
    let mut waiting = vec![(root, Inherited::default(), 0)];
    while let Some((id, inherited, depth)) = waiting.pop() {
        found.visit(document, id, &inherited, depth, &mut waiting)?;
    }
    if found.pages.is_empty() {
        return Err(StampError::broken("it has no pages"));
    }
    Ok(found.pages)
}

#[derive(Default)]
struct Found {
    pages: Vec<Page>,
    seen: HashSet<ObjectId>,
    resources: HashMap<ObjectId, Rc<Dictionary>>,
}

type Waiting = Vec<(ObjectId, Inherited, usize)>;

impl Found {
    fn visit(
        &mut self,
        document: &Document,
        id: ObjectId,
        inherited: &Inherited,
        depth: usize,
        waiting: &mut Waiting,
    ) -> Result<(), StampError> {
        if !self.seen.insert(id) {
            // One page shown twice is stamped once; a tree that holds itself ends here too.
            return Ok(());
        }
        let dict = document
            .get_dictionary(id)
            .map_err(|_| StampError::broken("a part of its page tree is missing"))?;
        let inherited = Inherited {
            resources: self.resources(document, dict).or_else(|| inherited.resources.clone()),
            ..inherited.under(document, dict)
        };
        let Ok(kids) = dict.get_deref(b"Kids", document).and_then(Object::as_array) else {
            self.add(document, id, dict, inherited);
            return Ok(());
        };
        if depth >= DEPTH_MAX {
            return Err(StampError::TooLarge { what: "the depth of its page tree", limit: DEPTH_MAX });
        }
        for kid in kids.iter().rev() {
            let kid = kid.as_reference().map_err(|_| {
                StampError::broken("a page stands in its page tree in a form that cannot be changed")
            })?;
            waiting.push((kid, inherited.clone(), depth + 1));
        }
        if self.pages.len() + waiting.len() > PAGES_MAX {
            return Err(StampError::TooLarge { what: "the number of its pages", limit: PAGES_MAX });
        }
        Ok(())
    }

    /// A node's own resources. Thousands of pages may name one dictionary: it is copied once.
    fn resources(&mut self, document: &Document, dict: &Dictionary) -> Option<Rc<Dictionary>> {
        match dict.get(b"Resources").ok()? {
            Object::Reference(id) => {
                if let Some(known) = self.resources.get(id) {
                    return Some(Rc::clone(known));
                }
                let resources = Rc::new(document.get_dictionary(*id).ok()?.clone());
                self.resources.insert(*id, Rc::clone(&resources));
                Some(resources)
            }
            Object::Dictionary(resources) => Some(Rc::new(resources.clone())),
            _ => None,
        }
    }

    fn add(&mut self, document: &Document, id: ObjectId, dict: &Dictionary, inherited: Inherited) {
        if dict.has_type(b"Pages") {
            return;
        }
        let media = inherited.media_box.unwrap_or(LETTER);
        let unit = dict.get_deref(b"UserUnit", document).and_then(Object::as_float).map_or(1.0, f64::from);
        self.pages.push(Page {
            id,
            resources: inherited.resources.unwrap_or_default(),
            visible: inherited.crop_box.map_or(media, |crop| crop.within(media)),
            turned: turned(inherited.rotate.unwrap_or(0)),
            unit: if unit.is_finite() && (0.001..=10_000.0).contains(&unit) { unit } else { 1.0 },
        });
    }
}

impl Inherited {
    fn under(&self, document: &Document, dict: &Dictionary) -> Self {
        let own = |key: &[u8]| dict.get_deref(key, document);
        Self {
            resources: self.resources.clone(),
            media_box: rect(document, own(b"MediaBox").ok()).or(self.media_box),
            crop_box: rect(document, own(b"CropBox").ok()).or(self.crop_box),
            rotate: own(b"Rotate").and_then(Object::as_i64).ok().or(self.rotate),
        }
    }
}

/// A rectangle by any two opposite corners.
fn rect(document: &Document, object: Option<&Object>) -> Option<Rect> {
    let numbers: Vec<f64> = object?
        .as_array()
        .ok()?
        .iter()
        .map(|number| {
            document.dereference(number).and_then(|(_, number)| number.as_float()).map(f64::from).ok()
        })
        .collect::<Option<_>>()?;
    let [x0, y0, x1, y1] = numbers.try_into().ok()?;
    let rect = Rect { left: x0.min(x1), bottom: y0.min(y1), right: x0.max(x1), top: y0.max(y1) };
    rect.is_usable().then_some(rect)
}

fn turned(degrees: i64) -> Turned {
    match degrees.rem_euclid(360) {
        90 => Turned::Quarter,
        180 => Turned::Half,
        270 => Turned::ThreeQuarters,
        _ => Turned::Not,
    }
}
