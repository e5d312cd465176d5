//! The product from its hook to its bytes, on both engines.

mod support;

mod alarm_mails;
mod api;
mod attacks;
mod audit;
mod backups;
mod buyer;
mod carriers;
mod faults;
mod links;
mod mail_outages;
mod paypal;
#[path = "../../../stores/tests/s3/process.rs"]
#[expect(clippy::unwrap_used, reason = "a server that cannot be started has failed the test")]
#[allow(dead_code, reason = "these tests need a part of it")]
mod process;
mod quarantine;
mod simulator;
mod smoke;
mod staff;
mod stores;
mod tenancy;
