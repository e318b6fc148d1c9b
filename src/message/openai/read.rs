//! From OpenAI's chat messages.

use serde_json::{Map, Value as Json};

use super::super::convert::{Converted, Place, Reason};
use super::super::message::extra_of;
use super::super::reading::{Found, Reading, document, find, messages, rest};
use super::super::{Content, Conversation, Message, Modality, Part, Role};

/// Fields of a message that are read; others are kept as extra fields.
const KNOWN: &[&str] = &[
    "role",
    "content",
    "name",
    "tool_name",
    "tool_calls",
    "tool_call_id",
    "function_call",
    "refusal",
    "reasoning_content",
    "reasoning",
    "thinking",
    // Lists that are empty nearly always, and what is no content.
    "annotations",
    "audio",
];

/// Where the reasoning of models is that show it: DeepSeek and vLLM, OpenRouter, Ollama.
const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];

/// Reads [OpenAI chat messages](https://platform.openai.com/docs/api-reference/chat): a list of messages, a request that holds
/// one as `messages`, an answer with its `choices`, or one message.
///
/// What Mistral, Ollama, DeepSeek and OpenRouter do differently is understood as well. The rules: a user's, system's or tool's
/// message needs content, an assistant's does not; a tool's message needs `tool_call_id` (Ollama's `tool_name` and the older
/// role `function` have none); arguments are JSON text, or kept as text. Parts of unknown types are kept as they are.
pub fn from_openai(json: &Json) -> Converted<Conversation> {
    document(json, |json, cx| {
        let messages = match json.get("choices") {
            Some(Json::Array(choices)) => answers(choices, cx),
            _ => request(json, cx),
        };
        Conversation::new(messages)
    })
}

fn answers(choices: &[Json], cx: &mut Reading) -> Vec<Message> {
    let root = Place::root("choices");
    let mut messages = Vec::new();
    for (at, choice) in choices.iter().enumerate() {
        let place = root.at(at);
        let inside = choice.get("message").unwrap_or(&Json::Null);
        if let Some(answer) = message(inside, &place.field("message"), cx) {
            messages.push(stopped(answer, choice.get("finish_reason")));
        }
    }
    messages
}

fn request(json: &Json, cx: &mut Reading) -> Vec<Message> {
    // Ollama's answer: the message beside why it stopped.
    if let (Some(inside), Some(reason)) = (json.get("message"), json.get("done_reason")) {
        let answer = message(inside, &Place::root("message"), cx);
        return answer
            .into_iter()
            .map(|answer| stopped(answer, Some(reason)))
            .collect();
    }
    let found: Found<'_> = find(json, "messages", cx);
    messages(found, cx, message)
}

fn stopped(message: Message, reason: Option<&Json>) -> Message {
    match reason.and_then(Json::as_str) {
        Some(word) => message.finish_reason(word),
        None => message,
    }
}

fn message(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Message> {
    let fields = cx.object(json, place)?;
    let role = match cx.required(fields, "role", place)? {
        "function" => Role::Tool,
        word => Role::from(word),
    };
    if let Role::Other(_) = role {
        cx.log.lost(&place.field("role"), Reason::UnknownRole);
        return None;
    }
    let mut message = Message::new(role);
    message.extra = extra_of(fields, KNOWN);
    message.id = cx.text(fields, "id", place).map(str::to_owned);
    cx.message_id(message.id.as_deref(), &place.field("id"));
    if message.role == Role::Tool {
        return tool_result(message, fields, place, cx);
    }
    message.name = cx.text(fields, "name", place).map(str::to_owned);
    if message.role == Role::Assistant {
        reasoning(&mut message, fields, place, cx);
    }
    let has_content = content(&mut message, fields, place, cx);
    if message.role == Role::Assistant {
        said_and_called(&mut message, fields, place, cx);
    } else if !has_content {
        cx.log.lost(&place.field("content"), Reason::Missing);
        return None;
    }
    Some(message)
}

fn reasoning(
    message: &mut Message,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) {
    for name in REASONING {
        // OpenRouter's `reasoning` is text; an object under the name is a setting, and not the model's words.
        if let Some(text) = fields.get(name).and_then(Json::as_str)
            && !text.is_empty()
        {
            message.parts.push(Part::reasoning(text));
            return;
        }
        if let Some(Json::Array(_) | Json::Number(_)) = fields.get(name) {
            cx.log.lost(&place.field(name), Reason::Not("a string"));
        }
    }
}

/// Reads `content`; false if there is none.
fn content(
    message: &mut Message,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) -> bool {
    let place = place.field("content");
    match fields.get("content") {
        None | Some(Json::Null) => false,
        Some(Json::String(text)) => {
            // Empty text beside tool calls is how some say that there is none.
            if !text.is_empty() || message.role != Role::Assistant {
                message.parts.push(Part::text(text.as_str()));
            }
            true
        }
        Some(Json::Array(list)) => {
            for (at, json) in list.iter().enumerate() {
                parts(&mut message.parts, json, &place.at(at), cx);
            }
            true
        }
        Some(_) => {
            cx.log.lost(&place, Reason::Not("a string or a list"));
            true
        }
    }
}

fn parts(out: &mut Vec<Part>, json: &Json, place: &Place<'_>, cx: &mut Reading) {
    let Some(fields) = cx.object(json, place) else {
        return;
    };
    // A part that is not as it should be is kept as it is.
    let known = match fields.get("type").and_then(Json::as_str) {
        Some("text") => fields
            .get("text")
            .and_then(Json::as_str)
            .map(|text| vec![Part::text(text).with_extra(rest(fields, &["type", "text"]))]),
        Some("image_url") => image(fields, place, cx).map(|part| vec![part]),
        Some("input_audio") => audio(fields, place, cx).map(|part| vec![part]),
        Some("file") => file(fields, place, cx).map(|part| vec![part]),
        Some("thinking") => thoughts(fields),
        _ => None,
    };
    match known {
        Some(parts) => out.extend(parts),
        None => out.extend(cx.other(json, place)),
    }
}

fn image(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let image = fields.get("image_url")?;
    // Mistral allows the address alone.
    let (url, extra) = match image {
        Json::String(url) => (url.as_str(), None),
        Json::Object(image) => (image.get("url")?.as_str()?, Some(rest(image, &["url"]))),
        _ => return None,
    };
    let part = cx.uri(Modality::Image, url, &place.field("image_url").field("url"));
    Some(part.with_extra(extra.into_iter().flatten()))
}

fn audio(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let audio = fields.get("input_audio")?.as_object()?;
    let data = audio.get("data")?.as_str()?;
    let mime = format!("audio/{}", audio.get("format")?.as_str()?);
    Some(cx.blob(Some(&mime), data, &place.field("input_audio").field("data")))
}

fn file(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let file = fields.get("file")?.as_object()?;
    let text = |name: &str| file.get(name).and_then(Json::as_str);
    let part = match (text("file_id"), text("file_data")) {
        (Some(id), _) => Part::file(Modality::Document, id),
        (None, Some(data)) => {
            let place = place.field("file");
            cx.uri(Modality::Document, data, &place.field("file_data"))
        }
        (None, None) => return None,
    };
    Some(part.with_extra(rest(file, &["file_id", "file_data"])))
}

/// Mistral's reasoning: a list of texts in a part of its own.
fn thoughts(fields: &Map<String, Json>) -> Option<Vec<Part>> {
    match fields.get("thinking")? {
        Json::String(text) => Some(vec![Part::reasoning(text.as_str())]),
        Json::Array(list) => list
            .iter()
            .map(|piece| Some(Part::reasoning(piece.get("text")?.as_str()?)))
            .collect(),
        _ => None,
    }
}

/// What only a model's message has.
fn said_and_called(
    message: &mut Message,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) {
    if let Some(refusal) = cx.text(fields, "refusal", place) {
        let said = Map::from_iter([("content".to_owned(), refusal.into())]);
        message.parts.push(Part::other("refusal", said));
    }
    // The answer as sound: an object on what a model said, with its data and what was said.
    if let Some(audio @ Json::Object(fields)) = fields.get("audio") {
        match fields.get("data").and_then(Json::as_str) {
            Some(data) => {
                let part = cx.blob(None, data, &place.field("audio").field("data"));
                message.parts.push(sound(part, fields));
            }
            None => {
                message.extra.insert("audio".to_owned(), audio.clone());
            }
        }
    }
    let list = place.field("tool_calls");
    for (at, json) in cx.items(fields, "tool_calls", place).iter().enumerate() {
        message.parts.extend(tool_call(json, &list.at(at), cx));
    }
    if let Some(call) = fields.get("function_call").filter(|call| !call.is_null()) {
        let place = place.field("function_call");
        message.parts.extend(function(call, None, &place, cx));
    }
}

fn sound(mut part: Part, fields: &Map<String, Json>) -> Part {
    if let Content::Blob { modality, .. } = &mut part.content {
        *modality = Modality::Audio;
    }
    part.with_extra(rest(fields, &["data"]))
}

fn tool_call(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let fields = cx.object(json, place)?;
    let id = cx.text(fields, "id", place);
    let part = match (fields.get("function"), fields.get("custom")) {
        (Some(call), _) => function(call, id, &place.field("function"), cx),
        // A custom tool's input is text by definition.
        (None, Some(Json::Object(call))) => {
            let place = place.field("custom");
            let name = cx.required(call, "name", &place)?;
            let input = call.get("input").cloned().unwrap_or_default();
            let kind = ("tool_type".to_owned(), Json::from("custom"));
            Some(Part::tool_call(id, name, input).with_extra([kind]))
        }
        (None, _) => {
            cx.log.lost(&place.field("function"), Reason::Missing);
            None
        }
    }?;
    cx.call(id, &place.field("id"));
    Some(part)
}

fn function(json: &Json, id: Option<&str>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let fields = cx.object(json, place)?;
    let name = cx.required(fields, "name", place)?;
    let arguments = match fields.get("arguments") {
        None => Json::Object(Map::new()),
        Some(arguments) => cx.arguments(arguments, &place.field("arguments")),
    };
    Some(Part::tool_call(id, name, arguments))
}

fn tool_result(
    mut message: Message,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) -> Option<Message> {
    let id = cx.text(fields, "tool_call_id", place);
    let name = cx.text(fields, "tool_name", place);
    let name = name.or_else(|| cx.text(fields, "name", place));
    if id.is_none() && name.is_none() {
        cx.log.lost(&place.field("tool_call_id"), Reason::Missing);
        return None;
    }
    let response = match fields.get("content") {
        None | Some(Json::Null) => {
            cx.log.lost(&place.field("content"), Reason::Missing);
            return None;
        }
        Some(response) => response.clone(),
    };
    cx.result(id, &place.field("tool_call_id"));
    message.name = name.map(str::to_owned);
    message.parts.push(Part::tool_call_response(id, response));
    Some(message)
}
