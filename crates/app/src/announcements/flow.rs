//! Having a version told, and telling it step by step.

use kernel::{MessageId, ProductFileId, ProductId};

use super::store::{self, Entitled, Version};
use super::{context, dedupe_key};
use crate::cx::Cx;
use crate::events;
use crate::jobs::{self, Claimed, Work};
use crate::messages::{self, Message, MessageKind, MessageState};
use crate::problem::{Flow, Problem};
use crate::products;

/// Lines of one transaction. Few enough that orders which come meanwhile do not wait for long.
pub const LINES_AT_ONCE: u32 = 200;

/// Has the newest version of a file told to those who are entitled to it, and answers how many
/// there are now. What was told is not told again.
pub fn announce(cx: &mut Cx<'_, '_>, product: ProductId, file: ProductFileId) -> Flow<u64> {
    let files = products::store::files(cx.tx, cx.merchant, product)?;
    let newest = files.into_iter().find(|known| known.file == file);
    let newest = newest.ok_or_else(|| Problem::not_found("file"))?;
    let version = store::version(cx.tx, cx.merchant, newest.version)?;
    let version = version.ok_or_else(|| Problem::not_found("file"))?;
    let entitled = store::count(cx.tx, cx.merchant, (product, file), version.created_at)?;
    if entitled == 0 {
        return Ok(0);
    }
    let detail = serde_json::json!({ "version": version.id, "name": version.name, "entitled": entitled });
    events::flow::record(cx, None, product, "product.version_announced", detail)?;
    jobs::flow::enqueue(
        cx,
        &Work::TellOfVersion { merchant: cx.merchant, version: version.id, after: None },
    )?;
    Ok(entitled)
}

/// One step: mails for so many lines, the next step, and the end of this one, all or nothing.
pub fn step(cx: &mut Cx<'_, '_>, job: &Claimed, most: u32) -> Flow<()> {
    let Work::TellOfVersion { version, after, .. } = &job.work else {
        return Ok(jobs::store::finish(cx.tx, job)?);
    };
    if let Some(version) = store::version(cx.tx, cx.merchant, *version)? {
        let lines = store::entitled(cx.tx, cx.merchant, &version, *after, most)?;
        for line in &lines {
            tell(cx, &version, line)?;
        }
        let full = lines.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        if let Some(last) = lines.last().filter(|_| full) {
            let (merchant, version) = (cx.merchant, version.id);
            jobs::flow::enqueue(cx, &Work::TellOfVersion { merchant, version, after: Some(last.line) })?;
        }
    }
    Ok(jobs::store::finish(cx.tx, job)?)
}

fn tell(cx: &mut Cx<'_, '_>, version: &Version, to: &Entitled) -> Flow<()> {
    let message = Message {
        id: MessageId::mint(cx.draws),
        merchant: cx.merchant,
        kind: MessageKind::NewVersion,
        dedupe_key: dedupe_key(to.customer, version.id),
        order: Some(to.order),
        customer: Some(to.customer),
        to: to.email.clone(),
        subject: String::new(),
        context: context(version.product, version.id),
        state: MessageState::Waiting,
        attempts: 0,
        last_error: String::new(),
        created_at: cx.now,
        sent_at: None,
    };
    Ok(messages::flow::intend(cx, &message)?)
}
