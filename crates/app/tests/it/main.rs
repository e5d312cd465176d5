//! The product from its hook to its bytes, on both engines.

mod support;

mod audit;
mod buyer;
mod api;
mod smoke;
mod staff;
