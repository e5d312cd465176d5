//! The product: one folder per noun.
//!
//! A noun's folder speaks with up to six voices: `mod.rs` decides, `store.rs` speaks SQL,
//! `flow.rs` orders what happens in one transaction, `jobs.rs` does what is left for the
//! outside world, `api.rs` and `pages.rs` speak HTTP. Data moves one way: notice, payment,
//! order, units, grants, messages; every arrow is a unique key, so running it twice changes
//! nothing.

pub mod access;
pub mod alarms;
pub mod announcements;
pub mod api_keys;
pub mod app;
pub mod archives;
pub mod artworks;
pub mod audit;
pub mod backups;
pub mod carts;
pub mod choices;
pub mod connections;
pub mod customers;
pub mod cx;
pub mod deliverables;
pub mod downloads;
pub mod encryption;
pub mod events;
pub mod failpoint;
pub mod fulfillment;
pub mod home;
pub mod idempotency;
pub mod installation;
pub mod invoices;
pub mod jobs;
pub mod links;
pub mod merchants;
pub mod messages;
pub mod notices;
pub mod orders;
pub mod packed;
pub mod paging;
pub mod parts;
pub mod payloads;
pub mod payments;
pub mod pickups;
pub mod plugins;
pub mod problem;
pub mod products;
pub mod reconciler;
pub mod reviews;
pub mod ring;
pub mod sales;
pub mod sessions;
pub mod staff;
pub mod stamps;
pub mod storage;
pub mod streams;
pub mod tickets;
pub mod uploads;
pub mod web;
