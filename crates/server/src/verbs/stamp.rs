//! `handsel stamp …`: whose copy a file is.

use std::path::PathBuf;

use app::stamps::flow::{self, Answer};
use rustix::process::{Resource, Rlimit, setrlimit};
use stamp::{Found, Mark};

use super::{Desk, VerbError};
use app::stamps::work::{self, HELPER_MEMORY_MAX, HELPER_SECONDS_MAX};

/// What can be done about stamps.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Tell whose copy a file is: a PDF, an EPUB, an archive of them, or text copied out of one.
    Lookup {
        /// The file, or the code of a copy as it stands on its pages.
        file: PathBuf,
    },
    /// Read a task and a file from standard input, within limits. For the server's own use.
    #[command(hide = true)]
    Work,
}

/// The helper: takes limits upon itself before it reads anything.
pub fn work() -> Result<(), VerbError> {
    let of = |why| VerbError::File { path: "standard input".to_owned(), why };
    limit(Resource::As, HELPER_MEMORY_MAX).map_err(|error| of(error.into()))?;
    limit(Resource::Cpu, HELPER_SECONDS_MAX).map_err(|error| of(error.into()))?;
    limit(Resource::Core, 0).map_err(|error| of(error.into()))?;
    work::serve(std::io::stdin().lock(), std::io::stdout().lock()).map_err(of)
}

fn limit(resource: Resource, most: u64) -> rustix::io::Result<()> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Lookup { file } => lookup(desk, &file),
        Verb::Work => work(),
    }
}

fn lookup(desk: &Desk, file: &std::path::Path) -> Result<(), VerbError> {
    let code = file.to_str().and_then(|text| text.parse::<Mark>().ok()).filter(|_| !file.exists());
    let found = match code {
        Some(mark) => vec![Found { mark, places: Vec::new() }],
        None => {
            let named = |why| VerbError::File { path: file.display().to_string(), why };
            stamp::find_marks(&std::fs::read(file).map_err(named)?)
        }
    };
    let merchant = desk.merchant;
    let answers = desk.app.read_now(move |snapshot| flow::whose(snapshot, merchant, &found))?;
    let values: Vec<_> = answers.iter().map(view).collect();
    let rows: Vec<_> = answers.iter().map(cells).collect();
    let heads = ["CODE", "ORDER", "EMAIL", "NAME", "FILE", "PLACES"];
    desk.output.list(&heads, &rows, &values);
    Ok(())
}

fn cells(answer: &Answer) -> Vec<String> {
    let known = answer.known.as_ref();
    let or_dash = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| super::printable(&text));
    vec![
        answer.mark.to_string(),
        or_dash(known.map(|known| known.copy.order.to_string())),
        or_dash(known.map(|known| known.email.clone())),
        or_dash(known.map(|known| known.name.clone())),
        or_dash(known.map(|known| known.file.clone())),
        answer.places.len().to_string(),
    ]
}

fn view(answer: &Answer) -> serde_json::Value {
    let copy = answer.known.as_ref().map(|known| {
        serde_json::json!({
            "order": known.copy.order, "customer": known.customer, "name": known.name, "email": known.email,
            "product": known.product, "file": known.file, "file_version": known.copy.version,
            "unit": known.copy.unit_no, "made_at": known.copy.made_at,
        })
    });
    serde_json::json!({ "code": answer.mark, "places": answer.places, "copy": copy })
}
