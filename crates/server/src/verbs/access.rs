//! `handsel access …`

use std::path::PathBuf;

use app::access::flow::{self, Imported};
use app::access::list::Form;
use app::access::{desk_store, store};
use app::cx::Actor;

use super::products::find;
use super::{Desk, VerbError};

/// What can be done with lists of access data.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Add entries to a product's list; buyers who wait for one get theirs.
    Import {
        /// Its id or item number.
        product: String,
        /// A text file in UTF-8: an entry in each line.
        file: PathBuf,
        /// The file is a table: the first row names the columns, every other is an entry.
        #[arg(long)]
        csv: bool,
    },
    /// How many entries of a product's list are free and given away.
    Status {
        /// Its id or item number.
        product: String,
    },
}

/// Beyond so many, nobody waits for an exact number.
const COUNTED_MAX: u32 = 1_000_000;

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Import { product, file, csv } => import(desk, &product, &file, csv),
        Verb::Status { product } => status(desk, &product),
    }
}

fn import(desk: &Desk, product: &str, file: &PathBuf, csv: bool) -> Result<(), VerbError> {
    let id = find(desk, product)?.id;
    let failed = |why| VerbError::File { path: file.display().to_string(), why };
    let bytes = std::fs::read(file).map_err(failed)?;
    let form = if csv { Form::Csv } else { Form::Lines };
    let imported =
        desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| flow::import(cx, id, form, &bytes))?;
    let value = serde_json::json!({
        "product": id, "added": imported.added, "repeated": imported.repeated, "known": imported.known,
    });
    desk.output.done(&said(&imported), &value);
    Ok(())
}

fn said(imported: &Imported) -> String {
    let mut said = format!("{} entries are new", imported.added);
    for (lines, why) in
        [(&imported.repeated, "repeat an earlier line"), (&imported.known, "are in the list, or were")]
    {
        if !lines.is_empty() {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            said.push_str(&format!("; left out, because they {why}: lines {}", lines.join(", ")));
        }
    }
    said
}

fn status(desk: &Desk, product: &str) -> Result<(), VerbError> {
    let (id, merchant) = (find(desk, product)?.id, desk.merchant);
    let value = desk.app.read_now(move |snapshot| {
        Ok(serde_json::json!({
            "product": id,
            "free": store::free(snapshot, merchant, id, COUNTED_MAX)?,
            "taken": desk_store::taken(snapshot, merchant, id)?,
            "waiting": store::waiting(snapshot, merchant, id, COUNTED_MAX)?.len(),
            "low_water": store::low_water(snapshot, merchant, id)?,
        }))
    })?;
    desk.output.one(&value);
    Ok(())
}
