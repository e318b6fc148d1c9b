//! Frames: what a user of the application may see of a run, as it happens.
//!
//! Owns: the public form of an event, the six channels of user interfaces, a run as a stream, server-sent events.
//! Promise: a frame is made from the same event as everything else and says nothing the event does not; hidden events give
//! none; what is missing from a stream is counted in its place.
//! Never: needs a particular runtime, or a task of its own. What drives a stream is whoever polls it.
//!
//! ```text
//!  bus ─▶ Subscription ─▶ RunStream ─▶ Frame, Frame, … ─▶ Sse ─▶ "data: {…}\n\n"
//!                         (one trace)   the result
//! ```

mod channel;
mod delay;
mod item;
mod namespace;
mod run;
mod sse;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

pub use self::{
    channel::FrameChannel,
    item::FrameItem,
    run::{Frames, NoResult, RunState, RunStream, stream},
    sse::Sse,
};
use crate::event::{Attrs, Body, Event, EventId, EventType, SpanId, TraceId, Visibility};

/// An event as a user interface gets it.
///
/// Content is in it only where it is in the event, that is, where capturing it is switched on. `Debug` never shows it.
///
/// ```
/// use tracing_genai::event::{Event, EventData, EventType};
/// use tracing_genai::frame::{Frame, FrameChannel};
///
/// let mut chunk = EventData::new(EventType::parse("llm.call.chunk")?, std::time::SystemTime::UNIX_EPOCH);
/// chunk.body = Some("Paris".into());
/// let frame = Frame::of(&Event::new(chunk)).expect("it is not hidden");
/// assert_eq!((frame.channel, frame.content.as_deref()), (FrameChannel::Llm, Some("Paris")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Frame {
    /// The event's id.
    pub id: EventId,
    /// Its place in the order of the process, strictly increasing within a run; 0 when nobody counted.
    pub seq: u64,
    /// What happened.
    #[serde(rename = "type")]
    pub ty: EventType,
    /// Which part of an interface it is for.
    pub channel: FrameChannel,
    /// The workflow, agent and steps it happened in, outermost first.
    #[serde(default)]
    pub namespace: Vec<String>,
    /// When it happened; `timestamp` in RFC 3339 with `Z`.
    #[serde(rename = "timestamp", with = "rfc3339")]
    pub time: SystemTime,
    /// The `started` event of the enclosing span.
    #[serde(rename = "parent_id", skip_serializing_if = "Option::is_none")]
    pub parent: Option<EventId>,
    /// The event before it in the same execution.
    #[serde(rename = "previous_id", skip_serializing_if = "Option::is_none")]
    pub previous: Option<EventId>,
    /// The trace, in hexadecimal: which run it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The span, in hexadecimal: what the started, terminal and other frames of one thing have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The span's name: `chat gpt-4o`. Empty outside a span.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How long it took, in milliseconds; on terminal frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<f64>,
    /// The class of the error, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<String>,
    /// The event's attributes, under the names of the conventions: a JSON object.
    #[serde(default)]
    pub data: Attrs,
    /// What there is to print: a piece of an answer, a message, the words of an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Content that is no text: a list of documents, a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

impl Frame {
    /// The frame of an event; `None` for an event that is hidden from users.
    ///
    /// Alone, an event knows the workflow, agent and step it names itself; in a [`RunStream`] the namespace is the whole path.
    pub fn of(event: &Event) -> Option<Self> {
        Self::within(event, namespace::alone(event))
    }

    fn within(event: &Event, namespace: Vec<Arc<str>>) -> Option<Self> {
        if event.visibility == Visibility::Internal {
            return None;
        }
        let (content, body) = match &event.body {
            Some(Body(serde_json::Value::String(text))) => (Some(text.clone()), None),
            Some(Body(other)) => (None, Some(other.clone())),
            None => (None, None),
        };
        let error = event.error.as_ref();
        let words = || error.and_then(|error| error.message.as_deref().map(str::to_owned));
        Some(Self {
            id: event.id,
            seq: event.cursor,
            ty: event.ty.clone(),
            channel: FrameChannel::of(event),
            namespace: namespace.iter().map(|name| (**name).to_owned()).collect(),
            time: event.time,
            parent: event.cx.parent_event,
            previous: event.cx.previous,
            trace_id: (event.cx.trace != TraceId::INVALID).then(|| event.cx.trace.to_string()),
            span_id: (event.cx.span != SpanId::INVALID).then(|| event.cx.span.to_string()),
            name: (*event.name).to_owned(),
            duration_ms: event.duration.map(|lived| lived.as_micros() as f64 / 1e3),
            error_type: error.map(|error| (*error.kind).to_owned()),
            data: event.attrs.clone(),
            content: content.or_else(words),
            body,
        })
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content = self.content.as_ref().map(String::len);
        f.debug_struct("Frame")
            .field("seq", &self.seq)
            .field("type", &format_args!("{}", self.ty))
            .field("channel", &self.channel)
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("error_type", &self.error_type)
            .field("data", &self.data)
            .field("content_bytes", &content)
            .field("body", &self.body.clone().map(Body))
            .finish_non_exhaustive()
    }
}

mod rfc3339 {
    use std::time::SystemTime;

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use crate::event::{from_rfc3339, to_rfc3339};

    pub(super) fn serialize<S: Serializer>(
        time: &SystemTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_rfc3339(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SystemTime, D::Error> {
        from_rfc3339(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
