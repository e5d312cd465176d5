//! The buyer's own address of a stream.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use db::Source;
use http::{StatusCode, header};
use kernel::{MerchantId, Secret, Timestamp};
use net::headers::ContentSecurityPolicy;
use ui::delivery::{ClosedLinkPage, ClosedReason, UnknownLinkPage};
use ui::shop::LinkState;
use ui::stream::StreamPage;

use super::{Shown, Signing, Terms, code, desk_flow, signed, store};
use crate::app::App;
use crate::cx::Actor;
use crate::downloads::flow::no_such_link;
use crate::fulfillment::{self, Grant, GrantStatus};
use crate::links::{self, Presented};
use crate::merchants::{self, Address, Merchant};
use crate::orders::{self, Line, view};
use crate::problem::{Code, Failure, Flow, Problem};
use crate::products;
use crate::ring::Ring;
use crate::web::reply::{Refusal, frame, see_other, show_with};
use crate::web::visit::Visit;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/s/{token}", get(open))
}

/// What an address leads to.
struct Seen {
    merchant: Merchant,
    address: Address,
    grant: Grant,
    line: Line,
    terms: Terms,
    secret: Option<Secret<String>>,
}

/// `GET /s/{token}`: on to the stream, or the page with it. Counted, and never used up.
async fn open(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let (ring, base_url) = (app.ring_arc(), app.settings().base_url.clone());
    let seen = match app.read_now(move |snapshot| see(snapshot, &ring, &base_url, &token)) {
        Ok(seen) => seen,
        Err(failure) => return closed_or_unknown(&app, &visit, failure),
    };
    let visit = visit.at(seen.merchant.clone(), &seen.address);
    let now = app.now();
    if let Some(reason) = closed(&seen.grant, now) {
        return over(&app, &visit, &seen, reason);
    }
    let (grant, from) = (seen.grant.clone(), visit.address.to_string());
    let counted = app
        .write(grant.merchant, Actor::Customer(grant.customer), move |cx| {
            // A refund that came this moment is in time.
            let present = fulfillment::store::share(cx.tx, grant.id)?.ok_or_else(no_such_link)?;
            if present.generation != grant.generation || closed(&present, cx.now).is_some() {
                return Err(Problem::new(Code::Revoked, "this has just been closed").into());
            }
            Ok(store::count_visit(cx.tx, &grant, &from, cx.now)?)
        })
        .await;
    match counted {
        Ok(()) => lead(&app, &visit, &seen, now),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

fn see(source: &mut impl Source, ring: &Ring, base_url: &str, token: &str) -> Flow<Seen> {
    let presented = Presented::read(token).ok_or_else(no_such_link)?;
    let grant = fulfillment::store::by_link(source, presented.grant())?.ok_or_else(no_such_link)?;
    if !presented.proves(code(ring, &grant)) {
        return Err(no_such_link().into());
    }
    let lines = orders::store::lines(source, grant.merchant, grant.order)?;
    let line = lines.into_iter().find(|line| line.id == grant.line).ok_or_else(no_such_link)?;
    let (terms, secret) = terms(source, ring, grant.merchant, &line)?;
    let merchant = merchants::store::by_id(source, grant.merchant)?;
    Ok(Seen {
        address: merchants::store::address(source, base_url, &merchant)?,
        merchant,
        grant,
        terms,
        secret,
        line,
    })
}

/// Where the stream is now, and what its addresses are signed with.
fn terms(
    source: &mut impl Source,
    ring: &Ring,
    merchant: MerchantId,
    line: &Line,
) -> Flow<(Terms, Option<Secret<String>>)> {
    let sold = line.deliverables.stream.clone().ok_or_else(no_such_link)?;
    let Some(id) = line.product else { return Ok((sold, None)) };
    let product = products::store::by_id(source, merchant, id)?;
    let present = product.and_then(|product| product.deliverables.stream).unwrap_or(sold);
    if present.signing == Signing::Plain {
        return Ok((present, None));
    }
    let sealed = store::secret(source, merchant, id)?;
    let secret = sealed.map(|sealed| desk_flow::open(ring, id, &sealed)).transpose()?;
    Ok((present, secret))
}

fn closed(grant: &Grant, now: Timestamp) -> Option<ClosedReason> {
    match view::link_state(grant, &[], now) {
        LinkState::Open | LinkState::UsedUp => None,
        LinkState::Expired => Some(ClosedReason::Expired),
        LinkState::Revoked => Some(ClosedReason::Revoked),
    }
}

fn lead(app: &App, visit: &Visit, seen: &Seen, now: Timestamp) -> Response {
    let url = match (&seen.secret, seen.terms.signing) {
        (Some(secret), Signing::Signed) => signed(&seen.terms.url, secret, seen.grant.id, now),
        (None, Signing::Signed) => None,
        (_, Signing::Plain) => Some(seen.terms.url.clone()),
    };
    let Some(url) = url else {
        tracing::error!(grant = %seen.grant.id, "the address of a stream cannot be signed: it has no secret");
        let text = "the stream cannot be opened at the moment; please try again later";
        return Refusal::page(app, visit, &Problem::new(Code::Unavailable, text));
    };
    match seen.terms.shown {
        Shown::Redirect => see_other(&url),
        Shown::Player => page(app, visit, seen, Some(url)),
        Shown::Text => page(app, visit, seen, None),
    }
}

fn page(app: &App, visit: &Visit, seen: &Seen, player_url: Option<String>) -> Response {
    let policy = match &player_url {
        None => Ok(ContentSecurityPolicy::strict()),
        Some(url) => ContentSecurityPolicy::strict().frame(url),
    };
    let Ok(policy) = policy else {
        let text = "the stream cannot be shown at the moment; please try again later";
        return Refusal::page(app, visit, &Problem::new(Code::Unavailable, text));
    };
    let page = StreamPage {
        title: seen.terms.title.clone(),
        product: seen.line.name.clone(),
        player_url,
        text: seen.terms.text.clone(),
        expires_at: Some(seen.grant.expires_at),
        provisional: seen.grant.status == GrantStatus::Provisional,
    };
    let mut response = show_with(app, &frame(app, visit), StatusCode::OK, &page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.to_value());
    response
}

fn over(app: &App, visit: &Visit, seen: &Seen, reason: ClosedReason) -> Response {
    let page = ClosedLinkPage {
        reason,
        product: seen.line.name.clone(),
        order_number: seen.grant.order.to_string(),
        request_path: (reason == ClosedReason::Expired).then(|| "/links/renew".to_owned()),
        link: links::grant_token(app.ring(), &seen.grant).unwrap_or_default(),
    };
    show_with(app, &frame(app, visit), StatusCode::GONE, &page)
}

/// The same page for every address that opens nothing.
fn closed_or_unknown(app: &App, visit: &Visit, failure: Failure) -> Response {
    let problem = failure.into_problem();
    if problem.code == Code::NotFound {
        return show_with(app, &frame(app, visit), StatusCode::NOT_FOUND, &UnknownLinkPage {});
    }
    Refusal::page(app, visit, &problem)
}
