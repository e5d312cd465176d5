//! `handsel payload explain`: a dry run.

use std::process::ExitCode;

use archive::{ContentId, DosTime, Entry, Form, Protection};
use kernel::Secret;
use payload::{Considered, Fate, Item, Outcome, Resolution};
use serde_json::{Value, json};

use super::super::{Output, VerbError, printable};
use super::ground::{Ground, Opened};
use super::words;

/// Which spec.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(flatten)]
    ground: Ground,
}

/// Fails when the spec could not be delivered.
pub fn run(options: &Options, output: Output) -> Result<ExitCode, VerbError> {
    let opened = options.ground.open()?;
    let found = opened.resolve()?;
    let told = told(&opened, &found)?;
    output.text_or(|| print(&opened, &found, &told), &told);
    Ok(if found.problems().next().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything, for programs.
fn told(opened: &Opened, found: &Resolution) -> Result<Value, VerbError> {
    let items = opened.spec.items.iter().zip(&found.outcomes);
    Ok(json!({
        "spec": opened.spec.to_string(),
        "items": items.map(|(item, outcome)| told_item(opened, item, outcome)).collect::<Vec<_>>(),
        "files": found.files.len(),
        "bytes": found.bytes,
        "archive_bytes_max": archive_length(found, None)?,
        "archive_with_password_bytes_max": archive_length(found, Some(Secret::new("x".to_owned())))?,
    }))
}

fn told_item(opened: &Opened, item: &Item, outcome: &Outcome) -> Value {
    let considered = |one: &Considered| {
        let taken = one.fate == Fate::Taken;
        json!({ "path": opened.path(&one.at), "bytes": one.bytes, "in": taken, "why": one.fate })
    };
    json!({
        "item": item.to_string(),
        "start": outcome.span.start,
        "end": outcome.span.end,
        "came": outcome.came,
        "told": words::came(&outcome.came),
        "considered": outcome.considered.iter().map(considered).collect::<Vec<_>>(),
        "passed_over": outcome.passed_over,
        "missing": outcome.missing.as_ref().map(|at| opened.path(at)),
    })
}

/// How long the archive is when no file can be made smaller: a file is deflated only where that pays.
fn archive_length(found: &Resolution, password: Option<Secret<String>>) -> Result<u64, VerbError> {
    let taken = found.outcomes.iter().flat_map(|outcome| &outcome.considered);
    let entries = taken.filter(|one| one.fate == Fate::Taken).map(|one| Entry {
        name: one.at.path.name().to_owned(),
        content: ContentId::from_bytes([0; 32]),
        crc32: 0,
        size: one.bytes,
        form: Form::Stored,
    });
    let usage = |error: &dyn std::fmt::Display| VerbError::Usage(error.to_string());
    let protection = password.map(|password| Protection::new(Secret::new([0; 32]), password)).transpose();
    let protection = protection.map_err(|error| usage(&error))?;
    let layout = archive::Layout::new(entries.collect(), DosTime::FIRST, protection);
    Ok(layout.map_err(|error| usage(&error))?.length())
}

fn print(opened: &Opened, found: &Resolution, told: &Value) {
    for (item, outcome) in opened.spec.items.iter().zip(&found.outcomes) {
        println!("{item}");
        println!("  {}", printable(&words::came(&outcome.came)));
        if let Some(missing) = &outcome.missing {
            println!("  there is no folder {}", printable(&opened.path(missing)));
        }
        let paths: Vec<String> =
            outcome.considered.iter().map(|one| printable(&opened.path(&one.at))).collect();
        let width = paths.iter().map(|path| path.chars().count()).max().unwrap_or(0);
        for (path, one) in paths.iter().zip(&outcome.considered) {
            println!("  {path:<width$}  {}", words::fate(one));
        }
        if outcome.passed_over > 0 {
            println!("  {} more in the folder do not match", outcome.passed_over);
        }
    }
    println!("{}, {}", words::files(found.files.len()), words::bytes(found.bytes));
    let length = |name: &str| words::bytes(told.get(name).and_then(Value::as_u64).unwrap_or_default());
    println!(
        "as an archive at most {}, with a password {}",
        length("archive_bytes_max"),
        length("archive_with_password_bytes_max")
    );
    if found.problems().next().is_some() {
        println!("nothing would be delivered until what is wrong is put right");
    }
}
