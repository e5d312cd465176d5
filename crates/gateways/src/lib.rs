//! How payment gateways speak.
//!
//! An adapter builds requests and judges what comes in; it never calls, waits, stores or asks
//! for the time. `contract` is all that the product knows of gateways; adding one is a folder
//! here and a line in [`all`].

pub mod cassette;
mod contract;
#[allow(dead_code)]
mod parts;
pub mod paypal_standard;

pub use contract::*;

use paypal_standard::PaypalStandard;

/// Every gateway there is, in the order that people are offered them.
pub fn all() -> &'static [&'static dyn Gateway] {
    &[&PaypalStandard]
}

/// The gateway of this name, as connections and URLs write it.
pub fn gateway(name: &str) -> Option<&'static dyn Gateway> {
    all().iter().copied().find(|gateway| gateway.capabilities().name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_found_by_its_own_name() {
        let names: Vec<_> = all().iter().map(|gateway| gateway.capabilities().name).collect();
        let found: Vec<_> =
            names.iter().filter_map(|name| gateway(name)).map(|g| g.capabilities().name).collect();
        assert_eq!(found, names);
        assert!(gateway("").is_none());
        assert!(gateway("PayPal-Standard").is_none());
    }
}
