//! Time as the records carry it: nanoseconds on one monotonic axis, turned into wall-clock time only when something leaves.
//!
//! Promise: one clock read per reading, durations never negative whatever happens to the system's clock, and a parent
//! and its child are placed by the same anchor.
//! Never: calls `SystemTime::now` on the application's thread.
#![cfg_attr(
    not(feature = "testing"),
    allow(dead_code, reason = "the fixed clock is the test kit's")
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

// Reads the time stamp counter where the kernel trusts it as the system's clock, else the system's clock.
use fastant::Instant;

/// Nanoseconds on the instance's axis, on which the instance begins at [`ORIGIN`]. Zero means "never".
pub(crate) type Nanos = u64;

/// Where an instance's axis begins: 146 years after zero, so that events of other systems, which happened before the instance
/// was, have a place on it.
const ORIGIN: Nanos = 1 << 62;

/// Where an instance reads the time.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The machine's monotonic clock, with the wall-clock time of its origin. The counter's rate is measured once, so
    /// durations may be off by some parts in a million.
    System {
        origin: Instant,
        wall: Arc<AtomicU64>,
    },
    /// A clock that only moves when it is read or told to: for tests.
    Fixed { now: Arc<AtomicU64>, step: u64 },
}

/// What a fixed clock's axis starts from: 2025-01-01T00:00:00Z.
const FIXED_EPOCH: u64 = 1_735_689_600_000_000_000;

impl Clock {
    pub(crate) fn system() -> Self {
        Self::settable(Arc::default())
    }

    /// The system's clock, whose wall-clock time somebody else can set too.
    pub(crate) fn settable(wall: Arc<AtomicU64>) -> Self {
        let clock = Self::System {
            origin: Instant::now(),
            wall,
        };
        clock.anchor();
        clock
    }

    /// Starts at 2025-01-01T00:00:00Z and moves on by `step` at every reading.
    pub(crate) fn fixed(step: Duration) -> Self {
        Self::Fixed {
            now: Arc::new(AtomicU64::new(ORIGIN)),
            step: step.as_nanos() as u64,
        }
    }

    pub(crate) fn now(&self) -> Nanos {
        match self {
            Self::System { origin, .. } => ORIGIN + origin.elapsed().as_nanos() as u64,
            Self::Fixed { now, step } => now.fetch_add(*step, Ordering::Relaxed),
        }
    }

    /// Reads the wall clock again. Called by the telemetry thread now and then, so that a machine whose clock was set
    /// right later does not stay wrong for the life of the process.
    pub(crate) fn anchor(&self) {
        if let Self::System { origin, wall } = self {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let origin = now.saturating_sub(origin.elapsed());
            wall.store(origin.as_nanos() as u64, Ordering::Relaxed);
        }
    }

    /// A point on the axis as nanoseconds since the Unix epoch.
    pub(crate) fn unix_nanos(&self, at: Nanos) -> u64 {
        match self {
            Self::System { wall, .. } => self::unix(wall.load(Ordering::Relaxed), at),
            Self::Fixed { .. } => self::unix(FIXED_EPOCH, at),
        }
    }

    /// The point on the axis of a time told by somebody else; the nearest one that is on it.
    pub(crate) fn at(&self, time: SystemTime) -> Nanos {
        let unix = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix = u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX);
        let origin = match self {
            Self::System { wall, .. } => wall.load(Ordering::Relaxed),
            Self::Fixed { .. } => FIXED_EPOCH,
        };
        ORIGIN
            .saturating_add(unix.saturating_sub(origin))
            .saturating_sub(origin.saturating_sub(unix))
            .max(1)
    }

    pub(crate) fn system_time(&self, at: Nanos) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.unix_nanos(at))
    }

    /// Moves a fixed clock; nothing for the system's.
    #[cfg(test)]
    pub(crate) fn advance(&self, by: Duration) {
        if let Self::Fixed { now, .. } = self {
            now.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}

/// The Unix time of `at` for an axis whose origin is at the Unix time `origin`.
fn unix(origin: u64, at: Nanos) -> u64 {
    origin
        .saturating_add(at.saturating_sub(ORIGIN))
        .saturating_sub(ORIGIN.saturating_sub(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_the_instance_have_a_place_on_its_axis() {
        for clock in [Clock::system(), Clock::fixed(Duration::ZERO)] {
            for seconds in [1, 1_700_000_000, 1_735_689_600, 4_000_000_000] {
                let time = UNIX_EPOCH + Duration::new(seconds, 123);
                assert_eq!(clock.system_time(clock.at(time)), time);
            }
            assert!(clock.at(UNIX_EPOCH) > 0);
            assert!(clock.at(UNIX_EPOCH) < clock.now());
        }
    }

    #[test]
    fn an_earlier_reading_never_comes_out_later_on_the_wall() {
        let clock = Clock::system();
        let a = clock.now();
        let b = clock.now();
        assert!(a > 0 && b >= a);
        clock.anchor();
        assert!(clock.unix_nanos(b) >= clock.unix_nanos(a));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(
            wall.as_nanos()
                .abs_diff(u128::from(clock.unix_nanos(clock.now())))
                < 5_000_000_000
        );
    }

    #[test]
    fn a_fixed_clock_moves_by_its_step_only() {
        let clock = Clock::fixed(Duration::from_millis(1));
        let a = clock.unix_nanos(clock.now());
        let b = clock.unix_nanos(clock.now());
        assert_eq!((a, b - a), (FIXED_EPOCH, 1_000_000));
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.unix_nanos(clock.now()) - b, 1_001_000_000);
    }
}
