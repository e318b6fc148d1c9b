//! Messages without what they say.
//!
//! Owns: which fields of a message are about it, and which are it.
//! Promise: what comes out is valid against the conventions' schemas, and has no content in it: no text, no argument, no data,
//! no address.

use serde_json::{Map, Value as Json};

use super::reading::MAX_DEPTH;
use crate::event::import::nests_within;

/// Where the size of what is left out is said.
const BYTES: &str = "bytes";
/// What has no type or role of its own.
const UNKNOWN: &str = "unknown";
/// The longest a word may be: ids and names of tools are at most 128 bytes with every provider. A longer one is content in the
/// wrong place.
const LONGEST_WORD: usize = 256;

/// Messages with their roles, types of parts, ids, names and finish reasons, and of everything else the size only: what is
/// recorded where the shape of a conversation is wanted and its content is not.
///
/// Takes the JSON of `gen_ai.input.messages` or `gen_ai.output.messages`. Of each part, `bytes` is the length of what is left
/// out: of text and of base64 in bytes, of anything else as JSON. Fields that the schemas require are there and empty. What is
/// no message becomes one of role `unknown`; what is no list is taken for a list of one.
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::metadata;
///
/// let messages = json!([
///     {"role": "user", "parts": [{"type": "text", "content": "My PIN is 1234"}]},
///     {"role": "assistant", "parts": [
///         {"type": "tool_call", "id": "call_1", "name": "pay", "arguments": {"pin": "1234"}},
///     ], "finish_reason": "tool_call"},
/// ]);
/// assert_eq!(metadata(&messages), json!([
///     {"role": "user", "parts": [{"type": "text", "content": "", "bytes": 14}]},
///     {"role": "assistant", "parts": [
///         {"type": "tool_call", "id": "call_1", "name": "pay", "bytes": 14},
///     ], "finish_reason": "tool_call"},
/// ]));
/// ```
pub fn metadata(messages: &Json) -> Json {
    list(messages, message)
}

/// The same for the JSON of `gen_ai.system_instructions`, which is a list of parts.
pub fn metadata_of_parts(parts: &Json) -> Json {
    list(parts, part)
}

fn list(json: &Json, each: fn(&Json) -> Json) -> Json {
    match json {
        Json::Null => Json::Array(Vec::new()),
        Json::Array(items) => items.iter().map(each).collect(),
        one => Json::Array(vec![each(one)]),
    }
}

fn message(json: &Json) -> Json {
    let mut out = Map::new();
    let role = word(json, "role").unwrap_or(UNKNOWN);
    out.insert("role".to_owned(), role.into());
    let parts = match (json.get("parts"), json.get("content")) {
        (Some(parts), _) => metadata_of_parts(parts),
        // The form of OpenAI and Anthropic, which some put into the conventions' attribute.
        (None, Some(content)) if !content.is_null() => metadata_of_parts(content),
        _ if json.is_object() => Json::Array(Vec::new()),
        _ => Json::Array(vec![part(json)]),
    };
    out.insert("parts".to_owned(), parts);
    copy(json, &["name", "finish_reason", "id"], &mut out);
    Json::Object(out)
}

fn part(json: &Json) -> Json {
    let mut out = Map::new();
    let kind = word(json, "type").unwrap_or(UNKNOWN);
    out.insert("type".to_owned(), kind.into());
    // What the schema of the type requires; of the other types it requires nothing else.
    let (kept, required, measured): (&[&str], _, &[&str]) = match kind {
        "text" | "reasoning" => (&[], Some(("content", Json::from(""))), &["content"]),
        "tool_call" => (&["id", "name"], None, &["arguments"]),
        "tool_call_response" => (&["id"], Some(("response", Json::Null)), &["response"]),
        "blob" => (
            &["modality", "mime_type"],
            Some(("content", Json::from(""))),
            &["content"],
        ),
        "file" => (&["modality", "mime_type", "file_id"], None, &[]),
        "uri" => (
            &["modality", "mime_type"],
            Some(("uri", Json::from(""))),
            &["uri"],
        ),
        "server_tool_call" | "server_tool_call_response" => (&["id", "name"], None, &[]),
        _ => (&["id", "name"], None, &[]),
    };
    copy(json, kept, &mut out);
    if let Some((name, nothing)) = required {
        out.insert(name.to_owned(), nothing);
    }
    // What a provider's tool was asked and said has a type, too.
    if matches!(kind, "server_tool_call" | "server_tool_call_response")
        && let Some(inside) = json.get(kind)
    {
        let kind_of = word(inside, "type").unwrap_or(UNKNOWN);
        let inside = Map::from_iter([("type".to_owned(), Json::from(kind_of))]);
        out.insert(kind.to_owned(), inside.into());
    }
    if kind != "file" {
        let bytes = match measured {
            [] => size(json),
            names => names
                .iter()
                .filter_map(|name| json.get(name))
                .map(size)
                .sum(),
        };
        out.insert(BYTES.to_owned(), bytes.into());
    }
    Json::Object(out)
}

fn copy(from: &Json, names: &[&str], to: &mut Map<String, Json>) {
    for name in names {
        if let Some(word) = word(from, name) {
            to.insert((*name).to_owned(), word.into());
        }
    }
}

/// A field that is a word: text, and not so long that it is something else.
fn word<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    let word = json.get(name)?.as_str()?;
    (word.len() <= LONGEST_WORD).then_some(word)
}

/// The length of text, and of anything else as JSON. Of what nests too deep to be written it is 0.
fn size(json: &Json) -> usize {
    match json {
        Json::Null => 0,
        Json::String(text) => text.len(),
        other if nests_within(other, MAX_DEPTH) => super::fit::json_len(other, usize::MAX - 1),
        _ => 0,
    }
}
