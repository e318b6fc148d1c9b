//! From Gemini's contents.

use serde_json::{Map, Value as Json};

use super::convert::{Converted, Place, Reason};
use super::message::extra_of;
use super::reading::{Found, Reading, document, find, rest};
use super::{Conversation, Message, Modality, Part, Role};

/// Reads [Gemini contents](https://ai.google.dev/api/caching#Content): a request with its `systemInstruction` and `contents`, an
/// answer with its `candidates`, a list of contents, or one content.
///
/// The role `model` reads as assistant, and no role as user. `thoughtSignature` and the name of a function that answers are
/// kept beside the content; parts of other kinds (`executableCode`) as they are, under a type of that name.
pub fn from_gemini(json: &Json) -> Converted<Conversation> {
    document(json, read)
}

fn read(json: &Json, cx: &mut Reading) -> Conversation {
    let mut conversation = Conversation::default();
    let system = json.get("systemInstruction");
    if let Some(system) = system.or_else(|| json.get("system_instruction")) {
        let place = Place::root("systemInstruction");
        parts(&mut conversation.system, system, &place, cx);
    }
    if let Some(candidates) = json.get("candidates") {
        let root = Place::root("candidates");
        let list = cx.list(candidates, &root).unwrap_or_default();
        for (at, candidate) in list.iter().enumerate() {
            conversation
                .messages
                .extend(answer(candidate, &root.at(at), cx));
        }
        return conversation;
    }
    let root = Place::root("contents");
    let (list, one) = match find(json, "contents", cx) {
        Found::List(list) => (list, None),
        Found::One(json) => (&[][..], Some(json)),
        Found::Nothing => (&[][..], None),
    };
    for (at, json) in list.iter().enumerate() {
        conversation
            .messages
            .extend(content(json, &root.at(at), cx));
    }
    if let Some(json) = one {
        let place = Place::root("content");
        conversation.messages.extend(content(json, &place, cx));
    }
    conversation
}

fn answer(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Message> {
    let fields = cx.object(json, place)?;
    // An answer that was withheld has a reason and no content.
    let mut message = match fields.get("content") {
        None | Some(Json::Null) => Message::new(Role::Assistant),
        Some(json) => content(json, &place.field("content"), cx)?,
    };
    message.role = Role::Assistant;
    Some(match cx.text(fields, "finishReason", place) {
        Some(word) => message.finish_reason(word),
        None => message,
    })
}

fn content(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Message> {
    let fields = cx.object(json, place)?;
    let role = match cx.text(fields, "role", place) {
        None | Some("user") => Role::User,
        Some("model") => Role::Assistant,
        Some("function" | "tool") => Role::Tool,
        Some("system") => Role::System,
        Some(_) => {
            cx.log.lost(&place.field("role"), Reason::UnknownRole);
            return None;
        }
    };
    let mut message = Message::new(role);
    message.extra = extra_of(fields, &["role", "parts"]);
    parts(&mut message.parts, json, place, cx);
    Some(message)
}

/// The parts of a content. An instruction may also be text alone.
fn parts(out: &mut Vec<Part>, json: &Json, place: &Place<'_>, cx: &mut Reading) {
    if let Json::String(text) = json {
        out.push(Part::text(text.as_str()));
        return;
    }
    let Some(fields) = cx.object(json, place) else {
        return;
    };
    let parts = place.field("parts");
    for (at, json) in cx.items(fields, "parts", place).iter().enumerate() {
        let place = parts.at(at);
        if let Some(fields) = cx.object(json, &place) {
            out.extend(part(json, fields, &place, cx));
        }
    }
}

fn part(
    json: &Json,
    fields: &Map<String, Json>,
    place: &Place<'_>,
    cx: &mut Reading,
) -> Option<Part> {
    let inside = |name: &str| fields.get(name).and_then(Json::as_object);
    let beside =
        |name: &'static str| rest(fields, &["thought"]).filter(move |(key, _)| key != name);
    if let Some(Json::String(text)) = fields.get("text") {
        let part = match fields.get("thought").and_then(Json::as_bool) {
            Some(true) => Part::reasoning(text.as_str()),
            _ => Part::text(text.as_str()),
        };
        return Some(part.with_extra(beside("text")));
    }
    if let Some(call) = inside("functionCall") {
        let place = place.field("functionCall");
        let name = cx.required(call, "name", &place)?;
        let id = cx.text(call, "id", &place);
        cx.call(id, &place.field("id"));
        let arguments = call.get("args").cloned();
        let arguments = arguments.unwrap_or_else(|| Json::Object(Map::new()));
        return Some(Part::tool_call(id, name, arguments).with_extra(beside("functionCall")));
    }
    if let Some(answer) = inside("functionResponse") {
        let place = place.field("functionResponse");
        let id = cx.text(answer, "id", &place);
        cx.result(id, &place.field("id"));
        let response = answer.get("response").cloned().unwrap_or_default();
        let part = Part::tool_call_response(id, response);
        return Some(part.with_extra(rest(answer, &["id", "response"])));
    }
    if let Some(data) = inside("inlineData") {
        let place = place.field("inlineData");
        let mime = cx.text(data, "mimeType", &place);
        let content = cx.required(data, "data", &place)?;
        return Some(cx.blob(mime, content, &place.field("data")));
    }
    if let Some(file) = inside("fileData") {
        let place = place.field("fileData");
        let mime = cx.text(file, "mimeType", &place);
        let uri = cx.required(file, "fileUri", &place)?;
        let modality = Modality::of_mime(mime.unwrap_or_default());
        return Some(Part::uri(modality, uri).with_mime(mime));
    }
    // The name of its only field of its own is its type.
    if fields.contains_key("type") {
        return cx.other(json, place);
    }
    let Some(kind) = fields
        .keys()
        .find(|name| *name != "thought" && *name != "thoughtSignature")
    else {
        // A part without content, which ends some streams.
        if fields.is_empty() {
            cx.log.lost(place, Reason::Missing);
        }
        return None;
    };
    Some(Part::other(kind.as_str(), fields.clone()))
}
