//! Which API an answer or a frame comes from, by what it holds.

use serde_json::Value as Json;

use super::{Answer, Api};
use crate::event::{Attrs, FinishReason, Usage, Value};
use crate::semconv;

/// The API of a whole answer.
pub(super) fn api_of_answer(answer: &Json) -> Option<Api> {
    let has = |name: &str| answer.get(name).is_some();
    let is = |name: &str, value: &str| answer.get(name).and_then(Json::as_str) == Some(value);
    let inside = |place: &str| answer.pointer(place).is_some();
    Some(match () {
        () if has("choices") => Api::OpenAiChat,
        () if is("object", "response") => Api::OpenAiResponses,
        () if has("candidates") || has("usageMetadata") || has("promptFeedback") => Api::Gemini,
        () if is("type", "message") || has("stop_reason") => Api::AnthropicMessages,
        () if has("stopReason") || inside("/output/message") => Api::BedrockConverse,
        () if has("done") => Api::Ollama,
        () if inside("/usage/billed_units") || inside("/message/tool_plan") => Api::Cohere,
        () if has("finish_reason") && has("message") => Api::Cohere,
        () if is("object", "list") || has("embeddings") => Api::OpenAiEmbeddings,
        () => return None,
    })
}

/// The API of a frame of a stream.
pub(crate) fn api_of_frame(frame: &Json) -> Option<Api> {
    const BEDROCK: [&str; 6] = [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    match frame.get("type").and_then(Json::as_str) {
        Some(kind) if kind.starts_with("response.") => return Some(Api::OpenAiResponses),
        Some(
            "message-start" | "content-start" | "content-delta" | "content-end" | "tool-plan-delta"
            | "tool-call-start" | "tool-call-delta" | "tool-call-end" | "message-end",
        ) => return Some(Api::Cohere),
        Some(
            "message_start"
            | "content_block_start"
            | "content_block_delta"
            | "content_block_stop"
            | "message_delta"
            | "message_stop"
            | "ping",
        ) => return Some(Api::AnthropicMessages),
        _ => {}
    }
    if BEDROCK.iter().any(|name| frame.get(name).is_some()) {
        return Some(Api::BedrockConverse);
    }
    api_of_answer(frame)
}

/// What answers have in common, for one of no known shape.
pub(super) fn common(answer: &Json) -> Answer {
    let text = |places: &[&str]| {
        let found = places.iter().find_map(|at| answer.pointer(at)?.as_str());
        found.filter(|text| !text.is_empty())
    };
    let mut attrs = Attrs::new();
    if let Some(id) = text(&["/id", "/responseId"]) {
        attrs.set(semconv::GEN_AI_RESPONSE_ID, id);
    }
    if let Some(model) = text(&["/model", "/modelVersion"]) {
        attrs.set(semconv::GEN_AI_RESPONSE_MODEL, model);
    }
    let reason = text(&["/finish_reason", "/done_reason"]);
    if let Some(reason) = reason {
        attrs.set(
            semconv::GEN_AI_RESPONSE_FINISH_REASONS,
            Value::Array(vec![reason.into()]),
        );
    }
    let usage = Usage::from_json(answer).unwrap_or_default();
    for (name, count) in usage.counts() {
        attrs.set(name, count);
    }
    Answer {
        attrs,
        usage,
        finish_reasons: reason.map(FinishReason::from).into_iter().collect(),
        complete: true,
        ..Answer::default()
    }
}
