//! The event: what every outlet reads, one record per thing that happened.
//!
//! Owns: the envelope and its parts, the table of subjects, typed views, the JSON form.
//! Promise: cheap to share, comparable, and the same after a trip through JSON.
//! Never: knows who made an event or where it goes.

pub mod alias;
mod attrs;
mod channel;
mod content;
mod custom;
mod data;
mod event_type;
mod field_value;
mod finish_reason;
mod ids;
pub(crate) mod import;
mod json;
mod kind;
mod level;
mod pattern;
mod phase;
mod subject;
pub(crate) mod time;
pub(crate) mod usage;
mod value;
pub mod view;

#[doc(hidden)]
pub use self::custom::{check_keys, check_type};
pub use self::{
    alias::{Dialect, Resolved},
    attrs::{Attrs, Key},
    channel::Channel,
    custom::{CustomEvent, CustomView},
    data::{Body, Causality, ErrorInfo, Event, EventData, Flavor, Visibility, Who},
    event_type::{EventType, ParseEventTypeError},
    field_value::FieldValue,
    finish_reason::FinishReason,
    ids::{EventId, ParseEventIdError},
    import::{ImportError, MAX_DEPTH, import},
    json::SCHEMA_VERSION,
    kind::{Kind, ParseKindError},
    level::Level,
    pattern::Pattern,
    phase::Phase,
    subject::{SpanKind, Subject},
    usage::Usage,
    value::Value,
    view::*,
};
pub(crate) use self::{
    content::CONTENT,
    data::json_bytes,
    time::{from_rfc3339, to_rfc3339},
};
pub use opentelemetry::{SpanId, TraceId};
