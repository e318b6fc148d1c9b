//! What `drain` and `shutdown` tell.

use std::fmt;

/// How far a queue has come, from [`Reporting::drain`](super::Reporting::drain). The numbers are since the start; those by reason
/// are in [`Reporting::stats`](super::Reporting::stats).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it says what did not arrive"]
pub struct DrainReport {
    /// Events the reporter took.
    pub delivered: u64,
    /// Events that were not for the receiver.
    pub skipped: u64,
    /// Events that were lost.
    pub dropped: u64,
    /// Events published before the call that are still on their way.
    pub left: u64,
    /// Whether there are none of them.
    pub in_time: bool,
}

impl fmt::Display for DrainReport {
    /// `12 delivered`, and only where there is something to say: `, 3 skipped, 1 dropped, 2 left`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} delivered", self.delivered)?;
        let more = [
            (self.skipped, "skipped"),
            (self.dropped, "dropped"),
            (self.left, "left"),
        ];
        for (n, what) in more.into_iter().filter(|(n, _)| *n > 0) {
            write!(f, ", {n} {what}")?;
        }
        Ok(())
    }
}
