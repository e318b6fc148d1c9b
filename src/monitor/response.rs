//! What an answer tells of the call it answers.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use crate::semconv;
use crate::span::Call;

/// An answer of a model, as far as it can tell of the call. Everything has a default that tells nothing.
///
/// ```
/// use std::borrow::Cow;
/// use tracing_genai::{Call, event::Usage, monitor::LlmResponse};
///
/// struct Reply { text: String, prompt_tokens: u64, reply_tokens: u64 }
///
/// impl LlmResponse for Reply {
///     fn tell(&self, call: &Call) {
///         call.usage(Usage::new().input(self.prompt_tokens).output(self.reply_tokens));
///     }
///
///     fn text(&self) -> Option<Cow<'_, str>> {
///         Some(Cow::Borrowed(&self.text))
///     }
/// }
/// ```
pub trait LlmResponse {
    /// Puts what it knows on the call: usage, the model that answered, finish reasons.
    fn tell(&self, _call: &Call) {}

    /// What a guard reads. Asked for only where there is one.
    fn text(&self) -> Option<Cow<'_, str>> {
        None
    }
}

/// A provider's answer: everything [`Call::response`] reads. A guard reads the whole of it, as text.
impl LlmResponse for Json {
    fn tell(&self, call: &Call) {
        call.response(self);
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Owned(self.to_string()))
    }
}

/// Text alone tells no usage, so the call has none, and no cost.
impl LlmResponse for str {
    fn tell(&self, call: &Call) {
        call.content(semconv::GEN_AI_OUTPUT_MESSAGES, || {
            json!([{
                "role": "assistant",
                "parts": [{ "type": "text", "content": self }],
                // Nobody said why the model stopped.
                "finish_reason": "unknown",
            }])
        });
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl LlmResponse for String {
    fn tell(&self, call: &Call) {
        self.as_str().tell(call);
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self))
    }
}

impl LlmResponse for () {}

impl<T: LlmResponse + ?Sized> LlmResponse for &T {
    fn tell(&self, call: &Call) {
        (**self).tell(call);
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        (**self).text()
    }
}
