//! `handsel connections …`

use std::collections::BTreeMap;

use app::connections::{Connection, flow, mode_word, store};
use app::cx::Actor;
use gateways::{Mode, paypal_standard};

use super::{Desk, VerbError, id};

/// What can be done with gateway accounts.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Connect a gateway account; prints the hook URL that the gateway must post to.
    Add {
        /// The gateway: paypal-standard.
        gateway: String,
        /// test or live.
        #[arg(long, value_parser = ["test", "live"])]
        mode: String,
        /// The account's e-mail address: money for anybody else is not ours.
        #[arg(long, value_name = "EMAIL")]
        receiver: String,
        /// Another host for confirmations; mode test only.
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// For people.
        #[arg(long, default_value = "")]
        name: String,
    },
    /// List the connections.
    List,
    /// Switch a connection off: its hook answers 404 from then on.
    Disable {
        /// Its id.
        id: String,
    },
}

/// Runs the verb.
pub fn run(desk: &Desk, verb: Verb) -> Result<(), VerbError> {
    match verb {
        Verb::Add { gateway, mode, receiver, endpoint, name } => {
            add(desk, gateway, &mode, receiver, endpoint, name)
        }
        Verb::List => {
            let merchant = desk.merchant;
            let all = desk.app.read_now(move |snapshot| Ok(store::list(snapshot, merchant)?))?;
            let row = |c: &Connection| {
                let state = if c.disabled_at.is_some() { "off" } else { "on" };
                vec![
                    c.id.to_string(),
                    c.gateway.clone(),
                    mode_word(c.mode).into(),
                    state.into(),
                    hook_url(desk, c),
                ]
            };
            let rows: Vec<_> = all.iter().map(row).collect();
            let values: Vec<_> = all.iter().map(|connection| view(desk, connection)).collect();
            desk.output.list(&["ID", "GATEWAY", "MODE", "STATE", "HOOK URL"], &rows, &values);
            Ok(())
        }
        Verb::Disable { id: text } => {
            let connection = id(&text)?;
            desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| {
                store::disable(cx.tx, cx.merchant, connection, cx.now)?;
                app::events::flow::record(
                    cx,
                    None,
                    connection,
                    "connection.disabled",
                    serde_json::json!({}),
                )?;
                Ok(())
            })?;
            desk.output.done(&format!("{text} is off"), &serde_json::json!({ "id": text, "disabled": true }));
            Ok(())
        }
    }
}

fn add(
    desk: &Desk,
    gateway: String,
    mode: &str,
    receiver: String,
    endpoint: Option<String>,
    name: String,
) -> Result<(), VerbError> {
    let mode = if mode == "live" { Mode::Live } else { Mode::Test };
    if mode == Mode::Live && !desk.config.base_url.starts_with("https://") {
        return Err(VerbError::Usage(format!(
            "base_url: a live connection needs https, and {} is not; set base_url to the https address that buyers \
             use, in the configuration file, and name that with --config",
            desk.config.base_url
        )));
    }
    let mut settings = BTreeMap::from([(paypal_standard::RECEIVER.to_owned(), receiver)]);
    if let Some(endpoint) = endpoint {
        settings.insert(paypal_standard::ENDPOINT.to_owned(), endpoint);
    }
    let new = flow::NewConnection { gateway, mode, name, settings, secrets: BTreeMap::new() };
    let made = desk.app.write_blocking(desk.merchant, Actor::Shell, move |cx| flow::add(cx, &new))?;
    let text = format!("{}\nhook URL: {}", made.id, hook_url(desk, &made));
    desk.output.done(&text, &view(desk, &made));
    Ok(())
}

fn hook_url(desk: &Desk, connection: &Connection) -> String {
    format!("{}/hooks/{}", desk.config.base_url, connection.id)
}

fn view(desk: &Desk, connection: &Connection) -> serde_json::Value {
    serde_json::json!({
        "id": connection.id, "gateway": connection.gateway, "mode": mode_word(connection.mode),
        "name": connection.name, "hook_url": hook_url(desk, connection), "settings": connection.settings,
        "created_at": connection.created_at, "disabled_at": connection.disabled_at,
    })
}
