//! Adding a connection: it is checked before it exists.

use std::collections::BTreeMap;

use gateways::Mode;
use kernel::{ConnectionId, Secret};

use super::{Connection, mode_word, seal_context, store};
use crate::cx::Cx;
use crate::events;
use crate::problem::{Code, Flow, Problem};
use crate::reconciler;

/// What a new connection is made of.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// The adapter's name.
    pub gateway: String,
    /// Test or live.
    pub mode: Mode,
    /// For people; may be empty.
    pub name: String,
    /// What is not secret.
    pub settings: BTreeMap<String, String>,
    /// What is.
    pub secrets: BTreeMap<String, Secret<String>>,
}

/// Adds a connection that its adapter finds safe to use.
pub fn add(cx: &mut Cx<'_, '_>, new: &NewConnection) -> Flow<Connection> {
    let adapter = gateways::gateway(&new.gateway).ok_or_else(|| {
        let known: Vec<&str> = gateways::all().iter().map(|gateway| gateway.capabilities().name).collect();
        Problem::invalid(
            "gateway",
            format!("there is no gateway \"{}\"; known are: {}", new.gateway, known.join(", ")),
        )
    })?;
    let id = ConnectionId::mint(cx.draws);
    let opened = gateways::Connection {
        id,
        mode: new.mode,
        settings: new.settings.clone(),
        secrets: new.secrets.clone(),
    };
    if let Err(problems) = adapter.check(&opened) {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let field = problems.first().map_or("settings", |problem| problem.field.as_str());
        return Err(Problem::new(Code::Invalid, texts.join(". ")).at(field).into());
    }
    let plain: BTreeMap<&str, &str> =
        new.secrets.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect();
    let plain =
        serde_json::to_vec(&plain).map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let connection = Connection {
        id,
        merchant: cx.merchant,
        gateway: new.gateway.clone(),
        mode: new.mode,
        name: if new.name.is_empty() { adapter.capabilities().title.to_owned() } else { new.name.clone() },
        settings: new.settings.clone(),
        secrets_sealed: cx.ring.seal(&seal_context(id), cx.draws.nonce(), &plain),
        created_at: cx.now,
        disabled_at: None,
    };
    store::insert(cx.tx, &connection)?;
    if adapter.capabilities().poll {
        reconciler::store::follow(cx.tx, cx.merchant, id, cx.now)?;
    }
    let detail = serde_json::json!({ "gateway": connection.gateway, "mode": mode_word(connection.mode) });
    events::flow::record(cx, None, id, "connection.added", detail)?;
    Ok(connection)
}
