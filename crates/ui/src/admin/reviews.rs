//! Reviews: questions that only a person can answer.

use kernel::{LineId, Money, NoticeId, OrderId, ReviewId, Timestamp};
use serde::Serialize;

use super::access::{Errors, errors};
use super::list::{Direction, Listing, Sort};
use super::sample::{bits, minutes_ago};
use super::timeline::order_id;
use super::words::{LinkState, ReviewKind, ReviewState, Word};
use crate::Template;
use crate::samples::{LONG, RIGHT_TO_LEFT, eur, text};

/// templates/admin/reviews.html - `/admin/reviews`.
///
/// Filters: `state` (open when nothing is chosen), `kind`. Column to sort by: `opened`.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewsPage {
    /// Filters, pages.
    pub list: Listing,
    /// One page of them.
    pub reviews: Vec<ReviewRow>,
}

/// A question in the list.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewRow {
    /// Its id.
    pub id: ReviewId,
    /// Why a person is asked.
    pub kind: ReviewKind,
    /// Whether it still waits.
    pub state: ReviewState,
    /// In words.
    pub detail: String,
    /// About which order.
    pub order: Option<OrderId>,
    /// The buyer of that order, by address or name.
    pub buyer: Option<String>,
    /// Raised by which notice.
    pub notice: Option<NoticeId>,
    /// Since when.
    pub opened_at: Timestamp,
}

/// templates/admin/review.html - `/admin/reviews/{id}`.
///
/// The form posts `resolution`, `revoke` once per line to take back and `reinstate` once per
/// revoked line to give back, to `/admin/reviews/{id}`.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewPage {
    /// The question.
    pub review: ReviewRow,
    /// What the order's money amounts to: due, settled, returned.
    pub sums: Option<(Money, Money, Money)>,
    /// The order's lines, to take some of them back.
    pub lines: Vec<ReviewLine>,
    /// What was typed.
    pub resolution: String,
    /// The answer that was given, by whom and when.
    pub resolved: Option<Resolved>,
    /// Field name to what is wrong with it.
    pub errors: Errors,
}

/// A line that could be taken back.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewLine {
    /// Its id.
    pub id: LineId,
    /// The product's name.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// With tax.
    pub gross: Money,
    /// Whether its links work.
    pub state: LinkState,
    /// Whether it is chosen.
    pub checked: bool,
}

/// An answer that was given.
#[derive(Debug, Clone, Serialize)]
pub struct Resolved {
    /// In words.
    pub resolution: String,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

fn reviews() -> Vec<ReviewRow> {
    let row = |(number, kind): (usize, &ReviewKind)| ReviewRow {
        id: ReviewId::from_bits(bits(u128::try_from(number).unwrap_or_default())),
        kind: *kind,
        state: ReviewState::Open,
        detail: text("137.00 EUR arrived where 117.00 EUR were due: 20.00 EUR too much"),
        order: Some(order_id(1)),
        buyer: Some(text("ada@example.com")),
        notice: Some(NoticeId::from_bits(bits(1))),
        opened_at: minutes_ago(i64::try_from(number * 90).unwrap_or_default()),
    };
    let mut rows: Vec<ReviewRow> = ReviewKind::ALL.iter().enumerate().map(row).collect();
    if let Some(last) = rows.last_mut() {
        last.detail = text(LONG);
        last.order = None;
        last.buyer = None;
        last.notice = None;
        last.state = ReviewState::Resolved;
    }
    rows
}

impl Template for ReviewsPage {
    const NAME: &'static str = "admin/reviews.html";

    fn samples() -> Vec<Self> {
        const SORTABLE: &[(&str, Direction)] = &[("opened", Direction::Ascending)];
        let list = |kind: Option<ReviewKind>| {
            Listing::of("/admin/reviews")
                .tabs::<ReviewState>("state", None)
                .word("kind", kind)
                .sorted(Sort::by("opened", Direction::Ascending), SORTABLE)
        };
        vec![
            Self { list: list(None).pages(None, Some("x")).done(), reviews: reviews() },
            Self { list: list(None).done(), reviews: Vec::new() },
            Self { list: list(Some(ReviewKind::Dispute)).done(), reviews: Vec::new() },
        ]
    }
}

impl Template for ReviewPage {
    const NAME: &'static str = "admin/review.html";

    fn samples() -> Vec<Self> {
        let line = |number, name: &str, state, checked| ReviewLine {
            id: LineId::from_bits(bits(number)),
            name: text(name),
            quantity: 1,
            gross: eur(19_00),
            state,
            checked,
        };
        let page = |review: ReviewRow| Self {
            sums: Some((eur(117_00), eur(137_00), eur(0))),
            lines: vec![
                line(1, "Forty Knots", LinkState::Open, true),
                line(2, LONG, LinkState::Revoked, false),
            ],
            resolution: String::new(),
            resolved: None,
            errors: Errors::new(),
            review,
        };
        let mut samples: Vec<Self> = reviews().into_iter().map(page).collect();
        if let Some(first) = samples.first_mut() {
            first.errors =
                errors(&[("resolution", "Write what was decided, for whoever looks at this next year.")]);
        }
        if let Some(last) = samples.last_mut() {
            last.sums = None;
            last.lines = Vec::new();
            last.resolved = Some(Resolved {
                resolution: text(RIGHT_TO_LEFT),
                by: text("Grace Hopper"),
                at: minutes_ago(5),
            });
        }
        samples
    }
}
