//! What is drawn on a page: the lines for everyone to see, the mark for nobody.

use super::{add, balance::Balance, pages::Page};
use crate::mark::BLOCK;
use crate::text::{Outlined, number, outline};
use crate::{Mark, Position, Stamp, StampError};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};
use std::fmt::Write;

/// The letters that the mark is written with in text that is not seen: rare ones, so that few other runs are tried.
pub(crate) const HIDDEN_LETTERS: [u8; 4] = *b"qxjz";
/// From baseline to baseline, in letter heights.
const LEADING: f64 = 1.3;
/// How much larger letters across the page are than those along an edge.
const DIAGONAL_LARGER: f64 = 3.0;
/// The width of the light rim around letters, so that they are read on dark pages too, in ems.
const RIM: &str = "0.14";
/// How dark letters are: 0 is black.
const GRAY: &str = "0.25";

/// A line with its place: a matrix from ems to points.
struct Placed {
    outlined: Outlined,
    matrix: [f64; 6],
}

impl Placed {
    /// Where the mark is written: small, in a line of its own, so that it does not stand within words.
    fn below(&self) -> [f64; 6] {
        let [a, b, c, d, e, f] = self.matrix;
        let down = -0.5;
        let small = MARK_SMALLER;
        [a * small, b * small, c * small, d * small, e + c * down, f + d * down]
    }
}

/// The stream before a page's own content.
pub(crate) fn before(balance: Balance) -> Vec<u8> {
    b"q\n".repeat(balance.missing_saves + 1)
}

/// The stream after a page's own content: closes what is open, then draws.
pub(crate) fn after(page: &Page, name: &str, balance: Balance, mark: Mark) -> Vec<u8> {
    let mut content = format!("\n{}", "Q\n".repeat(balance.missing_restores + 1));
    let matrix = page.matrix().map(number).join(" ");
    let _ = write!(
        content,
        "/Artifact <</Type /Pagination /Subtype /Watermark>> BDC\nq {matrix} cm\n{}/{name} Do\nQ\nEMC\n",
        path_of(mark)
    );
    content.into_bytes()
}

/// The mark as a path that is constructed and not painted: 16 numbers from 1.000 to 1.255.
fn path_of(mark: Mark) -> String {
    let block: [u8; BLOCK] = mark.block();
    let mut path = String::new();
    for (at, pair) in block.chunks(2).enumerate() {
        for byte in pair {
            let _ = write!(path, "1.{byte:03} ");
        }
        path.push_str(if at == 0 { "m\n" } else { "l\n" });
    }
    path.push_str("n\n");
    path
}

/// The page's resources with the drawing among them, and its name there.
pub(crate) fn resources(document: &Document, of: &Dictionary, form: ObjectId) -> (Dictionary, String) {
    let mut resources = of.clone();
    let mut drawings =
        resources.get_deref(b"XObject", document).and_then(Object::as_dict).cloned().unwrap_or_default();
    let name =
        (0..).map(|n| format!("Copy{n}")).find(|name| !drawings.has(name.as_bytes())).unwrap_or_default();
    drawings.set(name.as_bytes().to_vec(), Object::Reference(form));
    resources.set("XObject", Object::Dictionary(drawings));
    (resources, name)
}

/// The drawing for pages of one size: lines that are seen, as one group so that they do not shine through each other,
/// and text that is not.
pub(crate) fn form(
    document: &mut Document,
    size: (f64, f64),
    stamp: &Stamp,
    mark: Mark,
) -> Result<ObjectId, StampError> {
    let lines = placed(stamp, size);
    let letters = group(document, size, &lines)?;
    let hidden = Hidden::of(stamp, mark);
    let font = hidden.font(document)?;
    let state = dictionary! {
        "Type" => "ExtGState",
        "ca" => f32::from(stamp.opacity) / 100.0,
        "CA" => f32::from(stamp.opacity) / 100.0,
        "BM" => "Normal",
    };
    let resources = dictionary! {
        "XObject" => dictionary! { "Letters" => letters },
        "ExtGState" => dictionary! { "Seen" => state },
        "Font" => dictionary! { "Hidden" => font },
    };
    let content = format!("q /Seen gs /Letters Do Q\n{}", hidden.content(&lines));
    add(document, form_of(size, resources, content, None))
}

fn group(document: &mut Document, size: (f64, f64), lines: &[Placed]) -> Result<ObjectId, StampError> {
    let mut content = String::new();
    for line in lines {
        let matrix = line.matrix.map(number).join(" ");
        let path = &line.outlined.path;
        let _ = write!(content, "q {matrix} cm 1 G {RIM} w 1 j\n{path}S\n{GRAY} g\n{path}f\nQ\n");
    }
    let group = dictionary! { "Type" => "Group", "S" => "Transparency", "I" => true };
    add(document, form_of(size, Dictionary::new(), content, Some(group)))
}

fn form_of(size: (f64, f64), resources: Dictionary, content: String, group: Option<Dictionary>) -> Stream {
    let side = |length: f64| Object::Real(single(length));
    let mut dict = dictionary! {
        "Type" => "XObject",
        "Subtype" => "Form",
        "BBox" => vec![0.into(), 0.into(), side(size.0), side(size.1)],
        "Resources" => resources,
    };
    if let Some(group) = group {
        dict.set("Group", group);
    }
    let mut stream = Stream::new(dict, content.into_bytes());
    // Where compressing fails, the content is written as it is: larger, not worse.
    let _ = stream.compress();
    stream
}

/// PDF numbers are written in single precision.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation)]
fn single(value: f64) -> f32 {
    value as f32
}

/// Where each line stands on a page of this size, set smaller where it would not fit.
fn placed(stamp: &Stamp, (width, height): (f64, f64)) -> Vec<Placed> {
    let margin = (width.min(height) * 0.03).min(18.0);
    let (along, across, letters) = match stamp.position {
        Position::Top | Position::Bottom => (width - 2.0 * margin, height, f64::from(stamp.size)),
        Position::Side => (height - 2.0 * margin, width, f64::from(stamp.size)),
        Position::Diagonal => {
            (width.hypot(height) * 0.75, width.min(height), f64::from(stamp.size) * DIAGONAL_LARGER)
        }
    };
    let outlined: Vec<Outlined> = stamp.lines.iter().map(|line| outline(line)).collect();
    let widest = outlined.iter().map(|line| line.width).fold(0.0, f64::max);
    let count = f64::from(u32::try_from(outlined.len()).unwrap_or(u32::MAX));
    let letters = letters.min(along / widest.max(0.01)).min(across * 0.5 / (count * LEADING).max(0.01));

    let below = |n: f64| (count - 1.0 - n) * LEADING * letters;
    let placed = |(n, outlined): (usize, Outlined)| {
        let n = f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        let half = outlined.width * letters / 2.0;
        let matrix = match stamp.position {
            Position::Bottom => {
                [letters, 0.0, 0.0, letters, width / 2.0 - half, margin + 0.3 * letters + below(n)]
            }
            Position::Top => {
                let baseline = height - margin - letters - n * LEADING * letters;
                [letters, 0.0, 0.0, letters, width / 2.0 - half, baseline]
            }
            Position::Side => {
                let baseline = margin + letters + n * LEADING * letters;
                [0.0, letters, -letters, 0.0, baseline, height / 2.0 - half]
            }
            Position::Diagonal => {
                let (sin, cos) = height.atan2(width).sin_cos();
                let up = below(n) - (count - 1.0) * LEADING * letters / 2.0 - 0.35 * letters;
                let (x, y) = (width / 2.0 - half * cos - up * sin, height / 2.0 - half * sin + up * cos);
                [letters * cos, letters * sin, -letters * sin, letters * cos, x, y]
            }
        };
        Placed { outlined, matrix }
    };
    outlined.into_iter().enumerate().map(placed).collect()
}

/// Text that is selected, searched and copied, but not seen: each line, and below the last one the mark in
/// characters without width.
struct Hidden {
    /// Each letter's code is its place here plus [`FIRST_CODE`].
    letters: Vec<char>,
    lines: Vec<String>,
    mark: Mark,
}

/// Codes from here on stand for the letters of the lines.
const FIRST_CODE: u8 = 0x80;
/// How wide these letters are, in thousandths of an em.
const LETTER_WIDTH: i64 = 600;
/// How wide the letters of the mark are. Poppler takes equal letters nearly in one place for bold type, and drops them.
const MARK_WIDTH: i64 = 250;
/// How large the mark is written compared to the line above it.
const MARK_SMALLER: f64 = 0.25;

impl Hidden {
    fn of(stamp: &Stamp, mark: Mark) -> Self {
        let mut letters: Vec<char> = Vec::new();
        for c in stamp.lines.iter().flat_map(|line| line.chars()) {
            if !letters.contains(&c) && letters.len() < usize::from(u8::MAX - FIRST_CODE) {
                letters.push(c);
            }
        }
        Self { letters, lines: stamp.lines.clone(), mark }
    }

    fn code(&self, c: char) -> Option<u8> {
        let at = self.letters.iter().position(|letter| *letter == c)?;
        u8::try_from(at).ok()?.checked_add(FIRST_CODE)
    }

    fn content(&self, lines: &[Placed]) -> String {
        let mark: String = self.mark.quads(&HIDDEN_LETTERS).into_iter().map(char::from).collect();
        let mut content = "BT 3 Tr\n".to_owned();
        let below = lines.last().map_or([1.0, 0.0, 0.0, 1.0, 1.0, 1.0], |line| line.below());
        let _ = writeln!(content, "/Hidden 1 Tf {} Tm ({mark}) Tj", below.map(number).join(" "));
        for (line, text) in lines.iter().zip(&self.lines) {
            let codes: String =
                text.chars().filter_map(|c| self.code(c)).map(|code| format!("{code:02x}")).collect();
            // Letters have one width in this font: stretched to what the line takes up.
            let natural = f64::from(u32::try_from(codes.len() / 2).unwrap_or(u32::MAX)) * 0.6;
            let stretch = number(100.0 * line.outlined.width / natural.max(0.6));
            let matrix = line.matrix.map(number).join(" ");
            let _ = writeln!(content, "{stretch} Tz {matrix} Tm <{codes}> Tj");
        }
        content.push_str("ET\n");
        content
    }

    /// A Type 3 font whose letters have a width and a meaning, and no shape.
    fn font(&self, document: &mut Document) -> Result<ObjectId, StampError> {
        let mut differences: Vec<Object> = Vec::new();
        let mut widths = vec![Object::Integer(0); 256];
        let mut define = |code: u8, name: &str, width: i64| {
            differences.push(Object::Integer(code.into()));
            differences.push(Object::Name(name.as_bytes().to_vec()));
            if let Some(place) = widths.get_mut(usize::from(code)) {
                *place = Object::Integer(width);
            }
        };
        for code in HIDDEN_LETTERS {
            define(code, "none", MARK_WIDTH);
        }
        // Poppler takes a font's size from its `m`: without one, words would fall apart when they are copied.
        define(b'm', "m", LETTER_WIDTH);
        for code in self.letters.iter().filter_map(|c| self.code(*c)) {
            define(code, "m", LETTER_WIDTH);
        }
        let map: Vec<(u8, char)> = HIDDEN_LETTERS
            .into_iter()
            .zip(crate::mark::ZERO_WIDTH)
            .chain(self.letters.iter().filter_map(|c| Some((self.code(*c)?, *c))))
            .collect();
        let empty = add(document, Stream::new(Dictionary::new(), b"600 0 d0\n".to_vec()))?;
        let meaning = add(document, Stream::new(Dictionary::new(), to_unicode(&map).into_bytes()))?;
        let font = dictionary! {
            "Type" => "Font",
            "Subtype" => "Type3",
            "FontBBox" => vec![0.into(), 0.into(), 600.into(), 1000.into()],
            "FontMatrix" => vec![Object::Real(0.001), 0.into(), 0.into(), Object::Real(0.001), 0.into(), 0.into()],
            "CharProcs" => dictionary! { "none" => empty, "m" => empty },
            "Encoding" => dictionary! { "Type" => "Encoding", "Differences" => differences },
            "FirstChar" => 0,
            "LastChar" => 255,
            "Widths" => widths,
            "Resources" => Dictionary::new(),
            "ToUnicode" => meaning,
        };
        add(document, font)
    }
}

/// The map from codes to characters, in the form of the Adobe technical note 5411; at most 100 entries a block.
fn to_unicode(map: &[(u8, char)]) -> String {
    let mut text = "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n\
        /CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n\
        /CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n\
        1 begincodespacerange\n<00> <FF>\nendcodespacerange\n"
        .to_owned();
    for block in map.chunks(100) {
        let _ = writeln!(text, "{} beginbfchar", block.len());
        for (code, c) in block {
            let mut units = [0; 2];
            let units: String = c.encode_utf16(&mut units).iter().map(|unit| format!("{unit:04X}")).collect();
            let _ = writeln!(text, "<{code:02X}> <{units}>");
        }
        text.push_str("endbfchar\n");
    }
    text.push_str("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    text
}
