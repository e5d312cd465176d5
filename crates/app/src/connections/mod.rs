//! Connections: a merchant's account at a gateway, in one mode, with its own hook path.

pub mod api;
pub mod desk_flow;
pub mod desk_store;
pub mod flow;
pub mod staff_pages;
pub mod store;
pub mod talk;
pub mod view;

use std::collections::BTreeMap;

use gateways::Mode;
use kernel::{ConnectionId, MerchantId, Secret, Timestamp};

use crate::ring::{Ring, SealError};

/// A gateway account as it is stored: its secrets are sealed.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Names the hook path.
    pub id: ConnectionId,
    /// Whose account.
    pub merchant: MerchantId,
    /// Which adapter speaks to it.
    pub gateway: String,
    /// Test or live.
    pub mode: Mode,
    /// For people.
    pub name: String,
    /// What is not secret.
    pub settings: BTreeMap<String, String>,
    /// What is, sealed under the connection's id.
    pub secrets_sealed: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is off.
    pub disabled_at: Option<Timestamp>,
}

impl Connection {
    /// As the adapters want it where no secret is needed.
    pub fn without_secrets(&self) -> gateways::Connection {
        gateways::Connection {
            id: self.id,
            mode: self.mode,
            settings: self.settings.clone(),
            secrets: BTreeMap::new(),
        }
    }

    /// As the adapters want it, with its secrets opened.
    pub fn opened(&self, ring: &Ring) -> Result<gateways::Connection, SealError> {
        let plain = ring.open(&seal_context(self.id), &self.secrets_sealed)?;
        let secrets: BTreeMap<String, String> =
            serde_json::from_slice(&plain).map_err(|_| SealError::Damaged)?;
        Ok(gateways::Connection {
            id: self.id,
            mode: self.mode,
            settings: self.settings.clone(),
            secrets: secrets.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
        })
    }
}

/// What the sealed secrets of a connection are bound to.
pub fn seal_context(id: ConnectionId) -> String {
    format!("connection {id}")
}

/// The mode as it is stored.
pub const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "test",
        Mode::Live => "live",
    }
}

/// The connections that buyers may pay through, one per company, oldest first.
///
/// As soon as one is live, no test connection is offered: whoever has a sandbox account would
/// get real goods for play money.
pub fn offered(mut all: Vec<Connection>) -> Vec<Connection> {
    all.retain(|connection| connection.disabled_at.is_none() && connection.can_check_out());
    if all.iter().any(|connection| connection.mode == Mode::Live) {
        all.retain(|connection| connection.mode == Mode::Live);
    }
    let mut offered: Vec<Connection> = Vec::new();
    for connection in all {
        if offered.iter().all(|known| known.gateway != connection.gateway) {
            offered.push(connection);
        }
    }
    offered
}

impl Connection {
    /// Whether only play money moves through it.
    pub fn is_test(&self) -> bool {
        self.mode == Mode::Test
    }

    /// Whether its gateway can open a checkout.
    pub fn can_check_out(&self) -> bool {
        gateways::gateway(&self.gateway).is_some_and(|gateway| gateway.capabilities().checkout)
    }

    /// The company's name, as buyers know it.
    pub fn brand(&self) -> &str {
        gateways::gateway(&self.gateway).map_or(self.gateway.as_str(), |gateway| gateway.capabilities().brand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(id: u128, mode: Mode) -> Connection {
        Connection {
            id: ConnectionId::from_bits(id),
            merchant: MerchantId::from_bits(1),
            gateway: "paypal-standard".to_owned(),
            mode,
            name: String::new(),
            settings: BTreeMap::new(),
            secrets_sealed: Vec::new(),
            created_at: Timestamp::from_seconds(0),
            disabled_at: None,
        }
    }

    fn ids(all: Vec<Connection>) -> Vec<u128> {
        offered(all).iter().map(|connection| connection.id.bits()).collect()
    }

    #[test]
    fn play_money_is_not_taken_where_real_money_is() {
        assert_eq!(ids(vec![connection(1, Mode::Test), connection(2, Mode::Live)]), [2]);
        assert_eq!(ids(vec![connection(1, Mode::Test)]), [1]);
    }

    #[test]
    fn what_is_off_or_unknown_is_not_offered() {
        let off = Connection { disabled_at: Some(Timestamp::from_seconds(1)), ..connection(1, Mode::Live) };
        let unknown = Connection { gateway: "nobody".to_owned(), ..connection(2, Mode::Live) };
        assert_eq!(ids(vec![off, unknown, connection(3, Mode::Test)]), [3]);
    }

    #[test]
    fn a_company_is_offered_once() {
        assert_eq!(ids(vec![connection(1, Mode::Live), connection(2, Mode::Live)]), [1]);
    }
}
