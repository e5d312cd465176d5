//! The spec language as its users meet it.

mod examples;
mod properties;
mod resolving;
