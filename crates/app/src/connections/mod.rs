//! Connections: a merchant's account at a gateway, in one mode, with its own hook path.

pub mod flow;
pub mod store;

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
