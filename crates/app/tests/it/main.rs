//! The product from its hook to its bytes, on both engines.

mod support;

mod access;
mod alarm_mails;
mod api;
mod attacks;
mod audit;
mod backups;
mod buyer;
mod faults;
mod links;
mod mail_outages;
mod paypal;
mod quarantine;
mod simulator;
mod smoke;
mod staff;
mod tenancy;
