//! Bedrock Converse. Ids and models are not in its answers.

use serde_json::Value as Json;

use super::super::content::{self, Content, items, text};
use super::super::draft::{Block, Draft, Kind};

/// Reads the messages of a request.
pub(super) fn content(request: &Json, content: &mut Content) {
    content
        .system
        .extend(items(request.get("system")).map(part));
    for message in items(request.get("messages")) {
        let role = text(message.get("role")).unwrap_or("user");
        let parts = items(message.get("content")).map(part).collect();
        content.messages.push(content::message(role, parts));
    }
    for tool in items(request.pointer("/toolConfig/tools")) {
        let tool = tool.get("toolSpec").unwrap_or(tool);
        content
            .tools
            .extend(content::definition(tool, &["/inputSchema/json"]));
    }
}

fn part(part: &Json) -> Json {
    if let Some(said) = text(part.get("text")) {
        return content::text_part(said);
    }
    if let Some(call) = part.get("toolUse") {
        let name = text(call.get("name")).unwrap_or_default();
        return content::tool_call(text(call.get("toolUseId")), name, call.get("input"));
    }
    if let Some(result) = part.get("toolResult") {
        let told = result.get("content").map(result_of);
        return content::tool_response(text(result.get("toolUseId")), told.as_ref());
    }
    if let Some(thought) = text(part.pointer("/reasoningContent/reasoningText/text")) {
        return content::reasoning(thought);
    }
    for modality in ["image", "video", "document"] {
        if let Some(media) = part.get(modality) {
            let format = text(media.get("format"));
            let mime = format.map(|format| format!("{modality}/{format}"));
            let mime = mime.as_deref().filter(|_| modality != "document");
            if let Some(data) = text(media.pointer("/source/bytes")) {
                return content::blob(mime, modality, data);
            }
            if let Some(uri) = text(media.pointer("/source/s3Location/uri")) {
                return content::uri(mime, modality, uri);
            }
        }
    }
    content::generic("unknown", part)
}

/// A single text or value is taken out of its list.
fn result_of(told: &Json) -> Json {
    match told.as_array().map(Vec::as_slice) {
        Some([one]) => {
            let inside = one.get("json").or_else(|| one.get("text"));
            inside.unwrap_or(told).clone()
        }
        _ => told.clone(),
    }
}

/// Reads a whole answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    draft.usage(answer.get("usage"));
    draft.choice(0);
    for (number, block) in items(answer.pointer("/output/message/content")).enumerate() {
        let at = Block::Number(number as u64);
        if let Some(call) = block.get("toolUse") {
            draft.call(
                0,
                at,
                call.get("toolUseId"),
                call.get("name"),
                call.get("input"),
            );
        } else if block.get("text").is_some() {
            draft.write(0, Kind::Text, at, block.get("text"));
        } else if let Some(thought) = block.pointer("/reasoningContent/reasoningText/text") {
            draft.write(0, Kind::Reasoning, at, Some(thought));
        } else if block.get("reasoningContent").is_none() {
            draft.other(0, part(block));
        }
    }
    draft.finish(0, answer.get("stopReason"));
}

/// Reads an event: the payload of a binary frame, or an SDK's form of it, where the name is the one field. Usage comes after
/// the end of the message.
pub(super) fn frame(draft: &mut Draft, event: &str, frame: &Json) {
    let (event, frame) = match frame.as_object().and_then(|fields| fields.iter().next()) {
        Some((name, inside)) if event.is_empty() => (name.as_str(), inside),
        _ => (event, frame),
    };
    let number = frame.get("contentBlockIndex").and_then(Json::as_u64);
    let at = Block::Number(number.unwrap_or(0));
    match event {
        "messageStart" => draft.choice(0),
        "contentBlockStart" => {
            if let Some(call) = frame.pointer("/start/toolUse") {
                draft.call(0, at, call.get("toolUseId"), call.get("name"), None);
            }
        }
        "contentBlockDelta" => {
            let delta = frame.get("delta").unwrap_or(&Json::Null);
            draft.write(0, Kind::Text, at, delta.get("text"));
            draft.write(
                0,
                Kind::Reasoning,
                at,
                delta.pointer("/reasoningContent/text"),
            );
            draft.arguments(0, at, delta.pointer("/toolUse/input"));
        }
        "messageStop" => draft.finish(0, frame.get("stopReason")),
        "metadata" => {
            draft.usage(frame.get("usage"));
            draft.complete = true;
        }
        _ => {}
    }
}
