//! The product from its hook to its bytes, on both engines.

mod support;

mod api;
mod audit;
mod backups;
mod buyer;
mod quarantine;
mod smoke;
mod staff;
