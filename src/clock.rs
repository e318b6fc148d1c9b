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

/// Nanoseconds since the instance's origin. Zero means "never".
pub(crate) type Nanos = u64;

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
        // One nanosecond of head start keeps zero free for "never".
        let clock = Self::System {
            origin: Instant::now() - Duration::from_nanos(1),
            wall: Arc::new(AtomicU64::new(0)),
        };
        clock.anchor();
        clock
    }

    /// Starts at 2025-01-01T00:00:00Z and moves on by `step` at every reading.
    pub(crate) fn fixed(step: Duration) -> Self {
        Self::Fixed {
            now: Arc::new(AtomicU64::new(1)),
            step: step.as_nanos() as u64,
        }
    }

    pub(crate) fn now(&self) -> Nanos {
        match self {
            Self::System { origin, .. } => origin.elapsed().as_nanos() as u64,
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
            Self::System { wall, .. } => wall.load(Ordering::Relaxed).saturating_add(at),
            Self::Fixed { .. } => FIXED_EPOCH.saturating_add(at.saturating_sub(1)),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

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
