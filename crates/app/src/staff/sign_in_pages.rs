//! Signing in to the back office: password, second step, links, a first password, signing out.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use kernel::{EmailAddress, Secret, Span};
use net::limit::{Bucket, Key};
use ui::admin::{
    Errors, LinkPurpose, OwnerLinkOverPage, OwnerLinkPage, SetPasswordPage, SignInCodePage, SignInPage,
    SignInProblem,
};

use super::flow::{self, Entered};
use super::steps::{STEP_LIFE, Step, Waiting};
use super::{Right, Role, Staff, password, store};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::{Failure, Flow, Problem};
use crate::sessions::{self, Token};
use crate::web::desk::Desk;
use crate::web::form::Posted;
use crate::web::limits::take;
use crate::web::reply::{self, Refusal, see_other, show_with};
use crate::web::signed_in::{self, Side};
use crate::web::staff_visit::StaffVisit;
use crate::web::visit::{self, Visit};

/// Passwords tried for one account from one network: guessing is slow, and nobody else can lock
/// the account's owner out.
pub(super) const TRIES_FOR_ACCOUNT: Bucket =
    Bucket { name: "staff account", burst: 5, per: Span::minutes(15) };
/// Passwords tried from one network, for whatever accounts.
const TRIES_FROM_NETWORK: Bucket = Bucket { name: "staff network", burst: 30, per: Span::minutes(15) };
/// Codes tried for one account, from anywhere: whoever gets here has its password.
const CODES_FOR_ACCOUNT: Bucket = Bucket { name: "staff codes", burst: 5, per: Span::minutes(15) };

/// Registers the routes.
pub fn desk(desk: Desk) -> Desk {
    desk.open_get("/admin/sign-in", ask)
        .open_post("/admin/sign-in", sign_in)
        .open_get("/admin/sign-in/code", ask_code)
        .open_post("/admin/sign-in/code", sign_in_with_code)
        .open_get("/admin/welcome/{token}", look_at_link)
        .open_post("/admin/welcome/{token}", use_link)
        .open_get("/admin/password", ask_password)
        .open_post("/admin/password", set_password)
        .post("/admin/sign-out", Right::Own, sign_out)
}

#[derive(Debug, Default, serde::Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

#[derive(Debug, serde::Deserialize)]
struct Credentials {
    email: String,
    password: Secret<String>,
    #[serde(default)]
    next: String,
}

#[derive(Debug, serde::Deserialize)]
struct CodeForm {
    code: String,
    #[serde(default)]
    next: String,
}

#[derive(Debug, serde::Deserialize)]
struct NewPassword {
    password: Secret<String>,
    again: Secret<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Nothing {}

const HOME: &str = "/admin";

fn next_of(text: &str) -> String {
    signed_in::next_path(text, HOME).unwrap_or_else(|| HOME.to_owned())
}

/// `GET /admin/sign-in`
async fn ask(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Query(query): Query<Next>,
) -> Response {
    // Whoever brings a cookie was signed in once; it did not lead past the gate.
    let was_in = signed_in::token_of(&headers, &visit, Side::Staff).is_some() && !query.next.is_empty();
    let problem = was_in.then_some(SignInProblem::Expired);
    let page = SignInPage { email: String::new(), problem, next: next_of(&query.next) };
    reply::show(&app, &visit, &page)
}

/// `POST /admin/sign-in`: the same answer, after the same work, for an account that does not
/// exist and for a wrong password.
async fn sign_in(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(form): Posted<Credentials>,
) -> Response {
    let again = |status, problem| {
        let page =
            SignInPage { email: form.email.clone(), problem: Some(problem), next: next_of(&form.next) };
        show_with(&app, &reply::frame(&app, &visit), status, &page)
    };
    let typed = form.email.trim().to_ascii_lowercase();
    let limits = take(&app, &TRIES_FROM_NETWORK, Key::address(visit.address))
        .and_then(|()| take(&app, &TRIES_FOR_ACCOUNT, Key::name_from(&typed, visit.address)));
    if let Err(wait) = limits {
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, SignInProblem::TooMany);
        reply::retry_after(&mut response, &wait);
        return response;
    }
    match recognize(&app, &visit, &typed, form.password.clone()).await {
        Ok(Some(staff)) => step_in(&app, &visit, &headers, &staff, &next_of(&form.next)).await,
        Ok(None) => again(StatusCode::UNAUTHORIZED, SignInProblem::Wrong),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

async fn recognize(app: &App, visit: &Visit, email: &str, password: Secret<String>) -> Flow<Option<Staff>> {
    let merchant = visit.merchant.id;
    let email = EmailAddress::parse(email).ok();
    let staff = app
        .read(move |snapshot| match &email {
            Some(email) => Ok(store::by_email(snapshot, merchant, email)?),
            None => Ok(None),
        })
        .await?;
    let staff = staff.filter(|staff| staff.disabled_at.is_none());
    let kept = staff.as_ref().and_then(|staff| staff.password_hash.clone());
    let matches = password::matches(password, kept).await?;
    if !matches {
        let (id, address) = (staff.map(|staff| staff.id), visit.address.to_string());
        app.write(merchant, Actor::Visitor, move |cx| flow::note_failure(cx, id, &address, "password"))
            .await?;
        return Ok(None);
    }
    Ok(staff)
}

/// What comes after the password: the code, where it is asked for, or the back office.
async fn step_in(app: &App, visit: &Visit, headers: &HeaderMap, staff: &Staff, next: &str) -> Response {
    let waiting = Waiting::new(staff, Step::Code, app.now());
    if staff.has_totp() {
        let query: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let mut response = see_other(&visit.url(&format!("/admin/sign-in/code?next={query}")));
        keep_step(app, &mut response, visit, &waiting);
        return response;
    }
    let origin = signed_in::origin(headers, visit, Side::Staff);
    let entered =
        app.write(visit.merchant.id, Actor::Visitor, move |cx| flow::enter(cx, &waiting, &origin)).await;
    enter(app, visit, entered, next)
}

fn enter(app: &App, visit: &Visit, entered: Flow<Entered>, next: &str) -> Response {
    match entered {
        Ok(Entered::In(opened)) => {
            let mut response = see_other(&visit.url(next));
            signed_in::keep(&mut response, visit, &opened);
            forget_step(&mut response, visit);
            response
        }
        Ok(Entered::Not) => {
            let page = SignInPage {
                email: String::new(),
                problem: Some(SignInProblem::Expired),
                next: next.to_owned(),
            };
            show_with(app, &reply::frame(app, visit), StatusCode::UNAUTHORIZED, &page)
        }
        Err(failure) => Refusal::from_failure(app, visit, failure),
    }
}

/// `GET /admin/sign-in/code`
async fn ask_code(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Query(query): Query<Next>,
) -> Response {
    match in_step(&app, &visit, &headers, Step::Code).await {
        Ok(Some((_, staff))) => {
            let page =
                SignInCodePage { email: staff.email.to_string(), problem: None, next: next_of(&query.next) };
            reply::show(&app, &visit, &page)
        }
        Ok(None) => see_other(&visit.url("/admin/sign-in")),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// `POST /admin/sign-in/code`
async fn sign_in_with_code(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(form): Posted<CodeForm>,
) -> Response {
    let (waiting, staff) = match in_step(&app, &visit, &headers, Step::Code).await {
        Ok(Some(found)) => found,
        Ok(None) => return see_other(&visit.url("/admin/sign-in")),
        Err(failure) => return Refusal::from_failure(&app, &visit, failure),
    };
    let next = next_of(&form.next);
    let again = |status, problem| {
        let page =
            SignInCodePage { email: staff.email.to_string(), problem: Some(problem), next: next.clone() };
        show_with(&app, &reply::frame(&app, &visit), status, &page)
    };
    if let Err(wait) = take(&app, &CODES_FOR_ACCOUNT, Key::name(&staff.id.to_string())) {
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, SignInProblem::TooMany);
        reply::retry_after(&mut response, &wait);
        return response;
    }
    let origin = signed_in::origin(&headers, &visit, Side::Staff);
    let (address, id) = (visit.address.to_string(), staff.id);
    let entered = app
        .write(visit.merchant.id, Actor::Visitor, move |cx| {
            let entered = flow::enter_with_code(cx, &waiting, &form.code, &origin)?;
            if matches!(entered, Entered::Not) {
                flow::note_failure(cx, Some(id), &address, "code")?;
            }
            Ok(entered)
        })
        .await;
    match entered {
        Ok(Entered::Not) => again(StatusCode::UNAUTHORIZED, SignInProblem::WrongCode),
        other => enter(&app, &visit, other, &next),
    }
}

/// `GET /admin/welcome/{token}`: says what the link is for. Mail scanners may look.
async fn look_at_link(State(app): State<App>, visit: Visit, Path(token): Path<String>) -> Response {
    let (merchant, now, asked) = (visit.merchant.id, app.now(), Token::parse(&token));
    let found = app
        .read(move |snapshot| {
            let Some(token) = &asked else { return Ok(None) };
            let Some(link) = sessions::flow::look_at_link(snapshot, merchant, token, now)? else {
                return Ok(None);
            };
            let Some(id) = link.holder.staff() else { return Ok(None) };
            Ok(store::by_id(snapshot, merchant, id)?.map(|staff| (link, staff)))
        })
        .await;
    match found {
        Ok(Some((link, staff))) if staff.disabled_at.is_none() => {
            let page = OwnerLinkPage {
                purpose: purpose(&staff),
                email: staff.email.to_string(),
                expires_at: link.expires_at,
                action: format!("/admin/welcome/{token}"),
            };
            reply::show(&app, &visit, &page)
        }
        Ok(_) => over(&app, &visit),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

fn purpose(staff: &Staff) -> LinkPurpose {
    match (staff.password_hash.is_some(), staff.role) {
        (true, _) => LinkPurpose::Recovery,
        (false, Role::Owner) if staff.name.is_empty() => LinkPurpose::FirstOwner,
        (false, _) => LinkPurpose::Invitation,
    }
}

fn over(app: &App, visit: &Visit) -> Response {
    show_with(app, &reply::frame(app, visit), StatusCode::GONE, &OwnerLinkOverPage {})
}

/// `POST /admin/welcome/{token}`: spends the link; a new password is next.
async fn use_link(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<String>,
    Posted(_): Posted<Nothing>,
) -> Response {
    let Some(token) = Token::parse(&token) else { return over(&app, &visit) };
    let used = app.write(visit.merchant.id, Actor::Visitor, move |cx| flow::use_link(cx, &token)).await;
    match used {
        Ok(Some(staff)) => {
            let mut response = see_other(&visit.url("/admin/password"));
            let waiting = Waiting::new(&staff, Step::Password, app.now());
            keep_step(&app, &mut response, &visit, &waiting);
            response
        }
        Ok(None) => over(&app, &visit),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// `GET /admin/password`
async fn ask_password(State(app): State<App>, visit: Visit, headers: HeaderMap) -> Response {
    match in_step(&app, &visit, &headers, Step::Password).await {
        Ok(Some((_, staff))) => reply::show(&app, &visit, &password_page(&staff, Errors::new())),
        Ok(None) => over(&app, &visit),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

fn password_page(staff: &Staff, errors: Errors) -> SetPasswordPage {
    SetPasswordPage { email: staff.email.to_string(), length_min: password::LENGTH_MIN, errors }
}

/// `POST /admin/password`: keeps it, and goes on as after typing it.
async fn set_password(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(form): Posted<NewPassword>,
) -> Response {
    let staff = match in_step(&app, &visit, &headers, Step::Password).await {
        Ok(Some((_, staff))) => staff,
        Ok(None) => return over(&app, &visit),
        Err(failure) => return Refusal::from_failure(&app, &visit, failure),
    };
    let hashed = match chosen(&app, &visit, &staff, form.password, &form.again).await {
        Ok(hashed) => hashed,
        Err(problem) => {
            let field = problem.pointer.clone().unwrap_or_else(|| "password".to_owned());
            let page = password_page(&staff, Errors::from([(field, problem.detail)]));
            let frame = reply::frame(&app, &visit);
            return show_with(&app, &frame, StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let kept = app
        .write(visit.merchant.id, Actor::Staff(staff.id), move |cx| {
            flow::set_password(cx, &staff, &hashed, None)
        })
        .await;
    match kept {
        Ok(staff) => step_in(&app, &visit, &headers, &staff, HOME).await,
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// A new password that was typed twice and may be one, hashed.
pub(super) async fn chosen(
    app: &App,
    visit: &Visit,
    staff: &Staff,
    password: Secret<String>,
    again: &Secret<String>,
) -> Result<Secret<String>, Problem> {
    password::acceptable(password.expose(), staff.email.as_str(), &visit.merchant.name)?;
    if !password.matches(again.expose().as_bytes()) {
        return Err(Problem::invalid("again", "this is not the same as above"));
    }
    password::hash(password, app.entropy()).await
}

/// `POST /admin/sign-out`
async fn sign_out(
    State(app): State<App>,
    staff: StaffVisit,
    headers: HeaderMap,
    Posted(_): Posted<Nothing>,
) -> Response {
    signed_in::sign_out(&app, &headers, &staff.visit, Side::Staff, "/admin/sign-in").await
}

const STEP_COOKIE: &str = "step";

fn keep_step(app: &App, response: &mut Response, visit: &Visit, waiting: &Waiting) {
    let mut nonce = [0u8; 24];
    app.entropy().fill(&mut nonce);
    let sealed = waiting.sealed(app.ring(), nonce, &visit.visitor);
    let name = signed_in::own_cookie_name(visit, STEP_COOKIE);
    visit::set_cookie(response, visit.secure, &name, &sealed, Some(STEP_LIFE.as_seconds()));
}

fn forget_step(response: &mut Response, visit: &Visit) {
    let name = signed_in::own_cookie_name(visit, STEP_COOKIE);
    visit::set_cookie(response, visit.secure, &name, "", Some(0));
}

/// Whoever is in the middle of signing in and has this step before them.
async fn in_step(
    app: &App,
    visit: &Visit,
    headers: &HeaderMap,
    step: Step,
) -> Result<Option<(Waiting, Staff)>, Failure> {
    let cookie = visit::cookie_in(headers, &signed_in::own_cookie_name(visit, STEP_COOKIE));
    let opened = cookie.and_then(|text| Waiting::open(app.ring(), &text, &visit.visitor, app.now()));
    let Some(waiting) = opened.filter(|waiting| waiting.step == step) else { return Ok(None) };
    let (merchant, id) = (visit.merchant.id, waiting.staff);
    let staff = app.read(move |snapshot| Ok(store::by_id(snapshot, merchant, id)?)).await?;
    let staff = staff.filter(|staff| waiting.fits(staff));
    Ok(staff.map(|staff| (waiting, staff)))
}
