//! Who somebody is, and how the connections are protected.

use super::super::reply::{Reply, reply};
use super::{Login, Next, Session};

/// Names by which nobody in particular logs in.
const NOBODY: [&str; 2] = ["anonymous", "ftp"];

const FEATURES: [&str; 8] =
    ["EPSV", "MDTM", "MLST type*;size*;modify*;perm*;", "REST STREAM", "SIZE", "TVFS", "UTF8", "PASV"];

const TLS_FEATURES: [&str; 3] = ["AUTH TLS", "PBSZ", "PROT"];

impl Session {
    pub(super) fn auth(&self, mechanism: &str) -> Next {
        let offered = self.visit.security.acceptor.is_some();
        Next::Say(match mechanism {
            "TLS" | "TLS-C" | "SSL" if offered && !self.is_secure => return Next::Secure,
            _ if self.is_secure => reply(503, "this connection is in TLS already"),
            _ if offered => reply(504, "the mechanism is TLS"),
            _ => reply(502, "this server has no TLS"),
        })
    }

    pub(super) fn user(&mut self, name: &str) -> Reply {
        if self.visit.security.required && !self.is_secure {
            return reply(530, "say AUTH TLS first: names of directories are secrets");
        }
        self.login = Login::Named;
        if NOBODY.iter().any(|nobody| nobody.eq_ignore_ascii_case(name.trim())) {
            reply(331, "any password will do")
        } else {
            self.login = Login::Outside;
            reply(530, "log in as anonymous: the directory in your link is all that is needed")
        }
    }

    pub(super) fn pass(&mut self) -> Reply {
        match self.login {
            Login::Outside => reply(503, "say USER first"),
            Login::Inside => reply(202, "you are logged in already"),
            Login::Named => {
                self.login = Login::Inside;
                reply(230, "go on to the directory in your link")
            }
        }
    }

    pub(super) fn features(&self) -> Reply {
        let tls = if self.visit.security.acceptor.is_some() { &TLS_FEATURES[..] } else { &[] };
        reply(211, "Features:").with(tls.iter().chain(&FEATURES).map(|feature| (*feature).to_owned()))
    }

    pub(super) fn buffer_size(&self) -> Reply {
        if self.is_secure { reply(200, "PBSZ=0") } else { reply(503, "say AUTH TLS first") }
    }

    pub(super) fn protect(&mut self, level: &str) -> Reply {
        match level {
            _ if !self.is_secure => reply(503, "say AUTH TLS first"),
            "P" => {
                self.data_is_secure = true;
                reply(200, "data connections are in TLS")
            }
            "C" if self.visit.security.required => reply(534, "data connections are in TLS here: say PROT P"),
            "C" => {
                self.data_is_secure = false;
                reply(200, "data connections are in clear text")
            }
            _ => reply(536, "the levels are P and C"),
        }
    }
}

/// What can be agreed on.
pub(super) fn options(option: &str) -> Reply {
    match option.split_whitespace().next() {
        Some("UTF8" | "UTF-8") if !option.ends_with("OFF") => reply(200, "names are UTF-8"),
        Some("MLST") => reply(200, "MLST OPTS type;size;modify;perm;"),
        _ => reply(501, "that is no option of this server"),
    }
}
