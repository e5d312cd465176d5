//! Where a keyed link leads: the landing page, or why there is none any more.

use db::Source;
use kernel::{Secret, Timestamp};
use ui::delivery::{ClosedLinkPage, ClosedReason, LinkArchive, LinkFile, LinkPage};
use ui::shop::LinkState;

use crate::archives::flow::Packing;
use crate::archives::{self, PasswordRule};
use crate::downloads::flow::{no_such_link, offered, open_link, unfinished};
use crate::downloads::{self, Download, GrantedFile, Parcel, archive_store, packing};
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::merchants::{self, Address, Merchant};
use crate::orders::{self, Line, Order, view};
use crate::parts::{self, MadeText, UnitPart};
use crate::problem::Flow;
use crate::products;
use crate::ring::Ring;
use crate::storage::{self, Way};

/// A grant with everything that its landing page shows.
#[derive(Debug)]
pub struct Seen {
    /// Whose.
    pub merchant: Merchant,
    /// Where its shop is.
    pub address: Address,
    /// The right.
    pub grant: Grant,
    /// From which order.
    pub order: Order,
    /// From which line.
    pub line: Line,
    /// Its files.
    pub files: Vec<GrantedFile>,
    /// What was begun.
    pub sessions: Vec<Download>,
    /// Of that, archives of just these files, oldest first. One that began before a file was
    /// deflated has other bytes than one that begins now, and can be gone on with all the same.
    pub archives: Vec<Download>,
    /// The archive that would begin now, where there are several files.
    pub packed: Option<archive::Layout>,
    /// How to get support for the product.
    pub support_text: String,
    /// The password of the archive, where the page tells it.
    pub password: Option<Secret<String>>,
    /// The buyer has to choose it first.
    pub awaits_password: bool,
    /// What the buyer is told.
    pub texts: Vec<MadeText>,
    /// What is made for it.
    pub parts: Vec<UnitPart>,
    /// Who delivers its files.
    pub way: Way,
}

/// Reads what a link leads to. Nothing is spent by that.
pub fn see(source: &mut impl Source, ring: &Ring, base_url: &str, token: &str) -> Flow<Seen> {
    let grant = open_link(source, ring, token)?;
    let merchant = merchants::store::by_id(source, grant.merchant)?;
    let order = orders::store::by_id(source, grant.merchant, grant.order)?.ok_or_else(no_such_link)?;
    let lines = orders::store::lines(source, grant.merchant, grant.order)?;
    let line = lines.into_iter().find(|line| line.id == grant.line).ok_or_else(no_such_link)?;
    let product = match line.product {
        Some(product) => products::store::by_id(source, grant.merchant, product)?,
        None => None,
    };
    let files = downloads::store::files(source, &grant)?;
    let sessions = downloads::store::of_grant(source, grant.merchant, grant.id)?;
    let packing = archives::flow::packing(source, ring, line.deliverables.archive.as_ref(), &grant)?;
    Ok(Seen {
        address: merchants::store::address(source, base_url, &merchant)?,
        archives: archive_store::of_files(source, &sessions, &files)?,
        awaits_password: matches!(packing, Packing::AwaitsPassword),
        packed: offered(source, packing, &files)?,
        password: shown_password(source, ring, &grant, &line)?,
        files,
        sessions,
        way: storage::store::way(source, grant.merchant)?,
        support_text: product.map(|product| product.support_text).unwrap_or_default(),
        texts: parts::flow::texts(source, ring, &grant, &line)?,
        parts: parts::store::of_grant(source, &grant, &line)?,
        merchant,
        order,
        line,
        grant,
    })
}

/// The password, as far as it may stand on the page: what comes in a mail of its own does not.
fn shown_password(
    source: &mut impl Source,
    ring: &Ring,
    grant: &Grant,
    line: &Line,
) -> Flow<Option<Secret<String>>> {
    let rule = line.deliverables.archive.as_ref().and_then(|terms| terms.password);
    match rule {
        Some(PasswordRule::Page) => Ok(archives::flow::password(source, ring, grant)?),
        Some(PasswordRule::Mail | PasswordRule::Chosen) | None => Ok(None),
    }
}

impl Seen {
    /// Why there is nothing to be had; `None` while there is.
    pub fn closed(&self, now: Timestamp) -> Option<ClosedReason> {
        match view::link_state(&self.grant, &self.files, now) {
            LinkState::Open => None,
            LinkState::Expired => Some(ClosedReason::Expired),
            LinkState::Revoked => Some(ClosedReason::Revoked),
            LinkState::UsedUp => {
                let begun = |file: &GrantedFile| self.begun(&Parcel::File(file.version), now).is_some();
                let any = self.files.iter().any(begun) || self.archive_begun(now).is_some();
                (!any).then_some(ClosedReason::UsedUp)
            }
        }
    }

    /// A download of this that broke off, and can be gone on with.
    pub fn begun(&self, parcel: &Parcel, now: Timestamp) -> Option<Download> {
        unfinished(&self.sessions, &self.grant, parcel, now)
    }

    /// A download of the archive that broke off, and can be gone on with.
    pub fn archive_begun(&self, now: Timestamp) -> Option<Download> {
        let begun =
            |session: &Download| unfinished(std::slice::from_ref(session), &self.grant, &session.parcel, now);
        self.archives.iter().rev().find_map(begun)
    }

    fn rule(&self) -> Option<PasswordRule> {
        self.line.deliverables.archive.as_ref().and_then(|terms| terms.password)
    }

    fn archive(&self, token: &str, now: Timestamp) -> Option<LinkArchive> {
        let packed = self.packed.as_ref()?;
        let begun = self.archive_begun(now).is_some();
        let verb = if begun { "archive/resume" } else { "archive" };
        Some(LinkArchive {
            name: packing::name(&self.line.name),
            bytes: packed.length(),
            files: u32::try_from(self.files.len()).unwrap_or(u32::MAX),
            post_path: format!("/d/{token}/{verb}"),
            downloads_left: view::downloads_left(&self.grant, &self.files),
            in_progress: begun,
            password: self.password.as_ref().map(|password| password.expose().clone()),
            password_mailed: self.rule() == Some(PasswordRule::Mail),
            password_chosen: self.rule() == Some(PasswordRule::Chosen),
        })
    }

    /// The landing page.
    pub fn page(&self, token: &str, now: Timestamp) -> LinkPage {
        let alone = self.line.deliverables.archive.is_none();
        let file = |file: &GrantedFile| {
            let begun = self.begun(&Parcel::File(file.version), now).is_some();
            let verb = if begun { "resume" } else { "files" };
            LinkFile {
                facts: view::facts(file),
                // What comes as one archive is not had otherwise.
                post_path: alone.then(|| format!("/d/{token}/{verb}/{}", file.version)),
                downloads_left: Some(self.grant.download_limit.saturating_sub(file.taken)),
                in_progress: begun,
            }
        };
        LinkPage {
            product: self.line.name.clone(),
            unit: self.grant.unit_no,
            units: fulfillment::units_of(self.line.quantity).0,
            order_number: view::number(&self.order),
            paid_at: self.order.paid_at.unwrap_or(self.order.created_at),
            expires_at: Some(self.grant.expires_at),
            archive: self.archive(token, now),
            password_path: self.awaits_password.then(|| format!("/d/{token}/password")),
            password_error: None,
            files: self.files.iter().map(file).collect(),
            keys: self.texts.iter().map(view::key_shown).collect(),
            making: parts::any_unfinished(&self.parts),
            note: Some(self.support_text.clone()).filter(|text| !text.trim().is_empty()),
            provisional: self.grant.status == GrantStatus::Provisional,
        }
    }

    /// The page of a link that is over.
    pub fn closed_page(&self, token: &str, reason: ClosedReason) -> ClosedLinkPage {
        let renewable = match reason {
            ClosedReason::Expired | ClosedReason::UsedUp => true,
            ClosedReason::Revoked | ClosedReason::Reissued => false,
        };
        ClosedLinkPage {
            reason,
            product: self.line.name.clone(),
            order_number: view::number(&self.order),
            request_path: renewable.then(|| "/links/renew".to_owned()),
            link: token.to_owned(),
        }
    }
}
