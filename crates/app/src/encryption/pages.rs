//! Giving a key on the page of a keyed link.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Form, Router};
use http::StatusCode;
use kernel::MerchantId;

use super::{FIELD, flow};
use crate::app::App;
use crate::cx::Actor;
use crate::links::view;
use crate::problem::{Failure, Problem};
use crate::products::form::sentence;
use crate::web::reply::{Refusal, frame, see_other, show_with};
use crate::web::visit::Visit;

/// The routes of this noun.
pub fn routes() -> Router<App> {
    Router::new().route("/d/{token}/key", post(give))
}

#[derive(Debug, serde::Deserialize)]
struct Given {
    #[serde(default)]
    public_key: String,
}

/// `POST /d/{token}/key`. The token is the proof here, as for a download.
async fn give(
    State(app): State<App>,
    visit: Visit,
    Path(token): Path<String>,
    Form(given): Form<Given>,
) -> Response {
    let (wanted, key) = (token.clone(), given.public_key.clone());
    let done = app
        .write(MerchantId::from_bits(0), Actor::Visitor, move |cx| flow::give_key(cx, &wanted, &key))
        .await;
    match done {
        Ok(()) => see_other(&visit.url(&format!("/d/{token}"))),
        Err(Failure::Problem(problem)) if problem.pointer.as_deref() == Some(FIELD) => {
            again(&app, &visit, &token, &given, &problem)
        }
        Err(failure) => Refusal::from_failure(&app, &visit, failure),
    }
}

/// The page once more, with what is wrong beside the field. A secret is not written into it.
fn again(app: &App, visit: &Visit, token: &str, given: &Given, problem: &Problem) -> Response {
    let (ring, base_url, wanted) = (app.ring_arc(), app.settings().base_url.clone(), token.to_owned());
    let seen = match app.read_now(move |snapshot| view::see(snapshot, &ring, &base_url, &wanted)) {
        Ok(seen) => seen,
        Err(failure) => return Refusal::from_failure(app, visit, failure),
    };
    let visit = visit.at(seen.merchant.clone(), &seen.address);
    let mut page = seen.page(token, app.now());
    if let Some(form) = &mut page.own_key {
        form.errors = [(FIELD.to_owned(), sentence(&problem.detail))].into();
        form.changeable = true;
        let secret = matches!(encrypt::Recipient::parse(&given.public_key), Err(encrypt::KeyError::Private));
        form.typed = if secret { String::new() } else { given.public_key.clone() };
    }
    show_with(app, &frame(app, &visit), StatusCode::UNPROCESSABLE_ENTITY, &page)
}
