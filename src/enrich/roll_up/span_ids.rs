//! A hash for maps whose keys are span ids.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Hashes span ids, which are random already: one multiplication spreads them over the table, and a seed of this
/// process's own keeps ids chosen by somebody else from falling together. Several look-ups are made for every span
/// that ends, so the standard hash, which guards against far more, is not worth its time here.
#[derive(Debug, Clone)]
pub(super) struct SpanIds {
    seed: u64,
}

impl Default for SpanIds {
    fn default() -> Self {
        Self {
            seed: RandomState::new().hash_one(0_u8) | 1,
        }
    }
}

impl BuildHasher for SpanIds {
    type Hasher = SpanIdHasher;

    fn build_hasher(&self) -> SpanIdHasher {
        SpanIdHasher {
            seed: self.seed,
            hash: 0,
        }
    }
}

pub(super) struct SpanIdHasher {
    seed: u64,
    hash: u64,
}

impl Hasher for SpanIdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The high half of the product depends on every bit of the id, the low half only on bits further down.
        let product = u128::from(number ^ self.hash ^ self.seed) * u128::from(self.seed);
        self.hash = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}
