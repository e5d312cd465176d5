//! Buckets: what an S3-compatible server and we make of each other, and what becomes of
//! answers that no store should give.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod faults;
mod liar;
mod network;
mod own;
mod process;
mod real;
mod server;
