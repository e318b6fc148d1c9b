//! What a request and an answer tell.

use serde_json::Value as Json;

use crate::event::{Attrs, Usage};

/// What a request tells of the call.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Request {
    /// `gen_ai.operation.name`, provider, server, model and parameters: everything but content.
    pub attrs: Attrs,
    /// Messages, system instructions and tool definitions: `gen_ai.input.messages` and the like. Empty unless asked for.
    pub content: Attrs,
    /// Whether the answer is to come in pieces.
    pub streaming: bool,
    /// How much text the messages hold.
    pub text: TextSize,
}

/// What an answer tells of the call.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// `gen_ai.response.*` and `gen_ai.usage.*`: everything but content.
    pub attrs: Attrs,
    /// `gen_ai.output.messages`. Empty unless asked for.
    pub content: Attrs,
    /// The token counts that are in `attrs` too.
    pub usage: Usage,
    /// What the provider says went wrong: an error body, or an error in the stream.
    pub error: Option<ProviderError>,
    /// How much text the model wrote.
    pub text: TextSize,
    /// The provider said that this is the end. False for a stream that was cut.
    pub complete: bool,
    /// Counts that made no sense and were left out: negative, textual, parts larger than their whole.
    pub refused: u32,
}

/// An error as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderError {
    /// Its short, stable name: `rate_limit_exceeded`, `overloaded_error`, `ThrottlingException`.
    pub kind: String,
    /// Its text. Content: it may quote the request.
    pub message: Option<String>,
}

/// How much text there is, for estimates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextSize {
    /// Characters.
    pub chars: u64,
    /// Words: runs of anything but white space.
    pub words: u64,
}

impl Answer {
    /// Reads an answer whose API is not known, by its shape.
    pub fn guess(_answer: &Json) -> Self {
        Self::default()
    }
}
