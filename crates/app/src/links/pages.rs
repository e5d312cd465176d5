//! Keyed links: the landing page, the POST that starts a download, and asking for new links.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{StatusCode, header};
use kernel::{EmailAddress, FileVersionId, MerchantId, OrderId};
use net::headers::ContentSecurityPolicy;
use net::limit::Key;
use ui::delivery::{ClosedLinkPage, ClosedReason, LinkPage, LinkRequestPage, UnknownLinkPage};
use ui::{Flash, Tone};

use super::flow;
use super::view::{self, Seen};
use crate::app::App;
use crate::archives;
use crate::customers;
use crate::cx::Actor;
use crate::downloads::flow::{Client, start, start_archive};
use crate::downloads::pages::{go_to, transfer_path};
use crate::downloads::{Download, Parcel, archive_store, packing, transfer_token};
use crate::failpoint;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::storage::Way;
use crate::web::form::Posted;
use crate::web::limits;
use crate::web::reply::{Refusal, frame, say, see_other, show, show_with};
use crate::web::visit::Visit;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/d/{token}", get(land))
        .route("/d/{token}/files/{file}", post(begin))
        .route("/d/{token}/resume/{file}", post(resume))
        .route("/d/{token}/archive", post(begin_archive))
        .route("/d/{token}/password", post(choose_password))
        .route("/d/{token}/archive/resume", post(resume_archive))
        .route("/links/request", get(ask).post(request))
        .route("/links/renew", post(renew))
}

fn find(app: &App, token: &str) -> Flow<Seen> {
    let (ring, token, base_url) = (app.ring_arc(), token.to_owned(), app.settings().base_url.clone());
    app.read_now(move |snapshot| view::see(snapshot, &ring, &base_url, &token))
}

/// `GET /d/{token}`: what the link leads to. Scanners and previews open it too, so it spends nothing.
async fn land(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    match find(&app, &token) {
        Ok(seen) => shown(&app, &visit, &token, &seen),
        Err(failure) => closed_or_unknown(&app, &visit, failure),
    }
}

fn shown(app: &App, visit: &Visit, token: &str, seen: &Seen) -> Response {
    let visit = visit.at(seen.merchant.clone(), &seen.address);
    let now = app.now();
    match seen.closed(now) {
        None => {
            let mut response = show(app, &visit, &seen.page(token, now));
            // Browsers hold the redirects after a form to the page's policy.
            let to_buckets = if seen.way == Way::Redirect { app.blobs().presigns_from() } else { Vec::new() };
            if let Some(policy) = carried_by(&to_buckets) {
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.to_value());
            }
            response
        }
        Some(reason) => {
            show_with(app, &frame(app, &visit), StatusCode::GONE, &seen.closed_page(token, reason))
        }
    }
}

/// The policy of a page whose forms end at these origins.
fn carried_by(origins: &[String]) -> Option<ContentSecurityPolicy> {
    let policy =
        origins.iter().try_fold(ContentSecurityPolicy::strict(), |policy, origin| policy.form_action(origin));
    policy
        .map_err(|error| tracing::error!(%error, "a bucket's address cannot be in a page's policy"))
        .ok()
        .filter(|_| !origins.is_empty())
}

/// The same page, to the last byte, for every token that opens nothing.
fn closed_or_unknown(app: &App, visit: &Visit, failure: Failure) -> Response {
    let problem = failure.into_problem();
    if problem.code == Code::NotFound {
        return show_with(app, &frame(app, visit), StatusCode::NOT_FOUND, &UnknownLinkPage {});
    }
    Refusal::page(app, visit, &problem)
}

/// `POST /d/{token}/files/{file}`: reserves a place and goes on to the bytes. The token is the
/// proof here; a mail program's browser need not keep cookies.
async fn begin(
    State(app): State<App>,
    visit: Visit,
    Path((token, file)): Path<(String, String)>,
) -> Response {
    let (client, wanted) = (client(&visit), token.clone());
    let Ok(file) = file.parse::<FileVersionId>() else {
        return closed_or_unknown(&app, &visit, Problem::not_found("file").into());
    };
    let started = app
        .write(MerchantId::from_bits(0), Actor::Visitor, move |cx| {
            let download = start(cx, &wanted, file, &client)?;
            let session = crate::downloads::store::session(cx.tx, download.id)?;
            let file = session.and_then(|session| session.file);
            Ok((download, file.map(|(name, _)| name).unwrap_or_default()))
        })
        .await;
    failpoint!(DownloadReserved);
    begun(&app, &visit, &token, started)
}

/// `POST /d/{token}/archive`: reserves a place of each file and goes on to the bytes of all.
async fn begin_archive(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let (client, wanted) = (client(&visit), token.clone());
    let started = app
        .write(MerchantId::from_bits(0), Actor::Visitor, move |cx| {
            let download = start_archive(cx, &wanted, &client)?;
            let product = archive_store::product(cx.tx, &download)?;
            Ok((download, packing::name(&product)))
        })
        .await;
    failpoint!(DownloadReserved);
    begun(&app, &visit, &token, started)
}

#[derive(Debug, serde::Deserialize)]
struct Chosen {
    #[serde(default)]
    password: String,
}

/// `POST /d/{token}/password`: the buyer chooses what the archive is protected with, once.
async fn choose_password(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<String>,
    Posted(chosen): Posted<Chosen>,
) -> Response {
    let seen = match find(&app, &token) {
        Ok(seen) => seen,
        Err(failure) => return closed_or_unknown(&app, &visit, failure),
    };
    let now = app.now();
    // Chosen in the meantime, by another tab: the page says how it stands.
    if seen.closed(now).is_some() || !seen.awaits_password {
        return shown(&app, &visit, &token, &seen);
    }
    let (grant, actor) = (seen.grant.clone(), Actor::Customer(seen.grant.customer));
    let kept = app
        .write(seen.merchant.id, actor, move |cx| archives::flow::choose(cx, &grant, &chosen.password))
        .await;
    match kept.map_err(Failure::into_problem) {
        Ok(()) => see_other(&format!("/d/{token}")),
        Err(problem) if problem.pointer.is_some() => {
            let visit = visit.at(seen.merchant.clone(), &seen.address);
            let page = LinkPage { password_error: Some(problem.detail), ..seen.page(&token, now) };
            show_with(&app, &frame(&app, &visit), StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(problem) => Refusal::page(&app, &visit, &problem),
    }
}

fn client(visit: &Visit) -> Client {
    Client { address: visit.address.to_string(), user_agent: visit.user_agent.clone() }
}

fn begun(app: &App, visit: &Visit, token: &str, started: Flow<(Download, String)>) -> Response {
    match started {
        Ok((download, name)) => transfer(app, visit, &download, &name),
        Err(failure) => refused(app, visit, token, failure),
    }
}

/// `POST /d/{token}/resume/{file}`: goes on with a download that broke off. It has its place.
async fn resume(
    State(app): State<App>,
    visit: Visit,
    Path((token, file)): Path<(String, String)>,
) -> Response {
    let seen = match find(&app, &token) {
        Ok(seen) => seen,
        Err(failure) => return closed_or_unknown(&app, &visit, failure),
    };
    let now = app.now();
    let known = seen.files.iter().find(|known| known.version.to_string() == file);
    let open = known.filter(|_| seen.closed(now).is_none());
    let session = open.and_then(|known| seen.begun(&Parcel::File(known.version), now));
    match (open, session) {
        (Some(known), Some(session)) => transfer(&app, &visit, &session, &known.name),
        // Finished in the meantime, by another tab: the page says how it stands.
        _ => shown(&app, &visit, &token, &seen),
    }
}

/// `POST /d/{token}/archive/resume`: goes on with an archive that broke off.
async fn resume_archive(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let seen = match find(&app, &token) {
        Ok(seen) => seen,
        Err(failure) => return closed_or_unknown(&app, &visit, failure),
    };
    let now = app.now();
    let open = seen.closed(now).is_none();
    match seen.archive_begun(now).filter(|_| open) {
        Some(session) => transfer(&app, &visit, &session, &packing::name(&seen.line.name)),
        None => shown(&app, &visit, &token, &seen),
    }
}

fn transfer(app: &App, visit: &Visit, download: &Download, name: &str) -> Response {
    match transfer_token(app.ring(), download) {
        Some(token) => go_to(&transfer_path(&token, name)),
        None => Refusal::page(app, visit, &Problem::not_found("file")),
    }
}

/// A start that was refused: who has the genuine link is told why, and how to get a new one.
fn refused(app: &App, visit: &Visit, token: &str, failure: Failure) -> Response {
    let problem = failure.into_problem();
    match find(app, token) {
        Ok(seen) if seen.closed(app.now()).is_some() => shown(app, visit, token, &seen),
        Ok(seen) => {
            let visit = visit.at(seen.merchant.clone(), &seen.address);
            Refusal::page(app, &visit, &problem)
        }
        Err(_) => closed_or_unknown(app, visit, problem.into()),
    }
}

#[derive(Debug, serde::Deserialize)]
struct Wish {
    #[serde(default)]
    email: String,
}

#[derive(Debug, serde::Deserialize)]
struct Renewal {
    #[serde(default)]
    link: String,
}

/// `GET /links/request`
async fn ask(State(app): State<App>, visit: Visit) -> Response {
    show(&app, &visit, &LinkRequestPage { email: String::new(), errors: BTreeMap::new(), sent: false })
}

/// `POST /links/request`: links for whoever bought with this address. The answer is the same
/// whether or not anybody did.
async fn request(State(app): State<App>, visit: Visit, Posted(wish): Posted<Wish>) -> Response {
    let typed = wish.email.trim().to_owned();
    let Ok(email) = EmailAddress::parse(&typed) else {
        let errors = [("email".to_owned(), say(&app, &visit, "said.email", &[]))].into();
        let page = LinkRequestPage { email: typed, errors, sent: false };
        return show_with(&app, &frame(&app, &visit), StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    if let Err(problem) = allowed(&app, &visit, email.as_str()) {
        return Refusal::page(&app, &visit, &problem);
    }
    let merchant = visit.merchant.id;
    let sent = app
        .write(merchant, Actor::Visitor, move |cx| {
            let Some(customer) = customers::store::by_email(cx.tx, cx.merchant, &email)? else {
                return Ok(());
            };
            cx.actor = Actor::Customer(customer.id);
            flow::send_all_again(cx, customer.id)
        })
        .await;
    same_answer(&app, &visit, typed, sent)
}

/// `POST /links/renew`: new links in place of one that is over, to the address of its order.
async fn renew(State(app): State<App>, visit: Visit, Posted(renewal): Posted<Renewal>) -> Response {
    let seen = match find(&app, &renewal.link) {
        Ok(seen) => seen,
        Err(failure) => return closed_or_unknown(&app, &visit, failure),
    };
    let visit = visit.at(seen.merchant.clone(), &seen.address);
    let order: OrderId = seen.order.id;
    if let Err(problem) = allowed(&app, &visit, &order.to_string()) {
        return Refusal::page(&app, &visit, &problem);
    }
    let actor = Actor::Customer(seen.grant.customer);
    let sent = app.write(seen.merchant.id, actor, move |cx| flow::send_again(cx, order).map(drop)).await;
    match sent {
        Ok(()) => on_its_way(&app, &visit, &renewal.link, &seen),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// The page of the old link, with the news. The address that the mail goes to is the buyer's own
/// affair: a link that was passed on must not tell it.
fn on_its_way(app: &App, visit: &Visit, token: &str, seen: &Seen) -> Response {
    let reason = seen.closed(app.now()).unwrap_or(ClosedReason::Expired);
    let page = ClosedLinkPage { request_path: None, ..seen.closed_page(token, reason) };
    let mut frame = frame(app, visit);
    let text = say(app, visit, "said.links_sent", &[]);
    frame.flash = Some(Flash { tone: Tone::Ok, text });
    show_with(app, &frame, StatusCode::OK, &page)
}

fn allowed(app: &App, visit: &Visit, name: &str) -> Result<(), Problem> {
    limits::take(app, &limits::RESEND_FROM, Key::address(visit.address))?;
    limits::take(app, &limits::RESEND_TO, Key::name(name))
}

fn same_answer(app: &App, visit: &Visit, shown_as: String, sent: Flow<()>) -> Response {
    match sent {
        Ok(()) => show(app, visit, &LinkRequestPage { email: shown_as, errors: BTreeMap::new(), sent: true }),
        Err(failure) => Refusal::from_failure(app, visit, failure),
    }
}
