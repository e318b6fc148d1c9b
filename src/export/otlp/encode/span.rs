//! `Span` of OTLP, from the record.

use super::wire::{self, Json};
use crate::clock::Clock;
use crate::event::SpanKind;
use crate::pipeline::{events, names};
use crate::record::{FieldRef, Record, SpanEvent};
use crate::semconv;

/// Names that tell how to export a span and are no facts about it.
const INSTRUCTIONS: [&str; 6] = [
    semconv::OTEL_NAME,
    semconv::OTEL_KIND,
    semconv::OTEL_STATUS_CODE,
    semconv::OTEL_STATUS_DESCRIPTION,
    semconv::GENAI_SUBJECT,
    semconv::GENAI_OUTCOME,
];

/// Whether an attribute of this name leaves.
pub(crate) fn leaves(name: &str) -> bool {
    // A cheap look at the first letters spares most names the comparison.
    !(name.starts_with("otel.") || name.starts_with("genai.")) || !INSTRUCTIONS.contains(&name)
}

/// How a span's end is told.
pub(crate) enum Ending<'a> {
    Unset,
    Ok,
    /// With the message where it may be told, else with the type of the error.
    Error(&'a str),
}

/// How `record`'s span ended.
pub(crate) fn ending(record: &Record) -> Ending<'_> {
    if events::failed(record) {
        let told = record
            .error_message
            .as_deref()
            .or_else(|| record.fields.str(semconv::ERROR_TYPE));
        return Ending::Error(told.unwrap_or_default());
    }
    match record.fields.str(semconv::OTEL_STATUS_CODE) {
        Some(code) if code.eq_ignore_ascii_case("ok") => Ending::Ok,
        _ => Ending::Unset,
    }
}

/// The name of an event on a span: its text if it has one, else its call site's.
pub(crate) fn event_name<'a>(record: &'a Record, event: &SpanEvent) -> &'a str {
    let mut own = record
        .event_fields
        .range(event.from as usize, event.to as usize);
    let message = own
        .find(|(name, _)| *name == semconv::MESSAGE)
        .and_then(|(_, value)| value.as_str());
    crate::record::fields::floor(message.unwrap_or(event.name), names::LONGEST)
}

/// The attributes of an event on a span.
pub(crate) fn event_attributes<'a>(
    record: &'a Record,
    event: &SpanEvent,
) -> impl Iterator<Item = (&'a str, FieldRef<'a>)> {
    let own = record
        .event_fields
        .range(event.from as usize, event.to as usize);
    own.filter(|(name, _)| *name != semconv::MESSAGE)
}

/// Appends the inside of a `Span`. `name` is a scratch buffer.
pub(crate) fn write(buffer: &mut Vec<u8>, record: &Record, clock: &Clock, name: &mut String) {
    let id = &record.id;
    wire::bytes(buffer, 1, &id.trace.to_bytes());
    wire::bytes(buffer, 2, &id.span.to_bytes());
    if id.trace_state != opentelemetry::trace::TraceState::NONE {
        wire::text(buffer, 3, &id.trace_state.header());
    }
    if id.parent != opentelemetry::SpanId::INVALID {
        wire::bytes(buffer, 4, &id.parent.to_bytes());
    }
    name.clear();
    names::write_span_name(name, record);
    wire::text(buffer, 5, name);
    wire::number(buffer, 6, kind(names::span_kind(record)));
    wire::fixed64(buffer, 7, clock.unix_nanos(record.start));
    wire::fixed64(buffer, 8, clock.unix_nanos(record.end));
    for (name, value) in record.fields.iter().filter(|(name, _)| leaves(name)) {
        wire::attribute(buffer, 9, name, value, Json::AsText);
    }
    wire::number(buffer, 10, u64::from(record.fields.dropped()));
    for event in &record.events {
        wire::message(buffer, 11, |buffer| {
            wire::fixed64(buffer, 1, clock.unix_nanos(event.at));
            wire::text(buffer, 2, event_name(record, event));
            for (name, value) in event_attributes(record, event) {
                wire::attribute(buffer, 3, name, value, Json::AsText);
            }
        });
    }
    wire::number(buffer, 12, u64::from(record.dropped_events));
    for link in &record.links {
        wire::message(buffer, 13, |buffer| {
            wire::bytes(buffer, 1, &link.trace_id().to_bytes());
            wire::bytes(buffer, 2, &link.span_id().to_bytes());
            wire::text(buffer, 3, &link.trace_state().header());
            wire::fixed32(
                buffer,
                6,
                flags(link.trace_flags().to_u8(), link.is_remote()),
            );
        });
    }
    wire::number(buffer, 14, u64::from(record.dropped_links));
    // An unset status is an empty message, which says the same as none and is what the SDK's exporters send.
    wire::message(buffer, 15, |buffer| match ending(record) {
        Ending::Unset => {}
        Ending::Ok => wire::number(buffer, 3, 1),
        Ending::Error(message) => {
            wire::text(buffer, 2, message);
            wire::number(buffer, 3, 2);
        }
    });
    wire::fixed32(buffer, 16, flags(id.flags().to_u8(), id.parent_remote));
}

/// W3C flags, and whether the parent (or the linked span) lies in another process.
fn flags(trace: u8, remote: bool) -> u32 {
    const HAS_IS_REMOTE: u32 = 0x100;
    const IS_REMOTE: u32 = 0x200;
    u32::from(trace) | HAS_IS_REMOTE | if remote { IS_REMOTE } else { 0 }
}

fn kind(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
    }
}
