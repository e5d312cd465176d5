//! Notices in the back office: what waits for a person first; each with its bytes as they came.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use db::{DbError, Source};
use gateways::RawPost;
use kernel::{ConnectionId, Currency, MerchantId, Money, NoticeId};
use ui::admin::{
    Act, Attempt, Choice, ConfirmPage, ConnectionRef, Label, Mode, NoticePage, NoticeRow, NoticesPage,
    RawRequest,
};

use super::desk_flow::{self, Again};
use super::desk_store::{self, Narrow};
use super::{NoticeState, Stored, seal_context, store, unpack};
use crate::app::App;
use crate::connections::{self, Connection};
use crate::jobs::desk_store::Listed;
use crate::jobs::{self, Work};
use crate::paging::{By, KeyKind, Way};
use crate::problem::{Flow, Problem};
use crate::ring::Ring;
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::{Asked, Column, word};
use crate::web::staff_visit::{Ids, StaffVisit};

const NOTICES: &str = "/admin/notices";
const COLUMNS: &[Column] = &[(By { name: "received", column: "id", kind: KeyKind::Id }, Way::Down)];
/// So many waiting notices stand above the list; the tab shows the others.
const QUARANTINED_SHOWN: u32 = 50;
/// Longest reason that is kept.
const REASON_LENGTH_MAX: usize = 1_000;

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(NOTICES, Right::Read, list)
        .get("/admin/notices/{notice}", Right::Read, show)
        .get("/admin/notices/{notice}/accept", Right::Decide, confirm_accept)
        .post("/admin/notices/{notice}/accept", Right::Decide, accept)
        .get("/admin/notices/{notice}/refuse", Right::Decide, confirm_refuse)
        .post("/admin/notices/{notice}/refuse", Right::Decide, refuse)
        .get("/admin/notices/{notice}/replay", Right::Decide, confirm_replay)
        .post("/admin/notices/{notice}/replay", Right::Decide, replay)
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

#[derive(Debug, serde::Deserialize)]
struct Why {
    #[serde(default)]
    reason: String,
}

/// `GET /admin/notices`
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.id;
    let narrow = Narrow {
        state: asked.stored("state"),
        connection: asked.stored("connection"),
        words: asked.search().to_owned(),
        days: asked.days(&staff.visit.merchant.time_zone),
    };
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let slice = desk_store::list(snapshot, merchant, &narrow, &ask)?;
            let known = Connections::read(snapshot, merchant)?;
            let listing = asked
                .listing(NOTICES, COLUMNS, &ask, &slice)
                .search(asked.search())
                .tabs("state", asked.word::<ui::admin::NoticeState>("state"))
                .choice("connection", asked.get("connection"), known.choices())
                .day("from", asked.get("from"))
                .day("to", asked.get("to"))
                .done();
            let first = !listing.narrowed && slice.before.is_none();
            let waiting = match first {
                true => desk_store::quarantined(snapshot, merchant, QUARANTINED_SHOWN)?,
                false => Vec::new(),
            };
            let row = |notice: &Stored| known.row(notice);
            Ok(NoticesPage {
                list: listing,
                quarantined: waiting.iter().map(row).collect(),
                notices: slice.rows.iter().map(row).collect(),
            })
        })
        .await;
    staff.answer(&app, page)
}

/// The merchant's connections, by which notices are named.
struct Connections(BTreeMap<ConnectionId, Connection>);

impl Connections {
    fn read(source: &mut impl Source, merchant: MerchantId) -> Result<Self, DbError> {
        let all = connections::store::list(source, merchant)?;
        Ok(Self(all.into_iter().map(|connection| (connection.id, connection)).collect()))
    }

    fn choices(&self) -> Vec<Choice> {
        let choice = |connection: &Connection| Choice {
            value: connection.id.to_string(),
            label: Label::text(&connection.name),
        };
        self.0.values().map(choice).collect()
    }

    fn row(&self, notice: &Stored) -> NoticeRow {
        let said = Said::of(notice);
        let connection = self.0.get(&notice.connection);
        NoticeRow {
            id: notice.id,
            state: word(notice.state.as_str()),
            reason: notice.reason.clone(),
            connection: ConnectionRef {
                id: notice.connection,
                name: connection.map(|known| known.name.clone()).unwrap_or_default(),
                mode: if connection.is_some_and(Connection::is_test) { Mode::Test } else { Mode::Live },
            },
            says: said.status,
            gateway_ref: said.payment,
            amount: said.amount,
            order: notice.order,
            copies: notice.copies,
            received_at: notice.received_at,
        }
    }
}

/// What the first statement of a notice says, out of its summary.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) status: String,
    payment: Option<String>,
    amount: Option<Money>,
}

impl Said {
    pub(super) fn of(notice: &Stored) -> Self {
        let Some(first) = statements(notice).next() else { return Self::default() };
        let text = |name: &str| first.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        let status = text("status").filter(|status| !status.is_empty());
        Self {
            status: status.or_else(|| text("kind")).unwrap_or_default(),
            payment: text("payment"),
            amount: text("amount").and_then(|amount| money(&amount)),
        }
    }
}

/// What people call a notice: the gateway's transaction, or its own id where it names none.
pub fn name_of(notice: &Stored) -> String {
    Said::of(notice).payment.unwrap_or_else(|| notice.id.to_string())
}

fn statements(notice: &Stored) -> impl Iterator<Item = &serde_json::Value> {
    notice.summary.get("statements").and_then(serde_json::Value::as_array).into_iter().flatten()
}

/// `117.00 EUR`, as summaries have it.
fn money(text: &str) -> Option<Money> {
    let (amount, currency) = text.split_once(' ')?;
    Money::parse(amount, Currency::parse(currency).ok()?).ok()
}

/// `GET /admin/notices/{notice}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<NoticeId>) -> Response {
    let (merchant, ring, raw) = (staff.visit.merchant.id, app.ring_arc(), staff.may(Right::Raw));
    let page = app
        .read(move |snapshot| {
            let notice = known(snapshot, merchant, id)?;
            let work = Work::VerifyNotice { merchant, notice: id };
            let jobs = jobs::desk_store::of_subject(snapshot, &work)?;
            let decidable = notice.state == NoticeState::Quarantined;
            let replayable = notice.raw_sealed.is_some() && notice.state != NoticeState::Received;
            Ok(NoticePage {
                notice: Connections::read(snapshot, merchant)?.row(&notice),
                address: notice.address.clone(),
                verified_at: notice.verified_at,
                decided_at: notice.decided_at,
                understood: statements(&notice).flat_map(crate::events::names::pairs).collect(),
                raw: if raw { opened(&ring, &notice).map(|post| raw_request(&post)) } else { None },
                attempts: jobs.iter().map(attempt).collect(),
                can_decide: decidable,
                can_replay: replayable,
            })
        })
        .await;
    staff.answer(&app, page)
}

fn known(source: &mut impl Source, merchant: MerchantId, id: NoticeId) -> Flow<Stored> {
    Ok(store::by_id(source, merchant, id)?.ok_or_else(|| Problem::not_found("notice"))?)
}

pub(super) fn opened(ring: &Ring, notice: &Stored) -> Option<RawPost> {
    let sealed = notice.raw_sealed.as_ref()?;
    match ring.open(&seal_context(notice.id), sealed) {
        Ok(packed) => unpack(&packed, notice.received_at),
        Err(error) => {
            tracing::error!(%error, notice = %notice.id, "a raw notice cannot be opened");
            None
        }
    }
}

fn raw_request(post: &RawPost) -> RawRequest {
    let is_form = post.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with(b"application/x-www-form-urlencoded")
    });
    RawRequest {
        line: format!("{} {}", post.method, post.target),
        headers: post.headers.iter().map(|(name, value)| (name.clone(), readable(value))).collect(),
        body: readable(&post.body),
        fields: if is_form { super::view::fields(&post.body) } else { Vec::new() },
        bytes: u64::try_from(post.body.len()).unwrap_or(u64::MAX),
    }
}

/// Bytes as text, what is none as `\xNN`. Controls are written out too: a sender must not make
/// the page say something else than what came.
pub(super) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\n' | '\t' => text.push(letter),
                '\r' => {}
                odd if odd.is_control() => text.extend(odd.escape_default()),
                plain => text.push(plain),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

fn attempt(job: &Listed) -> Attempt {
    let why = if job.last_error.is_empty() { String::new() } else { format!(": {}", job.last_error) };
    let (at, outcome) = match job.state.as_str() {
        "dead" => (job.run_at, format!("given up after {} attempts{why}", job.attempts)),
        "running" => (job.run_at, format!("attempt {} is under way{why}", job.attempts)),
        _ => (job.run_at, format!("attempt {} is due at this time{why}", job.attempts.saturating_add(1))),
    };
    Attempt { at, outcome }
}

/// `GET /admin/notices/{notice}/accept`
async fn confirm_accept(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<NoticeId>) -> Response {
    confirm(&app, &staff, id, Act::AcceptNotice, "accept").await
}

/// `GET /admin/notices/{notice}/refuse`
async fn confirm_refuse(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<NoticeId>) -> Response {
    confirm(&app, &staff, id, Act::RefuseNotice, "refuse").await
}

/// `GET /admin/notices/{notice}/replay`
async fn confirm_replay(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<NoticeId>) -> Response {
    confirm(&app, &staff, id, Act::ReplayNotice, "replay").await
}

async fn confirm(app: &App, staff: &StaffVisit, id: NoticeId, act: Act, verb: &'static str) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let notice = known(snapshot, merchant, id)?;
            let said = Said::of(&notice);
            let subject = said.payment.unwrap_or_else(|| id.to_string());
            let back = format!("{NOTICES}/{id}");
            let mut page = ConfirmPage::new(act, subject, format!("{back}/{verb}"), back);
            page.reason = (act == Act::RefuseNotice).then(String::new);
            Ok(page)
        })
        .await;
    staff.answer(app, page)
}

/// `POST /admin/notices/{notice}/accept`
async fn accept(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<NoticeId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::again(cx, id, Again::Accept)).await;
    staff.after(&app, done, &format!("{NOTICES}/{id}"), "notice_accepted")
}

/// `POST /admin/notices/{notice}/replay`
async fn replay(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<NoticeId>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let done = staff.write(&app, move |cx| desk_flow::again(cx, id, Again::Replay)).await;
    staff.after(&app, done, &format!("{NOTICES}/{id}"), "notice_replayed")
}

/// `POST /admin/notices/{notice}/refuse`
async fn refuse(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<NoticeId>,
    Posted(form): Posted<Why>,
) -> Response {
    let why: String = form.reason.trim().chars().take(REASON_LENGTH_MAX).collect();
    let done = staff.write(&app, move |cx| desk_flow::refuse(cx, id, &why)).await;
    staff.after(&app, done, &format!("{NOTICES}/{id}"), "notice_refused")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_written_out() {
        assert_eq!(readable(b"a=\xff\x00b\r\nc"), "a=\\xff\\u{0}b\nc");
    }

    #[test]
    fn an_amount_is_read_out_of_a_summary() {
        assert_eq!(money("117.00 EUR"), Some(Money::new(117_00, Currency::EUR)));
        assert_eq!(money("much"), None);
    }
}
