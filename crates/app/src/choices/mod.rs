//! Choices: what a visitor chose and filled in for a product that asks for something.
//!
//! The cart is a cookie and has room for an id alone, so the answers are kept here until they are
//! ordered, and frozen into the line then. Answers that nobody ordered are forgotten.

pub mod flow;
pub mod store;

use std::collections::BTreeMap;

use kernel::{ChoiceId, MerchantId, ProductId, Span, Timestamp};
use serde_json::{Map, Value};

use crate::artworks::{self, Filled};
use crate::deliverables::Deliverables;
use crate::payloads::ATTRIBUTE;

/// Answers that nobody ordered are kept as long as a browser keeps its cart.
pub const KEPT: Span = Span::days(31);

/// What was chosen and filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Option names and choices.
    pub attributes: Map<String, Value>,
    /// What the buyer wrote.
    pub inputs: Map<String, Value>,
}

/// Answers that are kept.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Their id.
    pub id: ChoiceId,
    /// At whose shop.
    pub merchant: MerchantId,
    /// For which product.
    pub product: ProductId,
    /// What they are.
    pub answers: Answers,
    /// When they were given.
    pub created_at: Timestamp,
}

/// Something that a product asks its buyer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The form field.
    pub field: String,
    /// Its label; the product's words, or the field's name where it has none.
    pub label: String,
    /// The values to choose from.
    pub options: Vec<String>,
}

impl Deliverables {
    /// What a buyer has to answer before this can be bought.
    pub fn questions(&self) -> Vec<Question> {
        let attributes = self.payload.as_ref().filter(|terms| !terms.attributes.is_empty());
        let question = attributes.map(|terms| Question {
            field: ATTRIBUTE.to_owned(),
            label: String::new(),
            options: terms.attributes.clone(),
        });
        question.into_iter().collect()
    }

    /// Whether a buyer has to answer something before this can be bought.
    pub fn asks(&self) -> bool {
        self.artwork.is_some() || !self.questions().is_empty()
    }

    /// Reads the answers of a form. What the product does not ask for is nobody's business.
    /// Artwork is filled in by a form of its own, which may bring pictures.
    ///
    /// # Errors
    /// The names of the fields that are missing or hold nothing that can be chosen.
    pub fn read_answers(&self, form: &BTreeMap<String, String>) -> Result<Answers, Vec<String>> {
        match self.read_choices(form) {
            Ok(_) if self.artwork.is_some() => Err(vec![artworks::INPUT.to_owned()]),
            read => read,
        }
    }

    /// Reads what is chosen of what there is to choose from.
    ///
    /// # Errors
    /// As [`Deliverables::read_answers`].
    pub fn read_choices(&self, form: &BTreeMap<String, String>) -> Result<Answers, Vec<String>> {
        let mut answers = Answers::default();
        let mut wrong = Vec::new();
        if let Some(terms) = self.payload.as_ref().filter(|terms| !terms.attributes.is_empty()) {
            // What is kept is the product's own spelling, never what was sent.
            match form.get(ATTRIBUTE).and_then(|sent| terms.choose(sent)) {
                Some(choice) => {
                    answers.attributes.insert(ATTRIBUTE.to_owned(), choice.as_str().into());
                }
                None => wrong.push(ATTRIBUTE.to_owned()),
            }
        }
        if wrong.is_empty() { Ok(answers) } else { Err(wrong) }
    }

    /// Whether answers that were given earlier are answers to today's questions.
    pub fn still_answers(&self, answers: &Answers) -> bool {
        let chosen = answers.attributes.get(ATTRIBUTE).and_then(Value::as_str);
        let filled = Filled::of(&answers.inputs);
        let drawn = self
            .artwork
            .as_ref()
            .is_none_or(|terms| filled.as_ref().is_some_and(|filled| filled.terms == terms.fingerprint()));
        drawn
            && self
                .payload
                .as_ref()
                .filter(|terms| !terms.attributes.is_empty())
                .is_none_or(|terms| chosen.is_some_and(|chosen| terms.choose(chosen).is_some()))
    }
}
