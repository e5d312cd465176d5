//! Alarms: what is wrong in a shop and needs a person.

pub mod find;
