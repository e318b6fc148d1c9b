//! Ollama's own API: a line of JSON a frame, the last with the counts.

use serde_json::Value as Json;

use super::super::content::{items, text};
use super::super::draft::{Block, Draft, Kind};
use crate::semconv;

/// Reads a whole answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    draft.first(semconv::GEN_AI_RESPONSE_MODEL, answer.get("model"));
    draft.choice(0);
    let message = answer.get("message").unwrap_or(answer);
    draft.write(0, Kind::Reasoning, Block::Last, message.get("thinking"));
    draft.write(0, Kind::Text, Block::Last, message.get("content"));
    // `/api/generate` has a text instead of a message.
    draft.write(0, Kind::Text, Block::Last, answer.get("response"));
    for call in items(message.get("tool_calls")) {
        let function = call.get("function").unwrap_or(&Json::Null);
        let id = Some(call.get("id").unwrap_or(&Json::Null)).filter(|id| text(Some(id)).is_some());
        let block = Block::Number(draft.parts(0));
        draft.call(
            0,
            block,
            id,
            function.get("name"),
            function.get("arguments"),
        );
    }
    if answer.get("done").and_then(Json::as_bool) == Some(true) {
        draft.usage(Some(answer));
        draft.finish(0, answer.get("done_reason"));
        draft.complete = true;
    }
}

/// Reads a line of a stream.
pub(super) fn frame(draft: &mut Draft, _: &str, frame: &Json) {
    whole(draft, frame);
}
