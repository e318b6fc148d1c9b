//! To AG-UI's messages.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::super::convert::{Converted, Log, Place, Reason};
use super::super::{Content, Conversation, Message, Part, Role, arguments_text};

const FORMAT: Reason = Reason::Unsupported("AG-UI's messages");

/// Writes [AG-UI messages](https://docs.ag-ui.com/concepts/messages): a list of messages, each with an id.
///
/// A message without an id gets one from its place, `msg-1` for the first, which stays the same from snapshot to snapshot.
/// Instructions apart become a system message at the front; reasoning, and each result of a tool, a message of its own. What
/// the format has no place for (pictures in an answer) is a problem and is left out; places are those of the
/// [`Conversation`].
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::{from_openai, to_ag_ui};
///
/// let history = json!([
///     {"role": "user", "content": "Hello"},
///     {"role": "assistant", "content": "Hi there!"},
/// ]);
/// let conversation = from_openai(&history).strict()?;
/// assert_eq!(to_ag_ui(&conversation).strict()?, [
///     json!({"id": "msg-1", "role": "user", "content": "Hello"}),
///     json!({"id": "msg-2", "role": "assistant", "content": "Hi there!"}),
/// ]);
/// # Ok::<(), tracing_genai::message::ConvertError>(())
/// ```
pub fn to_ag_ui(conversation: &Conversation) -> Converted<Vec<Json>> {
    let mut log = Log::default();
    let given = conversation
        .messages
        .iter()
        .filter_map(|message| message.id.as_deref());
    let mut ids = Ids(given.map(str::to_owned).collect());
    let mut out = Vec::new();
    if !conversation.system.is_empty() {
        let id = ids.free("system".to_owned());
        let text = joined(&conversation.system, &Place::root("system"), &mut log);
        out.push(json!({"id": id, "role": "system", "content": text}));
    }
    let root = Place::root("messages");
    for (at, message) in conversation.messages.iter().enumerate() {
        let id = match &message.id {
            Some(id) => id.clone(),
            None => ids.free(format!("msg-{}", at + 1)),
        };
        let writing = Writing {
            message,
            id,
            ids: &mut ids,
            out: &mut out,
        };
        writing.write(&root.at(at), &mut log);
    }
    log.with(out)
}

/// The id of the reasoning that led to a message.
pub(super) fn reasoning_id(id: &str) -> String {
    format!("{id}-reasoning")
}

/// The ids that are taken.
struct Ids(HashSet<String>);

impl Ids {
    /// This id, or one like it that is free.
    fn free(&mut self, wanted: String) -> String {
        let mut id = wanted.clone();
        let mut number = 2u64;
        while !self.0.insert(id.clone()) {
            id = format!("{wanted}.{number}");
            number += 1;
        }
        id
    }
}

struct Writing<'m> {
    message: &'m Message,
    id: String,
    ids: &'m mut Ids,
    out: &'m mut Vec<Json>,
}

impl Writing<'_> {
    fn write(mut self, place: &Place<'_>, log: &mut Log) {
        let parts = place.field("parts");
        if let Role::Other(word) = &self.message.role {
            match (word.as_str(), self.message.parts.as_slice()) {
                ("activity", [part]) if part.kind() == "activity" => {
                    let content = part.extra.get("content").cloned().unwrap_or_default();
                    self.push("activity", [("content", content)]);
                }
                _ => log.lost(&place.field("role"), Reason::UnknownRole),
            }
            return;
        }
        self.reasoning();
        let mut first = true;
        for (at, part) in self.message.parts.iter().enumerate() {
            if let Content::ToolCallResponse { id, response } = &part.content {
                self.result(part, id.as_deref(), response, first, &parts.at(at), log);
                first = false;
            }
        }
        self.said(first, &parts, log);
    }

    fn reasoning(&mut self) {
        let parts = self.message.parts.iter();
        let thoughts: Vec<&str> = parts
            .filter_map(|part| match &part.content {
                Content::Reasoning(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if thoughts.is_empty() {
            return;
        }
        let assistant = self.message.role == Role::Assistant;
        let alone = self.message.parts.iter().all(|part| {
            let silent = assistant && part.as_text() == Some("");
            silent || matches!(part.content, Content::Reasoning(_))
        });
        // Nothing but reasoning is the message itself.
        let id = match alone {
            true => self.id.clone(),
            false => self.ids.free(reasoning_id(&self.id)),
        };
        let said = json!({"id": id, "role": "reasoning", "content": thoughts.concat()});
        self.out.push(said);
    }

    fn result(
        &mut self,
        part: &Part,
        call: Option<&str>,
        response: &Json,
        first: bool,
        place: &Place<'_>,
        log: &mut Log,
    ) {
        let Some(call) = call else {
            log.lost(&place.field("id"), Reason::Missing);
            return;
        };
        let only = self.message.parts.len() == 1;
        let id = match first && (only || self.message.role == Role::Tool) {
            true => self.id.clone(),
            false => self.ids.free(format!("{}-result", self.id)),
        };
        let mut fields = Map::new();
        fields.insert("id".to_owned(), id.into());
        fields.insert("role".to_owned(), "tool".into());
        let content = match response {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        fields.insert("content".to_owned(), content.into());
        fields.insert("toolCallId".to_owned(), call.into());
        if let Some(error @ Json::String(_)) = part.extra.get("error") {
            fields.insert("error".to_owned(), error.clone());
        }
        if only {
            self.extend(&mut fields);
        }
        self.out.push(Json::Object(fields));
    }

    /// Everything that is neither reasoning nor a result.
    fn said(&mut self, nothing_yet: bool, place: &Place<'_>, log: &mut Log) {
        let message = self.message;
        let mut contents = Vec::new();
        let mut calls = Vec::new();
        let mut other = false;
        for (at, part) in message.parts.iter().enumerate() {
            match &part.content {
                Content::Reasoning(_) | Content::ToolCallResponse { .. } => {
                    other = true;
                    continue;
                }
                Content::ToolCall {
                    id,
                    name,
                    arguments,
                } => match id {
                    // Only the model calls.
                    _ if message.role != Role::Assistant => log.lost(&place.at(at), FORMAT),
                    Some(id) => calls.push(tool_call(id, name, arguments, part)),
                    None => log.lost(&place.at(at).field("id"), Reason::Missing),
                },
                _ => match content(part).filter(|_| allowed(&message.role, part)) {
                    Some(content) => contents.push(content),
                    None => log.lost(&place.at(at), FORMAT),
                },
            }
        }
        // A tool says results only, and nothing else is nothing.
        // Nor does a model say anything with an empty text beside its reasoning.
        let silent =
            message.role == Role::Assistant && contents.iter().all(|content| content["text"] == "");
        let nothing = calls.is_empty() && (contents.is_empty() || other && silent);
        if message.role == Role::Tool || nothing && (other || !nothing_yet) {
            return;
        }
        let mut fields = Vec::new();
        match message.role {
            Role::Assistant if contents.is_empty() => {}
            Role::User => fields.push(("content", for_user(contents))),
            _ => {
                let texts = contents
                    .iter()
                    .filter_map(|content| content["text"].as_str());
                fields.push(("content", Json::from(texts.collect::<String>())));
            }
        }
        if !calls.is_empty() {
            fields.push(("toolCalls", Json::Array(calls)));
        }
        self.push(message.role.as_str(), fields);
    }

    fn push(&mut self, role: &str, fields: impl IntoIterator<Item = (&'static str, Json)>) {
        let mut message = Map::new();
        message.insert("id".to_owned(), self.id.as_str().into());
        message.insert("role".to_owned(), role.into());
        for (name, value) in fields {
            message.insert(name.to_owned(), value);
        }
        self.extend(&mut message);
        self.out.push(Json::Object(message));
    }

    fn extend(&self, fields: &mut Map<String, Json>) {
        if let Some(name) = &self.message.name {
            fields.insert("name".to_owned(), name.as_str().into());
        }
        for (name, value) in &self.message.extra {
            fields.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
}

fn joined(parts: &[Part], place: &Place<'_>, log: &mut Log) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        match part.as_text() {
            Some(said) => text.push_str(said),
            None => log.lost(&place.at(at), FORMAT),
        }
    }
    text
}

/// Only what a person says may be more than text, and a tool says nothing beside its results.
fn allowed(role: &Role, part: &Part) -> bool {
    match role {
        Role::User => true,
        Role::Tool => false,
        _ => part.as_text().is_some(),
    }
}

/// One text is a string, anything else a list.
fn for_user(mut contents: Vec<Json>) -> Json {
    match contents.as_mut_slice() {
        [] => Json::from(""),
        [one] if one["type"] == "text" && one.as_object().is_some_and(|one| one.len() == 2) => {
            one["text"].take()
        }
        _ => Json::Array(contents),
    }
}

fn tool_call(id: &str, name: &str, arguments: &Json, part: &Part) -> Json {
    let mut call = json!({
        "id": id,
        "type": "function",
        "function": {"name": name, "arguments": arguments_text(arguments)},
    });
    extend(&mut call, part);
    call
}

fn content(part: &Part) -> Option<Json> {
    let (modality, mime, kind, value) = match &part.content {
        Content::Text(text) => {
            let mut json = json!({"type": "text", "text": text});
            extend(&mut json, part);
            return Some(json);
        }
        Content::Blob {
            modality,
            mime_type,
            content,
        } => (modality, mime_type.as_deref(), "data", content),
        Content::Uri {
            modality,
            mime_type,
            uri,
        } => (modality, mime_type.as_deref(), "url", uri),
        Content::File {
            modality,
            mime_type,
            file_id,
        } => (modality, mime_type.as_deref(), "file", file_id),
        Content::Other { kind } => {
            let mut json = json!({"type": kind});
            extend(&mut json, part);
            return Some(json);
        }
        _ => return None,
    };
    let modality = match modality {
        super::super::Modality::Other(_) => return None,
        known => known.as_str(),
    };
    let mut source = json!({"type": kind, "value": value});
    match mime {
        Some(mime) => source["mimeType"] = mime.into(),
        // Data has to say what it is.
        None if kind == "data" => source["mimeType"] = "application/octet-stream".into(),
        None => {}
    }
    let mut json = json!({"type": modality, "source": source});
    extend(&mut json, part);
    Some(json)
}

fn extend(json: &mut Json, part: &Part) {
    if let Json::Object(fields) = json {
        for (name, value) in &part.extra {
            fields.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
}
