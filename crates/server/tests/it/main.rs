//! The program as its operator meets it: started as a process, asked over the network.

mod demo;
mod hardening;
mod import;
mod looking;
mod payload;
mod refusals;
mod restore;
mod serve;
mod shell;
mod stamp;
mod support;
