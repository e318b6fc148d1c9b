//! An event as a log may have it: its shape, its names and numbers, no content, no secrets, no payloads.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::console::escape;
use crate::event::{CONTENT, Event};
use crate::security::redact::Redactor;

/// Characters of one event. A line about it is to be read, not to be parsed.
const WHOLE: usize = 2_000;
/// Characters of one text in it.
const TEXT: usize = 120;
/// From so many characters of the alphabet on, in one piece, a text is a payload: longer than any id or key, shorter than any
/// sound or picture.
const PAYLOAD: usize = 128;
/// Deeper than this nothing is shown.
const DEPTH: usize = 16;

/// Fields of an event that the others tell as well, or that help nobody who reads a line.
const LEFT_OUT: [&str; 8] = [
    "channel",
    "cursor",
    "kind",
    "level",
    "phase",
    "schema_version",
    "seq",
    "visibility",
];

/// Names of fields inside content whose short values say what something is, not what it says.
const STRUCTURE: [&str; 12] = [
    "event",
    "finish_reason",
    "format",
    "id",
    "kind",
    "media_type",
    "mime_type",
    "modality",
    "model",
    "role",
    "tool_call_id",
    "type",
];

/// Shows, with `{:?}`, what an event or a document is without what is in it: for lines about failures.
///
/// Of content, texts are told by their length; payloads in Base64 as `<audio:N b64 chars elided>`, `<image:N b64 chars elided>` or
/// `<N b64 chars elided>`. Secrets and personal data in the rest are replaced by the standard redactor. 2,000 characters at most.
///
/// ```
/// use serde_json::json;
/// use tracing_genai::reporter::Redacted;
///
/// let document = json!({ "role": "user", "content": [
///     { "type": "text", "text": "what is this?" },
///     { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{}", "iVBO".repeat(64)) } },
/// ]});
/// assert_eq!(
///     format!("{:?}", Redacted(&document)),
///     r#"{"role":"user","content":[{"type":"text","text":"<13 chars>"},{"type":"image_url","image_url":{"url":"<image:256 b64 chars elided>"}}]}"#,
/// );
/// ```
#[derive(Clone, Copy)]
pub struct Redacted<T>(pub T);

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::standard);

impl fmt::Debug for Redacted<&Event> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut data = self.0.clone().into_data();
        REDACTOR.redact_event(&mut data);
        let mut json = serde_json::to_value(&data).unwrap_or_default();
        if let Some(fields) = json.as_object_mut() {
            fields.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("attributes", Json::Object(attributes)) => {
                        for (name, value) in attributes {
                            shorten(value, CONTENT.contains(&name.as_str()), "", 0);
                        }
                    }
                    ("body", value) => shorten(value, true, "", 0),
                    ("error", Json::Object(error)) => {
                        if let Some(message) = error.get_mut("message") {
                            shorten(message, true, "", 0);
                        }
                    }
                    (_, value) => shorten(value, false, "", 0),
                }
            }
        }
        f.write_str(&capped(&json.to_string(), WHOLE))
    }
}

impl fmt::Debug for Redacted<&Json> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = self.0.clone();
        REDACTOR.redact_json(&mut json);
        shorten(&mut json, true, "", 0);
        f.write_str(&capped(&json.to_string(), WHOLE))
    }
}

/// Somebody else's words about a failure: without secrets and payloads, and not too many.
pub(super) fn clean(text: &str) -> String {
    let text = elided(text, "");
    capped(&REDACTOR.redact_str(&text), 4 * TEXT)
}

/// Shortens a document in place. `content` says that its texts are content; `around` names what it is in.
fn shorten(json: &mut Json, content: bool, around: &str, depth: usize) {
    if depth > DEPTH {
        *json = "…".into();
        return;
    }
    match json {
        Json::Array(items) => {
            for item in items {
                shorten(item, content, around, depth + 1);
            }
        }
        Json::Object(fields) => {
            let said = ["type", "format", "media_type", "mime_type"];
            let said = said.iter().filter_map(|name| fields.get(*name)?.as_str());
            let around = said.fold(around.to_owned(), |all, more| format!("{all} {more}"));
            for (name, value) in fields {
                let content = content && !STRUCTURE.contains(&name.as_str());
                shorten(value, content, &format!("{around} {name}"), depth + 1);
            }
        }
        Json::String(text) => {
            let short = elided(text, around);
            *text = match short {
                Cow::Owned(short) if content && !is_marker(&short) => told(&short),
                Cow::Borrowed(text) if content => told(text),
                short => capped(&short, TEXT),
            };
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn told(text: &str) -> String {
    format!("<{} chars>", text.chars().count())
}

fn is_marker(text: &str) -> bool {
    text.starts_with('<') && text.ends_with(" b64 chars elided>") && text.matches('<').count() == 1
}

/// Replaces what is Base64. `around` helps to tell what it is of.
fn elided<'t>(text: &'t str, around: &str) -> Cow<'t, str> {
    let mut out = String::new();
    let mut copied = 0;
    for payload in payloads(text) {
        let before = &text[copied..payload.start];
        let (before, kind) = match before.rsplit_once("data:") {
            Some((before, head)) if head.ends_with(";base64,") && head.len() < 100 => {
                (before, head)
            }
            _ => (before, around),
        };
        let kind = match () {
            () if mentions(kind, "audio") || mentions(kind, "wav") || mentions(kind, "mp3") => {
                "audio:"
            }
            () if mentions(kind, "image") || mentions(kind, "png") || mentions(kind, "jpeg") => {
                "image:"
            }
            () => "",
        };
        out.push_str(before);
        out.push_str(&format!("<{kind}{} b64 chars elided>", payload.len()));
        copied = payload.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

fn mentions(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase().contains(word)
}

/// Long runs of the alphabets of Base64.
fn payloads(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_b64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at + bytes[at..].iter().position(is_b64)?;
            let length = bytes[start..]
                .iter()
                .take_while(|byte| is_b64(byte))
                .count();
            at = start + length;
            if length >= PAYLOAD {
                return Some(start..at);
            }
        }
        None
    })
}

fn capped(text: &str, most: usize) -> String {
    let mut out = escape(text).into_owned();
    if let Some((at, _)) = out.char_indices().nth(most) {
        out.truncate(at);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::event::{ErrorInfo, EventData, EventType};

    #[test]
    fn failure_lines_have_no_payload_no_content_and_no_secret_and_are_capped() {
        let mut data = EventData::new(
            EventType::from_lossy("conversation.snapshot"),
            SystemTime::UNIX_EPOCH,
        );
        let audio = "UklGRiQA".repeat(4_000);
        data.body = Some(
            json!([
                { "role": "user", "content": [
                    { "type": "input_audio", "input_audio": { "data": audio, "format": "wav" } },
                    { "type": "text", "text": "CANARY content" },
                ]},
                { "role": "user", "content": format!("see data:image/png;base64,{} there, CANARY", "iVBORw0K".repeat(32)) },
                { "blob": "QUJD".repeat(100) },
            ])
            .into(),
        );
        data.attrs
            .set("gen_ai.input.messages", "CANARY in an attribute");
        data.attrs.set(
            "http.request.header.authorization",
            "Bearer CANARY-4711-abcdefghijkl",
        );
        data.attrs.set("scenario.run.id", "run-1");
        data.error = Some(ErrorInfo::new("timeout").with_message("CANARY message"));
        let shown = format!("{:?}", Redacted(&Event::new(data)));
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(
            !shown.contains("UklGRiQA")
                && !shown.contains("iVBORw0K")
                && !shown.contains("QUJDQUJD"),
            "{shown}"
        );
        for kept in [
            "conversation.snapshot",
            "run-1",
            "timeout",
            "\"role\":\"user\"",
            "<audio:32000 b64 chars elided>",
            "<400 b64 chars elided>",
        ] {
            assert!(shown.contains(kept), "{kept} is not in {shown}");
        }

        let long = json!({ "id": "x".repeat(100), "many": vec!["text"; 10_000] });
        let shown = format!("{:?}", Redacted(&long));
        assert_eq!(shown.chars().count(), WHOLE + 1);
    }

    #[test]
    fn words_about_a_failure_lose_payloads_and_secrets_too() {
        let said = format!(
            "HTTP 400: bad data:audio/wav;base64,{} and Authorization: Bearer abcdefghijklmnopqrstuvwxyz123456",
            "UklG".repeat(100)
        );
        let clean = clean(&said);
        assert!(clean.contains("<audio:400 b64 chars elided>"), "{clean}");
        assert!(!clean.contains("abcdefghijklmnop"), "{clean}");
    }
}
