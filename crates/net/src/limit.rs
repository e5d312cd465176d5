//! How often someone may do something: token buckets in bounded memory.
//!
//! A bucket is one number, the time at which it will be full again (the generic cell rate
//! algorithm), kept in a set-associative table like a processor's cache: a key has eight places
//! and no others. When all are taken, the bucket that is nearest to full gives way, so memory
//! never grows, no call ever sweeps, and a flood of new keys forgets the harmless ones first.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use kernel::{Entropy, Span, Timestamp};

use crate::Subscriber;

/// With [`WAYS`] buckets of 16 bytes each: about 32,000 keys in half a MiB.
const SETS: usize = 4096;
const WAYS: usize = 8;

/// One kind of act that is limited: `burst` at once, and as many again over every `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Keeps the same key in two buckets apart.
    pub name: &'static str,
    /// How many at once; 0 refuses everything.
    pub burst: u32,
    /// In what time an empty bucket is full again.
    pub per: Span,
}

/// Whom a limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a>(Kind<'a>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind<'a> {
    Address(Subscriber),
    Name(&'a str),
    Both(Subscriber, &'a str),
}

impl<'a> Key<'a> {
    /// The subscriber behind an address: an IPv4 address, or an IPv6 /64.
    pub fn address(address: IpAddr) -> Self {
        Self(Kind::Address(Subscriber::of(address)))
    }

    /// Anything that has a name: an account, an order, an e-mail address.
    pub const fn name(name: &'a str) -> Self {
        Self(Kind::Name(name))
    }

    /// A name as tried from one subscriber: so that an attacker cannot lock an account for its owner.
    pub fn name_from(name: &'a str, address: IpAddr) -> Self {
        Self(Kind::Both(Subscriber::of(address), name))
    }
}

/// Not now; the `Retry-After` header says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests; try again in {seconds} seconds")]
pub struct RetryAfter {
    /// Whole seconds, at least 1.
    pub seconds: u32,
}

/// The buckets of all keys, in memory that never grows.
pub struct RateLimiter {
    /// Unknown to clients, so that nobody can choose keys that fall into one set.
    seed: [u8; 16],
    sets: Box<[Mutex<[Place; WAYS]>]>,
}

/// `full_at` in the past means a full bucket, which is the same as no bucket.
#[derive(Debug, Clone, Copy)]
struct Place {
    print: u64,
    full_at: i64,
}

const FREE: Place = Place { print: 0, full_at: i64::MIN };

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiter").finish_non_exhaustive()
    }
}

impl RateLimiter {
    /// A limiter in which nobody has done anything yet.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut seed = [0; 16];
        entropy.fill(&mut seed);
        Self { seed, sets: (0..SETS).map(|_| Mutex::new([FREE; WAYS])).collect() }
    }

    /// Takes one token, or tells when there will be one. A refusal costs the key nothing.
    ///
    /// # Errors
    /// When the bucket of this key is empty.
    pub fn check(&self, bucket: &Bucket, key: Key<'_>, now: Timestamp) -> Result<(), RetryAfter> {
        let print = self.print(bucket, key);
        let Some(set) = usize::try_from(print).ok().and_then(|print| self.sets.get(print % SETS)) else {
            return Ok(());
        };
        let mut places = set.lock().unwrap_or_else(PoisonError::into_inner);
        let known = places.iter().position(|place| place.print == print);
        let Some(place) = (match known {
            Some(index) => places.get_mut(index),
            None => places.iter_mut().min_by_key(|place| place.full_at),
        }) else {
            return Ok(());
        };
        let full_at = if known.is_some() { place.full_at } else { i64::MIN };
        let full_at = bucket.take(full_at, now)?;
        *place = Place { print, full_at };
        Ok(())
    }

    fn print(&self, bucket: &Bucket, key: Key<'_>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, bucket.name, key).hash(&mut hasher);
        // 0 is the print of a free place.
        hasher.finish().max(1)
    }
}

impl Bucket {
    /// When the bucket will be full again after one more token was taken from it.
    fn take(&self, full_at: i64, now: Timestamp) -> Result<i64, RetryAfter> {
        let now = now.as_micros();
        if self.burst == 0 {
            return Err(retry_after(self.per.as_micros()));
        }
        let burst = i64::from(self.burst);
        let each = (self.per.as_micros() / burst).max(1);
        let capacity = each.saturating_mul(burst);
        let after = full_at.max(now).saturating_add(each);
        let missing = after.saturating_sub(now).saturating_sub(capacity);
        if missing > 0 { Err(retry_after(missing)) } else { Ok(after) }
    }
}

/// Rounded up: a client that waits exactly so long is served.
fn retry_after(micros: i64) -> RetryAfter {
    let seconds = micros.saturating_add(999_999).div_euclid(1_000_000);
    RetryAfter { seconds: u32::try_from(seconds.max(1)).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use kernel::{Clock, ManualClock, SeededEntropy};

    use super::*;

    const LOGIN: Bucket = Bucket { name: "login", burst: 3, per: Span::seconds(30) };
    const RESEND: Bucket = Bucket { name: "resend", burst: 1, per: Span::seconds(1) };
    const ALICE: Key<'static> = Key::name("alice@example.com");

    struct Bench {
        limiter: RateLimiter,
        clock: ManualClock,
    }

    impl Bench {
        fn new() -> Self {
            let clock = ManualClock::at(Timestamp::from_seconds(1_800_000_000));
            Self { limiter: RateLimiter::new(&SeededEntropy::new(7)), clock }
        }

        fn check(&self, bucket: &Bucket, key: Key<'_>) -> Result<(), u32> {
            self.limiter.check(bucket, key, self.clock.now()).map_err(|wait| wait.seconds)
        }
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_for_every_share_of_the_time() {
        let t = Bench::new();
        assert_eq!([(); 5].map(|()| t.check(&LOGIN, ALICE)), [Ok(()), Ok(()), Ok(()), Err(10), Err(10)]);
        t.clock.advance(Span::seconds(4));
        assert_eq!(t.check(&LOGIN, ALICE), Err(6));
        t.clock.advance(Span::seconds(6));
        assert_eq!([(); 2].map(|()| t.check(&LOGIN, ALICE)), [Ok(()), Err(10)]);
    }

    #[test]
    fn a_bucket_holds_no_more_than_its_burst_however_long_it_rests() {
        let t = Bench::new();
        t.check(&LOGIN, ALICE).unwrap();
        t.clock.advance(Span::days(400));
        assert_eq!([(); 4].map(|()| t.check(&LOGIN, ALICE)), [Ok(()), Ok(()), Ok(()), Err(10)]);
    }

    #[test]
    fn a_wait_is_rounded_up_to_whole_seconds() {
        let t = Bench::new();
        t.check(&RESEND, ALICE).unwrap();
        t.clock.advance(Span::micros(999_999));
        assert_eq!(t.check(&RESEND, ALICE), Err(1));
        t.clock.advance(Span::micros(1));
        assert_eq!(t.check(&RESEND, ALICE), Ok(()));
    }

    #[test]
    fn names_buckets_and_networks_do_not_touch_each_other() {
        let t = Bench::new();
        let home = "192.0.2.1".parse().unwrap();
        t.check(&RESEND, ALICE).unwrap();
        assert_eq!(t.check(&RESEND, Key::name("bob@example.com")), Ok(()));
        assert_eq!(t.check(&LOGIN, ALICE), Ok(()));
        assert_eq!(t.check(&RESEND, Key::address(home)), Ok(()));
        assert_eq!(t.check(&RESEND, Key::name_from("alice@example.com", home)), Ok(()));
        assert_eq!(t.check(&RESEND, ALICE), Err(1));
    }

    #[test]
    fn an_ipv6_subscriber_cannot_hop_within_its_64() {
        let t = Bench::new();
        t.check(&RESEND, Key::address("2001:db8::1".parse().unwrap())).unwrap();
        assert_eq!(t.check(&RESEND, Key::address("2001:db8::dead:beef".parse().unwrap())), Err(1));
        assert_eq!(t.check(&RESEND, Key::address("2001:db8:0:1::1".parse().unwrap())), Ok(()));
    }

    #[test]
    fn a_bucket_of_none_refuses_everything() {
        let t = Bench::new();
        let closed = Bucket { name: "closed", burst: 0, per: Span::minutes(1) };
        assert_eq!(t.check(&closed, ALICE), Err(60));
    }

    #[test]
    fn a_flood_of_new_keys_does_not_make_room_for_an_exhausted_one() {
        let t = Bench::new();
        (0..3).for_each(|_| t.check(&LOGIN, ALICE).unwrap());
        let strangers = 5 * SETS * WAYS;
        (0..strangers).for_each(|n| t.check(&LOGIN, Key::name(&n.to_string())).unwrap_or(()));
        assert_eq!(t.check(&LOGIN, ALICE), Err(10));
    }
}
