//! How much is kept and sent at once, and whether that can work.

use std::time::Duration;

use super::super::ConfigError;
use super::TelemetryBuilder;

impl TelemetryBuilder {
    /// Records the queue holds at most; further ones are dropped and counted as `queue_full`. Default
    /// [`DEFAULT_QUEUE_RECORDS`](Self::DEFAULT_QUEUE_RECORDS); from 1 to 16,777,216.
    pub fn queue_records(mut self, n: usize) -> Self {
        self.queue_records = n;
        self
    }

    /// Bytes the queue holds at most, and each exporter's outbox; what does not fit is dropped and counted as
    /// `queue_bytes`. Default [`DEFAULT_QUEUE_BYTES`](Self::DEFAULT_QUEUE_BYTES); from 64 KiB to 16 GiB.
    pub fn queue_bytes(mut self, n: usize) -> Self {
        self.queue_bytes = n;
        self
    }

    /// Records that close a batch. Default `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 512; from 1.
    pub fn batch_records(mut self, n: usize) -> Self {
        self.batch.records = Some(n);
        self
    }

    /// Bytes that close a batch. Default [`DEFAULT_BATCH_BYTES`](Self::DEFAULT_BATCH_BYTES); from 1 KiB to 4,000,000, what
    /// gRPC receivers take.
    pub fn batch_bytes(mut self, n: usize) -> Self {
        self.batch.bytes = n;
        self
    }

    /// Age that closes a batch. Default `OTEL_BSP_SCHEDULE_DELAY`, else 200 ms; up to an hour.
    pub fn batch_delay(mut self, age: Duration) -> Self {
        self.batch.delay = Some(age);
        self
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let out = |setting, value: String, expected| {
            Err(ConfigError::OutOfRange {
                setting,
                value,
                expected,
            })
        };
        let batch = &self.batch;
        match () {
            () if !(1..=1 << 24).contains(&self.queue_records) => out(
                "queue_records",
                self.queue_records.to_string(),
                "from 1 to 16777216",
            ),
            () if !(64 << 10..=16 << 30).contains(&self.queue_bytes) => out(
                "queue_bytes",
                self.queue_bytes.to_string(),
                "from 65536 (64 KiB) to 17179869184 (16 GiB)",
            ),
            () if batch.records == Some(0) => out("batch_records", "0".into(), "at least 1"),
            () if !(1024..=4_000_000).contains(&batch.bytes) => out(
                "batch_bytes",
                batch.bytes.to_string(),
                "from 1024 to 4000000",
            ),
            () if batch
                .delay
                .is_some_and(|age| age > Duration::from_secs(3600)) =>
            {
                out(
                    "batch_delay",
                    format!("{:?}", batch.delay.unwrap_or_default()),
                    "at most an hour",
                )
            }
            () => Ok(()),
        }
    }
}
