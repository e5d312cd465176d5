//! The control page: every payment with its notices, and buttons for what may become of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use kernel::{Money, Span, Timestamp};
use serde::Serialize;

use super::{field, page, refused, shown};
use crate::book::{Book, Postback, Refusal};
use crate::form;
use crate::handle::Shared;
use crate::outbox::{Answer, Attempt, Notice, NoticeState, Sequence};
use crate::payment::{Payment, PaymentState};

const PAYMENTS_SHOWN_MAX: usize = 30;
const LETTERS_SHOWN_MAX: usize = 30;
const COPIES_MAX: u32 = 1_000;
const DAYS_MAX: i64 = 30;
const WATCH_SECONDS: u32 = 3;
const WATCHING: &str = "watch=yes";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(show))
        .route("/clock", post(clock))
        .route("/faults", post(faults))
        .route("/postback", post(postback))
        .route("/notices/{act}", post(all_notices))
        .route("/notices/{number}/{act}", post(one_notice))
        .route("/payments/{txn_id}/{act}", post(one_payment))
}

#[derive(Serialize)]
struct ControlPage {
    watching: bool,
    watch_seconds: u32,
    now: String,
    held: bool,
    waiting: usize,
    next_due: Option<String>,
    copies: u32,
    lose: u32,
    copies_max: u32,
    postbacks: Vec<PostbackLine>,
    payments: Vec<PaymentLine>,
    others: Vec<NoticeLine>,
    more: usize,
}

#[derive(Serialize)]
struct PostbackLine {
    word: &'static str,
    title: &'static str,
    chosen: bool,
}

#[derive(Serialize)]
struct PaymentLine {
    txn_id: String,
    total: String,
    state: &'static str,
    tone: &'static str,
    items: String,
    buyer: String,
    seller: String,
    invoice: String,
    paid_at: String,
    decided_at: Option<String>,
    decided_as: &'static str,
    refunded: Option<String>,
    case_id: Option<String>,
    holds_money: bool,
    reversed: bool,
    notices: Vec<NoticeLine>,
}

#[derive(Serialize)]
struct NoticeLine {
    number: u64,
    about: String,
    state: &'static str,
    tone: &'static str,
    url: String,
    body: String,
    tries: Vec<TryLine>,
}

#[derive(Serialize)]
struct TryLine {
    at: String,
    answer: String,
}

async fn show(State(shared): State<Arc<Shared>>, OriginalUri(uri): OriginalUri) -> Response {
    let watching = uri.query() == Some(WATCHING);
    let context = shared.with(|book, now| control_page(book, now, watching));
    page(&shared, "control.html", context)
}

fn control_page(book: &mut Book, now: Timestamp, watching: bool) -> ControlPage {
    let mut letters: BTreeMap<String, Vec<NoticeLine>> = BTreeMap::new();
    for notice in book.notices().rev() {
        let of_payment = letters.entry(notice.txn_id.clone()).or_default();
        if of_payment.len() < LETTERS_SHOWN_MAX {
            of_payment.push(notice_line(notice));
        }
    }
    let shown_first = book.payments().iter().rev().take(PAYMENTS_SHOWN_MAX);
    let payments = shown_first.map(|payment| {
        let mut notices = letters.remove(&payment.sale.txn_id).unwrap_or_default();
        notices.reverse();
        payment_line(payment, notices)
    });
    let payments = payments.collect();
    let is_waiting = |notice: &&Notice| notice.state == NoticeState::Waiting;
    let due = book.notices().filter(is_waiting).map(|notice| notice.due_at).min();
    let (held, copies, lose) = (book.faults().held, book.faults().copies, book.faults().lose_next);
    ControlPage {
        watching,
        watch_seconds: WATCH_SECONDS,
        now: shown(now),
        held,
        waiting: book.notices().filter(is_waiting).count(),
        next_due: due.filter(|_| !held).map(shown),
        copies,
        lose,
        copies_max: COPIES_MAX,
        postbacks: POSTBACKS.into_iter().map(|way| postback_line(way, book.postback)).collect(),
        payments,
        others: letters.remove("").unwrap_or_default(),
        more: book.payments().len().saturating_sub(PAYMENTS_SHOWN_MAX),
    }
}

const POSTBACKS: [Postback; 7] = [
    Postback::Honest,
    Postback::Unavailable,
    Postback::Garbage,
    Postback::Empty,
    Postback::Disowning,
    Postback::Elsewhere,
    Postback::Silent,
];

fn postback_line(way: Postback, chosen: Postback) -> PostbackLine {
    let (word, title) = match way {
        Postback::Honest => ("honest", "answer VERIFIED or INVALID"),
        Postback::Unavailable => ("unavailable", "answer 503"),
        Postback::Garbage => ("garbage", "answer with a web page"),
        Postback::Empty => ("empty", "answer with nothing"),
        Postback::Disowning => ("disowning", "answer INVALID to everything"),
        Postback::Elsewhere => ("elsewhere", "answer with a redirect"),
        Postback::Silent => ("silent", "do not answer"),
    };
    PostbackLine { word, title, chosen: way == chosen }
}

fn payment_line(payment: &Payment, notices: Vec<NoticeLine>) -> PaymentLine {
    let sale = &payment.sale;
    let (state, tone) = match payment.state {
        PaymentState::Pending => ("pending", "warn"),
        PaymentState::Completed => ("completed", "ok"),
        PaymentState::PartlyRefunded => ("refunded in part", "warn"),
        PaymentState::Refunded => ("refunded", "bad"),
        PaymentState::Reversed => ("reversed", "bad"),
        PaymentState::Failed => ("failed", "bad"),
        PaymentState::Denied => ("denied", "bad"),
    };
    let items = sale.items.iter().map(|item| match item.quantity {
        1 => item.name.clone(),
        quantity => format!("{} × {quantity}", item.name),
    });
    let buyer = &sale.buyer;
    PaymentLine {
        txn_id: sale.txn_id.clone(),
        total: sale.total().to_string(),
        state,
        tone,
        items: items.collect::<Vec<_>>().join(", "),
        buyer: format!("{} {}, {}, {}", buyer.first_name, buyer.last_name, buyer.email, buyer.country),
        seller: sale.business.clone(),
        invoice: sale.invoice.clone(),
        paid_at: shown(sale.paid_at),
        decided_at: payment.later.map(|(at, _)| shown(at)),
        decided_as: match payment.later {
            Some((_, PaymentState::Completed)) => "clears",
            _ => "bounces",
        },
        refunded: (payment.refunded.minor > 0).then(|| payment.refunded.to_string()),
        case_id: payment.case_id.clone(),
        holds_money: payment.holds_money(),
        reversed: payment.state == PaymentState::Reversed,
        notices,
    }
}

fn notice_line(notice: &Notice) -> NoticeLine {
    let (state, tone) = match notice.state {
        NoticeState::Waiting if notice.attempts.is_empty() => ("waiting", "warn"),
        NoticeState::Waiting => ("not received yet", "warn"),
        NoticeState::Sending => ("being sent", "warn"),
        NoticeState::Delivered => ("received", "ok"),
        NoticeState::GivenUp => ("given up", "bad"),
        NoticeState::Lost => ("lost", "bad"),
    };
    NoticeLine {
        number: notice.number,
        about: notice.about.clone(),
        state,
        tone,
        url: notice.url.clone(),
        body: String::from_utf8_lossy(&notice.body).into_owned(),
        tries: notice.attempts.iter().map(try_line).collect(),
    }
}

fn try_line(attempt: &Attempt) -> TryLine {
    let answer = match &attempt.answer {
        Answer::Status { status, text } if text.trim().is_empty() => format!("answered {status}"),
        Answer::Status { status, text } => format!("answered {status}: {}", text.trim()),
        Answer::Unreachable(why) => why.clone(),
        Answer::TimedOut => "no answer in time".to_owned(),
    };
    TryLine { at: shown(attempt.at), answer }
}

/// Back to the page that the button was on.
fn back(headers: &HeaderMap) -> Response {
    let referer = headers.get(header::REFERER).and_then(|referer| referer.to_str().ok()).unwrap_or_default();
    let watching = referer.ends_with(&format!("/?{WATCHING}"));
    Redirect::to(if watching { "/?watch=yes" } else { "/" }).into_response()
}

fn answer(shared: &Shared, headers: &HeaderMap, done: Result<(), Refusal>) -> Response {
    match done {
        Ok(()) => back(headers),
        Err(problem) => refused(shared, StatusCode::CONFLICT, &problem),
    }
}

fn not_a_button(shared: &Shared) -> Response {
    refused(shared, StatusCode::BAD_REQUEST, &"no button of this page sends that")
}

async fn clock(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = form::decode(&body);
    match field(&fields, "days").parse::<i64>() {
        Ok(days) if (1..=DAYS_MAX).contains(&days) => {
            shared.advance(Span::days(days));
            back(&headers)
        }
        _ => not_a_button(&shared),
    }
}

async fn faults(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = form::decode(&body);
    let count = |name| field(&fields, name).parse::<u32>().ok().filter(|count| *count <= COPIES_MAX);
    let (Some(copies), Some(lose_next)) = (count("copies"), count("lose")) else {
        return refused(
            &shared,
            StatusCode::BAD_REQUEST,
            &format!("a number from 0 to {COPIES_MAX} is wanted"),
        );
    };
    shared.with(|book, _| {
        book.faults().copies = copies;
        book.faults().lose_next = lose_next;
    });
    back(&headers)
}

async fn postback(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = form::decode(&body);
    let word = field(&fields, "postback");
    let Some(way) = POSTBACKS.into_iter().find(|way| postback_line(*way, *way).word == word) else {
        return not_a_button(&shared);
    };
    shared.with(|book, _| book.postback = way);
    back(&headers)
}

async fn all_notices(
    State(shared): State<Arc<Shared>>,
    Path(act): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = form::decode(&body);
    let known = shared.with(|book, now| {
        match act.as_str() {
            "hold" => book.faults().held = true,
            "release" => {
                let newest = field(&fields, "sequence") == "newest";
                book.faults().sequence = if newest { Sequence::NewestFirst } else { Sequence::OldestFirst };
                book.faults().held = false;
            }
            "now" => book.hasten(now),
            "again" => book.repeat_all_reversed(now),
            _ => return false,
        }
        true
    });
    if known { back(&headers) } else { not_a_button(&shared) }
}

async fn one_notice(
    State(shared): State<Arc<Shared>>,
    Path((number, act)): Path<(u64, String)>,
    headers: HeaderMap,
) -> Response {
    let done = shared.with(|book, now| match act.as_str() {
        "resend" => Some(book.resend(number, now)),
        "twice" => Some(book.repeat(number, now).and_then(|()| book.repeat(number, now))),
        _ => None,
    });
    done.map_or_else(|| not_a_button(&shared), |done| answer(&shared, &headers, done))
}

async fn one_payment(
    State(shared): State<Arc<Shared>>,
    Path((txn_id, act)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = form::decode(&body);
    let done = match act.as_str() {
        "refund" => match part(&shared, &txn_id, field(&fields, "amount")) {
            Ok(amount) => shared.with(|book, now| book.refund(&txn_id, amount, now)),
            Err(problem) => return refused(&shared, StatusCode::BAD_REQUEST, &problem),
        },
        "reverse" => shared.with(|book, now| book.reverse(&txn_id, "chargeback", now)),
        "cancel-reversal" => shared.with(|book, now| book.cancel_reversal(&txn_id, now)),
        "case" => shared.with(|book, now| book.open_case(&txn_id, "chargeback", now)),
        _ => return not_a_button(&shared),
    };
    answer(&shared, &headers, done.map(drop))
}

/// The amount of a partial refund, in the payment's currency; nothing means all.
fn part(shared: &Shared, txn_id: &str, text: &str) -> Result<Option<Money>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let payment =
        shared.with(|book, _| book.payments().iter().find(|payment| payment.sale.txn_id == txn_id).cloned());
    let payment = payment.ok_or_else(|| Refusal::NoPayment(txn_id.to_owned()).to_string())?;
    let currency = payment.sale.tax.currency;
    Money::parse(text, currency).map(Some).map_err(|wrong| wrong.to_string())
}
