//! Everything about one span, and the search for spans.
//!
//! Promise: what is shown is what is exported; text that should have been JSON is shown as text.

use serde_json::{Map, Value as Json, json};

use super::facts::error_type;
use super::model::{Model, Span};
use super::rows::{SpanRow, plain_events, word};
use crate::clock::Clock;
use crate::event::Value;
use crate::export::shape;
use crate::history::Needle;
use crate::pipeline::names::span_name;
use crate::record::{FieldRef, Record};
use crate::semconv as s;

/// Attributes that have a place of their own, and what that is called.
const CONTENT: [(&str, &str); 6] = [
    (s::GEN_AI_INPUT_MESSAGES, "input"),
    (s::GEN_AI_OUTPUT_MESSAGES, "output"),
    (s::GEN_AI_SYSTEM_INSTRUCTIONS, "system"),
    (s::GEN_AI_TOOL_DEFINITIONS, "tools"),
    (s::GEN_AI_TOOL_CALL_ARGUMENTS, "arguments"),
    (s::GEN_AI_TOOL_CALL_RESULT, "result"),
];

/// How much of an id is looked for as such.
const SHORTEST_ID: usize = 8;

pub(super) fn detail(span: &Span, clock: &Clock) -> Json {
    let record = &span.record;
    let mut detail = Map::new();
    detail.insert("span".into(), json!(SpanRow::new(span, clock)));
    let mut attributes = Map::new();
    for (name, value) in record.fields.iter().filter(|(name, _)| shape::leaves(name)) {
        match CONTENT.iter().find(|(content, _)| *content == name) {
            Some((_, place)) => detail.insert((*place).into(), parsed(value)),
            None => attributes.insert(name.into(), value.to_value().to_json()),
        };
    }
    detail.insert("attributes".into(), attributes.into());
    let told = span.moments.kept.iter().map(|moment| told(moment, clock));
    let plain = plain_events(record).map(|event| {
        let attributes = shape::event_attributes(record, event);
        json!({
            "at": clock.unix_nanos(event.at) / 1_000,
            "type": shape::event_name(record, event),
            "level": "info",
            "attributes": attributes.map(|(name, value)| (name.to_owned(), value.to_value().to_json())).collect::<Map<_, _>>(),
        })
    });
    let mut events: Vec<Json> = told.chain(plain).collect();
    events.sort_by_key(|event| event["at"].as_u64());
    detail.insert("events".into(), events.into());
    if !record.links.is_empty() {
        let links = record.links.iter().map(|link| {
            json!({ "trace": link.trace_id().to_string(), "span": link.span_id().to_string() })
        });
        detail.insert("links".into(), links.collect::<Vec<_>>().into());
    }
    if let Some(error) = error(record).filter(|_| !span.facts.open) {
        detail.insert("error".into(), error);
    }
    detail.into()
}

fn told(record: &Record, clock: &Clock) -> Json {
    let mut event = Map::new();
    event.insert("at".into(), (clock.unix_nanos(record.end) / 1_000).into());
    if let Some(moment) = &record.moment {
        event.insert("type".into(), moment.event_name().into_owned().into());
        event.insert("level".into(), word(moment.level()).into());
        if let Some(body) = &moment.body {
            event.insert("body".into(), (**body).clone());
        }
    }
    let attributes = record.fields.iter().filter(|(name, _)| shape::leaves(name));
    let attributes: Map<String, Json> = attributes
        .map(|(name, value)| (name.to_owned(), value.to_value().to_json()))
        .collect();
    event.insert("attributes".into(), attributes.into());
    if let Some(error) = error(record) {
        event.insert("error".into(), error);
    }
    event.into()
}

fn error(record: &Record) -> Option<Json> {
    let mut error = json!({ "type": error_type(record)? });
    if let Some(message) = &record.error_message {
        error["message"] = message.as_str().into();
    }
    Some(error)
}

/// Content leaves as JSON text; here it is shown as what it is.
fn parsed(value: FieldRef<'_>) -> Json {
    let text = value
        .as_str()
        .filter(|text| text.trim_start().starts_with(['{', '[', '"']));
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| value.to_value().to_json())
}

/// The spans that mention `text`, the newest first, and whether there are more than `limit`.
pub(super) fn search<'a>(model: &'a Model, text: &str, limit: usize) -> (Vec<SpanRow<'a>>, bool) {
    let needle = Needle::new(text);
    let spans = model
        .runs
        .values()
        .rev()
        .flat_map(|run| run.spans.values().rev());
    let mut found = spans.filter(|span| mentions(span, &needle) || is_named(span, text));
    let rows = found.by_ref().take(limit);
    let rows: Vec<SpanRow<'_>> = rows.map(|span| SpanRow::new(span, &model.clock)).collect();
    let more = found.next().is_some();
    (rows, more)
}

fn mentions(span: &Span, needle: &Needle) -> bool {
    let in_record = |record: &Record| {
        record
            .fields
            .iter()
            .any(|(name, value)| shape::leaves(name) && is_in(needle, value))
            || record
                .event_fields
                .iter()
                .any(|(_, value)| is_in(needle, value))
            || record
                .error_message
                .as_deref()
                .is_some_and(|text| needle.is_in(text))
    };
    let record = &span.record;
    let moments = || {
        span.moments.kept.iter().any(|moment| {
            let head = moment.moment.as_ref();
            head.is_some_and(|head| {
                let body = head.body.as_deref();
                needle.is_in(&head.event_name()) || body.is_some_and(|body| needle.is_in_json(body))
            }) || in_record(moment)
        })
    };
    needle.is_in(&span_name(record))
        || needle.is_in(span.facts.kind)
        || needle.is_in(span.facts.status)
        || span
            .facts
            .agent
            .as_deref()
            .is_some_and(|agent| needle.is_in(agent))
        || in_record(record)
        || moments()
}

/// Whether `text` is the id of the span or its trace, or the beginning of one: somebody copied it. A few digits occur in most ids.
fn is_named(span: &Span, text: &str) -> bool {
    let id = &span.record.id;
    let begins = |id: String| {
        let beginning = id.get(..text.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(text))
    };
    text.len() >= SHORTEST_ID && (begins(id.span.to_string()) || begins(id.trace.to_string()))
}

fn is_in(needle: &Needle, value: FieldRef<'_>) -> bool {
    match value {
        FieldRef::Str(text) => needle.is_in(text),
        FieldRef::Value(value) => needle.is_in_value(value),
        FieldRef::I64(n) => needle.is_in_value(&Value::I64(n)),
        FieldRef::F64(x) => needle.is_in_value(&Value::F64(x)),
        FieldRef::Bool(flag) => needle.is_in_value(&Value::Bool(flag)),
    }
}
