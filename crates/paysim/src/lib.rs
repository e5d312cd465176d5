//! The other side of the gateways: a simulated PayPal for the demo and the tests.
//!
//! It shows buyers a payment page, sends Instant Payment Notifications until they are taken,
//! and confirms exactly the bytes that it sent. It keeps its own days, so that an eCheck can
//! clear while somebody watches. `ipn` builds notification bodies and needs no server; `Book`
//! is all that this PayPal knows and touches nothing; `PaySim` puts both on the network.
//!
//! It shares no code with the adapter it is for, and is no proof of it: both were written
//! from the same documents. It only ever posts to loopback addresses.

mod book;
mod checkout;
mod form;
mod handle;
pub mod ipn;
mod outbox;
mod pages;
mod payment;
mod send;
mod server;

pub use book::{Book, BookOptions, Postback, Refusal};
pub use checkout::{Checkout, CheckoutError, ReturnBy};
pub use handle::{Delivery, Options, PaySim, PaySimHandle, PaymentHandle};
pub use outbox::{Answer, Attempt, Faults, Notice, NoticeState, Patience, Sequence};
pub use payment::{Choice, Payment, PaymentState};
