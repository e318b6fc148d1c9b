//! OpenAI responses: items in, items out, and events that end with the whole response.

use serde_json::{Value as Json, json};

use super::super::content::{self, Content, items, text};
use super::super::draft::{Block, Draft, Kind};
use super::super::error;
use crate::semconv;

/// Reads the messages of a request.
pub(super) fn content(request: &Json, content: &mut Content) {
    if let Some(instructions) = text(request.get("instructions")) {
        content.system.push(content::text_part(instructions));
    }
    if let Some(input) = text(request.get("input")) {
        let part = content::text_part(input);
        content.messages.push(content::message("user", vec![part]));
    }
    content
        .messages
        .extend(items(request.get("input")).map(item));
    for tool in items(request.get("tools")) {
        content
            .tools
            .extend(content::definition(tool, &["/parameters"]));
    }
}

fn item(item: &Json) -> Json {
    let id = text(item.get("call_id"));
    match text(item.get("type")).unwrap_or("message") {
        "message" => {
            let role = text(item.get("role")).unwrap_or("user");
            let told = item.get("content");
            let mut parts: Vec<_> = text(told).map(content::text_part).into_iter().collect();
            parts.extend(items(told).map(part));
            content::message(role, parts)
        }
        "function_call" | "custom_tool_call" => {
            let name = text(item.get("name")).unwrap_or_default();
            let arguments = item.get("arguments").or_else(|| item.get("input"));
            let arguments = arguments.map(content::arguments);
            content::message(
                "assistant",
                vec![content::tool_call(id, name, arguments.as_ref())],
            )
        }
        "function_call_output" | "custom_tool_call_output" => {
            content::message("tool", vec![content::tool_response(id, item.get("output"))])
        }
        "reasoning" => {
            let summary = items(item.get("summary")).filter_map(|part| text(part.get("text")));
            content::message("assistant", summary.map(content::reasoning).collect())
        }
        kind => content::message("assistant", vec![content::generic(kind, item)]),
    }
}

fn part(part: &Json) -> Json {
    let kind = text(part.get("type")).unwrap_or("unknown");
    let known = match kind {
        "input_text" | "output_text" | "text" => text(part.get("text")).map(content::text_part),
        "input_image" => match (text(part.get("image_url")), text(part.get("file_id"))) {
            (Some(url), _) => Some(content::uri(None, "image", url)),
            (None, Some(id)) => Some(content::file("image", id)),
            (None, None) => None,
        },
        "input_file" => text(part.get("file_id")).map(|id| content::file("document", id)),
        "refusal" => {
            text(part.get("refusal")).map(|refusal| json!({"type": "refusal", "content": refusal}))
        }
        _ => None,
    };
    known.unwrap_or_else(|| content::generic(kind, part))
}

/// Reads a whole response.
pub(super) fn whole(draft: &mut Draft, response: &Json) {
    head(draft, response);
    draft.last(semconv::GEN_AI_RESPONSE_STATUS, response.get("status"));
    draft.usage(response.get("usage"));
    draft.choice(0);
    for (number, item) in items(response.get("output")).enumerate() {
        let block = Block::Number(number as u64);
        match text(item.get("type")).unwrap_or_default() {
            "message" => {
                for part in items(item.get("content")) {
                    draft.write(0, Kind::Text, block, part.get("text"));
                    draft.write(0, Kind::Refusal, block, part.get("refusal"));
                }
            }
            "reasoning" => {
                for part in items(item.get("summary")).chain(items(item.get("content"))) {
                    draft.write(0, Kind::Reasoning, block, part.get("text"));
                }
            }
            "function_call" | "custom_tool_call" => {
                let arguments = item.get("arguments").or_else(|| item.get("input"));
                draft.call(0, block, item.get("call_id"), item.get("name"), arguments);
            }
            kind => draft.other(0, content::generic(kind, item)),
        }
    }
    finish(draft, response);
}

/// The API has no finish reasons: the status says as much.
fn finish(draft: &mut Draft, response: &Json) {
    draft.derived_reasons = true;
    let status = response.get("status");
    match text(status) {
        Some("incomplete") => {
            let reason = response.pointer("/incomplete_details/reason");
            draft.finish(0, reason.or(status));
        }
        Some("completed" | "failed") => draft.finish(0, status),
        Some("cancelled") => draft.finish(0, Some(&"error".into())),
        _ => {}
    }
    if let Some(error) = response.get("error").filter(|error| error.is_object()) {
        draft.error(error::named(error));
    }
}

fn head(draft: &mut Draft, response: &Json) {
    draft.first(semconv::GEN_AI_RESPONSE_ID, response.get("id"));
    draft.first(semconv::GEN_AI_RESPONSE_MODEL, response.get("model"));
    let tier = response.get("service_tier");
    draft.last(semconv::OPENAI_RESPONSE_SERVICE_TIER, tier);
}

/// Reads an event.
pub(super) fn frame(draft: &mut Draft, event: &str, frame: &Json) {
    draft.derived_reasons = true;
    let number = frame.get("output_index").and_then(Json::as_u64);
    let block = Block::Number(number.unwrap_or(0));
    let delta = frame.get("delta");
    match text(frame.get("type")).unwrap_or(event) {
        "response.created" | "response.in_progress" | "response.queued" => {
            head(draft, frame.get("response").unwrap_or(&Json::Null));
        }
        "response.output_text.delta" => draft.write(0, Kind::Text, block, delta),
        "response.refusal.delta" => draft.write(0, Kind::Refusal, block, delta),
        "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" => {
            draft.write(0, Kind::Reasoning, block, delta);
        }
        "response.output_item.added" => {
            let item = frame.get("item").unwrap_or(&Json::Null);
            if matches!(
                text(item.get("type")),
                Some("function_call" | "custom_tool_call")
            ) {
                draft.call(0, block, item.get("call_id"), item.get("name"), None);
            }
        }
        "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
            draft.arguments(0, block, delta);
        }
        "response.completed" | "response.incomplete" | "response.failed" => {
            // It holds all there is, which came in pieces before.
            draft.restart();
            whole(draft, frame.get("response").unwrap_or(&Json::Null));
            draft.output = false;
            draft.complete = true;
        }
        "error" => draft.error(error::named(frame)),
        _ => {}
    }
}
