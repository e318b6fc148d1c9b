//! The fields every event has: identity, order, time, level.

use std::time::SystemTime;

use opentelemetry::{SpanId, TraceId};
use serde_json::Value as Json;

use super::{Filling, read, set};
use crate::{
    event::{
        Causality, Channel, Dialect, EventData, EventId, Level, Visibility,
        import::place::{Cause, Place},
    },
    semconv,
};

/// What the envelope said.
#[derive(Default)]
pub(super) struct Envelope {
    id: Option<EventId>,
    seq: Option<u64>,
    cx: Causality,
    time: Option<SystemTime>,
    /// When it happened, if nothing better is said.
    pub(super) time_else: Option<SystemTime>,
    level: Option<Level>,
    channel: Option<Channel>,
    visibility: Visibility,
}

impl Envelope {
    pub(super) fn time(&self) -> Option<SystemTime> {
        self.time.or(self.time_else)
    }

    /// False if the value is none of that kind, or another one is there.
    pub(super) fn place(&mut self, dialect: Dialect, json: &Json, place: &Place) -> bool {
        let text = json.as_str();
        // Only ids of their full length: a longer one would lose its end.
        let hex = |digits| text.filter(|text| text.len() == digits);
        match place {
            Place::Time(unit) => set(&mut self.time, read::time(json, *unit)),
            Place::Seq => set(&mut self.seq, json.as_u64()),
            Place::Level => set(&mut self.level, text.and_then(Level::named)),
            Place::Channel => set(
                &mut self.channel,
                text.map(|name| Channel::new(name.to_owned())),
            ),
            Place::Id => place_id(&mut self.id, dialect, json),
            Place::Cause(Cause::Parent) => place_id(&mut self.cx.parent_event, dialect, json),
            Place::Cause(Cause::Started) => place_id(&mut self.cx.started_event, dialect, json),
            Place::Cause(Cause::Previous) => place_id(&mut self.cx.previous, dialect, json),
            Place::Cause(Cause::Trigger) => place_id(&mut self.cx.triggered_by, dialect, json),
            Place::Trace => hex(32)
                .and_then(|text| TraceId::from_hex(text).ok())
                .map(|id| self.cx.trace = id)
                .is_some(),
            Place::Span => place_span(&mut self.cx.span, hex(16)),
            Place::ParentSpan => place_span(&mut self.cx.parent_span, hex(16)),
            _ => false,
        }
    }

    pub(super) fn write(self, event: &mut EventData) {
        event.id = self.id.unwrap_or(event.id);
        event.seq = self.seq.unwrap_or(event.seq);
        event.cx = self.cx;
        event.level = self.level.unwrap_or(event.level);
        event.visibility = self.visibility;
        if let Some(channel) = self.channel {
            event.channel = channel;
        }
    }
}

/// An id that had to be hashed is placed and still false, so that the original is kept.
fn place_id(slot: &mut Option<EventId>, dialect: Dialect, json: &Json) -> bool {
    match read::event_id(json, dialect) {
        Some((id, is_uuid)) => set(slot, Some(id)) && is_uuid,
        None => false,
    }
}

fn place_span(slot: &mut SpanId, text: Option<&str>) -> bool {
    text.and_then(|text| SpanId::from_hex(text).ok())
        .map(|id| *slot = id)
        .is_some()
}

impl Filling {
    pub(super) fn hidden(&mut self, json: &Json) -> bool {
        if json.as_bool() == Some(true) {
            self.envelope.visibility = Visibility::Internal;
            let internal = Visibility::Internal.as_str().into();
            self.attrs.put(semconv::GENAI_VISIBILITY.into(), internal);
        }
        json.is_boolean()
    }

    /// Keeps an id as its system wrote it, beside the one made of it; gives other values back.
    pub(super) fn source(&mut self, field: &str, place: &Place, json: Json) -> Option<Json> {
        let name = match place {
            Place::Id => "source.event_id",
            Place::Cause(Cause::Parent) => "source.parent_event_id",
            Place::Cause(Cause::Started) => "source.started_event_id",
            Place::Cause(Cause::Previous) => "source.previous_event_id",
            Place::Cause(Cause::Trigger) => "source.triggered_by_event_id",
            Place::Trace => "source.trace_id",
            Place::Span => "source.span_id",
            Place::ParentSpan => "source.parent_span_id",
            _ => return Some(json),
        };
        self.attr(field, name, json)
    }
}
