//! The envelope: identity, time, place in the tree, attributes, content.
//!
//! Promise: an [`Event`] is immutable and one reference count to clone.
//! Never: shows content. `Debug` and `Display` print the length of bodies and error messages, not their text.

use std::{
    borrow::Cow,
    fmt,
    ops::Deref,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{SpanId, TraceId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Attrs, Channel, EventId, EventType, Kind, Level, Phase, Value, time};

/// One thing that happened. Cloning shares it.
#[derive(Clone, PartialEq)]
pub struct Event(Arc<EventData>);

impl Event {
    /// Freezes the data.
    pub fn new(data: EventData) -> Self {
        Self(Arc::new(data))
    }

    /// The data back, copied only if the event is shared.
    pub fn into_data(self) -> EventData {
        Arc::unwrap_or_clone(self.0)
    }
}

impl Deref for Event {
    type Target = EventData;

    fn deref(&self) -> &EventData {
        &self.0
    }
}

impl From<EventData> for Event {
    fn from(data: EventData) -> Self {
        Self::new(data)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One line: time, level, type, name. No attributes, no content.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        time::write_rfc3339(f, self.time)?;
        write!(f, " {} {}", self.level, self.ty)?;
        if !self.name.is_empty() {
            write!(f, " {}", crate::console::escape(&self.name))?;
        }
        Ok(())
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        EventData::deserialize(deserializer).map(Self::new)
    }
}

/// Everything an event carries.
///
/// Its JSON has the fields of [`EventData`] by name, ids in hexadecimal, the time in RFC 3339 with `Z`, and
/// [`SCHEMA_VERSION`](super::SCHEMA_VERSION); what is empty is left out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EventData {
    /// Its own identity; sorts by time.
    pub id: EventId,
    /// Its number on the thread it was emitted on, from 1; 0 when nobody counted.
    pub seq: u64,
    /// Its number in this process, strictly increasing in the order of the outlets; 0 when nobody counted.
    pub cursor: u64,
    /// When it happened.
    pub time: SystemTime,
    /// What happened.
    pub ty: EventType,
    /// Which component it is about.
    pub kind: Kind,
    /// Where in its subject's life.
    pub phase: Phase,
    /// Which dialect said it; empty for this library's own.
    pub flavor: Flavor,
    /// The label it is sorted by.
    pub channel: Channel,
    /// How serious it is.
    pub level: Level,
    /// Whether people-facing outlets show it.
    pub visibility: Visibility,
    /// Where it stands in the trace and what led to it.
    pub cx: Causality,
    /// Who did it.
    pub who: Who,
    /// The name of the span it belongs to, as exported: `chat gpt-4o`. Empty outside a span.
    pub name: Arc<str>,
    /// How long its subject lived; set on terminal events.
    pub duration: Option<Duration>,
    /// What went wrong.
    pub error: Option<ErrorInfo>,
    /// Everything else that is known, under the names of the conventions.
    pub attrs: Attrs,
    /// Content, if capturing it was switched on; already redacted.
    pub body: Option<Body>,
    /// It happened before and is shown again; see [`Bus::replay`](crate::bus::Bus::replay). Not part of its JSON.
    pub replay: bool,
}

impl EventData {
    /// An event of this type at this time: a fresh id; kind, phase, channel and level as the type implies;
    /// all else empty.
    pub fn new(ty: EventType, time: SystemTime) -> Self {
        Self {
            id: EventId::generate(time),
            seq: 0,
            cursor: 0,
            time,
            kind: ty.kind(),
            phase: ty.phase().clone(),
            flavor: Flavor::default(),
            channel: ty.subject().channel(),
            level: ty.default_level(),
            visibility: Visibility::Public,
            cx: Causality::default(),
            who: Who::default(),
            name: Arc::default(),
            duration: None,
            error: None,
            attrs: Attrs::new(),
            body: None,
            replay: false,
            ty,
        }
    }

    /// The attribute under `key`.
    pub fn attr(&self, key: &str) -> Option<&Value> {
        self.attrs.get(key)
    }

    /// About how many bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        let body = self.body.as_ref().map_or(0, |body| json_bytes(&body.0));
        size_of::<Self>() + self.attrs.bytes() + body
    }

    /// The time as RFC 3339 in UTC, nine digits of a second and `Z`.
    pub fn time_rfc3339(&self) -> String {
        time::to_rfc3339(self.time)
    }

    /// The time as text, as listeners of other systems write it: [`EventData::time_rfc3339`].
    pub fn timestamp(&self) -> String {
        self.time_rfc3339()
    }

    /// The type; prints as `llm.call.started`.
    pub fn event_type(&self) -> &EventType {
        &self.ty
    }

    /// Its own identity; prints as a UUID.
    pub fn event_id(&self) -> EventId {
        self.id
    }
}

/// About how many bytes a document holds.
pub(crate) fn json_bytes(json: &serde_json::Value) -> usize {
    bytes_below(json, 0)
}

/// What lies deeper than anybody reads counts nothing.
fn bytes_below(json: &serde_json::Value, depth: u8) -> usize {
    use serde_json::Value as Json;
    let inside = |item| {
        if depth < 64 {
            bytes_below(item, depth + 1)
        } else {
            0
        }
    };
    size_of::<Json>()
        + match json {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(inside).sum(),
            Json::Object(fields) => fields
                .iter()
                .map(|(key, item)| key.len() + inside(item))
                .sum(),
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        }
}

/// Where an event stands in its trace, and what led to it. Ids that are all zero mean "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Causality {
    /// The trace.
    pub trace: TraceId,
    /// The span it belongs to.
    pub span: SpanId,
    /// That span's parent.
    pub parent_span: SpanId,
    /// The `started` event of the enclosing span.
    pub parent_event: Option<EventId>,
    /// On terminal events, the `started` event of the same span.
    pub started_event: Option<EventId>,
    /// The event before it in the same execution.
    pub previous: Option<EventId>,
    /// The event named as its cause, which need not be in the same trace.
    pub triggered_by: Option<EventId>,
}

impl Default for Causality {
    fn default() -> Self {
        Self {
            trace: TraceId::INVALID,
            span: SpanId::INVALID,
            parent_span: SpanId::INVALID,
            parent_event: None,
            started_event: None,
            previous: None,
            triggered_by: None,
        }
    }
}

/// Who did it. Inherited from the enclosing spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Who {
    /// The agent's name.
    pub agent_name: Option<Arc<str>>,
    /// The agent's id.
    pub agent_id: Option<Arc<str>>,
    /// The step it happened in.
    pub step_name: Option<Arc<str>>,
    /// The user's session.
    pub session_id: Option<Arc<str>>,
    /// The conversation.
    pub conversation_id: Option<Arc<str>>,
    /// The application's own thread through its systems.
    pub correlation_id: Option<Arc<str>>,
}

/// What went wrong.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorInfo {
    /// The class of the error (`error.type`): few distinct values, no content.
    pub kind: Arc<str>,
    /// The error's own words, if capturing content was switched on.
    pub message: Option<Arc<str>>,
}

impl ErrorInfo {
    /// An error of this class, without a message.
    pub fn new(kind: impl Into<Arc<str>>) -> Self {
        Self {
            kind: kind.into(),
            message: None,
        }
    }

    /// Adds the error's own words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Arc<str>>) -> Self {
        self.message = Some(message.into());
        self
    }
}

impl fmt::Debug for ErrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ErrorInfo");
        out.field("kind", &self.kind);
        if let Some(message) = &self.message {
            out.field("message", &format_args!("<{} bytes>", message.len()));
        }
        out.finish()
    }
}

/// Content: prompts, answers, arguments, results, chunks.
#[derive(Clone, PartialEq)]
pub struct Body(pub serde_json::Value);

impl Body {
    /// The text, if the content is one string.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }
}

impl<T: Into<serde_json::Value>> From<T> for Body {
    fn from(content: T) -> Self {
        Self(content.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use serde_json::Value as Json;
        match &self.0 {
            Json::String(text) => write!(f, "Body(<{} bytes of text>)", text.len()),
            Json::Array(items) => write!(f, "Body(<{} items>)", items.len()),
            Json::Object(fields) => write!(f, "Body(<{} fields>)", fields.len()),
            Json::Null | Json::Bool(_) | Json::Number(_) => f.write_str("Body(<scalar>)"),
        }
    }
}

/// Whether people-facing outlets show an event. Logs, stores and exporters always have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Visibility {
    /// For everybody.
    #[default]
    Public,
    /// Not for users of the application.
    Internal,
}

impl Visibility {
    /// `public` or `internal`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
        }
    }
}

/// The dialect an event came from: `crew`, `pipeline`, `flow`. Empty for this library's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Flavor(Cow<'static, str>);

impl Flavor {
    /// This library's own.
    pub const NONE: Self = Self(Cow::Borrowed(""));

    /// A flavor of this name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// The name; empty for this library's own.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the library's own.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&'static str> for Flavor {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Flavor {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_content() {
        let mut data = EventData::new(
            EventType::from_lossy("llm.call.failed"),
            SystemTime::UNIX_EPOCH,
        );
        data.body = Some("CANARY".into());
        data.error = Some(ErrorInfo::new("timeout").with_message("CANARY"));
        let event = Event::new(data);
        let shown = format!("{event:?} {event:#?} {event}");
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(shown.contains("timeout"));
    }

    #[test]
    fn the_line_form_is_one_line_in_utc() {
        let mut data = EventData::new(
            EventType::from_lossy("llm.call.started"),
            SystemTime::UNIX_EPOCH,
        );
        data.name = "chat a\nb".into();
        assert_eq!(
            Event::new(data).to_string(),
            "1970-01-01T00:00:00.000000000Z INFO llm.call.started chat a\\nb"
        );
    }
}
