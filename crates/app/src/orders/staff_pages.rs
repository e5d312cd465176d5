//! The transaction page, and what staff can do about one: each act asks first, and leaves a
//! line in the audit log.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use kernel::{LineId, MerchantId, OrderId};
use ui::admin::{Act, ConfirmPage, Errors, OrderPage};

use super::staff_view::{Looking, count, find, page};
use super::timeline::{Raw, place};
use super::{OrderStatus, flow, store};
use crate::app::App;
use crate::cx::Cx;
use crate::events;
use crate::fulfillment::{self, GrantStatus};
use crate::merchants::Address;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::Asked;
use crate::web::staff_visit::{Ids, StaffVisit};

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get("/admin/orders/{order}", Right::Read, show)
        .get("/admin/orders/{order}/{act}", Right::Orders, ask)
        .post("/admin/orders/{order}/{act}", Right::Orders, act)
        .get("/admin/orders/{order}/lines/{line}/{act}", Right::Orders, ask_line)
        .post("/admin/orders/{order}/lines/{line}/{act}", Right::Orders, act_line)
}

/// What a confirmation may ask for.
#[derive(Debug, Default, serde::Deserialize)]
struct Typed {
    #[serde(default)]
    days: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    turn: String,
}

impl Typed {
    /// How often this person had done the act when the form was shown.
    fn turn(&self) -> Option<i64> {
        self.turn.parse().ok()
    }
}

const REASON_LENGTH_MAX: usize = 1_000;
const DAYS_USUAL: &str = "7";

/// `GET /admin/orders/{order}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<OrderId>, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.clone();
    let origin = merchant.origin(&app.settings().base_url);
    let address = Address { origin, base_path: staff.visit.base_path.clone() };
    let (ring, now) = (app.ring_arc(), app.now());
    let raw = if staff.may(Right::Raw) { Raw::Shown } else { Raw::Hidden };
    let before = place(asked.get("before"));
    let page: Flow<OrderPage> = app
        .read(move |snapshot| {
            let order = find(snapshot, merchant.id, id)?;
            page(snapshot, &order, &Looking { ring: &ring, address: &address, raw, now, before })
        })
        .await;
    staff.answer(&app, page)
}

/// The acts on a whole order, by the last part of their path.
fn act_of(word: &str) -> Option<Act> {
    match word {
        "resend" => Some(Act::Resend),
        "receipt" => Some(Act::Receipt),
        "extend" => Some(Act::Extend),
        "reissue" => Some(Act::Reissue),
        "regenerate" => Some(Act::Regenerate),
        _ => None,
    }
}

/// What the log calls an act, on an order or on a line.
const fn event_of(act: Act) -> &'static str {
    match act {
        Act::Receipt => "order.receipt_resent",
        Act::Extend => "order.links_extended",
        Act::Reissue => "order.links_reissued",
        Act::Regenerate => "order.regenerated",
        Act::RevokeLine => "order.line_revoked",
        Act::ReinstateLine => "order.line_reinstated",
        _ => "order.links_resent",
    }
}

/// How often somebody has done an act to an order.
fn turn(
    source: &mut impl db::Source,
    merchant: MerchantId,
    order: OrderId,
    act: Act,
    actor: &str,
) -> Flow<Option<i64>> {
    let subject = order.to_string();
    let about = (Some(order), subject.as_str());
    Ok(Some(events::store::count_acts(source, merchant, about, event_of(act), actor)?))
}

/// Does an act once per form, with the order locked.
fn once(
    cx: &mut Cx<'_, '_>,
    id: OrderId,
    act: Act,
    turn: Option<i64>,
    work: impl FnOnce(&mut Cx<'_, '_>) -> Flow<()>,
) -> Flow<Option<()>> {
    store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("transaction"))?;
    events::flow::once(cx, (Some(id), &id.to_string()), event_of(act), turn, work)
}

/// `GET /admin/orders/{order}/{act}`: what will happen.
async fn ask(State(app): State<App>, staff: StaffVisit, Ids((id, word)): Ids<(OrderId, String)>) -> Response {
    let page = confirmation(&app, &staff, id, &word, Typed::default(), Errors::new()).await;
    staff.answer(&app, page)
}

async fn confirmation(
    app: &App,
    staff: &StaffVisit,
    id: OrderId,
    word: &str,
    typed: Typed,
    errors: Errors,
) -> Flow<ConfirmPage> {
    let act = act_of(word).ok_or_else(|| Problem::not_found("page"))?;
    let (merchant, back) = (staff.visit.merchant.id, format!("/admin/orders/{id}"));
    let action = format!("{back}/{word}");
    let actor = staff.actor().to_string();
    app.read(move |snapshot| {
        let order = find(snapshot, merchant, id)?;
        if order.status != OrderStatus::Paid {
            let text = format!("this order is {}; only a paid one has links", order.status);
            return Err(Problem::new(Code::OrderNotPaid, text).into());
        }
        let grants = fulfillment::store::of_order(snapshot, merchant, id)?;
        let email = order.buyer_email.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(ConfirmPage {
            count: count(&grants, |grant| grant.status == GrantStatus::Active),
            days: (act == Act::Extend)
                .then(|| if typed.days.is_empty() { DAYS_USUAL.to_owned() } else { typed.days.clone() }),
            email,
            turn: turn(snapshot, merchant, id, act, &actor)?,
            errors: errors.clone(),
            ..ConfirmPage::new(act, id.to_string(), action.clone(), back.clone())
        })
    })
    .await
}

/// `POST /admin/orders/{order}/{act}`: does it.
async fn act(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, word)): Ids<(OrderId, String)>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let Some(act) = act_of(&word) else { return staff.refuse(&app, Problem::not_found("page")) };
    let days = typed.days.trim().parse::<i64>().unwrap_or(0);
    let turn = typed.turn();
    let done = staff
        .write(&app, move |cx| {
            once(cx, id, act, turn, |cx| match act {
                Act::Receipt => flow::resend_receipt(cx, id),
                Act::Extend => flow::extend(cx, id, days),
                Act::Reissue => flow::reissue(cx, id),
                Act::Regenerate => flow::regenerate(cx, id),
                _ => flow::resend(cx, id),
            })
        })
        .await;
    match done {
        Ok(done) => {
            staff.done(&format!("/admin/orders/{id}"), done.map_or(ALREADY_DONE, |()| done_word(act)))
        }
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let errors = Errors::from([(problem.pointer.unwrap_or_default(), problem.detail)]);
            match confirmation(&app, &staff, id, &word, typed, errors).await {
                Ok(page) => staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(failure) => staff.refuse(&app, failure),
            }
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// The word for what its form had done before.
const ALREADY_DONE: &str = "already_done";

const fn done_word(act: Act) -> &'static str {
    match act {
        Act::Receipt => "receipt_sent",
        Act::Extend => "links_extended",
        Act::Reissue => "links_reissued",
        Act::Regenerate => "regenerated",
        Act::RevokeLine => "line_revoked",
        Act::ReinstateLine => "line_reinstated",
        _ => "links_sent",
    }
}

fn line_act_of(word: &str) -> Option<Act> {
    match word {
        "revoke" => Some(Act::RevokeLine),
        "reinstate" => Some(Act::ReinstateLine),
        _ => None,
    }
}

/// `GET /admin/orders/{order}/lines/{line}/{act}`
async fn ask_line(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, line, word)): Ids<(OrderId, LineId, String)>,
) -> Response {
    let Some(act) = line_act_of(&word) else { return staff.refuse(&app, Problem::not_found("page")) };
    let (merchant, back) = (staff.visit.merchant.id, format!("/admin/orders/{id}"));
    let actor = staff.actor().to_string();
    let page = app
        .read(move |snapshot| {
            let lines = store::lines(snapshot, merchant, id)?;
            let known = lines.iter().find(|known| known.id == line);
            let known = known.ok_or_else(|| Problem::not_found("line of a transaction"))?;
            let grants = fulfillment::store::of_line(snapshot, merchant, id, line)?;
            let taken = |status| matches!(status, GrantStatus::Revoked | GrantStatus::Suspended);
            let concerned = count(&grants, |grant| match act {
                Act::ReinstateLine => taken(grant.status),
                _ => grant.status != GrantStatus::Revoked,
            });
            let action = format!("{back}/lines/{line}/{word}");
            Ok(ConfirmPage {
                count: concerned,
                turn: turn(snapshot, merchant, id, act, &actor)?,
                reason: Some(String::new()),
                ..ConfirmPage::new(act, known.name.clone(), action, back.clone())
            })
        })
        .await;
    staff.answer(&app, page)
}

/// `POST /admin/orders/{order}/lines/{line}/{act}`
async fn act_line(
    State(app): State<App>,
    staff: StaffVisit,
    Ids((id, line, word)): Ids<(OrderId, LineId, String)>,
    Posted(typed): Posted<Typed>,
) -> Response {
    let Some(act) = line_act_of(&word) else { return staff.refuse(&app, Problem::not_found("page")) };
    let reason: String = typed.reason.trim().chars().take(REASON_LENGTH_MAX).collect();
    let turn = typed.turn();
    let done = staff
        .write(&app, move |cx| {
            once(cx, id, act, turn, |cx| match act {
                Act::ReinstateLine => flow::reinstate_line(cx, id, line, &reason),
                _ => flow::revoke_line(cx, id, line, &reason),
            })
        })
        .await;
    match done {
        Ok(done) => {
            staff.done(&format!("/admin/orders/{id}"), done.map_or(ALREADY_DONE, |()| done_word(act)))
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}
