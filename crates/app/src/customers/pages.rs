//! The customer portal: sign-in by mail, purchases with fresh links, invoices, profile, sessions.
//!
//! Whatever belongs to somebody else is not found here, in the same words as what does not exist.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use kernel::{EmailAddress, SessionId};
use net::limit::Key;
use ui::portal::{
    CheckMailPage, ConfirmSignInPage, CountryChoice, ProfilePage, SessionRow, SessionsPage, SignInPage,
};
use ui::{CustomerFrame, Frame, Template};

use super::countries::COUNTRIES;
use super::flow::{self, Profile};
use super::{Customer, store};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::{Code, Failure, Flow, Problem};
use crate::sessions::{self, Holder, LINK_LIFE, Token};
use crate::web::form::Posted;
use crate::web::limits;
use crate::web::reply::{Refusal, frame, say, see_other, show, show_with};
use crate::web::signed_in::{self, CustomerVisit, Side, next_path};
use crate::web::visit::{Visit, cookie_in, set_cookie};

/// Most sessions that are listed.
const SESSIONS_SHOWN_MAX: u32 = 100;
const PORTAL: &str = "/portal";

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/portal/sign-in", get(sign_in_page).post(send_link))
        .route("/portal/confirm", get(confirm_page).post(confirm))
        .route("/portal/sign-out", post(sign_out))
        .route("/portal/profile", get(profile).post(save_profile))
        .route("/portal/sessions", get(sessions_page))
        .route("/portal/sessions/end", post(end_session))
}

/// The surroundings of a signed-in customer's page.
pub fn portal_frame(app: &App, signed_in: &CustomerVisit) -> Frame {
    let mut frame = frame(app, &signed_in.visit);
    let name = Some(signed_in.customer.name.clone()).filter(|name| !name.is_empty());
    frame.customer = Some(CustomerFrame { email: signed_in.customer.email.to_string(), name });
    frame
}

/// A page of the portal.
pub fn show_in_portal<T: Template>(app: &App, signed_in: &CustomerVisit, page: &T) -> Response {
    show_with(app, &portal_frame(app, signed_in), StatusCode::OK, page)
}

#[derive(Debug, Default, serde::Deserialize)]
struct Onward {
    next: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Address {
    #[serde(default)]
    email: String,
}

#[derive(Debug, serde::Deserialize)]
struct Presented {
    #[serde(default)]
    token: String,
}

/// `GET /portal/sign-in`: remembers in the browser where the visitor wanted to go.
async fn sign_in_page(State(app): State<App>, visit: Visit, Query(onward): Query<Onward>) -> Response {
    let mut response = sign_in_again(&app, &visit, StatusCode::OK, "", BTreeMap::new(), false);
    if let Some(next) = onward.next.and_then(|text| next_path(&text, PORTAL)) {
        let value = URL_SAFE_NO_PAD.encode(next);
        set_cookie(&mut response, visit.secure, &next_cookie(&visit), &value, Some(LINK_LIFE.as_seconds()));
    }
    response
}

fn sign_in_again(
    app: &App,
    visit: &Visit,
    status: StatusCode,
    email: &str,
    errors: BTreeMap<String, String>,
    link_was_stale: bool,
) -> Response {
    let page = SignInPage { email: email.to_owned(), errors, link_was_stale };
    show_with(app, &frame(app, visit), status, &page)
}

fn next_cookie(visit: &Visit) -> String {
    let host = if visit.secure { "__Host-" } else { "" };
    format!("{host}next-{}", visit.merchant.slug)
}

/// `POST /portal/sign-in`: the same answer whether or not anybody bought with this address.
async fn send_link(State(app): State<App>, visit: Visit, Posted(address): Posted<Address>) -> Response {
    let typed = address.email.trim().to_owned();
    let Ok(email) = EmailAddress::parse(&typed) else {
        let errors = [("email".to_owned(), say(&app, &visit, "said.email", &[]))].into();
        return sign_in_again(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &typed, errors, false);
    };
    let from = limits::take(&app, &limits::SIGN_IN_FROM, Key::address(visit.address));
    let allowed = from.and_then(|()| limits::take(&app, &limits::SIGN_IN_TO, Key::name(email.as_str())));
    if let Err(problem) = allowed {
        return Refusal::page(&app, &visit, &problem);
    }
    let asked =
        app.write(visit.merchant.id, Actor::Visitor, move |cx| flow::ask_to_sign_in(cx, &email)).await;
    match asked {
        Ok(()) => {
            let minutes = u32::try_from(LINK_LIFE.as_seconds() / 60).unwrap_or(u32::MAX);
            show(&app, &visit, &CheckMailPage { email: typed, minutes })
        }
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// `GET /portal/confirm`: where the mailed link leads. Looking spends nothing.
async fn confirm_page(State(app): State<App>, visit: Visit, Query(presented): Query<Presented>) -> Response {
    let (merchant, now) = (visit.merchant.id, app.now());
    let token = Token::parse(&presented.token);
    let found: Flow<Option<Customer>> = app.read_now(move |snapshot| {
        let Some(token) = &token else { return Ok(None) };
        let link = sessions::flow::look_at_link(snapshot, merchant, token, now)?;
        let customer = link.and_then(|link| link.holder.customer());
        let Some(customer) = customer else { return Ok(None) };
        Ok(store::by_id(snapshot, merchant, customer)?)
    });
    match found {
        Ok(Some(customer)) => {
            let page = ConfirmSignInPage {
                post_path: flow::CONFIRM_PATH.to_owned(),
                token: presented.token,
                email: customer.email.to_string(),
            };
            show(&app, &visit, &page)
        }
        Ok(None) => sign_in_again(&app, &visit, StatusCode::GONE, "", BTreeMap::new(), true),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// `POST /portal/confirm`: spends the link and opens a session under a new token.
async fn confirm(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(presented): Posted<Presented>,
) -> Response {
    if let Err(problem) = limits::take(&app, &limits::CONFIRM_FROM, Key::address(visit.address)) {
        return Refusal::page(&app, &visit, &problem);
    }
    let origin = signed_in::origin(&headers, &visit, Side::Customer);
    let token = Token::parse(&presented.token);
    let opened = app
        .write(visit.merchant.id, Actor::Visitor, move |cx| match &token {
            Some(token) => flow::sign_in(cx, token, &origin),
            None => Ok(None),
        })
        .await;
    match opened {
        Ok(Some(opened)) => {
            let next = cookie_in(&headers, &next_cookie(&visit)).and_then(|value| read_next(&value));
            let mut response = see_other(&visit.url(next.as_deref().unwrap_or(PORTAL)));
            signed_in::keep(&mut response, &visit, &opened);
            set_cookie(&mut response, visit.secure, &next_cookie(&visit), "", Some(0));
            response
        }
        Ok(None) => sign_in_again(&app, &visit, StatusCode::GONE, "", BTreeMap::new(), true),
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// The browser's word on where to go on to: checked again, because browsers can be told anything.
fn read_next(value: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
    next_path(&text, PORTAL)
}

/// Nothing but the proof that a form is ours.
#[derive(Debug, serde::Deserialize)]
pub struct Nothing {}

/// `POST /portal/sign-out`
async fn sign_out(
    State(app): State<App>,
    visit: Visit,
    headers: HeaderMap,
    Posted(Nothing {}): Posted<Nothing>,
) -> Response {
    signed_in::sign_out(&app, &headers, &visit, Side::Customer, "/portal/sign-in").await
}

/// `GET /portal/profile`
async fn profile(State(app): State<App>, signed_in: CustomerVisit) -> Response {
    let customer = &signed_in.customer;
    let typed = Profile {
        name: customer.name.clone(),
        address: customer.address.clone(),
        country: customer.country.clone().unwrap_or_default(),
        vat_id: customer.vat_id.clone().unwrap_or_default(),
    };
    show_in_portal(&app, &signed_in, &profile_page(customer, typed, BTreeMap::new()))
}

fn profile_page(customer: &Customer, typed: Profile, errors: BTreeMap<String, String>) -> ProfilePage {
    let unsaid = CountryChoice { value: String::new(), label: "–".to_owned() };
    let country =
        |(code, name): &(&str, &str)| CountryChoice { value: (*code).to_owned(), label: (*name).to_owned() };
    ProfilePage {
        email: customer.email.to_string(),
        name: typed.name,
        address: typed.address,
        country: typed.country,
        vat_id: typed.vat_id,
        countries: std::iter::once(unsaid).chain(COUNTRIES.iter().map(country)).collect(),
        errors,
    }
}

#[derive(Debug, serde::Deserialize)]
struct ProfileForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    vat_id: String,
}

/// `POST /portal/profile`
async fn save_profile(
    State(app): State<App>,
    signed_in: CustomerVisit,
    Posted(form): Posted<ProfileForm>,
) -> Response {
    let typed =
        Profile { name: form.name, address: form.address, country: form.country, vat_id: form.vat_id };
    let (customer, profile) = (signed_in.customer.clone(), typed.clone());
    let saved = app
        .write(signed_in.visit.merchant.id, signed_in.actor(), move |cx| {
            flow::save_profile(cx, &customer, &profile)
        })
        .await;
    match saved {
        Ok(()) => see_other(&signed_in.visit.url("/portal/profile")),
        Err(Failure::Problem(problem)) if problem.code == Code::Invalid => {
            let errors = [(problem.pointer.unwrap_or_default(), problem.detail)].into();
            let page = profile_page(&signed_in.customer, typed, errors);
            show_with(&app, &portal_frame(&app, &signed_in), StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(failure) => Refusal::from_failure(&app, &signed_in.visit, failure),
    }
}

/// `GET /portal/sessions`
async fn sessions_page(State(app): State<App>, signed_in: CustomerVisit) -> Response {
    let (merchant, holder) = (signed_in.visit.merchant.id, Holder::Customer(signed_in.customer.id));
    let now = app.now();
    let found = app.read_now(move |snapshot| {
        Ok(sessions::store::of_holder(snapshot, merchant, holder, now, SESSIONS_SHOWN_MAX)?)
    });
    let mut found = match found {
        Ok(found) => found,
        Err(failure) => return Refusal::from_failure(&app, &signed_in.visit, failure),
    };
    found.sort_by_key(|session| session.id != signed_in.session.id);
    let unknown = say(&app, &signed_in.visit, "said.device_unknown", &[]);
    let row = |session: &sessions::Session| SessionRow {
        id: session.id.to_string(),
        device: device(&session.user_agent).unwrap_or_else(|| unknown.clone()),
        address: session.address.clone(),
        started_at: session.created_at,
        seen_at: session.last_seen_at,
        current: session.id == signed_in.session.id,
    };
    show_in_portal(&app, &signed_in, &SessionsPage { sessions: found.iter().map(row).collect() })
}

#[derive(Debug, serde::Deserialize)]
struct Ended {
    #[serde(default)]
    session: String,
}

/// `POST /portal/sessions/end`
async fn end_session(
    State(app): State<App>,
    signed_in: CustomerVisit,
    Posted(ended): Posted<Ended>,
) -> Response {
    let Ok(session) = ended.session.parse::<SessionId>() else {
        return Refusal::page(&app, &signed_in.visit, &Problem::not_found("session"));
    };
    let holder = Holder::Customer(signed_in.customer.id);
    let done = app
        .write(signed_in.visit.merchant.id, signed_in.actor(), move |cx| {
            sessions::flow::revoke(cx, holder, session)
        })
        .await;
    match done {
        Ok(()) => see_other(&signed_in.visit.url("/portal/sessions")),
        Err(failure) => Refusal::from_failure(&app, &signed_in.visit, failure),
    }
}

/// Browser and system, as far as the program tells: enough to know one's own devices again.
fn device(user_agent: &str) -> Option<String> {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let named = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser}, {system}")),
        (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_by_browser_and_system() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605 Version/17.5 Safari/604.1";
        assert_eq!(device(chrome), Some("Chrome, Linux".to_owned()));
        assert_eq!(device(phone), Some("Safari, iPhone".to_owned()));
        assert_eq!(device("<script>"), None);
    }

    #[test]
    fn a_browser_can_ask_to_go_on_only_within_the_portal() {
        let cookie = |text: &str| read_next(&URL_SAFE_NO_PAD.encode(text));
        assert_eq!(cookie("/portal/invoices/inv_1"), Some("/portal/invoices/inv_1".to_owned()));
        assert_eq!(cookie("//evil.example/portal"), None);
        assert_eq!(cookie("/admin"), None);
        assert_eq!(read_next("not base64 ;"), None);
    }
}
