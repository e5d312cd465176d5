//! Connections as the back office's pages name them.

use kernel::ConnectionId;
use ui::admin::{Choice, ConnectionRef, Label};

use super::{Connection, mode_word};
use crate::web::listing::word;

/// The connections to choose from in a filter.
pub fn choices(all: &[Connection]) -> Vec<Choice> {
    let choice =
        |known: &Connection| Choice { value: known.id.to_string(), label: Label::text(known.name.clone()) };
    all.iter().map(choice).collect()
}

/// A connection with its name.
pub fn reference(connection: &Connection) -> ConnectionRef {
    ConnectionRef { id: connection.id, name: connection.name.clone(), mode: word(mode_word(connection.mode)) }
}

/// The same, by id, among the merchant's connections.
pub fn find(all: &[Connection], id: ConnectionId) -> Option<ConnectionRef> {
    all.iter().find(|known| known.id == id).map(reference)
}
