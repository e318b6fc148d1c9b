//! Why a model stopped, in one vocabulary for all providers.
//!
//! Promise: known spellings become one of five words; an unknown one is kept as it came.
//! Never: changes what is exported. The provider's own word stays in the attributes.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Attrs, Value};
use crate::semconv;

/// Why a model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// It was done, or met a stop sequence.
    Stop,
    /// It ran out of tokens, its own or the context's.
    Length,
    /// It wants tools called.
    ToolCalls,
    /// The provider withheld or cut the answer: safety, recitation, refusal, guardrail.
    ContentFilter,
    /// The provider failed.
    Error,
    /// A word this version does not know, as it came.
    Other(Arc<str>),
}

impl FinishReason {
    /// Every choice's reason, from `gen_ai.response.finish_reasons`: a list, one string, or a list printed as JSON.
    pub fn from_attrs(attrs: &Attrs) -> Vec<Self> {
        match attrs.get(semconv::GEN_AI_RESPONSE_FINISH_REASONS) {
            Some(Value::Array(reasons)) => reasons
                .iter()
                .filter_map(Value::as_str)
                .map(Self::from)
                .collect(),
            Some(Value::Str(text)) if text.starts_with('[') => {
                serde_json::from_str(text).unwrap_or_default()
            }
            Some(Value::Str(text)) if !text.is_empty() => vec![text.as_ref().into()],
            _ => Vec::new(),
        }
    }

    /// The word of the conventions' message schemas, which differs in one: `tool_call`.
    pub(crate) fn message_word(&self) -> &str {
        match self {
            Self::ToolCalls => "tool_call",
            other => other.as_str(),
        }
    }

    /// The common word: `stop`, `length`, `tool_calls`, `content_filter`, `error`; an unknown one as it came.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
            Self::Other(raw) => raw,
        }
    }
}

/// Compares without case, hyphens, underscores and spaces, so that `tool_calls`, `ToolCalls` and `TOOL_CALLS` are one.
impl From<&str> for FinishReason {
    fn from(raw: &str) -> Self {
        // The longest known word has 29 letters; a longer text is not one of them.
        let word: String = raw
            .chars()
            .filter(|c| !matches!(c, '_' | '-' | ' '))
            .map(|c| c.to_ascii_lowercase())
            .take(32)
            .collect();
        match word.as_str() {
            "stop" | "endturn" | "stopsequence" | "complete" | "completed" | "finished" | "eos"
            | "eostoken" | "end" | "success" => Self::Stop,
            "length"
            | "maxtokens"
            | "modellength"
            | "maxoutputtokens"
            | "modelcontextwindowexceeded"
            | "contextlength"
            | "errorlimit" => Self::Length,
            "toolcalls" | "toolcall" | "tooluse" | "functioncall" => Self::ToolCalls,
            "contentfilter"
            | "contentfiltered"
            | "safety"
            | "refusal"
            | "recitation"
            | "blocklist"
            | "prohibitedcontent"
            | "spii"
            | "guardrailintervened"
            | "imagesafety"
            | "imageprohibitedcontent"
            | "imagerecitation"
            | "errortoxic" => Self::ContentFilter,
            "error"
            | "failed"
            | "malformedfunctioncall"
            | "unexpectedtoolcall"
            | "malformedmodeloutput"
            | "malformedtooluse" => Self::Error,
            _ => Self::Other(raw.into()),
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for FinishReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for FinishReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|raw| raw.as_str().into())
    }
}
