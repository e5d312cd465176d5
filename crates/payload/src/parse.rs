//! From text to tree.

use kernel::Secret;

use crate::error::{Expected, ParseError};
use crate::path::{Anchor, PathSpec, SPEC_CHARACTERS_MAX};
use crate::scan::{Glyph, Segment, segments, text_of, trim};
use crate::spec::{Artwork, Credential, Delivery, Format, Goods, Item, Join, Login, Pick, Reach, Spec};

/// Most items of one spec.
pub const ITEMS_MAX: usize = 256;
/// Longest parameter of `@` and `#`, and longest field of an upload, in characters.
const FIELD_CHARACTERS_MAX: usize = 255;

const ARTWORK: &str = "FFPSOURCED";

impl Spec {
    /// Reads a spec.
    ///
    /// # Errors
    /// [`ParseError`], which points at the character.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.chars().count() > SPEC_CHARACTERS_MAX {
            let beyond = text.char_indices().nth(SPEC_CHARACTERS_MAX).map_or(text.len(), |(byte, _)| byte);
            let too_many = Expected::TooMany { what: "characters", max: SPEC_CHARACTERS_MAX };
            return Err(ParseError::new(text, beyond, too_many));
        }
        let segments = segments(text)?;
        if let Some(beyond) = segments.get(ITEMS_MAX) {
            let too_many = Expected::TooMany { what: "items", max: ITEMS_MAX };
            return Err(ParseError::new(text, beyond.span.start, too_many));
        }
        let parser = Parser { text };
        let items = segments.iter().enumerate().map(|(at, segment)| parser.item(at, segment));
        Ok(Self { items: items.collect::<Result<_, _>>()? })
    }
}

impl std::str::FromStr for Spec {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// The prefixes of an item, each with where it stands.
#[derive(Default)]
struct Prefixes {
    plus: Option<usize>,
    caret: Option<usize>,
    percent: Option<usize>,
    tilde: Option<usize>,
}

struct Parser<'a> {
    text: &'a str,
}

impl Parser<'_> {
    fn fail<T>(&self, byte: usize, expected: impl Into<Expected>) -> Result<T, ParseError> {
        Err(ParseError::new(self.text, byte, expected.into()))
    }

    fn item(&self, at: usize, segment: &Segment) -> Result<Item, ParseError> {
        if segment.span.start == segment.span.end {
            return self.fail(segment.span.start, Expected::Item);
        }
        let (prefixes, rest) = self.prefixes(&segment.glyphs)?;
        let rest = trim(rest);
        let Some(first) = rest.first() else {
            let prefix = segment.glyphs.iter().rfind(|glyph| !glyph.letter.is_whitespace());
            let expected = prefix.map_or(Expected::Item, |glyph| Expected::AfterPrefix(glyph.letter));
            return self.fail(segment.span.end, expected);
        };
        let join = match prefixes.caret {
            Some(byte) if at == 0 => return self.fail(byte, Expected::NothingBefore),
            Some(_) => Join::IfNot,
            None => Join::And,
        };
        let goods = if first.is('@') || first.is('#') {
            self.files_only(&prefixes)?;
            self.handed_over(*first, rest)?
        } else if is_artwork(rest) {
            self.files_only(&prefixes)?;
            Goods::Artwork(self.artwork(rest, segment.span.end)?)
        } else {
            let path = PathSpec::read(rest)
                .or_else(|(byte, error)| self.fail(byte.unwrap_or(segment.span.end), error))?;
            if prefixes.percent.is_some() && path.anchor == Anchor::Relative {
                return self.fail(first.byte, Expected::AbsoluteAfterPercent);
            }
            let pick = if prefixes.tilde.is_some() { Pick::First } else { Pick::All };
            let reach = if prefixes.percent.is_some() { Reach::Absolute } else { Reach::Store };
            Goods::Files { path, pick, reach }
        };
        Ok(Item { span: segment.span, join, goods })
    }

    fn prefixes<'g>(&self, glyphs: &'g [Glyph]) -> Result<(Prefixes, &'g [Glyph]), ParseError> {
        let mut found = Prefixes::default();
        let mut rest = glyphs;
        while let Some((first, after)) = rest.split_first() {
            let place = match first.letter {
                _ if first.literal => break,
                '+' => &mut found.plus,
                '^' => &mut found.caret,
                '%' => &mut found.percent,
                '~' => &mut found.tilde,
                letter if letter.is_whitespace() => {
                    rest = after;
                    continue;
                }
                _ => break,
            };
            if place.replace(first.byte).is_some() {
                return self.fail(first.byte, Expected::PrefixOnce(first.letter));
            }
            rest = after;
        }
        if let (Some(plus), Some(caret)) = (found.plus, found.caret) {
            return self.fail(plus.max(caret), Expected::PlusOrCaret);
        }
        Ok((found, rest))
    }

    fn files_only(&self, prefixes: &Prefixes) -> Result<(), ParseError> {
        let wrong = [(prefixes.tilde, '~'), (prefixes.percent, '%')];
        match wrong.into_iter().find_map(|(place, letter)| place.map(|byte| (byte, letter))) {
            Some((byte, letter)) => self.fail(byte, Expected::FilesOnly(letter)),
            None => Ok(()),
        }
    }

    fn handed_over(&self, sign: Glyph, rest: &[Glyph]) -> Result<Goods, ParseError> {
        let parameter = Field::of(rest.get(1..).unwrap_or_default(), sign.byte.saturating_add(1));
        if parameter.text.is_empty() {
            return self.fail(parameter.byte, Expected::Parameter(sign.letter));
        }
        self.check_field(&parameter, "parameter")?;
        Ok(if sign.letter == '@' { Goods::External(parameter.text) } else { Goods::DropShip(parameter.text) })
    }

    /// `FFPSOURCED ! format ! place`.
    fn artwork(&self, glyphs: &[Glyph], end: usize) -> Result<Artwork, ParseError> {
        let fields: Vec<Field> =
            glyphs.split(|glyph| glyph.is('!')).map(|part| Field::of(part, end)).collect();
        let Some(format) = fields.get(1).filter(|field| !field.text.is_empty()) else {
            return self.fail(end, Expected::FormatMark);
        };
        let Some(kind) = Format::named(&format.text) else {
            return self.fail(format.byte, Expected::Format(format.text.clone()));
        };
        let place = match fields.get(2..).unwrap_or_default() {
            // Old specs were also written with an exclamation mark of the place's own.
            [empty, place @ ..] if empty.text.is_empty() && !place.is_empty() => place,
            place => place,
        };
        Ok(Artwork { format: kind, delivery: self.place(place, end)? })
    }

    fn place(&self, fields: &[Field], end: usize) -> Result<Delivery, ParseError> {
        let nowhere = Field { text: String::new(), byte: end, literal: true };
        let (host, directory, login) = match fields {
            [] => return self.fail(end, Expected::Place),
            [one] if one.text.is_empty() => return self.fail(one.byte, Expected::Place),
            [one] if one.text.eq_ignore_ascii_case("none") => return Ok(Delivery::Download),
            [host, login] if login.sealed().is_some() => (host, &nowhere, self.stored(login)?),
            [host, directory, login] if login.sealed().is_some() => (host, directory, self.stored(login)?),
            [host, user, password] => (host, &nowhere, self.plain(user, password)?),
            [host, directory, user, password] => (host, directory, self.plain(user, password)?),
            [first, ..] => return self.fail(first.byte, Expected::PlaceFields(fields.len())),
        };
        self.check_field(host, "host")?;
        let foreign = |letter: char| letter.is_whitespace() || matches!(letter, '/' | '\\' | '@' | '#' | '?');
        if host.text.contains(foreign) {
            let what = "blanks, slashes, \"@\", \"#\" or \"?\"; write the name alone, as in ftp.example.com";
            return self.fail(host.byte, Expected::Field { field: "host", what });
        }
        let directory = self.directory(directory)?;
        Ok(Delivery::Upload { host: host.text.clone(), directory, login })
    }

    /// The folder below the login's own; "/" and nothing both mean that folder itself.
    fn directory(&self, field: &Field) -> Result<String, ParseError> {
        let parts: Vec<&str> = field.text.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Ok(String::new());
        }
        self.check_field(field, "directory")?;
        if parts.iter().any(|part| part.chars().all(|letter| letter == '.')) {
            let what = "\".\" or \"..\"; name the folder below the one where the login begins";
            return self.fail(field.byte, Expected::Field { field: "directory", what });
        }
        Ok(parts.join("/"))
    }

    fn plain(&self, user: &Field, password: &Field) -> Result<Login, ParseError> {
        self.check_field(user, "user")?;
        self.check_field(password, "password")?;
        let password = Secret::new(password.text.clone());
        Ok(Login::Plain(Credential { user: user.text.clone(), password }))
    }

    fn stored(&self, login: &Field) -> Result<Login, ParseError> {
        let id = login.sealed().unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if id.is_empty() || !id.chars().all(plain) {
            let what = "anything but the id of a stored login between the braces";
            return self.fail(login.byte, Expected::Field { field: "login", what });
        }
        Ok(Login::Stored(id.to_owned()))
    }

    fn check_field(&self, field: &Field, name: &'static str) -> Result<(), ParseError> {
        if field.text.is_empty() {
            return self.fail(field.byte, Expected::EmptyField(name));
        }
        if field.text.chars().any(char::is_control) {
            let what = "line breaks or other control characters";
            return self.fail(field.byte, Expected::Field { field: name, what });
        }
        if field.text.chars().count() > FIELD_CHARACTERS_MAX {
            return self.fail(field.byte, Expected::Field { field: name, what: "more than 255 characters" });
        }
        Ok(())
    }
}

/// What stands between two exclamation marks.
struct Field {
    text: String,
    byte: usize,
    literal: bool,
}

impl Field {
    fn of(glyphs: &[Glyph], end: usize) -> Self {
        let glyphs = trim(glyphs);
        Self {
            text: text_of(glyphs),
            byte: glyphs.first().map_or(end, |glyph| glyph.byte),
            literal: glyphs.iter().any(|glyph| glyph.literal),
        }
    }

    /// What stands in braces that are meant as such.
    fn sealed(&self) -> Option<&str> {
        if self.literal {
            return None;
        }
        self.text.strip_prefix('{')?.strip_suffix('}')
    }
}

/// Whether it begins with the keyword, alone or before an exclamation mark: a file may well be
/// called `ffpsourced.pdf`.
fn is_artwork(glyphs: &[Glyph]) -> bool {
    let head = glyphs.split(|glyph| glyph.is('!')).next().map(trim).unwrap_or_default();
    head.iter().all(|glyph| !glyph.literal) && text_of(head).eq_ignore_ascii_case(ARTWORK)
}
