//! The back office's door: every route names its right, and nobody passes without it.
//!
//! A [`Desk`] registers a route and its rule in one call, so that there is no route without a
//! rule, and a test can walk them all. In front of each handler stands the gate: session,
//! right, and where the request comes from. Handlers get a [`StaffVisit`], which only the gate
//! makes.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{self, MethodRouter};
use http::{HeaderMap, Method};

use super::reply::Refusal;
use super::signed_in::{self, Side};
use super::staff_visit::{StaffVisit, recognize};
use super::visit::Visit;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::staff::Right;

/// The sign-in page.
pub const SIGN_IN: &str = "/admin/sign-in";

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody: the steps of signing in, and out.
    Open,
    /// Who is signed in and has this right.
    Needs(Right),
}

/// A route of the back office and who may pass.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `GET` or `POST`.
    pub method: Method,
    /// As registered.
    pub path: &'static str,
    /// Who may pass.
    pub access: Access,
}

/// Collects the routes of the back office.
pub struct Desk {
    app: App,
    router: Router<App>,
    rules: Vec<Rule>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk without routes.
    pub fn new(app: App) -> Self {
        Self { app, router: Router::new(), rules: Vec::new() }
    }

    /// A page for anybody.
    #[must_use]
    pub fn open_get<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::GET, path, Access::Open, routing::get(handler))
    }

    /// A form of such a page.
    #[must_use]
    pub fn open_post<H: Handler<T, App>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::POST, path, Access::Open, routing::post(handler))
    }

    /// A page for who has the right.
    #[must_use]
    pub fn get<H: Handler<T, App>, T: 'static>(self, path: &'static str, right: Right, handler: H) -> Self {
        self.add(Method::GET, path, Access::Needs(right), routing::get(handler))
    }

    /// An act of who has the right.
    #[must_use]
    pub fn post<H: Handler<T, App>, T: 'static>(self, path: &'static str, right: Right, handler: H) -> Self {
        self.add(Method::POST, path, Access::Needs(right), routing::post(handler))
    }

    /// An act that brings files: its body is as large as they are.
    #[must_use]
    pub fn upload<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        right: Right,
        handler: H,
    ) -> Self {
        let method = routing::post(handler).layer(DefaultBodyLimit::disable());
        self.add(Method::POST, path, Access::Needs(right), method)
    }

    fn add(mut self, method: Method, path: &'static str, access: Access, handler: MethodRouter<App>) -> Self {
        let handler = match access {
            Access::Open => handler,
            Access::Needs(right) => {
                handler.route_layer(middleware::from_fn_with_state((self.app.clone(), right), gate))
            }
        };
        self.rules.push(Rule { method, path, access });
        self.router = self.router.route(path, handler);
        self
    }

    /// The routes, and the rule of each.
    pub fn done(self) -> (Router<App>, Vec<Rule>) {
        (self.router, self.rules)
    }
}

/// Lets nobody pass who is not signed in, lacks the right, or was sent here by another site.
async fn gate(
    State((app, right)): State<(App, Right)>,
    mut visit: Visit,
    mut request: Request,
    next: Next,
) -> Response {
    if !request.method().is_safe() && from_elsewhere(request.headers()) {
        let problem = Problem::new(Code::Forbidden, "this request was made by another web site");
        return Refusal::page(&app, &visit, &problem);
    }
    let recognized = recognize(&app, request.headers(), &visit).await;
    let known = match recognized {
        Ok(Some(known)) => known,
        Ok(None) => {
            let (parts, _) = request.into_parts();
            return signed_in::to_sign_in(&parts, &visit, SIGN_IN);
        }
        Err(failure) => return Refusal::from_failure(&app, &visit, failure),
    };
    visit.session = Some(known.session.id);
    let staff = StaffVisit::new(visit.clone(), known, request.headers());
    if !staff.may(right) {
        return staff.denied(&app, right).await;
    }
    signed_in::touch(&app, &staff.session).await;
    request.extensions_mut().insert(visit);
    request.extensions_mut().insert(staff);
    next.run(request).await
}

/// Browsers say where a request was made. Forms prove it by their token besides; this also
/// stops what would be refused only after its body was read.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}

/// Which side's cookie the desk looks at.
pub(super) const SIDE: Side = Side::Staff;
