//! How long to wait before a batch is tried again.
//!
//! Promise: the bound doubles from [`Backoff::initial`] to [`Backoff::max`], the wait is anywhere below
//! it ("full jitter", so that many processes do not return at once), and never less than what the receiver
//! asked for. Never: sleeps.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// The bounds of the wait between two tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first wait. Default 500 ms: half of it is a useless burst against a receiver that
    /// restarts, double delays the recovery from a lost packet.
    pub initial: Duration,
    /// The bound of all later waits. Default 30 s: how long a recovered receiver may stay unnoticed.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff {
            initial: Duration::from_millis(500),
            max: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The bound of the wait after the `failures`-th failure in a row, counted from 1.
    pub(crate) fn bound(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.initial.saturating_mul(1 << doublings).min(self.max)
    }

    /// The wait. What the receiver asked for is a floor, and the jitter comes on top of it.
    pub(crate) fn wait(
        &self,
        failures: u32,
        floor: Option<Duration>,
        jitter: &mut Jitter,
    ) -> Duration {
        match floor {
            Some(floor) => floor.saturating_add(jitter.below(self.initial.min(self.max))),
            None => jitter.below(self.bound(failures)),
        }
    }
}

/// A source of even chance. Not for secrets.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new() -> Jitter {
        // The standard library's hasher keys are random for each process and each instance.
        Jitter(RandomState::new().hash_one(0_u8))
    }

    /// A duration from zero to just below `bound`.
    fn below(&mut self, bound: Duration) -> Duration {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // 53 bits are what a double holds exactly.
        bound.mul_f64((z >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bound_doubles_from_half_a_second_to_thirty_seconds() {
        let bounds: Vec<_> = (1..=9)
            .map(|n| Backoff::default().bound(n).as_millis())
            .collect();
        assert_eq!(
            bounds,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        assert_eq!(Backoff::default().bound(u32::MAX), Duration::from_secs(30));
    }

    #[test]
    fn the_jitter_uses_the_whole_range() {
        let mut jitter = Jitter::new();
        let second = Duration::from_secs(1);
        let draws: Vec<_> = (0..1000).map(|_| jitter.below(second)).collect();
        assert!(draws.iter().min().unwrap() < &Duration::from_millis(50));
        assert!(draws.iter().max().unwrap() > &Duration::from_millis(950));
        assert_eq!(jitter.below(Duration::ZERO), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn the_wait_keeps_to_its_bounds(failures: u32, floor in proptest::option::of(0_u64..400), seed: u64) {
            let backoff = Backoff::default();
            let floor = floor.map(Duration::from_secs);
            let wait = backoff.wait(failures, floor, &mut Jitter(seed));
            match floor {
                None => prop_assert!(wait <= backoff.bound(failures)),
                Some(floor) => prop_assert!(wait >= floor && wait <= floor + backoff.initial),
            }
            prop_assert!(backoff.bound(failures) <= backoff.bound(failures.saturating_add(1)));
        }
    }
}
