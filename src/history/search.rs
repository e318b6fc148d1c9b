//! Whether an event mentions a text.
//!
//! Promise: one meaning for every store: the text occurs, ASCII letters in any case, in the event's type, name, error,
//! agent, step, session, conversation or correlation, or in a value of its attributes or body, however deeply nested.
//! Never: matches keys, nor across two values.

use serde_json::Value as Json;

use crate::event::{Event, Value};

/// What is searched for. Empty text is in every event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needle(Box<[u8]>);

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// The needle as it occurs inside JSON text: wherever a value contains the needle, the value's JSON contains this.
    #[cfg(feature = "sqlite")]
    pub(super) fn in_json(text: &str) -> Self {
        let quoted = Json::from(text).to_string();
        Self::new(&quoted[1..quoted.len() - 1])
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let Some((first, rest)) = self.0.split_first() else {
            return true;
        };
        let (small, capital) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
        text.iter().enumerate().any(|(at, byte)| {
            (*byte == small || *byte == capital)
                && text[at + 1..]
                    .get(..rest.len())
                    .is_some_and(|part| part.eq_ignore_ascii_case(rest))
        })
    }

    pub(super) fn is_mentioned(&self, event: &Event) -> bool {
        let who = &event.who;
        let texts = [
            &who.agent_name,
            &who.agent_id,
            &who.step_name,
            &who.session_id,
            &who.conversation_id,
            &who.correlation_id,
        ];
        let error = event.error.as_ref();
        self.is_in(&event.ty.to_string())
            || self.is_in(&event.name)
            || error.is_some_and(|error| {
                self.is_in(&error.kind) || error.message.as_deref().is_some_and(|m| self.is_in(m))
            })
            || texts.into_iter().flatten().any(|text| self.is_in(text))
            || event.attrs.iter().any(|(_, value)| self.is_in_value(value))
            || event
                .body
                .as_ref()
                .is_some_and(|body| self.is_in_json(&body.0))
    }

    pub(crate) fn is_in_value(&self, value: &Value) -> bool {
        match value {
            Value::Str(text) => self.is_in(text),
            Value::Array(items) => items.iter().any(|item| self.is_in_value(item)),
            Value::Json(json) => self.is_in_json(json),
            // As their JSON: a float has its fraction, 1 is not 1.0.
            scalar => self.is_in_json(&scalar.to_json()),
        }
    }

    pub(crate) fn is_in_json(&self, json: &Json) -> bool {
        match json {
            Json::Null => false,
            Json::Bool(flag) => self.is_in(if *flag { "true" } else { "false" }),
            Json::Number(number) => self.is_in(&number.to_string()),
            Json::String(text) => self.is_in(text),
            Json::Array(items) => items.iter().any(|item| self.is_in_json(item)),
            Json::Object(fields) => fields.values().any(|field| self.is_in_json(field)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::event::{ErrorInfo, EventData, EventType};

    fn mentions(change: impl FnOnce(&mut EventData), needle: &str) -> bool {
        let ty = EventType::from_lossy("llm.call.failed");
        let mut data = EventData::new(ty, SystemTime::UNIX_EPOCH);
        change(&mut data);
        Needle::new(needle).is_mentioned(&data.into())
    }

    #[test]
    fn every_value_is_searched_and_no_key() {
        assert!(mentions(|_| (), "LLM.Call"));
        assert!(mentions(|_| (), ""));
        assert!(mentions(|e| e.name = "chat gpt".into(), "GPT"));
        assert!(mentions(
            |e| e.error = Some(ErrorInfo::new("timeout")),
            "TimeOut"
        ));
        assert!(mentions(|e| e.who.session_id = Some("abc".into()), "BC"));
        assert!(mentions(|e| e.attrs.set("a", 12.0), "12.0"));
        assert!(mentions(|e| e.attrs.set("a", vec![1, 22]), "22"));
        assert!(mentions(
            |e| e.body = Some(json!({"a": [{"b": "say \"no\""}]}).into()),
            "\"NO\""
        ));
        assert!(!mentions(|e| e.attrs.set("needle", 1), "needle"));
        assert!(!mentions(
            |e| e.body = Some(json!({"needle": [1, null]}).into()),
            "needle"
        ));
        assert!(!mentions(|e| e.attrs.set("a", "ab"), "ab\",\""));
        // Beyond ASCII, case counts.
        assert!(mentions(|e| e.attrs.set("a", "Äpfel"), "ÄPFEL"));
        assert!(!mentions(|e| e.attrs.set("a", "Äpfel"), "äpfel"));
    }
}
