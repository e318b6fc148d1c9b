//! Sending traces, logs and metrics to an OpenTelemetry collector.
//!
//! ```text
//! OtlpConfig ─ builder > environment > default ─▶ targets
//!                                                   │
//! encoded batch ─▶ sender (bounded, retries) ─▶ transport (gRPC | HTTP) ─▶ judge ─▶ counted
//! ```
//!
//! Owns the way of an encoded request body to its receiver, and the account of what became of it.
//! Promise: every record handed over is counted exactly once, as delivered, rejected, dropped with
//! a reason, or pending. Never: looks inside a body, follows a redirect, or prints a header value.
//!
//! # What leaves the process
//!
//! The bytes of the batches, the configured headers, and `user-agent: tracing-genai/<version>`.
//! Plain `http://` to another host is refused at build time unless it is allowed explicitly.
//!
//! # What can be lost
//!
//! Batches wait in memory. What is lost when the collector stays away is the newest, and it is
//! counted: see [`Report`](crate::Report). When an answer is lost on its way back, the batch is sent again, so a
//! receiver may see a batch twice; it never silently misses one.
//!
//! With a [spool](crate::TelemetryBuilder::spool), batches of traces and logs wait on disk: they survive a collector that stays away
//! for hours, and the death of the process.

mod backoff;
pub(crate) mod client;
pub(crate) mod config;
mod counts;
mod encode;
pub(crate) mod endpoint;
mod env;
mod error;
mod exports;
pub(crate) mod headers;
pub(crate) mod judge;
mod kinds;
mod lane;
mod open_spans;
mod outbox;
mod resolve;
mod sender;
mod spool;
pub(crate) mod tls;
mod transport;

pub use config::OtlpConfig;
pub use error::OtlpConfigError;
pub use kinds::{Compression, Protocol, Signal};
pub use spool::{Purged, SpoolConfig, SpoolError, SpoolSync, WhenFull};

pub(crate) use exports::{Bounds, Meter, OtlpBooks, OtlpExports, Spooled, Way};
pub(crate) use lane::Closing;
pub(crate) use open_spans::OpenSpansFile;

/// The working parts, for the pipeline and for this crate's own tests. Not part of the public API.
#[doc(hidden)]
pub mod internal {
    pub use super::backoff::Backoff;
    pub use super::counts::OtlpCounts;
    pub use super::env::{ExporterChoice, Lookup, Tuning, exporter_choice};
    pub use super::judge::{Cause, Verdict, grpc as judge_grpc, http as judge_http};
    pub use super::outbox::Batch;
    pub use super::resolve::{Resolved, Target};
    pub use super::sender::{Deliver, Sender, SenderOptions};
    pub use super::spool::{
        AppendError, Disk, DiskFile, DiskQueue, Entry, Freed, Kind, Losses, RealDisk, Scan, Spool,
        Taken, scan,
    };
    pub use super::transport::Transport;
    pub use crate::diagnostics::Voice;

    /// Reads a header list as `OTEL_EXPORTER_OTLP_HEADERS` has it.
    ///
    /// # Errors
    ///
    /// When an entry is no header that can be sent; the error names it without its value.
    pub fn header_list(text: &str) -> Result<http::HeaderMap, super::OtlpConfigError> {
        super::headers::parse_list(text, "OTEL_EXPORTER_OTLP_HEADERS".into())
    }
}
