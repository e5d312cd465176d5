//! Starting and authorizing downloads.

use std::sync::OnceLock;

use archive::{Form, Layout, Protection};
use db::{DbError, Source};
use kernel::{DownloadId, FileVersionId, Timestamp};

use super::archive_store::Member;
use super::packing::{self, PackError};
use super::store::Session;
use super::{
    Authorized, Content, Download, DownloadState, Goods, GrantedFile, Parcel, SESSION_LIFE, archive_store,
    store, transfer_code, within_budget,
};
use crate::archives::{self, flow::Packing};
use crate::cx::Cx;
use crate::fulfillment::{Grant, GrantStatus};
use crate::links::{self, Presented};
use crate::packed;
use crate::problem::{Code, Flow, Problem};
use crate::ring::Ring;

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
    let grant = open_to_take(cx, token)?;
    // What is sold as one archive, with a password perhaps, is not handed out otherwise.
    if archives::store::sold_with(cx.tx, &grant)?.archive.is_some() {
        return Err(no_such_link().into());
    }
    let files = store::files(cx.tx, &grant)?;
    let wanted: GrantedFile =
        files.into_iter().find(|granted| granted.version == file).ok_or_else(no_such_link)?;
    if !take_place(cx, &grant, file)? {
        let text =
            format!("this file has been downloaded {} times, which is its limit", grant.download_limit);
        return Err(Problem::new(Code::UsedUp, text).into());
    }
    open_session(cx, &grant, Parcel::File(file), wanted.size, client)
}

/// Reserves a place of every file of a grant, and opens a session for all of them in one archive.
/// If one has no place left, none is taken.
pub fn start_archive(cx: &mut Cx<'_, '_>, token: &str, client: &Client) -> Flow<Download> {
    let grant = open_to_take(cx, token)?;
    let files = store::files(cx.tx, &grant)?;
    let terms = archives::store::sold_with(cx.tx, &grant)?.archive;
    let protection = match archives::flow::packing(cx.tx, cx.ring, terms.as_ref(), &grant)? {
        Packing::IfSeveral if files.len() >= packing::FILES_MIN => None,
        Packing::Always(protection) if !files.is_empty() => protection,
        Packing::IfSeveral | Packing::Always(_) => return Err(no_such_link().into()),
        Packing::AwaitsPassword => {
            let text = "choose the password of this archive on its page first";
            return Err(Problem::new(Code::Conflict, text).into());
        }
    };
    let members = members(cx, files)?;
    let layout = layout(&members, protection).map_err(|error| broken(&grant, &error))?;
    let mut versions: Vec<FileVersionId> = members.iter().map(|member| member.file.version).collect();
    // Rows are held in the order of their ids, so that two starts do not wait for each other.
    versions.sort_unstable_by_key(|version| version.bits());
    for version in versions {
        if !take_place(cx, &grant, version)? {
            let text = format!(
                "a file in this archive has been downloaded {} times, which is its limit; take the others one by one",
                grant.download_limit
            );
            return Err(Problem::new(Code::UsedUp, text).into());
        }
    }
    let size = members.iter().map(Member::held).fold(0, u64::saturating_add);
    let parcel = Parcel::Archive { etag: layout.etag().to_owned() };
    let download = open_session(cx, &grant, parcel, size, client)?;
    archive_store::insert(cx.tx, &download, &members)?;
    Ok(download)
}

/// The archive of a grant's files that would begin now, where there is one.
pub fn offered(
    source: &mut impl Source,
    packing: Packing,
    files: &[GrantedFile],
) -> Result<Option<Layout>, DbError> {
    let protection = match packing {
        Packing::IfSeveral if files.len() >= packing::FILES_MIN => None,
        Packing::Always(protection) if !files.is_empty() => protection,
        Packing::IfSeveral | Packing::Always(_) | Packing::AwaitsPassword => return Ok(None),
    };
    let mut members = Vec::with_capacity(files.len());
    for file in files.iter().cloned() {
        let stream = packed::store::known(source, &file.sha256)?.stream();
        members.push(Member { file, stream, handed_out: 0 });
    }
    // Each file can still be had by itself; who starts the archive nevertheless is told why it cannot be.
    Ok(layout(&members, protection).ok())
}

/// The files of a new archive, each in the form that it has by now. One that was never looked at
/// (it is older than this program knows of streams) is deflated for the next archive.
fn members(cx: &mut Cx<'_, '_>, files: Vec<GrantedFile>) -> Flow<Vec<Member>> {
    let mut members = Vec::with_capacity(files.len());
    for file in files {
        let known = packed::store::known(cx.tx, &file.sha256)?;
        if known == packed::Known::Nothing {
            packed::flow::request(cx, &file.sha256, file.size)?;
        }
        members.push(Member { file, stream: known.stream(), handed_out: 0 });
    }
    Ok(members)
}

fn layout(members: &[Member], protection: Option<Protection>) -> Result<Layout, PackError> {
    let form = |member: &Member| packing::form(&member.file, member.stream.as_ref());
    let forms: Vec<Form> = members.iter().map(form).collect::<Result<_, _>>()?;
    packing::pack(members.iter().map(|member| &member.file).zip(forms), protection)
}

/// The grant behind a link, held so that it is not replaced or taken back meanwhile.
fn open_to_take(cx: &mut Cx<'_, '_>, token: &str) -> Flow<Grant> {
    let grant = open_link(cx.tx, cx.ring, token)?;
    cx.merchant = grant.merchant;
    // A reissue that runs at the same time comes before or after, not in between: its new
    // generation must not begin with a place that the old one took.
    let grant = crate::fulfillment::store::share(cx.tx, grant.id)?.ok_or_else(no_such_link)?;
    if !presented_is_current(cx.ring, &grant, token) {
        return Err(no_such_link().into());
    }
    usable(&grant, cx.now)?;
    Ok(grant)
}

fn take_place(cx: &mut Cx<'_, '_>, grant: &Grant, file: FileVersionId) -> Flow<bool> {
    store::ensure_places(cx.tx, grant, file)?;
    Ok(store::reserve_place(cx.tx, grant, file)?)
}

fn open_session(
    cx: &mut Cx<'_, '_>,
    grant: &Grant,
    parcel: Parcel,
    size: u64,
    client: &Client,
) -> Flow<Download> {
    let download = Download {
        id: DownloadId::mint(cx.draws),
        merchant: grant.merchant,
        grant: grant.id,
        parcel,
        generation: grant.generation,
        nonce: cx.draws.nonce(),
        ring_key: cx.ring.newest(),
        state: DownloadState::Open,
        bytes: 0,
        size,
        address: client.address.clone(),
        user_agent: client.user_agent.chars().take(200).collect(),
        started_at: cx.now,
        last_byte_at: cx.now,
    };
    store::insert(cx.tx, &download)?;
    Ok(download)
}

/// A session that broke off and has its place already: to be gone on with, free of charge.
pub fn unfinished(sessions: &[Download], grant: &Grant, parcel: &Parcel, now: Timestamp) -> Option<Download> {
    let open = sessions.iter().filter(|session| {
        session.parcel == *parcel
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
        return Err(over().into());
    }
    let (name, goods) = goods(source, ring, &session)?;
    Ok(Authorized {
        merchant: grant.merchant,
        order: grant.order,
        grant: grant.id,
        download: download.id,
        name,
        goods,
        way: session.way,
        generation: grant.generation,
        code,
        until,
        head: OnceLock::new(),
    })
}

/// What a session hands out, and the name to save it under.
fn goods(source: &mut impl Source, ring: &Ring, session: &Session) -> Flow<(String, Goods)> {
    let download = &session.download;
    match (&download.parcel, &session.file) {
        (Parcel::File(version), Some((name, sha256))) => {
            let (version, sha256) = (*version, sha256.clone());
            let size = download.size;
            let content = Content { version, sha256, size, charged: size, handed_out: download.bytes };
            Ok((name.clone(), Goods::File(content)))
        }
        (Parcel::File(_), None) => Err(no_such_link().into()),
        (Parcel::Archive { etag }, _) => {
            let name = packing::name(&archive_store::product(source, download)?);
            Ok((name, archive_goods(source, ring, session, etag)?))
        }
    }
}

/// The archive of a session, computed anew. One that would have other bytes than were promised is
/// none: what a buyer has of it already would not fit.
fn archive_goods(source: &mut impl Source, ring: &Ring, session: &Session, promised: &str) -> Flow<Goods> {
    let members = archive_store::contents(source, &session.download)?;
    let terms = archives::store::sold_with(source, &session.grant)?.archive;
    let protection = match archives::flow::packing(source, ring, terms.as_ref(), &session.grant)? {
        Packing::Always(protection) => protection,
        Packing::IfSeveral | Packing::AwaitsPassword => None,
    };
    let layout = layout(&members, protection).map_err(|error| broken(&session.grant, &error))?;
    if layout.etag() != promised {
        tracing::warn!(
            download = %session.download.id, promised, now = layout.etag(),
            "an archive would have other bytes than it began with; its buyer is asked to start again"
        );
        return Err(over().into());
    }
    let content = |member: Member| Content {
        version: member.file.version,
        size: member.held(),
        charged: member.file.size,
        sha256: member.stream.map_or(member.file.sha256, |stream| stream.sha256),
        handed_out: member.handed_out,
    };
    Ok(Goods::Archive(Box::new(layout), members.into_iter().map(content).collect()))
}

fn broken(grant: &Grant, error: &PackError) -> Problem {
    tracing::error!(%error, grant = %grant.id, "the files of a grant cannot be packed");
    Problem::new(Code::Unavailable, "these files cannot be packed at the moment; take them one by one")
}

/// What a transfer token is told that has had its time or its bytes.
pub fn over() -> Problem {
    Problem::new(Code::Expired, "this transfer is over; start it again from your link")
}

/// What every token that opens nothing is told.
pub fn no_such_link() -> Problem {
    Problem::new(Code::NotFound, "there is nothing under this link")
}
