//! How long to wait before an event is tried again.

use std::time::Duration;

use crate::export::jitter::Jitter;

/// The longest time a receiver can make an event wait. A day's `Retry-After` would otherwise be a way to stop a run from outside.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// The waits between attempts: 100 ms, 200 ms, 400 ms and so on up to 30 s, each up to 15 % shorter or longer by chance.
///
/// ```
/// use std::time::Duration;
/// use tracing_genai::reporter::Backoff;
///
/// let patient = Backoff::new().initial(Duration::from_secs(1)).max(Duration::from_secs(60));
/// let exact = Backoff::new().jitter(0.0);
/// # assert_ne!(patient, exact);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "it does nothing until a queue is given it"]
pub struct Backoff {
    pub(super) initial: Duration,
    pub(super) max: Duration,
    pub(super) jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
            jitter: 0.15,
        }
    }
}

impl Backoff {
    /// The default waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first wait; each later one is twice the one before. Default 100 ms.
    pub fn initial(mut self, wait: Duration) -> Self {
        self.initial = wait;
        self
    }

    /// No wait is longer, but for what chance adds, or the receiver asks for. Default 30 s.
    pub fn max(mut self, wait: Duration) -> Self {
        // A year: no clock is left behind by doubling it.
        self.max = wait.min(Duration::from_secs(365 * 24 * 3600));
        self
    }

    /// Which part of a wait chance may add or take: from 0, none, to 1. Default 0.15.
    pub fn jitter(mut self, part: f64) -> Self {
        self.jitter = if part.is_finite() {
            part.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self
    }

    /// The wait after the `failures`-th attempt, counted from 1. What the receiver asked for is the least.
    pub(super) fn wait(
        &self,
        failures: u32,
        asked: Option<Duration>,
        chance: &mut Jitter,
    ) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let wait = self.initial.saturating_mul(1 << doublings).min(self.max);
        let wait = if self.jitter == 0.0 {
            wait // exactly: doubles are good for microseconds only
        } else {
            wait.mul_f64(1.0 + self.jitter * (2.0 * chance.fraction() - 1.0))
        };
        wait.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_waits_double_from_100_ms_up_to_30_s() {
        let exact = Backoff::new().jitter(0.0);
        let waits: Vec<_> = (1..=10)
            .map(|n| exact.wait(n, None, &mut Jitter::new()).as_millis())
            .collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]
        );
        assert_eq!(exact.wait(u32::MAX, None, &mut Jitter::new()), exact.max);
    }

    proptest! {
        #[test]
        fn chance_and_the_receiver_keep_to_their_bounds(failures: u32, asked in proptest::option::of(0_u64..1000), seed: u64) {
            let backoff = Backoff::default();
            let asked = asked.map(Duration::from_secs);
            let exact = backoff.jitter(0.0).wait(failures, None, &mut Jitter::seeded(seed));
            let wait = backoff.wait(failures, asked, &mut Jitter::seeded(seed));
            let least = exact.mul_f64(0.849).max(asked.unwrap_or_default().min(LONGEST_ASKED));
            let most = exact.mul_f64(1.151).max(asked.unwrap_or_default().min(LONGEST_ASKED));
            prop_assert!((least..=most).contains(&wait), "{wait:?} not in {least:?}..={most:?}");
        }
    }
}
