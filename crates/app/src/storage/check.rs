//! Goes through every content of the database in every store, and copies what one lacks.

use std::collections::HashMap;

use kernel::MerchantId;
use stores::{Mirror, Sha256, StoreError};

use super::store::{self, Content};
use super::{Defect, Depth, flow};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::Flow;

/// What a check or a sync has found out about a store.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Report {
    /// The store.
    pub store: String,
    /// Contents that were looked for.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is missing or damaged, after a sync: still.
    pub defects: Vec<Found>,
    /// What was copied there, or would be.
    pub copied: Vec<Found>,
    /// Why the store could not be gone through, if so. Then the rest is what was found until then.
    pub away: Option<String>,
}

impl Report {
    /// Whether every content is in the store.
    pub fn is_whole(&self) -> bool {
        self.defects.is_empty() && self.away.is_none()
    }
}

/// A content that a store lacks or has damaged.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Found {
    /// Which.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// What is wrong with it.
    pub defect: &'static str,
    /// In words; after a sync that failed, why it did.
    pub detail: String,
}

/// What to do about what a store lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: it is only told.
    None,
    /// It is told what would be copied.
    Planned,
    /// It is copied there from a store that has it whole.
    Copy,
}

/// How far it is: bytes done, of all bytes.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Looks for every content of the database in every store, and records what it found. May take
/// as long as reading all of it. Not on an async worker.
pub fn run(app: &App, depth: Depth, remedy: Remedy, progress: Progress<'_>) -> Flow<Vec<Report>> {
    let members = app.stores().members();
    let all = app.read_now(|snapshot| Ok(store::bytes_in_all(snapshot)?))?;
    let every = all.saturating_mul(u64::try_from(members.len()).unwrap_or(1));
    let mut done = 0u64;
    let mut reports = Vec::new();
    for member in members {
        let mut walk = Walk { app, member, depth, remedy, report: Report::default() };
        walk.report.store.clone_from(&member.name);
        for shelf in 0..=u8::MAX {
            let contents = app.read_now(move |snapshot| Ok(store::contents(snapshot, shelf)?))?;
            if let Err(away) = walk.shelf(shelf, &contents, &mut |bytes| {
                done = done.saturating_add(bytes);
                progress(done, every);
            }) {
                walk.report.away = Some(away.to_string());
                break;
            }
        }
        let report = walk.report;
        if remedy != Remedy::Planned {
            record(app, &report, depth)?;
        }
        reports.push(report);
    }
    Ok(reports)
}

fn record(app: &App, report: &Report, depth: Depth) -> Flow<()> {
    let report = report.clone();
    app.write_blocking(MerchantId::from_bits(0), Actor::System, move |cx| {
        flow::record_check(cx, &report, depth)
    })
}

struct Walk<'a> {
    app: &'a App,
    member: &'a Mirror,
    depth: Depth,
    remedy: Remedy,
    report: Report,
}

impl Walk<'_> {
    /// Goes through a shelf. An error is of the store: it cannot be asked.
    fn shelf(
        &mut self,
        shelf: u8,
        contents: &[Content],
        tell: &mut dyn FnMut(u64),
    ) -> Result<(), StoreError> {
        let listed = self.member.store.list(shelf)?;
        let sizes: HashMap<Sha256, u64> = listed.iter().map(|found| (found.sha256, found.size)).collect();
        for content in contents {
            self.content(content, &sizes)?;
            tell(content.size);
        }
        Ok(())
    }

    fn content(&mut self, content: &Content, sizes: &HashMap<Sha256, u64>) -> Result<(), StoreError> {
        self.report.contents += 1;
        self.report.bytes = self.report.bytes.saturating_add(content.size);
        let Ok(sha256) = content.sha256.parse::<Sha256>() else {
            self.note(content, Defect::Damaged, "its row does not name a content".to_owned());
            return Ok(());
        };
        let Some((defect, detail)) = self.look(&sha256, content.size, sizes.get(&sha256))? else {
            return Ok(());
        };
        match self.remedy {
            Remedy::None => self.note(content, defect, detail),
            Remedy::Planned => self.report.copied.push(found(content, defect, detail)),
            Remedy::Copy => match self.app.stores().mend(&self.member.name, &sha256, content.size) {
                Ok(()) => self.report.copied.push(found(content, defect, detail)),
                Err(error @ StoreError::Full) => return Err(error),
                Err(error) => self.note(content, defect, error.to_string()),
            },
        }
        Ok(())
    }

    /// What is wrong with a content here, if anything.
    fn look(
        &self,
        sha256: &Sha256,
        size: u64,
        listed: Option<&u64>,
    ) -> Result<Option<(Defect, String)>, StoreError> {
        match listed {
            None => return Ok(Some((Defect::Missing, StoreError::Missing(*sha256).to_string()))),
            Some(here) if *here != size => {
                let detail = format!("it has {here} bytes where {size} are recorded");
                return Ok(Some((Defect::Damaged, detail)));
            }
            Some(_) => {}
        }
        if self.depth == Depth::Presence {
            return Ok(None);
        }
        match self.member.store.check(sha256) {
            Ok(_) => Ok(None),
            Err(error) => match stores::Defect::told_by(&error) {
                Some((_, defect)) => Ok(Some((defect.into(), error.to_string()))),
                // A disk that cannot read one file may read the others.
                None if matches!(error, StoreError::Io { .. }) => {
                    Ok(Some((Defect::Damaged, error.to_string())))
                }
                None => Err(error),
            },
        }
    }

    fn note(&mut self, content: &Content, defect: Defect, detail: String) {
        self.report.defects.push(found(content, defect, detail));
    }
}

fn found(content: &Content, defect: Defect, detail: String) -> Found {
    Found { sha256: content.sha256.clone(), size: content.size, defect: defect.as_str(), detail }
}
