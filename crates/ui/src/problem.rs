//! The page for a request that could not be answered.

use serde::Serialize;

use crate::Template;

/// templates/problem.html - every error of the pages, in the words of its status.
#[derive(Debug, Clone, Serialize)]
pub struct ProblemPage {
    /// The HTTP status; 404, 405, 413, 429, 500 and 503 have their own words, others general ones.
    pub status: u16,
    /// What was wrong in this case, in the reader's language, where that may be told.
    pub detail: Option<String>,
    /// For the support mail: finds the request in the log.
    pub request_id: String,
    /// When to try again, for 429 and 503.
    pub retry_after_seconds: Option<i64>,
    /// Back office pages lead back there instead of to the shop.
    pub home_path: String,
}

impl ProblemPage {
    /// A page with nothing to tell but the status.
    pub fn new(status: u16, request_id: impl Into<String>) -> Self {
        Self {
            status,
            detail: None,
            request_id: request_id.into(),
            retry_after_seconds: None,
            home_path: "/".to_owned(),
        }
    }
}

impl Template for ProblemPage {
    const NAME: &'static str = "problem.html";

    fn samples() -> Vec<Self> {
        let page = |status| Self::new(status, "req_01kf3v9y7e8x2m4q6t8w0z1a3c");
        let mut samples: Vec<Self> = [400, 403, 404, 405, 413, 500, 418].map(page).into();
        samples.push(Self { retry_after_seconds: Some(42), ..page(429) });
        samples.push(Self { retry_after_seconds: Some(1), ..page(503) });
        samples.push(Self { detail: Some(crate::samples::LONG.to_owned()), ..page(422) });
        samples
    }
}
