//! Changing a connection, and switching it off and on.

use std::collections::BTreeMap;

use gateways::Mode;
use kernel::ConnectionId;

use super::{Connection, desk_store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Code, Flow, Problem};

/// Longest name.
pub const NAME_LENGTH_MAX: usize = 100;

/// Refuses real money where anybody on the way could read and change what is sent.
pub fn allowed(mode: Mode, base_url: &str) -> Result<(), Problem> {
    if mode == Mode::Live && !base_url.starts_with("https://") {
        let text = "live mode needs a shop whose address begins with https://; use test mode until then";
        return Err(Problem::invalid("mode", text));
    }
    Ok(())
}

/// Changes a connection's name and settings, if its adapter finds them safe.
pub fn change(
    cx: &mut Cx<'_, '_>,
    id: ConnectionId,
    name: &str,
    settings: &BTreeMap<String, String>,
) -> Flow<()> {
    let mut connection = held(cx, id)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX || name.chars().any(char::is_control) {
        let text = format!("a name has 1 to {NAME_LENGTH_MAX} printable characters");
        return Err(Problem::invalid("name", text).into());
    }
    name.clone_into(&mut connection.name);
    connection.settings.clone_from(settings);
    check(cx, &connection)?;
    desk_store::save(cx.tx, &connection)?;
    let detail = serde_json::json!({ "name": connection.name, "settings": connection.settings });
    events::flow::record(cx, None, id, "connection.changed", detail)?;
    Ok(())
}

/// Switches a connection off. Off already: nothing changes.
pub fn disable(cx: &mut Cx<'_, '_>, id: ConnectionId) -> Flow<()> {
    let mut connection = held(cx, id)?;
    if connection.disabled_at.is_none() {
        connection.disabled_at = Some(cx.now);
        desk_store::save(cx.tx, &connection)?;
        let detail = serde_json::json!({ "name": connection.name });
        events::flow::record(cx, None, id, "connection.disabled", detail)?;
    }
    Ok(())
}

/// Switches a connection on again, after the same checks as a new one.
pub fn enable(cx: &mut Cx<'_, '_>, id: ConnectionId, base_url: &str) -> Flow<()> {
    let mut connection = held(cx, id)?;
    if connection.disabled_at.is_some() {
        allowed(connection.mode, base_url)?;
        check(cx, &connection)?;
        connection.disabled_at = None;
        desk_store::save(cx.tx, &connection)?;
        let detail = serde_json::json!({ "name": connection.name });
        events::flow::record(cx, None, id, "connection.enabled", detail)?;
    }
    Ok(())
}

fn held(cx: &mut Cx<'_, '_>, id: ConnectionId) -> Flow<Connection> {
    Ok(desk_store::lock(cx.tx, cx.merchant, id)?.ok_or_else(|| Problem::not_found("connection"))?)
}

fn check(cx: &Cx<'_, '_>, connection: &Connection) -> Result<(), Problem> {
    let Some(adapter) = gateways::gateway(&connection.gateway) else {
        return Err(Problem::conflict(format!("there is no gateway \"{}\" any more", connection.gateway)));
    };
    let opened =
        connection.opened(cx.ring).map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    adapter.check(&opened).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let field = problems.first().map_or("settings", |problem| problem.field.as_str());
        Problem::invalid(field, texts.join(". "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_money_wants_an_encrypted_shop() {
        assert!(allowed(Mode::Live, "http://shop.example").is_err());
        assert!(allowed(Mode::Live, "https://shop.example").is_ok());
        assert!(allowed(Mode::Test, "http://127.0.0.1:8080").is_ok());
    }
}
