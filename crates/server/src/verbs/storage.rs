//! `handsel stores …`

use app::storage::check::{Found, Remedy, Report, run as go_through};
use app::storage::{Depth, StoreState, store};

use super::backup::{bar, tell};
use super::{Desk, VerbError};

/// What can be done with the stores that contents lie in.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the stores, home first, and how they stood when they were last asked and checked.
    List,
    /// Look for every content in every store. Exit code 1 when one lacks something.
    Check {
        /// Read every content too and compare it with its digest. Takes as long as reading all of it.
        #[arg(long)]
        content: bool,
    },
    /// Copy to each store what it lacks, from one that has it whole. It can be ended and run again.
    Sync {
        /// Only tell what would be copied.
        #[arg(long)]
        dry_run: bool,
        /// Read every content too, and replace what is damaged.
        #[arg(long)]
        content: bool,
    },
}

/// Runs the verb. `false`: some store lacks something.
pub fn run(desk: &Desk, verb: &Verb) -> Result<bool, VerbError> {
    let depth = |content: bool| if content { Depth::Content } else { Depth::Presence };
    match *verb {
        Verb::List => list(desk).map(|()| true),
        Verb::Check { content } => walk(desk, "checking", depth(content), Remedy::None),
        Verb::Sync { dry_run: true, content } => walk(desk, "looking", depth(content), Remedy::Planned),
        Verb::Sync { dry_run: false, content } => walk(desk, "copying", depth(content), Remedy::Copy),
    }
}

fn list(desk: &Desk) -> Result<(), VerbError> {
    let states = desk.app.read_now(|snapshot| Ok(store::states(snapshot)?))?;
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for (place, member) in desk.app.stores().members().iter().enumerate() {
        let state = states.iter().find(|state| state.name == member.name);
        let role = if place == 0 { "home" } else { "mirror" };
        rows.push(vec![
            member.name.clone(),
            role.to_owned(),
            member.weight.to_string(),
            standing(state),
            checked(state),
            member.place.clone(),
        ]);
        let check = state.and_then(|state| state.check);
        values.push(serde_json::json!({
            "name": member.name, "role": role, "weight": member.weight, "place": member.place,
            "asked_at": state.map(|state| state.asked_at),
            "away_since": state.and_then(|state| state.away_since),
            "checked_at": check.map(|check| check.at),
            "check_depth": check.map(|check| check.depth.as_str()),
            "contents": check.map(|check| check.contents),
            "defects": check.map(|check| check.defects),
        }));
    }
    desk.output.list(&["NAME", "ROLE", "WEIGHT", "STANDING", "LAST CHECK", "PLACE"], &rows, &values);
    Ok(())
}

fn standing(state: Option<&StoreState>) -> String {
    match state {
        None => "not asked yet".to_owned(),
        Some(StoreState { away_since: Some(since), .. }) => format!("away since {since}"),
        Some(_) => "answers".to_owned(),
    }
}

fn checked(state: Option<&StoreState>) -> String {
    let check = state.and_then(|state| state.check);
    check.map_or_else(|| "never".to_owned(), |check| format!("{}: {} defects", check.at, check.defects))
}

fn walk(desk: &Desk, what: &'static str, depth: Depth, remedy: Remedy) -> Result<bool, VerbError> {
    let shown = bar(what);
    let reports = go_through(&desk.app, depth, remedy, &mut tell(&shown))?;
    shown.finish_and_clear();
    let whole = reports.iter().all(Report::is_whole);
    let rows: Vec<_> = reports.iter().flat_map(|report| rows(report, remedy)).collect();
    let value = serde_json::json!({ "whole": whole, "depth": depth.as_str(), "stores": reports });
    desk.output.table_or(&["STORE", "CONTENTS", "FOUND"], &rows, &value);
    Ok(whole)
}

/// More than these are counted and not listed, unless as JSON.
const LISTED_MAX: usize = 50;

fn rows(report: &Report, remedy: Remedy) -> Vec<Vec<String>> {
    let verdict = match &report.away {
        Some(why) => format!("AWAY: {why}"),
        None if report.defects.is_empty() => "all there".to_owned(),
        None => format!("LACKS {}", report.defects.len()),
    };
    let copied = match remedy {
        Remedy::None => String::new(),
        Remedy::Planned => format!(", {} to copy", report.copied.len()),
        Remedy::Copy => format!(", {} copied", report.copied.len()),
    };
    let mut rows = vec![vec![report.store.clone(), report.contents.to_string(), verdict + &copied]];
    let listed = if remedy == Remedy::Planned { &report.copied } else { &report.defects };
    let line =
        |found: &Found| vec![String::new(), String::new(), format!("{} {}", found.sha256, found.detail)];
    rows.extend(listed.iter().take(LISTED_MAX).map(line));
    if listed.len() > LISTED_MAX {
        let more = format!("and {} more: see --json", listed.len() - LISTED_MAX);
        rows.push(vec![String::new(), String::new(), more]);
    }
    rows
}
