//! The account of one signal: what was handed over and what became of it.

/// What became of one signal's records on their way to the collector.
///
/// Always `accepted == delivered + rejected + dropped() + pending`. Records are spans, log records or
/// metric data points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OtlpCounts {
    /// Handed over for sending.
    pub accepted: u64,
    /// Confirmed by the receiver.
    pub delivered: u64,
    /// Refused by the receiver within a request it otherwise took (partial success).
    pub rejected: u64,
    /// Waiting or under way.
    pub pending: u64,
    /// Of those accepted, what earlier processes had left in the spool.
    pub recovered: u64,
    /// Of those pending, what is on disk.
    pub stored: u64,
    /// Dropped because the batches waiting already hold all the memory they may.
    pub queue_bytes: u64,
    /// Dropped because the spool already holds all it may.
    pub spool_full: u64,
    /// Written to the spool, and damaged there.
    pub spool_corrupt: u64,
    /// Dropped from the spool because they became too old.
    pub spool_expired: u64,
    /// Deleted because the application asked for it.
    pub purged: u64,
    /// Dropped because the request is larger than may be sent.
    pub too_large: u64,
    /// Dropped because the receiver refused the request for good.
    pub http_permanent: u64,
    /// Dropped after having been tried for as long as batches are tried.
    pub retry_exhausted: u64,
    /// Dropped because the receiver does not take this signal at all.
    pub refused_signal: u64,
    /// Still waiting when the time for shutting down was over.
    pub shutdown_timeout: u64,
    /// Handed over after shutdown.
    pub after_shutdown: u64,
}

impl OtlpCounts {
    /// The losses by reason, under their stable names.
    pub fn losses(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            ("queue_bytes", self.queue_bytes),
            ("spool_full", self.spool_full),
            ("spool_corrupt", self.spool_corrupt),
            ("spool_expired", self.spool_expired),
            ("purged", self.purged),
            ("too_large", self.too_large),
            ("http_permanent", self.http_permanent),
            ("retry_exhausted", self.retry_exhausted),
            ("refused_signal", self.refused_signal),
            ("shutdown_timeout", self.shutdown_timeout),
            ("after_shutdown", self.after_shutdown),
        ]
        .into_iter()
    }

    /// All losses together.
    pub fn dropped(&self) -> u64 {
        self.losses().map(|(_, records)| records).sum()
    }

    /// Whether every record handed over is accounted for. A `false` is a defect of this crate.
    pub fn is_balanced(&self) -> bool {
        self.accepted == self.delivered + self.rejected + self.dropped() + self.pending
    }
}
