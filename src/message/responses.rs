//! From the items of OpenAI's Responses API.

use serde_json::{Map, Value as Json};

use super::convert::{Converted, Place, Reason};
use super::message::extra_of;
use super::reading::{Reading, document, rest};
use super::{Conversation, Message, Modality, Part, Role};

/// Reads [items of OpenAI's Responses API](https://platform.openai.com/docs/api-reference/responses): a request with its
/// `instructions` and `input`, a response with its `output`, or a list of items.
///
/// What a model says in a row (reasoning, text, tool calls) is one message, as it is one turn. A response is one message with
/// the finish reason that its status and its items tell, as the API states none. Results of tools may answer calls of a
/// response before this one, so that a result without its call is no problem here. Tools that OpenAI runs itself become
/// `server_tool_call` parts.
pub fn from_openai_responses(json: &Json) -> Converted<Conversation> {
    document(json, |json, cx| {
        cx.continues = true;
        read(json, cx)
    })
}

fn read(json: &Json, cx: &mut Reading) -> Conversation {
    let mut conversation = Conversation::default();
    if let Some(output) = json.get("output").filter(|output| output.is_array()) {
        let mut turn = Turns::default();
        turn.items(output, &Place::root("output"), cx);
        conversation.messages = turn.messages;
        finish(&mut conversation.messages, json);
        return conversation;
    }
    match json.get("instructions") {
        None | Some(Json::Null) => {}
        Some(Json::String(text)) => conversation.system.push(Part::text(text.as_str())),
        // A prompt template's: items, whose texts are the instructions.
        Some(items) => {
            let mut turns = Turns::default();
            turns.items(items, &Place::root("instructions"), cx);
            let parts = turns.messages.into_iter().flat_map(|message| message.parts);
            conversation.system.extend(parts);
        }
    }
    let (items, place) = match json.get("input") {
        Some(input) => (input, Place::root("input")),
        None if json.is_object() && !json["type"].is_string() && !json["role"].is_string() => {
            return conversation;
        }
        None => (json, Place::root("input")),
    };
    if let Json::String(text) = items {
        conversation.messages.push(Message::user(text.as_str()));
    } else {
        let mut turns = Turns::default();
        turns.items(items, &place, cx);
        conversation.messages = turns.messages;
    }
    conversation
}

/// A response is one turn, and its status says how it ended.
fn finish(messages: &mut Vec<Message>, response: &Json) {
    let status = response.get("status").and_then(Json::as_str);
    let reason = response
        .pointer("/incomplete_details/reason")
        .and_then(Json::as_str);
    let word = match (status, reason) {
        (Some("completed"), _) => "stop",
        (Some("incomplete"), Some(reason)) => reason,
        (Some("incomplete"), None) => "length",
        (Some("failed"), _) => "error",
        (Some("cancelled"), _) => "cancelled",
        _ => return,
    };
    if messages.is_empty() {
        messages.push(Message::new(Role::Assistant));
    }
    if let Some(last) = messages.pop() {
        messages.push(last.finish_reason(word));
    }
}

#[derive(Default)]
struct Turns {
    messages: Vec<Message>,
    /// The last message is a turn of the model that its next item belongs to.
    open: bool,
}

impl Turns {
    fn items(&mut self, json: &Json, place: &Place<'_>, cx: &mut Reading) {
        if json.is_object() {
            return self.item(json, place, cx);
        }
        for (at, json) in cx.list(json, place).unwrap_or_default().iter().enumerate() {
            self.item(json, &place.at(at), cx);
        }
    }

    fn item(&mut self, json: &Json, place: &Place<'_>, cx: &mut Reading) {
        let Some(fields) = cx.object(json, place) else {
            return;
        };
        match fields.get("type").and_then(Json::as_str) {
            None | Some("message") => self.message(fields, place, cx),
            Some("reasoning") => self.model(reasoning(fields, place, cx)),
            Some("function_call") => self.model(call(fields, "arguments", place, cx)),
            Some("custom_tool_call") => self.model(call(fields, "input", place, cx)),
            Some("function_call_output" | "custom_tool_call_output") => {
                let result = output(fields, place, cx);
                self.open = false;
                self.messages.push(Message::new(Role::Tool).part(result));
            }
            Some("compaction") => self.model([Part::other("compaction", fields.clone())]),
            Some(kind) if kind.ends_with("_call") => self.model([hosted(kind, fields)]),
            Some(kind) => self.model([Part::other(kind, fields.clone())]),
        }
    }

    /// What the model says next in its turn.
    fn model(&mut self, parts: impl IntoIterator<Item = Part>) {
        let mut parts = parts.into_iter().peekable();
        if parts.peek().is_none() {
            return;
        }
        match self.messages.last_mut() {
            Some(last) if self.open => last.parts.extend(parts),
            _ => {
                let mut message = Message::new(Role::Assistant);
                message.parts.extend(parts);
                self.messages.push(message);
                self.open = true;
            }
        }
    }

    fn message(&mut self, fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) {
        let Some(role) = cx.required(fields, "role", place).map(Role::from) else {
            return;
        };
        if let Role::Other(_) = role {
            cx.log.lost(&place.field("role"), Reason::UnknownRole);
            return;
        }
        let mut parts = Vec::new();
        let content = place.field("content");
        match fields.get("content") {
            None | Some(Json::Null) => {
                cx.log.lost(&content, Reason::Missing);
                return;
            }
            Some(Json::String(text)) => parts.push(Part::text(text.as_str())),
            Some(json) => {
                let list = cx.list(json, &content).unwrap_or_default();
                for (at, json) in list.iter().enumerate() {
                    parts.extend(part(json, &content.at(at), cx));
                }
            }
        }
        if role == Role::Assistant {
            self.model(parts);
        } else {
            let mut message = Message::new(role);
            message.parts = parts;
            message.id = cx.text(fields, "id", place).map(str::to_owned);
            cx.message_id(message.id.as_deref(), &place.field("id"));
            message.extra = extra_of(fields, &["type", "role", "content", "status"]);
            self.messages.push(message);
            self.open = false;
        }
    }
}

fn part(json: &Json, place: &Place<'_>, cx: &mut Reading) -> Option<Part> {
    let fields = cx.object(json, place)?;
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let known = match text("type") {
        Some("input_text" | "output_text" | "text" | "summary_text") => text("text")
            .map(|said| Part::text(said).with_extra(annotations(fields, &["type", "text"]))),
        Some("reasoning_text") => text("text").map(Part::reasoning),
        Some("refusal") => text("refusal").map(|said| {
            let said = Map::from_iter([("content".to_owned(), said.into())]);
            Part::other("refusal", said)
        }),
        Some("input_image") => match (text("image_url"), text("file_id")) {
            (Some(url), _) => Some(cx.uri(Modality::Image, url, &place.field("image_url"))),
            (None, Some(id)) => Some(Part::file(Modality::Image, id)),
            (None, None) => None,
        }
        .map(|part| part.with_extra(rest(fields, &["type", "image_url", "file_id"]))),
        Some("input_file") => match (text("file_id"), text("file_url"), text("file_data")) {
            (Some(id), _, _) => Some(Part::file(Modality::Document, id)),
            (None, Some(url), _) => Some(Part::uri(Modality::Document, url)),
            (None, None, Some(data)) => {
                Some(cx.uri(Modality::Document, data, &place.field("file_data")))
            }
            (None, None, None) => None,
        }
        .map(|part| part.with_extra(rest(fields, &["type", "file_id", "file_url", "file_data"]))),
        _ => None,
    };
    known.or_else(|| cx.other(json, place))
}

/// Fields beside a text, without the lists that are nearly always empty.
fn annotations<'j>(
    fields: &'j Map<String, Json>,
    known: &'j [&str],
) -> impl Iterator<Item = (String, Json)> + 'j {
    let empty = |json: &Json| json.as_array().is_some_and(Vec::is_empty);
    rest(fields, known).filter(move |(_, value)| !empty(value))
}

/// The summary and the thoughts, where the provider shows them.
fn reasoning(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Vec<Part> {
    let mut parts = Vec::new();
    for name in ["summary", "content"] {
        let list = place.field(name);
        for (at, json) in cx.items(fields, name, place).iter().enumerate() {
            match json.get("text").and_then(Json::as_str) {
                Some(text) => parts.push(Part::reasoning(text)),
                None => cx.log.lost(&list.at(at).field("text"), Reason::Missing),
            }
        }
    }
    parts
}

fn call(
    fields: &Map<String, Json>,
    arguments: &'static str,
    place: &Place<'_>,
    cx: &mut Reading,
) -> Option<Part> {
    let name = cx.required(fields, "name", place)?;
    // The item has an id of its own, which no result names.
    let id = cx.required(fields, "call_id", place);
    cx.call(id, &place.field("call_id"));
    let given = fields.get(arguments).cloned().unwrap_or_default();
    if arguments == "input" {
        let kind = ("tool_type".to_owned(), Json::from("custom"));
        return Some(Part::tool_call(id, name, given).with_extra([kind]));
    }
    let given = cx.arguments(&given, &place.field(arguments));
    Some(Part::tool_call(id, name, given))
}

fn output(fields: &Map<String, Json>, place: &Place<'_>, cx: &mut Reading) -> Part {
    let id = cx.required(fields, "call_id", place);
    if !fields.contains_key("output") {
        cx.log.kept(&place.field("output"), Reason::Missing);
    }
    let response = fields.get("output").cloned().unwrap_or_default();
    Part::tool_call_response(id, response)
}

/// A tool that the provider runs: `web_search_call`, `code_interpreter_call`, `mcp_call`.
fn hosted(kind: &str, fields: &Map<String, Json>) -> Part {
    let name = fields.get("name").and_then(Json::as_str);
    let name = name.unwrap_or_else(|| kind.trim_end_matches("_call"));
    let mut part = Map::from_iter([("name".to_owned(), Json::from(name))]);
    part.extend(fields.get("id").map(|id| ("id".to_owned(), id.clone())));
    let mut details = Map::from_iter([("type".to_owned(), Json::from(kind))]);
    details.extend(rest(fields, &["type", "id", "name"]));
    part.insert("server_tool_call".to_owned(), Json::Object(details));
    Part::other("server_tool_call", part)
}
