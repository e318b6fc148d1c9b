//! The SDK's `SpanData`, from the record of a span that ended: for exporters of the OpenTelemetry SDK.
//!
//! Promise: says what the OTLP outlet says of the same record. The one place that names the fields of `SpanData`, which
//! is not stable upstream.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanKind, Status};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value as OtelValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::shape::{self, Ending};
use crate::clock::{Clock, Nanos};
use crate::event::{SpanKind as Kind, Value};
use crate::pipeline::names;
use crate::record::{FieldRef, Record};

/// The span as the SDK's exporters take it.
pub(crate) fn span_data(record: &Record, clock: &Clock) -> SpanData {
    let attributes = record.fields.iter().filter(|(name, _)| shape::leaves(name));
    let ending = shape::ending(record);
    SpanData {
        span_context: record.id.context(),
        parent_span_id: record.id.parent,
        parent_span_is_remote: record.id.parent_remote,
        span_kind: match names::span_kind(record) {
            Kind::Internal => SpanKind::Internal,
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
        },
        name: names::span_name(record).into(),
        start_time: time(clock, record.start),
        end_time: time(clock, record.end),
        attributes: attributes.map(attribute).collect(),
        dropped_attributes_count: record.fields.dropped(),
        events: events(record, clock, ending),
        links: links(record),
        status: match ending {
            Ending::Unset => Status::Unset,
            Ending::Ok => Status::Ok,
            Ending::Error(message) => Status::error(message.to_owned()),
        },
        instrumentation_scope: InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn time(clock: &Clock, at: Nanos) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(clock.unix_nanos(at))
}

fn events(record: &Record, clock: &Clock, ending: Ending<'_>) -> SpanEvents {
    let mut events = SpanEvents::default();
    events.dropped_count = record.dropped_events;
    events.events.extend(record.events.iter().map(|event| {
        let name = shape::event_name(record, event).to_owned();
        let attributes = shape::event_attributes(record, event).map(attribute);
        Event::new(name, time(clock, event.at), attributes.collect(), 0)
    }));
    if let Some(exception) = shape::exception(record, ending) {
        let attributes = exception.attributes();
        let attributes = attributes.map(|(name, value)| KeyValue::new(name, value.to_owned()));
        let at = time(clock, record.end);
        let event = Event::new(shape::EXCEPTION, at, attributes.collect(), 0);
        events.events.push(event);
    }
    events
}

fn links(record: &Record) -> SpanLinks {
    let mut links = SpanLinks::default();
    links.dropped_count = record.dropped_links;
    let contexts = record.links.iter().cloned();
    links
        .links
        .extend(contexts.map(|context| Link::new(context, Vec::new(), 0)));
    links
}

fn attribute((name, value): (&str, FieldRef<'_>)) -> KeyValue {
    let value = match value {
        FieldRef::I64(n) => n.into(),
        FieldRef::F64(x) => x.into(),
        FieldRef::Bool(b) => b.into(),
        FieldRef::Str(s) => s.to_owned().into(),
        FieldRef::Value(value) => self::value(value),
    };
    KeyValue::new(name.to_owned(), value)
}

fn value(value: &Value) -> OtelValue {
    match value {
        Value::Bool(b) => (*b).into(),
        Value::I64(n) => (*n).into(),
        Value::F64(x) => (*x).into(),
        Value::Str(s) => StringValue::from(s.clone()).into(),
        Value::Array(items) if shape::is_plain(items) => OtelValue::Array(list(items)),
        // Anything else is told in JSON.
        Value::Array(_) | Value::Json(_) => value.to_string().into(),
    }
}

/// A list of scalars of one type, which the first one tells.
fn list(items: &[Value]) -> Array {
    match items.first() {
        Some(Value::Bool(_)) => Array::Bool(items.iter().filter_map(Value::as_bool).collect()),
        Some(Value::I64(_)) => Array::I64(items.iter().filter_map(Value::as_i64).collect()),
        Some(Value::F64(_)) => Array::F64(items.iter().filter_map(Value::as_f64).collect()),
        _ => {
            let texts = items.iter().filter_map(Value::as_str);
            Array::String(texts.map(|text| text.to_owned().into()).collect())
        }
    }
}
