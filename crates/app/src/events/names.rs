//! Names for who stands in the log as an id, and paths for what it is about.

use std::collections::BTreeMap;

use db::{DbError, Source};
use kernel::MerchantId;
use ui::admin::Actor;

use crate::{api_keys, connections, staff};

/// The names of everybody who can stand in a merchant's log.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Reads them: staff, gateway accounts and API keys are few.
    pub fn read(source: &mut impl Source, merchant: MerchantId) -> Result<Self, DbError> {
        let mut names = BTreeMap::new();
        for person in staff::store::list(source, merchant)? {
            names.insert(person.id.to_string(), person.label().to_owned());
        }
        for connection in connections::store::list(source, merchant)? {
            names.insert(connection.id.to_string(), connection.name);
        }
        for key in api_keys::store::list(source, merchant)? {
            names.insert(key.id.to_string(), key.name);
        }
        Ok(Self(names))
    }

    /// Who it was, for a page.
    pub fn actor(&self, actor: &str) -> Actor {
        let name = || self.0.get(actor).cloned().unwrap_or_else(|| actor.to_owned());
        match actor.split_once('_').map_or(actor, |(kind, _)| kind) {
            "stf" => Actor::Staff(name()),
            "con" => Actor::Gateway(name()),
            "key" => Actor::Api(name()),
            "cus" => Actor::Customer,
            "shell" => Actor::Shell,
            "visitor" => Actor::Visitor,
            _ => Actor::System,
        }
    }

    /// Who it was, in one word.
    pub fn name(&self, actor: &str) -> String {
        self.0.get(actor).cloned().unwrap_or_else(|| actor.to_owned())
    }
}

/// The page of what an id names, where there is one.
pub fn path_of(subject: &str) -> Option<String> {
    let (kind, _) = subject.split_once('_')?;
    let list = match kind {
        "ord" => "orders",
        "prd" => "products",
        "cus" => "customers",
        "ntc" => "notices",
        "msg" => "messages",
        "con" => "connections",
        "rev" => "reviews",
        "inv" => "invoices",
        "tev" => "tickets",
        "stf" => return Some("/admin/staff".to_owned()),
        "key" => return Some("/admin/api-keys".to_owned()),
        "mer" => return Some("/admin/settings".to_owned()),
        _ => return None,
    };
    Some(format!("/admin/{list}/{subject}"))
}

/// A JSON object as names and values for people.
pub fn pairs(detail: &serde_json::Value) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let fields = detail.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), text(value))).filter(|(_, value)| !value.is_empty()).collect()
}
