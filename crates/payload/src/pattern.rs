//! Names compared without regard to case, and wildcards that match in one pass.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

/// Most characters of a pattern that are no `*`: each is a bit of the matcher's one word.
pub const PATTERN_CHARACTERS_MAX: usize = 127;

/// A name as it is compared: canonically composed and without case, so that `É.ZIP` written on
/// one system finds `é.zip` from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKey(String);

impl NameKey {
    /// The key of a name.
    pub fn of(name: &str) -> Self {
        Self(fold(name))
    }

    /// The characters that are compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// By way of upper case, which joins what lower case keeps apart (the Greek final sigma).
fn fold(text: &str) -> String {
    text.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    One(char),
    /// `?`: any one character.
    Any,
    /// `*`: any characters, or none.
    Many,
}

/// A name with wildcards.
///
/// Matching simulates the pattern's automaton with a bit per state (the Shift-And method of
/// Baeza-Yates and Gonnet, 1992): one step per character of the name, whatever the pattern.
/// `*.*` means every name, with a dot or without, as it did where old specs were written.
#[derive(Debug, Clone)]
pub struct Pattern {
    tokens: Vec<Token>,
    /// How many characters are to be met.
    length: usize,
    /// Bit i: any number of characters may pass between i met ones and the next.
    loops: u128,
    /// Bit i: any character is the next after i met ones.
    any: u128,
    /// By character, in order. Bit i: it is the next after i met ones.
    next: Vec<(char, u128)>,
}

impl Pattern {
    /// `None` when it has more characters than the matcher has bits.
    pub(crate) fn new(tokens: Vec<Token>) -> Option<Self> {
        let tokens =
            if tokens == [Token::Many, Token::One('.'), Token::Many] { vec![Token::Many] } else { tokens };
        let (mut length, mut loops, mut any) = (0usize, 0u128, 0u128);
        let mut next = BTreeMap::new();
        for token in folded(&tokens) {
            // A pattern that ends on its last bit has no room for another character, but for a star.
            let bit = 1u128.checked_shl(u32::try_from(length).ok()?)?;
            match token {
                Token::Many => loops |= bit,
                Token::Any => any |= bit,
                Token::One(letter) => *next.entry(letter).or_insert(0) |= bit,
            }
            length = length.saturating_add(usize::from(token != Token::Many));
        }
        let next = next.into_iter().collect();
        (length <= PATTERN_CHARACTERS_MAX).then_some(Self { tokens, length, loops, any, next })
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &NameKey) -> bool {
        let mut met = 1u128;
        for letter in name.as_str().chars() {
            met = ((met & self.meeting(letter)) << 1) | (met & self.loops);
            if met == 0 {
                return false;
            }
        }
        met >> self.length == 1
    }

    /// The states that this character leads on from.
    fn meeting(&self, letter: char) -> u128 {
        let own = self.next.binary_search_by_key(&letter, |(next, _)| *next).ok();
        self.any | own.and_then(|at| self.next.get(at)).map_or(0, |(_, bits)| *bits)
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }
}

/// The same pattern for folded names: each run of characters folded as a whole.
fn folded(tokens: &[Token]) -> Vec<Token> {
    let mut folded = Vec::new();
    let mut run = String::new();
    for token in tokens {
        if let Token::One(letter) = token {
            run.push(*letter);
            continue;
        }
        folded.extend(fold(&std::mem::take(&mut run)).chars().map(Token::One));
        folded.push(*token);
    }
    folded.extend(fold(&run).chars().map(Token::One));
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let tokens = text.chars().map(|letter| match letter {
            '*' => Token::Many,
            '?' => Token::Any,
            letter => Token::One(letter),
        });
        Pattern::new(tokens.collect()).expect("a short pattern")
    }

    fn matches(text: &str, name: &str) -> bool {
        pattern(text).matches(&NameKey::of(name))
    }

    /// The textbook's backtracking definition, to compare with.
    fn matches_slowly(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(('*', rest)), None) => matches_slowly(rest, name),
            (Some(('*', rest)), Some((_, others))) => {
                matches_slowly(rest, name) || matches_slowly(pattern, others)
            }
            (Some(_), None) => false,
            (Some((wanted, rest)), Some((letter, others))) => {
                (*wanted == '?' || wanted == letter) && matches_slowly(rest, others)
            }
        }
    }

    #[test]
    fn a_star_stands_for_any_characters_or_none() {
        assert!(matches("book*.zip", "book.zip"));
        assert!(matches("book*.zip", "book-12.zip"));
        assert!(!matches("book*.zip", "book.zip.bak"));
        assert!(!matches("book*.zip", "abook.zip"));
    }

    #[test]
    fn a_question_mark_stands_for_one_character() {
        assert!(matches("v?.exe", "v2.exe"));
        assert!(matches("v?.exe", "v\u{1F600}.exe"));
        assert!(!matches("v?.exe", "v.exe"));
        assert!(!matches("v?.exe", "v12.exe"));
    }

    #[test]
    fn case_and_composition_do_not_matter() {
        assert!(matches("AMERICAN*.jpg", "AmericanFlagDecalLarge.JPG"));
        assert!(matches("caf\u{e9}*", "CAFE\u{301}.zip"));
        assert!(matches("straße*", "STRASSE.zip"));
    }

    #[test]
    fn star_dot_star_is_every_name() {
        assert!(matches("*.*", "README"));
        assert!(matches("*.*", "a.b"));
        assert!(!matches("a*.*", "abc"));
    }

    #[test]
    fn a_pattern_longer_than_the_matcher_is_refused() {
        assert!(Pattern::new(vec![Token::Any; PATTERN_CHARACTERS_MAX]).is_some());
        assert!(Pattern::new(vec![Token::Any; PATTERN_CHARACTERS_MAX + 1]).is_none());
    }

    #[test]
    fn a_pattern_of_full_length_matches_to_its_last_character() {
        let long = pattern(&format!("{}b", "a".repeat(PATTERN_CHARACTERS_MAX - 1)));
        assert!(long.matches(&NameKey::of(&format!("{}b", "a".repeat(PATTERN_CHARACTERS_MAX - 1)))));
        assert!(!long.matches(&NameKey::of(&"a".repeat(PATTERN_CHARACTERS_MAX))));
    }

    proptest::proptest! {
        #[test]
        fn it_agrees_with_the_definition(text in "[ab*?.]{0,9}", name in "[ab.]{0,9}") {
            proptest::prop_assume!(text != "*.*");
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            proptest::prop_assert_eq!(matches(&text, &name), matches_slowly(&letters(&text), &letters(&name)));
        }
    }
}
