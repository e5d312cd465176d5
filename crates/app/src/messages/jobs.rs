//! Composing a message and handing it to the mail server.

use db::DbError;
use kernel::{MerchantId, MessageId, OrderId, Span};
use mail::SendError;

use super::compose::Material;
use super::{Message, MessageKind, MessageState, compose, store};
use crate::app::App;
use crate::cx::{Actor, Cx};
use crate::failpoint;
use crate::fulfillment::GrantStatus;
use crate::jobs::runner::JobError;
use crate::jobs::{self, Claimed};
use crate::{events, fulfillment, orders, parts};

/// Why a mail with a one-time link is not sent any more.
const LINK_OVER: &str = "its one-time link ran out before it could leave; a new one must be asked for";

/// Sends a message that still waits; ends the job with what became of it.
pub async fn send(app: &App, job: &Claimed, merchant: MerchantId, id: MessageId) -> Result<(), JobError> {
    let found = app.read(move |snapshot| Ok(store::by_id(snapshot, merchant, id)?)).await?;
    let Some(message) = found.filter(|message| message.state == MessageState::Waiting) else {
        return end(app, job, None).await;
    };
    let now = app.now();
    if message.is_over(now) {
        return end(app, job, Some((message, MessageState::Expired, LINK_OVER.to_owned()))).await;
    }
    if message.is_late(now) && message.promises_links() {
        freshen_links(app, job, &message).await?;
    }
    let material = gather(app, &message).await?;
    let told_to_wait = material.tells_to_wait();
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
        Ok(_) => {
            let waits = message.order.filter(|_| told_to_wait);
            end(app, job, Some((message, MessageState::Sent, String::new()))).await?;
            match waits {
                Some(order) => tell_when_ready(app, merchant, order).await,
                None => Ok(()),
            }
        }
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

/// What its reader was told to wait for may have come while the mail was on its way.
async fn tell_when_ready(app: &App, merchant: MerchantId, order: OrderId) -> Result<(), JobError> {
    let told = app.write(merchant, Actor::System, move |cx| Ok(parts::flow::tell_if_ready(cx, order)?));
    Ok(told.await?)
}

async fn gather(app: &App, message: &Message) -> Result<Material, JobError> {
    let (ring, base_url, now) = (app.ring_arc(), app.settings().base_url.clone(), app.now());
    let message = message.clone();
    let gathered = app.read(move |snapshot| Ok(compose::gather(snapshot, &ring, &base_url, &message, now)?));
    Ok(gathered.await?)
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
                if message.is_late(cx.now) && message.promises_links() {
                    prolong(cx, message, Worn::AtAll)?;
                }
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

/// Makes links work that have lost most of their time, or all of it, while their mail waited: what
/// the mail says of them must be true when it leaves.
async fn freshen_links(app: &App, job: &Claimed, message: &Message) -> Result<(), JobError> {
    let (job, message) = (job.clone(), message.clone());
    let freshened = app.write(message.merchant, Actor::System, move |cx| {
        jobs::store::renew(cx.tx, &job, cx.now)?;
        Ok(prolong(cx, &message, Worn::ByHalf)?)
    });
    Ok(freshened.await?)
}

/// How much of its time a link must have lost to be prolonged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Worn {
    /// Any: the mail has left, and the time begins now.
    AtAll,
    /// Half of it. A mail that is tried for days does not write a change at every attempt.
    ByHalf,
}

/// Links that left late live their full time from when they left: a mail server that was away for
/// three days must not have the buyer receive dead links.
fn prolong(cx: &mut Cx<'_, '_>, message: &Message, worn: Worn) -> Result<(), DbError> {
    let Some(order) = message.order else { return Ok(()) };
    // Grants are changed under their order's lock alone; staff may be replacing links right now.
    orders::store::lock(cx.tx, cx.merchant, order)?;
    let lines = orders::store::lines(cx.tx, cx.merchant, order)?;
    let cause = message.id.to_string();
    for mut grant in fulfillment::store::of_order(cx.tx, cx.merchant, order)? {
        let Some(line) = lines.iter().find(|line| line.id == grant.line) else { continue };
        // What replaced a receipt's links meanwhile has a mail of its own.
        let told_elsewhere = message.kind == MessageKind::Receipt && grant.generation > 1;
        let wanted = match worn {
            Worn::AtAll => line.link_life,
            Worn::ByHalf => Span::micros(line.link_life.as_micros() / 2),
        };
        let worn_out = grant.expires_at < cx.now + wanted;
        if grant.status == GrantStatus::Active && worn_out && !told_elsewhere {
            fulfillment::flow::extend(cx, &mut grant, cx.now + line.link_life, &cause)?;
        }
    }
    Ok(())
}
