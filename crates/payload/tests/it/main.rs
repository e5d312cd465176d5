//! The spec language as its users meet it.

mod attacks;
mod disk;
mod examples;
mod properties;
mod resolving;
