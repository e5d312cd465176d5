//! The demo's mailbox: every mail that would have been sent.

use kernel::{Span, Timestamp};
use serde::Serialize;

use crate::Template;
use crate::gallery::{Exhibit, page};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed!["mailbox/list.html", "mailbox/message.html"];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    [page::<MailboxPage>(), page::<MailboxMessagePage>()].into_iter().flatten().collect()
}

/// templates/mailbox/list.html - the mails, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct MailboxPage {
    /// This page's own address, for reloading.
    pub path: String,
    /// The mails.
    pub messages: Vec<MailRow>,
}

/// A mail in the list.
#[derive(Debug, Clone, Serialize)]
pub struct MailRow {
    /// Its page.
    pub path: String,
    /// Whom it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was sent.
    pub at: Timestamp,
}

/// templates/mailbox/message.html - one mail.
///
/// The HTML part is only linked to: serve it on its own with `Content-Security-Policy: sandbox`.
#[derive(Debug, Clone, Serialize)]
pub struct MailboxMessagePage {
    /// The list's address.
    pub list_path: String,
    /// Whom it is from.
    pub from: String,
    /// Whom it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// When it was sent.
    pub at: Timestamp,
    /// The text part; its addresses can be clicked.
    pub text: String,
    /// Where the HTML part is served.
    pub html_path: Option<String>,
    /// Where the raw mail is served.
    pub raw_path: Option<String>,
}

impl Template for MailboxPage {
    const NAME: &'static str = "mailbox/list.html";

    fn samples() -> Vec<Self> {
        let row = |to: &str, subject: &str, minutes| MailRow {
            path: text("/mailbox/1"),
            to: text(to),
            subject: text(subject),
            at: NOW - Span::minutes(minutes),
        };
        let messages = vec![
            row("ada@example.com", "Your download: Harbor Charts, North", 0),
            row(&format!("{}@example.com", "a".repeat(64)), LONG, 70),
            row("b@example.com", RIGHT_TO_LEFT, 3_000),
            row("b@example.com", SHORT, 90_000),
        ];
        vec![Self { path: text("/mailbox"), messages }, Self { path: text("/mailbox"), messages: Vec::new() }]
    }
}

impl Template for MailboxMessagePage {
    const NAME: &'static str = "mailbox/message.html";

    fn samples() -> Vec<Self> {
        let plain = Self {
            list_path: text("/mailbox"),
            from: text("Sandpiper Press <shop@shop.example>"),
            to: text("ada@example.com"),
            subject: text("Your download: Harbor Charts, North"),
            at: NOW,
            text: text(
                "Thank you!\n\nYour link: https://shop.example/d/gt_7Qm2Vx9fKp4RtZ1c?x=1&y=2.\n\n  SHA-256  9f86d081884c7d65\n",
            ),
            html_path: Some(text("/mailbox/1/html")),
            raw_path: Some(text("/mailbox/1/raw")),
        };
        let long = Self { subject: text(LONG), text: LONG.repeat(9), html_path: None, ..plain.clone() };
        let rtl =
            Self { subject: text(RIGHT_TO_LEFT), text: text(RIGHT_TO_LEFT), raw_path: None, ..plain.clone() };
        vec![plain, long, rtl]
    }
}
