//! Reporters: every event, or some, taken somewhere of your own, with retries and an account of what became of each.
//!
//! Promise: whoever publishes never waits; the events of one run arrive in order; an event that fails delays nobody but the rest
//! of its own run, and that only for its own attempts; `accepted = delivered + rejected + Σ dropped + pending` at any time.
//! Never: follows a redirect, shows a key, or logs the content of an event.
//!
//! ```text
//!  Telemetry's bus ─▶ conditions ─┐                    ┌─▶ run a: event, event …   one at a time, in order
//!                                 ├─▶ bounded queue ───┼─▶ run b: event, event …   ─▶ Reporter::post_event ─▶ delivered
//!  Reporting::publish ────────────┘  (events, bytes)   └─▶ pieces of streams, each     │ transient: again, after a wait
//!                                                          for itself                 │ permanent: dropped, one warning
//!                                                                                     └ skipped: not for this receiver
//! ```
//!
//! With an installation, which then waits for it in `flush` and `shutdown` and has its account in the [`Report`](crate::Report):
//!
//! ```
//! use tracing_genai::Telemetry;
//! use tracing_genai::reporter::reporter_fn;
//!
//! let telemetry = Telemetry::builder("planner")
//!     .reporter(reporter_fn(|event| async move { println!("{event}"); Ok(()) }))
//!     .build()?;
//! # Ok::<(), tracing_genai::ConfigError>(())
//! ```
//!
//! Alone, as an event bus of its own:
//!
//! ```
//! use std::time::Duration;
//! use tracing_genai::event::{EventData, EventType};
//! use tracing_genai::reporter::{Reporting, reporter_fn};
//!
//! let reporting = Reporting::builder()
//!     .reporter(reporter_fn(|event| async move { println!("{event}"); Ok(()) }))
//!     .max_attempts(3)
//!     .build()?;
//! reporting.listen()?;
//! reporting.publish(EventData::new(EventType::parse("order.placed")?, std::time::SystemTime::now()));
//! let report = reporting.drain(Duration::from_secs(30));
//! assert!(report.in_time && report.delivered == 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Delivery
//!
//! At least once: where an answer is lost, the event is posted again. Receivers tell repeats by the event's `id`.
//!
//! A run is what `scenario.run.id` says, else the trace, else the conversation. Events of no run, and pieces of streams
//! (`llm.call.chunk` and the like), have no order and may overlap. Times are those the events came with.
//!
//! # What can be lost
//!
//! Events wait in memory. Those that find the queue full are dropped (the newest), as are those that fail for good, fail at all
//! attempts, or are left at shutdown: all counted by reason in [`Reporting::stats`], and told on stderr without their content.
//! What must survive the process goes into a history on disk, and from there to the receiver by a `Forwarder` (feature `otlp`).

mod backoff;
mod builder;
mod drain;
mod error;
#[cfg(feature = "otlp")]
mod forwarder;
#[cfg(feature = "otlp")]
mod http;
mod lanes;
mod own_thread;
mod post;
mod queue;
mod redacted;
mod reporting;
mod runs;
#[cfg(test)]
mod tests;
mod warnings;
mod worker;

pub use backoff::Backoff;
pub use builder::ReportingBuilder;
pub use drain::DrainReport;
pub use error::{ReportError, ReporterConfigError};
#[cfg(feature = "otlp")]
pub use forwarder::{Forwarder, ForwarderStats, Forwarding};
#[cfg(feature = "otlp")]
pub use http::{HttpReporter, HttpReporterBuilder, HttpTarget, ReportResponse, cylestio};
pub use post::{BoxReporter, Reporter, ReporterFn, reporter_fn};
pub use redacted::Redacted;
pub use reporting::Reporting;

/// For this crate's own tests. Not part of the public API.
#[doc(hidden)]
pub mod internal {
    pub use crate::diagnostics::Voice;
}
