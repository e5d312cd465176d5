//! Forms that were really posted from our own pages.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq;

use super::BODY_BYTES_MAX;
use super::reply::Refusal;
use super::visit::Visit;
use crate::app::App;
use crate::problem::{Code, Problem};

/// A posted form whose token proves that it came from a page of ours that this visitor saw.
#[derive(Debug)]
pub struct Posted<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let Some(visit) = parts.extensions.get::<Visit>().cloned() else {
            return Err(Refusal::plain(&Problem::new(Code::Internal, "this route has no visit")));
        };
        let refuse = |problem: Problem| Refusal::page(app, &visit, &problem);
        let bytes = to_bytes(body, BODY_BYTES_MAX)
            .await
            .map_err(|_| refuse(Problem::new(Code::TooLarge, "the form is larger than 1 MiB")))?;
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&bytes).into_owned().collect();
        let token = fields.iter().find(|(name, _)| name == "_csrf").map(|(_, value)| value.as_str());
        let expected = visit.csrf(app);
        let same = token.is_some_and(|token| bool::from(token.as_bytes().ct_eq(expected.as_bytes())));
        if !same {
            let text = "this form is out of date; go back, load the page again, and send it once more";
            return Err(refuse(Problem::new(Code::Forbidden, text)));
        }
        let rest = fields
            .iter()
            .filter(|(name, _)| name != "_csrf")
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let rest = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        let form = serde_html_form::from_str(&rest).map_err(|error| {
            refuse(Problem::new(Code::Invalid, format!("the form cannot be read: {error}")))
        })?;
        Ok(Self(form))
    }
}
