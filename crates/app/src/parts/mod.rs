//! Parts: what is made for a unit after it was paid, beside the files of its product.
//!
//! The rows are written in the transaction that gives the unit, with a job for each. The job
//! works outside and records what it made in one transaction, so that doing it again changes
//! nothing. The receipt never waits for a part; the pages say what is still being made.

pub mod flow;
pub mod jobs;
pub mod staff_pages;
pub mod store;
pub mod sweep;

use kernel::{FileVersionId, LineId, MerchantId, OrderId, Timestamp};

use crate::fulfillment::Grant;
use crate::orders::{Line, Order};
use crate::products::flow::StoredFile;

db::words! {
    /// What is made.
    pub enum Part {
        /// Files that a spec names.
        Payload = "payload",
        /// What lets the buyer in elsewhere.
        Access = "access",
        /// Copies of files for the buyer's own key.
        Encrypt = "encrypt",
        /// A drawing that the buyer filled in.
        Artwork = "artwork",
        /// What a plug-in hands over.
        Plugin = "plugin",
        /// What staff send.
        DropShip = "drop_ship",
        /// The buyer's own copy of a file, stamped; the subject is the file's version.
        Stamp = "stamp",
    }
}

impl Part {
    /// Whether it may be made while the money is still on its way. What leaves the house or uses
    /// something up waits for the money.
    pub const fn before_money(self) -> bool {
        match self {
            Self::Payload | Self::Stamp | Self::Encrypt => true,
            // A print is the good itself, and may leave the house.
            Self::Artwork | Self::Plugin | Self::DropShip | Self::Access => false,
        }
    }
}

db::words! {
    /// How far a part is.
    pub enum PartState {
        /// To be made.
        Waiting = "waiting",
        /// It is there.
        Done = "done",
        /// It cannot be made; a person decides.
        Held = "held",
        /// A person decided to deliver without it.
        LeftOut = "left_out",
        /// It was there, its link has been over for long, and it can be made again.
        Swept = "swept",
    }
}

/// Names one part.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartKey {
    /// Of which line.
    pub line: LineId,
    /// Of which of its units.
    pub unit_no: u32,
    /// What.
    pub part: Part,
    /// What of it, such as a version of a file; empty for the whole.
    pub subject: String,
}

/// A part with how far it is.
#[derive(Debug, Clone)]
pub struct UnitPart {
    /// Which.
    pub key: PartKey,
    /// Whose.
    pub merchant: MerchantId,
    /// From which order.
    pub order: OrderId,
    /// How far.
    pub state: PartState,
    /// Why it is held or waits; a sentence for staff.
    pub detail: String,
    /// Since when it is wanted.
    pub created_at: Timestamp,
}

/// Whether something of these is still to come.
pub fn any_unfinished(parts: &[UnitPart]) -> bool {
    parts.iter().any(UnitPart::is_unfinished)
}

impl UnitPart {
    /// Whether it is still to come.
    pub const fn is_unfinished(&self) -> bool {
        matches!(self.state, PartState::Waiting | PartState::Held)
    }
}

/// A unit that a part is made for, as the job sees it.
#[derive(Debug, Clone)]
pub struct Unit {
    /// The part.
    pub part: UnitPart,
    /// Its order.
    pub order: Order,
    /// Its line.
    pub line: Line,
    /// Its grant.
    pub grant: Grant,
    /// How often making it was tried, from 1.
    pub attempt: u32,
}

/// A content that was made.
#[derive(Debug, Clone)]
pub struct MadeFile {
    /// It lies in the blob store already.
    pub stored: StoredFile,
    /// The product's file that it is handed out in place of.
    pub replaces: Option<FileVersionId>,
}

/// Something to tell the buyer.
#[derive(Debug, Clone)]
pub struct MadeText {
    /// What it is: "User name".
    pub label: String,
    /// The text; sealed in the database.
    pub text: String,
}

/// What came of making a part.
#[derive(Debug, Clone)]
pub enum Made {
    /// It is there.
    Done {
        /// Contents, in the order in which they are listed.
        files: Vec<MadeFile>,
        /// What the buyer is told.
        texts: Vec<MadeText>,
    },
    /// It is there, and more is to be made because of it.
    Leads {
        /// Contents, in the order in which they are listed.
        files: Vec<MadeFile>,
        /// What else, each with its subject.
        further: Vec<(Part, String)>,
    },
    /// No copy of a file can be made, and the file itself is handed out; the sentence says why.
    AsItIs(FileVersionId, String),
    /// A person has to decide; the sentence says why and what can be done.
    Held(String),
    /// It is held, and nobody is asked: the seller wanted it so. The sentence says why.
    Kept(String),
    /// Nothing can be done until somebody refills a stock; whoever does resumes it.
    Waits(String),
}
