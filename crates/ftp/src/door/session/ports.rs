//! Where data connections come in.

use std::net::IpAddr;

use super::super::passive::Passive;
use super::super::reply::{Reply, reply};
use super::Session;

impl Session {
    pub(super) fn passive_v4(&mut self) -> Reply {
        let told = self.settings().passive_address.map(IpAddr::V4).unwrap_or(self.local.to_canonical());
        let IpAddr::V4(address) = told else { return reply(522, "over IPv6 use EPSV") };
        let [a, b, c, d] = address.octets();
        self.open_port(|port| {
            let [high, low] = port.to_be_bytes();
            reply(227, format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})"))
        })
    }

    pub(super) fn passive_any(&mut self, family: &str) -> Reply {
        let own = if self.local.to_canonical().is_ipv4() { "1" } else { "2" };
        match family {
            "ALL" => reply(200, "EPSV it is"),
            "" => self.open_port(extended),
            family if family == own => self.open_port(extended),
            _ => reply(522, format!("the address family of this connection is ({own})")),
        }
    }

    fn open_port(&mut self, told: impl Fn(u16) -> Reply) -> Reply {
        // The one before is closed first, so that it can be the next.
        self.passive = None;
        self.passive = self.visit.shared.ports.open(self.local, self.visit.visitor.address);
        match self.passive.as_ref().map(Passive::port) {
            Some(Ok(port)) => told(port),
            _ => reply(425, "all data ports are in use; try again in a minute"),
        }
    }
}

fn extended(port: u16) -> Reply {
    reply(229, format!("Entering Extended Passive Mode (|||{port}|)"))
}
