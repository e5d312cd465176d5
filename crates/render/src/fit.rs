//! Fitting words into a place: smaller letters before fewer, and never beyond the limits.

use crate::rules::Fit;

/// A word with where it begins and ends when all stand in one line.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its letters.
    pub text: String,
    /// Where it begins.
    pub start: f32,
    /// Where it ends.
    pub end: f32,
    /// Whether the buyer began a line with it.
    pub breaks: bool,
}

/// The place.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Its width; `None` is as wide as it gets.
    pub width: Option<f32>,
    /// How many lines.
    pub lines: usize,
    /// What becomes of what is too wide.
    pub fit: Fit,
    /// The smallest letters in percent.
    pub smallest: u32,
}

/// How a text stands in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Laid {
    /// The size of its letters in percent of the designed ones.
    pub percent: u32,
    /// Its lines.
    pub lines: Vec<String>,
}

/// Lays words out. `None` when they do not fit, also in the smallest letters.
pub fn lay_out(words: &[Word], room: &Room) -> Option<Laid> {
    let smallest = if room.fit == Fit::Refuse { 100 } else { room.smallest.clamp(1, 100) };
    (smallest..=100).rev().find_map(|percent| {
        let lines = wrap(words, room, percent)?;
        (lines.len() <= room.lines).then_some(Laid { percent, lines })
    })
}

/// Lines of as many words as go in. `None` when one word alone is too wide.
fn wrap(words: &[Word], room: &Room, percent: u32) -> Option<Vec<String>> {
    // Rounding of outlines must not refuse what was measured to fit exactly.
    const SLACK: f32 = 1.001;
    let scale = f32::from(u16::try_from(percent).ok()?) / 100.0;
    let width = room.width.map_or(f32::INFINITY, |width| width / scale * SLACK);
    let mut lines: Vec<String> = Vec::new();
    let mut start = 0.0;
    for word in words {
        let fits = word.end - start <= width;
        match lines.last_mut() {
            Some(line) if fits && !word.breaks => {
                line.push(' ');
                line.push_str(&word.text);
            }
            _ => {
                start = word.start;
                if word.end - start > width {
                    return None;
                }
                lines.push(word.text.clone());
            }
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters one wide, blanks too.
    fn words(text: &str) -> Vec<Word> {
        let mut at = 0.0;
        let mut words = Vec::new();
        for line in text.split('\n') {
            for (number, word) in line.split(' ').enumerate() {
                let end = at + f32::from(u16::try_from(word.len()).unwrap());
                words.push(Word { text: word.to_owned(), start: at, end, breaks: number == 0 });
                at = end + 1.0;
            }
        }
        words
    }

    fn room(width: f32, lines: usize) -> Room {
        Room { width: Some(width), lines, fit: Fit::Shrink, smallest: 50 }
    }

    #[test]
    fn words_that_fit_stay_as_large_as_designed() {
        let laid = lay_out(&words("ab cd"), &room(5.0, 1));
        assert_eq!(laid, Some(Laid { percent: 100, lines: vec!["ab cd".to_owned()] }));
    }

    #[test]
    fn letters_become_smaller_only_as_far_as_needed() {
        let laid = lay_out(&words("abcde"), &room(4.0, 1)).unwrap();
        assert_eq!(laid.percent, 80);
    }

    #[test]
    fn lines_are_broken_before_letters_become_smaller() {
        let laid = lay_out(&words("ab cd ef"), &room(5.0, 2)).unwrap();
        assert_eq!(laid, Laid { percent: 100, lines: vec!["ab cd".to_owned(), "ef".to_owned()] });
    }

    #[test]
    fn the_buyers_own_lines_are_kept() {
        let laid = lay_out(&words("ab\ncd"), &room(50.0, 2)).unwrap();
        assert_eq!(laid.lines, ["ab", "cd"]);
    }

    #[test]
    fn what_is_too_long_in_the_smallest_letters_does_not_fit() {
        assert_eq!(lay_out(&words("abcdefghijk"), &room(5.0, 1)), None);
        assert_eq!(lay_out(&words("a\nb\nc"), &room(5.0, 2)), None);
    }

    #[test]
    fn a_field_that_refuses_does_not_shrink() {
        let strict = Room { fit: Fit::Refuse, ..room(4.0, 1) };
        assert_eq!(lay_out(&words("abcde"), &strict), None);
        assert!(lay_out(&words("abcd"), &strict).is_some());
    }
}
