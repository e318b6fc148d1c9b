//! One event of the protocol.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};

/// An [AG-UI event](https://docs.ag-ui.com/concepts/events): a type, and the fields the protocol gives it.
///
/// It serialises to the protocol's JSON, `type` first. `Debug` shows the type and the ids, never a delta, a result or a message.
#[derive(Clone, PartialEq)]
pub struct AgUiEvent {
    ty: &'static str,
    fields: Map<String, Json>,
}

impl AgUiEvent {
    pub(super) fn new<const N: usize>(
        ty: &'static str,
        time: SystemTime,
        fields: [(&str, Json); N],
    ) -> Self {
        let mut all = Map::new();
        for (name, value) in fields {
            all.insert(name.to_owned(), value);
        }
        // Whole milliseconds, as `Date.now()` gives them; before 1970 nobody watched.
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        all.insert("timestamp".to_owned(), ms.into());
        Self { ty, fields: all }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The type: `RUN_STARTED`, `TEXT_MESSAGE_CONTENT`.
    pub fn event_type(&self) -> &'static str {
        self.ty
    }

    /// A field: `messageId`, `delta`, `toolCallId`.
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.fields.get(name)
    }

    /// The event as a message of a `text/event-stream`: a `data:` line of JSON, and an empty line.
    pub fn to_sse(&self) -> String {
        // JSON escapes line breaks, and maps of strings always serialise.
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("data: {json}\n\n")
    }
}

impl Serialize for AgUiEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 1))?;
        map.serialize_entry("type", self.ty)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl fmt::Debug for AgUiEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct(self.ty);
        for name in ["runId", "messageId", "toolCallId"] {
            if let Some(Json::String(id)) = self.fields.get(name) {
                out.field(name, id);
            }
        }
        out.finish_non_exhaustive()
    }
}
