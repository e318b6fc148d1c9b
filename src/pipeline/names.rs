//! What an exported span is called, and of which kind it is.
//!
//! The conventions name a GenAI span by two words, the operation and what it works on (`chat gpt-4o`,
//! `execute_tool search`), or by the operation alone. `otel.name` and `otel.kind` win, as they do everywhere in the
//! `tracing` world.

use crate::event::{SpanKind, Subject};
use crate::record::Record;
use crate::semconv;

/// The longest name that leaves, in bytes: names are indexed by every backend, and some programs put payloads in them.
pub(crate) const LONGEST: usize = 256;

/// The exported name of a span.
pub(crate) fn span_name(record: &Record) -> String {
    let mut name = String::new();
    write_span_name(&mut name, record);
    name
}

/// Appends the exported name of a span.
pub(crate) fn write_span_name(name: &mut String, record: &Record) {
    let start = name.len();
    let fields = &record.fields;
    let site = record.meta.map_or("span", |meta| meta.name());
    let site = if site.is_empty() { "span" } else { site };
    match (fields.str(semconv::OTEL_NAME), record.subject) {
        (Some(told), _) => name.push_str(told),
        (None, None) => name.push_str(site),
        (None, Some(subject)) => {
            let word = subject.span_name_word_key().and_then(|key| fields.str(key));
            let key = subject
                .span_name_key()
                .and_then(|key| fields.str(key))
                .filter(|key| !key.is_empty());
            match key {
                // A step is called what it is called: `step plan` would say no more than `plan`.
                Some(key) if subject == Subject::STEP => name.push_str(key),
                None if subject == Subject::STEP => name.push_str(site),
                _ => name.push_str(
                    word.or_else(|| subject.span_name_word())
                        .unwrap_or_else(|| subject.name()),
                ),
            }
            if let Some(key) = key.filter(|_| subject != Subject::STEP) {
                name.push(' ');
                name.push_str(key);
            }
        }
    }
    let kept = crate::record::cut::floor(name.get(start..).unwrap_or_default(), LONGEST).len();
    name.truncate(start + kept);
}

/// The exported kind of a span.
pub(crate) fn span_kind(record: &Record) -> SpanKind {
    let told = record.fields.str(semconv::OTEL_KIND).unwrap_or_default();
    let is = |kind: &str| told.eq_ignore_ascii_case(kind);
    match record.subject {
        _ if is("client") || is("producer") => SpanKind::Client,
        _ if is("server") || is("consumer") => SpanKind::Server,
        _ if is("internal") => SpanKind::Internal,
        subject => subject.map_or(SpanKind::Internal, Subject::span_kind),
    }
}
