//! Errors as providers tell them, in bodies and in streams.
//!
//! Promise: a name that is short and stable, or the conventions' fallback.
//! Never: a sentence as a name.

use serde_json::Value as Json;

use super::answer::ProviderError;
use crate::semconv::error_type;

/// A longer name is a sentence.
const NAME: usize = 96;

/// The error `json` tells, if it tells one:
///
/// | Provider | Body |
/// | --- | --- |
/// | OpenAI and compatible | `{"error": {"code", "type", "message"}}` |
/// | Anthropic | `{"type": "error", "error": {"type", "message"}}` |
/// | Gemini | `{"error": {"status", "code", "message"}}`, or a list of it |
/// | Ollama | `{"error": "a sentence"}` |
/// | Cohere | `{"message": "a sentence"}` |
/// | Mistral | `{"object": "error", "type", "code", "message"}`, `{"message"}`, `{"detail": […]}` |
/// | Bedrock | `{"__type", "message"}`, and a header |
pub(super) fn of(json: &Json) -> Option<ProviderError> {
    let json = match json {
        Json::Array(items) => items.first()?,
        other => other,
    };
    match json.get("error") {
        Some(error @ Json::Object(fields)) if !fields.is_empty() => Some(named(error)),
        Some(Json::String(text)) if !text.is_empty() => Some(said(text)),
        _ => bare(json),
    }
}

/// The error a frame of a stream tells, if it tells one. Unlike a body, a frame may have a `message` that is none.
pub(super) fn of_frame(frame: &Json) -> Option<ProviderError> {
    match frame.get("error") {
        Some(error @ Json::Object(fields)) if !fields.is_empty() => Some(named(error)),
        Some(Json::String(text)) if !text.is_empty() => Some(said(text)),
        _ if frame.get("object").and_then(Json::as_str) == Some("error") => Some(named(frame)),
        _ => None,
    }
}

/// An object that has a code, a status or a type, and a message.
pub(super) fn named(error: &Json) -> ProviderError {
    // A code may be a number, the HTTP status once more; a word says more.
    let words = ["/code", "/status", "/type"].into_iter();
    let word = words
        .filter_map(|place| error.pointer(place)?.as_str())
        .find_map(name);
    let code = || {
        let code = error.get("code").and_then(Json::as_u64);
        code.map(|code| code.to_string())
    };
    ProviderError {
        kind: word
            .or_else(code)
            .unwrap_or_else(|| error_type::OTHER.to_owned()),
        message: text(error.get("message")),
    }
}

/// An error of AWS: `com.amazon.coral.service#ThrottlingException:http://…` is `ThrottlingException`.
pub(super) fn aws(kind: &str, message: Option<&Json>) -> ProviderError {
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    let kind = kind.split(':').next().unwrap_or(kind).trim();
    ProviderError {
        kind: name(kind).unwrap_or_else(|| error_type::OTHER.to_owned()),
        message: text(message),
    }
}

/// An error that is not under `error`. No answer of any API has a text as `message` or has `detail`.
fn bare(json: &Json) -> Option<ProviderError> {
    let message = json.get("message").or_else(|| json.get("Message"));
    if let Some(kind) = json.get("__type").and_then(Json::as_str) {
        return Some(aws(kind, message));
    }
    if json.get("object").and_then(Json::as_str) == Some("error") {
        return Some(named(json));
    }
    let detail = json.get("detail");
    let detail = detail.and_then(|detail| detail.pointer("/0/msg").or(Some(detail)));
    if message.is_some_and(Json::is_string) {
        return Some(named(json));
    }
    Some(said(detail?.as_str()?))
}

/// A sentence, which may be no more than a name.
fn said(sentence: &str) -> ProviderError {
    ProviderError {
        kind: name(sentence).unwrap_or_else(|| error_type::OTHER.to_owned()),
        message: Some(sentence.to_owned()),
    }
}

fn name(word: &str) -> Option<String> {
    let fits = !word.is_empty()
        && word.len() <= NAME
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    fits.then(|| word.to_owned())
}

fn text(json: Option<&Json>) -> Option<String> {
    json.and_then(Json::as_str).map(str::to_owned)
}
