//! Reviews in the back office: the questions that a person answers, and what the answer does.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use db::Source;
use http::StatusCode;
use kernel::{LineId, MerchantId, Money, ReviewId, Timestamp};
use ui::admin::{Errors, LinkState, Resolved, ReviewLine, ReviewPage, ReviewRow, ReviewState, ReviewsPage};

use super::flow::{self, Lines};
use super::{Review, Which, desk_store, store};
use crate::app::App;
use crate::events::names::Names;
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::orders::view;
use crate::orders::{self, LineKind, Order};
use crate::paging::{By, KeyKind, Way};
use crate::problem::{Failure, Flow, Problem};
use crate::staff::Right;
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::listing::{Asked, Column, word};
use crate::web::staff_visit::{Ids, StaffVisit};

const REVIEWS: &str = "/admin/reviews";
/// What has waited longest comes first.
const COLUMNS: &[Column] = &[(By { name: "opened", column: "id", kind: KeyKind::Id }, Way::Up)];

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(REVIEWS, Right::Read, list).get("/admin/reviews/{review}", Right::Read, show).post(
        "/admin/reviews/{review}",
        Right::Decide,
        resolve,
    )
}

#[derive(Debug, Clone, Default, serde::Deserialize)]
struct Answer {
    #[serde(default)]
    resolution: String,
    #[serde(default)]
    revoke: Vec<LineId>,
    #[serde(default)]
    reinstate: Vec<LineId>,
}

/// `GET /admin/reviews`: the open ones, unless others are asked for.
async fn list(State(app): State<App>, staff: StaffVisit, asked: Asked) -> Response {
    let merchant = staff.visit.merchant.id;
    let page = app
        .read(move |snapshot| {
            let ask = asked.ask(COLUMNS);
            let state = asked.word::<ReviewState>("state").unwrap_or(ReviewState::Open);
            let which = if state == ReviewState::Open { Which::Open } else { Which::Resolved };
            let kind = asked.stored("kind");
            let slice = desk_store::list(snapshot, merchant, which, kind, &ask)?;
            let mut listing = asked
                .listing(REVIEWS, COLUMNS, &ask, &slice)
                .tabs("state", Some(state))
                .word("kind", asked.word::<ui::admin::ReviewKind>("kind"))
                .done();
            // Nothing chosen means the open ones, so there is no tab for everything.
            if let Some(tabs) = &mut listing.tabs {
                tabs.options.retain(|tab| !tab.value.is_empty());
            }
            listing.narrowed = kind.is_some() || which == Which::Resolved;
            let mut reviews = Vec::with_capacity(slice.rows.len());
            for review in &slice.rows {
                let order = order_of(snapshot, merchant, review)?;
                reviews.push(row(review, order.as_ref()));
            }
            Ok(ReviewsPage { list: listing, reviews })
        })
        .await;
    staff.answer(&app, page)
}

fn order_of(source: &mut impl Source, merchant: MerchantId, review: &Review) -> Flow<Option<Order>> {
    Ok(match review.order {
        Some(order) => orders::store::by_id(source, merchant, order)?,
        None => None,
    })
}

fn row(review: &Review, order: Option<&Order>) -> ReviewRow {
    let buyer = order.map(|order| match &order.buyer_email {
        Some(email) => email.to_string(),
        None => order.buyer_name.clone(),
    });
    ReviewRow {
        id: review.id,
        kind: word(review.kind.as_str()),
        state: if review.resolved_at.is_some() { ReviewState::Resolved } else { ReviewState::Open },
        detail: review.detail.clone(),
        order: review.order,
        buyer: buyer.filter(|buyer| !buyer.is_empty()),
        notice: review.notice,
        opened_at: review.opened_at,
    }
}

/// `GET /admin/reviews/{review}`
async fn show(State(app): State<App>, staff: StaffVisit, Ids(id): Ids<ReviewId>) -> Response {
    page(&app, &staff, id, StatusCode::OK, Answer::default(), Errors::new()).await
}

async fn page(
    app: &App,
    staff: &StaffVisit,
    id: ReviewId,
    status: StatusCode,
    typed: Answer,
    errors: Errors,
) -> Response {
    let (merchant, now) = (staff.visit.merchant.id, app.now());
    let read = app
        .read(move |snapshot| {
            let review = store::by_id(snapshot, merchant, id)?;
            let review = review.ok_or_else(|| Problem::not_found("review"))?;
            let order = order_of(snapshot, merchant, &review)?;
            let lines = match &order {
                Some(order) => lines(snapshot, order, &typed, now)?,
                None => Vec::new(),
            };
            let resolved = match (review.resolved_at, &review.resolution) {
                (Some(at), resolution) => {
                    let by = desk_store::resolved_by(snapshot, merchant, id)?.unwrap_or_default();
                    let by = Names::read(snapshot, merchant)?.name(&by);
                    Some(Resolved { resolution: resolution.clone().unwrap_or_default(), by, at })
                }
                (None, _) => None,
            };
            Ok(ReviewPage {
                review: row(&review, order.as_ref()),
                sums: order.as_ref().map(sums),
                lines,
                resolution: typed.resolution.clone(),
                resolved,
                errors: errors.clone(),
            })
        })
        .await;
    match read {
        Ok(page) => staff.show_as(app, status, &page),
        Err(failure) => staff.refuse(app, failure),
    }
}

/// Due, settled, returned.
fn sums(order: &Order) -> (Money, Money, Money) {
    let money = |minor| Money::new(minor, order.currency);
    (order.due(), money(order.settled_minor), money(order.returned_minor))
}

fn lines(source: &mut impl Source, order: &Order, typed: &Answer, now: Timestamp) -> Flow<Vec<ReviewLine>> {
    let mut grants: BTreeMap<LineId, Vec<Grant>> = BTreeMap::new();
    for grant in fulfillment::store::of_order(source, order.merchant, order.id)? {
        grants.entry(grant.line).or_default().push(grant);
    }
    let all = orders::store::lines(source, order.merchant, order.id)?;
    // What was never granted can neither be taken back nor given back.
    let lines = all.into_iter().filter(|line| line.kind == LineKind::Product).filter_map(|line| {
        let state = line_state(grants.get(&line.id)?, now)?;
        Some(ReviewLine {
            id: line.id,
            quantity: line.quantity,
            gross: Money::new(line.gross_minor, order.currency),
            state,
            checked: typed.revoke.contains(&line.id) || typed.reinstate.contains(&line.id),
            name: line.name,
        })
    });
    Ok(lines.collect())
}

/// A line is gone when all of its units are; otherwise it is as good as its best unit.
fn line_state(grants: &[Grant], now: Timestamp) -> Option<LinkState> {
    let has = |status: GrantStatus| grants.iter().find(|grant| grant.status == status);
    if let Some(grant) = has(GrantStatus::Active).or_else(|| has(GrantStatus::Provisional)) {
        return Some(match view::link_state(grant, &[], now) {
            ui::shop::LinkState::Expired => LinkState::Expired,
            _ if grant.status == GrantStatus::Provisional => LinkState::Provisional,
            _ => LinkState::Open,
        });
    }
    if has(GrantStatus::Suspended).is_some() {
        return Some(LinkState::Suspended);
    }
    has(GrantStatus::Revoked).map(|_| LinkState::Revoked)
}

/// `POST /admin/reviews/{review}`
async fn resolve(
    State(app): State<App>,
    staff: StaffVisit,
    Ids(id): Ids<ReviewId>,
    Posted(answer): Posted<Answer>,
) -> Response {
    let resolution = answer.resolution.clone();
    let lines = Lines { revoke: answer.revoke.clone(), reinstate: answer.reinstate.clone() };
    match staff.write(&app, move |cx| flow::decide(cx, id, &resolution, &lines)).await {
        Ok(_) => staff.done(REVIEWS, "review_resolved"),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            let errors = Errors::from([(problem.pointer.unwrap_or_default(), problem.detail)]);
            page(&app, &staff, id, StatusCode::UNPROCESSABLE_ENTITY, answer, errors).await
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}
