//! Gemini `generateContent`: every frame of a stream is an answer of its own, with counts that grow.

use serde_json::Value as Json;

use super::super::content::{self, Content, items, text};
use super::super::draft::{Block, Draft, Kind};
use crate::semconv;

/// Reads the messages of a request.
pub(super) fn content(request: &Json, content: &mut Content) {
    for name in ["systemInstruction", "system_instruction"] {
        let parts = request.get(name).and_then(|system| system.get("parts"));
        content.system.extend(items(parts).map(part));
    }
    for turn in items(request.get("contents")) {
        let role = match text(turn.get("role")) {
            Some("model") => "assistant",
            Some(role) => role,
            None => "user",
        };
        let parts = items(turn.get("parts")).map(part).collect();
        content.messages.push(content::message(role, parts));
    }
    for tool in items(request.get("tools")) {
        for function in items(tool.get("functionDeclarations")) {
            let places = ["/parameters", "/parametersJsonSchema"];
            content.tools.extend(content::definition(function, &places));
        }
    }
}

fn part(part: &Json) -> Json {
    if let Some(said) = text(part.get("text")) {
        return match part.get("thought") {
            Some(Json::Bool(true)) => content::reasoning(said),
            _ => content::text_part(said),
        };
    }
    if let Some(call) = part.get("functionCall") {
        let name = text(call.get("name")).unwrap_or_default();
        return content::tool_call(text(call.get("id")), name, call.get("args"));
    }
    if let Some(result) = part.get("functionResponse") {
        return content::tool_response(text(result.get("id")), result.get("response"));
    }
    if let Some(data) = part.get("inlineData") {
        let mime = text(data.get("mimeType"));
        let modality = content::modality(mime.unwrap_or_default());
        return content::blob(mime, modality, text(data.get("data")).unwrap_or_default());
    }
    if let Some(file) = part.get("fileData") {
        let mime = text(file.get("mimeType"));
        let modality = content::modality(mime.unwrap_or_default());
        return content::uri(
            mime,
            modality,
            text(file.get("fileUri")).unwrap_or_default(),
        );
    }
    content::generic("unknown", part)
}

/// Reads a whole answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    draft.first(semconv::GEN_AI_RESPONSE_ID, answer.get("responseId"));
    draft.first(semconv::GEN_AI_RESPONSE_MODEL, answer.get("modelVersion"));
    draft.usage(answer.get("usageMetadata"));
    for (position, candidate) in items(answer.get("candidates")).enumerate() {
        let index = candidate.get("index").and_then(Json::as_u64);
        let index = index.unwrap_or(position as u64);
        draft.choice(index);
        for part in items(candidate.pointer("/content/parts")) {
            written(draft, index, part);
        }
        draft.finish(index, candidate.get("finishReason"));
    }
    // A prompt that was refused has no candidates.
    draft.finish(0, answer.pointer("/promptFeedback/blockReason"));
}

fn written(draft: &mut Draft, index: u64, piece: &Json) {
    if piece.get("text").is_some() {
        let kind = match piece.get("thought") {
            Some(Json::Bool(true)) => Kind::Reasoning,
            _ => Kind::Text,
        };
        draft.write(index, kind, Block::Last, piece.get("text"));
    } else if let Some(call) = piece.get("functionCall") {
        let block = Block::Number(draft.parts(index));
        draft.call(
            index,
            block,
            call.get("id"),
            call.get("name"),
            call.get("args"),
        );
    } else if piece.get("thoughtSignature").is_none()
        || piece.as_object().is_some_and(|p| p.len() > 1)
    {
        draft.other(index, part(piece));
    }
}

/// Reads a frame of a stream.
pub(super) fn frame(draft: &mut Draft, _: &str, frame: &Json) {
    whole(draft, frame);
}
