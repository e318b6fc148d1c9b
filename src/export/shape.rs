//! What of a record leaves the process, and in which shape: one answer for every outlet.
//!
//! Promise: OTLP and plugged-in exporters send the same names, attributes, events and status, because both ask here.
//! The text of an error leaves only where the record kept it, which it does only where that was allowed.
//! Never: allocates; looks at time, ids or numbers, which leave as they are.

use crate::event::Value;
use crate::pipeline::{events, names};
use crate::record::cut::floor;
use crate::record::{FieldRef, Record, SpanEvent};
use crate::semconv;

/// The name of the event that tells the error of a failed span.
pub(crate) const EXCEPTION: &str = "exception";

/// Names that tell how to export something and are no facts about it.
const INSTRUCTIONS: [&str; 9] = [
    semconv::OTEL_NAME,
    semconv::OTEL_KIND,
    semconv::OTEL_STATUS_CODE,
    semconv::OTEL_STATUS_DESCRIPTION,
    semconv::GENAI_SUBJECT,
    semconv::GENAI_EVENT,
    semconv::GENAI_ALERT,
    semconv::GENAI_CHANNEL,
    semconv::GENAI_VISIBILITY,
];

/// Whether an attribute of this name leaves.
pub(crate) fn leaves(name: &str) -> bool {
    // A look at the first letters spares most names the comparisons.
    !(name.starts_with("otel.") || name.starts_with("genai.")) || !INSTRUCTIONS.contains(&name)
}

// === how it ended ===

/// The status of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending<'a> {
    Unset,
    Ok,
    /// With the error's text where that was captured; else with the rule that blocked it, or the error's type.
    Error(&'a str),
}

/// How `record`'s span ended.
pub(crate) fn ending(record: &Record) -> Ending<'_> {
    if events::failed(record) {
        let said = |name| record.fields.str(name);
        let told = record.error_message.as_deref();
        let told = told
            .or_else(|| said(semconv::SECURITY_BLOCK_REASON))
            .or_else(|| said(semconv::ERROR_TYPE));
        return Ending::Error(told.unwrap_or_default());
    }
    match record.fields.str(semconv::OTEL_STATUS_CODE) {
        Some(code) if code.eq_ignore_ascii_case("ok") => Ending::Ok,
        _ => Ending::Unset,
    }
}

/// The error that ended a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exception<'a> {
    pub(crate) kind: &'a str,
    /// Only where texts of errors are captured.
    pub(crate) message: Option<&'a str>,
}

impl<'a> Exception<'a> {
    /// The error as far as the record knows it.
    pub(crate) fn of(record: &'a Record) -> Self {
        Self {
            kind: record
                .fields
                .str(semconv::ERROR_TYPE)
                .unwrap_or(semconv::error_type::OTHER),
            message: record.error_message.as_deref(),
        }
    }

    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let message = self.message.map(|m| (semconv::EXCEPTION_MESSAGE, m));
        [(semconv::EXCEPTION_TYPE, self.kind)]
            .into_iter()
            .chain(message)
    }
}

/// The exception to add to a span's events; `None` for spans that did not fail, or that tell of an exception themselves.
pub(crate) fn exception<'a>(record: &'a Record, ending: Ending<'_>) -> Option<Exception<'a>> {
    let told = |event: &SpanEvent| event_name(record, event) == EXCEPTION;
    let failed = matches!(ending, Ending::Error(_));
    (failed && !record.events.iter().any(told)).then(|| Exception::of(record))
}

// === events on spans ===

/// The name of an event on a span: its text if it has one, else its call site's. Cut where it is too long for a name.
pub(crate) fn event_name<'a>(record: &'a Record, event: &SpanEvent) -> &'a str {
    floor(message(record, event).unwrap_or(event.name), names::LONGEST)
}

/// The attributes of an event on a span. Its text is among them only where the name could not hold all of it.
pub(crate) fn event_attributes<'a>(
    record: &'a Record,
    event: &SpanEvent,
) -> impl Iterator<Item = (&'a str, FieldRef<'a>)> {
    let is_name = message(record, event).is_some_and(|text| text.len() <= names::LONGEST);
    entries(record, event)
        .filter(move |(name, _)| leaves(name) && !(is_name && *name == semconv::MESSAGE))
}

fn message<'a>(record: &'a Record, event: &SpanEvent) -> Option<&'a str> {
    let (_, value) = entries(record, event).find(|(name, _)| *name == semconv::MESSAGE)?;
    value.as_str().filter(|text| !text.is_empty())
}

fn entries<'a>(
    record: &'a Record,
    event: &SpanEvent,
) -> impl Iterator<Item = (&'a str, FieldRef<'a>)> {
    record
        .event_fields
        .range(event.from as usize, event.to as usize)
}

// === values on spans ===

/// Whether a list may be one on a span, where lists have scalars of one type. Others leave as JSON text: that is what
/// backends read messages from, and what the SDK's own span attributes can hold.
pub(crate) fn is_plain(items: &[Value]) -> bool {
    let scalar = |v: &Value| !matches!(v, Value::Array(_) | Value::Json(_));
    let Some(first) = items.first() else {
        return true;
    };
    let kind = std::mem::discriminant(first);
    scalar(first) && items.iter().all(|v| std::mem::discriminant(v) == kind)
}
