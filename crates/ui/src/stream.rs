//! A page behind a keyed address: words, or a stream that plays in it.

use kernel::{Span, Timestamp};
use serde::Serialize;

use crate::Template;
use crate::gallery::{Exhibit, page};
use crate::samples::{LONG, NOW, RIGHT_TO_LEFT, SHORT, text};
use crate::templates::{Source, embed};

pub(crate) const TEMPLATES: &[Source] = embed!["delivery/stream.html"];

pub(crate) fn exhibits() -> Vec<Exhibit> {
    page::<StreamPage>()
}

/// templates/delivery/stream.html - where `/s/{token}` leads, unless it leads elsewhere.
///
/// The page's policy must let the player's origin be framed.
#[derive(Debug, Clone, Serialize)]
pub struct StreamPage {
    /// What it is.
    pub title: String,
    /// What was bought.
    pub product: String,
    /// What plays it, with its signature.
    pub player_url: Option<String>,
    /// The seller's words: plain text.
    pub text: String,
    /// Until when the address works; `None` for ever.
    pub expires_at: Option<Timestamp>,
    /// True while the payment is pending: access may be withdrawn.
    pub provisional: bool,
}

impl Template for StreamPage {
    const NAME: &'static str = "delivery/stream.html";

    fn samples() -> Vec<Self> {
        let live = Self {
            title: text("Evening of Charts, live"),
            product: text("Evening of Charts, webcast"),
            player_url: Some(text("https://player.example/embed/42?expires=1&grant=grt_1&signature=00")),
            text: text("The stream begins at 19:30.\n\nQuestions: https://chat.example"),
            expires_at: Some(NOW + Span::hours(70)),
            provisional: false,
        };
        vec![
            live.clone(),
            Self { player_url: None, expires_at: None, text: text(LONG), ..live.clone() },
            Self {
                title: text(LONG),
                product: text(LONG),
                text: String::new(),
                provisional: true,
                ..live.clone()
            },
            Self { title: text(RIGHT_TO_LEFT), product: text(SHORT), ..live },
        ]
    }
}
