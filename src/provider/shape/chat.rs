//! OpenAI chat completions, and the many that are compatible: legacy completions, Mistral; the messages of Ollama and Cohere
//! have the same form.

use serde_json::{Value as Json, json};

use super::super::content::{self, Content, items, text};
use super::super::draft::{Block, Draft, Kind};
use crate::semconv;

/// Reads the messages of a request.
pub(super) fn content(request: &Json, content: &mut Content) {
    for message in items(request.get("messages")) {
        content.messages.push(said(message));
    }
    tools(request, content);
}

/// Reads a prompt, which is a text or a list of them.
pub(super) fn prompt(request: &Json, content: &mut Content) {
    if let Some(system) = text(request.get("system")) {
        content.system.push(content::text_part(system));
    }
    let prompts = match request.get("prompt") {
        Some(Json::Array(prompts)) => prompts.iter().collect(),
        one => Vec::from_iter(one),
    };
    for prompt in prompts.into_iter().filter_map(Json::as_str) {
        let part = content::text_part(prompt);
        content.messages.push(content::message("user", vec![part]));
    }
}

fn tools(request: &Json, content: &mut Content) {
    for tool in items(request.get("tools")) {
        let tool = tool.get("function").unwrap_or(tool);
        content
            .tools
            .extend(content::definition(tool, &["/parameters"]));
    }
}

fn said(message: &Json) -> Json {
    let role = text(message.get("role")).unwrap_or("user");
    let told = message.get("content");
    if role == "tool" {
        let id = text(message.get("tool_call_id"));
        return content::message(
            role,
            vec![content::tool_response(id, told.map(result).as_ref())],
        );
    }
    let mut parts = Vec::new();
    for name in ["reasoning_content", "reasoning", "thinking", "tool_plan"] {
        parts.extend(text(message.get(name)).map(content::reasoning));
    }
    parts.extend(text(told).map(content::text_part));
    parts.extend(items(told).flat_map(part));
    // Ollama has images beside the text.
    for image in items(message.get("images")).filter_map(Json::as_str) {
        parts.push(content::blob(None, "image", image));
    }
    if let Some(refusal) = text(message.get("refusal")) {
        parts.push(json!({"type": "refusal", "content": refusal}));
    }
    for call in items(message.get("tool_calls")) {
        let function = call.get("function").unwrap_or(&Json::Null);
        let name = text(function.get("name")).unwrap_or_default();
        let arguments = function.get("arguments").map(content::arguments);
        parts.push(content::tool_call(
            text(call.get("id")),
            name,
            arguments.as_ref(),
        ));
    }
    content::message(role, parts)
}

/// A tool's result: a text, or a list of texts and documents. A single text is taken out of its list.
fn result(told: &Json) -> Json {
    match told.as_array().map(Vec::as_slice) {
        Some([one]) => {
            let places = ["/text", "/document/data"];
            let inside = places.iter().find_map(|place| one.pointer(place));
            inside.unwrap_or(told).clone()
        }
        _ => told.clone(),
    }
}

fn part(part: &Json) -> Vec<Json> {
    let kind = text(part.get("type")).unwrap_or("unknown");
    let one = match kind {
        "text" | "input_text" | "output_text" => text(part.get("text")).map(content::text_part),
        "image_url" => {
            let url = part
                .pointer("/image_url/url")
                .or_else(|| part.get("image_url"));
            text(url).map(|url| content::uri(None, "image", url))
        }
        "input_audio" => {
            let data = text(part.pointer("/input_audio/data"));
            let format = text(part.pointer("/input_audio/format"));
            let mime = format.map(|format| format!("audio/{format}"));
            data.map(|data| content::blob(mime.as_deref(), "audio", data))
        }
        "file" => text(part.pointer("/file/file_id")).map(|id| content::file("document", id)),
        "thinking" => {
            return thoughts(part)
                .map(|thought| content::reasoning(&thought))
                .collect();
        }
        _ => None,
    };
    vec![one.unwrap_or_else(|| content::generic(kind, part))]
}

/// A thought is a text, or a list of text parts (Mistral).
fn thoughts(part: &Json) -> impl Iterator<Item = String> + '_ {
    let thinking = part.get("thinking");
    let whole = text(thinking).map(str::to_owned);
    let listed = items(thinking).filter_map(|part| text(part.get("text")).map(str::to_owned));
    whole.into_iter().chain(listed)
}

/// Reads a whole answer.
pub(super) fn whole(draft: &mut Draft, answer: &Json) {
    read(draft, answer, "message");
}

/// Reads a frame of a stream.
pub(super) fn frame(draft: &mut Draft, _: &str, frame: &Json) {
    read(draft, frame, "delta");
}

fn read(draft: &mut Draft, answer: &Json, message: &str) {
    draft.first(semconv::GEN_AI_RESPONSE_ID, answer.get("id"));
    draft.first(semconv::GEN_AI_RESPONSE_MODEL, answer.get("model"));
    let (tier, print) = (answer.get("service_tier"), answer.get("system_fingerprint"));
    draft.last(semconv::OPENAI_RESPONSE_SERVICE_TIER, tier);
    draft.last(semconv::OPENAI_RESPONSE_SYSTEM_FINGERPRINT, print);
    draft.usage(answer.get("usage"));
    // Groq tells the usage of a stream in a place of its own.
    draft.usage(answer.pointer("/x_groq/usage"));
    draft.cost(answer.pointer("/usage/cost"));
    for (position, choice) in items(answer.get("choices")).enumerate() {
        let index = choice.get("index").and_then(Json::as_u64);
        let index = index.unwrap_or(position as u64);
        draft.choice(index);
        if let Some(message) = choice.get(message) {
            written(draft, index, message);
        }
        draft.write(index, Kind::Text, Block::Last, choice.get("text"));
        draft.finish(index, choice.get("finish_reason"));
    }
}

/// Where the numbers of calls that came without one begin; no provider's own is as high.
const UNNUMBERED: u64 = 1 << 32;

fn written(draft: &mut Draft, index: u64, message: &Json) {
    // Two names of one thing: some servers send both.
    let reasoning = message
        .get("reasoning_content")
        .filter(|text| text.is_string());
    let reasoning = reasoning.or_else(|| message.get("reasoning"));
    draft.write(index, Kind::Reasoning, Block::Last, reasoning);
    let content = message.get("content");
    draft.write(index, Kind::Text, Block::Last, content);
    for part in items(content) {
        draft.write(index, Kind::Text, Block::Last, part.get("text"));
        for thought in thoughts(part) {
            draft.write(index, Kind::Reasoning, Block::Last, Some(&thought.into()));
        }
    }
    draft.write(index, Kind::Refusal, Block::Last, message.get("refusal"));
    draft.write(
        index,
        Kind::Text,
        Block::Last,
        message.pointer("/audio/transcript"),
    );
    for call in items(message.get("tool_calls")) {
        let function = call.get("function").unwrap_or(&Json::Null);
        let block = match call.get("index").and_then(Json::as_u64) {
            Some(number) => Block::Number(number),
            // Whole answers, and servers that leave the number out: a name begins a call, what has none goes on with it.
            None if text(function.get("name")).is_some() => {
                Block::Number(UNNUMBERED + draft.parts(index))
            }
            None => Block::Last,
        };
        begun(draft, index, block, call.get("id"), function);
    }
    // The form before there were several tools.
    if let Some(function) = message.get("function_call").filter(|call| call.is_object()) {
        begun(draft, index, Block::Number(0), None, function);
    }
}

/// A tool call, or a piece of one: the first has a name.
fn begun(draft: &mut Draft, index: u64, block: Block, id: Option<&Json>, function: &Json) {
    let name = function.get("name");
    if text(name).is_some() && !draft.has_call(index, block) {
        draft.call(index, block, id, name, None);
    }
    match function.get("arguments") {
        // Some servers send them parsed.
        Some(whole @ Json::Object(_)) => {
            draft.arguments(index, block, Some(&whole.to_string().into()))
        }
        piece => draft.arguments(index, block, piece),
    }
}
