//! What a request says to a model, or a model answers.

use std::fmt;

use serde_json::{Value as Json, json};

use super::{Message, Part};

/// Messages in their order, and the instructions that some formats keep apart from them.
///
/// `system` is what `gen_ai.system_instructions` holds: instructions that are no message. Formats that have them among the
/// messages (OpenAI's chat, AG-UI) leave it empty.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Conversation {
    /// Instructions apart from the messages.
    pub system: Vec<Part>,
    /// The messages, oldest first.
    pub messages: Vec<Message>,
}

impl Conversation {
    /// A conversation without instructions apart.
    pub fn new(messages: Vec<Message>) -> Self {
        let system = Vec::new();
        Self { system, messages }
    }

    /// With instructions apart from the messages.
    #[must_use]
    pub fn with_system(mut self, system: Vec<Part>) -> Self {
        self.system = system;
        self
    }

    /// The JSON of `gen_ai.system_instructions`, for a request.
    pub fn system_instructions(&self) -> Json {
        json!(self.system)
    }

    /// The JSON of `gen_ai.input.messages`, for a request.
    pub fn input_messages(&self) -> Json {
        json!(self.messages)
    }

    /// The JSON of `gen_ai.output.messages`, for an answer. The conventions' schema requires a finish reason; a message without
    /// one was not finished as far as anybody knows, and has `error`.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracing_genai::message::from_openai;
    ///
    /// let answer = json!({"choices": [{"message": {"role": "assistant", "content": "14 °C"}, "finish_reason": "stop"}]});
    /// assert_eq!(
    ///     from_openai(&answer).strict()?.output_messages(),
    ///     json!([{"role": "assistant", "parts": [{"type": "text", "content": "14 °C"}], "finish_reason": "stop"}])
    /// );
    /// # Ok::<(), tracing_genai::message::ConvertError>(())
    /// ```
    pub fn output_messages(&self) -> Json {
        let mut messages = self.input_messages();
        for message in messages.as_array_mut().into_iter().flatten() {
            if message["finish_reason"].is_null() {
                message["finish_reason"] = "error".into();
            }
        }
        messages
    }

    /// The same with nothing in it that the conventions do not name; see [`Message::plain`].
    #[must_use]
    pub fn plain(self) -> Self {
        Self {
            system: self.system.into_iter().map(Part::plain).collect(),
            messages: self.messages.into_iter().map(Message::plain).collect(),
        }
    }
}

impl From<Vec<Message>> for Conversation {
    fn from(messages: Vec<Message>) -> Self {
        Self::new(messages)
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("system", &self.system)
            .field("messages", &self.messages)
            .finish()
    }
}
