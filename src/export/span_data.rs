use crate::clock::Clock;
use crate::record::*;
use crate::semconv;
use opentelemetry::trace::*;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
pub(crate) fn span_data(r: &Record, c: &Clock) -> SpanData {
    let kv = |(k, v): (&str, FieldRef<'_>)| {
        opentelemetry::KeyValue::new(k.to_owned(), crate::layer::instance::to_otel(v))
    };
    let mut events = SpanEvents::default();
    for e in &r.events {
        let name = r
            .event_fields
            .range(e.from as usize, e.to as usize)
            .find(|(k, _)| *k == "message")
            .and_then(|(_, v)| v.as_str().map(str::to_owned))
            .unwrap_or(e.name.into());
        events.events.push(Event::new(
            name,
            c.system_time(e.at),
            r.event_fields
                .range(e.from as usize, e.to as usize)
                .filter(|(k, _)| *k != "message")
                .map(kv)
                .collect(),
            0,
        ));
    }
    let mut links = SpanLinks::default();
    links.links = r
        .links
        .iter()
        .map(|l| Link::new(l.clone(), vec![], 0))
        .collect();
    SpanData {
        span_context: r.id.context(),
        parent_span_id: r.id.parent,
        parent_span_is_remote: r.id.parent_remote,
        span_kind: match crate::pipeline::names::span_kind(r) {
            crate::event::SpanKind::Client => SpanKind::Client,
            crate::event::SpanKind::Server => SpanKind::Server,
            _ => SpanKind::Internal,
        },
        name: crate::pipeline::names::span_name(r).into(),
        start_time: c.system_time(r.start),
        end_time: c.system_time(r.end),
        attributes: r
            .fields
            .iter()
            .filter(|(k, _)| !k.starts_with("otel.") && *k != semconv::GENAI_SUBJECT)
            .map(kv)
            .collect(),
        dropped_attributes_count: r.fields.dropped(),
        events,
        links,
        status: if crate::pipeline::events::failed(r) {
            Status::error(
                r.error_message
                    .clone()
                    .unwrap_or_else(|| r.fields.str("error.type").unwrap_or("").to_owned()),
            )
        } else {
            Status::Unset
        },
        instrumentation_scope: Default::default(),
    }
}
