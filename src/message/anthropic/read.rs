//! From Anthropic's messages.

use serde_json::{Map, Value as Json};

use super::super::convert::{Converted, Place, Reason};
use super::super::message::extra_of;
use super::super::reading::{Reading, document, find, messages, rest};
use super::super::{Conversation, Message, Modality, Part, Role};

/// Fields of a message that are read, and those of an answer that are no content.
const KNOWN: &[&str] = &[
    "role",
    "content",
    "type",
    "model",
    "stop_reason",
    "stop_sequence",
    "usage",
    "container",
];

/// Reads [Anthropic messages](https://docs.anthropic.com/en/api/messages): a request with its `system` and `messages`, a list of
/// messages, or one message, which an answer is.
///
/// Fields of blocks that the conventions do not name (`signature`, `cache_control`, `citations`, `is_error`) are kept beside
/// the content, blocks of unknown types as they are; tools that Anthropic runs itself become `server_tool_call` parts.
pub fn from_anthropic(json: &Json) -> Converted<Conversation> {
    document(json, |json, cx| {
        let mut conversation = Conversation::default();
        if let Some(system) = json.get("system").filter(|system| !system.is_null()) {
            blocks(&mut conversation.system, system, &Place::root("system"), cx);
        }
        let found = find(json, "messages", cx);
        conversation.messages = messages(found, cx, message);
        conversation
    })
}

fn message(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Message> {
    let fields = cx.object(json, place)?;
    let role = Role::from(cx.required(fields, "role", place)?);
    if let Role::Other(_) = role {
        cx.log.lost(&place.field("role"), Reason::UnknownRole);
        return None;
    }
    let mut message = Message::new(role);
    message.id = cx.text(fields, "id", place).map(str::to_owned);
    cx.message_id(message.id.as_deref(), &place.field("id"));
    message.extra = extra_of(fields, KNOWN);
    let content = place.field("content");
    match fields.get("content") {
        None | Some(Json::Null) => {
            cx.log.lost(&content, Reason::Missing);
            return None;
        }
        Some(json) => blocks(&mut message.parts, json, &content, cx),
    }
    Some(match cx.text(fields, "stop_reason", place) {
        Some(word) => message.finish_reason(word),
        None => message,
    })
}

/// A text, or a list of blocks.
fn blocks(out: &mut Vec<Part>, json: &Json, place: &Place<'_>, cx: &mut Reading) {
    match json {
        Json::String(text) => out.push(Part::text(text.as_str())),
        Json::Array(list) => {
            for (at, json) in list.iter().enumerate() {
                out.extend(block(json, &place.at(at), cx));
            }
        }
        _ => cx.log.lost(place, Reason::Not("a string or a list")),
    }
}

fn block(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let fields = cx.object(json, place)?;
    match fields.get("type").and_then(Json::as_str) {
        Some("tool_use") => tool_use(fields, place, cx),
        Some("tool_result") => tool_result(fields, place, cx),
        kind => {
            let known = match kind {
                Some("text") => text(fields, "text", Part::text),
                Some("thinking") => text(fields, "thinking", Part::reasoning),
                Some("image") => source(fields, Modality::Image, place, cx),
                Some("document") => source(fields, Modality::Document, place, cx),
                Some("server_tool_use") => server_tool_use(fields),
                Some(kind) if kind.ends_with("_tool_result") => server_tool_result(fields, kind),
                _ => None,
            };
            // A block that is not as it should be is kept as it is.
            known.or_else(|| cx.other(json, place))
        }
    }
}

fn text(fields: &Map<String, Json>, name: &str, part: fn(String) -> Part) -> Option<Part> {
    let text = fields.get(name)?.as_str()?;
    Some(part(text.to_owned()).with_extra(rest(fields, &["type", name])))
}

fn tool_use(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let name = cx.required(fields, "name", place)?;
    let id = cx.required(fields, "id", place);
    cx.call(id, &place.field("id"));
    let input = match fields.get("input") {
        None => Json::Object(Map::new()),
        Some(input) => input.clone(),
    };
    let part = Part::tool_call(id, name, input);
    Some(part.with_extra(rest(fields, &["type", "id", "name", "input"])))
}

fn tool_result(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let id = cx.required(fields, "tool_use_id", place);
    cx.result(id, &place.field("tool_use_id"));
    // A tool may have nothing to say.
    let response = fields.get("content").cloned().unwrap_or_default();
    let part = Part::tool_call_response(id, response);
    Some(part.with_extra(rest(fields, &["type", "tool_use_id", "content"])))
}

fn source(
    fields: &Map<String, Json>,
    modality: Modality,
    place: &Place<'_>,
    cx: &mut Reading,
) -> Option<Part> {
    let source = fields.get("source")?.as_object()?;
    let text = |name: &str| source.get(name).and_then(Json::as_str);
    let part = match text("type")? {
        "base64" => {
            let place = place.field("source");
            cx.blob(text("media_type"), text("data")?, &place.field("data"))
        }
        "url" => Part::uri(modality, text("url")?),
        "file" => Part::file(modality, text("file_id")?),
        _ => return None,
    };
    Some(part.with_extra(rest(fields, &["type", "source"])))
}

/// A tool that Anthropic runs: the conventions' part has the details in an object with a type.
fn server_tool_use(fields: &Map<String, Json>) -> Option<Part> {
    let name = fields.get("name")?.as_str()?;
    let mut details = Map::from_iter([("type".to_owned(), Json::from(name))]);
    details.extend(rest(fields, &["type", "id", "name"]));
    let mut part = Map::from_iter([("name".to_owned(), Json::from(name))]);
    part.extend(fields.get("id").map(|id| ("id".to_owned(), id.clone())));
    part.insert("server_tool_call".to_owned(), Json::Object(details));
    Some(Part::other("server_tool_call", part))
}

fn server_tool_result(fields: &Map<String, Json>, kind: &str) -> Option<Part> {
    let mut details = Map::from_iter([("type".to_owned(), Json::from(kind))]);
    details.extend(rest(fields, &["type", "tool_use_id"]));
    let mut part = Map::new();
    let id = fields.get("tool_use_id");
    part.extend(id.map(|id| ("id".to_owned(), id.clone())));
    part.insert(
        "server_tool_call_response".to_owned(),
        Json::Object(details),
    );
    Some(Part::other("server_tool_call_response", part))
}
