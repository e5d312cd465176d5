//! How many control connections there may be, in all and of one subscriber.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections on all listeners of a door.
pub(super) struct Gate {
    all_max: usize,
    each_max: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// The right to be connected, until it is dropped.
pub(super) struct Pass {
    gate: Arc<Gate>,
    subscriber: IpAddr,
}

impl Gate {
    pub(super) fn new(all_max: usize, each_max: usize) -> Self {
        Self { all_max, each_max, inside: Mutex::default() }
    }

    /// Lets an address in, unless there are enough, or enough of its subscriber.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let subscriber = subscriber(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let each = inside.each.get(&subscriber).copied().unwrap_or(0);
        if inside.all >= self.all_max || each >= self.each_max {
            return None;
        }
        inside.all += 1;
        inside.each.insert(subscriber, each + 1);
        Some(Pass { gate: Arc::clone(self), subscriber })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all = inside.all.saturating_sub(1);
        let left = inside.each.get(&self.subscriber).copied().unwrap_or(0).saturating_sub(1);
        // Without this the map would keep every address that ever came.
        if left == 0 {
            inside.each.remove(&self.subscriber);
        } else {
            inside.each.insert(self.subscriber, left);
        }
    }
}

/// An IPv4 address, or the /64 that one IPv6 subscriber has at least.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(gate: &Arc<Gate>, address: &str) -> Option<Pass> {
        gate.admit(address.parse().unwrap())
    }

    #[test]
    fn a_subscriber_gets_its_share_and_no_more() {
        let gate = Arc::new(Gate::new(10, 2));
        let first = admit(&gate, "2001:db8::1");
        let second = admit(&gate, "2001:db8::2");
        assert!(first.is_some() && second.is_some());
        assert!(admit(&gate, "2001:db8::3").is_none());
        assert!(admit(&gate, "192.0.2.1").is_some());
        drop(first);
        assert!(admit(&gate, "2001:db8::3").is_some());
    }

    #[test]
    fn all_together_get_no_more_than_there_are_places() {
        let gate = Arc::new(Gate::new(2, 2));
        let inside = [admit(&gate, "192.0.2.1"), admit(&gate, "192.0.2.2")];
        assert!(admit(&gate, "192.0.2.3").is_none());
        drop(inside);
        assert!(admit(&gate, "192.0.2.3").is_some());
    }
}
