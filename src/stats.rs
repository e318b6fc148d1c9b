//! The books: what came in, what went out, what was lost and why.
//!
//! Promise: everything that is dropped anywhere passes through [`Books::lose`] with a reason from a closed set, so that
//! `accepted = delivered + rejected + Σ dropped(reason) + pending` can be checked per signal.
//! Never: resets a number while the process lives.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why something was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Loss {
    /// The queue to the telemetry thread held its limit of records.
    QueueFull,
    /// The queue to the telemetry thread, or an exporter's outbox, held its limit of bytes.
    QueueBytes,
    /// One record alone was larger than a request may be.
    TooLarge,
    /// The record could not be encoded.
    Encode,
    /// The receiver refused the request for good (HTTP 4xx and the like).
    Permanent,
    /// The receiver stayed away for as long as a batch is kept in memory.
    RetryExhausted,
    /// The spool held its limit of bytes.
    SpoolFull,
    /// It was damaged in the spool.
    SpoolCorrupt,
    /// It was in the spool for longer than batches are kept there.
    SpoolExpired,
    /// The application deleted what waited.
    Purged,
    /// The receiver does not take this signal (HTTP 404 or 405, gRPC `UNIMPLEMENTED`).
    RefusedSignal,
    /// A user's hook or exporter panicked or failed.
    Hook,
    /// Shutting down took longer than allowed.
    ShutdownTimeout,
    /// It was emitted after `shutdown`.
    AfterShutdown,
    /// A span was written to after it had ended.
    RecordAfterEnd,
    /// An attribute, event or link beyond the span's limits.
    SpanLimits,
    /// A file or database could not be written.
    Write,
    /// An identical event was in the window of [`dedupe`](crate::TelemetryBuilder::dedupe).
    Duplicate,
    /// A rule or hook of the redactor failed on a value, which was replaced by `[REDACTED:error]`.
    Redaction,
}

impl Loss {
    /// Every reason, in the order the books keep them.
    pub const ALL: [Self; 19] = [
        Self::QueueFull,
        Self::QueueBytes,
        Self::TooLarge,
        Self::Encode,
        Self::Permanent,
        Self::RetryExhausted,
        Self::SpoolFull,
        Self::SpoolCorrupt,
        Self::SpoolExpired,
        Self::Purged,
        Self::RefusedSignal,
        Self::Hook,
        Self::ShutdownTimeout,
        Self::AfterShutdown,
        Self::RecordAfterEnd,
        Self::SpanLimits,
        Self::Write,
        Self::Duplicate,
        Self::Redaction,
    ];

    /// The reason as reports and metrics print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::QueueBytes => "queue_bytes",
            Self::TooLarge => "too_large",
            Self::Encode => "encode",
            Self::Permanent => "permanent",
            Self::RetryExhausted => "retry_exhausted",
            Self::SpoolFull => "spool_full",
            Self::SpoolCorrupt => "spool_corrupt",
            Self::SpoolExpired => "spool_expired",
            Self::Purged => "purged",
            Self::RefusedSignal => "refused_signal",
            Self::Hook => "hook",
            Self::ShutdownTimeout => "shutdown_timeout",
            Self::AfterShutdown => "after_shutdown",
            Self::RecordAfterEnd => "record_after_end",
            Self::SpanLimits => "span_limits",
            Self::Write => "write_failed",
            Self::Duplicate => "duplicate",
            Self::Redaction => "redaction",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One outlet's books: counted from any thread.
#[derive(Debug, Default)]
pub(crate) struct Books {
    accepted: AtomicU64,
    delivered: AtomicU64,
    dropped: [AtomicU64; Loss::ALL.len()],
}

impl Books {
    pub(crate) fn accept(&self, n: u64) {
        self.accepted.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn deliver(&self, n: u64) {
        self.delivered.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn lose(&self, why: Loss, n: u64) {
        self.dropped[why as usize].fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self, why: Loss) -> u64 {
        self.dropped[why as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn read(&self) -> Tally {
        // What went out is read before what came in, so that `pending` is never short.
        let delivered = self.delivered.load(Ordering::Acquire);
        let dropped: BTreeMap<_, _> = Loss::ALL
            .into_iter()
            .map(|why| (why, self.lost(why)))
            .filter(|(_, n)| *n > 0)
            .collect();
        let accepted = self.accepted.load(Ordering::Acquire);
        let settled = delivered + dropped.values().sum::<u64>();
        Tally {
            accepted,
            delivered,
            rejected: 0,
            recovered: 0,
            stored: 0,
            pending: accepted.saturating_sub(settled),
            dropped,
        }
    }
}

/// What became of everything one outlet was given, since the start.
///
/// `accepted = delivered + rejected + Σ dropped + pending` always holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// What the outlet was given.
    pub accepted: u64,
    /// What the receiver confirmed.
    pub delivered: u64,
    /// What the receiver took note of and refused (OTLP partial success).
    pub rejected: u64,
    /// What is still on its way.
    pub pending: u64,
    /// Of what is still on its way, what a [spool](crate::TelemetryBuilder::spool) holds: it survives this process.
    pub stored: u64,
    /// Of what was given, what earlier processes had left in the spool.
    pub recovered: u64,
    /// What was lost, by reason; reasons that never happened are left out.
    pub dropped: BTreeMap<Loss, u64>,
}

impl Tally {
    /// The sum of all losses.
    pub fn total_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Whether every record given is accounted for: `accepted = delivered + rejected + Σ dropped + pending`. A `false` is a defect
    /// of this crate.
    pub fn is_balanced(&self) -> bool {
        self.accepted == self.delivered + self.rejected + self.total_dropped() + self.pending
    }

    /// Whether everything given was delivered.
    pub fn is_complete(&self) -> bool {
        self.delivered == self.accepted
    }
}

impl fmt::Display for Tally {
    /// `12 delivered`, and only where there is something to say: `, 1 rejected, 3 dropped (queue_full 3), 2 pending`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} delivered", self.delivered)?;
        if self.rejected > 0 {
            write!(f, ", {} rejected", self.rejected)?;
        }
        if !self.dropped.is_empty() {
            write!(f, ", {} dropped (", self.total_dropped())?;
            for (i, (why, n)) in self.dropped.iter().enumerate() {
                let comma = if i > 0 { ", " } else { "" };
                write!(f, "{comma}{why} {n}")?;
            }
            f.write_str(")")?;
        }
        if self.pending > 0 {
            write!(f, ", {} pending", self.pending)?;
        }
        if self.stored > 0 {
            write!(f, " ({} in the spool)", self.stored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_balance_and_say_so_in_words() {
        let books = Books::default();
        books.accept(10);
        books.deliver(4);
        books.lose(Loss::QueueFull, 2);
        books.lose(Loss::Permanent, 1);
        let tally = books.read();
        assert_eq!(tally.pending, 3);
        assert_eq!(
            tally.to_string(),
            "4 delivered, 3 dropped (queue_full 2, permanent 1), 3 pending"
        );
        assert!(tally.is_balanced() && !tally.is_complete());
        books.deliver(9);
        assert!(!books.read().is_balanced(), "more went out than came in");
    }

    #[test]
    fn every_reason_has_its_own_row_and_word() {
        for (i, why) in Loss::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, i);
        }
        let words: std::collections::BTreeSet<_> =
            Loss::ALL.into_iter().map(Loss::as_str).collect();
        assert_eq!(words.len(), Loss::ALL.len());
    }
}
