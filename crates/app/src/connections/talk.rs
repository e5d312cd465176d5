//! Talking with a gateway: its adapter says what to ask next, and this asks.

use std::time::Duration;

use bytes::Bytes;
use gateways::{Exchange, Request, Step, Unsupported};

use crate::app::App;

/// No conversation needs more calls than this.
const CALLS_MAX: usize = 12;
/// What one call may take.
const CALL_DEADLINE: Duration = Duration::from_secs(20);
/// What a gateway may answer: a page of news is the largest.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a conversation came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The gateway has no such thing.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// It said no, and would say so again.
    #[error("the gateway refused: {0}")]
    Refused(String),
    /// It could not be told now.
    #[error("{0}")]
    Later(String),
}

/// Holds a conversation to its end.
///
/// # Errors
/// Whether asking again may help, and why it came to nothing.
pub async fn talk<T>(
    app: &App,
    mut next: impl FnMut(&[Exchange]) -> Result<Step<T>, Unsupported>,
) -> Result<T, Trouble> {
    let mut earlier = Vec::new();
    loop {
        match next(&earlier)? {
            Step::Done(done) => return Ok(done),
            Step::Refused(why) => return Err(Trouble::Refused(why)),
            Step::Later(why) => return Err(Trouble::Later(why)),
            Step::Call(request) if earlier.len() < CALLS_MAX => {
                earlier.push(ask(app, &request).await.map_err(Trouble::Later)?);
            }
            Step::Call(request) => {
                return Err(Trouble::Later(format!("its adapter keeps asking ({})", request.purpose)));
            }
        }
    }
}

/// Makes one call. A call that failed is no exchange: unknown, never "no".
///
/// # Errors
/// What went wrong on the way.
pub async fn ask(app: &App, request: &Request) -> Result<Exchange, String> {
    let call = net::outbound::Call {
        method: request.method.to_owned(),
        url: request.url.clone(),
        headers: request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: Bytes::from(request.body.clone()),
        deadline: CALL_DEADLINE,
        body_max: ANSWER_BYTES_MAX,
    };
    let answer = app.outbound().call(call).await.map_err(|error| format!("{}: {error}", request.purpose))?;
    Ok(Exchange { purpose: request.purpose, status: answer.status.as_u16(), body: answer.body.to_vec() })
}
