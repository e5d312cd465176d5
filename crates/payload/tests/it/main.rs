//! The spec language as its users meet it.

mod attacks;
mod disk;
mod examples;
mod page;
mod properties;
mod resolving;
mod seed;
mod sendsafe;
