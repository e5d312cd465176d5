//! One's own account: name, address, password, second step, and the browsers one is signed in with.
//!
//! What changes how one signs in asks for the password again, or for a sign-in of a moment ago:
//! a browser left open must not be enough to take an account over.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use kernel::{EmailAddress, Secret, SessionId};
use net::limit::Key;
use ui::admin::{AccountPage, Act, ConfirmPage, Errors, SessionRow, SessionsPage, TotpSetupPage, Word as _};

use super::sign_in_pages::{TRIES_FOR_ACCOUNT, chosen};
use super::{Right, flow, password, totp};
use crate::app::App;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::sessions::{self, Holder, Session};
use crate::web::desk::{Desk, SIGN_IN};
use crate::web::form::Posted;
use crate::web::limits::take;
use crate::web::qr;
use crate::web::reply::see_other;
use crate::web::signed_in::{self, Side};
use crate::web::staff_visit::StaffVisit;

/// Most sessions that are listed.
const SESSIONS_MAX: u32 = 100;

const ACCOUNT: &str = "/admin/account";
const TOTP: &str = "/admin/account/totp";
const TOTP_OFF: &str = "/admin/account/totp/off";
const SESSIONS: &str = "/admin/sessions";

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.get(ACCOUNT, Right::Own, show)
        .post(ACCOUNT, Right::Own, rename)
        .post("/admin/account/password", Right::Own, change_password)
        .post("/admin/account/email", Right::Own, change_email)
        .get(TOTP, Right::Own, offer_totp)
        .post(TOTP, Right::Own, turn_totp_on)
        .get(TOTP_OFF, Right::Own, confirm_totp_off)
        .post(TOTP_OFF, Right::Own, turn_totp_off)
        .get(SESSIONS, Right::Own, show_sessions)
        .post("/admin/sessions/revoke", Right::Own, revoke)
        .post("/admin/sessions/revoke-others", Right::Own, revoke_others)
}

#[derive(Debug, serde::Deserialize)]
struct Named {
    name: String,
}

#[derive(Debug, serde::Deserialize)]
struct ChangedPassword {
    current: Secret<String>,
    password: Secret<String>,
    again: Secret<String>,
}

#[derive(Debug, serde::Deserialize)]
struct ChangedEmail {
    email: String,
    email_password: Secret<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Coded {
    code: String,
}

#[derive(Debug, serde::Deserialize)]
struct Confirmed {
    password: Secret<String>,
}

#[derive(Debug, serde::Deserialize)]
struct OneSession {
    session: SessionId,
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

/// `GET /admin/account`
async fn show(State(app): State<App>, staff: StaffVisit) -> Response {
    account(&app, &staff, StatusCode::OK, None).await
}

async fn account(app: &App, staff: &StaffVisit, status: StatusCode, problem: Option<Problem>) -> Response {
    let sessions = match own_sessions(app, staff).await {
        Ok(sessions) => sessions,
        Err(failure) => return staff.refuse(app, failure),
    };
    let me = &staff.staff;
    let errors = problem.map(|problem| (problem.pointer.unwrap_or_default(), problem.detail));
    let page = AccountPage {
        name: me.name.clone(),
        email: me.email.to_string(),
        role: ui::admin::Role::parse(me.role.as_str()).unwrap_or(ui::admin::Role::ReadOnly),
        length_min: password::LENGTH_MIN,
        totp_enabled_at: me.totp_enabled_at,
        sessions: u32::try_from(sessions.len()).unwrap_or(SESSIONS_MAX),
        errors: errors.into_iter().collect(),
    };
    staff.show_as(app, status, &page)
}

/// A field that was wrong is shown on the page again; what else went wrong has its own page.
async fn wrong(app: &App, staff: &StaffVisit, failure: Failure) -> Response {
    match failure {
        Failure::Problem(problem) if problem.pointer.is_some() => {
            account(app, staff, StatusCode::UNPROCESSABLE_ENTITY, Some(problem)).await
        }
        other => staff.refuse(app, other),
    }
}

/// `POST /admin/account`
async fn rename(State(app): State<App>, staff: StaffVisit, Posted(form): Posted<Named>) -> Response {
    let id = staff.staff.id;
    match staff.write(&app, move |cx| flow::rename(cx, id, &form.name)).await {
        Ok(()) => staff.done(ACCOUNT, "saved"),
        Err(failure) => wrong(&app, &staff, failure).await,
    }
}

/// The password typed again, tried as seldom as at the sign-in.
async fn prove(app: &App, staff: &StaffVisit, typed: Secret<String>, field: &str) -> Result<(), Problem> {
    let address = staff.visit.address;
    take(app, &TRIES_FOR_ACCOUNT, Key::name_from(staff.staff.email.as_str(), address))?;
    if password::matches(typed, staff.staff.password_hash.clone()).await? {
        return Ok(());
    }
    Err(Problem::invalid(field, "that is not your present password"))
}

/// `POST /admin/account/password`: every session ends, and this browser gets a new one.
async fn change_password(
    State(app): State<App>,
    staff: StaffVisit,
    headers: HeaderMap,
    Posted(form): Posted<ChangedPassword>,
) -> Response {
    let hashed = match prove(&app, &staff, form.current, "current").await {
        Ok(()) => chosen(&app, &staff.visit, &staff.staff, form.password, &form.again).await,
        Err(problem) => Err(problem),
    };
    let hashed = match hashed {
        Ok(hashed) => hashed,
        Err(problem) => return wrong(&app, &staff, problem.into()).await,
    };
    let origin = signed_in::origin(&headers, &staff.visit, Side::Staff);
    let me = staff.staff.clone();
    let opened = staff
        .write(&app, move |cx| {
            flow::set_password(cx, &me, &hashed, None)?;
            Ok(sessions::flow::open(cx, Holder::Staff(me.id), &origin)?)
        })
        .await;
    match opened {
        Ok(opened) => {
            let mut response = staff.done(ACCOUNT, "password_changed");
            signed_in::keep(&mut response, &staff.visit, &opened);
            response
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

/// `POST /admin/account/email`
async fn change_email(
    State(app): State<App>,
    staff: StaffVisit,
    Posted(form): Posted<ChangedEmail>,
) -> Response {
    let (id, session) = (staff.staff.id, staff.session.id);
    let changed: Flow<()> = async {
        prove(&app, &staff, form.email_password, "email_password").await?;
        let email = EmailAddress::parse(&form.email).map_err(|error| Problem::invalid("email", error))?;
        staff.write(&app, move |cx| flow::set_email(cx, id, &email, session)).await
    }
    .await;
    match changed {
        Ok(()) => staff.done(ACCOUNT, "saved"),
        Err(failure) => wrong(&app, &staff, failure).await,
    }
}

/// The sign-in page, for whose sign-in is too long ago to change how they sign in.
fn prove_again(app: &App, staff: &StaffVisit, path: &str) -> Option<Response> {
    let next: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let path = staff.visit.url(&format!("{SIGN_IN}?next={next}"));
    (!staff.session.is_fresh(app.now())).then(|| see_other(&path))
}

/// `GET /admin/account/totp`
async fn offer_totp(State(app): State<App>, staff: StaffVisit) -> Response {
    if let Some(response) = prove_again(&app, &staff, TOTP) {
        return response;
    }
    if staff.staff.has_totp() {
        return see_other(&staff.visit.url(ACCOUNT));
    }
    staff.answer(&app, totp_page(&app, &staff, Errors::new()))
}

fn totp_page(app: &App, staff: &StaffVisit, errors: Errors) -> Flow<TotpSetupPage> {
    let secret = totp::offered(app.ring(), staff.staff.id, staff.session.id);
    let address = totp::address(&secret, &staff.visit.merchant.name, staff.staff.email.as_str());
    let picture = qr::svg(&address, "QR");
    let too_long = || Problem::new(Code::Internal, "the shop's name is too long for a QR code");
    Ok(TotpSetupPage {
        qr_svg: picture.ok_or_else(too_long)?,
        secret: totp::spelled(&secret),
        email: staff.staff.email.to_string(),
        errors,
    })
}

/// `POST /admin/account/totp`
async fn turn_totp_on(State(app): State<App>, staff: StaffVisit, Posted(form): Posted<Coded>) -> Response {
    if let Some(response) = prove_again(&app, &staff, TOTP) {
        return response;
    }
    let (id, session) = (staff.staff.id, staff.session.id);
    match staff.write(&app, move |cx| flow::confirm_totp(cx, id, &form.code, session)).await {
        Ok(()) => staff.done(ACCOUNT, "totp_on"),
        Err(Failure::Problem(problem)) if problem.pointer.is_some() => {
            match totp_page(&app, &staff, Errors::from([("code".to_owned(), problem.detail)])) {
                Ok(page) => staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page),
                Err(failure) => staff.refuse(&app, failure),
            }
        }
        Err(failure) => staff.refuse(&app, failure),
    }
}

fn totp_off_page(staff: &StaffVisit) -> ConfirmPage {
    let page = ConfirmPage::new(Act::TotpOff, staff.staff.label(), TOTP_OFF, ACCOUNT);
    ConfirmPage { ask_password: true, ..page }
}

/// `GET /admin/account/totp/off`
async fn confirm_totp_off(State(app): State<App>, staff: StaffVisit) -> Response {
    staff.show(&app, &totp_off_page(&staff))
}

/// `POST /admin/account/totp/off`
async fn turn_totp_off(
    State(app): State<App>,
    staff: StaffVisit,
    Posted(form): Posted<Confirmed>,
) -> Response {
    if let Err(problem) = prove(&app, &staff, form.password, "password").await {
        let field = problem.pointer.clone().unwrap_or_else(|| "password".to_owned());
        let page = ConfirmPage { errors: Errors::from([(field, problem.detail)]), ..totp_off_page(&staff) };
        return staff.show_as(&app, StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let id = staff.staff.id;
    let done = staff.write(&app, move |cx| flow::totp_off(cx, id)).await;
    staff.after(&app, done, ACCOUNT, "totp_off")
}

async fn own_sessions(app: &App, staff: &StaffVisit) -> Flow<Vec<Session>> {
    let (merchant, holder, now) = (staff.visit.merchant.id, Holder::Staff(staff.staff.id), app.now());
    app.read(move |snapshot| Ok(sessions::store::of_holder(snapshot, merchant, holder, now, SESSIONS_MAX)?))
        .await
}

/// A session as the page shows it.
pub fn session_row(session: &Session, current: Option<SessionId>) -> SessionRow {
    SessionRow {
        id: session.id,
        current: current == Some(session.id),
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
        address: session.address.clone(),
        user_agent: session.user_agent.clone(),
    }
}

/// `GET /admin/sessions`
async fn show_sessions(State(app): State<App>, staff: StaffVisit) -> Response {
    let current = Some(staff.session.id);
    let page = own_sessions(&app, &staff).await.map(|sessions| {
        let mut rows: Vec<SessionRow> =
            sessions.iter().map(|session| session_row(session, current)).collect();
        rows.sort_by_key(|row| !row.current);
        SessionsPage { sessions: rows }
    });
    staff.answer(&app, page)
}

/// `POST /admin/sessions/revoke`
async fn revoke(State(app): State<App>, staff: StaffVisit, Posted(form): Posted<OneSession>) -> Response {
    let holder = Holder::Staff(staff.staff.id);
    let ended = staff.write(&app, move |cx| sessions::flow::revoke(cx, holder, form.session)).await;
    staff.after(&app, ended, SESSIONS, "session_ended")
}

/// `POST /admin/sessions/revoke-others`
async fn revoke_others(State(app): State<App>, staff: StaffVisit, Posted(_): Posted<Nothing>) -> Response {
    let (holder, keep) = (Holder::Staff(staff.staff.id), Some(staff.session.id));
    let ended = staff.write(&app, move |cx| Ok(sessions::flow::revoke_all(cx, holder, keep)?)).await;
    staff.after(&app, ended, SESSIONS, "sessions_ended")
}
