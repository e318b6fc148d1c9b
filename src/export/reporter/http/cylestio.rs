//! The record that Cylestio's API takes.

use serde_json::{Value, json};

use crate::event::{Event, SpanId, TraceId};

/// Where its API takes records, below its address.
pub(in super::super) const PATH: &str = "/v1/telemetry";

/// An event as Cylestio Monitor sends it to its API: `schema_version`, `timestamp`, `name`, `level`, `trace_id`, `span_id`,
/// `parent_span_id`, `agent_id`, `attributes`. For [`HttpReporterBuilder::body`](super::HttpReporterBuilder::body).
///
/// Captured content, which that record has no field for, is added as `body`.
///
/// ```
/// use std::time::SystemTime;
/// use tracing_genai::event::{EventData, EventType};
/// use tracing_genai::reporter::cylestio;
///
/// let event = EventData::new(EventType::parse("llm.call.started")?, SystemTime::UNIX_EPOCH).into();
/// let record = cylestio(&event).unwrap_or_default();
/// assert_eq!((&record["name"], &record["level"]), (&"llm.call.started".into(), &"INFO".into()));
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
pub fn cylestio(event: &Event) -> Option<Value> {
    let span = |id: SpanId| (id != SpanId::INVALID).then(|| id.to_string());
    let agent = event
        .who
        .agent_id
        .as_deref()
        .or(event.who.agent_name.as_deref());
    let mut record = json!({
        "schema_version": "1.0",
        "timestamp": event.time_rfc3339(),
        "trace_id": (event.cx.trace != TraceId::INVALID).then(|| event.cx.trace.to_string()),
        "span_id": span(event.cx.span),
        "parent_span_id": span(event.cx.parent_span),
        "name": event.ty.to_string(),
        "level": event.level.severity_text(),
        "agent_id": agent,
        "attributes": serde_json::to_value(&event.attrs).ok()?,
    });
    if let Some(body) = &event.body {
        record["body"] = body.0.clone();
    }
    Some(record)
}
