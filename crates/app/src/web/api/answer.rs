//! What the API answers: views as JSON, and refusals as RFC 9457 problems.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::idempotency::flow::Once;
use crate::problem::{Code, Failure, Problem};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"handsel\"");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A refusal, in the form of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView {
    /// Always `about:blank`: `code` says what it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// A stable word for programs. New ones may come; known ones are never renamed.
    code: Code,
    /// What was wrong and what to do, for people.
    detail: String,
    /// Which value of the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// Which query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Finds the request in the log.
    request_id: String,
}

/// A refusal on its way out.
#[derive(Debug)]
pub struct Fault {
    problem: Problem,
    more: Option<Box<More>>,
}

/// What only some refusals say.
#[derive(Debug)]
enum More {
    Parameter(String),
    Allow(HeaderValue),
}

impl Fault {
    /// The request cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Problem::new(Code::Malformed, detail).into()
    }

    /// A query parameter is unknown or wrong.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let problem = Problem::new(Code::Malformed, detail);
        Self { problem, more: Some(Box::new(More::Parameter(name.to_owned()))) }
    }

    /// A value of the body is unknown or of the wrong kind.
    pub fn at(pointer: &str, detail: impl Into<String>) -> Self {
        Problem::new(Code::Malformed, detail).at(pointer).into()
    }

    /// The method is not one of these.
    pub fn method(allow: HeaderValue) -> Self {
        let text = "this address does not take that method; the Allow header lists those it takes";
        let problem = Problem::new(Code::MethodNotAllowed, text);
        Self { problem, more: Some(Box::new(More::Allow(allow))) }
    }

    /// The answer.
    pub fn into_response(self, request_id: &str) -> Response {
        let problem = self.problem;
        let (parameter, allow) = match self.more.map(|more| *more) {
            Some(More::Parameter(name)) => (Some(name), None),
            Some(More::Allow(methods)) => (None, Some(methods)),
            None => (None, None),
        };
        let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let view = ProblemView {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: problem.code,
            detail: problem.detail,
            pointer: problem.pointer.map(pointer),
            parameter,
            request_id: request_id.to_owned(),
        };
        let body = serde_json::to_string(&view).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if problem.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, BEARER);
        }
        if let Some(seconds) = problem.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = allow {
            headers.insert(header::ALLOW, allow);
        }
        stamp(response, request_id)
    }
}

/// Flows name fields as forms do; programs want a JSON pointer.
fn pointer(field: String) -> String {
    if field.starts_with('/') { field } else { format!("/{field}") }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { problem, more: None }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        failure.into_problem().into()
    }
}

/// An answer on its way out.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    body: String,
    replayed: bool,
    told: Option<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// A view.
    pub fn view<T: Serialize>(status: StatusCode, view: &T) -> Result<Self, Problem> {
        Ok(Self { status, body: json(view)?, replayed: false, told: None })
    }

    /// JSON that was made before.
    pub const fn ready(body: String) -> Self {
        Self { status: StatusCode::OK, body, replayed: false, told: None }
    }

    /// What was answered now, or when the same request came first.
    pub fn once(once: Once) -> Self {
        let (kept, replayed) = match once {
            Once::Done(kept) => (kept, false),
            Once::Replayed(kept) => (kept, true),
        };
        let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
        Self { status, body: kept.body, replayed, told: None }
    }

    /// The same with a number in a header.
    pub fn telling(self, header: &'static str, number: u64) -> Self {
        Self { told: Some((HeaderName::from_static(header), HeaderValue::from(number))), ..self }
    }

    /// The answer.
    pub fn into_response(self, request_id: &str) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, JSON);
        if let Some((name, value)) = self.told {
            response.headers_mut().insert(name, value);
        }
        if self.replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        stamp(response, request_id)
    }
}

/// A view as text.
pub fn json<T: Serialize>(view: &T) -> Result<String, Problem> {
    serde_json::to_string(view).map_err(|error| {
        tracing::error!(%error, "a view could not be written as JSON");
        Problem::new(Code::Internal, "something went wrong on our side; it has been logged")
    })
}

fn stamp(mut response: Response, request_id: &str) -> Response {
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
