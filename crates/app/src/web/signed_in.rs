//! Cookies of sessions, and the buyer who is signed in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::HeaderMap;
use http::request::Parts;

use super::reply::{self, Refusal};
use super::visit::{self, Visit};
use crate::app::App;
use crate::customers::{self, Customer};
use crate::cx::Actor;
use crate::sessions::{self, Holder, Opened, Origin, Session, Token};

/// Whose session a cookie holds. One browser may be both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The back office.
    Staff,
    /// The customer portal.
    Customer,
}

/// The name of a side's cookie.
///
/// `__Host-` keeps sub-domains from planting one, and needs HTTPS. Merchants that share a host
/// have cookies of their own, so that one person can be signed in to several.
pub fn cookie_name(visit: &Visit, side: Side) -> String {
    own_cookie_name(
        visit,
        match side {
            Side::Staff => "staff",
            Side::Customer => "customer",
        },
    )
}

/// The name of a cookie that belongs to one merchant.
pub fn own_cookie_name(visit: &Visit, word: &str) -> String {
    let host = if visit.secure { "__Host-" } else { "" };
    if visit.base_path.is_empty() {
        format!("{host}{word}")
    } else {
        format!("{host}{word}-{}", visit.merchant.slug)
    }
}

/// The token in a side's cookie, if there is something that can be one.
pub fn token_of(headers: &HeaderMap, visit: &Visit, side: Side) -> Option<Token> {
    visit::cookie_in(headers, &cookie_name(visit, side)).and_then(|text| Token::parse(&text))
}

/// From where this visitor signs in, with the session that the sign-in replaces.
pub fn origin(headers: &HeaderMap, visit: &Visit, side: Side) -> Origin {
    Origin {
        address: visit.address.to_string(),
        user_agent: visit.user_agent.clone(),
        replaces: token_of(headers, visit, side),
    }
}

/// Puts the session's token into the browser.
pub fn keep(response: &mut Response, visit: &Visit, opened: &Opened) {
    let side = match opened.session.holder {
        Holder::Staff(_) => Side::Staff,
        Holder::Customer(_) => Side::Customer,
    };
    let age = opened.session.holder.whole_life().as_seconds();
    visit::set_cookie(response, visit.secure, &cookie_name(visit, side), opened.token.expose(), Some(age));
}

/// Takes the session's token out of the browser.
pub fn forget(response: &mut Response, visit: &Visit, side: Side) {
    visit::set_cookie(response, visit.secure, &cookie_name(visit, side), "", Some(0));
}

/// Ends the browser's session of one side: the row, then the cookie. Works signed in or not.
pub async fn sign_out(app: &App, headers: &HeaderMap, visit: &Visit, side: Side, then: &str) -> Response {
    if let Some(token) = token_of(headers, visit, side) {
        let ended = app
            .write(visit.merchant.id, Actor::Visitor, move |cx| {
                let Some(session) = sessions::flow::find(cx.tx, cx.merchant, &token, cx.now)? else {
                    return Ok(());
                };
                cx.actor = match session.holder {
                    Holder::Staff(id) => Actor::Staff(id),
                    Holder::Customer(id) => Actor::Customer(id),
                };
                sessions::flow::sign_out(cx, &session)
            })
            .await;
        if let Err(failure) = ended {
            // A cookie that was taken out while the session lives on would only look signed out.
            return Refusal::from_failure(app, visit, failure);
        }
    }
    let mut response = reply::see_other(&visit.url(then));
    forget(&mut response, visit, side);
    response
}

/// Writes down that a session is used, now and then, and never holds a page up for it.
pub async fn touch(app: &App, session: &Session) {
    if !session.wants_touch(app.now()) {
        return;
    }
    let id = session.id;
    let touched =
        app.write(session.merchant, Actor::System, move |cx| Ok(sessions::flow::touch(cx, id)?)).await;
    if let Err(error) = touched {
        tracing::warn!(%error, "a session's last use could not be written down");
    }
}

/// A path to go on to after signing in: one of ours on that side, or nothing.
pub fn next_path(text: &str, under: &str) -> Option<String> {
    let path = net::headers::local_path(text)?;
    let rest = path.strip_prefix(under)?;
    (rest.is_empty() || rest.starts_with(['/', '?'])).then(|| path.to_owned())
}

/// The sign-in page of a side, which comes back to where this request wanted to go.
pub fn to_sign_in(parts: &Parts, visit: &Visit, at: &str) -> Response {
    let wanted = parts.uri.path_and_query().map_or(visit.path.as_str(), |target| target.as_str());
    if parts.method == http::Method::GET {
        let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        return reply::see_other(&visit.url(&format!("{at}?next={next}")));
    }
    reply::see_other(&visit.url(at))
}

/// A buyer who is signed in. Without one, the extractor answers with the way to the sign-in page.
#[derive(Debug, Clone)]
pub struct CustomerVisit {
    /// The request.
    pub visit: Visit,
    /// The session.
    pub session: Session,
    /// Who.
    pub customer: Arc<Customer>,
}

/// The sign-in page of the portal.
pub const PORTAL_SIGN_IN: &str = "/portal/sign-in";

impl CustomerVisit {
    /// Who acts, for flows.
    pub fn actor(&self) -> Actor {
        Actor::Customer(self.customer.id)
    }
}

impl FromRequestParts<App> for CustomerVisit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let Some(token) = token_of(&parts.headers, &visit, Side::Customer) else {
            return Err(to_sign_in(parts, &visit, PORTAL_SIGN_IN));
        };
        let (merchant, now) = (visit.merchant.id, app.now());
        let found = app
            .read(move |snapshot| {
                let session = sessions::flow::find(snapshot, merchant, &token, now)?;
                let Some(id) = session.as_ref().and_then(|session| session.holder.customer()) else {
                    return Ok(None);
                };
                let customer = customers::store::by_id(snapshot, merchant, id)?;
                Ok(session.zip(customer))
            })
            .await;
        match found {
            Ok(Some((session, customer))) => {
                touch(app, &session).await;
                Ok(Self { visit, session, customer: Arc::new(customer) })
            }
            Ok(None) => Err(to_sign_in(parts, &visit, PORTAL_SIGN_IN)),
            Err(failure) => Err(Refusal::from_failure(app, &visit, failure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_goes_on_only_to_a_path_of_ours() {
        assert_eq!(
            next_path("/admin/orders?status=paid", "/admin"),
            Some("/admin/orders?status=paid".to_owned())
        );
        assert_eq!(next_path("//evil.example/", "/"), None);
        assert_eq!(next_path("https://evil.example/", "/admin"), None);
        assert_eq!(next_path("/\\evil.example", "/"), None);
        assert_eq!(next_path("/administer", "/admin"), None);
        assert_eq!(next_path("/admin/../portal", "/admin"), None);
    }
}
