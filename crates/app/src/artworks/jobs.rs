//! Rendering a unit's artwork.

use render::{Format, Print, RenderError};
use stores::Digests;

use super::studio::{self, For, Stage, StudioError};
use super::{Filled, Terms, sent_to, store};
use crate::app::App;
use crate::jobs::runner::JobError;
use crate::orders;
use crate::parts::{Made, MadeFile, Unit};
use crate::products::flow::StoredFile;

/// Renders what the line was bought with: the same page as another unit of it has, if one is
/// there already.
pub async fn make(app: &App, unit: &Unit) -> Result<Made, JobError> {
    let formats = unit.line.deliverables.artwork_formats();
    let Some(terms) = unit.line.deliverables.artwork.clone() else {
        return Ok(Made::Held(NO_TEMPLATE.to_owned()));
    };
    if let Some(host) = sent_to(&unit.line.deliverables) {
        let text = format!("the payload sends the artwork to {host}, and uploads are made by hand");
        return Ok(Made::Held(format!("{text}; deliver without it once it is there")));
    }
    let inputs = unit.line.inputs.as_object().cloned().unwrap_or_default();
    let Some(filled) = Filled::of(&inputs) else { return Ok(Made::Held(NOTHING_FILLED_IN.to_owned())) };
    let (merchant, line) = (unit.order.merchant, unit.line.id);
    let there = app.read(move |snapshot| Ok(store::rendered(snapshot, merchant, line)?)).await?;
    if there.len() == formats.len() {
        return Ok(done(there));
    }
    let number = orders::view::number(&unit.order);
    let name = format!("{number}.{}", unit.line.position);
    let rendered = studio::work(app, For::Printing, move |app, go_on| {
        render_all(app, (&terms, &filled), (&name, &formats), go_on)
    });
    rendered.await.unwrap_or_else(|error| Err(trouble(&error)))
}

const NO_TEMPLATE: &str = "the payload asks for artwork, and the product has no template; \
    render it by hand and deliver without it";
const NOTHING_FILLED_IN: &str = "the buyer filled nothing in, as a button of another site cannot ask; \
    ask the buyer, and hand it over by hand";

fn done(files: Vec<StoredFile>) -> Made {
    let files = files.into_iter().map(|stored| MadeFile { stored, replaces: None }).collect();
    Made::Done { files, texts: Vec::new() }
}

fn trouble(error: &StudioError) -> JobError {
    JobError::Retry(error.to_string())
}

fn render_all(
    app: &App,
    (terms, filled): (&Terms, &Filled),
    (name, formats): (&str, &[Format]),
    go_on: &dyn Fn() -> bool,
) -> Result<Made, JobError> {
    let page = match studio::fill(app, terms, filled, Stage::Final).map_err(|error| trouble(&error))? {
        Ok(page) => page,
        Err(wrong) => {
            let told = wrong.iter().map(|(field, unfit)| format!("{field}: {unfit}"));
            let told = told.collect::<Vec<_>>().join("; ");
            return Ok(Made::Held(format!("what was filled in cannot be printed: {told}")));
        }
    };
    let mut files = Vec::new();
    for format in formats {
        let print = Print { format: *format, dpi: terms.dpi, title: name, go_on };
        let bytes = match page.render(&print) {
            Ok(bytes) => bytes,
            Err(error @ RenderError::Stopped) => return Err(JobError::Retry(error.to_string())),
            Err(error) => return Ok(Made::Held(error.to_string())),
        };
        let stored = stores::put(&**app.blobs(), &bytes);
        let stored = stored.map_err(|error| JobError::Retry(error.to_string()))?;
        files.push(named(format!("{name}.{}", format.extension()), &stored));
    }
    Ok(done(files))
}

fn named(name: String, stored: &Digests) -> StoredFile {
    StoredFile {
        name,
        sha256: stored.sha256.to_string(),
        size: stored.size,
        crc32: stored.crc32,
        md5: stored.md5_hex(),
    }
}
