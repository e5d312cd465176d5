//! The pages that people see. They work without script.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::handle::Shared;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
}

/// A buyer arrives with a form.
pub(crate) fn open(shared: &Shared, fields: &[(String, String)]) -> Response {
    match shared.with(|book, _| book.open(fields)) {
        Ok(token) => Redirect::to(&format!("/checkout/{token}")).into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, refused.to_string()).into_response(),
    }
}
