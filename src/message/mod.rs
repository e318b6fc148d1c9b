//! Chat messages: one form for all providers, the way in and out of theirs, and the way into a bounded attribute.
//!
//! Owns: [`Message`] and its [`Part`]s in the form of the OpenTelemetry GenAI conventions (`gen_ai.input.messages`,
//! `gen_ai.output.messages`, `gen_ai.system_instructions`); conversions from and to other formats; [`fit`], which makes JSON of
//! a bounded length; [`metadata`], which takes the content out; [`map_text`], which replaces text in place; the events of
//! [AG-UI](https://docs.ag-ui.com).
//! Promise: whatever the input, a conversion ends, keeps what it can, and says [where](Problem) something is wrong; what it gives
//! is valid against the conventions' schemas.
//! Never: sends, captures, or shows content in `Debug` or in an error. Whether content may leave the process is decided elsewhere.
//!
//! | Format | From | To |
//! | --- | --- | --- |
//! | OpenTelemetry's conventions | [`from_gen_ai`] | `serde`, [`fit`] |
//! | OpenAI chat; Mistral, Ollama, DeepSeek and others that speak it | [`from_openai`] | [`to_openai`] |
//! | OpenAI Responses | [`from_openai_responses`] | |
//! | Anthropic | [`from_anthropic`] | [`to_anthropic`] |
//! | Gemini | [`from_gemini`] | |
//! | AG-UI | [`from_ag_ui`] | [`to_ag_ui`], [`AgUi`] for events |
//!
//! ```
//! use serde_json::json;
//! use tracing_genai::message::{fit, from_anthropic, to_openai};
//!
//! let request = json!({
//!     "system": "You report the weather.",
//!     "messages": [
//!         {"role": "user", "content": "Weather in Paris?"},
//!         {"role": "assistant", "content": [
//!             {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
//!         ]},
//!     ],
//! });
//! let conversation = from_anthropic(&request).strict()?;
//! assert_eq!(conversation.messages[0].text(), "Weather in Paris?");
//!
//! let openai = to_openai(&conversation).strict()?;
//! assert_eq!(openai[2]["tool_calls"][0]["function"]["arguments"], "{\"city\":\"Paris\"}");
//!
//! let attribute = fit::messages(&conversation.messages, 16 * 1024)?;
//! assert!(attribute.cut.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ag_ui;
mod anthropic;
mod conversation;
mod convert;
mod delta;
pub mod fit;
mod gemini;
mod gen_ai;
#[expect(clippy::module_inception, reason = "the module is about messages")]
mod message;
mod metadata;
mod openai;
mod part;
mod reading;
mod responses;
mod role;
mod texts;
mod tools;

use serde_json::Value as Json;

pub use self::{
    ag_ui::{AgUi, AgUiEvent, AgUiStream, from_ag_ui, to_ag_ui},
    anthropic::{from_anthropic, to_anthropic},
    conversation::Conversation,
    convert::{ConvertError, Converted, Problem, Reason},
    delta::{Delta, DeltaError},
    gemini::from_gemini,
    gen_ai::from_gen_ai,
    message::Message,
    metadata::{metadata, metadata_of_parts},
    openai::{from_openai, to_openai},
    part::{Content, Modality, Part},
    reading::MAX_DEPTH,
    responses::from_openai_responses,
    role::Role,
    texts::map_text,
    tools::{plain_tools, tool_definitions},
};

/// Arguments as the JSON text that OpenAI and AG-UI want. Text that is no JSON is what the model wrote, and goes as it is.
fn arguments_text(arguments: &Json) -> String {
    match arguments {
        Json::Null => "{}".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
