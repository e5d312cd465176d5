//! The product from its hook to its bytes, on both engines.

mod support;

mod api;
mod smoke;
mod staff;
