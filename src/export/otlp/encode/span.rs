//! `Span` of OTLP, from the record of a span that ended.

use opentelemetry::SpanId;
use opentelemetry::trace::{SpanContext, TraceState};

use super::wire::{self, Place};
use crate::clock::Clock;
use crate::event::SpanKind;
use crate::export::shape::{self, Ending};
use crate::pipeline::names;
use crate::record::{FieldRef, Record, SpanEvent};

/// Appends the inside of a `Span`. `name` is a scratch buffer.
pub(crate) fn write(buffer: &mut Vec<u8>, record: &Record, clock: &Clock, name: &mut String) {
    let (id, ending) = (&record.id, shape::ending(record));
    wire::bytes(buffer, 1, &id.trace.to_bytes());
    wire::bytes(buffer, 2, &id.span.to_bytes());
    if id.trace_state != TraceState::NONE {
        wire::text(buffer, 3, &id.trace_state.header());
    }
    if id.parent != SpanId::INVALID {
        wire::bytes(buffer, 4, &id.parent.to_bytes());
    }
    name.clear();
    names::write_span_name(name, record);
    wire::text(buffer, 5, name);
    wire::number(buffer, 6, kind(names::span_kind(record)));
    wire::fixed64(buffer, 7, clock.unix_nanos(record.start));
    wire::fixed64(buffer, 8, clock.unix_nanos(record.end));
    for (name, value) in record.fields.iter().filter(|(name, _)| shape::leaves(name)) {
        wire::attribute(buffer, 9, name, value, Place::Span);
    }
    wire::number(buffer, 10, u64::from(record.fields.dropped()));
    for it in &record.events {
        wire::delimited::<1>(buffer, 11, |buffer| event(buffer, record, it, clock));
    }
    if let Some(exception) = shape::exception(record, ending) {
        wire::delimited::<1>(buffer, 11, |buffer| {
            wire::fixed64(buffer, 1, clock.unix_nanos(record.end));
            wire::text(buffer, 2, shape::EXCEPTION);
            for (name, value) in exception.attributes() {
                wire::attribute(buffer, 3, name, FieldRef::Str(value), Place::Span);
            }
        });
    }
    wire::number(buffer, 12, u64::from(record.dropped_events));
    for it in &record.links {
        wire::delimited::<1>(buffer, 13, |buffer| link(buffer, it));
    }
    wire::number(buffer, 14, u64::from(record.dropped_links));
    // An unset status is an empty message, which is what the SDK's exporters send.
    wire::delimited::<1>(buffer, 15, |buffer| match ending {
        Ending::Unset => {}
        Ending::Ok => wire::number(buffer, 3, 1),
        Ending::Error(message) => {
            wire::text(buffer, 2, message);
            wire::number(buffer, 3, 2);
        }
    });
    wire::fixed32(buffer, 16, flags(id.flags().to_u8(), id.parent_remote));
}

fn event(buffer: &mut Vec<u8>, record: &Record, event: &SpanEvent, clock: &Clock) {
    wire::fixed64(buffer, 1, clock.unix_nanos(event.at));
    wire::text(buffer, 2, shape::event_name(record, event));
    for (name, value) in shape::event_attributes(record, event) {
        wire::attribute(buffer, 3, name, value, Place::Span);
    }
}

fn link(buffer: &mut Vec<u8>, link: &SpanContext) {
    wire::bytes(buffer, 1, &link.trace_id().to_bytes());
    wire::bytes(buffer, 2, &link.span_id().to_bytes());
    wire::text(buffer, 3, &link.trace_state().header());
    wire::fixed32(
        buffer,
        6,
        flags(link.trace_flags().to_u8(), link.is_remote()),
    );
}

/// The W3C flags, and whether the parent (or the linked span) lies in another process.
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
