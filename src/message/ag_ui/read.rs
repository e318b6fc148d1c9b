//! From AG-UI's messages.

use serde_json::{Map, Value as Json};

use super::super::convert::{Converted, Place, Reason};
use super::super::message::extra_of;
use super::super::reading::{Reading, document, find, messages, rest};
use super::super::{Conversation, Message, Modality, Part, Role};

const KNOWN: &[&str] = &[
    "role",
    "content",
    "name",
    "toolCalls",
    "toolCallId",
    "error",
];

/// Reads [AG-UI messages](https://docs.ag-ui.com/concepts/messages): an object that holds a list as `messages` (the input of a
/// run, a snapshot), a list, or one message.
///
/// The snake case of its Python SDK (`tool_calls`, `tool_call_id`) is understood as well. A `reasoning` message becomes
/// reasoning of the assistant, in the message it stands before if their ids say so; an `activity` message keeps its fields. A
/// tool's message without id of its call or without content is lost, and so is a user's, system's or developer's without
/// content.
pub fn from_ag_ui(json: &Json) -> Converted<Conversation> {
    document(json, |json, cx| {
        let found = find(json, "messages", cx);
        let read = messages(found, cx, message);
        Conversation::new(join(read))
    })
}

/// Puts reasoning into the answer it led to, as [`to_ag_ui`](super::to_ag_ui) took it out.
fn join(read: Vec<Message>) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::with_capacity(read.len());
    for mut message in read {
        let before = message.id.as_deref().map(super::write::reasoning_id);
        match out.pop_if(|last| {
            message.role == Role::Assistant && last.id.is_some() && last.id == before
        }) {
            Some(mut thoughts) => {
                thoughts.parts.append(&mut message.parts);
                message.parts = thoughts.parts;
                out.push(message);
            }
            None => out.push(message),
        }
    }
    out
}

fn message(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Message> {
    let fields = cx.object(json, place)?;
    let word = cx.required(fields, "role", place)?;
    let mut message = Message::new(match word {
        "reasoning" => Role::Assistant,
        word => Role::from(word),
    });
    message.id = cx.text(fields, "id", place).map(str::to_owned);
    cx.message_id(message.id.as_deref(), &place.field("id"));
    message.name = cx.text(fields, "name", place).map(str::to_owned);
    message.extra = extra_of(fields, KNOWN);
    for older in ["tool_calls", "tool_call_id"] {
        message.extra.shift_remove(older);
    }
    match word {
        "reasoning" => {
            let text = cx.required(fields, "content", place)?;
            message.parts.push(Part::reasoning(text));
        }
        "activity" => {
            let content = fields.get("content").cloned().unwrap_or_default();
            let content = Map::from_iter([("content".to_owned(), content)]);
            message.parts.push(Part::other("activity", content));
        }
        "tool" => return tool(message, fields, place, cx),
        "assistant" => assistant(&mut message, fields, place, cx),
        "user" | "system" | "developer" => {
            let content = place.field("content");
            match fields.get("content") {
                None | Some(Json::Null) => {
                    cx.log.lost(&content, Reason::Missing);
                    return None;
                }
                Some(json) => said(&mut message.parts, json, &content, cx),
            }
        }
        _ => {
            cx.log.lost(&place.field("role"), Reason::UnknownRole);
            return None;
        }
    }
    Some(message)
}

fn assistant(
    message: &mut Message,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) {
    match fields.get("content") {
        None | Some(Json::Null) => {}
        // Empty text beside tool calls is how some say that there is none.
        Some(Json::String(text)) if text.is_empty() => {}
        Some(json) => said(&mut message.parts, json, &place.field("content"), cx),
    }
    let name = match fields.contains_key("toolCalls") {
        true => "toolCalls",
        false => "tool_calls",
    };
    let list = place.field(name);
    for (at, json) in cx.items(fields, name, place).iter().enumerate() {
        message.parts.extend(call(json, &list.at(at), cx));
    }
}

fn call(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let fields = cx.object(json, place)?;
    let id = cx.required(fields, "id", place);
    let function = place.field("function");
    let Some(inside) = fields.get("function") else {
        cx.log.lost(&function, Reason::Missing);
        return None;
    };
    let inside = cx.object(inside, &function)?;
    let name = cx.required(inside, "name", &function)?;
    cx.call(id, &place.field("id"));
    let arguments = match inside.get("arguments") {
        None => Json::Object(Map::new()),
        Some(json) => cx.arguments(json, &function.field("arguments")),
    };
    let part = Part::tool_call(id, name, arguments);
    Some(part.with_extra(rest(fields, &["id", "type", "function"])))
}

fn tool(
    mut message: Message,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) -> Option<Message> {
    let name = match fields.contains_key("tool_call_id") {
        true => "tool_call_id",
        false => "toolCallId",
    };
    let id = cx.required(fields, name, place)?;
    let response = match fields.get("content") {
        None | Some(Json::Null) => {
            cx.log.lost(&place.field("content"), Reason::Missing);
            return None;
        }
        Some(response) => response.clone(),
    };
    cx.result(Some(id), &place.field(name));
    let part = Part::tool_call_response(Some(id), response);
    let error = cx.text(fields, "error", place);
    let error = error.map(|error| ("error".to_owned(), Json::from(error)));
    message.parts.push(part.with_extra(error));
    Some(message)
}

/// Text, or a list of contents.
fn said(out: &mut Vec<Part>, json: &Json, place: &Place<'_>, cx: &mut Reading) {
    match json {
        Json::String(text) => out.push(Part::text(text.as_str())),
        Json::Array(list) => {
            for (at, json) in list.iter().enumerate() {
                out.extend(content(json, &place.at(at), cx));
            }
        }
        _ => cx.log.lost(place, Reason::Not("a string or a list")),
    }
}

fn content(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let fields = cx.object(json, place)?;
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let kind = text("type");
    // A part that is not as it should be is kept as it is.
    let known = match kind {
        Some("text") => {
            text("text").map(|text| Part::text(text).with_extra(rest(fields, &["type", "text"])))
        }
        Some(word @ ("image" | "audio" | "video" | "document")) => {
            source(fields, Modality::from(word), place, cx)
        }
        Some("binary") => binary(fields, place, cx),
        _ => None,
    };
    known.or_else(|| cx.other(json, place))
}

fn source(
    fields: &Map<String, Json>,
    modality: Modality,
    place: &Place<'_>,
    cx: &mut Reading,
) -> Option<Part> {
    let source = fields.get("source")?.as_object()?;
    let text = |name: &str| source.get(name).and_then(Json::as_str);
    let value = text("value")?;
    let part = match text("type")? {
        "data" => {
            let place = place.field("source");
            let mut part = cx.blob(text("mimeType"), value, &place.field("value"));
            if let super::super::Content::Blob { modality: kind, .. } = &mut part.content {
                *kind = modality;
            }
            part
        }
        "url" => Part::uri(modality, value).with_mime(text("mimeType")),
        "file" => Part::file(modality, value).with_mime(text("mimeType")),
        _ => return None,
    };
    Some(part.with_extra(rest(fields, &["type", "source"])))
}

/// The older form, one for all kinds of data.
fn binary(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let mime = text("mimeType");
    let modality = Modality::of_mime(mime.unwrap_or_default());
    let (part, used) = match (text("data"), text("url"), text("id")) {
        (Some(data), _, _) => (cx.blob(mime, data, &place.field("data")), "data"),
        (None, Some(url), _) => (Part::uri(modality, url).with_mime(mime), "url"),
        (None, None, Some(id)) => (Part::file(modality, id).with_mime(mime), "id"),
        (None, None, None) => return None,
    };
    Some(part.with_extra(rest(fields, &["type", "mimeType", used])))
}
