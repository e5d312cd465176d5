//! The product from its hook to its bytes, on both engines.

mod support;

mod backups;
mod quarantine;
mod smoke;
mod staff;
