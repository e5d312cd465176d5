//! The doors to the network, inbound and outbound.
//!
//! [`serve`] takes connections in: an accept loop of our own over hyper, with deadlines, caps
//! and a true client address on every request. [`tls`] keeps certificates. [`outbound`] is the
//! only way out: it resolves once, refuses addresses that are nobody's business, and follows
//! nothing. [`limit`], [`range`] and [`headers`] are the rules that handlers share, as plain
//! functions. Nothing here knows the product or its database.

pub mod headers;
pub mod limit;
pub mod outbound;
pub mod range;
pub mod serve;
mod subscriber;
pub mod tls;

pub use subscriber::Subscriber;
