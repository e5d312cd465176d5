//! Events as people read them: who did it by name, details in pairs.

use std::collections::HashMap;

use db::Source;
use kernel::MerchantId;
use ui::admin::Actor;

use crate::problem::Flow;
use crate::{connections, staff};

/// The names of whoever acts at a merchant's.
#[derive(Debug, Default)]
pub struct Names {
    staff: HashMap<String, String>,
    connections: HashMap<String, String>,
}

impl Names {
    /// Reads them: people and connections of one merchant are few.
    pub fn of(source: &mut impl Source, merchant: MerchantId) -> Flow<Self> {
        let people = staff::store::list(source, merchant)?;
        let connections = connections::store::list(source, merchant)?;
        Ok(Self {
            staff: people.iter().map(|one| (one.id.to_string(), one.label().to_owned())).collect(),
            connections: connections.into_iter().map(|one| (one.id.to_string(), one.name)).collect(),
        })
    }

    /// Whoever this text of the log stands for.
    pub fn actor(&self, stored: &str) -> Actor {
        let named =
            |names: &HashMap<String, String>| names.get(stored).cloned().unwrap_or_else(|| stored.to_owned());
        match stored.split_once('_').map_or(stored, |(kind, _)| kind) {
            "stf" => Actor::Staff(named(&self.staff)),
            "con" => Actor::Gateway(named(&self.connections)),
            "key" => Actor::Api(stored.to_owned()),
            "cus" => Actor::Customer,
            "shell" => Actor::Shell,
            "visitor" => Actor::Visitor,
            _ => Actor::System,
        }
    }

    /// The name of a connection, or its id.
    pub fn connection(&self, id: kernel::ConnectionId) -> String {
        let id = id.to_string();
        self.connections.get(&id).cloned().unwrap_or(id)
    }
}

/// The details of an event, name by name.
pub fn pairs(detail: &serde_json::Value) -> Vec<(String, String)> {
    let Some(fields) = detail.as_object() else { return Vec::new() };
    let shown = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let pairs = fields.iter().map(|(name, value)| (name.clone(), shown(value)));
    pairs.filter(|(_, value)| !value.is_empty()).collect()
}

/// The page of what an event is about, where there is one.
pub fn subject_path(subject: &str) -> Option<String> {
    let list = match subject.split_once('_')?.0 {
        "ord" => "orders",
        "prd" => "products",
        "cus" => "customers",
        "ntc" => "notices",
        "msg" => "messages",
        "con" => "connections",
        "inv" => "invoices",
        "rev" => "reviews",
        _ => return None,
    };
    Some(format!("/admin/{list}/{subject}"))
}
