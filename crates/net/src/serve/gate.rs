//! How many connections there may be, in all and of one subscriber.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Subscriber;

/// Idle connections give way when fewer than one in so many places are free.
const CROWDED_WHEN_FREE_IS_ONE_IN: usize = 5;

/// Counts connections on all listeners of a server.
#[derive(Debug)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    places_max: usize,
    each_max: usize,
    subscribers: Mutex<HashMap<Subscriber, usize>>,
}

/// The right to be connected, until it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    _place: Place,
    _count: Option<Count>,
}

/// One of all places, not yet anyone's.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "dropping it is its use")] OwnedSemaphorePermit);

#[derive(Debug)]
struct Count {
    gate: Arc<Gate>,
    subscriber: Subscriber,
}

/// Whether a subscriber is one among many, or a proxy that brings many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Client,
    TrustedProxy,
}

impl Gate {
    pub(super) fn new(places_max: usize, each_max: usize) -> Self {
        let places_max = places_max.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(places_max));
        Self { places, places_max, each_max, subscribers: Mutex::default() }
    }

    /// Waits for a place. Clients beyond the cap wait in the system's queue, where they cost nothing.
    pub(super) async fn place(&self) -> Place {
        match Arc::clone(&self.places).acquire_owned().await {
            Ok(permit) => Place(permit),
            // Only a closed semaphore fails, and nothing closes it.
            Err(_) => std::future::pending().await,
        }
    }

    /// Lets an address in, unless its subscriber has enough connections.
    pub(super) fn admit(self: &Arc<Self>, place: Place, address: IpAddr, standing: Standing) -> Option<Pass> {
        if standing == Standing::TrustedProxy {
            return Some(Pass { _place: place, _count: None });
        }
        let subscriber = Subscriber::of(address);
        let mut subscribers = self.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = subscribers.get(&subscriber).copied().unwrap_or(0);
        if count >= self.each_max {
            return None;
        }
        subscribers.insert(subscriber, count + 1);
        Some(Pass { _place: place, _count: Some(Count { gate: Arc::clone(self), subscriber }) })
    }

    /// Whether idle connections should give way to new ones.
    pub(super) fn is_crowded(&self) -> bool {
        self.places.available_permits() < self.places_max.div_ceil(CROWDED_WHEN_FREE_IS_ONE_IN)
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        let mut subscribers = self.gate.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = subscribers.entry(self.subscriber) {
            *entry.get_mut() -= 1;
            // Without this the map would keep every address that ever came.
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn enter(gate: &Arc<Gate>, address: &str, standing: Standing) -> Option<Pass> {
        gate.admit(gate.place().await, address.parse().unwrap(), standing)
    }

    #[tokio::test]
    async fn a_subscriber_gets_its_share_and_no_more() {
        let gate = Arc::new(Gate::new(100, 2));
        let first = enter(&gate, "2001:db8::1", Standing::Client).await;
        let second = enter(&gate, "2001:db8::2", Standing::Client).await;
        assert!(first.is_some() && second.is_some());
        assert!(enter(&gate, "2001:db8::3", Standing::Client).await.is_none());
        assert!(enter(&gate, "2001:db8:0:1::1", Standing::Client).await.is_some());
        drop(first);
        assert!(enter(&gate, "2001:db8::3", Standing::Client).await.is_some());
    }

    #[tokio::test]
    async fn a_trusted_proxy_brings_as_many_as_there_are_places() {
        let gate = Arc::new(Gate::new(3, 1));
        let mut inside = Vec::new();
        for _ in 0..3 {
            inside.push(enter(&gate, "10.0.0.1", Standing::TrustedProxy).await);
        }
        assert!(inside.iter().all(Option::is_some));
        assert_eq!(gate.places.available_permits(), 0);
    }

    #[tokio::test]
    async fn who_left_is_forgotten() {
        let gate = Arc::new(Gate::new(100, 2));
        let passes = [
            enter(&gate, "192.0.2.1", Standing::Client).await,
            enter(&gate, "192.0.2.2", Standing::Client).await,
        ];
        assert_eq!(gate.subscribers.lock().unwrap().len(), 2);
        drop(passes);
        assert!(gate.subscribers.lock().unwrap().is_empty());
        assert_eq!(gate.places.available_permits(), 100);
    }

    #[tokio::test]
    async fn the_gate_is_crowded_before_it_is_full() {
        let gate = Arc::new(Gate::new(10, 100));
        let mut inside = Vec::new();
        for _ in 0..8 {
            inside.push(enter(&gate, "192.0.2.1", Standing::Client).await);
        }
        assert!(!gate.is_crowded());
        inside.push(enter(&gate, "192.0.2.1", Standing::Client).await);
        assert!(gate.is_crowded());
    }
}
