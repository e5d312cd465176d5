//! The stores' way out: the program's own outbound client, lent to callers that wait.
//!
//! Stores are synchronous, and are asked from worker threads and from verbs that have no
//! runtime at all. So the calls are made on a thread of their own, whoever waits for them.

use std::sync::mpsc;
use std::thread;

use kernel::Span;
use net::outbound::{Answer, Call, CallError, Client};
use stores::{HttpAnswer, HttpCall, Network, NetworkError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Makes the stores' calls by the outbound client, held to its policy.
pub struct StoreNetwork {
    calls: UnboundedSender<Asked>,
}

struct Asked {
    call: Call,
    answer: mpsc::SyncSender<Result<Answer, CallError>>,
}

impl StoreNetwork {
    /// Begins the thread that calls; it ends with this.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(client: Client) -> std::io::Result<Self> {
        let (calls, mut asked) = unbounded_channel::<Asked>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = async move {
            while let Some(Asked { call, answer }) = asked.recv().await {
                let client = client.clone();
                tokio::spawn(async move {
                    // Whoever asked may have gone: then nobody misses the answer.
                    let _ = answer.send(client.call(call).await);
                });
            }
        };
        thread::Builder::new().name("stores".to_owned()).spawn(move || runtime.block_on(work))?;
        Ok(Self { calls })
    }
}

impl Network for StoreNetwork {
    fn call(&self, call: &HttpCall) -> Result<HttpAnswer, NetworkError> {
        let (answer, answered) = mpsc::sync_channel(1);
        let call = Call {
            method: call.method.to_owned(),
            url: call.url.expose().clone(),
            headers: call.headers.clone(),
            body: call.body.clone(),
            deadline: call.deadline.to_std(),
            body_max: call.body_max,
        };
        let gone = |_| NetworkError::Failed("the program is ending".to_owned());
        self.calls.send(Asked { call, answer }).map_err(|_| gone(mpsc::RecvError))?;
        answered.recv().map_err(gone)?.map(told).map_err(|error| failed(&error))
    }

    #[expect(clippy::disallowed_methods, reason = "a store that is busy is to be left alone for a moment")]
    fn pause(&self, span: Span) {
        thread::sleep(span.to_std());
    }
}

fn told(answer: Answer) -> HttpAnswer {
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    HttpAnswer {
        status: answer.status.as_u16(),
        headers: answer.headers.iter().filter_map(header).collect(),
        body: answer.body,
    }
}

fn failed(error: &CallError) -> NetworkError {
    match error {
        CallError::Invalid(_) | CallError::Refused(_) => NetworkError::Forbidden(error.to_string()),
        _ => NetworkError::Failed(error.to_string()),
    }
}
