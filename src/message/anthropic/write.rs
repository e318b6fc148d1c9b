//! To Anthropic's messages.

use serde_json::{Map, Value as Json, json};

use super::super::convert::{Converted, Log, Place, Reason};
use super::super::{Content, Conversation, Message, Part, Role};

const FORMAT: Reason = Reason::Unsupported("Anthropic's messages");

/// Writes [Anthropic messages](https://docs.anthropic.com/en/api/messages): an object with `system` (where there is any) and
/// `messages`, as a request has them.
///
/// Instructions, apart or among the messages, go to `system` in their order; results of tools are the user's. What the format
/// has no place for (films, sound, a result without the id of its call) is a problem; what can be left out is.
pub fn to_anthropic(conversation: &Conversation) -> Converted<Json> {
    let mut log = Log::default();
    let mut system = Vec::new();
    let mut messages = Vec::new();
    blocks(
        &conversation.system,
        &Place::root("system"),
        &mut log,
        &mut system,
    );
    let root = Place::root("messages");
    for (at, message) in conversation.messages.iter().enumerate() {
        let place = root.at(at);
        let parts = place.field("parts");
        if message.role.is_instruction() {
            blocks(&message.parts, &parts, &mut log, &mut system);
            continue;
        }
        let role = match &message.role {
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
            _ => {
                log.lost(&place.field("role"), Reason::UnknownRole);
                continue;
            }
        };
        let mut content = Vec::new();
        blocks(&message.parts, &parts, &mut log, &mut content);
        messages.push(finish(role, content, message));
    }
    let mut out = Map::new();
    if !system.is_empty() {
        out.insert("system".to_owned(), system.into());
    }
    out.insert("messages".to_owned(), messages.into());
    log.with(Json::Object(out))
}

fn finish(role: &str, content: Vec<Json>, message: &Message) -> Json {
    let mut fields = Map::new();
    fields.insert("role".to_owned(), role.into());
    fields.insert("content".to_owned(), content.into());
    if let Some(id) = &message.id {
        fields.insert("id".to_owned(), id.as_str().into());
    }
    for (name, value) in &message.extra {
        fields.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Json::Object(fields)
}

fn blocks(parts: &[Part], place: &Place<'_>, log: &mut Log, out: &mut Vec<Json>) {
    for (at, part) in parts.iter().enumerate() {
        match block(part, &place.at(at), log) {
            Some(block) => out.push(block),
            None => log.lost(&place.at(at), FORMAT),
        }
    }
}

fn block(part: &Part, place: &Place<'_>, log: &mut Log) -> Option<Json> {
    let mut block = match &part.content {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Reasoning(text) => json!({"type": "thinking", "thinking": text}),
        Content::ToolCall {
            id,
            name,
            arguments,
        } => {
            if id.is_none() {
                log.kept(&place.field("id"), Reason::Missing);
            }
            json!({"type": "tool_use", "id": id, "name": name, "input": arguments})
        }
        Content::ToolCallResponse { id, response } => {
            if id.is_none() {
                log.kept(&place.field("id"), Reason::Missing);
            }
            let mut block = json!({"type": "tool_result", "tool_use_id": id});
            match response {
                Json::Null => {}
                Json::String(_) => block["content"] = response.clone(),
                // A list of blocks; anything else goes as the text of its JSON.
                Json::Array(list) if list.iter().all(|block| block["type"].is_string()) => {
                    block["content"] = response.clone();
                }
                other => block["content"] = other.to_string().into(),
            }
            block
        }
        Content::Blob {
            modality,
            mime_type,
            content,
        } => {
            let source = json!({"type": "base64", "media_type": mime_type, "data": content});
            json!({"type": media(modality.as_str())?, "source": source})
        }
        Content::Uri { modality, uri, .. } => {
            json!({"type": media(modality.as_str())?, "source": {"type": "url", "url": uri}})
        }
        Content::File {
            modality, file_id, ..
        } => {
            json!({"type": media(modality.as_str())?, "source": {"type": "file", "file_id": file_id}})
        }
        Content::Other { kind } => return Some(other(kind, part)),
    };
    if let Json::Object(fields) = &mut block {
        for (name, value) in &part.extra {
            fields.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
    Some(block)
}

/// The two kinds of data that Anthropic takes.
fn media(modality: &str) -> Option<&str> {
    matches!(modality, "image" | "document").then_some(modality)
}

/// The blocks that were read into the conventions' parts for tools of the provider's own, back in their form; others as they
/// are.
fn other(kind: &str, part: &Part) -> Json {
    let details = match kind {
        "server_tool_call" => part.extra.get("server_tool_call"),
        "server_tool_call_response" => part.extra.get("server_tool_call_response"),
        _ => None,
    };
    let Some(Json::Object(details)) = details else {
        let mut fields = Map::from_iter([("type".to_owned(), Json::from(kind))]);
        fields.extend(part.extra.clone());
        return Json::Object(fields);
    };
    let mut fields = Map::new();
    let id = part.extra.get("id").cloned();
    if kind == "server_tool_call" {
        fields.insert("type".to_owned(), "server_tool_use".into());
        fields.extend(id.map(|id| ("id".to_owned(), id)));
        let name = part.extra.get("name").cloned();
        fields.extend(name.map(|name| ("name".to_owned(), name)));
    } else {
        let kind = details.get("type").cloned().unwrap_or_default();
        fields.insert("type".to_owned(), kind);
        fields.extend(id.map(|id| ("tool_use_id".to_owned(), id)));
    }
    for (name, value) in details {
        fields.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Json::Object(fields)
}
