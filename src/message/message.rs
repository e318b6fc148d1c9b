//! One message.
//!
//! Owns: the message of the conventions' schemas (`gen_ai.input.messages`, `gen_ai.output.messages`) and its JSON.
//! Never: shows content. `Debug` prints lengths.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value as Json};

use super::{Content, Part, Role};
use crate::event::FinishReason;

/// A message to or from a model: who says it, and what, in parts.
///
/// Its JSON is that of the OpenTelemetry GenAI conventions: `role`, `parts`, and where they are known `name` and
/// `finish_reason`; every other field of an object that was read is kept in `extra`.
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::{Message, Part};
///
/// let answer = Message::assistant("One moment.")
///     .part(Part::tool_call(Some("call_1"), "get_weather", json!({"city": "Paris"})))
///     .finish_reason("tool_calls");
/// assert_eq!(
///     serde_json::to_value(&answer)?,
///     json!({
///         "role": "assistant",
///         "parts": [
///             {"type": "text", "content": "One moment."},
///             {"type": "tool_call", "id": "call_1", "name": "get_weather", "arguments": {"city": "Paris"}},
///         ],
///         "finish_reason": "tool_call",
///     })
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What it says.
    pub parts: Vec<Part>,
    /// Which of several of that role.
    pub name: Option<String>,
    /// Why the model stopped, on its answers: `stop`, `length`, `content_filter`, `tool_call`, `error`.
    pub finish_reason: Option<String>,
    /// The message's own id, where its format has ids.
    pub id: Option<String>,
    /// Other fields of its JSON object.
    pub extra: Map<String, Json>,
}

const OWN: [&str; 5] = ["role", "parts", "name", "finish_reason", "id"];

impl Message {
    /// A message without parts.
    pub fn new(role: Role) -> Self {
        Self {
            role,
            parts: Vec::new(),
            name: None,
            finish_reason: None,
            id: None,
            extra: Map::new(),
        }
    }

    /// What a person, or a program, asks.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User).part(Part::text(text))
    }

    /// What the model answers.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant).part(Part::text(text))
    }

    /// The application's rules for the model.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System).part(Part::text(text))
    }

    /// The same, as newer OpenAI models call it.
    pub fn developer(text: impl Into<String>) -> Self {
        Self::new(Role::Developer).part(Part::text(text))
    }

    /// What the tool said that was called by `call_id`.
    pub fn tool(call_id: impl Into<String>, response: impl Into<Json>) -> Self {
        Self::new(Role::Tool).part(Part::tool_call_response(Some(call_id), response))
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Says which of several of that role it is from.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says why the model stopped, in any provider's word. The known ones become the conventions'; a plain stop of a message
    /// that calls tools reads as `tool_call`, as some providers say `stop` for both.
    #[must_use]
    pub fn finish_reason(mut self, word: &str) -> Self {
        self.finish_reason = Some(match FinishReason::from(word) {
            FinishReason::Stop if self.calls_tools() => "tool_call".to_owned(),
            FinishReason::ToolCalls => "tool_call".to_owned(),
            reason => reason.as_str().to_owned(),
        });
        self
    }

    /// Gives it an id.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The extra fields that are written. One that was set by hand does not stand beside the one it is named after.
    pub(super) fn extra_fields(&self) -> impl Iterator<Item = (&str, &Json)> {
        let fields = self.extra.iter().map(|(name, json)| (name.as_str(), json));
        fields.filter(|(name, _)| !OWN.contains(name))
    }

    /// All its text, without reasoning, tool calls and data.
    pub fn text(&self) -> String {
        self.parts.iter().filter_map(Part::as_text).collect()
    }

    /// Whether it calls tools of the application.
    pub fn calls_tools(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part.content, Content::ToolCall { .. }))
    }

    /// The same with nothing in it that the conventions do not name: no `id`, no extra fields, except on parts of a type they
    /// leave open. For attributes of spans, where signatures and cache marks are dead weight.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.id = None;
        self.extra = Map::new();
        self.parts = self.parts.into_iter().map(Part::plain).collect();
        self
    }
}

impl Part {
    /// The same with nothing in it that the conventions do not name; see [`Message::plain`].
    #[must_use]
    pub fn plain(mut self) -> Self {
        if !matches!(self.content, Content::Other { .. }) {
            self.extra = Map::new();
        }
        self
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", self.role.as_str())?;
        map.serialize_entry("parts", &self.parts)?;
        let named = [
            ("name", &self.name),
            ("finish_reason", &self.finish_reason),
            ("id", &self.id),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in self.extra_fields() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Strict: what is no message is an error. [`from_gen_ai`](super::from_gen_ai) keeps what it can.
impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        let mut read = super::from_gen_ai(&json)
            .strict()
            .map_err(de::Error::custom)?;
        match (read.messages.pop(), read.messages.is_empty()) {
            (Some(message), true) if json.is_object() => Ok(message),
            _ => Err(de::Error::custom("a message is an object")),
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Message");
        out.field("role", &self.role).field("parts", &self.parts);
        if let Some(reason) = &self.finish_reason {
            out.field("finish_reason", reason);
        }
        if !self.extra.is_empty() {
            out.field("extra", &format_args!("<{} fields>", self.extra.len()));
        }
        out.finish_non_exhaustive()
    }
}

/// The fields of a message that only the conventions' form knows by these names.
pub(super) fn extra_of(fields: &Map<String, Json>, known: &[&str]) -> Map<String, Json> {
    let mut extra = Map::new();
    for (name, value) in fields {
        let name = name.as_str();
        if !known.contains(&name) && !OWN.contains(&name) {
            extra.insert(name.to_owned(), value.clone());
        }
    }
    extra
}
