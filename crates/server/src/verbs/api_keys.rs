//! `handsel api-keys …`

use app::api_keys::{ApiKey, Scopes, flow, store};
use app::cx::Actor;
use kernel::ApiKeyId;

use super::{Desk, VerbError, id};

/// What can be done with API keys.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Make a key; prints it this once.
    Create {
        /// For people.
        #[arg(long)]
        name: String,
        /// What it may do, such as orders:read; repeat for more.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
    },
    /// List the keys, newest first.
    List,
    /// Kill a key at once.
    Revoke {
        /// Its id.
        key: String,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Create { name, scopes } => create(desk, name, &scopes),
        Verb::List => list(desk),
        Verb::Revoke { key } => {
            let wanted: ApiKeyId = id(&key)?;
            desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| flow::revoke(cx, wanted))?;
            desk.output.done(&format!("{key} is dead"), &serde_json::json!({ "id": key, "revoked": true }));
            Ok(())
        }
    }
}

fn create(desk: &Desk, name: String, scopes: &[String]) -> Result<(), VerbError> {
    let scopes: Scopes = scopes.join(" ").parse().map_err(VerbError::Usage)?;
    let (key, text) =
        desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| flow::create(cx, &name, &scopes))?;
    let mut value = view(&key);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("key".to_owned(), text.expose().as_str().into());
    }
    desk.output.done(&format!("{}\n{} is shown only now; keep it", text.expose(), key.id), &value);
    Ok(())
}

fn list(desk: &Desk) -> Result<(), VerbError> {
    let merchant = desk.merchant;
    let all = desk.app.read_now(move |snapshot| Ok(store::list(snapshot, merchant)?))?;
    let row = |key: &ApiKey| {
        let state = if key.revoked_at.is_some() { "revoked" } else { "alive" };
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        vec![key.id.to_string(), state.to_owned(), key.name.clone(), used, key.scopes.to_string()]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let values: Vec<_> = all.iter().map(view).collect();
    desk.output.list(&["ID", "STATE", "NAME", "LAST USED", "SCOPES"], &rows, &values);
    Ok(())
}

fn view(key: &ApiKey) -> serde_json::Value {
    let scopes: Vec<String> = key.scopes.iter().map(|scope| scope.to_string()).collect();
    serde_json::json!({
        "id": key.id, "name": key.name, "scopes": scopes, "created_at": key.created_at,
        "created_by": key.created_by, "revoked_at": key.revoked_at, "last_used_at": key.last_used_at,
    })
}
