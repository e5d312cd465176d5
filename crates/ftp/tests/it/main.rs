//! The door against stock clients, and the uploader against a stock server.

mod door;
mod raw;
mod support;
