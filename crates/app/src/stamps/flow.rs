//! Whose copy a file is.

use kernel::MerchantId;
use stamp::{Found, Mark, Place};

use super::store::{self, Known};
use super::work::{self, Done, Task};
use crate::app::App;
use crate::problem::{Code, Flow, Problem};

/// A mark, where it was, and whose it is: nobody's when this shop made no copy with it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The code.
    pub mark: Mark,
    /// Where in the file it was.
    pub places: Vec<Place>,
    /// The copy.
    pub known: Option<Known>,
}

/// Finds the marks in a file, and whose they are at this merchant.
pub async fn look(app: &App, merchant: MerchantId, file: bytes::Bytes) -> Flow<Vec<Answer>> {
    let done = work::run(app, Task::Find, file).await.map_err(|error| {
        tracing::error!(%error, "a file could not be looked into");
        Problem::new(Code::Unavailable, format!("{error}; try again, and look into the log if it stays so"))
    })?;
    match done.0 {
        Done::Found(found) => Ok(app.read(move |snapshot| whose(snapshot, merchant, &found)).await?),
        Done::Stamped | Done::Unfit(_) => {
            Err(Problem::new(Code::Internal, "the helper for files answered something else").into())
        }
    }
}

/// Whose copies these marks are. Those that are known come first.
pub fn whose(source: &mut impl db::Source, merchant: MerchantId, found: &[Found]) -> Flow<Vec<Answer>> {
    let mut answers = Vec::new();
    for found in found {
        let known = store::by_mark(source, merchant, found.mark)?;
        answers.push(Answer { mark: found.mark, places: found.places.clone(), known });
    }
    answers.sort_by_key(|answer| answer.known.is_none());
    Ok(answers)
}
