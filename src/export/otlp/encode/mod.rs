//! From records straight into the bytes of OTLP requests.
//!
//! ```text
//! ExportTraceServiceRequest ─ ResourceSpans ─┬ resource        encoded once
//!                                            ├ ScopeSpans ─┬ scope      encoded once
//!                                            │             └ Span …     appended, one record after the other
//!                                            └ schema_url      encoded once
//! ```
//!
//! Logs have the same frame with other names for it. Promise: what leaves is what `opentelemetry-proto` makes of the same
//! span, field by field. Never: allocates for a record once its buffers have grown, except for trace states.

mod buffers;
mod log;
mod request;
mod span;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use request::{BatchEncoder, Push};
