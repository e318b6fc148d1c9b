//! How long to wait before a batch is tried again.
//!
//! Promise: the bound doubles from [`Backoff::initial`] to [`Backoff::max`], the wait is anywhere below
//! it ("full jitter", so that many processes do not return at once), and never less than what the receiver
//! asked for. Never: sleeps.

use std::time::Duration;

pub(crate) use crate::export::jitter::Jitter;

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

    proptest! {
        #[test]
        fn the_wait_keeps_to_its_bounds(failures: u32, floor in proptest::option::of(0_u64..400), seed: u64) {
            let backoff = Backoff::default();
            let floor = floor.map(Duration::from_secs);
            let wait = backoff.wait(failures, floor, &mut Jitter::seeded(seed));
            match floor {
                None => prop_assert!(wait <= backoff.bound(failures)),
                Some(floor) => prop_assert!(wait >= floor && wait <= floor + backoff.initial),
            }
            prop_assert!(backoff.bound(failures) <= backoff.bound(failures.saturating_add(1)));
        }
    }
}
