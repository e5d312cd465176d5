//! Storage: the stores that contents lie in, how they stand, and how contents leave them.

pub mod network;
