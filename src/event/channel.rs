//! The open, upper-case label a stream of events is sorted by.
//!
//! Promise: any text becomes a valid channel. Never: rejects one.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A channel: a default per subject, or any label of the application's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Channel(Cow<'static, str>);

macro_rules! channels {
    ($($name:ident: $doc:literal;)*) => {
        impl Channel {
            $(#[doc = $doc] pub const $name: Self = Self(Cow::Borrowed(stringify!($name)));)*

            /// The channels the subject table uses.
            pub const KNOWN: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

channels! {
    SYSTEM: "The process and this library; the default of events that name no channel.";
    LLM: "Model calls.";
    MCP: "Model Context Protocol.";
    API: "HTTP and RPC calls.";
    SECURITY: "Guardrails, alerts, processes, network.";
    TOOL: "Tool calls.";
    AGENT: "Agents, their executions and plans.";
    WORKFLOW: "Workflows.";
    STEP: "Steps and routing.";
    SESSION: "Sessions and turns.";
    MESSAGE: "Conversation messages.";
    RETRIEVAL: "Document look-ups.";
    MEMORY: "Memory.";
    EVALUATION: "Judgements.";
    HUMAN: "Requests to people and their answers.";
    A2A: "Agent to agent.";
    SKILL: "Skills.";
    CHECKPOINT: "Saved and restored state.";
}

impl Channel {
    /// A channel of this name: trimmed and upper-cased; empty text gives [`Channel::SYSTEM`].
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let trimmed = name.trim();
        if trimmed.is_empty() {
            Self::SYSTEM
        } else if trimmed.len() == name.len() && !trimmed.chars().any(char::is_lowercase) {
            Self(name)
        } else {
            Self(trimmed.to_uppercase().into())
        }
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::SYSTEM
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<&'static str> for Channel {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Channel {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Self::KNOWN
            .iter()
            .find(|known| known.as_str() == name)
            .cloned()
            .unwrap_or_else(|| Self::new(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_an_upper_case_channel() {
        assert_eq!(Channel::new("my_framework").as_str(), "MY_FRAMEWORK");
        assert_eq!(Channel::new(" llm "), Channel::LLM);
        assert_eq!(Channel::new("  "), Channel::SYSTEM);
    }
}
