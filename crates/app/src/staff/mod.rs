//! Staff: the people of a merchant's back office, and what each of them may do.
//!
//! Rights are a table, not a habit: every route of the back office names the right that it
//! wants, a role is the list of rights it has, and what no list names is denied.

pub mod account_pages;
pub mod flow;
pub mod password;
pub mod sign_in_pages;
pub mod staff_pages;
pub mod steps;
pub mod store;
pub mod totp;

use kernel::{EmailAddress, MerchantId, Secret, StaffId, Timestamp};

db::words! {
    /// What a person in the back office is there for.
    pub enum Role {
        /// Everything.
        Owner = "owner",
        /// Helps buyers: orders and what was delivered; not money, keys, people or texts.
        Support = "support",
        /// Looks, and changes nothing but their own account.
        ReadOnly = "read_only",
    }
}

db::words! {
    /// One thing that may be allowed or not. A route names exactly one.
    pub enum Right {
        /// See lists and pages.
        Read = "read",
        /// Their own account: password, second step, sessions.
        Own = "own",
        /// See what is secret to buyers and gateways: links, raw notices.
        Raw = "raw",
        /// Act on orders: resend, extend, reissue, regenerate, revoke, reinstate.
        Orders = "orders",
        /// Accept, refuse or replay notices, resolve reviews: decide about money.
        Decide = "decide",
        /// Make and change products, prices and files.
        Products = "products",
        /// Take lists along as files: the addresses of all buyers at once.
        Export = "export",
        /// The merchant's settings and connections, and work that was given up.
        Settings = "settings",
        /// People and API keys.
        Staff = "staff",
    }
}

impl Role {
    /// The rights of the role. Nothing else is allowed.
    pub const fn rights(self) -> &'static [Right] {
        match self {
            Self::Owner => Right::ALL,
            Self::Support => &[Right::Read, Right::Own, Right::Raw, Right::Orders],
            Self::ReadOnly => &[Right::Read, Right::Own],
        }
    }

    /// Whether the role has the right.
    pub fn may(self, right: Right) -> bool {
        self.rights().contains(&right)
    }
}

/// Somebody who may sign in to the back office.
#[derive(Debug, Clone)]
pub struct Staff {
    /// Their id.
    pub id: StaffId,
    /// At which merchant.
    pub merchant: MerchantId,
    /// What they sign in with; unique per merchant.
    pub email: EmailAddress,
    /// As colleagues see it; may be empty.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id in PHC form; `None` until they have chosen a password.
    pub password_hash: Option<Secret<String>>,
    /// The shared secret of the second step, sealed.
    pub totp_sealed: Option<Vec<u8>>,
    /// Since when sign-ins need the second step.
    pub totp_enabled_at: Option<Timestamp>,
    /// The time step of the code that was used last: a code works once.
    pub totp_last_step: i64,
    /// Since when they are here.
    pub created_at: Timestamp,
    /// Since when they are locked out.
    pub disabled_at: Option<Timestamp>,
}

impl Staff {
    /// What colleagues call them.
    pub fn label(&self) -> &str {
        if self.name.is_empty() { self.email.as_str() } else { &self.name }
    }

    /// Whether their sign-in has a second step.
    pub const fn has_totp(&self) -> bool {
        self.totp_enabled_at.is_some()
    }
}

/// What the sealed second-step secret of a person is bound to.
pub fn totp_context(id: StaffId) -> String {
    format!("second step of {id}")
}

/// Most people of one merchant.
pub const STAFF_MAX: u32 = 500;
/// Longest name.
pub const NAME_LENGTH_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_may_do_everything_and_a_reader_changes_nothing() {
        assert!(Right::ALL.iter().all(|right| Role::Owner.may(*right)));
        assert_eq!(Role::ReadOnly.rights(), [Right::Read, Right::Own]);
    }

    #[test]
    fn support_helps_buyers_and_decides_nothing_about_money() {
        assert!(Role::Support.may(Right::Orders));
        assert!(!Role::Support.may(Right::Decide));
        assert!(!Role::Support.may(Right::Export));
        assert!(!Role::Support.may(Right::Staff));
    }
}
