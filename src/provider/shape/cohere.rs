//! Cohere v2 chat. Its answers name no model.

use serde_json::Value as Json;

use super::super::content::{items, text};
use super::super::draft::{Block, Draft, Kind};
use crate::semconv;

/// Reads a whole answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    draft.first(semconv::GEN_AI_RESPONSE_ID, answer.get("id"));
    draft.usage(answer.get("usage"));
    draft.choice(0);
    let message = answer.get("message").unwrap_or(&Json::Null);
    draft.write(0, Kind::Reasoning, Block::Last, message.get("tool_plan"));
    let content = message.get("content");
    draft.write(0, Kind::Text, Block::Last, content);
    for part in items(content) {
        draft.write(0, Kind::Reasoning, Block::Last, part.get("thinking"));
        draft.write(0, Kind::Text, Block::Last, part.get("text"));
    }
    for (number, call) in items(message.get("tool_calls")).enumerate() {
        // After the parts above, whose blocks have no numbers.
        let block = Block::Number(number as u64);
        let (name, arguments) = (
            call.pointer("/function/name"),
            call.pointer("/function/arguments"),
        );
        draft.call(0, block, call.get("id"), name, arguments);
    }
    draft.finish(0, answer.get("finish_reason"));
}

/// Reads an event.
pub(super) fn frame(draft: &mut Draft, event: &str, frame: &Json) {
    let number = frame.get("index").and_then(Json::as_u64);
    let block = Block::Number(number.unwrap_or(0));
    let message = frame.pointer("/delta/message").unwrap_or(&Json::Null);
    match text(frame.get("type")).unwrap_or(event) {
        "message-start" => {
            draft.choice(0);
            draft.first(semconv::GEN_AI_RESPONSE_ID, frame.get("id"));
        }
        "content-start" | "content-delta" => {
            let content = message.get("content").unwrap_or(&Json::Null);
            draft.write(0, Kind::Reasoning, block, content.get("thinking"));
            draft.write(0, Kind::Text, block, content.get("text"));
        }
        "tool-plan-delta" => draft.write(0, Kind::Reasoning, Block::Last, message.get("tool_plan")),
        "tool-call-start" => {
            let call = message.get("tool_calls").unwrap_or(&Json::Null);
            let name = call.pointer("/function/name");
            draft.call(0, block, call.get("id"), name, None);
            draft.arguments(0, block, call.pointer("/function/arguments"));
        }
        "tool-call-delta" => {
            draft.arguments(0, block, message.pointer("/tool_calls/function/arguments"));
        }
        "message-end" => {
            draft.usage(frame.pointer("/delta/usage"));
            draft.finish(0, frame.pointer("/delta/finish_reason"));
            draft.complete = true;
        }
        _ => {}
    }
}
