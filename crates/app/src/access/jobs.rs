//! Serving a unit that could not be told in the transaction that gave it.

use crate::app::App;
use crate::cx::Actor;
use crate::jobs::runner::JobError;
use crate::parts::{Made, PartState, Unit};

use super::flow::{self, EMPTY, Served};
use super::{Source, Terms};

/// Tells the unit's buyer, once those are served who paid before.
pub async fn make(app: &App, unit: &Unit) -> Result<Made, JobError> {
    let Some(Terms { source, .. }) = &unit.line.deliverables.access else {
        return Err(JobError::GiveUp("the line was sold without access data".to_owned()));
    };
    let (unit, source) = (unit.clone(), source.clone());
    let merchant = unit.part.merchant;
    let served = app.write(merchant, Actor::System, move |cx| {
        let served = match (&source, unit.line.product) {
            (Source::List, Some(product)) => flow::serve(cx, product)?,
            _ => {
                flow::tell(cx, &unit.line, &unit.grant, &unit.part.key)?;
                Served::All
            }
        };
        let part = crate::parts::store::find(cx.tx, cx.merchant, &unit.part.key)?;
        Ok((served, part.is_some_and(|part| part.state == PartState::Waiting)))
    });
    match served.await? {
        // What was told is recorded already; recording it again changes nothing.
        (_, false) => Ok(Made::Done { files: Vec::new(), texts: Vec::new() }),
        (Served::Empty, true) => Ok(Made::Waits(EMPTY.to_owned())),
        (Served::All | Served::Some, true) => {
            Err(JobError::Retry("those who paid before are served first".to_owned()))
        }
    }
}
