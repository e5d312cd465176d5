//! The storefront's configuration: `KEYWORD = VALUE`, line by line.

use std::collections::BTreeMap;

use kernel::Span;

use super::{Line, Verdict};
use crate::path::PathSpec;

/// What a storefront was configured to do.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What became of each line that holds anything.
    pub lines: Vec<Line>,
    /// Whether payloads were delivered at all; nothing, if the file does not say.
    pub enabled: Option<bool>,
    /// Where paths begin; nothing, if the file does not say.
    pub source: Option<Source>,
    /// How long downloads live.
    pub link_life: Option<Span>,
    /// Whether archives have a password.
    pub password: Option<bool>,
}

/// Where the paths of specs begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `<none>`, option A: paths are whole.
    FullPaths,
    /// Option B: below this directory and the folder of the buyer's choice.
    Below(String),
}

/// What a number without a unit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TtlUnit {
    /// Of 60 minutes.
    Hours,
    /// Of 24 hours.
    Days,
}

const KEYWORDS: [&str; 8] = [
    "PAYLOAD ENABLED",
    "PAYLOAD DOWNLOAD BASE DIR",
    "PAYLOAD SOURCE BASE DIR",
    "PAYLOAD BASE URL",
    "PAYLOAD TTL",
    "ENABLE ZIP PASSWORD",
    "PAYLOAD DIR ENCODING LEN",
    "ASP FILES SERVER LOC",
];
/// Longest life of a download that is believed.
const TTL_DAYS_MAX: i64 = 3_650;

/// Whether any line begins with a keyword that is known.
pub(super) fn has_keywords(text: &str) -> bool {
    text.lines().filter_map(pair).any(|(keyword, _)| KEYWORDS.contains(&keyword.as_str()))
}

/// Keyword and value of a line; a keyword is compared without regard to case and blanks.
fn pair(line: &str) -> Option<(String, &str)> {
    let (keyword, value) = line.split_once('=')?;
    let words: Vec<String> = keyword.split_whitespace().map(str::to_uppercase).collect();
    Some((words.join(" "), value.trim()))
}

fn is_comment(line: &str) -> bool {
    line.is_empty() || line.starts_with([';', '#', '\'', '[']) || line.starts_with("//")
}

impl Settings {
    /// Reads a configuration. `ttl_unit` answers what the file leaves open.
    pub fn read(text: &str, ttl_unit: Option<TtlUnit>) -> Self {
        let mut settings = Self::default();
        let mut seen = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if is_comment(line) {
                continue;
            }
            let Some((keyword, value)) = pair(line) else {
                let head: String = line.chars().take(40).collect();
                settings.lines.push(Line::new(number, &head, Verdict::Ignored, "not KEYWORD = VALUE"));
                continue;
            };
            let (verdict, told) = match seen.get(&keyword) {
                Some(first) if KEYWORDS.contains(&keyword.as_str()) => {
                    (Verdict::Wrong, format!("line {first} has this keyword already; remove one of the two"))
                }
                _ => settings.take(&keyword, value, ttl_unit),
            };
            settings.lines.push(Line::new(number, &keyword, verdict, told));
            seen.entry(keyword).or_insert(number);
        }
        settings
    }

    fn take(&mut self, keyword: &str, value: &str, ttl_unit: Option<TtlUnit>) -> (Verdict, String) {
        match keyword {
            "PAYLOAD ENABLED" => switch(&mut self.enabled, value, |on| match on {
                true => (Verdict::Taken, "items with a payload deliver files"),
                false => (Verdict::Taken, "payloads were switched off: items are taken over without them"),
            }),
            "PAYLOAD SOURCE BASE DIR" => self.source(value),
            "PAYLOAD TTL" => self.ttl(value, ttl_unit),
            "ENABLE ZIP PASSWORD" => switch(&mut self.password, value, |on| match on {
                true => (
                    Verdict::Later,
                    "archives with a password: each gets one of its own, not that of the buyer's account",
                ),
                false => (Verdict::Taken, "archives have no password"),
            }),
            "PAYLOAD DIR ENCODING LEN" => encoding_length(value),
            "PAYLOAD DOWNLOAD BASE DIR" => {
                let count = value.split(';').filter(|part| !part.trim().is_empty()).count();
                let told =
                    "nothing is copied to a web server: archives are computed while they are downloaded";
                (Verdict::Needless, format!("{told} ({count} places were given)"))
            }
            "PAYLOAD BASE URL" => {
                let told = "links begin with base_url of the configuration, and no other server serves them";
                (Verdict::Needless, told.to_owned())
            }
            "ASP FILES SERVER LOC" => {
                let told = "artwork belongs to its product; there is no folder of a web server to find it in";
                (Verdict::Needless, told.to_owned())
            }
            _ => (Verdict::Ignored, "not about payloads".to_owned()),
        }
    }

    fn source(&mut self, value: &str) -> (Verdict, String) {
        if value.eq_ignore_ascii_case("<none>") {
            self.source = Some(Source::FullPaths);
            return (Verdict::Taken, "option A: the paths of items are whole".to_owned());
        }
        if value.is_empty() {
            let told = "empty means neither of both: write <none> when items have whole paths, else the directory \
                        below which their files are";
            return (Verdict::Asked, told.to_owned());
        }
        if let Err(error) = PathSpec::folder(value) {
            return (Verdict::Wrong, error.to_string());
        }
        self.source = Some(Source::Below(value.to_owned()));
        let told = format!(
            "option B: files are below this directory, in a folder for each value of the attribute. Declare it as \
             a root: '{value}=FOLDER HERE'"
        );
        (Verdict::Taken, told)
    }

    fn ttl(&mut self, value: &str, unit: Option<TtlUnit>) -> (Verdict, String) {
        let Some(count) = value.parse::<i64>().ok().filter(|count| *count > 0) else {
            return (Verdict::Wrong, format!("expected a number above zero, and found \"{value}\""));
        };
        let (span, unit) = match unit {
            None => {
                let told =
                    format!("{count} what? The file has no unit: say --ttl-unit hours or --ttl-unit days");
                return (Verdict::Asked, told);
            }
            Some(TtlUnit::Hours) => (Span::hours(count), "hours"),
            Some(TtlUnit::Days) => (Span::days(count), "days"),
        };
        if span > Span::days(TTL_DAYS_MAX) {
            return (Verdict::Wrong, format!("{count} {unit} are more than {TTL_DAYS_MAX} days"));
        }
        self.link_life = Some(span);
        (Verdict::Taken, format!("links live {count} {unit}"))
    }
}

fn switch(
    place: &mut Option<bool>,
    value: &str,
    told: impl FnOnce(bool) -> (Verdict, &'static str),
) -> (Verdict, String) {
    let on = match value.to_ascii_uppercase().as_str() {
        "YES" => true,
        "NO" => false,
        _ => return (Verdict::Wrong, format!("expected YES or NO, and found \"{value}\"")),
    };
    *place = Some(on);
    let (verdict, told) = told(on);
    (verdict, told.to_owned())
}

fn encoding_length(value: &str) -> (Verdict, String) {
    match value.parse::<u32>() {
        Ok(length) if length > 0 => {
            let told =
                "links cannot be guessed whatever this says; the length is for names on the FTP server";
            (Verdict::Later, told.to_owned())
        }
        _ => (Verdict::Wrong, format!("expected a number above zero, and found \"{value}\"")),
    }
}
