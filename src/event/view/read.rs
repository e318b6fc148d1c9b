//! How fields are read from an event. Never: converts between text, numbers and truth values.

use std::time::Duration;

use crate::{
    event::{Body, ErrorInfo, Event, Usage, Value},
    semconv,
};

pub(super) fn text<'e>(key: &'static str) -> impl Fn(&'e Event) -> Option<&'e str> {
    move |event| event.attrs.get(key).and_then(Value::as_str)
}

/// The first of two names that holds text.
pub(super) fn either<'e>(
    key: &'static str,
    or: &'static str,
) -> impl Fn(&'e Event) -> Option<&'e str> {
    move |event| text(key)(event).or_else(|| text(or)(event))
}

/// A list of texts; one text counts as a list of one, and elements of another type are left out.
pub(super) fn texts<'e>(key: &'static str) -> impl Fn(&'e Event) -> Vec<&'e str> {
    move |event| match event.attrs.get(key) {
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        Some(value) => value.as_str().into_iter().collect(),
        None => Vec::new(),
    }
}

pub(super) fn value<'e>(key: &'static str) -> impl Fn(&'e Event) -> Option<&'e Value> {
    move |event| event.attrs.get(key)
}

pub(super) fn whole(key: &'static str) -> impl Fn(&Event) -> Option<i64> {
    move |event| event.attrs.get(key).and_then(Value::as_i64)
}

/// A whole number that is not negative.
pub(super) fn count(key: &'static str) -> impl Fn(&Event) -> Option<u64> {
    move |event| whole(key)(event).and_then(|count| count.try_into().ok())
}

pub(super) fn float(key: &'static str) -> impl Fn(&Event) -> Option<f64> {
    move |event| event.attrs.get(key).and_then(Value::as_f64)
}

pub(super) fn flag(key: &'static str) -> impl Fn(&Event) -> Option<bool> {
    move |event| event.attrs.get(key).and_then(Value::as_bool)
}

pub(super) fn duration(event: &Event) -> Option<Duration> {
    event.duration
}

pub(super) fn error(event: &Event) -> Option<&ErrorInfo> {
    event.error.as_ref()
}

pub(super) fn body(event: &Event) -> Option<&Body> {
    event.body.as_ref()
}

pub(super) fn body_text(event: &Event) -> Option<&str> {
    event.body.as_ref().and_then(Body::as_str)
}

/// One field of a body that is an object, if it is text.
pub(super) fn part<'e>(field: &'static str) -> impl Fn(&'e Event) -> Option<&'e str> {
    move |event| event.body.as_ref()?.0.get(field)?.as_str()
}

pub(super) fn model(event: &Event) -> Option<&str> {
    either(
        semconv::GEN_AI_RESPONSE_MODEL,
        semconv::GEN_AI_REQUEST_MODEL,
    )(event)
}

/// The tokens of all model calls inside.
pub(super) fn total_usage(event: &Event) -> Usage {
    Usage {
        input_tokens: count(semconv::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS)(event),
        output_tokens: count(semconv::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS)(event),
        ..Usage::new()
    }
}

pub(super) fn agent_name(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_AGENT_NAME)(event).or(event.who.agent_name.as_deref())
}

pub(super) fn agent_id(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_AGENT_ID)(event).or(event.who.agent_id.as_deref())
}

pub(super) fn conversation_id(event: &Event) -> Option<&str> {
    text(semconv::GEN_AI_CONVERSATION_ID)(event).or(event.who.conversation_id.as_deref())
}

pub(super) fn session_id(event: &Event) -> Option<&str> {
    text(semconv::SESSION_ID)(event).or(event.who.session_id.as_deref())
}

pub(super) fn step_name(event: &Event) -> Option<&str> {
    text(semconv::STEP_NAME)(event).or(event.who.step_name.as_deref())
}
