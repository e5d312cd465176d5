//! Recording how stores stand and what they lack, and choosing who delivers.

use std::collections::HashSet;

use kernel::Timestamp;

use super::check::Report;
use super::{Defect, Depth, LastCheck, TOLD_FOR, Trouble, Way, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::Flow;

/// How a store answered: nothing when it is well, what it did instead when it is not.
pub type Answer = (String, Option<String>);

/// Records how the stores answered, and forgets those that are not configured any more.
pub fn record_answers(cx: &mut Cx<'_, '_>, answers: &[Answer]) -> Flow<()> {
    let names: Vec<&str> = answers.iter().map(|(name, _)| name.as_str()).collect();
    store::forget_others(cx.tx, &names)?;
    for (name, away) in answers {
        store::save_answer(cx.tx, name, away.as_deref(), cx.now)?;
    }
    Ok(store::forget_mended(cx.tx, cx.now - TOLD_FOR)?)
}

/// Records what reading found missing or damaged.
pub fn record_troubles(cx: &mut Cx<'_, '_>, found: &[stores::Trouble]) -> Flow<()> {
    for trouble in found {
        let content = (trouble.store.as_str(), trouble.sha256.to_string());
        let what = (trouble.defect.into(), trouble.detail.as_str());
        store::note(cx.tx, (content.0, &content.1), what, trouble.at)?;
    }
    Ok(())
}

/// Has a merchant's files delivered this way from now on, also in sessions that have begun.
pub fn deliver(cx: &mut Cx<'_, '_>, way: Way) -> Flow<()> {
    let was = store::way(cx.tx, cx.merchant)?;
    if was == way {
        return Ok(());
    }
    store::save_way(cx.tx, cx.merchant, way, cx.now)?;
    let detail = serde_json::json!({ "way": way.as_str(), "was": was.as_str() });
    events::flow::record(cx, None, cx.merchant, "merchant.delivery_changed", detail)?;
    Ok(())
}

/// What came of trying to put a content right.
#[derive(Debug, Clone)]
pub struct Tried {
    /// What was wrong.
    pub trouble: Trouble,
    /// Why it still is, if so.
    pub failed: Option<String>,
}

/// Records what was tried, at this moment.
pub fn record_tried(cx: &mut Cx<'_, '_>, tried: &[Tried]) -> Flow<()> {
    for Tried { trouble, failed } in tried {
        store::tried(cx.tx, trouble, failed.is_none(), cx.now)?;
    }
    Ok(())
}

/// Records what a check found. What it did not find any more is closed, as far as it looked.
pub fn record_check(cx: &mut Cx<'_, '_>, report: &Report, depth: Depth) -> Flow<()> {
    store::save_answer(cx.tx, &report.store, report.away.as_deref(), cx.now)?;
    if report.away.is_some() {
        return Ok(());
    }
    let defects = u64::try_from(report.defects.len()).unwrap_or(u64::MAX);
    let check = LastCheck { at: cx.now, depth, contents: report.contents, defects };
    store::save_check(cx.tx, &report.store, &check)?;
    let standing: HashSet<&str> = report.defects.iter().map(|found| found.sha256.as_str()).collect();
    close_others(cx, report, depth, &standing)?;
    for found in &report.defects {
        let defect = found.defect.parse().unwrap_or(Defect::Damaged);
        store::note(cx.tx, (&report.store, &found.sha256), (defect, &found.detail), cx.now)?;
    }
    Ok(())
}

fn close_others(cx: &mut Cx<'_, '_>, report: &Report, depth: Depth, standing: &HashSet<&str>) -> Flow<()> {
    let copied: HashSet<&str> = report.copied.iter().map(|found| found.sha256.as_str()).collect();
    let now: Timestamp = cx.now;
    for trouble in store::open_of(cx.tx, &report.store)? {
        let sha256 = trouble.sha256.as_str();
        // Damage may hide behind the right size: only who has read the content may say that it is well.
        let looked = depth == Depth::Content || trouble.defect == Defect::Missing || copied.contains(sha256);
        if looked && !standing.contains(sha256) {
            store::found_well(cx.tx, &report.store, sha256, now)?;
        }
    }
    Ok(())
}
