//! Sessions: browsers that are signed in, of staff or of customers.
//!
//! A session is found by a random token in a cookie; the database holds only the token's
//! SHA-256, so a copy of it signs nobody in. Every sign-in makes a new token: one that an
//! attacker planted beforehand is worth nothing afterwards (session fixation). A session ends
//! by itself after a time without use, after a time in all, or when it is revoked.
//!
//! One-time links sign somebody in by mail or from the shell. Looking at one changes nothing,
//! because mail scanners follow links; the form behind it spends it, exactly once.

pub mod flow;
pub mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{CustomerId, LoginTokenId, MerchantId, Secret, SessionId, Span, StaffId, Timestamp};

use crate::ring::{Ring, SealError, token_hash};

/// Who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Somebody of the back office.
    Staff(StaffId),
    /// A buyer.
    Customer(CustomerId),
}

impl Holder {
    /// How long a session may rest before it is over.
    pub const fn idle_life(self) -> Span {
        match self {
            Self::Staff(_) => STAFF_IDLE,
            Self::Customer(_) => CUSTOMER_IDLE,
        }
    }

    /// How long a session lasts at most, however much it is used.
    pub const fn whole_life(self) -> Span {
        match self {
            Self::Staff(_) => STAFF_LIFE,
            Self::Customer(_) => CUSTOMER_LIFE,
        }
    }

    /// The kind of an event about this holder: `staff.WORD` or `customer.WORD`.
    pub fn event(self, word: &str) -> String {
        match self {
            Self::Staff(_) => format!("staff.{word}"),
            Self::Customer(_) => format!("customer.{word}"),
        }
    }

    /// The staff id, if it is one.
    pub const fn staff(self) -> Option<StaffId> {
        match self {
            Self::Staff(id) => Some(id),
            Self::Customer(_) => None,
        }
    }

    /// The customer id, if it is one.
    pub const fn customer(self) -> Option<CustomerId> {
        match self {
            Self::Customer(id) => Some(id),
            Self::Staff(_) => None,
        }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Staff(id) => write!(f, "{id}"),
            Self::Customer(id) => write!(f, "{id}"),
        }
    }
}

/// A back office left open over lunch is still open; one left over night is not.
pub const STAFF_IDLE: Span = Span::hours(2);
/// A working day.
pub const STAFF_LIFE: Span = Span::hours(12);
/// A buyer comes back within the week of a purchase.
pub const CUSTOMER_IDLE: Span = Span::days(7);
/// Long enough for a month's downloads, short enough for a forgotten library computer.
pub const CUSTOMER_LIFE: Span = Span::days(30);
/// How long a one-time link works.
pub const LINK_LIFE: Span = Span::minutes(15);
/// How long an invitation works: nobody waits at their mailbox for one.
pub const INVITATION_LIFE: Span = Span::hours(24);
/// How exact "last seen" is: a write per request would make reading pages as dear as buying.
pub const TOUCH_EVERY: Span = Span::minutes(1);
/// Longest description of a browser that is kept.
pub const USER_AGENT_MAX: usize = 200;

/// A signed-in browser.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id; not a secret.
    pub id: SessionId,
    /// At which merchant.
    pub merchant: MerchantId,
    /// Who.
    pub holder: Holder,
    /// Since when.
    pub created_at: Timestamp,
    /// When it last asked for something, to the minute.
    pub last_seen_at: Timestamp,
    /// The end of its whole life.
    pub expires_at: Timestamp,
    /// When it was ended before its time.
    pub revoked_at: Option<Timestamp>,
    /// From which address it was opened.
    pub address: String,
    /// With which program.
    pub user_agent: String,
}

impl Session {
    /// Whether it still signs its holder in.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none()
            && now < self.expires_at
            && now.since(self.last_seen_at) < self.holder.idle_life()
    }

    /// Whether it is time to write down that it was used.
    pub fn wants_touch(&self, now: Timestamp) -> bool {
        now.since(self.last_seen_at) >= TOUCH_EVERY
    }

    /// Whether its holder proved who they are a moment ago, as changing how one signs in demands.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.created_at) < FRESH
    }
}

/// For so long after a sign-in its password need not be asked for again.
pub const FRESH: Span = Span::minutes(10);

/// From where somebody signs in.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address.
    pub address: String,
    /// The client's program.
    pub user_agent: String,
    /// The token that its cookie held before, if any: that session ends.
    pub replaces: Option<Token>,
}

/// A random token on its way to the one who holds it. It is never stored.
#[derive(Debug, Clone)]
pub struct Token(Secret<String>);

impl Token {
    /// Reads a token from a cookie or a link. What cannot be one is not looked up.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == TOKEN_BYTES).then(|| Self(Secret::new(text.to_owned())))
    }

    /// The token of these random bytes.
    pub fn of(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text for the cookie or the link.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored.
    pub fn hash(&self) -> [u8; 32] {
        token_hash(self.0.expose().as_bytes())
    }
}

const TOKEN_BYTES: usize = 16;

/// A session just opened, with the token for its cookie.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The session.
    pub session: Session,
    /// The one time that its token is seen.
    pub token: Token,
}

/// A one-time link that signs somebody in.
#[derive(Debug, Clone)]
pub struct LoginLink {
    /// Its id; not a secret.
    pub id: LoginTokenId,
    /// Whom it signs in.
    pub holder: Holder,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// A one-time link just made, with its token.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// The link.
    pub link: LoginLink,
    /// The one time that its token is seen.
    pub token: Token,
}

impl NewLink {
    /// The token sealed for a message's context, for the mail worker to open when it sends.
    pub fn sealed(&self, ring: &Ring, nonce: [u8; 24]) -> String {
        hex::encode(ring.seal(SEAL_CONTEXT, nonce, self.token.expose().as_bytes()))
    }
}

/// Opens what [`NewLink::sealed`] put into a message.
///
/// # Errors
/// [`SealError`] when the ring lacks the key or the text was changed.
pub fn open_sealed(ring: &Ring, sealed: &str) -> Result<Token, SealError> {
    let sealed = hex::decode(sealed).map_err(|_| SealError::Damaged)?;
    let plain = ring.open(SEAL_CONTEXT, &sealed)?;
    let text = String::from_utf8(plain).map_err(|_| SealError::Damaged)?;
    Token::parse(&text).ok_or(SealError::Damaged)
}

const SEAL_CONTEXT: &str = "login link in a message";

#[cfg(test)]
mod tests {
    use super::*;

    fn session(holder: Holder) -> Session {
        let start = Timestamp::from_seconds(1_800_000_000);
        Session {
            id: SessionId::from_bits(1),
            merchant: MerchantId::from_bits(1),
            holder,
            created_at: start,
            last_seen_at: start,
            expires_at: start + holder.whole_life(),
            revoked_at: None,
            address: String::new(),
            user_agent: String::new(),
        }
    }

    #[test]
    fn a_session_ends_when_it_rests_too_long() {
        let session = session(Holder::Staff(StaffId::from_bits(1)));
        assert!(session.is_live(session.created_at + STAFF_IDLE - Span::micros(1)));
        assert!(!session.is_live(session.created_at + STAFF_IDLE));
    }

    #[test]
    fn a_session_in_constant_use_ends_all_the_same() {
        let mut session = session(Holder::Customer(CustomerId::from_bits(1)));
        session.last_seen_at = session.created_at + CUSTOMER_LIFE - Span::seconds(1);
        assert!(session.is_live(session.last_seen_at));
        assert!(!session.is_live(session.created_at + CUSTOMER_LIFE));
    }

    #[test]
    fn a_revoked_session_is_over_at_once() {
        let mut session = session(Holder::Staff(StaffId::from_bits(1)));
        session.revoked_at = Some(session.created_at);
        assert!(!session.is_live(session.created_at));
    }

    #[test]
    fn what_cannot_be_a_token_is_not_looked_up() {
        assert!(Token::parse("").is_none());
        assert!(Token::parse("short").is_none());
        assert!(Token::parse(Token::of([7; 16]).expose()).is_some());
    }
}
