//! What an exported span is called, and of which kind it is.
//!
//! The conventions name a GenAI span by two words, the operation and what it works on (`chat gpt-4o`,
//! `execute_tool search`), or by the operation alone. `otel.name` and `otel.kind` win, as they do everywhere in the
//! `tracing` world.

use std::borrow::Cow;

use crate::event::{SpanKind, Subject};
use crate::record::Record;
use crate::semconv;

/// The longest name that leaves, in bytes: names are indexed by every backend, and some programs put payloads in them.
const LONGEST: usize = 256;

/// The exported name of a span.
pub(crate) fn span_name(record: &Record) -> String {
    let fields = &record.fields;
    if let Some(name) = fields.str(semconv::OTEL_NAME) {
        return crate::record::fields::floor(name, LONGEST).to_owned();
    }
    let site = record.meta.map_or("span", |meta| meta.name());
    let Some(subject) = record.subject else {
        return site.to_owned();
    };
    let word: Cow<'_, str> = match (
        fields.str(semconv::GEN_AI_OPERATION_NAME),
        subject.operation(),
    ) {
        (Some(told), _) => told.into(),
        (None, Some(operation)) => operation.into(),
        (None, None) => subject.name().into(),
    };
    let key = subject
        .span_name_key()
        .and_then(|key| fields.str(key))
        .filter(|key| !key.is_empty());
    let name = match key {
        // A plain function is a step by its own name: `step plan` would say no more than `plan`.
        None if subject == Subject::STEP => return site.to_owned(),
        Some(key) => format!("{word} {key}"),
        None => word.into_owned(),
    };
    crate::record::fields::floor(&name, LONGEST).to_owned()
}

/// The exported kind of a span.
pub(crate) fn span_kind(record: &Record) -> SpanKind {
    match record
        .fields
        .str(semconv::OTEL_KIND)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("client" | "producer") => SpanKind::Client,
        Some("server" | "consumer") => SpanKind::Server,
        Some("internal") => SpanKind::Internal,
        _ => record
            .subject
            .map_or(SpanKind::Internal, Subject::span_kind),
    }
}
