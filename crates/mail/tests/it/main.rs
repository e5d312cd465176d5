//! Mail as others see it: composed, sent, received.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod composing;
mod python;
mod receiving;
mod sending;
mod shop;
mod strangers;
