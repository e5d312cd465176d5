//! Downloads: counted sessions of handing out one file of a grant, or all of them in one archive.
//!
//! A POST reserves a place and opens a session; GETs of the session's transfer token are free,
//! with ranges, in parallel, as often as a download manager likes. A place is spent when the
//! content has been handed out once over all sessions; a session that went idle gives its
//! place back only while it has handed out less than a tenth. An archive takes a place of each of
//! its files, and spends or gives back all of them together.

pub mod archive_store;
mod body;
mod carriers;
pub mod counting;
pub mod flow;
pub mod handing_over;
pub mod jobs;
mod opening;
pub mod packing;
pub mod pages;
pub mod running;
pub mod store;

use std::sync::OnceLock;

use archive::Layout;
use http::HeaderMap;
use kernel::{DownloadId, FileVersionId, GrantId, MerchantId, OrderId, Span, Timestamp};

use crate::links;
use crate::ring::Ring;
use crate::storage::Way;

db::words! {
    /// What became of a session's place.
    pub enum DownloadState {
        /// Reserved.
        Open = "open",
        /// Used: the content was handed out.
        Spent = "spent",
        /// Given back: nothing much was handed out.
        Returned = "returned",
    }
}

/// What a session hands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parcel {
    /// One content.
    File(FileVersionId),
    /// All files that the grant gave when the session began.
    Archive {
        /// What the bytes were promised as: they are computed anew for each request.
        etag: String,
    },
}

/// A session of handing out one file, or one archive.
#[derive(Debug, Clone)]
pub struct Download {
    /// Its id.
    pub id: DownloadId,
    /// Whose.
    pub merchant: MerchantId,
    /// By which right.
    pub grant: GrantId,
    /// What.
    pub parcel: Parcel,
    /// The grant's generation when it began; a reissue ends the session.
    pub generation: u32,
    /// What its transfer token is derived from.
    pub nonce: [u8; 16],
    /// Which ring key signs that.
    pub ring_key: u32,
    /// What became of its place.
    pub state: DownloadState,
    /// Handed out so far.
    pub bytes: u64,
    /// Of the content, or of all contents in the archive.
    pub size: u64,
    /// The client's address.
    pub address: String,
    /// The client's program.
    pub user_agent: String,
    /// When the place was reserved.
    pub started_at: Timestamp,
    /// When bytes last flowed.
    pub last_byte_at: Timestamp,
}

/// A file that a grant gives, with the state of its places.
#[derive(Debug, Clone)]
pub struct GrantedFile {
    /// The content.
    pub version: FileVersionId,
    /// The name that buyers save it under.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hex.
    pub sha256: String,
    /// Hex.
    pub md5: String,
    /// For archives.
    pub crc32: u32,
    /// When the seller added it.
    pub created_at: Timestamp,
    /// Places that are spent or reserved.
    pub taken: u32,
}

/// A content that a session hands out.
#[derive(Debug, Clone)]
pub struct Content {
    /// Which.
    pub version: FileVersionId,
    /// Hex: where the bytes lie that are handed out, which in an archive may be a deflated stream.
    pub sha256: String,
    /// How many there are.
    pub size: u64,
    /// The size of the file itself, which its places are charged with.
    pub charged: u64,
    /// Bytes of it that the session has handed out, by its saved count.
    pub handed_out: u64,
}

/// What is handed out, ready to be read.
#[derive(Debug)]
pub enum Goods {
    /// A file, as it is.
    File(Content),
    /// An archive, and its contents in the order of its entries.
    Archive(Box<Layout>, Vec<Content>),
}

impl Goods {
    /// The contents that bytes are counted for.
    pub fn contents(&self) -> &[Content] {
        match self {
            Self::File(content) => std::slice::from_ref(content),
            Self::Archive(_, contents) => contents,
        }
    }

    /// The strong entity tag.
    pub fn etag(&self) -> &str {
        match self {
            Self::File(content) => &content.sha256,
            Self::Archive(layout, _) => layout.etag(),
        }
    }

    /// Bytes of the whole.
    pub fn length(&self) -> u64 {
        match self {
            Self::File(content) => content.size,
            Self::Archive(layout, _) => layout.length(),
        }
    }
}

/// The only handle to bytes: whoever has one has been authorized for exactly these goods now.
#[derive(Debug)]
pub struct Authorized {
    pub(super) merchant: MerchantId,
    pub(super) order: OrderId,
    pub(super) grant: GrantId,
    pub(super) download: DownloadId,
    pub(super) name: String,
    pub(super) goods: Goods,
    pub(super) way: Way,
    pub(super) generation: u32,
    pub(super) code: [u8; 16],
    pub(super) until: Timestamp,
    /// What its answers say of the goods, once that was put together.
    pub(super) head: OnceLock<HeaderMap>,
}

impl Authorized {
    /// Whose.
    pub const fn merchant(&self) -> MerchantId {
        self.merchant
    }
    /// From which order.
    pub const fn order(&self) -> OrderId {
        self.order
    }
    /// By which right: what a running transfer must keep watching.
    pub const fn grant(&self) -> GrantId {
        self.grant
    }
    /// The grant's generation that it was given under.
    pub const fn generation(&self) -> u32 {
        self.generation
    }
    /// The session that the bytes are counted in.
    pub const fn download(&self) -> DownloadId {
        self.download
    }
    /// The name to save it under.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// What may be handed out.
    pub const fn goods(&self) -> &Goods {
        &self.goods
    }
}

/// How long after its start a session may be resumed, also past the link's expiry.
pub const SESSION_LIFE: Span = Span::hours(24);
/// A session without bytes for so long is idle: its place is spent or given back.
pub const SESSION_IDLE: Span = Span::hours(1);
/// Less than a tenth handed out: the place goes back.
const RETURNED_BELOW_PARTS: u64 = 10;
/// What a session may hand out beyond its content: resumes that overlap, and small files' heads.
const SURPLUS_BYTES: u64 = 64 * 1024;

/// Whether a session may still hand out bytes by its own count.
pub const fn within_budget(bytes: u64, size: u64) -> bool {
    bytes < size.saturating_mul(2).saturating_add(SURPLUS_BYTES)
}

/// What an idle session's place becomes.
pub const fn place_when_idle(bytes: u64, size: u64) -> DownloadState {
    if bytes.saturating_mul(RETURNED_BELOW_PARTS) < size {
        DownloadState::Returned
    } else {
        DownloadState::Spent
    }
}

/// Whether a session's place is used up: the content has been handed out once more, over all
/// sessions, than places were used before.
pub const fn handed_out_once(bytes_of_all: u64, size: u64, spent_places: u64) -> bool {
    bytes_of_all >= size.saturating_mul(spent_places.saturating_add(1))
}

/// The code of a session's transfer token.
pub fn transfer_code(ring: &Ring, download: &Download) -> Option<[u8; 16]> {
    let file;
    let parcel: &[u8] = match &download.parcel {
        Parcel::File(version) => {
            file = version.bits().to_be_bytes();
            &file
        }
        Parcel::Archive { etag } => etag.as_bytes(),
    };
    let parts: [&[u8]; 6] = [
        &download.merchant.bits().to_be_bytes(),
        &download.id.bits().to_be_bytes(),
        &download.nonce,
        &download.grant.bits().to_be_bytes(),
        parcel,
        &download.generation.to_be_bytes(),
    ];
    ring.code(download.ring_key, "transfer", &parts)
}

/// A session's transfer token.
pub fn transfer_token(ring: &Ring, download: &Download) -> Option<String> {
    transfer_code(ring, download).map(|code| links::join(download.id.bits(), code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_session_gives_its_place_back_only_under_a_tenth() {
        assert_eq!(place_when_idle(0, 1000), DownloadState::Returned);
        assert_eq!(place_when_idle(99, 1000), DownloadState::Returned);
        assert_eq!(place_when_idle(100, 1000), DownloadState::Spent);
        assert_eq!(place_when_idle(0, 0), DownloadState::Spent);
    }

    #[test]
    fn a_session_cannot_be_fetched_from_for_ever() {
        assert!(within_budget(1000, 1000));
        assert!(!within_budget(2_000_000 + 64 * 1024, 1_000_000));
    }
}
