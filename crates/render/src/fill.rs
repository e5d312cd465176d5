//! Filling a template in: what was entered is judged by the rules, measured with the fonts that
//! will print it, fitted into its places, and looked at once more on the finished page.

use std::collections::BTreeMap;
use std::sync::Arc;

use resvg::usvg::{Group, Image, ImageKind, Node, Text, Tree};

use crate::error::{TemplateError, Unfit, Why};
use crate::field::{Field, Hold, Kind, Place, TextPlace};
use crate::fit::{Laid, Room, Word, lay_out};
use crate::number;
use crate::page::Artwork;
use crate::picture::Picture;
use crate::rules::Rules;
use crate::splice::{Splices, escape};
use crate::template::{PICTURE_OF, Template, parse};
use crate::value::{Color, Entered, Value};
use crate::weigh::{missing_letters, weigh};

/// What goes into a field, judged by its rules.
enum Chosen {
    /// Lines of words.
    Text(Vec<Vec<String>>),
    Color(Color),
    Picture(Arc<Picture>),
    /// What the template shows.
    AsDrawn,
}

/// What becomes of fields that need something and have nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gaps {
    /// They are refused.
    Refused,
    /// They show their samples.
    Sampled,
}

/// A field with its rules and what goes into it.
struct Job<'a> {
    field: &'a Field,
    rules: &'a Rules,
    chosen: Chosen,
}

impl Template {
    /// Fills the template in. `rules` are the seller's, by field; a field without them goes by
    /// the template's own.
    ///
    /// # Errors
    /// For every field that cannot be taken, why; what is about the whole page has no name.
    pub fn fill(
        &self,
        rules: &BTreeMap<String, Rules>,
        entered: &Entered,
    ) -> Result<Artwork, BTreeMap<String, Unfit>> {
        self.filled(rules, entered, Gaps::Refused)
    }

    /// Fills in what has been entered so far; the rest shows its sample.
    ///
    /// # Errors
    /// As [`Template::fill`].
    pub fn draft(
        &self,
        rules: &BTreeMap<String, Rules>,
        entered: &Entered,
    ) -> Result<Artwork, BTreeMap<String, Unfit>> {
        self.filled(rules, entered, Gaps::Sampled)
    }

    fn filled(
        &self,
        rules: &BTreeMap<String, Rules>,
        entered: &Entered,
        gaps: Gaps,
    ) -> Result<Artwork, BTreeMap<String, Unfit>> {
        let mut wrong = BTreeMap::new();
        for name in entered.keys().filter(|name| self.fields().iter().all(|field| field.name != **name)) {
            wrong.insert(name.clone(), Unfit::Unknown);
        }
        let mut jobs = Vec::new();
        for field in self.fields() {
            let rules = rules.get(&field.name).unwrap_or(&field.rules);
            let value = entered.get(&field.name);
            if value.is_none() && gaps == Gaps::Sampled {
                jobs.push(Job { field, rules, chosen: drawn(field) });
                continue;
            }
            match choose(field, rules, value) {
                Ok(chosen) => jobs.push(Job { field, rules, chosen }),
                Err(Unfit::Missing) if gaps == Gaps::Sampled => {
                    jobs.push(Job { field, rules, chosen: drawn(field) });
                }
                Err(unfit) => {
                    wrong.insert(field.name.clone(), unfit);
                }
            }
        }
        if wrong.is_empty() { self.made(&jobs) } else { Err(wrong) }
    }

    /// The page with what the template shows in its fields.
    ///
    /// # Errors
    /// When a sample does not fit into its own field.
    pub fn sample(&self) -> Result<Artwork, TemplateError> {
        let fields = self.fields().iter();
        let jobs = fields.map(|field| Job { field, rules: &field.rules, chosen: drawn(field) });
        let jobs: Vec<Job<'_>> = jobs.collect();
        self.made(&jobs).map_err(|wrong| match wrong.into_iter().next() {
            Some((name, unfit)) => Why::Sample { name, unfit }.into(),
            None => Why::Unrenderable("its fields cannot be filled in".to_owned()).into(),
        })
    }

    fn made(&self, jobs: &[Job<'_>]) -> Result<Artwork, BTreeMap<String, Unfit>> {
        let pictures = pictures(jobs);
        let mut measuring = Splices::default();
        for (_, place, words) in texts(jobs) {
            measuring.identify(&place.tag);
            let line = words.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
            measuring.content(place.content.clone(), spans(place, &[line], None));
        }
        let measured = page(&measuring.apply(&self.text), &pictures)?;
        let splices = self.fitted(jobs, &measured)?;
        let tree = page(&splices.apply(&self.text), &pictures)?;
        self.seen(jobs, &tree)?;
        weigh(&tree).map_err(|why| whole(why.to_string()))?;
        Ok(Artwork { tree, size: self.size() })
    }

    /// Every change, now that the widths are known.
    fn fitted(&self, jobs: &[Job<'_>], measured: &Tree) -> Result<Splices, BTreeMap<String, Unfit>> {
        let mut splices = Splices::default();
        let mut wrong = BTreeMap::new();
        for (job, place, lines) in texts(jobs) {
            let id = splices.identify(&place.tag);
            match fitted(job, place, lines, text_of(measured, &id)) {
                Ok(content) => splices.content(place.content.clone(), content),
                Err(unfit) => {
                    wrong.insert(job.field.name.clone(), unfit);
                }
            }
        }
        for job in jobs {
            for place in &job.field.places {
                match (&job.chosen, place) {
                    (Chosen::Color(color), Place::Color(tag, property)) => {
                        splices.style(tag, &format!("{property}:{color}"));
                    }
                    (Chosen::Picture(_), Place::Image(tag)) => {
                        splices.identify(tag);
                        splices.href(tag, &format!("{PICTURE_OF}{}", job.field.name));
                    }
                    _ => {}
                }
            }
        }
        if wrong.is_empty() { Ok(splices) } else { Err(wrong) }
    }

    /// Looks at what has come out: nothing wider than its place, nothing off the page, no
    /// picture coarser than its rule.
    fn seen(&self, jobs: &[Job<'_>], tree: &Tree) -> Result<(), BTreeMap<String, Unfit>> {
        let mut ids = Splices::default();
        let mut wrong = BTreeMap::new();
        for (job, place, _) in texts(jobs) {
            let Some(text) = text_of(tree, &ids.identify(&place.tag)) else { continue };
            let wide = place.width.is_some_and(|width| text.bounding_box().width() > width * 1.02);
            if wide || off_the_page(text, tree) {
                wrong.insert(job.field.name.clone(), Unfit::Room);
            }
        }
        for job in jobs.iter().filter(|job| matches!(job.chosen, Chosen::Picture(_))) {
            for place in &job.field.places {
                let Place::Image(tag) = place else { continue };
                let fineness = image_of(tree, &ids.identify(tag)).map_or(u32::MAX, dots_per_inch);
                if fineness < job.rules.dpi {
                    let unfit = Unfit::Coarse { has: fineness, least: job.rules.dpi };
                    wrong.insert(job.field.name.clone(), unfit);
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// What the template shows in a field.
fn drawn(field: &Field) -> Chosen {
    if field.kind == Kind::Text { Chosen::Text(lines(&field.sample)) } else { Chosen::AsDrawn }
}

/// Judges what was entered by the rules alone.
fn choose(field: &Field, rules: &Rules, entered: Option<&Value>) -> Result<Chosen, Unfit> {
    let missing = || if rules.required { Err(Unfit::Missing) } else { Ok(Chosen::AsDrawn) };
    match (field.kind, entered) {
        (Kind::Text, None) => optional_text(rules, Vec::new()),
        (Kind::Text, Some(Value::Text(text))) => {
            let lines = lines(text);
            let letters = lines.iter().map(|line| letters_of(line)).fold(0, u32::saturating_add);
            let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
            if letters > rules.letters {
                return Err(Unfit::Letters { has: letters, most: rules.letters });
            }
            if count > rules.lines {
                return Err(Unfit::Lines { has: count, most: rules.lines });
            }
            optional_text(rules, lines)
        }
        // A color that nobody chose is the designer's.
        (Kind::Color, None) => Ok(Chosen::AsDrawn),
        (Kind::Color, Some(Value::Color(color))) => {
            let offered = rules.choices.is_empty() || rules.choices.contains(color);
            if offered { Ok(Chosen::Color(*color)) } else { Err(Unfit::NotAChoice) }
        }
        (Kind::Image, None) => missing(),
        (Kind::Image, Some(Value::Picture(picture))) => Ok(Chosen::Picture(Arc::clone(picture))),
        (Kind::Text | Kind::Color | Kind::Image, Some(_)) => Err(Unfit::Kind),
    }
}

fn optional_text(rules: &Rules, lines: Vec<Vec<String>>) -> Result<Chosen, Unfit> {
    if lines.is_empty() && rules.required { Err(Unfit::Missing) } else { Ok(Chosen::Text(lines)) }
}

/// A text as lines of words. Letters that only control something are left out, and lines
/// without a word at either end.
fn lines(text: &str) -> Vec<Vec<String>> {
    let words = |line: &str| -> Vec<String> {
        let printed = |word: &str| word.chars().filter(|letter| !letter.is_control()).collect::<String>();
        line.split([' ', '\t']).map(printed).filter(|word| !word.is_empty()).collect()
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split('\n').map(words).filter(|line| !line.is_empty()).collect()
}

fn letters_of(line: &[String]) -> u32 {
    let blanks = line.len().saturating_sub(1);
    let letters = line.iter().map(|word| word.chars().count()).fold(blanks, usize::saturating_add);
    u32::try_from(letters).unwrap_or(u32::MAX)
}

/// Every place of a text.
fn texts<'a>(
    jobs: &'a [Job<'a>],
) -> impl Iterator<Item = (&'a Job<'a>, &'a TextPlace, &'a Vec<Vec<String>>)> {
    jobs.iter().flat_map(|job| {
        job.field.places.iter().filter_map(move |place| match (&job.chosen, place) {
            (Chosen::Text(lines), Place::Text(place)) => Some((job, place, lines)),
            _ => None,
        })
    })
}

fn pictures(jobs: &[Job<'_>]) -> BTreeMap<String, ImageKind> {
    let picture = |job: &Job<'_>| match &job.chosen {
        Chosen::Picture(picture) => Some((job.field.name.clone(), picture.kind())),
        _ => None,
    };
    jobs.iter().filter_map(picture).collect()
}

fn page(text: &str, pictures: &BTreeMap<String, ImageKind>) -> Result<Tree, BTreeMap<String, Unfit>> {
    parse(text, pictures).map_err(|error| whole(error.to_string()))
}

fn whole(why: String) -> BTreeMap<String, Unfit> {
    [(String::new(), Unfit::Page(why))].into()
}

/// The content of a text's place, in letters and lines that fit.
fn fitted(
    job: &Job<'_>,
    place: &TextPlace,
    lines: &[Vec<String>],
    measured: Option<&Text>,
) -> Result<String, Unfit> {
    if lines.is_empty() {
        return Ok(String::new());
    }
    // What was entered and is not there is nothing that can be seen.
    let text = measured.ok_or(Unfit::Missing)?;
    if let Some(letter) = missing_letters(text) {
        return Err(Unfit::Glyph(letter));
    }
    let words = words(lines, text).ok_or(Unfit::Room)?;
    let room = Room {
        width: place.width,
        lines: number::size(job.rules.lines),
        fit: job.rules.fit,
        smallest: job.rules.smallest,
    };
    let Laid { percent, lines } = lay_out(&words, &room).ok_or(Unfit::Room)?;
    let smaller = (percent < 100).then(|| letter_size(text) * number::length(percent) / 100.0);
    Ok(spans(place, &lines, smaller))
}

/// The words with their places in the measured line.
fn words(lines: &[Vec<String>], text: &Text) -> Option<Vec<Word>> {
    let entered =
        lines.iter().flat_map(|line| line.iter().enumerate().map(|(number, word)| (word, number == 0)));
    let glyphs: Vec<_> = text.layouted().iter().flat_map(|span| &span.positioned_glyphs).collect();
    let mut measured = glyphs.split(|glyph| glyph.text == " ");
    let starts: Vec<f32> = measured
        .by_ref()
        .map(|word| word.first().map(|glyph| glyph.transform().tx))
        .collect::<Option<_>>()?;
    let blanks: Vec<f32> =
        glyphs.iter().filter(|glyph| glyph.text == " ").map(|glyph| glyph.transform().tx).collect();
    let end = starts.first()? + text.bounding_box().width();
    let ends = blanks.into_iter().chain([end]);
    let words: Vec<Word> = entered
        .zip(starts.iter().zip(ends))
        .map(|((word, breaks), (start, end))| Word { text: word.clone(), start: *start, end, breaks })
        .collect();
    let whole = words.len() == lines.iter().map(Vec::len).sum::<usize>() && words.len() == starts.len();
    whole.then_some(words)
}

fn letter_size(text: &Text) -> f32 {
    let mut glyphs = text.layouted().iter().flat_map(|span| &span.positioned_glyphs);
    glyphs.next().map_or(12.0, |glyph| glyph.font_size())
}

/// Lines below each other between the tags of the designer's own spans.
fn spans(place: &TextPlace, lines: &[String], size: Option<f32>) -> String {
    let style = size.map(|size| format!(" style=\"font-size:{size}px\"")).unwrap_or_default();
    let below = f32::from(u16::try_from(lines.len().saturating_sub(1)).unwrap_or(u16::MAX));
    let lift = match place.hold {
        Hold::Top => 0.0,
        Hold::Middle => -below / 2.0 * place.line_height,
        Hold::Bottom => -below * place.line_height,
    };
    let mut content = place.opened.clone();
    for (number, line) in lines.iter().enumerate() {
        let first = number == 0;
        let step = if first { lift } else { place.line_height };
        let at = if lines.len() == 1 { String::new() } else { format!(" x=\"{}\" dy=\"{step}em\"", place.x) };
        content.push_str(&format!("<tspan{at}{style}>{}</tspan>", escape(line)));
    }
    content.push_str(&place.closed);
    content
}

fn text_of<'a>(tree: &'a Tree, id: &str) -> Option<&'a Text> {
    match tree.node_by_id(id) {
        Some(Node::Text(text)) => Some(text),
        Some(Node::Group(group)) => first(group, &|node| match node {
            Node::Text(text) => Some(&**text),
            _ => None,
        }),
        _ => None,
    }
}

fn image_of<'a>(tree: &'a Tree, id: &str) -> Option<&'a Image> {
    match tree.node_by_id(id) {
        Some(Node::Image(image)) => Some(image),
        Some(Node::Group(group)) => first(group, &|node| match node {
            Node::Image(image) => Some(&**image),
            _ => None,
        }),
        _ => None,
    }
}

/// The first of its kind within a group. The depth is that of a judged page.
fn first<'a, T: ?Sized>(group: &'a Group, wanted: &dyn Fn(&'a Node) -> Option<&'a T>) -> Option<&'a T> {
    group.children().iter().find_map(|node| match node {
        Node::Group(inner) => first(inner, wanted),
        node => wanted(node),
    })
}

fn off_the_page(text: &Text, tree: &Tree) -> bool {
    // What hangs over by less than a pixel is the rounding of an edge.
    const SLACK: f32 = 1.0;
    // The renderer keeps the outlines of a text in the text's own coordinates.
    let drawn = text.flattened().bounding_box().transform(text.abs_transform());
    let Some(drawn) = drawn else { return true };
    let (width, height) = (tree.size().width(), tree.size().height());
    drawn.left() < -SLACK
        || drawn.top() < -SLACK
        || drawn.right() > width + SLACK
        || drawn.bottom() > height + SLACK
}

/// How fine a picture prints: its pixels on the inches that it is given.
fn dots_per_inch(image: &Image) -> u32 {
    let (x, y) = image.abs_transform().get_scale();
    number::pixels(96.0 / x.max(y).max(f32::EPSILON))
}
