//! A visit: the request's merchant, its client, and the visitor's cookie.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri, header};
use kernel::SessionId;
use net::serve::{Peer, Scheme};

use super::reply::Refusal;
use crate::app::App;
use crate::carts::Cart;
use crate::merchants::{self, Address, Merchant, PATH_PREFIX};
use crate::problem::{Code, Problem};

/// The slug that was taken off the path.
#[derive(Debug, Clone)]
struct Prefix(String);

/// What is known of a request before its handler runs.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Whose pages.
    pub merchant: Arc<Merchant>,
    /// What stands before every path: empty, or `/m/slug`.
    pub base_path: String,
    /// The path as routed, for links that come back.
    pub path: String,
    /// The client's address.
    pub address: IpAddr,
    /// Whether the way to the client is encrypted.
    pub secure: bool,
    /// The client's program, cut to a sane length.
    pub user_agent: String,
    /// What the visitor wants to buy here.
    pub cart: Cart,
    /// The visitor's random cookie; forms prove with it that they come from our pages.
    pub visitor: String,
    /// The session of who is signed in to the back office: its forms are bound to it too, so
    /// that a token that was seen or planted before the sign-in is worth nothing after it.
    pub session: Option<SessionId>,
    /// Finds the request in the log.
    pub request_id: String,
}

/// Takes `/m/{slug}` off the path, so that routes need not know of it.
pub fn take_prefix(mut request: Request) -> Request {
    let path = request.uri().path();
    let Some(rest) = path.strip_prefix(PATH_PREFIX) else { return request };
    let (slug, tail) =
        rest.split_once('/').map_or((rest, "/".to_owned()), |(slug, tail)| (slug, format!("/{tail}")));
    let slug = slug.to_owned();
    let target = request.uri().query().map_or_else(|| tail.clone(), |query| format!("{tail}?{query}"));
    if let Ok(uri) = target.parse::<Uri>() {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(Prefix(slug));
    }
    request
}

/// How the client speaks to us.
pub fn scheme<B>(request: &Request<B>) -> Scheme {
    request.extensions().get::<Peer>().map_or(Scheme::Http, |peer| peer.scheme)
}

/// The client of a request. Without the accept loop's word (in tests) it is this machine.
pub fn peer<B>(request: &Request<B>) -> Peer {
    request.extensions().get::<Peer>().cloned().unwrap_or_else(|| Peer {
        addr: IpAddr::V4(Ipv4Addr::LOCALHOST),
        socket: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        scheme: Scheme::Http,
        host: None,
    })
}

/// Routes that are the same for everybody.
const VISITLESS: [&str; 9] =
    ["/hooks/", "/t/", "/v1", "/assets/", "/logo/", "/favicon.", "/robots.txt", "/healthz", "/readyz"];

/// Finds out whose pages are asked for and gives the visitor a cookie.
pub async fn arrive(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // Machines and caches have no cookies, and name their merchant otherwise, if at all.
    if VISITLESS.iter().any(|start| path.starts_with(start)) {
        return next.run(request).await;
    }
    let visit = match visit_of(&app, &request) {
        Ok(visit) => visit,
        Err(problem) => return Refusal::plain(&problem),
    };
    let fresh = cookie(&request, cookie_name(visit.secure)).is_none();
    request.extensions_mut().insert(visit.clone());
    let mut response = next.run(request).await;
    if fresh && !sets_cookie(&response, cookie_name(visit.secure)) {
        set_cookie(&mut response, visit.secure, cookie_name(visit.secure), &visit.visitor, None);
    }
    response
}

fn visit_of(app: &App, request: &Request) -> Result<Visit, Problem> {
    let peer = peer(request);
    let prefix = request.extensions().get::<Prefix>().map(|prefix| prefix.0.clone());
    let host = peer.host.as_ref().map(|host| host.host().to_ascii_lowercase());
    let (slug, asked) = (prefix.clone(), host.clone());
    let merchant = app
        .read_now(move |snapshot| {
            if let Some(slug) = &slug {
                return Ok(merchants::store::by_slug(snapshot, slug)?);
            }
            if let Some(host) = &asked
                && let Some(merchant) = merchants::store::by_host(snapshot, host)?
            {
                return Ok(Some(merchant));
            }
            Ok(merchants::store::first(snapshot)?)
        })
        .map_err(crate::problem::Failure::into_problem)?
        .ok_or_else(|| Problem::not_found("shop"))?;
    let secure = super::is_https(app, peer.scheme);
    let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let cart = cookie(request, &Cart::cookie_name(secure, &merchant))
        .and_then(|text| Cart::open(app.ring(), merchant.id, &text))
        .unwrap_or_default();
    Ok(Visit {
        cart,
        merchant: Arc::new(merchant),
        base_path: prefix.map(|slug| format!("{PATH_PREFIX}{slug}")).unwrap_or_default(),
        path: request.uri().path().to_owned(),
        address: peer.addr,
        secure,
        user_agent: header(header::USER_AGENT).unwrap_or_default().chars().take(200).collect(),
        visitor: cookie(request, cookie_name(secure)).unwrap_or_else(|| random_token(app)),
        session: None,
        request_id: random_token(app).chars().take(12).collect(),
    })
}

/// The visitor cookie's name. `__Host-` keeps sub-domains from tossing one in, and needs HTTPS.
pub const fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-visitor" } else { "visitor" }
}

/// A cookie of the request.
pub fn cookie(request: &Request, name: &str) -> Option<String> {
    cookie_in(request.headers(), name)
}

/// A cookie among these headers.
pub fn cookie_in(headers: &http::HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// Whether an answer sets a cookie of this name already.
fn sets_cookie(response: &Response, name: &str) -> bool {
    let lines = response.headers().get_all(header::SET_COOKIE).iter();
    let mut names = lines.filter_map(|line| line.to_str().ok()?.split_once('='));
    names.any(|(set, _)| set == name)
}

/// Sets a cookie that scripts cannot read and other sites do not send.
pub fn set_cookie(response: &mut Response, secure: bool, name: &str, value: &str, max_age: Option<i64>) {
    let flag = if secure { "; Secure" } else { "" };
    let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{flag}{age}");
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// 128 random bits in letters.
pub fn random_token(app: &App) -> String {
    let mut bytes = [0u8; 16];
    app.entropy().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Visit {
    /// The token that every form of this visitor posts back.
    pub fn csrf(&self, app: &App) -> String {
        let ring = app.ring();
        let session = self.session.map(|id| id.to_string()).unwrap_or_default();
        let code = ring.code(ring.newest(), "form", &[self.visitor.as_bytes(), session.as_bytes()]);
        code.map(hex::encode).unwrap_or_default()
    }

    /// A path of ours with the merchant's prefix.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_path)
    }

    /// An absolute URL of ours, by the configuration and never by the request.
    pub fn absolute(&self, app: &App, path: &str) -> String {
        let origin = self.merchant.origin(&app.settings().base_url);
        format!("{origin}{}{path}", self.base_path)
    }

    /// The same visit, at another merchant: a keyed address leads to whose it is, whatever
    /// stands before it.
    #[must_use]
    pub fn at(&self, merchant: Merchant, address: &Address) -> Self {
        if merchant.id == self.merchant.id {
            return self.clone();
        }
        Self {
            base_path: address.base_path.clone(),
            merchant: Arc::new(merchant),
            cart: Cart::default(),
            ..self.clone()
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let missing = || Problem::new(Code::Internal, "this route has no visit");
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| (StatusCode::INTERNAL_SERVER_ERROR, missing().to_string()).into_response())
    }
}
