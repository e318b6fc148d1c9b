//! `LogRecord` of OTLP: a moment, the exception that ended a model call, or the details of one.

use opentelemetry::{SpanId, TraceId};

use super::wire::{self, Place};
use crate::clock::Clock;
use crate::content::STRUCTURED;
use crate::event::{Level, Value};
use crate::export::shape::{self, Exception};
use crate::record::{FieldRef, Moment, Record};
use crate::semconv;

/// Appends the inside of a `LogRecord`: of the record's moment if it is one, else of the details of its model call if they are
/// asked for, else of the exception that ended its span.
pub(crate) fn write(buffer: &mut Vec<u8>, record: &Record, clock: &Clock, _: &mut String) {
    let at = clock.unix_nanos(record.end);
    wire::fixed64(buffer, 1, at);
    match &record.moment {
        Some(moment) => {
            severity(buffer, moment.level());
            attributes(buffer, record, moment);
            place(buffer, record, at);
            wire::text(buffer, 12, &moment.event_name());
        }
        None if record.details => {
            severity(buffer, Level::Debug);
            details(buffer, record);
            place(buffer, record, at);
            wire::text(
                buffer,
                12,
                semconv::GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS,
            );
        }
        None => {
            severity(buffer, Level::Warn);
            for (name, value) in Exception::of(record).attributes() {
                wire::attribute(buffer, 6, name, FieldRef::Str(value), Place::Log);
            }
            place(buffer, record, at);
            wire::text(buffer, 12, semconv::GEN_AI_CLIENT_OPERATION_EXCEPTION);
        }
    }
}

fn severity(buffer: &mut Vec<u8>, level: Level) {
    wire::number(buffer, 2, level.severity_number().unsigned_abs().into());
    wire::text(buffer, 3, level.severity_text());
}

/// The content or the text as body, the rest as attributes.
fn attributes(buffer: &mut Vec<u8>, record: &Record, moment: &Moment) {
    let fields = &record.fields;
    let text = fields.get(semconv::MESSAGE);
    match &moment.body {
        Some(body) => {
            let body = Value::from(serde_json::Value::clone(body));
            wire::any(buffer, 5, FieldRef::Value(&body), Place::Log);
        }
        None => {
            if let Some(text) = text {
                wire::any(buffer, 5, text, Place::Log);
            }
        }
    }
    let is_body = |name: &str| name == semconv::MESSAGE && moment.body.is_none();
    let rest = |name: &str| !is_body(name) && shape::leaves(name);
    for (name, value) in fields.iter().filter(|(name, _)| rest(name)) {
        wire::attribute(buffer, 6, name, value, Place::Log);
    }
    wire::number(buffer, 7, u64::from(fields.dropped()));
}

/// What the span says, with its content as structure.
fn details(buffer: &mut Vec<u8>, record: &Record) {
    let all = record.fields.iter();
    for (name, value) in all.filter(|(name, _)| shape::leaves(name)) {
        let structured = value
            .as_str()
            .filter(|_| STRUCTURED.contains(&name))
            .and_then(|text| serde_json::from_str(text).ok())
            .map(Value::Json);
        let value = structured.as_ref().map_or(value, FieldRef::Value);
        wire::attribute(buffer, 6, name, value, Place::Log);
    }
    wire::number(buffer, 7, u64::from(record.fields.dropped()));
}

/// The span it belongs to, if any, and when it was observed, which is when it happened: we are the ones who saw it.
fn place(buffer: &mut Vec<u8>, record: &Record, at: u64) {
    let id = &record.id;
    if id.trace != TraceId::INVALID {
        wire::fixed32(buffer, 8, u32::from(id.flags().to_u8()));
        wire::bytes(buffer, 9, &id.trace.to_bytes());
    }
    if id.span != SpanId::INVALID {
        wire::bytes(buffer, 10, &id.span.to_bytes());
    }
    wire::fixed64(buffer, 11, at);
}
