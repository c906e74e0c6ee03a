//! A limit to failures per peer.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
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

/// Somebody who is being looked at. Counts as failed when dropped: whoever hangs up gets no more guesses for it.
pub(super) struct Attempt<'a> {
    limiter: &'a Limiter,
    peer: IpAddr,
    is_forgiven: bool,
}

#[derive(Default)]
struct Peers {
    /// Attempts that nobody knows the end of yet. As many as there are requests.
    under_way: HashMap<IpAddr, u32>,
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
    /// Lets `peer` try, or returns how long it has to wait.
    ///
    /// What is under way counts as if it had failed, so that many attempts at once are as few as one after the other.
    pub(super) fn attempt(&self, peer: IpAddr, now: Instant) -> Result<Attempt<'_>, Duration> {
        let peer = network(peer);
        let mut peers = self.peers();
        let left = peers.left(peer, now);
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) / REFILL));
        }
        *peers.under_way.entry(peer).or_default() += 1;
        Ok(Attempt {
            limiter: self,
            peer,
            is_forgiven: false,
        })
    }

    fn peers(&self) -> MutexGuard<'_, Peers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// Ends it without counting it.
    pub(super) fn forgive(mut self) {
        self.is_forgiven = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut peers = self.limiter.peers();
        peers.ended(self.peer);
        if !self.is_forgiven {
            peers.failed(self.peer, Instant::now());
        }
    }
}

impl Peers {
    fn left(&self, peer: IpAddr, now: Instant) -> f64 {
        let bucket = self.buckets.get(&peer);
        let left = bucket.map_or(BURST, |bucket| bucket.left(now));
        left - f64::from(self.under_way.get(&peer).copied().unwrap_or_default())
    }

    fn ended(&mut self, peer: IpAddr) {
        if let Entry::Occupied(mut under_way) = self.under_way.entry(peer) {
            *under_way.get_mut() -= 1;
            if *under_way.get() == 0 {
                under_way.remove();
            }
        }
    }

    fn failed(&mut self, peer: IpAddr, now: Instant) {
        let last = self.failures;
        self.failures += 1;
        let before = self.buckets.get(&peer).copied();
        if let Some(before) = before {
            self.order.remove(&before.last);
        } else if self.buckets.len() >= MAX_PEERS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.buckets.remove(&oldest);
        }
        let left = before.map_or(BURST, |bucket| bucket.left(now));
        let left = (left - 1.0).max(0.0);
        let at = now;
        self.buckets.insert(peer, Bucket { left, at, last });
        self.order.insert(last, peer);
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

    use super::{Attempt, Limiter, MAX_PEERS, network};

    const SECOND: Duration = Duration::from_secs(1);

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn check(limiter: &Limiter, address: &str, now: Instant) -> Result<(), Duration> {
        limiter.attempt(peer(address), now).map(Attempt::forgive)
    }

    fn fail(limiter: &Limiter, address: impl Into<IpAddr>, now: Instant) {
        limiter.peers().failed(network(address.into()), now);
    }

    fn exhausted(address: &str, now: Instant) -> Limiter {
        let limiter = Limiter::default();
        for _ in 0..20 {
            assert_eq!(check(&limiter, address, now), Ok(()));
            fail(&limiter, peer(address), now);
        }
        limiter
    }

    #[test]
    fn attempts_under_way_count_until_they_are_forgiven() {
        let now = Instant::now();
        let limiter = Limiter::default();
        let attempt = || limiter.attempt(peer("203.0.113.7"), now);

        let all: Vec<_> = (0..20).map(|_| attempt().unwrap()).collect();
        assert_eq!(attempt().err(), Some(SECOND));
        assert_eq!(check(&limiter, "203.0.113.8", now), Ok(()));
        all.into_iter().for_each(Attempt::forgive);

        assert!((0..100).all(|_| attempt().map(Attempt::forgive).is_ok()));
        let peers = limiter.peers();
        assert!(peers.under_way.is_empty() && peers.buckets.is_empty());
    }

    #[test]
    fn whoever_hangs_up_has_failed() {
        let now = Instant::now();
        let limiter = Limiter::default();

        for _ in 0..20 {
            drop(limiter.attempt(peer("203.0.113.7"), now).unwrap());
        }

        assert!(check(&limiter, "203.0.113.7", now).is_err());
        assert!(limiter.peers().under_way.is_empty());
    }

    #[test]
    fn the_twenty_first_failure_waits_and_one_a_second_is_free_again() {
        let now = Instant::now();
        let limiter = exhausted("203.0.113.7", now);

        assert_eq!(check(&limiter, "203.0.113.7", now), Err(SECOND));
        assert_eq!(check(&limiter, "203.0.113.8", now), Ok(()));
        let later = now + SECOND;
        assert_eq!(check(&limiter, "203.0.113.7", later), Ok(()));
        fail(&limiter, peer("203.0.113.7"), later);
        assert_eq!(check(&limiter, "203.0.113.7", later), Err(SECOND));
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let now = Instant::now();
        let limiter = exhausted("2001:db8:0:1::1", now);

        assert!(check(&limiter, "2001:db8:0:1:ffff::2", now).is_err());
        assert_eq!(check(&limiter, "2001:db8:0:2::1", now), Ok(()));
        let limiter = exhausted("::ffff:203.0.113.7", now);
        assert!(check(&limiter, "203.0.113.7", now).is_err());
        assert_eq!(check(&limiter, "203.0.113.8", now), Ok(()));
    }

    #[test]
    fn the_oldest_peer_is_forgotten_first() {
        let now = Instant::now();
        let limiter = exhausted("203.0.113.7", now);
        let addresses = 0..u32::try_from(MAX_PEERS).unwrap() + 500;
        for address in addresses {
            fail(&limiter, Ipv4Addr::from_bits(address), now);
        }

        let peers = limiter.peers();
        assert_eq!(peers.buckets.len(), MAX_PEERS);
        assert_eq!(peers.order.len(), MAX_PEERS);
        assert!(!peers.buckets.contains_key(&peer("203.0.113.7")));
        assert!(!peers.buckets.contains_key(&peer("0.0.1.0")));
        assert!(peers.buckets.contains_key(&peer("0.0.39.0")));
    }
}
