//! What a field takes. The template says it first; the seller may say it otherwise.

use crate::field::Kind;
use crate::limits::{CHOICES_MAX, DPI_MAX, LABEL_CHARS_MAX, TEXT_CHARS_MAX, TEXT_LINES_MAX};
use crate::value::Color;

/// What becomes of a text that is too wide for its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Its letters become smaller, down to a limit.
    #[default]
    Shrink,
    /// It is refused.
    Refuse,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What the buyer reads beside it.
    pub label: String,
    /// Whether something has to be entered.
    pub required: bool,
    /// Most letters of a text.
    pub letters: u32,
    /// Most lines of a text.
    pub lines: u32,
    /// What becomes of a text that is too wide.
    pub fit: Fit,
    /// The smallest letters, in percent of the designed ones.
    pub smallest: u32,
    /// How fine a picture has to print at least; 0 takes any.
    pub dpi: u32,
    /// The colors to choose from; none leaves the choice free.
    pub choices: Vec<Color>,
}

/// A rule that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The label is empty or too long.
    #[error("a label has 1 to {max} letters", max = LABEL_CHARS_MAX)]
    Label,
    /// The number of letters.
    #[error("a text may have 1 to {max} letters", max = TEXT_CHARS_MAX)]
    Letters,
    /// The number of lines.
    #[error("a text may have 1 to {max} lines", max = TEXT_LINES_MAX)]
    Lines,
    /// The smallest letters.
    #[error("the smallest letters are 20 to 100 percent of the designed ones")]
    Smallest,
    /// The resolution of a picture.
    #[error("a picture's resolution is 0 (any) to {max} dpi", max = DPI_MAX)]
    Dpi,
    /// The number of colors.
    #[error("there may be {max} colors to choose from", max = CHOICES_MAX)]
    Choices,
}

impl Rules {
    /// What a field takes that says nothing about it.
    pub(crate) fn usual(name: &str) -> Self {
        let mut label = name.replace(['-', '_'], " ");
        if let Some(first) = label.get(..1).map(str::to_uppercase) {
            label.replace_range(..1, &first);
        }
        Self {
            label,
            required: true,
            letters: 40,
            lines: 1,
            fit: Fit::Shrink,
            smallest: 60,
            dpi: 0,
            choices: Vec::new(),
        }
    }

    /// Whether these can be.
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self, kind: Kind) -> Result<(), RulesError> {
        let label = self.label.trim().chars().count();
        if label == 0 || label > LABEL_CHARS_MAX || self.label.chars().any(char::is_control) {
            return Err(RulesError::Label);
        }
        match kind {
            Kind::Text if !(1..=TEXT_CHARS_MAX).contains(&self.letters) => Err(RulesError::Letters),
            Kind::Text if !(1..=TEXT_LINES_MAX).contains(&self.lines) => Err(RulesError::Lines),
            Kind::Text if !(20..=100).contains(&self.smallest) => Err(RulesError::Smallest),
            Kind::Image if self.dpi > DPI_MAX => Err(RulesError::Dpi),
            Kind::Color if self.choices.len() > CHOICES_MAX => Err(RulesError::Choices),
            Kind::Text | Kind::Image | Kind::Color => Ok(()),
        }
    }
}
