//! What a request and an answer tell.

use std::fmt;

use serde_json::Value as Json;

use super::draft::Want;
use super::text::TextSize;
use super::{error, fold::Fold, guess};
use crate::event::{Attrs, FinishReason, Usage, Value};
use crate::semconv;

/// What a request tells of the call.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// `gen_ai.operation.name`, provider, server, model and parameters: everything but content.
    pub attrs: Attrs,
    /// Messages, system instructions and tool definitions: `gen_ai.input.messages` and the like, as structured values in the
    /// form of the conventions' message schemas. Empty unless asked for.
    pub content: Attrs,
    /// Whether the answer is to come in pieces.
    pub streaming: bool,
    /// How much text the messages hold. Zero unless asked for, with [`Endpoint::measuring`](super::Endpoint::measuring).
    pub text: TextSize,
}

/// What an answer tells of the call.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// `gen_ai.response.*` and `gen_ai.usage.*`: everything but content. Finish reasons are the provider's own words.
    pub attrs: Attrs,
    /// `gen_ai.output.messages`, as a structured value in the form of the conventions' message schema. Empty unless asked for.
    pub content: Attrs,
    /// The token counts that are in `attrs` too.
    pub usage: Usage,
    /// Why the model stopped, in one vocabulary, one for each choice: [`FinishReason::Error`] for a choice that has not ended.
    /// A plain stop with tool calls reads as [`FinishReason::ToolCalls`].
    pub finish_reasons: Vec<FinishReason>,
    /// What the provider says went wrong: an error body, or an error in the stream.
    pub error: Option<ProviderError>,
    /// How much text the model wrote. Zero unless asked for, with [`Endpoint::measuring`](super::Endpoint::measuring);
    /// [`guess`](Self::guess) always measures.
    pub text: TextSize,
    /// The provider said that this is the end. False for a stream that was cut.
    pub complete: bool,
    /// Counts that made no sense and were left out: negative, textual, fractional, above 2^53, parts larger than their whole.
    pub refused: u32,
    /// What could not be read: a frame or an answer that is no JSON or larger than [`Reader::LIMIT`](super::Reader::LIMIT), a
    /// binary frame with a wrong checksum, content larger than that limit (which is left out whole).
    pub unread: u32,
}

/// An error as the provider tells it. Its `Debug` leaves the message out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderError {
    /// Its short, stable name: `rate_limit_exceeded`, `overloaded_error`, `ThrottlingException`. `_OTHER`, the conventions'
    /// fallback, where the provider tells a sentence only (Ollama, Cohere): the HTTP status says more then.
    pub kind: String,
    /// Its text. Content: it may quote the request.
    pub message: Option<String>,
}

/// A tool call the model asks for. Its `Debug` leaves the arguments out.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ToolCall {
    /// Its id. Gemini and Ollama may send none.
    pub id: Option<String>,
    /// The tool.
    pub name: String,
    /// The arguments, parsed; the text itself if it is no JSON.
    pub arguments: Json,
}

impl Answer {
    /// Reads an answer whose API is not known, by its shape. What fits no shape is searched for a usage object, a model and
    /// an id.
    ///
    /// ```
    /// use tracing_genai::provider::Answer;
    ///
    /// let answer = Answer::guess(&serde_json::json!({
    ///     "id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "content": [], "stop_reason": "end_turn",
    ///     "usage": {"input_tokens": 52, "cache_read_input_tokens": 1_200, "output_tokens": 61},
    /// }));
    /// assert_eq!(answer.usage.input_tokens, Some(1_252));
    /// ```
    pub fn guess(answer: &Json) -> Self {
        Self::guess_wanting(answer, true, false)
    }

    /// The same; texts are measured only where `size` asks for it, and kept only where `content` does.
    pub(crate) fn guess_wanting(answer: &Json, size: bool, content: bool) -> Self {
        if let Some(error) = error::of(answer) {
            return Self {
                error: Some(error),
                complete: true,
                ..Self::default()
            };
        }
        match guess::api_of_answer(answer) {
            Some(api) => {
                let want = Want {
                    size,
                    content,
                    ..Want::default()
                };
                Fold::whole(api, "", want, answer)
            }
            None => guess::common(answer),
        }
    }

    /// The tool calls the model asks for, of all choices. Arguments are content, so there are none unless content was asked
    /// for.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        let messages = self.content.get(semconv::GEN_AI_OUTPUT_MESSAGES);
        let messages = messages.and_then(Value::as_array).unwrap_or_default();
        let parts = messages.iter().flat_map(|message| match message {
            Value::Json(message) => message["parts"].as_array().map_or(&[][..], Vec::as_slice),
            _ => &[],
        });
        parts
            .filter(|part| part["type"] == "tool_call")
            .map(|part| ToolCall {
                id: part["id"].as_str().map(str::to_owned),
                name: part["name"].as_str().unwrap_or_default().to_owned(),
                arguments: part["arguments"].clone(),
            })
            .collect()
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderError")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
