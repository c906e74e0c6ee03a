//! A limit to failures per peer.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Failures that a peer has free.
const BURST: f64 = 20.0;

/// Failures per second that it gets back.
const REFILL: f64 = 1.0;

/// Peers that are remembered. The one whose last failure is the longest ago is forgotten first.
const MAX_PEERS: usize = 10_000;

/// Remembers who failed of late.
#[derive(Default)]
pub(super) struct Limiter(Mutex<Peers>);

#[derive(Default)]
struct Peers {
    buckets: HashMap<IpAddr, Bucket>,
    /// Peers by their last failure, the number of which is in their bucket.
    order: BTreeMap<u64, IpAddr>,
    failures: u64,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
    last: u64,
}

impl Bucket {
    fn left(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.left + since * REFILL).min(BURST)
    }
}

impl Limiter {
    /// Returns how long `peer` has to wait, if it has to.
    pub(super) fn check(&self, peer: IpAddr, now: Instant) -> Result<(), Duration> {
        let peers = self.peers();
        let bucket = peers.buckets.get(&network(peer));
        match bucket.map_or(BURST, |bucket| bucket.left(now)) {
            left if left >= 1.0 => Ok(()),
            left => Err(Duration::from_secs_f64((1.0 - left) / REFILL)),
        }
    }

    /// Counts a failure of `peer`.
    pub(super) fn failed(&self, peer: IpAddr, now: Instant) {
        let mut peers = self.peers();
        let peers = &mut *peers;
        let peer = network(peer);
        let last = peers.failures;
        peers.failures += 1;
        let before = peers.buckets.get(&peer).copied();
        if let Some(before) = before {
            peers.order.remove(&before.last);
        } else if peers.buckets.len() >= MAX_PEERS
            && let Some((_, oldest)) = peers.order.pop_first()
        {
            peers.buckets.remove(&oldest);
        }
        let left = before.map_or(BURST, |bucket| bucket.left(now));
        let left = (left - 1.0).max(0.0);
        peers.buckets.insert(
            peer,
            Bucket {
                left,
                at: now,
                last,
            },
        );
        peers.order.insert(last, peer);
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peers = self.peers().buckets.len();
        f.debug_struct("Limiter").field("peers", &peers).finish()
    }
}

/// One customer of an IPv6 provider has at least 2^64 addresses
/// ([RFC 6177](https://www.rfc-editor.org/rfc/rfc6177)), which count as one.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, Ipv4Addr},
        time::{Duration, Instant},
    };

    use super::{Limiter, MAX_PEERS};

    const SECOND: Duration = Duration::from_secs(1);

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn exhausted(address: &str, now: Instant) -> Limiter {
        let limiter = Limiter::default();
        for _ in 0..20 {
            assert_eq!(limiter.check(peer(address), now), Ok(()));
            limiter.failed(peer(address), now);
        }
        limiter
    }

    #[test]
    fn the_twenty_first_failure_waits_and_one_a_second_is_free_again() {
        let now = Instant::now();
        let limiter = exhausted("203.0.113.7", now);

        assert_eq!(limiter.check(peer("203.0.113.7"), now), Err(SECOND));
        assert_eq!(limiter.check(peer("203.0.113.8"), now), Ok(()));
        let later = now + SECOND;
        assert_eq!(limiter.check(peer("203.0.113.7"), later), Ok(()));
        limiter.failed(peer("203.0.113.7"), later);
        assert_eq!(limiter.check(peer("203.0.113.7"), later), Err(SECOND));
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let now = Instant::now();
        let limiter = exhausted("2001:db8:0:1::1", now);

        assert!(limiter.check(peer("2001:db8:0:1:ffff::2"), now).is_err());
        assert_eq!(limiter.check(peer("2001:db8:0:2::1"), now), Ok(()));
        let limiter = exhausted("::ffff:203.0.113.7", now);
        assert!(limiter.check(peer("203.0.113.7"), now).is_err());
        assert_eq!(limiter.check(peer("203.0.113.8"), now), Ok(()));
    }

    #[test]
    fn the_oldest_peer_is_forgotten_first() {
        let now = Instant::now();
        let limiter = exhausted("203.0.113.7", now);
        let addresses = 0..u32::try_from(MAX_PEERS).unwrap() + 500;
        for address in addresses {
            limiter.failed(Ipv4Addr::from_bits(address).into(), now);
        }

        let peers = limiter.peers();
        assert_eq!(peers.buckets.len(), MAX_PEERS);
        assert_eq!(peers.order.len(), MAX_PEERS);
        assert!(!peers.buckets.contains_key(&peer("203.0.113.7")));
        assert!(!peers.buckets.contains_key(&peer("0.0.1.0")));
        assert!(peers.buckets.contains_key(&peer("0.0.39.0")));
    }
}
