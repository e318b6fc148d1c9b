//! `LogRecord` of OTLP: a moment, or the exception of a model call that failed.

use super::wire::{self, Json};
use crate::clock::Clock;
use crate::event::Level;
use crate::record::{FieldRef, Record};
use crate::semconv;

/// Appends the inside of a `LogRecord`.
pub(crate) fn write(buffer: &mut Vec<u8>, record: &Record, clock: &Clock) {
    let at = clock.unix_nanos(record.end);
    wire::fixed64(buffer, 1, at);
    match &record.moment {
        Some(moment) => {
            severity(buffer, moment.level);
            let fields = &record.fields;
            if let Some(message) = fields.str(semconv::MESSAGE) {
                wire::message(buffer, 5, |buffer| {
                    wire::any_field(buffer, FieldRef::Str(message), Json::AsMap)
                });
            }
            let hidden = [
                semconv::MESSAGE,
                semconv::GENAI_CHANNEL,
                semconv::GENAI_VISIBILITY,
            ];
            for (name, value) in fields.iter().filter(|(name, _)| !hidden.contains(name)) {
                wire::attribute(buffer, 6, name, value, Json::AsMap);
            }
            wire::number(buffer, 7, u64::from(fields.dropped()));
            place(buffer, record, at);
            wire::text(buffer, 12, &moment.event_type);
        }
        None => {
            severity(buffer, Level::Warn);
            let kind = record
                .fields
                .str(semconv::ERROR_TYPE)
                .unwrap_or(semconv::error_type::OTHER);
            wire::attribute(
                buffer,
                6,
                semconv::EXCEPTION_TYPE,
                FieldRef::Str(kind),
                Json::AsMap,
            );
            if let Some(message) = &record.error_message {
                wire::attribute(
                    buffer,
                    6,
                    semconv::EXCEPTION_MESSAGE,
                    FieldRef::Str(message),
                    Json::AsMap,
                );
            }
            place(buffer, record, at);
            wire::text(buffer, 12, semconv::GEN_AI_CLIENT_OPERATION_EXCEPTION);
        }
    }
}

fn severity(buffer: &mut Vec<u8>, level: Level) {
    wire::number(
        buffer,
        2,
        u64::try_from(level.severity_number()).unwrap_or_default(),
    );
    wire::text(buffer, 3, level.severity_text());
}

/// The span it belongs to, if any, and when it was noticed, which is when it happened.
fn place(buffer: &mut Vec<u8>, record: &Record, at: u64) {
    let id = &record.id;
    if id.span != opentelemetry::SpanId::INVALID {
        wire::fixed32(buffer, 8, u32::from(id.flags().to_u8()));
        wire::bytes(buffer, 9, &id.trace.to_bytes());
        wire::bytes(buffer, 10, &id.span.to_bytes());
    }
    wire::fixed64(buffer, 11, at);
}
