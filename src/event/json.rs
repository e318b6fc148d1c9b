//! The JSON form of an event.
//!
//! Promise: written and read back, an event is equal to itself, but for what JSON cannot say: non-finite floats
//! become strings, years outside 0000 to 9999 are clamped, durations end at 584 years.
//! Documents of versions before 1.0 are read as well: they called three fields otherwise and need not have an id.
//! Never: accepts a document of a newer major version, which may mean something else.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{SpanId, TraceId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    Attrs, Body, Causality, Channel, ErrorInfo, EventData, EventId, EventType, Flavor, Kind, Level,
    Phase, Visibility, Who, time,
};

/// The version of the JSON form, `major.minor`. Minor versions add fields.
pub const SCHEMA_VERSION: &str = "1.0";

const MAJOR: &str = "1";

/// Before 1.0; also that of documents that do not say.
const FIRST: &str = "0";

#[derive(Serialize)]
struct Written<'a> {
    schema_version: &'static str,
    id: EventId,
    seq: u64,
    cursor: u64,
    #[serde(with = "rfc3339")]
    time: SystemTime,
    event_type: &'a EventType,
    kind: Kind,
    phase: &'a Phase,
    #[serde(skip_serializing_if = "str::is_empty")]
    flavor: &'a str,
    channel: &'a Channel,
    level: Level,
    visibility: Visibility,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_event: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_event: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_event: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    triggered_by: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<WrittenError<'a>>,
    #[serde(skip_serializing_if = "Attrs::is_empty")]
    attributes: &'a Attrs,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a serde_json::Value>,
}

#[derive(Serialize)]
struct WrittenError<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl Serialize for EventData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let span_id = |id: SpanId| (id != SpanId::INVALID).then(|| id.to_string());
        Written {
            schema_version: SCHEMA_VERSION,
            id: self.id,
            seq: self.seq,
            cursor: self.cursor,
            time: self.time,
            event_type: &self.ty,
            kind: self.kind,
            phase: &self.phase,
            flavor: self.flavor.as_str(),
            channel: &self.channel,
            level: self.level,
            visibility: self.visibility,
            trace_id: (self.cx.trace != TraceId::INVALID).then(|| self.cx.trace.to_string()),
            span_id: span_id(self.cx.span),
            parent_span_id: span_id(self.cx.parent_span),
            parent_event: self.cx.parent_event,
            started_event: self.cx.started_event,
            previous_event: self.cx.previous,
            triggered_by: self.cx.triggered_by,
            agent_name: self.who.agent_name.as_deref(),
            agent_id: self.who.agent_id.as_deref(),
            step_name: self.who.step_name.as_deref(),
            session_id: self.who.session_id.as_deref(),
            conversation_id: self.who.conversation_id.as_deref(),
            correlation_id: self.who.correlation_id.as_deref(),
            name: &self.name,
            duration_ns: self
                .duration
                .map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)),
            error: self.error.as_ref().map(|error| WrittenError {
                kind: &error.kind,
                message: error.message.as_deref(),
            }),
            attributes: &self.attrs,
            body: self.body.as_ref().map(|body| &body.0),
        }
        .serialize(serializer)
    }
}

/// What is absent takes the value a new event of the type would have.
#[derive(Deserialize)]
struct Read {
    #[serde(default)]
    schema_version: Option<String>,
    id: Option<EventId>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    cursor: u64,
    #[serde(with = "rfc3339", alias = "timestamp")]
    time: SystemTime,
    #[serde(alias = "type")]
    event_type: EventType,
    kind: Option<Kind>,
    phase: Option<Phase>,
    flavor: Option<String>,
    channel: Option<Channel>,
    level: Option<Level>,
    #[serde(default)]
    visibility: Visibility,
    trace_id: Option<String>,
    span_id: Option<String>,
    parent_span_id: Option<String>,
    parent_event: Option<EventId>,
    started_event: Option<EventId>,
    previous_event: Option<EventId>,
    triggered_by: Option<EventId>,
    agent_name: Option<String>,
    agent_id: Option<String>,
    step_name: Option<String>,
    session_id: Option<String>,
    conversation_id: Option<String>,
    correlation_id: Option<String>,
    #[serde(default)]
    name: String,
    duration_ns: Option<u64>,
    error: Option<ReadError>,
    #[serde(default, alias = "attrs")]
    attributes: Attrs,
    #[serde(default, deserialize_with = "present")]
    body: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ReadError {
    #[serde(rename = "type")]
    kind: String,
    message: Option<String>,
}

/// A field that is there is `Some`, even if it says `null`.
fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

fn hex<T, E: de::Error>(
    text: Option<String>,
    none: T,
    digits: usize,
    parse: fn(&str) -> Option<T>,
) -> Result<T, E> {
    match text {
        None => Ok(none),
        Some(text) if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            parse(&text).ok_or_else(|| E::custom("not a hexadecimal id"))
        }
        Some(_) => Err(E::custom(format_args!(
            "an id of {digits} hexadecimal digits was expected"
        ))),
    }
}

impl<'de> Deserialize<'de> for EventData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        let version = read.schema_version.as_deref().unwrap_or(FIRST);
        let major = version.split('.').next().unwrap_or(version);
        if major != MAJOR && major != FIRST {
            return Err(de::Error::custom(format_args!(
                "event schema {version:?} is not readable by this version, which reads up to {MAJOR}.x"
            )));
        }
        let id = match read.id {
            Some(id) => id,
            None if major == FIRST => EventId::generate(read.time),
            None => return Err(de::Error::missing_field("id")),
        };
        let shared = |text: Option<String>| text.map(Arc::<str>::from);
        let span_id = |text| {
            hex(text, SpanId::INVALID, 16, |text| {
                SpanId::from_hex(text).ok()
            })
        };
        let ty = read.event_type;
        Ok(Self {
            id,
            seq: read.seq,
            cursor: read.cursor,
            time: read.time,
            kind: read.kind.unwrap_or_else(|| ty.kind()),
            phase: read.phase.unwrap_or_else(|| ty.phase().clone()),
            flavor: read.flavor.map_or(Flavor::NONE, Flavor::from),
            channel: read.channel.unwrap_or_else(|| ty.subject().channel()),
            level: read.level.unwrap_or_else(|| ty.default_level()),
            visibility: read.visibility,
            cx: Causality {
                trace: hex(read.trace_id, TraceId::INVALID, 32, |text| {
                    TraceId::from_hex(text).ok()
                })?,
                span: span_id(read.span_id)?,
                parent_span: span_id(read.parent_span_id)?,
                parent_event: read.parent_event,
                started_event: read.started_event,
                previous: read.previous_event,
                triggered_by: read.triggered_by,
            },
            who: Who {
                agent_name: shared(read.agent_name),
                agent_id: shared(read.agent_id),
                step_name: shared(read.step_name),
                session_id: shared(read.session_id),
                conversation_id: shared(read.conversation_id),
                correlation_id: shared(read.correlation_id),
            },
            name: read.name.into(),
            duration: read.duration_ns.map(Duration::from_nanos),
            error: read.error.map(|error| ErrorInfo {
                kind: error.kind.into(),
                message: shared(error.message),
            }),
            attrs: read.attributes,
            body: read.body.map(Body),
            replay: false,
            ty,
        })
    }
}

mod rfc3339 {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        time: &SystemTime,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time::to_rfc3339(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SystemTime, D::Error> {
        time::from_rfc3339(&Cow::<'_, str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
