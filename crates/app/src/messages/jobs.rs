//! Composing a message and handing it to the mail server.

use kernel::{MerchantId, MessageId};
use mail::SendError;

use super::{Message, MessageState, compose, store};
use crate::app::App;
use crate::cx::Actor;
use crate::failpoint;
use crate::fulfillment::GrantStatus;
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed};
use crate::{events, fulfillment, orders};

/// Sends a message that still waits; ends the job with what became of it.
pub async fn send(app: &App, job: &Claimed, merchant: MerchantId, id: MessageId) -> Result<(), JobError> {
    let ring = app.ring_arc();
    let base_url = app.settings().base_url.clone();
    let material = app
        .read(move |snapshot| {
            let Some(message) = store::by_id(snapshot, merchant, id)? else { return Ok(None) };
            if message.state != MessageState::Waiting {
                return Ok(None);
            }
            let material = compose::gather(snapshot, &ring, &base_url, &message)?;
            Ok(Some((message, material)))
        })
        .await?;
    let Some((message, material)) = material else { return end(app, job, None).await };
    let mail = match compose::compose(app.renderer(), &message, &material) {
        Ok(mail) => mail,
        // No retry helps; it is shown with the messages that failed.
        Err(why) => return end(app, job, Some((message, MessageState::Failed, why))).await,
    };
    let (begun, subject, held) = (message.clone(), mail.subject.clone(), job.clone());
    app.write(merchant, Actor::System, move |cx| {
        // A worker that slept too long must not send what another has sent meanwhile.
        jobs::store::renew(cx.tx, &held, cx.now)?;
        Ok(store::begin_attempt(cx.tx, &begun, &subject)?)
    })
    .await?;
    failpoint!(MailBeforeSend);
    let sent = app.mailer().send(&mail).await;
    failpoint!(MailAfterSend);

    match sent {
        Ok(_) => end(app, job, Some((message, MessageState::Sent, String::new()))).await,
        Err(SendError::Permanent { why }) => end(app, job, Some((message, MessageState::Failed, why))).await,
        Err(SendError::Retry { why } | SendError::Unknown { why }) => {
            let last = job.attempt >= job.work.attempts_max();
            let state = if last { MessageState::Expired } else { MessageState::Waiting };
            if last {
                return end(app, job, Some((message, state, why))).await;
            }
            let (noted, reason) = (message.clone(), why.clone());
            app.write(merchant, Actor::System, move |cx| {
                Ok(store::end_attempt(cx.tx, &noted, MessageState::Waiting, &reason, cx.now)?)
            })
            .await?;
            Err(JobError::Retry(why))
        }
    }
}

async fn end(
    app: &App,
    job: &Claimed,
    outcome: Option<(Message, MessageState, String)>,
) -> Result<(), JobError> {
    let job = job.clone();
    let ended = app.write(job.work.merchant(), Actor::System, move |cx| {
        if let Some((message, state, error)) = &outcome {
            store::end_attempt(cx.tx, message, *state, error, cx.now)?;
            if *state == MessageState::Sent {
                start_link_life(cx, message)?;
            } else {
                let detail = serde_json::json!({ "kind": message.kind, "why": error });
                events::flow::record(cx, message.order, message.id, "message.not_delivered", detail)?;
            }
        }
        Ok(jobs::store::finish(cx.tx, &job)?)
    });
    ended.await?;
    failpoint!(MailRecorded);
    Ok(())
}

/// Links of a receipt that left late live their full time from when it left: a mail server that
/// was away for three days must not have the buyer receive dead links.
fn start_link_life(cx: &mut crate::cx::Cx<'_, '_>, message: &Message) -> Result<(), db::DbError> {
    let Some(order) = message.order.filter(|_| message.kind == super::MessageKind::Receipt) else {
        return Ok(());
    };
    if cx.now.since(message.created_at) < LATE {
        return Ok(());
    }
    // Grants are changed under their order's lock alone; staff may be replacing links right now.
    orders::store::lock(cx.tx, cx.merchant, order)?;
    let lines = orders::store::lines(cx.tx, cx.merchant, order)?;
    for mut grant in fulfillment::store::of_order(cx.tx, cx.merchant, order)? {
        let life = lines.iter().find(|line| line.id == grant.line).map(|line| line.link_life);
        if let Some(life) = life
            && grant.generation == 1
            && grant.status == GrantStatus::Active
        {
            let cause = message.id.to_string();
            fulfillment::flow::extend(cx, &mut grant, cx.now + life, &cause)?;
        }
    }
    Ok(())
}

/// A receipt that leaves later than this after its payment counts as late.
const LATE: kernel::Span = kernel::Span::minutes(10);
