//! Chance for waits: so that many processes that failed together do not come back together.
//!
//! Never: for secrets.

use std::hash::{BuildHasher as _, RandomState};
#[cfg(feature = "otlp")]
use std::time::Duration;

/// A source of even chance.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new() -> Self {
        // The standard library's hasher keys are random for each process and each instance.
        Self(RandomState::new().hash_one(0_u8))
    }

    #[cfg(test)]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// From zero to just below one.
    pub(crate) fn fraction(&mut self) -> f64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // 53 bits are what a double holds exactly.
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A duration from zero to just below `bound`.
    #[cfg(feature = "otlp")]
    pub(crate) fn below(&mut self, bound: Duration) -> Duration {
        bound.mul_f64(self.fraction())
    }
}

#[cfg(all(test, feature = "otlp"))]
mod tests {
    use super::*;

    #[test]
    fn the_jitter_uses_the_whole_range() {
        let mut jitter = Jitter::new();
        let second = Duration::from_secs(1);
        let draws: Vec<_> = (0..1000).map(|_| jitter.below(second)).collect();
        assert!(draws.iter().min().unwrap() < &Duration::from_millis(50));
        assert!(draws.iter().max().unwrap() > &Duration::from_millis(950));
        assert_eq!(jitter.below(Duration::ZERO), Duration::ZERO);
    }
}
