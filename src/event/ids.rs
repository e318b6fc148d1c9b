//! The identity of an event: a UUID version 7, so that ids sort by time.
//!
//! Promise: unique in practice across processes (74 random bits per millisecond).
//! Never: asks the operating system for randomness more than once per thread; not a secret, not for security.

use std::{
    cell::Cell,
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of one event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(u128);

/// The text is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event id: expected 32 hexadecimal digits, with or without hyphens")]
pub struct ParseEventIdError;

impl EventId {
    /// The UUID version 7 of this millisecond since 1970 and the low 74 bits of `random`.
    ///
    /// Only the low 48 bits of `unix_ms` fit; they last until the year 10889.
    pub const fn new(unix_ms: u64, random: u128) -> Self {
        let time = (unix_ms as u128 & 0xffff_ffff_ffff) << 80;
        let high = (random >> 62) & 0xfff;
        let low = random & 0x3fff_ffff_ffff_ffff;
        Self(time | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
    }

    /// A fresh id for something that happened at `time`. Times before 1970 count as 1970.
    pub fn generate(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::new(
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            random(),
        )
    }

    /// Any 128 bits as an id, for instance one read from elsewhere.
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The millisecond since 1970 inside a version 7 id.
    pub const fn unix_ms(self) -> u64 {
        (self.0 >> 80) as u64
    }
}

/// 128 bits from two per-thread generators (SplitMix64), each seeded once from the hash keys of the standard
/// library, which the operating system supplies and which differ with every `RandomState`.
fn random() -> u128 {
    thread_local! {
        static STATE: Cell<[u64; 2]> = Cell::new([seed(), seed()]);
    }

    fn seed() -> u64 {
        RandomState::new().build_hasher().finish()
    }

    fn mix(state: u64) -> u64 {
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    let [high, low] = STATE
        .get()
        .map(|state| state.wrapping_add(0x9e37_79b9_7f4a_7c15));
    STATE.set([high, low]);
    (u128::from(mix(high)) << 64) | u128::from(mix(low))
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xffff,
            (bits >> 64) & 0xffff,
            (bits >> 48) & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = ParseEventIdError;

    fn from_str(text: &str) -> Result<Self, ParseEventIdError> {
        let bytes = text.as_bytes();
        let hyphenated = match bytes.len() {
            36 => true,
            32 => false,
            _ => return Err(ParseEventIdError),
        };
        let mut bits = 0u128;
        for (at, byte) in bytes.iter().enumerate() {
            if hyphenated && matches!(at, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return Err(ParseEventIdError);
                }
                continue;
            }
            let digit = char::from(*byte).to_digit(16).ok_or(ParseEventIdError)?;
            bits = (bits << 4) | u128::from(digit);
        }
        Ok(Self(bits))
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use super::*;

    #[test]
    fn an_id_is_a_version_7_uuid_of_its_time() {
        let id = EventId::new(0x0191_2345_6789, u128::MAX);
        assert_eq!(id.to_string(), "01912345-6789-7fff-bfff-ffffffffffff");
        assert_eq!(id.unix_ms(), 0x0191_2345_6789);
        assert_eq!(
            EventId::new(0, 0).to_string(),
            "00000000-0000-7000-8000-000000000000"
        );
    }

    #[test]
    fn ids_of_one_instant_differ_on_every_thread() {
        let at = UNIX_EPOCH + Duration::from_secs(1);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(move || {
                    (0..2_000)
                        .map(|_| EventId::generate(at))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let ids: HashSet<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(ids.len(), 8_000);
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in [
            "",
            "0",
            "01912345-6789-7fff-bfff-fffffffffffg",
            "019123456-789-7fff-bfff-ffffffffffff",
            "é",
        ] {
            assert_eq!(text.parse::<EventId>(), Err(ParseEventIdError), "{text}");
        }
        let plain = "0191234567897fffbfffffffffffffff"
            .parse::<EventId>()
            .unwrap();
        assert_eq!(plain.to_string().parse(), Ok(plain));
    }
}
