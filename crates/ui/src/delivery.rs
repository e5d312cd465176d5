//! The landing page of a keyed link, and what stands there when the link does not work.
//!
//! Opening the page spends nothing: mail scanners open every address. Bytes come after the POST
//! of a file's button.

use std::collections::BTreeMap;

use kernel::{Span, Timestamp};
use serde::Serialize;

use crate::Template;
use crate::gallery::{Exhibit, page};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};
use crate::shop::{FileFacts, KeyShown};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] =
    embed!["delivery/link.html", "delivery/closed.html", "delivery/unknown.html", "delivery/request.html"];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    [page::<LinkPage>(), page::<ClosedLinkPage>(), page::<UnknownLinkPage>(), page::<LinkRequestPage>()]
        .into_iter()
        .flatten()
        .collect()
}

/// templates/delivery/link.html - where a keyed link leads.
#[derive(Debug, Clone, Serialize)]
pub struct LinkPage {
    /// The product's name.
    pub product: String,
    /// Which of the line's units, from 1.
    pub unit: u32,
    /// How many units the line has.
    pub units: u32,
    /// The order's number, for questions.
    pub order_number: String,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// When the link stops working; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// All files as one, where there are several.
    pub archive: Option<LinkArchive>,
    /// Where the buyer chooses the password of the archive, which has to be done first.
    pub password_path: Option<String>,
    /// What is wrong with the one that was chosen.
    pub password_error: Option<String>,
    /// The files, each with its button.
    pub files: Vec<LinkFile>,
    /// License keys, serials, logins.
    pub keys: Vec<KeyShown>,
    /// The seller's words on this product: plain text.
    pub note: Option<String>,
    /// Something of it is still being made; the page shows it when it is there.
    pub making: bool,
    /// True while the payment is pending: access may be withdrawn.
    pub provisional: bool,
}

/// All files behind a keyed link, in one archive.
#[derive(Debug, Clone, Serialize)]
pub struct LinkArchive {
    /// The name that it is saved under.
    pub name: String,
    /// How long it is.
    pub bytes: u64,
    /// How many files are in it.
    pub files: u32,
    /// Where its button posts to.
    pub post_path: String,
    /// How often it can still be downloaded; `None` without limit, 0 has no button.
    pub downloads_left: Option<u32>,
    /// A download of it has begun and can be taken up again without being counted.
    pub in_progress: bool,
    /// What it is protected with, where this page tells it.
    pub password: Option<String>,
    /// Its password came in a mail of its own.
    pub password_mailed: bool,
    /// Its password is the one that the buyer chose.
    pub password_chosen: bool,
}

/// A file behind a keyed link.
#[derive(Debug, Clone, Serialize)]
pub struct LinkFile {
    /// Name, size, checksums.
    pub facts: FileFacts,
    /// Where its button posts to; `None` when it comes in the archive alone.
    pub post_path: Option<String>,
    /// How often it can still be downloaded; `None` without limit, 0 has no button.
    pub downloads_left: Option<u32>,
    /// A download of it has begun and can be taken up again without being counted.
    pub in_progress: bool,
}

/// templates/delivery/closed.html - a genuine link that no longer works. Status 410.
///
/// Only who has the genuine link sees this; everything else gets [`UnknownLinkPage`].
#[derive(Debug, Clone, Serialize)]
pub struct ClosedLinkPage {
    /// Why.
    pub reason: ClosedReason,
    /// The product's name.
    pub product: String,
    /// The order's number, for questions.
    pub order_number: String,
    /// Where the form for a new link posts the field `link` to; `None` when there is none to be had.
    pub request_path: Option<String>,
    /// What that form posts.
    pub link: String,
}

/// Why a link no longer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedReason {
    /// Its time is over.
    Expired,
    /// Its downloads are spent.
    UsedUp,
    /// A refund, a dispute or the seller closed it.
    Revoked,
    /// A newer link took its place.
    Reissued,
}

/// templates/delivery/unknown.html - not a link of ours. Status 404.
///
/// It has no fields: an unknown link and a wrong one must look the same to the last byte.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct UnknownLinkPage {}

/// templates/delivery/request.html - "send me my links again". Posts `email` to `/links/request`.
#[derive(Debug, Clone, Serialize)]
pub struct LinkRequestPage {
    /// What was typed.
    pub email: String,
    /// Field name to what is wrong with it.
    pub errors: BTreeMap<String, String>,
    /// After the form: the same words whether or not the address is known.
    pub sent: bool,
}

impl Template for LinkPage {
    const NAME: &'static str = "delivery/link.html";

    fn samples() -> Vec<Self> {
        let file = |name: &str, bytes, downloads_left| LinkFile {
            facts: FileFacts::sample(name, bytes),
            post_path: Some(text("/d/gt_7Qm2Vx9fKp4RtZ1c/files/1")),
            downloads_left,
            in_progress: false,
        };
        let archive = |name: &str, bytes, downloads_left| LinkArchive {
            name: format!("{name}.zip"),
            bytes,
            files: 3,
            post_path: text("/d/gt_7Qm2Vx9fKp4RtZ1c/archive"),
            downloads_left,
            in_progress: false,
            password: None,
            password_mailed: false,
            password_chosen: false,
        };
        let plain = Self {
            product: text("Harbor Charts, North"),
            archive: Some(archive("Harbor Charts, North", 734_003_664, Some(0))),
            password_path: None,
            password_error: None,
            unit: 1,
            units: 1,
            order_number: text("2026-000117"),
            paid_at: NOW - Span::hours(2),
            expires_at: Some(NOW + Span::hours(70)),
            files: vec![
                file("harbor-charts-north-print.pdf", 412_500_000, Some(5)),
                LinkFile { in_progress: true, ..file("harbor-charts-north-s57.zip", 318_000_000, Some(4)) },
                file("lights-and-buoys.xlsx", 3_503_200, Some(0)),
            ],
            keys: Vec::new(),
            note: Some(text("The charts need a reader for S-57, such as OpenCPN.\n\nHave fair winds!")),
            making: false,
            provisional: false,
        };
        let short = Self {
            product: text(SHORT),
            archive: None,
            files: vec![file(SHORT, 0, None)],
            expires_at: None,
            note: None,
            making: true,
            ..plain.clone()
        };
        let long = Self {
            product: text(LONG),
            archive: Some(LinkArchive { files: 1_000, ..archive(LONG, 99_999_999_999, None) }),
            unit: 999,
            units: 1_000,
            files: vec![file(&LONG.replace(' ', "_"), 99_999_999_999, None)],
            keys: vec![KeyShown { label: text("License key"), value: "ABCDEFGH".repeat(40) }],
            note: Some(text(LONG)),
            provisional: true,
            ..plain.clone()
        };
        let rtl = Self {
            product: text(RIGHT_TO_LEFT),
            archive: Some(LinkArchive { in_progress: true, ..archive(RIGHT_TO_LEFT, 276, Some(1)) }),
            files: vec![file(RIGHT_TO_LEFT, 1, Some(1)), file("2.txt", 1, Some(1))],
            ..plain.clone()
        };
        let several = Self {
            archive: Some(archive("Harbor Charts, North", 730_500_308, Some(4))),
            files: plain.files.iter().take(2).cloned().collect(),
            ..plain.clone()
        };
        let sealed = |file: &LinkFile| LinkFile { post_path: None, ..file.clone() };
        let protected = Self {
            archive: Some(LinkArchive {
                password: Some(text("xk3mq-t7hwd-4npub-acjy6-wrk7t")),
                ..archive("Harbor Charts, North", 730_500_308, Some(4))
            }),
            files: several.files.iter().map(sealed).collect(),
            ..plain.clone()
        };
        let mailed = Self {
            archive: Some(LinkArchive { password_mailed: true, ..archive(SHORT, 276, Some(4)) }),
            files: vec![sealed(&file("book.epub", 276, Some(4)))],
            ..plain.clone()
        };
        let to_choose = Self {
            archive: None,
            password_path: Some(text("/d/gt_7Qm2Vx9fKp4RtZ1c/password")),
            password_error: Some(text("a password has at least 10 characters")),
            files: mailed.files.clone(),
            ..plain.clone()
        };
        vec![plain, several, short, long, rtl, protected, mailed, to_choose]
    }
}

impl Template for ClosedLinkPage {
    const NAME: &'static str = "delivery/closed.html";

    fn samples() -> Vec<Self> {
        let page = |reason, product: &str| Self {
            reason,
            product: text(product),
            order_number: text("2026-000117"),
            request_path: Some(text("/links/renew")),
            link: text("gt_7Qm2Vx9fKp4RtZ1c"),
        };
        vec![
            page(ClosedReason::Expired, "Harbor Charts, North"),
            page(ClosedReason::UsedUp, LONG),
            Self { request_path: None, ..page(ClosedReason::Revoked, RIGHT_TO_LEFT) },
            page(ClosedReason::Reissued, SHORT),
        ]
    }
}

impl Template for UnknownLinkPage {
    const NAME: &'static str = "delivery/unknown.html";

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}

impl Template for LinkRequestPage {
    const NAME: &'static str = "delivery/request.html";

    fn samples() -> Vec<Self> {
        let empty = Self { email: String::new(), errors: BTreeMap::new(), sent: false };
        let wrong = [(text("email"), text("An e-mail address has the form name@domain."))].into();
        vec![
            empty.clone(),
            Self { email: text(RIGHT_TO_LEFT), errors: wrong, sent: false },
            Self { email: text("ada@example.com"), sent: true, ..empty },
        ]
    }
}
