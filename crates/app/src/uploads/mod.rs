//! Uploads: contents that arrive in pieces, over lines that break.
//!
//! An upload has a row that says how many bytes of it are durable, and grows in the blob store
//! under its id. A piece is written, made durable, and only then noted; so whoever goes on asks
//! where, and nothing that was noted is ever lost. When all has arrived it is hashed, which is
//! noted too, becomes a blob, and then a file of its product. Finishing twice is finishing once:
//! the row knows which version came of it. An upload that nobody goes on with runs out.

pub mod api;
pub mod flow;
pub mod jobs;
pub mod staff_pages;
pub mod store;
pub mod taking;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{FileVersionId, MerchantId, ProductFileId, ProductId, Span, Timestamp, UploadId};
use stores::Progress;

/// How long an upload may stand still: over a weekend.
pub const EXPIRES_AFTER: Span = Span::days(3);
/// Uploads of a merchant that may be under way.
pub const UNDER_WAY_MAX: u32 = 1_000;
/// Largest size that can be announced: beyond what any disk has.
pub const SIZE_MAX: u64 = 1 << 50;

/// A content that arrives in pieces.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id, which is also what it is called in the blob store.
    pub id: UploadId,
    /// Whose.
    pub merchant: MerchantId,
    /// To be a file of this product.
    pub product: ProductId,
    /// In whose place; `None`: a new one, or that of the same name.
    pub file: Option<ProductFileId>,
    /// The name that buyers will save it under.
    pub name: String,
    /// How large it will be, if that was announced.
    pub size: Option<u64>,
    /// How many bytes of it are durable.
    pub received: u64,
    /// Of all of it, once it is whole. In hex.
    pub sha256: Option<String>,
    /// What came of it.
    pub version: Option<FileVersionId>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When something of it last arrived.
    pub touched_at: Timestamp,
}

impl Upload {
    /// Until when somebody must have gone on with it.
    pub fn expires_at(&self) -> Timestamp {
        self.touched_at + EXPIRES_AFTER
    }
}

/// How far uploads have come that went through this process: what spares reading them again when
/// they are finished. Losing it costs time, and nothing else.
#[derive(Debug, Default)]
pub struct Paused(Mutex<HashMap<UploadId, Progress>>);

/// So many are remembered.
const PAUSED_MAX: usize = 512;

impl Paused {
    fn known(&self) -> MutexGuard<'_, HashMap<UploadId, Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of an upload. Whoever goes on with it takes it along.
    pub fn take(&self, id: UploadId) -> Option<Progress> {
        self.known().remove(&id)
    }

    /// Remembers how far an upload has come, if there is room.
    pub fn keep(&self, id: UploadId, progress: Progress) {
        let mut known = self.known();
        if known.len() < PAUSED_MAX {
            known.insert(id, progress);
        }
    }
}
