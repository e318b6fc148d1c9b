//! Anthropic messages: blocks, each started, continued and stopped in a stream.

use serde_json::{Value as Json, json};

use super::super::content::{self, Content, items, text};
use super::super::draft::{Block, Draft, Kind};
use crate::semconv;

/// Reads the messages of a request.
pub(super) fn content(request: &Json, content: &mut Content) {
    let system = request.get("system");
    content.system.extend(text(system).map(content::text_part));
    content.system.extend(items(system).map(block));
    for message in items(request.get("messages")) {
        let role = text(message.get("role")).unwrap_or("user");
        let told = message.get("content");
        let mut parts: Vec<_> = text(told).map(content::text_part).into_iter().collect();
        parts.extend(items(told).map(block));
        content.messages.push(content::message(role, parts));
    }
    for tool in items(request.get("tools")) {
        content
            .tools
            .extend(content::definition(tool, &["/input_schema"]));
    }
}

fn block(block: &Json) -> Json {
    let kind = text(block.get("type")).unwrap_or("unknown");
    let known = match kind {
        "text" => text(block.get("text")).map(content::text_part),
        "thinking" => text(block.get("thinking")).map(content::reasoning),
        "tool_use" => {
            let name = text(block.get("name")).unwrap_or_default();
            Some(content::tool_call(
                text(block.get("id")),
                name,
                block.get("input"),
            ))
        }
        "tool_result" => {
            let result = block.get("content").map(result);
            Some(content::tool_response(
                text(block.get("tool_use_id")),
                result.as_ref(),
            ))
        }
        "image" | "document" => source(kind, block.get("source").unwrap_or(&Json::Null)),
        _ => None,
    };
    known.unwrap_or_else(|| content::generic(kind, block))
}

/// A text, or blocks; a single text block is its text.
fn result(told: &Json) -> Json {
    match told.as_array().map(Vec::as_slice) {
        Some([one]) if one.get("text").is_some() => one["text"].clone(),
        _ => told.clone(),
    }
}

fn source(modality: &str, source: &Json) -> Option<Json> {
    let mime = text(source.get("media_type"));
    match text(source.get("type"))? {
        "base64" => text(source.get("data")).map(|data| content::blob(mime, modality, data)),
        "url" => text(source.get("url")).map(|url| content::uri(mime, modality, url)),
        "file" => text(source.get("file_id")).map(|id| content::file(modality, id)),
        _ => None,
    }
}

/// Reads a whole answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    head(draft, answer);
    draft.choice(0);
    for (number, block) in items(answer.get("content")).enumerate() {
        let at = Block::Number(number as u64);
        match text(block.get("type")).unwrap_or_default() {
            "text" => draft.write(0, Kind::Text, at, block.get("text")),
            "thinking" => draft.write(0, Kind::Reasoning, at, block.get("thinking")),
            "tool_use" => draft.call(
                0,
                at,
                block.get("id"),
                block.get("name"),
                block.get("input"),
            ),
            "redacted_thinking" => {}
            kind => draft.other(0, content::generic(kind, block)),
        }
    }
    draft.finish(0, answer.get("stop_reason"));
}

fn head(draft: &mut Draft, message: &Json) {
    draft.first(semconv::GEN_AI_RESPONSE_ID, message.get("id"));
    draft.first(semconv::GEN_AI_RESPONSE_MODEL, message.get("model"));
    draft.usage(message.get("usage"));
}

/// Reads an event. Counts of `message_delta` replace those of `message_start`.
pub(super) fn frame(draft: &mut Draft, event: &str, frame: &Json) {
    let number = frame.get("index").and_then(Json::as_u64);
    let at = Block::Number(number.unwrap_or(0));
    match text(frame.get("type")).unwrap_or(event) {
        "message_start" => {
            draft.choice(0);
            head(draft, frame.get("message").unwrap_or(&Json::Null));
        }
        "content_block_start" => {
            let block = frame.get("content_block").unwrap_or(&Json::Null);
            match text(block.get("type")).unwrap_or_default() {
                "tool_use" => {
                    draft.call(
                        0,
                        at,
                        block.get("id"),
                        block.get("name"),
                        block.get("input"),
                    );
                }
                "text" | "thinking" | "redacted_thinking" => {
                    draft.write(0, Kind::Text, at, block.get("text"));
                }
                kind => draft.other(0, content::generic(kind, &json!({"type": kind}))),
            }
        }
        "content_block_delta" => {
            let delta = frame.get("delta").unwrap_or(&Json::Null);
            draft.write(0, Kind::Text, at, delta.get("text"));
            draft.write(0, Kind::Reasoning, at, delta.get("thinking"));
            draft.arguments(0, at, delta.get("partial_json"));
        }
        "message_delta" => {
            draft.usage(frame.get("usage"));
            draft.finish(0, frame.pointer("/delta/stop_reason"));
        }
        "message_stop" => draft.complete = true,
        _ => {}
    }
}
