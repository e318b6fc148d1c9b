//! From a record to the event that subscribers see.
//!
//! Promise: the same ids, the same attributes and the same times as on the exported span.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::SpanId;

use crate::clock::Clock;
use crate::event::{
    Attrs, Body, Causality, Channel, ErrorInfo, EventData, EventId, EventType, Flavor, Phase,
    Subject, Value, Visibility,
};
use crate::pipeline::grave;
use crate::pipeline::names::span_name;
use crate::record::{Fields, Outcome, Record, What};
use crate::semconv;

/// The number of the next event in this process, whichever installation it is of.
pub(crate) fn next_cursor() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The event a record stands for, under the id `id` unless it was given one; `None` for spans that are no subject of ours.
pub(crate) fn event(record: &Record, clock: &Clock, id: u128) -> Option<EventData> {
    let ty = match (record.what, &record.moment) {
        (What::Moment, Some(moment)) => match &moment.ty {
            Some(ty) => ty.clone(),
            None => EventType::from_lossy(&moment.name),
        },
        (What::Started, _) => EventType::new(record.subject?, Phase::Started),
        // What was told as one thing at its start is told as the same at its end.
        _ => EventType::new(
            record
                .told
                .or(record.subject)
                .filter(|_| record.subject.is_some())?,
            phase(record),
        ),
    };
    let at = if record.what == What::Started {
        record.start
    } else {
        record.end
    };
    let mut event = EventData::new(ty, clock.system_time(at));
    event.seq = record.seq;
    event.id = EventId::from_u128(id);
    if record.id.span != SpanId::INVALID {
        event.name = Arc::from(span_name(record));
    }
    event.cx = causality(record);
    match record.what {
        What::Started => event.id = started_event(record).unwrap_or(event.id),
        What::Ended => event.duration = Some(record.duration()),
        What::Moment => {}
    }
    if let Some(moment) = &record.moment {
        event.level = moment.level();
        event.flavor = moment.flavor.clone();
        event.duration = moment.lasted;
        event.body = moment.body.as_deref().cloned().map(Body);
        if moment.id != 0 {
            event.id = EventId::from_u128(moment.id);
        }
    }
    if let Some(channel) = record.fields.str(semconv::GENAI_CHANNEL) {
        event.channel = Channel::new(channel.to_owned());
    }
    if let Some(flavor) = record.fields.str(semconv::GENAI_FLAVOR) {
        event.flavor = Flavor::from(flavor.to_owned());
    }
    if record.fields.str(semconv::GENAI_VISIBILITY) == Some("internal") {
        event.visibility = Visibility::Internal;
    }
    who(record, &mut event);
    if record.outcome == Outcome::Failed || record.fields.get(semconv::ERROR_TYPE).is_some() {
        event.error = Some(ErrorInfo {
            kind: Arc::from(
                record
                    .fields
                    .str(semconv::ERROR_TYPE)
                    .unwrap_or(semconv::error_type::OTHER),
            ),
            message: record.error_message.as_deref().map(Arc::from),
        });
    }
    event.attrs = attrs(&record.fields);
    if record.what == What::Moment
        && let Some(error) = &mut event.error
        && let Some(Value::Str(told)) = event.attrs.get(semconv::EXCEPTION_MESSAGE)
    {
        error.message = Some(Arc::clone(told));
    }
    event.level = grave::level(&event.ty, event.level, &record.fields);
    // Content lies in the body, which no `Debug` shows.
    if let Some(Value::Str(text)) = event.attrs.remove(semconv::GENAI_CHUNK_TEXT) {
        event.body = Some(Body(text.as_ref().into()));
    }
    Some(event)
}

fn known(id: u128) -> Option<EventId> {
    (id != 0).then(|| EventId::from_u128(id))
}

/// The id of the span's started event.
pub(crate) fn started_event(record: &Record) -> Option<EventId> {
    known(record.id.started_event)
}

/// Where the record stands.
pub(crate) fn causality(record: &Record) -> Causality {
    let id = &record.id;
    let mut cx = Causality::default();
    (cx.trace, cx.span, cx.parent_span) = (id.trace, id.span, id.parent);
    (cx.parent_event, cx.started_event) = match record.what {
        What::Started => (known(id.parent_event), None),
        What::Ended => (known(id.parent_event), known(id.started_event)),
        What::Moment => (known(id.started_event), None),
    };
    let scope = record
        .inherited
        .as_ref()
        .and_then(|above| above.scope.as_ref());
    let cause = scope.and_then(|scope| scope.cause.as_ref());
    cx.triggered_by = cause.map(|cause| EventId::from_u128(cause.event));
    cx
}

fn who(record: &Record, event: &mut EventData) {
    let own = |name: &str| record.fields.str(name).map(Arc::<str>::from);
    let above = record.inherited.as_deref();
    event.who.agent_name = own(semconv::GEN_AI_AGENT_NAME).or_else(|| above?.agent_name.clone());
    event.who.agent_id = own(semconv::GEN_AI_AGENT_ID);
    event.who.conversation_id =
        own(semconv::GEN_AI_CONVERSATION_ID).or_else(|| above?.conversation_id.clone());
    event.who.session_id = own(semconv::SESSION_ID).or_else(|| above?.session_id.clone());
    event.who.correlation_id = own(semconv::CORRELATION_ID);
    event.who.step_name = own(semconv::STEP_NAME).or_else(|| {
        let site = record
            .meta
            .filter(|_| record.subject == Some(Subject::STEP))?;
        Some(Arc::from(site.name()))
    });
}

/// How the record's span ended.
pub(crate) fn phase(record: &Record) -> Phase {
    match record.fields.str(semconv::GENAI_OUTCOME) {
        Some("blocked") => Phase::Blocked,
        Some("paused") => Phase::Paused,
        _ if record.outcome == Outcome::Canceled || record.outcome == Outcome::Interrupted => {
            Phase::Canceled
        }
        _ if failed(record) => Phase::Failed,
        _ => Phase::Completed,
    }
}

/// Whether the span counts as failed: somebody said so, or its attributes do.
pub(crate) fn failed(record: &Record) -> bool {
    match record.outcome {
        Outcome::Failed => true,
        Outcome::Completed => false,
        Outcome::Canceled | Outcome::Interrupted => false,
        Outcome::Closed => {
            let status = record.fields.str(semconv::OTEL_STATUS_CODE);
            status.is_some_and(|s| s.eq_ignore_ascii_case("error"))
                || record.fields.get(semconv::ERROR_TYPE).is_some()
        }
    }
}

/// What an event says in its envelope, and not once more among its attributes.
const ENVELOPE: [&str; 6] = [
    semconv::GENAI_SUBJECT,
    semconv::GENAI_EVENT,
    semconv::GENAI_ALERT,
    semconv::GENAI_CHANNEL,
    semconv::GENAI_VISIBILITY,
    semconv::GENAI_FLAVOR,
];

/// What tells exporters how to export the span.
const INSTRUCTIONS: [&str; 4] = [
    semconv::OTEL_NAME,
    semconv::OTEL_KIND,
    semconv::OTEL_STATUS_CODE,
    semconv::OTEL_STATUS_DESCRIPTION,
];

/// The attributes of a record, as its event has them.
pub(crate) fn attrs(fields: &Fields) -> Attrs {
    let mut attrs = Attrs::with_capacity(fields.len());
    let said = |name: &str| {
        (name.starts_with("genai.") && ENVELOPE.contains(&name))
            || (name.starts_with("otel.") && INSTRUCTIONS.contains(&name))
    };
    for (name, value) in fields.keyed().filter(|(name, _)| !said(name)) {
        attrs.push_new(name, value.to_value());
    }
    attrs
}
