//! Adding and changing plug-ins; marking what was sent.

use kernel::{OrderId, PluginId, Secret};

use super::{NAME_LENGTH_MAX, Plugin, PluginSecret, sealed_for, store};
use crate::cx::Cx;
use crate::events;
use crate::parts::{self, Made, MadeText, PartKey, PartState};
use crate::problem::{Code, Flow, Problem};
use crate::ring::{Ring, SealError};

/// Adds a plug-in. Its secret is shown to whoever adds it, and never again.
pub fn add(cx: &mut Cx<'_, '_>, name: &str, url: &str) -> Flow<(Plugin, PluginSecret)> {
    let (name, url) = (valid_name(name)?, valid_url(url)?);
    if store::list(cx.tx, cx.merchant)?.iter().any(|known| known.name == name) {
        let text = format!("there is already a plug-in with the name \"{name}\"");
        return Err(Problem::new(Code::Taken, text).at("name").into());
    }
    let id = PluginId::mint(cx.draws);
    let (secret, secret_sealed) = new_secret(cx, id);
    let plugin = Plugin { id, merchant: cx.merchant, name, url, secret_sealed, created_at: cx.now };
    store::insert(cx.tx, &plugin)?;
    events::flow::record(cx, None, id, "plugin.added", serde_json::json!({ "name": plugin.name }))?;
    Ok((plugin, secret))
}

/// Gives a plug-in another address.
pub fn change(cx: &mut Cx<'_, '_>, id: PluginId, url: &str) -> Flow<()> {
    let url = valid_url(url)?;
    let plugin = find(cx, id)?;
    store::save(cx.tx, &Plugin { url, ..plugin.clone() })?;
    events::flow::record(cx, None, id, "plugin.changed", serde_json::json!({ "name": plugin.name }))?;
    Ok(())
}

/// Gives a plug-in another secret; requests are signed with it from now on.
pub fn renew_secret(cx: &mut Cx<'_, '_>, id: PluginId) -> Flow<(Plugin, PluginSecret)> {
    let plugin = find(cx, id)?;
    let (secret, secret_sealed) = new_secret(cx, id);
    let plugin = Plugin { secret_sealed, ..plugin };
    store::save(cx.tx, &plugin)?;
    events::flow::record(cx, None, id, "plugin.secret_renewed", serde_json::json!({ "name": plugin.name }))?;
    Ok((plugin, secret))
}

/// Removes a plug-in. What still asks for it is held for a person.
pub fn remove(cx: &mut Cx<'_, '_>, id: PluginId) -> Flow<()> {
    let plugin = find(cx, id)?;
    store::remove(cx.tx, cx.merchant, id)?;
    events::flow::record(cx, None, id, "plugin.removed", serde_json::json!({ "name": plugin.name }))?;
    Ok(())
}

fn find(cx: &mut Cx<'_, '_>, id: PluginId) -> Flow<Plugin> {
    Ok(store::by_id(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("plug-in"))?)
}

fn new_secret(cx: &mut Cx<'_, '_>, id: PluginId) -> (PluginSecret, Vec<u8>) {
    let secret: [u8; 32] = cx.draws.nonce();
    let nonce = cx.draws.nonce();
    let sealed = cx.ring.seal(&sealed_for(id), nonce, &secret);
    (Secret::new(secret), sealed)
}

/// The secret of a plug-in.
///
/// # Errors
/// When the ring lacks its key, or the row was changed.
pub fn opened(ring: &Ring, plugin: &Plugin) -> Result<PluginSecret, SealError> {
    let plain = ring.open(&sealed_for(plugin.id), &plugin.secret_sealed)?;
    plain.try_into().map(Secret::new).map_err(|_| SealError::Damaged)
}

fn valid_name(text: &str) -> Result<String, Problem> {
    let name = text.trim().to_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > NAME_LENGTH_MAX || !name.chars().all(fits) {
        let text = format!("a name has 1 to {NAME_LENGTH_MAX} letters from a to z, digits, - and _");
        return Err(Problem::invalid("name", text));
    }
    Ok(name)
}

fn valid_url(text: &str) -> Result<String, Problem> {
    let wrong = |why: &str| Problem::invalid("url", why);
    let url = url::Url::parse(text.trim())
        .map_err(|_| wrong("this is no address; write it as in https://example.com/hook"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong("the address begins with https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("the address must hold no password; requests are signed"));
    }
    Ok(url.to_string())
}

/// Staff have sent a unit of the drop-ship list. What they note, such as a tracking number, the
/// buyer is told.
pub fn mark_sent(cx: &mut Cx<'_, '_>, order: OrderId, key: &PartKey, note: &str) -> Flow<()> {
    crate::orders::store::lock(cx.tx, cx.merchant, order)?.ok_or_else(|| Problem::not_found("order"))?;
    let part = parts::store::find(cx.tx, cx.merchant, key)?.filter(|part| part.order == order);
    let part = part.ok_or_else(|| Problem::not_found("entry of the drop-ship list"))?;
    if part.state != PartState::Waiting {
        return Err(Problem::conflict("this was marked as sent already").into());
    }
    let note = note.trim();
    if note.chars().count() > 500 || note.chars().any(char::is_control) {
        return Err(Problem::invalid("note", "a note has at most 500 printable characters").into());
    }
    let text = |text: &str| MadeText { label: "Shipped".to_owned(), text: text.to_owned() };
    let texts = if note.is_empty() { Vec::new() } else { vec![text(note)] };
    Ok(parts::flow::record(cx, &part, &Made::Done { files: Vec::new(), texts })?)
}
