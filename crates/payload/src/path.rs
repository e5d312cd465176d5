//! Paths as specs write them: on Windows, on a share, on POSIX, or relative.

use crate::pattern::{NameKey, PATTERN_CHARACTERS_MAX, Pattern, Token};
use crate::scan::{Glyph, text_of};
use crate::spec::quoted;

/// Longest spec.
pub const SPEC_CHARACTERS_MAX: usize = 8_192;
/// Deepest path.
pub const DEPTH_MAX: usize = 32;
/// Longest name of a file or folder, as file systems have it.
pub const NAME_BYTES_MAX: usize = 255;

/// Why a text is not a path that may be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `.`, `..`, `....`: ways around.
    #[error("a path names folders and a file; \"{0}\" is neither")]
    Dots(String),
    /// Two slashes in a row.
    #[error("there is no name between these slashes")]
    NoName,
    /// It ends with a slash.
    #[error("expected the name of a file after the last slash; for all files of the folder write *")]
    Folder,
    /// `c:name`.
    #[error("expected \"\\\" after the drive, as in c:\\payloadsource\\file.zip")]
    Drive,
    /// `\\?\` and `\\.\`.
    #[error("expected a server and a share after the two slashes; device paths are not followed")]
    Device,
    /// An address of the web, or a stream of a file.
    #[error("a name cannot hold \":\"; write the path of a file, not an address or a stream")]
    Colon,
    /// Line breaks, NUL, marks that turn the direction of text.
    #[error("a name cannot hold control characters")]
    Control,
    /// Names that Windows cannot hold and takes for others.
    #[error("a name cannot end with a dot or a blank")]
    Ending,
    /// `CON`, `NUL.txt`.
    #[error("\"{0}\" is a device of Windows, not a file")]
    DeviceName(String),
    /// `PROGRA~1`.
    #[error(
        "\"{0}\" is a short name that only Windows knows; write the whole name, or quote it if it is one"
    )]
    ShortName(String),
    /// A name longer than file systems have.
    #[error("a name has at most {NAME_BYTES_MAX} bytes")]
    Long,
    /// Deeper than anybody sorts files.
    #[error("a path has at most {DEPTH_MAX} folders")]
    Deep,
    /// `*` before a slash.
    #[error("\"*\" and \"?\" stand in the file's name only, not in the name of a folder")]
    WildFolder,
    /// More than the matcher takes.
    #[error("a name with \"*\" or \"?\" has at most {PATTERN_CHARACTERS_MAX} other characters")]
    LongPattern,
    /// A folder was wanted that begins somewhere.
    #[error("expected an absolute path, as in /srv/goods or c:\\payloadsource")]
    Relative,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// Where the reader says.
    Relative,
    /// `/`
    Top,
    /// `c:\`, the letter in lower case.
    Drive(char),
    /// `\\server\share`; both are the path's first folders.
    Share,
}

/// The path of one file, or of many by wildcards.
#[derive(Debug, Clone)]
pub struct PathSpec {
    /// Where it begins.
    pub anchor: Anchor,
    /// Through which folders.
    pub folders: Vec<String>,
    /// To which files.
    pub name: NamePattern,
}

/// The last part of a path.
#[derive(Debug, Clone)]
pub enum NamePattern {
    /// Without wildcards.
    Exact(String),
    /// With them.
    Wild(Pattern),
}

/// Where something is wrong, if at a character, and what.
type Located = (Option<usize>, PathError);

impl PathSpec {
    pub(crate) fn read(glyphs: &[Glyph]) -> Result<Self, Located> {
        let (anchor, rest) = anchor(glyphs)?;
        let mut parts: Vec<&[Glyph]> = rest.split(|glyph| glyph.is_slash()).collect();
        let last = parts.pop().unwrap_or_default();
        if last.is_empty() {
            return Err((None, PathError::Folder));
        }
        if parts.len() > DEPTH_MAX {
            return Err((last.first().map(|glyph| glyph.byte), PathError::Deep));
        }
        let folders: Vec<String> =
            parts.into_iter().map(|part| folder(rest, part)).collect::<Result<_, _>>()?;
        // On a share the first two names are the server's and its own.
        if anchor == Anchor::Share && folders.len() < 2 {
            return Err((last.first().map(|glyph| glyph.byte), PathError::Device));
        }
        Ok(Self { anchor, folders, name: name(last)? })
    }

    /// An absolute folder, as roots and base directories are declared.
    ///
    /// # Errors
    /// [`PathError`].
    pub(crate) fn folder(text: &str) -> Result<(Anchor, Vec<String>), PathError> {
        let glyphs: Vec<Glyph> =
            text.trim().char_indices().map(|(byte, letter)| Glyph { byte, letter, literal: true }).collect();
        let (anchor, rest) = anchor(&glyphs).map_err(|(_, error)| error)?;
        if anchor == Anchor::Relative {
            return Err(PathError::Relative);
        }
        let end = rest.iter().rposition(|glyph| !glyph.is_slash()).map_or(0, |at| at.saturating_add(1));
        let rest = rest.get(..end).unwrap_or_default();
        if rest.is_empty() {
            return if anchor == Anchor::Share { Err(PathError::Device) } else { Ok((anchor, Vec::new())) };
        }
        let parts = rest.split(|glyph| glyph.is_slash()).map(|part| folder(rest, part));
        let folders: Vec<String> = parts.collect::<Result<_, _>>().map_err(|(_, error): Located| error)?;
        match folders.len() {
            0 | 1 if anchor == Anchor::Share => Err(PathError::Device),
            depth if depth > DEPTH_MAX => Err(PathError::Deep),
            _ => Ok((anchor, folders)),
        }
    }
}

/// Whether a text can be the name of one folder.
pub(crate) fn folder_name(text: &str) -> Result<(), PathError> {
    let glyphs: Vec<Glyph> =
        text.char_indices().map(|(byte, letter)| Glyph { byte, letter, literal: false }).collect();
    if glyphs.is_empty() || glyphs.iter().any(|glyph| glyph.is_slash()) {
        return Err(PathError::NoName);
    }
    if glyphs.iter().any(|glyph| matches!(glyph.letter, '*' | '?')) {
        return Err(PathError::WildFolder);
    }
    check(&glyphs)
}

/// Where the path begins, and what comes after.
fn anchor(glyphs: &[Glyph]) -> Result<(Anchor, &[Glyph]), Located> {
    match glyphs {
        [first, second, rest @ ..] if first.is_slash() && second.is_slash() => match rest.first() {
            Some(next) if matches!(next.letter, '?' | '.') => Err((Some(next.byte), PathError::Device)),
            _ => Ok((Anchor::Share, rest)),
        },
        [first, rest @ ..] if first.is_slash() => Ok((Anchor::Top, rest)),
        [drive, colon, rest @ ..] if drive.letter.is_ascii_alphabetic() && colon.letter == ':' => {
            match rest {
                [slash, rest @ ..] if slash.is_slash() => {
                    Ok((Anchor::Drive(drive.letter.to_ascii_lowercase()), rest))
                }
                _ => Err((Some(colon.byte), PathError::Drive)),
            }
        }
        _ => Ok((Anchor::Relative, glyphs)),
    }
}

fn folder(path: &[Glyph], part: &[Glyph]) -> Result<String, Located> {
    let Some(first) = part.first() else {
        let slash = path.windows(2).find(|pair| pair.iter().all(|glyph| glyph.is_slash()));
        let place = slash.or(path.get(..1)).and_then(|pair| pair.last()).map(|glyph| glyph.byte);
        return Err((place, PathError::NoName));
    };
    if let Some(wild) = part.iter().find(|glyph| glyph.is('*') || glyph.is('?')) {
        return Err((Some(wild.byte), PathError::WildFolder));
    }
    check(part).map_err(|error| (Some(first.byte), error))?;
    Ok(text_of(part))
}

fn name(part: &[Glyph]) -> Result<NamePattern, Located> {
    let place = part.first().map(|glyph| glyph.byte);
    check(part).map_err(|error| (place, error))?;
    if !part.iter().any(|glyph| glyph.is('*') || glyph.is('?')) {
        return Ok(NamePattern::Exact(text_of(part)));
    }
    let tokens = part.iter().map(|glyph| match glyph.letter {
        '*' if !glyph.literal => Token::Many,
        '?' if !glyph.literal => Token::Any,
        letter => Token::One(letter),
    });
    Pattern::new(tokens.collect()).map(NamePattern::Wild).ok_or((place, PathError::LongPattern))
}

/// What no part of a path may be.
fn check(part: &[Glyph]) -> Result<(), PathError> {
    let text = text_of(part);
    if text.chars().all(|letter| letter == '.') {
        return Err(PathError::Dots(text));
    }
    if text.chars().any(|letter| letter.is_control() || turns_direction(letter)) {
        return Err(PathError::Control);
    }
    if text.contains(':') {
        return Err(PathError::Colon);
    }
    if text.ends_with(['.', ' ']) {
        return Err(PathError::Ending);
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(PathError::Long);
    }
    if is_device(&text) {
        return Err(PathError::DeviceName(text));
    }
    if !part.iter().any(|glyph| glyph.literal) && is_short_name(&text) {
        return Err(PathError::ShortName(text));
    }
    Ok(())
}

/// Whether a character is a mark that makes `exe.jpg` out of `gpj.exe` on a screen.
pub fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The names that Windows keeps for devices, with any ending.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered = |kind: &str| {
        let number = stem
            .strip_prefix(kind)
            .and_then(|rest| rest.chars().next().filter(|_| rest.chars().count() == 1));
        number.is_some_and(|number| number.is_ascii_digit() || matches!(number, '¹' | '²' | '³'))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$")
        || numbered("COM")
        || numbered("LPT")
}

/// The shape of the names that Windows makes up: six characters, a tilde, a number.
pub(crate) fn is_short_name(name: &str) -> bool {
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let Some((head, number)) = stem.rsplit_once('~') else { return false };
    let digits = !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit());
    digits && !head.is_empty() && stem.chars().count() <= 8 && ending.chars().count() <= 3
}

impl NamePattern {
    /// The name as it is compared, when there are no wildcards in it.
    pub fn key(&self) -> Option<NameKey> {
        match self {
            Self::Exact(name) => Some(NameKey::of(name)),
            Self::Wild(_) => None,
        }
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relative => Ok(()),
            Self::Top => f.write_str("/"),
            Self::Drive(letter) => write!(f, "{letter}:/"),
            Self::Share => f.write_str("//"),
        }
    }
}

impl std::fmt::Display for PathSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.anchor.fmt(f)?;
        for folder in &self.folders {
            write!(f, "{}/", quoted(folder))?;
        }
        self.name.fmt(f)
    }
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pattern = match self {
            Self::Exact(name) => return f.write_str(&quoted(name)),
            Self::Wild(pattern) => pattern,
        };
        let mut run = String::new();
        for token in pattern.tokens() {
            if let Token::One(letter) = token {
                run.push(*letter);
                continue;
            }
            write_run(f, &mut run)?;
            f.write_str(if *token == Token::Any { "?" } else { "*" })?;
        }
        write_run(f, &mut run)
    }
}

fn write_run(f: &mut std::fmt::Formatter<'_>, run: &mut String) -> std::fmt::Result {
    let run = std::mem::take(run);
    if run.is_empty() { Ok(()) } else { f.write_str(&quoted(&run)) }
}
