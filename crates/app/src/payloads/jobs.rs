//! Gathering a unit's payload.

use std::sync::Arc;

use payload::{Came, Goods, Item, Join, Outcome, Spec};

use super::source::{Opened, SourceError};
use super::{ATTRIBUTE, Terms};
use crate::app::App;
use crate::jobs::runner::JobError;
use crate::parts::{Made, MadeFile, Part, Unit};

/// Resolves the line's spec and takes the files that it means into the blob store.
pub async fn make(app: &App, unit: &Unit) -> Result<Made, JobError> {
    let Some(terms) = unit.line.deliverables.payload.clone() else {
        return Err(JobError::GiveUp("the line was sold without a payload".to_owned()));
    };
    let attribute =
        unit.line.attributes.get(ATTRIBUTE).and_then(serde_json::Value::as_str).map(str::to_owned);
    let app = app.clone();
    // Disks are slow: this waits for them off the async workers.
    let gathered = tokio::task::spawn_blocking(move || gather(&app, &terms, attribute.as_deref()));
    gathered.await.map_err(|error| JobError::Retry(error.to_string()))?
}

fn gather(app: &App, terms: &Terms, attribute: Option<&str>) -> Result<Made, JobError> {
    let spec = match terms.parsed() {
        Ok(spec) => spec,
        Err(why) => return Ok(Made::Held(format!("the payload cannot be read: {why}"))),
    };
    if !terms.attributes.is_empty() && attribute.is_none() {
        let text = "the buyer did not choose between what the payload offers, as a button of another site cannot ask";
        return Ok(Made::Held(format!("{text}; ask the buyer, and hand it over by hand")));
    }
    let blobs = Arc::clone(app.blobs());
    let failed = |error: SourceError| JobError::Retry(error.to_string());
    let opened = Opened::open(&app.settings().file_roots).map_err(failed)?;
    let found = opened.resolve(&spec, terms, attribute).map_err(failed)?;
    if let Some((span, problem)) = found.problems().next() {
        let item = span.of(&terms.spec);
        return Ok(Made::Held(format!("the payload's item {item}: {problem}")));
    }
    if let Some(item) = lacking(&spec, &found.outcomes) {
        let item = item.span.of(&terms.spec);
        return Ok(Made::Held(format!(
            "the payload's item {item} came to no file; put the file there, or correct the payload and try again"
        )));
    }
    let take = |at| Ok(MadeFile { stored: opened.take(at, &*blobs, app.taken_files())?, replaces: None });
    let files = found.files.iter().map(take).collect::<Result<Vec<_>, SourceError>>().map_err(failed)?;
    Ok(Made::Leads { files, further: handed_over(&spec, &found.outcomes) })
}

/// What plug-ins and staff hand over, of the items that count. Money decides about both.
fn handed_over(spec: &Spec, outcomes: &[Outcome]) -> Vec<(Part, String)> {
    let counts = |(item, outcome): &(&Item, &Outcome)| match outcome.came {
        Came::Elsewhere => match &item.goods {
            Goods::External(parameter) => Some((Part::Plugin, parameter.clone())),
            Goods::DropShip(parameter) => Some((Part::DropShip, parameter.clone())),
            Goods::Files { .. } | Goods::Artwork(_) => None,
        },
        _ => None,
    };
    spec.items.iter().zip(outcomes).filter_map(|pair| counts(&pair)).collect()
}

/// The first item that was paid for and is not there, nor any of its alternatives. A buyer is not
/// to miss a file only because nobody noticed.
pub fn lacking<'a>(spec: &'a Spec, outcomes: &[Outcome]) -> Option<&'a Item> {
    let mut wanted: Option<&Item> = None;
    for (item, outcome) in spec.items.iter().zip(outcomes) {
        if item.join == Join::And && wanted.is_some() {
            return wanted;
        }
        match (&item.goods, &outcome.came) {
            (Goods::Files { .. }, Came::Nothing) => wanted = wanted.or(Some(item)),
            _ => wanted = None,
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use payload::{Layout, Limits, MemoryTree, Root, resolve};

    use super::*;

    fn lacks(text: &str) -> Option<String> {
        let tree = MemoryTree::new().with("a.zip", 1);
        let roots = [Root::new("/g", &tree).unwrap()];
        let spec = Spec::parse(text).unwrap();
        let found = resolve(&spec, &roots, &Layout::FullPaths, Limits::default());
        lacking(&spec, &found.outcomes).map(|item| item.span.of(text).to_owned())
    }

    #[test]
    fn an_item_that_came_to_nothing_is_noticed_unless_an_alternative_is_there() {
        assert_eq!(lacks("/g/a.zip"), None);
        assert_eq!(lacks("/g/a.zip,+/g/b.zip"), Some("+/g/b.zip".to_owned()));
        assert_eq!(lacks("/g/b.zip,^/g/a.zip"), None);
        assert_eq!(lacks("/g/b.zip,^/g/c.zip,+/g/a.zip"), Some("/g/b.zip".to_owned()));
        assert_eq!(lacks("/g/b.zip,^@plug-in"), None);
    }
}
