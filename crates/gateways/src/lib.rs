//! How payment gateways speak.
//!
//! An adapter builds requests and judges what comes in; it never calls, waits, stores or asks
//! for the time. `contract` is all that the product knows of gateways; adding one is a folder
//! here and a line in [`gateway`].

mod contract;

pub use contract::*;
