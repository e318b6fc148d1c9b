//! To OpenAI's chat messages.

use serde_json::{Map, Value as Json, json};

use super::super::convert::{Converted, Log, Place, Reason};
use super::super::{Content, Conversation, Message, Modality, Part, Role};

const FORMAT: Reason = Reason::Unsupported("OpenAI's chat messages");

/// Writes [OpenAI chat messages](https://platform.openai.com/docs/api-reference/chat): a list of messages.
///
/// Instructions apart become a system message at the front. Several tool results in one message become several messages. What
/// the format has no place for (reasoning, films) is a problem and is left out; places are those of the
/// [`Conversation`].
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::{Conversation, Message, to_openai};
///
/// let messages = to_openai(&Conversation::new(vec![Message::user("Weather in Paris?")])).strict()?;
/// assert_eq!(messages, [json!({"role": "user", "content": "Weather in Paris?"})]);
/// # Ok::<(), tracing_genai::message::ConvertError>(())
/// ```
pub fn to_openai(conversation: &Conversation) -> Converted<Vec<Json>> {
    let mut log = Log::default();
    let mut out = Vec::new();
    if !conversation.system.is_empty() {
        let root = Place::root("system");
        let parts = conversation.system.iter().enumerate();
        let content = content(parts, &Role::System, &root, &mut log);
        out.push(json!({"role": "system", "content": content}));
    }
    let root = Place::root("messages");
    for (at, message) in conversation.messages.iter().enumerate() {
        write(message, &root.at(at), &mut log, &mut out);
    }
    log.with(out)
}

fn write(message: &Message, place: &Place<'_>, log: &mut Log, out: &mut Vec<Json>) {
    if let Role::Other(_) = message.role {
        log.lost(&place.field("role"), Reason::UnknownRole);
        return;
    }
    let parts = place.field("parts");
    let mut others = Vec::new();
    let mut calls = Vec::new();
    for (at, part) in message.parts.iter().enumerate() {
        match &part.content {
            Content::ToolCallResponse { id, response } => {
                let id = id.as_deref();
                out.push(tool_result(message, id, response, &parts.at(at), log));
            }
            Content::ToolCall {
                id,
                name,
                arguments,
            } => calls.push(tool_call(id.as_deref(), name, arguments, part)),
            _ => others.push((at, part)),
        }
    }
    // A message that only brought results is written.
    if others.is_empty() && calls.is_empty() && !message.parts.is_empty() {
        return;
    }
    let mut fields = Map::new();
    fields.insert("role".to_owned(), message.role.as_str().into());
    let refusals = others.iter().filter(|(_, part)| part.kind() == "refusal");
    let refusal = refusals
        .filter_map(|(_, part)| part.extra.get("content"))
        .find(|content| content.is_string() && message.role == Role::Assistant);
    let others = others
        .iter()
        .copied()
        .filter(|(_, part)| refusal.is_none() || part.kind() != "refusal");
    fields.insert(
        "content".to_owned(),
        content(others, &message.role, &parts, log),
    );
    if let Some(refusal) = refusal {
        fields.insert("refusal".to_owned(), refusal.clone());
    }
    if let Some(name) = &message.name {
        fields.insert("name".to_owned(), name.as_str().into());
    }
    if !calls.is_empty() {
        fields.insert("tool_calls".to_owned(), calls.into());
    }
    out.push(finish(fields, message));
}

fn finish(mut fields: Map<String, Json>, message: &Message) -> Json {
    if let Some(id) = &message.id {
        fields.insert("id".to_owned(), id.as_str().into());
    }
    for (name, value) in &message.extra {
        fields.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Json::Object(fields)
}

fn tool_call(id: Option<&str>, name: &str, arguments: &Json, part: &Part) -> Json {
    let mut fields = Map::new();
    if let Some(id) = id {
        fields.insert("id".to_owned(), id.into());
    }
    if part.extra.get("tool_type").and_then(Json::as_str) == Some("custom") {
        fields.insert("type".to_owned(), "custom".into());
        let call = json!({"name": name, "input": text_of(arguments)});
        fields.insert("custom".to_owned(), call);
    } else {
        fields.insert("type".to_owned(), "function".into());
        let call = json!({"name": name, "arguments": super::super::arguments_text(arguments)});
        fields.insert("function".to_owned(), call);
    }
    Json::Object(fields)
}

fn tool_result(
    message: &Message,
    id: Option<&str>,
    response: &Json,
    place: &Place<'_>,
    log: &mut Log,
) -> Json {
    let mut fields = Map::new();
    fields.insert("role".to_owned(), "tool".into());
    match (id, &message.name) {
        (Some(id), _) => {
            fields.insert("tool_call_id".to_owned(), id.into());
        }
        (None, None) => log.kept(&place.field("id"), Reason::Missing),
        (None, Some(_)) => {}
    }
    if let Some(name) = message.name.as_ref().filter(|_| message.role == Role::Tool) {
        fields.insert("name".to_owned(), name.as_str().into());
    }
    // Text, or a list of parts of text; anything else goes as the text of its JSON.
    let is_text = |part: &Json| part["type"] == "text" && part["text"].is_string();
    let content = match response {
        Json::Array(parts) if !parts.is_empty() && parts.iter().all(is_text) => response.clone(),
        other => text_of(other).into(),
    };
    fields.insert("content".to_owned(), content);
    if message.parts.len() == 1 {
        return finish(fields, message);
    }
    Json::Object(fields)
}

fn text_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text alone is a string; anything else is a list. Nothing is null for a model, and empty text for anybody else.
fn content<'p>(
    parts: impl IntoIterator<Item = (usize, &'p Part)>,
    role: &Role,
    place: &Place<'_>,
    log: &mut Log,
) -> Json {
    let mut out = Vec::new();
    for (at, part) in parts {
        match content_part(part) {
            Some(json) => out.push(json),
            None => log.lost(&place.at(at), FORMAT),
        }
    }
    match out.as_slice() {
        [] if *role == Role::Assistant => Json::Null,
        [] => Json::from(""),
        [one] if one["type"] == "text" && one.as_object().is_some_and(|one| one.len() == 2) => {
            one["text"].clone()
        }
        _ => Json::Array(out),
    }
}

fn content_part(part: &Part) -> Option<Json> {
    let (mut fields, extra_in) = match &part.content {
        Content::Text(text) => (json!({"type": "text", "text": text}), None),
        Content::Uri {
            modality: Modality::Image,
            uri,
            ..
        } => (
            json!({"type": "image_url", "image_url": {"url": uri}}),
            Some("image_url"),
        ),
        Content::Blob {
            modality,
            mime_type,
            content,
        } => return blob(modality, mime_type.as_deref()?, content, part),
        Content::File { file_id, .. } => (
            json!({"type": "file", "file": {"file_id": file_id}}),
            Some("file"),
        ),
        Content::Other { kind } => (json!({"type": kind}), None),
        _ => return None,
    };
    extend(&mut fields, extra_in, part);
    Some(fields)
}

fn blob(modality: &Modality, mime: &str, data: &str, part: &Part) -> Option<Json> {
    let address = || format!("data:{mime};base64,{data}");
    let (mut fields, place) = match modality {
        Modality::Image => (
            json!({"type": "image_url", "image_url": {"url": address()}}),
            "image_url",
        ),
        Modality::Audio => {
            let format = mime.strip_prefix("audio/")?;
            (
                json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}),
                "input_audio",
            )
        }
        Modality::Document => (
            json!({"type": "file", "file": {"file_data": address()}}),
            "file",
        ),
        Modality::Video | Modality::Other(_) => return None,
    };
    extend(&mut fields, Some(place), part);
    Some(fields)
}

fn extend(json: &mut Json, inside: Option<&str>, part: &Part) {
    let fields = match inside {
        Some(name) => json.get_mut(name),
        None => Some(json),
    };
    if let Some(Json::Object(fields)) = fields {
        for (name, value) in &part.extra {
            fields.entry(name.as_str()).or_insert_with(|| value.clone());
        }
    }
}
