//! Starting, authorizing, counting and closing downloads.

use std::sync::{Arc, OnceLock};

use db::{DbError, Source};
use kernel::{DownloadId, FileVersionId, Timestamp};

use super::{
    Authorized, Download, DownloadState, GrantedFile, SESSION_IDLE, SESSION_LIFE, handed_out_once,
    place_when_idle, store, transfer_code, within_budget,
};
use crate::cx::Cx;
use crate::fulfillment::{Grant, GrantStatus};
use crate::links::{self, Presented};
use crate::problem::{Code, Flow, Problem};
use crate::ring::Ring;

/// How many idle sessions one transaction closes.
const CLOSED_AT_ONCE: u32 = 200;

/// Who is downloading, as it is recorded.
#[derive(Debug, Clone)]
pub struct Client {
    /// The network address.
    pub address: String,
    /// The `User-Agent`, cut to a sane length.
    pub user_agent: String,
}

/// The grant behind a keyed link.
///
/// Unknown and wrong are one answer, so that nothing can be learned by guessing.
pub fn open_link(source: &mut impl Source, ring: &Ring, token: &str) -> Flow<Grant> {
    let presented = Presented::read(token).ok_or_else(no_such_link)?;
    let grant = crate::fulfillment::store::by_link(source, presented.grant())?;
    // The code is computed also when there is no such grant, so that both take the same time.
    let code = match &grant {
        Some(grant) => links::grant_code(ring, grant),
        None => ring.code(ring.newest(), "link", &[&[0; 16], &[0; 16], &[0; 16], &[0; 4]]),
    };
    match grant {
        Some(grant) if presented.proves(code) => Ok(grant),
        _ => Err(no_such_link().into()),
    }
}

fn presented_is_current(ring: &Ring, grant: &Grant, token: &str) -> bool {
    Presented::read(token).is_some_and(|presented| presented.proves(links::grant_code(ring, grant)))
}

/// Whether a grant's link may be used now.
pub fn usable(grant: &Grant, now: Timestamp) -> Result<(), Problem> {
    match grant.status {
        GrantStatus::Revoked => Err(Problem::new(Code::Revoked, "this download has been withdrawn")),
        GrantStatus::Suspended => {
            Err(Problem::new(Code::Revoked, "this download is on hold, because its payment is in question"))
        }
        GrantStatus::Active | GrantStatus::Provisional if now >= grant.expires_at => {
            Err(Problem::new(Code::Expired, "this link has expired; you can have a new one sent to you"))
        }
        GrantStatus::Active | GrantStatus::Provisional => Ok(()),
    }
}

/// Reserves a place and opens a session for one file of a grant.
pub fn start(cx: &mut Cx<'_, '_>, token: &str, file: FileVersionId, client: &Client) -> Flow<Download> {
    let grant = open_link(cx.tx, cx.ring, token)?;
    cx.merchant = grant.merchant;
    // A reissue that runs at the same time comes before or after, not in between: its new
    // generation must not begin with a place that the old one took.
    let grant = crate::fulfillment::store::share(cx.tx, grant.id)?.ok_or_else(no_such_link)?;
    if !presented_is_current(cx.ring, &grant, token) {
        return Err(no_such_link().into());
    }
    usable(&grant, cx.now)?;
    let files = store::files(cx.tx, &grant)?;
    let wanted: GrantedFile =
        files.into_iter().find(|granted| granted.version == file).ok_or_else(no_such_link)?;
    store::ensure_places(cx.tx, &grant, file)?;
    if !store::reserve_place(cx.tx, &grant, file)? {
        let text =
            format!("this file has been downloaded {} times, which is its limit", grant.download_limit);
        return Err(Problem::new(Code::UsedUp, text).into());
    }
    let download = Download {
        id: DownloadId::mint(cx.draws),
        merchant: grant.merchant,
        grant: grant.id,
        file,
        generation: grant.generation,
        nonce: cx.draws.nonce(),
        ring_key: cx.ring.newest(),
        state: DownloadState::Open,
        bytes: 0,
        size: wanted.size,
        address: client.address.clone(),
        user_agent: client.user_agent.chars().take(200).collect(),
        started_at: cx.now,
        last_byte_at: cx.now,
    };
    store::insert(cx.tx, &download)?;
    Ok(download)
}

/// A session that broke off and has its place already: to be gone on with, free of charge.
pub fn unfinished(
    sessions: &[Download],
    grant: &Grant,
    file: FileVersionId,
    now: Timestamp,
) -> Option<Download> {
    let open = sessions.iter().filter(|session| {
        session.file == file
            && session.generation == grant.generation
            && session.state == DownloadState::Open
            && session.bytes < session.size
            && now < session.started_at + SESSION_LIFE
    });
    open.max_by_key(|session| session.id.bits()).cloned()
}

/// The one door to bytes: whether this transfer token may have its file now.
///
/// A session that began in time may be finished for a day, also past the link's expiry; a
/// revocation, a suspension or a reissue ends it at once.
pub fn authorize(source: &mut impl Source, ring: &Ring, token: &str, now: Timestamp) -> Flow<Authorized> {
    let presented = Presented::read(token).ok_or_else(no_such_link)?;
    let session = store::session(source, DownloadId::from_bits(presented.id))?;
    let code = match &session {
        Some(session) => transfer_code(ring, &session.download),
        None => {
            ring.code(ring.newest(), "transfer", &[&[0; 16], &[0; 16], &[0; 16], &[0; 16], &[0; 16], &[0; 4]])
        }
    };
    let (Some(session), Some(code), true) = (session, code, presented.proves(code)) else {
        return Err(no_such_link().into());
    };
    let (download, grant) = (&session.download, &session.grant);
    if !matches!(grant.status, GrantStatus::Active | GrantStatus::Provisional) {
        usable(grant, now)?;
    }
    let stale = download.generation != grant.generation || download.state == DownloadState::Returned;
    let until = download.started_at + SESSION_LIFE;
    if stale || now >= until || !within_budget(download.bytes, download.size) {
        return Err(
            Problem::new(Code::Expired, "this transfer is over; start it again from your link").into()
        );
    }
    Ok(Authorized {
        merchant: grant.merchant,
        order: grant.order,
        grant: grant.id,
        download: download.id,
        file: download.file,
        name: session.name,
        sha256: session.sha256,
        size: download.size,
        generation: grant.generation,
        handed_out: download.bytes,
        code,
        until,
        head: OnceLock::new(),
    })
}

/// Bytes that a session has handed out since it was last counted.
#[derive(Debug, Clone)]
pub struct Count {
    /// What they were handed out by.
    pub authorized: Arc<Authorized>,
    /// How many.
    pub bytes: u64,
}

/// Counts bytes that were handed out in several sessions.
pub fn count_all(cx: &mut Cx<'_, '_>, counts: &[Count]) -> Result<(), DbError> {
    let place = |count: &Count| (count.authorized.grant.bits(), count.authorized.file.bits());
    let mut ordered: Vec<&Count> = counts.iter().collect();
    // Rows are held in the order of their ids, so that two nodes do not wait for each other.
    ordered.sort_unstable_by_key(|count| place(count));
    ordered.chunk_by(|one, other| place(one) == place(other)).try_for_each(|same| count_file(cx, same))
}

/// Counts sessions of one file of one grant.
fn count_file(cx: &mut Cx<'_, '_>, counts: &[&Count]) -> Result<(), DbError> {
    let Some(of) = counts.first().map(|count| Arc::clone(&count.authorized)) else { return Ok(()) };
    cx.merchant = of.merchant;
    let Some(mut handed) = store::lock_handed(cx.tx, &of)? else { return Ok(()) };
    let before = handed;
    // Read under the lock: a sweep or a reissue may have ended a session meanwhile.
    let generation = crate::fulfillment::store::generation(cx.tx, of.merchant, of.grant)?;
    for count in counts {
        let session = &count.authorized;
        let Some(state) = store::state(cx.tx, session.download)? else { continue };
        if generation != Some(session.generation) {
            // The last bytes of a link that was replaced are not held against the new one.
            store::add_bytes(cx.tx, session, count.bytes, state, cx.now)?;
            continue;
        }
        handed.bytes = handed.bytes.saturating_add(count.bytes);
        let done = handed_out_once(handed.bytes, session.size, handed.spent_places);
        let becomes = match state {
            DownloadState::Open if done => DownloadState::Spent,
            state => state,
        };
        handed.spent_places += u64::from(state != becomes);
        store::add_bytes(cx.tx, session, count.bytes, becomes, cx.now)?;
    }
    store::add_handed(cx.tx, &of, before, handed)
}

/// Ends sessions that went idle. Answers whether some are left.
pub fn close_idle(cx: &mut Cx<'_, '_>) -> Result<bool, DbError> {
    let mut idle = store::idle(cx.tx, cx.now - SESSION_IDLE, CLOSED_AT_ONCE)?;
    // Rows are held in the order of their ids, so that two nodes do not wait for each other.
    idle.sort_unstable_by_key(|download| (download.grant.bits(), download.file.bits()));
    for download in &idle {
        store::lock_places(cx.tx, download)?;
        store::close_idle(cx.tx, download, place_when_idle(download.bytes, download.size))?;
    }
    Ok(idle.len() == usize::try_from(CLOSED_AT_ONCE).unwrap_or(usize::MAX))
}

/// What every token that opens nothing is told.
pub fn no_such_link() -> Problem {
    Problem::new(Code::NotFound, "there is nothing under this link")
}
