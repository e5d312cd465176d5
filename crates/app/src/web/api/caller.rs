//! Who calls: a program with a key, for the key's merchant, within the key's scopes.

use std::net::IpAddr;

use http::{HeaderMap, header};
use kernel::{ApiKeyId, MerchantId, Span};
use net::limit::{Bucket, Key};

use super::answer::Fault;
use crate::api_keys::{self, ApiKey, Presented, Scope};
use crate::app::App;
use crate::cx::Actor;
use crate::problem::{Code, Problem};

/// What one key may ask for.
const CALLS: Bucket = Bucket { name: "api calls", burst: 600, per: Span::minutes(1) };
/// How often one address may come with a wrong key. Keys cannot be guessed; this keeps the log short.
const WRONG_KEYS: Bucket = Bucket { name: "api wrong keys", burst: 30, per: Span::minutes(1) };

/// What an endpoint asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A key with this scope.
    Scope(Scope),
    /// Any key.
    AnyKey,
    /// Nothing.
    Public,
}

/// The program that calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Its key.
    pub key: ApiKeyId,
    /// For whom it acts.
    pub merchant: MerchantId,
}

impl Caller {
    /// For the audit log.
    pub const fn actor(self) -> Actor {
        Actor::Api(self.key)
    }
}

/// Lets a caller in, or says why not: no key, wrong key, too often, not with this key.
pub async fn admit(
    app: &App,
    headers: &HeaderMap,
    address: IpAddr,
    access: Access,
) -> Result<Option<Caller>, Fault> {
    if access == Access::Public {
        return Ok(None);
    }
    let Some(key) = present(app, headers).await? else {
        app.limiter().check(&WRONG_KEYS, Key::address(address), app.now()).map_err(too_many)?;
        let text = "send your API key as \"Authorization: Bearer hsk_...\"; it was missing, wrong or revoked";
        return Err(Problem::new(Code::Unauthorized, text).into());
    };
    app.limiter().check(&CALLS, Key::name(&key.id.to_string()), app.now()).map_err(too_many)?;
    if let Access::Scope(scope) = access
        && !key.scopes.contain(scope)
    {
        let text = format!("this key lacks the scope \"{scope}\"; make one that has it");
        return Err(Problem::new(Code::Forbidden, text).into());
    }
    if key.use_is_news(app.now()) {
        mark_used(app, &key).await;
    }
    Ok(Some(Caller { key: key.id, merchant: key.merchant }))
}

async fn present(app: &App, headers: &HeaderMap) -> Result<Option<ApiKey>, Fault> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return Ok(None) };
    let text = value.to_str().ok().and_then(|value| value.split_once(' '));
    let Some((scheme, token)) = text else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let Some(presented) = Presented::read(token.trim()) else { return Ok(None) };
    let id = presented.id;
    let key = app.read(move |snapshot| Ok(api_keys::store::by_presented(snapshot, id)?)).await?;
    Ok(key.filter(|key| presented.opens(key)))
}

/// A note, not a condition: a full disk must not keep anybody from reading.
async fn mark_used(app: &App, key: &ApiKey) {
    let id = key.id;
    let marked = app.write(key.merchant, Actor::Api(id), move |cx| {
        Ok(api_keys::store::mark_used(cx.tx, cx.merchant, id, cx.now)?)
    });
    if let Err(failure) = marked.await {
        tracing::warn!(%failure, key = %id, "the last use of an API key could not be written down");
    }
}

fn too_many(wait: net::limit::RetryAfter) -> Fault {
    let mut problem = Problem::new(Code::RateLimited, wait.to_string());
    problem.retry_after = Some(u64::from(wait.seconds));
    problem.into()
}
