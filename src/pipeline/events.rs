//! From a record to the event that subscribers see.
//!
//! Promise: the same ids, the same attributes and the same times as on the exported span.

use std::sync::Arc;

use crate::clock::Clock;
use crate::event::{
    Attrs, Body, Causality, Channel, ErrorInfo, Event, EventData, EventId, EventType, Phase,
    Subject, Value, Visibility,
};
use crate::pipeline::names::span_name;
use crate::record::{FieldRef, Fields, Outcome, Record, What};
use crate::semconv;

/// Fills in what only the telemetry thread knows: the event's own id and its place in the process-wide order.
pub(crate) struct Stamp {
    pub(crate) cursor: u64,
    pub(crate) id: u128,
}

/// The event a record stands for; `None` for spans that are no subject of ours.
pub(crate) fn event(record: &Record, clock: &Clock, stamp: &Stamp) -> Option<EventData> {
    let ty = match (record.what, &record.moment) {
        (What::Moment, Some(moment)) => EventType::from_lossy(&moment.event_type),
        (What::Started, _) => EventType::new(record.subject?, Phase::Started),
        _ => EventType::new(record.subject?, phase(record)),
    };
    let at = if record.what == What::Started {
        record.start
    } else {
        record.end
    };
    let mut event = EventData::new(ty, clock.system_time(at));
    event.seq = record.seq;
    event.cursor = stamp.cursor;
    event.id = EventId::from_u128(stamp.id);
    event.name = Arc::from(span_name(record));
    event.cx = causality(record);
    match record.what {
        What::Started => event.id = started_event(record).unwrap_or(event.id),
        What::Ended => event.duration = Some(record.duration()),
        What::Moment => {}
    }
    if let Some(moment) = &record.moment {
        event.level = moment.level;
        if let Some(channel) = record.fields.str(semconv::GENAI_CHANNEL) {
            event.channel = Channel::new(channel.to_owned());
        }
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

fn attrs(fields: &Fields) -> Attrs {
    let mut attrs = Attrs::with_capacity(fields.len());
    for (name, value) in fields.iter() {
        attrs.set(name.to_owned(), FieldRef::to_value(value));
    }
    attrs
}

/// The event, finished.
pub(crate) fn publishable(data: EventData) -> Event {
    Event::new(data)
}
