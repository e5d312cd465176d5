//! PDF files to stamp, and what they are made of.

use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};
use stamp::{Mark, Position, Stamp};

/// A mark of no order.
pub fn mark() -> Mark {
    Mark::new(*b"\x00\x9f\x12\xfe\x80abc\x01\xff")
}

/// Lines as a shop writes them.
pub fn lines(position: Position) -> Stamp {
    let lines = ["Licensed to Zoë Łuczak <zoe@example.org>", "Order 1042"];
    Stamp { lines: lines.map(str::to_owned).to_vec(), position, size: 9, opacity: 60 }
}

/// A document of pages, each with a text and entries of its own.
pub struct Pages {
    document: Document,
    root: ObjectId,
    font: ObjectId,
    kids: Vec<Object>,
}

impl Pages {
    /// Pages that inherit their size and their font.
    pub fn inheriting() -> Self {
        let mut document = Document::with_version("1.4");
        let root = document.new_object_id();
        let font = document.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica",
        });
        Self { document, root, font, kids: Vec::new() }
    }

    /// Adds a page with a content and entries of its own.
    pub fn page(mut self, content: &str, own: Dictionary) -> Self {
        let content = self.document.add_object(Stream::new(Dictionary::new(), content.as_bytes().to_vec()));
        let mut page = dictionary! { "Type" => "Page", "Parent" => self.root, "Contents" => content };
        page.extend(&own);
        self.kids.push(self.document.add_object(page).into());
        self
    }

    /// Adds a page that shows a text.
    pub fn text(self, text: &str) -> Self {
        self.page(&shows(text), Dictionary::new())
    }

    /// The document's bytes.
    pub fn bytes(self) -> Vec<u8> {
        self.changed(|_, _| {})
    }

    /// The document's bytes after a change of the document and of its catalog.
    pub fn changed(mut self, change: impl FnOnce(&mut Document, &mut Dictionary)) -> Vec<u8> {
        let count = i64::try_from(self.kids.len()).unwrap();
        let tree = dictionary! {
            "Type" => "Pages",
            "Kids" => self.kids,
            "Count" => count,
            "MediaBox" => vec![0.into(), 0.into(), 300.into(), 400.into()],
            "Resources" => dictionary! { "Font" => dictionary! { "F" => self.font } },
        };
        self.document.objects.insert(self.root, tree.into());
        let mut catalog = dictionary! { "Type" => "Catalog", "Pages" => self.root };
        change(&mut self.document, &mut catalog);
        let catalog = self.document.add_object(catalog);
        self.document.trailer.set("Root", catalog);
        let mut out = Vec::new();
        self.document.save_to(&mut out).unwrap();
        out
    }
}

/// Content that shows a text in the middle of a page.
pub fn shows(text: &str) -> String {
    format!("BT /F 18 Tf 60 200 Td ({text}) Tj ET")
}

/// A document with everything that turns a page around: rotation, boxes, units, an unbalanced content.
pub fn turned() -> Vec<u8> {
    let crop = vec![40.into(), 60.into(), 260.into(), 380.into()];
    Pages::inheriting()
        .text("upright")
        .page(&shows("quarter"), dictionary! { "Rotate" => 90 })
        .page(&shows("half"), dictionary! { "Rotate" => 180 })
        .page(&shows("three quarters"), dictionary! { "Rotate" => -90 })
        .page(&shows("cropped"), dictionary! { "CropBox" => crop })
        .page(&shows("large units"), dictionary! { "UserUnit" => 2 })
        .page(&format!("q 0.2 0 0 0.2 90 90 cm q {}", shows("left open")), Dictionary::new())
        .page(&format!("Q Q q 3 0 0 3 0 0 cm {}", shows("closed too often")), Dictionary::new())
        .page("0.1 g 0 0 300 400 re f", Dictionary::new())
        .bytes()
}
