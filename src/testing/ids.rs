//! Ids that count.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

/// Trace and span ids 1, 2, 3 …
#[derive(Debug, Default)]
pub(crate) struct CountingIds {
    traces: AtomicU64,
    spans: AtomicU64,
}

impl IdGenerator for CountingIds {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(u128::from(self.traces.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
