//! Whether an installation records, and from which level: read at every call site, changed at run time.
//!
//! Promise: reading is one relaxed load; what is off costs a call site nothing more than that, and nothing at all where no
//! other layer wants it. Never: ends or forgets a span that is open.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tracing::level_filters::LevelFilter;

/// From `OFF` to `TRACE`, by their number.
const LEVELS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

fn number(level: LevelFilter) -> u8 {
    LEVELS.iter().position(|one| *one == level).unwrap_or(0) as u8
}

fn level(number: u8) -> LevelFilter {
    LEVELS
        .get(usize::from(number))
        .copied()
        .unwrap_or(LevelFilter::OFF)
}

#[derive(Debug)]
pub(crate) struct Switch {
    on: AtomicBool,
    level: AtomicU8,
    /// The level that call sites see: `OFF` while the switch is off.
    seen: AtomicU8,
}

impl Switch {
    pub(crate) fn new(on: bool, max: LevelFilter) -> Self {
        let seen = if on { max } else { LevelFilter::OFF };
        Self {
            on: AtomicBool::new(on),
            level: AtomicU8::new(number(max)),
            seen: AtomicU8::new(number(seen)),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// The most verbose level that is recorded now.
    #[inline]
    pub(crate) fn seen(&self) -> LevelFilter {
        level(self.seen.load(Ordering::Relaxed))
    }

    /// Turns it on or off, and says whether it was the other way before.
    pub(crate) fn turn(&self, on: bool) -> bool {
        let was = self.on.swap(on, Ordering::AcqRel);
        self.show();
        was != on
    }

    /// Changes the level.
    pub(crate) fn set_level(&self, max: LevelFilter) {
        self.level.store(number(max), Ordering::Relaxed);
        self.show();
    }

    fn show(&self) {
        let seen = if self.is_on() {
            self.level.load(Ordering::Relaxed)
        } else {
            0
        };
        if self.seen.swap(seen, Ordering::Relaxed) != seen {
            // `tracing` keeps the most verbose level anybody wants: that is what makes disabled call sites free.
            tracing::callsite::rebuild_interest_cache();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_its_number_and_off_hides_the_level_without_forgetting_it() {
        for one in LEVELS {
            assert_eq!(level(number(one)), one);
        }
        let switch = Switch::new(true, LevelFilter::DEBUG);
        assert!(switch.turn(false) && !switch.turn(false));
        assert_eq!(switch.seen(), LevelFilter::OFF);
        switch.set_level(LevelFilter::WARN);
        assert_eq!(switch.seen(), LevelFilter::OFF);
        assert!(switch.turn(true));
        assert_eq!(switch.seen(), LevelFilter::WARN);
    }
}
