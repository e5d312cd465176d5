//! The program as its operator meets it: started as a process, asked over the network.

mod demo;
mod hardening;
mod import;
mod looking;
mod payload;
#[path = "../../../stores/tests/s3/process.rs"]
#[expect(clippy::unwrap_used, reason = "a server that cannot be started has failed the test")]
#[allow(dead_code, reason = "these tests need a part of it")]
mod process;
mod refusals;
mod restore;
mod serve;
mod shell;
mod stamp;
mod storage;
mod support;
