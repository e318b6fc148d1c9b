//! Parts of messages, in the form of the conventions' message schemas.

use serde_json::{Map, Value as Json, json};

use crate::event::{Attrs, Value};
use crate::semconv;

/// What a request says to the model.
#[derive(Default)]
pub(super) struct Content {
    pub(super) system: Vec<Json>,
    pub(super) messages: Vec<Json>,
    pub(super) tools: Vec<Json>,
}

impl Content {
    /// As attributes; what is empty is left out.
    pub(super) fn into_attrs(self) -> Attrs {
        let lists = [
            (semconv::GEN_AI_SYSTEM_INSTRUCTIONS, self.system),
            (semconv::GEN_AI_INPUT_MESSAGES, self.messages),
            (semconv::GEN_AI_TOOL_DEFINITIONS, self.tools),
        ];
        let there = lists.into_iter().filter(|(_, list)| !list.is_empty());
        there
            .map(|(name, list)| (name, Value::from(Json::Array(list))))
            .collect()
    }
}

/// The elements of a list; none if it is no list.
pub(super) fn items(json: Option<&Json>) -> impl Iterator<Item = &Json> {
    json.and_then(Json::as_array).into_iter().flatten()
}

/// A text that is not empty.
pub(super) fn text(json: Option<&Json>) -> Option<&str> {
    json.and_then(Json::as_str).filter(|text| !text.is_empty())
}

pub(super) fn message(role: &str, parts: Vec<Json>) -> Json {
    json!({"role": role, "parts": parts})
}

pub(super) fn text_part(text: &str) -> Json {
    json!({"type": "text", "content": text})
}

pub(super) fn reasoning(text: &str) -> Json {
    json!({"type": "reasoning", "content": text})
}

pub(super) fn tool_call(id: Option<&str>, name: &str, arguments: Option<&Json>) -> Json {
    let mut part = json!({"type": "tool_call", "name": name});
    if let Some(arguments) = arguments {
        part["arguments"] = arguments.clone();
    }
    with_id(part, id)
}

pub(super) fn tool_response(id: Option<&str>, response: Option<&Json>) -> Json {
    let response = response.cloned().unwrap_or(Json::Null);
    with_id(
        json!({"type": "tool_call_response", "response": response}),
        id,
    )
}

fn with_id(mut part: Json, id: Option<&str>) -> Json {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        part["id"] = id.into();
    }
    part
}

/// Arguments as a value: some providers send them as JSON text. Text that is no JSON stays text.
pub(super) fn arguments(arguments: &Json) -> Json {
    match arguments {
        Json::String(text) if text.trim().is_empty() => json!({}),
        Json::String(text) => serde_json::from_str(text).unwrap_or_else(|_| arguments.clone()),
        other => other.clone(),
    }
}

/// A part that is base64 data.
pub(super) fn blob(mime: Option<&str>, modality: &str, data: &str) -> Json {
    let mut part = json!({"type": "blob", "modality": modality, "content": data});
    if let Some(mime) = mime {
        part["mime_type"] = mime.into();
    }
    part
}

/// A part that is elsewhere; a `data:` address is here.
pub(super) fn uri(mime: Option<&str>, modality: &str, uri: &str) -> Json {
    if let Some((kind, data)) = uri
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','))
    {
        let kind = kind.strip_suffix(";base64").unwrap_or(kind);
        return blob(Some(kind).filter(|kind| !kind.is_empty()), modality, data);
    }
    let mut part = json!({"type": "uri", "modality": modality, "uri": uri});
    if let Some(mime) = mime {
        part["mime_type"] = mime.into();
    }
    part
}

pub(super) fn file(modality: &str, id: &str) -> Json {
    json!({"type": "file", "modality": modality, "file_id": id})
}

/// `image`, `audio`, `video`, or `document` for anything else.
pub(super) fn modality(mime: &str) -> &'static str {
    ["image", "audio", "video"]
        .into_iter()
        .find(|kind| mime.starts_with(kind))
        .unwrap_or("document")
}

/// A part of a kind the schemas do not know, which they let pass as it is if it says its kind.
pub(super) fn generic(kind: &str, part: &Json) -> Json {
    match part {
        Json::Object(fields) if fields.get("type").is_some_and(Json::is_string) => part.clone(),
        Json::Object(fields) => {
            let mut all = Map::from_iter([("type".to_owned(), Json::from(kind))]);
            all.extend(fields.iter().map(|(k, v)| (k.clone(), v.clone())));
            Json::Object(all)
        }
        other => json!({"type": kind, "content": other}),
    }
}

/// A tool's definition. Tools the provider runs itself have a type of their own, and perhaps no name.
pub(crate) fn definition(tool: &Json, parameters: &[&str]) -> Option<Json> {
    let name = text(tool.get("name")).or_else(|| text(tool.get("type")))?;
    let kind = text(tool.get("type")).filter(|kind| *kind != "custom");
    let mut definition = json!({"type": kind.unwrap_or("function"), "name": name});
    if let Some(description) = text(tool.get("description")) {
        definition["description"] = description.into();
    }
    let parameters = parameters.iter().find_map(|place| tool.pointer(place));
    if let Some(parameters) = parameters.filter(|found| !found.is_null()) {
        definition["parameters"] = parameters.clone();
    }
    Some(definition)
}
