//! Asking a plug-in to hand something over.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use net::outbound::{Call, CallError};

use super::answer::{self, ANSWER_BYTES_MAX};
use super::{Plugin, asked, flow, signature, store};
use crate::app::App;
use crate::jobs::runner::JobError;
use crate::parts::{Made, MadeFile, MadeText, Unit};
use crate::products::flow::{StoredFile, valid_file_name};

/// How long a plug-in may take. Far below a job's lease.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// What stands in the list of parts while staff have not sent it.
pub const ON_THE_LIST: &str = "on the drop-ship list";

/// A unit that staff send: it waits on the list until somebody marks it as sent.
pub fn queue() -> Made {
    Made::Waits(ON_THE_LIST.to_owned())
}

/// Asks the plug-in of a part. However often that is done, the request has the same id: a plug-in
/// that has handed it over already answers the same again.
pub async fn make(app: &App, unit: &Unit) -> Result<Made, JobError> {
    let text = unit.part.key.subject.clone();
    let merchant = unit.order.merchant;
    let plugins = app.read(move |snapshot| Ok(store::list(snapshot, merchant)?)).await?;
    let Some((plugin, parameter)) = asked(&plugins, &text) else {
        let why =
            format!("no plug-in hands over \"{text}\": add one, or one named \"default\", then try again");
        return Ok(Made::Held(why));
    };
    let call = match call_of(app, unit, plugin, parameter) {
        Ok(call) => call,
        Err(why) => return Ok(Made::Held(why)),
    };
    let answer = match app.outbound().call(call).await {
        Ok(answer) => answer,
        Err(error @ (CallError::Invalid(_) | CallError::Refused(_))) => {
            return Ok(Made::Held(format!("the plug-in \"{}\" cannot be asked: {error}", plugin.name)));
        }
        Err(error) => return Err(JobError::Retry(format!("the plug-in \"{}\": {error}", plugin.name))),
    };
    match answer.status {
        StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
            match answer::read(&answer.body) {
                Ok(read) => made(app, plugin, read).await,
                // Handed over perhaps, and told in a way that nobody understands.
                Err(why) => Ok(Made::Held(format!("the plug-in \"{}\": {why}", plugin.name))),
            }
        }
        StatusCode::ACCEPTED => Err(JobError::Retry(format!("the plug-in \"{}\" is at it", plugin.name))),
        status if is_refusal(status) => Ok(Made::Held(format!(
            "the plug-in \"{}\" refused with {}: {}",
            plugin.name,
            status.as_u16(),
            excerpt(&answer.body)
        ))),
        status => {
            Err(JobError::Retry(format!("the plug-in \"{}\" answered {}", plugin.name, status.as_u16())))
        }
    }
}

/// Whether asking again would be answered the same.
fn is_refusal(status: StatusCode) -> bool {
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    (status.is_client_error() && !passing.contains(&status)) || status.is_redirection()
}

fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(400)).unwrap_or_default()).into_owned();
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn call_of(app: &App, unit: &Unit, plugin: &Plugin, parameter: &str) -> Result<Call, String> {
    let secret = flow::opened(app.ring(), plugin)
        .map_err(|error| format!("the secret of the plug-in \"{}\": {error}", plugin.name))?;
    let key = &unit.part.key;
    let id = format!("{}.{}.{}", key.line, key.unit_no, plugin.id);
    let body = serde_json::json!({
        "type": "unit.hand_over",
        "order": unit.order.id,
        "line": key.line,
        "unit": key.unit_no,
        "quantity": crate::fulfillment::units_of(unit.line.quantity).1,
        "sku": unit.line.sku,
        "product": unit.line.name,
        "parameter": parameter,
        "attributes": unit.line.attributes,
        "inputs": unit.line.inputs,
        "buyer": {
            "name": unit.order.buyer_name,
            "company": unit.order.buyer_company,
            "email": unit.order.buyer_email,
            "country": unit.order.buyer_country,
        },
        "ordered_at": unit.order.created_at,
    });
    let body = Bytes::from(body.to_string());
    let mut headers = signature::headers(&secret, &id, app.now(), &body);
    let plain =
        [("content-type", "application/json"), ("accept", "application/json"), ("idempotency-key", &id)];
    headers.extend(plain.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Ok(Call {
        method: "POST".to_owned(),
        url: plugin.url.clone(),
        headers,
        body,
        deadline: CALL_DEADLINE,
        body_max: ANSWER_BYTES_MAX,
    })
}

/// Stores what was answered.
async fn made(app: &App, plugin: &Plugin, read: answer::Read) -> Result<Made, JobError> {
    let blobs = Arc::clone(app.blobs());
    let name = plugin.name.clone();
    // The disk is slow: this waits for it off the async workers.
    let stored = tokio::task::spawn_blocking(move || {
        let mut files = Vec::new();
        for (file, bytes) in read.files {
            let file = match valid_file_name(&file) {
                Ok(file) => file,
                Err(problem) => return Ok(Err(format!("the plug-in \"{name}\": {}", problem.detail))),
            };
            let digests = stores::put(&*blobs, &bytes)?;
            let stored = StoredFile {
                name: file,
                sha256: digests.sha256.to_string(),
                size: digests.size,
                crc32: digests.crc32,
                md5: digests.md5_hex(),
            };
            files.push(MadeFile { stored, replaces: None });
        }
        let texts = read.texts.into_iter().map(|(label, text)| MadeText { label, text }).collect();
        Ok::<_, stores::StoreError>(Ok(Made::Done { files, texts }))
    });
    let stored = stored.await.map_err(|error| JobError::Retry(error.to_string()))?;
    match stored.map_err(|error| JobError::Retry(error.to_string()))? {
        Ok(made) => Ok(made),
        Err(why) => Ok(Made::Held(why)),
    }
}
