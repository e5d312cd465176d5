//! The door against stock clients, and the uploader against a stock server.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod door;
mod raw;
mod support;
mod upload;
