//! Answers: pages, redirects, and refusals in the form that the asker understands.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use ui::problem::ProblemPage;
use ui::{Frame, Template};

use super::visit::Visit;
use crate::app::App;
use crate::merchants::{self, Address};
use crate::problem::{Failure, Problem};

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refusal;

impl Refusal {
    /// In plain words, where there is no page to show.
    pub fn plain(problem: &Problem) -> Response {
        let mut response = (status(problem), format!("{}\n", problem.detail)).into_response();
        retry_after(&mut response, problem);
        response
    }

    /// As a page of the shop.
    pub fn page(app: &App, visit: &Visit, problem: &Problem) -> Response {
        let page = ProblemPage {
            detail: Some(problem.detail.clone()),
            retry_after_seconds: problem.retry_after.and_then(|seconds| i64::try_from(seconds).ok()),
            ..ProblemPage::new(problem.code.status(), visit.request_id.clone())
        };
        let mut response = show_with(app, &frame(app, visit), status(problem), &page);
        retry_after(&mut response, problem);
        response
    }

    /// As a page of the shop, from whatever went wrong.
    pub fn from_failure(app: &App, visit: &Visit, failure: Failure) -> Response {
        Self::page(app, visit, &failure.into_problem())
    }
}

fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Says when to come again.
pub fn retry_after(response: &mut Response, problem: &Problem) {
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// The surroundings of a page of the shop.
pub fn frame(app: &App, visit: &Visit) -> Frame {
    let merchant = &visit.merchant;
    let origin = merchant.origin(&app.settings().base_url);
    let address = Address { origin, base_path: visit.base_path.clone() };
    let surroundings = merchants::view::surroundings(merchant, &address);
    let locale = merchants::view::language(merchant, &merchant.locale);
    let mut frame = Frame::new(locale, app.now(), surroundings, visit.path.clone());
    frame.cart_count = visit.cart.pieces();
    frame.csrf = visit.csrf(app);
    frame.test_mode = app.settings().demo;
    frame
}

/// A sentence in the reader's language.
pub fn say(app: &App, visit: &Visit, key: &str, values: &[(&str, &str)]) -> String {
    let locale = merchants::view::language(&visit.merchant, &visit.merchant.locale);
    app.renderer().text(locale, key, values).unwrap_or_else(|error| {
        tracing::error!(%error, "a sentence is missing");
        String::new()
    })
}

/// A page with the usual surroundings.
pub fn show<T: Template>(app: &App, visit: &Visit, page: &T) -> Response {
    show_with(app, &frame(app, visit), StatusCode::OK, page)
}

/// A page with surroundings of the caller's making.
pub fn show_with<T: Template>(app: &App, frame: &Frame, status: StatusCode, page: &T) -> Response {
    match app.renderer().render(page, frame) {
        Ok(html) => {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
            (status, kind, html).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be shown; it has been logged\n")
                .into_response()
        }
    }
}

/// Goes on to a path of ours by GET.
pub fn see_other(path: &str) -> Response {
    let location = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// Whatever no route knows.
pub async fn unknown(State(app): State<App>, request: Request) -> Response {
    let problem = Problem::not_found("page");
    match request.extensions().get::<Visit>() {
        Some(visit) => Refusal::page(&app, visit, &problem),
        None => Refusal::plain(&problem),
    }
}
