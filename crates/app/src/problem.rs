//! What went wrong, for whoever can act on it: one type for pages, API and shell.

use db::DbError;

db::words! {
    /// The contract with API users: listed once, never renamed.
    pub enum Code {
        /// No such thing here, or not for this caller.
        NotFound = "not_found",
        /// A value in the request is wrong; `pointer` says which.
        Invalid = "invalid",
        /// The request contradicts the present state.
        Conflict = "conflict",
        /// A unique name is taken.
        Taken = "taken",
        /// The order has not been paid.
        OrderNotPaid = "order_not_paid",
        /// What was granted has been revoked.
        Revoked = "revoked",
        /// The link's time is over.
        Expired = "expired",
        /// The link's downloads are used up.
        UsedUp = "used_up",
        /// Not signed in, or the key is not valid.
        Unauthorized = "unauthorized",
        /// Signed in, but not allowed.
        Forbidden = "forbidden",
        /// The request cannot be read: not JSON, an unknown field or parameter, a wrong type.
        Malformed = "malformed",
        /// The address exists, but not with this method.
        MethodNotAllowed = "method_not_allowed",
        /// The body is not of the kind that is taken here.
        UnsupportedMediaType = "unsupported_media_type",
        /// Too many requests; try later.
        RateLimited = "rate_limited",
        /// This Idempotency-Key was used for another request.
        IdempotencyMismatch = "idempotency_mismatch",
        /// This request is being worked on already.
        InProgress = "in_progress",
        /// The body is larger than allowed.
        TooLarge = "too_large",
        /// The disk is full, the database is away: try again.
        Unavailable = "unavailable",
        /// A fault of ours. It has been logged.
        Internal = "internal",
    }
}

impl Code {
    /// The HTTP status that goes with it.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Invalid | Self::IdempotencyMismatch => 422,
            Self::Conflict | Self::Taken | Self::OrderNotPaid | Self::InProgress => 409,
            Self::Revoked | Self::Expired | Self::UsedUp => 410,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::Malformed => 400,
            Self::MethodNotAllowed => 405,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited => 429,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// A refusal with its reason (RFC 9457 in the API, a page in the browser, a line in the shell).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The stable word for programs.
    pub code: Code,
    /// What was wrong and what to do, for people.
    pub detail: String,
    /// Which field, as a JSON pointer or a form field's name.
    pub pointer: Option<String>,
    /// Seconds to wait before trying again.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem with this text.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), pointer: None, retry_after: None }
    }

    /// No such thing. The same text whether it is missing or somebody else's.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// A wrong value in a field.
    pub fn invalid(pointer: &str, detail: impl std::fmt::Display) -> Self {
        Self::new(Code::Invalid, detail.to_string()).at(pointer)
    }

    /// Contradicts the present state.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Code::Conflict, detail)
    }

    /// Names the field.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }
}

/// Why a flow did not do what it was asked: refused, or the database failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// Refused, with the reason.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Failure {
    /// As a caller outside should see it: an unexpected failure keeps its details to the log.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Db(DbError::NotFound(_)) => Problem::not_found("thing"),
            Self::Db(DbError::Conflict(_)) => {
                Problem::conflict("somebody else changed this in the meantime; load it again")
            }
            Self::Db(error @ (DbError::DiskFull | DbError::Busy(_) | DbError::Disconnected(_))) => {
                tracing::error!(%error, "the database cannot take this now");
                Problem::new(Code::Unavailable, "this cannot be saved at the moment; try again in a minute")
            }
            Self::Db(error) => {
                tracing::error!(%error, "unexpected database error");
                Problem::new(Code::Internal, "something went wrong on our side; it has been logged")
            }
        }
    }
}

/// What flows answer.
pub type Flow<T> = Result<T, Failure>;
