//! Making and revoking API keys: for the back office and the shell. No key can make another.

use kernel::{ApiKeyId, Secret};

use super::{ApiKey, SECRET_BYTES, Scopes, store, text};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Flow, Problem};
use crate::ring;

/// Longest name of a key.
pub const NAME_LENGTH_MAX: usize = 100;
/// Most keys of one merchant that are alive at once.
pub const KEYS_MAX: i64 = 200;

/// Makes a key. Its text is in the answer and nowhere else.
pub fn create(cx: &mut Cx<'_, '_>, name: &str, scopes: &Scopes) -> Flow<(ApiKey, Secret<String>)> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX || name.chars().any(char::is_control) {
        let text = format!("a key's name has 1 to {NAME_LENGTH_MAX} printable characters");
        return Err(Problem::invalid("name", text).into());
    }
    if scopes.is_empty() {
        return Err(
            Problem::invalid("scopes", "choose at least one scope, or the key could do nothing").into()
        );
    }
    if store::count_alive(cx.tx, cx.merchant)? >= KEYS_MAX {
        return Err(Problem::conflict(format!("there are {KEYS_MAX} keys already; revoke one first")).into());
    }
    let id = ApiKeyId::mint(cx.draws);
    let shown = text(id, cx.draws.nonce::<SECRET_BYTES>());
    let key = ApiKey {
        id,
        merchant: cx.merchant,
        name: name.to_owned(),
        secret_hash: ring::token_hash(shown.expose().as_bytes()),
        scopes: scopes.clone(),
        created_at: cx.now,
        created_by: cx.actor.to_string(),
        revoked_at: None,
        last_used_at: None,
    };
    store::insert(cx.tx, &key)?;
    let detail = serde_json::json!({ "name": key.name, "scopes": key.scopes.to_string() });
    events::flow::record(cx, None, id, "api_key.created", detail)?;
    Ok((key, shown))
}

/// Kills a key at once. Killing a dead one changes nothing.
pub fn revoke(cx: &mut Cx<'_, '_>, id: ApiKeyId) -> Flow<()> {
    let key = store::by_id(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("API key"))?;
    if key.revoked_at.is_some() {
        return Ok(());
    }
    store::revoke(cx.tx, cx.merchant, id, cx.now)?;
    events::flow::record(cx, None, id, "api_key.revoked", serde_json::json!({ "name": key.name }))?;
    Ok(())
}
