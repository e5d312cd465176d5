//! Lines of text in any script as outlines: bidirectional order, shaping, and a font that has the letters.

use harfrust::{Direction, FontRef, ShapeOptions, ShaperData, UnicodeBuffer};
use skrifa::MetadataProvider;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use std::fmt::Write;
use std::ops::Range;
use unicode_bidi::BidiInfo;
use unicode_normalization::UnicodeNormalization;

/// In the order in which a letter is looked for. The first one also draws the box of a letter that none has.
const FONTS: [&[u8]; 10] = [
    include_bytes!("../fonts/NotoSans-Regular.ttf"),
    include_bytes!("../fonts/NotoSansHebrew-Regular.ttf"),
    include_bytes!("../fonts/NotoSansArabic-Regular.ttf"),
    include_bytes!("../fonts/NotoSansArmenian-Regular.ttf"),
    include_bytes!("../fonts/NotoSansGeorgian-Regular.ttf"),
    include_bytes!("../fonts/NotoSansDevanagari-Regular.ttf"),
    include_bytes!("../fonts/NotoSansBengali-Regular.ttf"),
    include_bytes!("../fonts/NotoSansTamil-Regular.ttf"),
    include_bytes!("../fonts/NotoSansThai-Regular.ttf"),
    include_bytes!("../fonts/wqy-microhei.ttc"),
];

/// A line as PDF path operators, one unit to the em, starting at the origin on its baseline.
#[derive(Debug)]
pub(crate) struct Outlined {
    /// Path construction operators, without painting.
    pub(crate) path: String,
    /// How wide the line is, in ems.
    pub(crate) width: f64,
}

/// Characters that steer the text around them instead of being seen. In a buyer's name they can only do harm, and the
/// marks are written with some of them.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The outlines of a line.
pub(crate) fn outline(line: &str) -> Outlined {
    let line: String = line.nfc().collect();
    let fonts: Vec<FontRef<'_>> =
        FONTS.iter().filter_map(|bytes| FontRef::from_index(bytes, 0).ok()).collect();
    let mut pen = Pen::default();
    for (range, right_to_left) in visual_runs(&line) {
        let mut pieces = by_font(line.get(range).unwrap_or_default(), &fonts);
        if right_to_left {
            pieces.reverse();
        }
        for (font, text) in pieces {
            if let Some(font) = fonts.get(font) {
                draw(font, text, right_to_left, &mut pen);
            }
        }
    }
    Outlined { path: pen.path, width: pen.x }
}

/// The stretches of one direction, in the order in which they are seen from the left.
fn visual_runs(line: &str) -> Vec<(Range<usize>, bool)> {
    let bidi = BidiInfo::new(line, None);
    let Some(paragraph) = bidi.paragraphs.first() else { return Vec::new() };
    let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
    runs.into_iter()
        .map(|run| {
            let right_to_left = levels.get(run.start).is_some_and(unicode_bidi::Level::is_rtl);
            (run, right_to_left)
        })
        .collect()
}

/// Cuts a text where another font is needed. Marks and joiners stay with the letter before them.
fn by_font<'t>(text: &'t str, fonts: &[FontRef<'_>]) -> Vec<(usize, &'t str)> {
    let mut pieces: Vec<(usize, Range<usize>)> = Vec::new();
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match pieces.last_mut() {
            Some((font, range)) if stays(c) || has(fonts, *font, c) => {
                let _ = font;
                range.end = end;
            }
            _ => {
                let font = (0..fonts.len()).find(|font| has(fonts, *font, c)).unwrap_or(0);
                pieces.push((font, at..end));
            }
        }
    }
    pieces.into_iter().filter_map(|(font, range)| Some((font, text.get(range)?))).collect()
}

fn stays(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
        || unicode_normalization::char::is_combining_mark(c)
}

fn has(fonts: &[FontRef<'_>], font: usize, c: char) -> bool {
    fonts.get(font).is_some_and(|font| font.charmap().map(c).is_some())
}

/// Shapes a text of one font and direction and adds its outlines where the pen stands.
fn draw(font: &FontRef<'_>, text: &str, right_to_left: bool, pen: &mut Pen) {
    let data = ShaperData::new(font);
    let shaper = data.shaper(font).build();
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.set_direction(if right_to_left { Direction::RightToLeft } else { Direction::LeftToRight });
    buffer.guess_segment_properties();
    let shaped = shaper.shape(buffer, ShapeOptions::new());

    let em = f64::from(shaper.units_per_em().max(1));
    let outlines = font.outline_glyphs();
    for (glyph, place) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
        pen.scale = 1.0 / em;
        pen.dx = pen.x + f64::from(place.x_offset) / em;
        pen.dy = f64::from(place.y_offset) / em;
        if let Some(outline) = outlines.get(glyph.glyph_id.into()) {
            // A glyph whose outline cannot be read is left out: the fonts are ours, and tested.
            let _ = outline.draw(DrawSettings::unhinted(Size::unscaled(), LocationRef::default()), pen);
        }
        pen.x += f64::from(place.x_advance) / em;
    }
}

/// Writes outlines as PDF path operators.
#[derive(Debug, Default)]
struct Pen {
    path: String,
    x: f64,
    dx: f64,
    dy: f64,
    scale: f64,
    last: (f64, f64),
}

impl Pen {
    fn place(&self, x: f32, y: f32) -> (f64, f64) {
        (self.dx + f64::from(x) * self.scale, self.dy + f64::from(y) * self.scale)
    }

    fn write(&mut self, points: &[(f64, f64)], operator: &str) {
        for (x, y) in points {
            let _ = write!(self.path, "{} {} ", number(*x), number(*y));
        }
        self.path.push_str(operator);
        self.path.push('\n');
        if let Some(last) = points.last() {
            self.last = *last;
        }
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.write(&[to], "m");
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.write(&[to], "l");
    }

    /// PDF has cubic curves only.
    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (from, control, to) = (self.last, self.place(cx, cy), self.place(x, y));
        let toward = |end: (f64, f64)| {
            (end.0 + (control.0 - end.0) * 2.0 / 3.0, end.1 + (control.1 - end.1) * 2.0 / 3.0)
        };
        self.write(&[toward(from), toward(to), to], "c");
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let points = [self.place(cx0, cy0), self.place(cx1, cy1), self.place(x, y)];
        self.write(&points, "c");
    }

    fn close(&mut self) {
        self.path.push_str("h\n");
    }
}

/// A number as PDF writes it: no exponent, four places, nothing superfluous.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_font_of_the_program_can_be_read() {
        assert!(FONTS.iter().all(|bytes| FontRef::from_index(bytes, 0).is_ok()));
    }

    #[test]
    fn names_of_many_scripts_are_drawn_with_letters_of_a_font_that_has_them() {
        let fonts: Vec<_> = FONTS.iter().map(|bytes| FontRef::from_index(bytes, 0).unwrap()).collect();
        let names = [
            "Zoë Łuczak",
            "Ελένη",
            "Дмитрий",
            "דוד כהן",
            "محمد",
            "Հայկ",
            "ნინო",
            "अनिल",
            "রহিম",
            "குமார்",
            "สมชาย",
            "王小明",
            "さくら",
            "김민준",
        ];

        let missing: Vec<_> = names
            .iter()
            .flat_map(|name| name.chars())
            .filter(|c| !(0..fonts.len()).any(|font| has(&fonts, font, *c)))
            .collect();

        assert_eq!(missing, Vec::<char>::new());
    }

    #[test]
    fn arabic_letters_join() {
        let alone = outline("م").width + outline("ح").width;

        let joined = outline("مح").width;

        assert!((joined - alone).abs() > 0.05, "{joined} is the width of letters that stand alone");
    }

    #[test]
    fn a_hebrew_name_stands_right_to_left_within_a_line() {
        let runs = visual_runs("for דוד, order 7");

        let directions: Vec<bool> = runs.iter().map(|run| run.1).collect();
        assert_eq!(directions, [false, true, false]);
    }

    #[test]
    fn characters_that_steer_are_not_written() {
        assert!(steers('\u{202e}') && steers('\u{200b}') && steers('\n'));
        assert!(!steers('\u{200d}') && !steers('é'));
    }

    #[test]
    fn numbers_have_no_exponent_and_no_trailing_zeros() {
        assert_eq!([number(0.0), number(-0.00001), number(1.5), number(1e-9)], ["0", "0", "1.5", "0"]);
    }
}
