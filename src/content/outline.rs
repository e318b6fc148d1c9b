//! The outline of content: what [`Capture::Metadata`](super::Capture::Metadata) keeps.
//!
//! Promise: nothing a person or a model wrote is in it; what the conventions' schemas require is there, empty.

use serde_json::{Map, Value as Json, json};

use super::names::Shape;

/// Fields of parts that are no content.
const PART: [&str; 7] = [
    "type",
    "id",
    "name",
    "modality",
    "mime_type",
    "file_id",
    "compaction",
];
/// Fields that the schemas require of parts of a type, and that are content.
const REQUIRED: [(&str, &str); 7] = [
    ("text", "content"),
    ("reasoning", "content"),
    ("blob", "content"),
    ("uri", "uri"),
    ("tool_call_response", "response"),
    ("server_tool_call", "server_tool_call"),
    ("server_tool_call_response", "server_tool_call_response"),
];
/// The longest name, id or type in it, in bytes.
const LONGEST: usize = 128;

/// The outline of a list of messages, parts or tool definitions; `None` for what has none.
pub(super) fn outline(json: &Json, shape: Shape) -> Option<Json> {
    let items = json.as_array()?.iter();
    Some(match shape {
        Shape::Messages(_) => items.filter_map(message).collect(),
        Shape::Parts => items.filter_map(part).collect(),
        Shape::Json => return None,
    })
}

fn message(message: &Json) -> Option<Json> {
    let fields = message.as_object()?;
    let mut outline = kept(fields, &["role", "finish_reason"]);
    let parts = fields.get("parts").and_then(Json::as_array);
    let parts: Vec<_> = parts.into_iter().flatten().filter_map(part).collect();
    outline.insert("parts".to_owned(), parts.into());
    Some(outline.into())
}

fn part(part: &Json) -> Option<Json> {
    let fields = part.as_object()?;
    let mut outline = kept(fields, &PART);
    let kind = fields.get("type").and_then(Json::as_str)?;
    let bytes: usize = fields
        .iter()
        .filter(|(name, _)| !PART.contains(&name.as_str()))
        .map(|(_, value)| size(value))
        .sum();
    if let Some((_, name)) = REQUIRED.iter().find(|(of, _)| *of == kind) {
        let empty = match *name {
            "response" => Json::Null,
            "server_tool_call" | "server_tool_call_response" => {
                let kind = fields.get(*name).and_then(|inner| inner.get("type"));
                json!({"type": short(kind.and_then(Json::as_str).unwrap_or("unknown"))})
            }
            _ => "".into(),
        };
        outline.insert((*name).to_owned(), empty);
    }
    outline.insert("bytes".to_owned(), bytes.into());
    Some(outline.into())
}

fn kept(fields: &Map<String, Json>, names: &[&str]) -> Map<String, Json> {
    let text = |name: &&str| {
        Some((
            (*name).to_owned(),
            short(fields.get(*name)?.as_str()?).into(),
        ))
    };
    names.iter().filter_map(text).collect()
}

fn short(text: &str) -> &str {
    crate::record::cut::floor(text, LONGEST)
}

/// Bytes of a value: of a text without its quotes, of all else as JSON.
pub(super) fn size(value: &Json) -> usize {
    match value {
        Json::Null => 0,
        Json::String(text) => text.len(),
        other => other.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_kinds_ids_and_sizes_are_kept_and_no_word_that_was_said() {
        let messages = json!([
            {"role": "user", "parts": [{"type": "text", "content": "the launch code"}], "name": "Ada"},
            {"role": "assistant", "finish_reason": "tool_call", "parts": [
                {"type": "tool_call", "id": "call_1", "name": "search", "arguments": {"q": "code"}},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAAA"},
            ]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "42"}]},
        ]);
        let outline = outline(&messages, Shape::Messages("user")).unwrap();
        assert_eq!(
            outline,
            json!([
                {"role": "user", "parts": [{"type": "text", "content": "", "bytes": 15}]},
                {"role": "assistant", "finish_reason": "tool_call", "parts": [
                    {"type": "tool_call", "id": "call_1", "name": "search", "bytes": 12},
                    {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "", "bytes": 4},
                ]},
                {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": null, "bytes": 2}]},
            ])
        );
    }
}
