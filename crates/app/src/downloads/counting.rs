//! Counting what sessions hand out, and what becomes of their places.
//!
//! Whoever changes a session holds the places of its grant first. All hold them grant by grant in
//! the order of ids, and a grant's in the order of its files, so that two nodes do not wait for
//! each other.

use std::sync::Arc;

use db::{DbError, Tx};
use kernel::{FileVersionId, GrantId, MerchantId};

use super::store::{Places, Tally};
use super::{
    Authorized, Download, DownloadState, Goods, Parcel, SESSION_IDLE, archive_store, handed_out_once,
    place_when_idle, store,
};
use crate::cx::Cx;

/// How many idle sessions one transaction closes.
const CLOSED_AT_ONCE: u32 = 200;

/// Bytes that a session has handed out since it was last counted.
#[derive(Debug, Clone)]
pub struct Count {
    /// What they were handed out by.
    pub authorized: Arc<Authorized>,
    /// How many of each of its contents.
    pub bytes: Vec<u64>,
}

impl Count {
    fn total(&self) -> u64 {
        self.bytes.iter().copied().fold(0, u64::saturating_add)
    }
}

/// Counts bytes that were handed out in several sessions.
pub fn count_all(cx: &mut Cx<'_, '_>, counts: &[Count]) -> Result<(), DbError> {
    let grant = |count: &Count| count.authorized.grant.bits();
    let mut ordered: Vec<&Count> = counts.iter().collect();
    ordered.sort_unstable_by_key(|count| grant(count));
    ordered.chunk_by(|one, other| grant(one) == grant(other)).try_for_each(|same| count_grant(cx, same))
}

/// Counts sessions of one grant.
fn count_grant(cx: &mut Cx<'_, '_>, counts: &[&Count]) -> Result<(), DbError> {
    let Some(of) = counts.first().map(|count| Arc::clone(&count.authorized)) else { return Ok(()) };
    cx.merchant = of.merchant;
    let mut held = Held::of(cx.tx, of.merchant, of.grant)?;
    // Read under the lock: a sweep or a reissue may have ended a session meanwhile.
    let generation = crate::fulfillment::store::generation(cx.tx, of.merchant, of.grant)?;
    for count in counts {
        let session = &count.authorized;
        let Some(tally) = store::tally(cx.tx, session.download)? else { continue };
        // The last bytes of a link that was replaced are not held against the new one.
        let is_current = generation == Some(session.generation);
        let becomes = if is_current { held.count(count, tally) } else { tally.state };
        store::add_bytes(cx.tx, session, count.total(), becomes, cx.now)?;
        add_to_contents(cx, count)?;
    }
    held.save(cx.tx)
}

/// Charges a session with all of its file, which is left to somebody else to hand out: nobody will
/// tell how much of it was. Its place is spent; later times cost nothing.
pub fn charge_whole(cx: &mut Cx<'_, '_>, session: &Authorized) -> Result<(), DbError> {
    let Goods::File(content) = &session.goods else { return Ok(()) };
    let mut held = Held::of(cx.tx, session.merchant, session.grant)?;
    let generation = crate::fulfillment::store::generation(cx.tx, session.merchant, session.grant)?;
    let Some(tally) = store::tally(cx.tx, session.download)? else { return Ok(()) };
    if generation != Some(session.generation) || tally.state != DownloadState::Open {
        return Ok(());
    }
    let rest = content.size.saturating_sub(tally.bytes);
    held.settle(content.version, DownloadState::Spent, rest);
    store::add_bytes(cx.tx, session, rest, DownloadState::Spent, cx.now)?;
    held.save(cx.tx)
}

fn add_to_contents(cx: &mut Cx<'_, '_>, count: &Count) -> Result<(), DbError> {
    let Goods::Archive(_, contents) = &count.authorized.goods else { return Ok(()) };
    let touched = contents.iter().zip(&count.bytes).filter(|(_, bytes)| **bytes > 0);
    for (content, bytes) in touched {
        archive_store::add_bytes(cx.tx, &count.authorized, content.version, *bytes)?;
    }
    Ok(())
}

/// Ends sessions that went idle. Answers whether some are left.
pub fn close_idle(cx: &mut Cx<'_, '_>) -> Result<bool, DbError> {
    let mut idle = store::idle(cx.tx, cx.now - SESSION_IDLE, CLOSED_AT_ONCE)?;
    idle.sort_unstable_by_key(|download| download.grant.bits());
    for download in &idle {
        let mut held = Held::of(cx.tx, download.merchant, download.grant)?;
        let becomes = place_when_idle(download.bytes, download.size);
        if store::close(cx.tx, download, becomes)? {
            for (file, charged) in charges(cx.tx, download)? {
                held.settle(file, becomes, charged);
            }
            held.save(cx.tx)?;
        }
    }
    Ok(idle.len() == usize::try_from(CLOSED_AT_ONCE).unwrap_or(usize::MAX))
}

/// The files whose places a session has, and the bytes that each is charged with when its place
/// is used up. Those of a file were counted as they were handed out; one in an archive is charged
/// as the whole file, also where a deflated stream was handed out.
fn charges(tx: &mut Tx<'_>, download: &Download) -> Result<Vec<(FileVersionId, u64)>, DbError> {
    match download.parcel {
        Parcel::File(version) => Ok(vec![(version, 0)]),
        Parcel::Archive { .. } => {
            let packed = archive_store::contents(tx, download)?;
            Ok(packed.into_iter().map(|packed| (packed.file.version, packed.file.size)).collect())
        }
    }
}

/// The places of a grant's files, held for a transaction.
struct Held {
    merchant: MerchantId,
    grant: GrantId,
    before: Vec<Places>,
    now: Vec<Places>,
}

impl Held {
    fn of(tx: &mut Tx<'_>, merchant: MerchantId, grant: GrantId) -> Result<Self, DbError> {
        let before = store::lock_places(tx, merchant, grant)?;
        Ok(Self { merchant, grant, now: before.clone(), before })
    }

    /// Counts what a session handed out, and answers what becomes of its place.
    fn count(&mut self, count: &Count, tally: Tally) -> DownloadState {
        match &count.authorized.goods {
            Goods::File(content) => {
                let Some(places) = self.places(content.version) else { return tally.state };
                places.bytes = places.bytes.saturating_add(count.total());
                let done = handed_out_once(places.bytes, content.size, u64::from(places.spent));
                if !done || tally.state != DownloadState::Open {
                    return tally.state;
                }
                self.settle(content.version, DownloadState::Spent, 0);
            }
            Goods::Archive(_, contents) => {
                let done = tally.bytes.saturating_add(count.total()) >= tally.size;
                if !done || tally.state != DownloadState::Open {
                    return tally.state;
                }
                for content in contents {
                    self.settle(content.version, DownloadState::Spent, content.charged);
                }
            }
        }
        DownloadState::Spent
    }

    /// A reserved place is used up or free again.
    ///
    /// That of an archive is charged with the whole file when it is used up, and with nothing before:
    /// a file's own sessions are measured against what they handed out themselves.
    fn settle(&mut self, file: FileVersionId, becomes: DownloadState, charged: u64) {
        let Some(places) = self.places(file) else { return };
        places.open = places.open.saturating_sub(1);
        if becomes == DownloadState::Spent {
            places.spent = places.spent.saturating_add(1);
            places.bytes = places.bytes.saturating_add(charged);
        }
    }

    fn places(&mut self, file: FileVersionId) -> Option<&mut Places> {
        self.now.iter_mut().find(|places| places.file == file)
    }

    fn save(self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        let changed = self.now.iter().zip(&self.before).filter(|(now, before)| now != before);
        for (places, _) in changed {
            store::save_places(tx, self.merchant, self.grant, places)?;
        }
        Ok(())
    }
}
