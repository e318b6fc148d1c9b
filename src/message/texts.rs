//! Every text in a message, to look at or to replace.
//!
//! Owns: which strings of messages are what somebody said, and which say how to read the rest.

use serde_json::Value as Json;

/// Fields of messages and parts whose words say how to read the rest.
const VOCABULARY: [&str; 5] = ["role", "type", "modality", "mime_type", "finish_reason"];
/// A word of those is at most this long: the longest MIME type of an office document has 73 bytes.
const LONGEST_WORD: usize = 80;
/// Base64 shorter than this may be a password, and is given as text. The smallest picture has 67 bytes, which make 92.
const LEAST_DATA: usize = 64;

/// Gives `f` every text in a messages JSON, with the name of the field it is in or below, and puts what it returns in its place.
/// `None` leaves the text as it is. Gives how many were replaced.
///
/// Every string counts as text, at any depth, in arguments and results as well, and in what is no message at all; ids and names,
/// too. Not given are the words that say how to read the rest (`role`, `type`, `modality`, `mime_type`, `finish_reason` of
/// messages and parts, as long as they look like such words), base64 data in `blob` parts, and the names of fields. Works level
/// by level, so that depth costs no stack. If `f` panics, what was not yet replaced is as it was.
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::map_text;
///
/// let mut messages = json!([{"role": "user", "parts": [{"type": "text", "content": "I am Ann."}]}]);
/// let replaced = map_text(&mut messages, |_, text| text.contains("Ann").then(|| text.replace("Ann", "***")));
/// assert_eq!(replaced, 1);
/// assert_eq!(messages[0]["parts"][0]["content"], "I am ***.");
/// assert_eq!(messages[0]["role"], "user");
/// ```
pub fn map_text(messages: &mut Json, mut f: impl FnMut(&str, &str) -> Option<String>) -> usize {
    let mut replaced = 0;
    // A value, the field it is in, and whether that is one of a message or a part.
    let mut open = vec![(messages, "", Level::Outside)];
    while let Some((json, name, level)) = open.pop() {
        match json {
            Json::String(text) => {
                if let Some(new) = f(name, text) {
                    *text = new;
                    replaced += 1;
                }
            }
            Json::Array(items) => open.extend(items.iter_mut().map(|item| (item, name, level))),
            Json::Object(fields) => {
                let is_own = level == Level::Outside;
                let is_blob = is_own && fields.get("type").is_some_and(|kind| kind == "blob");
                for (name, value) in fields {
                    let name = name.as_str();
                    let skipped = is_own
                        && value.as_str().is_some_and(|text| {
                            VOCABULARY.contains(&name) && is_word(text)
                                || is_blob && name == "content" && is_data(text)
                        });
                    if !skipped {
                        let level = match name {
                            "parts" if is_own => Level::Outside,
                            _ => Level::Content,
                        };
                        open.push((value, name, level));
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    replaced
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Around messages or parts: a list of them, or one.
    Outside,
    /// Inside what one says.
    Content,
}

/// Whether it looks like a word of a vocabulary: `tool_call_response`, `image/svg+xml`.
fn is_word(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-./+".contains(&byte);
    text.len() <= LONGEST_WORD && text.bytes().all(allowed)
}

fn is_data(text: &str) -> bool {
    text.len() >= LEAST_DATA && super::reading::is_base64(text)
}
