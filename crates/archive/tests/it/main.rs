//! Archives as buyers' programs read them.

mod deflating;
mod frozen;
mod layout;
mod properties;
mod sealed;
mod shelf;
mod sizes;
mod tools;
