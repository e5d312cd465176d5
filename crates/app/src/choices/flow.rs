//! Keeping answers, and ordering what they are for.

use kernel::ChoiceId;

use super::{Answers, Choice, store};
use crate::artworks::{self, Filled};
use crate::cx::Cx;
use crate::problem::{Flow, Problem};
use crate::products::Product;

/// Keeps answers for a product until they are ordered.
pub fn keep(cx: &mut Cx<'_, '_>, product: &Product, answers: &Answers) -> Flow<ChoiceId> {
    let choice = Choice {
        id: ChoiceId::mint(cx.draws),
        merchant: cx.merchant,
        product: product.id,
        answers: answers.clone(),
        created_at: cx.now,
    };
    store::insert(cx.tx, &choice)?;
    Ok(choice.id)
}

/// The answers that a product is ordered with. They are read by today's questions once more: what
/// was offered yesterday may be gone.
///
/// # Errors
/// When the product asks for something that was not answered, or no longer can be chosen.
pub fn ordered(cx: &mut Cx<'_, '_>, product: &Product, choice: Option<ChoiceId>) -> Flow<Answers> {
    if !product.deliverables.asks() {
        return Ok(Answers::default());
    }
    let unanswered = || {
        let text = format!("choose what you want of \"{}\" on its page, then order it again", product.name);
        Problem::invalid("choice", text)
    };
    let kept = match choice {
        Some(id) => store::by_id(cx.tx, cx.merchant, id)?.filter(|kept| kept.product == product.id),
        None => None,
    };
    let answers = kept.ok_or_else(unanswered)?.answers;
    if !product.deliverables.still_answers(&answers) {
        return Err(unanswered().into());
    }
    if let Some(filled) = Filled::of(&answers.inputs) {
        artworks::flow::ordered(cx, &filled)?;
    }
    Ok(answers)
}
