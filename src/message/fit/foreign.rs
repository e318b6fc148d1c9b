//! JSON that somebody else wrote: messages in the conventions' form, or any other value.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::super::convert::Converted;
use super::super::from_gen_ai;
use super::super::reading::MAX_DEPTH;
use super::write::{MIN_JSON, json_len, mark_len, write_json};
use super::{Cut, Fitted, MAX_BYTES, Unfit, messages, parts, whole};
use crate::event::import::nests_within;

/// JSON text in at most `max_bytes`, whoever wrote it: what an attribute of another crate's span carries.
///
/// Text that fits is borrowed as it is. Of text that does not, messages and instructions are cut as [`messages`] and [`parts`]
/// say, and any other value inside its strings, objects and lists, the first members staying whole the longest. White space
/// between values is lost when anything is cut. A half of a surrogate pair (`\ud83d` alone), which text cut by a JavaScript
/// program ends in, becomes `\ufffd` as most readers would refuse the whole.
///
/// # Errors
/// If it is no JSON, nests deeper than [`MAX_DEPTH`](super::super::MAX_DEPTH), is longer than [`MAX_BYTES`], or does not fit
/// even without its content.
///
/// ```
/// use tracing_genai::message::fit::{Unfit, json_text};
///
/// let result = format!(r#"{{"sky":"light rain","page":"{}"}}"#, "é".repeat(100));
/// assert_eq!(json_text(&result, 1000)?.json, result);
/// assert_eq!(json_text(&result, 80)?.json, r#"{"sky":"light rain","page":"éééééééééééééééé…[cut 168 bytes]"}"#);
/// assert_eq!(json_text("{\"sky\":", 80), Err(Unfit::NotJson));
/// # Ok::<(), Unfit>(())
/// ```
pub fn json_text(text: &str, max_bytes: usize) -> Result<Fitted<'_>, Unfit> {
    // What is to be used as it is need not be parsed, and so may be longer.
    if text.len() > MAX_BYTES && text.len() > max_bytes {
        return Err(Unfit::TooLarge);
    }
    if nests_deeper(text, MAX_DEPTH) {
        return Err(Unfit::TooDeep);
    }
    let text = mend(text);
    if text.len() <= max_bytes {
        serde_json::from_str::<IgnoredAny>(&text).map_err(|_| Unfit::NotJson)?;
        let cut = Cut::default();
        return Ok(Fitted { json: text, cut });
    }
    let value: Json = serde_json::from_str(&text).map_err(|_| Unfit::NotJson)?;
    json(&value, max_bytes)
}

/// A JSON value as text in at most `max_bytes`, cut as [`json_text`] says.
///
/// # Errors
/// If it nests deeper than [`MAX_DEPTH`](super::super::MAX_DEPTH), or does not fit even without its content.
pub fn json(value: &Json, max_bytes: usize) -> Result<Fitted<'static>, Unfit> {
    if !nests_within(value, MAX_DEPTH) {
        return Err(Unfit::TooDeep);
    }
    if let Some(fitted) = whole(value, max_bytes) {
        return Ok(fitted);
    }
    if all_have(value, "role") {
        let Converted {
            value, problems, ..
        } = from_gen_ai(value);
        // What cannot be read as a message is cut as any other value, and not lost.
        if problems.iter().all(|problem| problem.kept) {
            return messages(&value.messages, max_bytes);
        }
    } else if all_have(value, "type") {
        let read = value.as_array().into_iter().flatten();
        let read: Option<Vec<_>> = read.map(super::Part::from_json).collect();
        if let Some(read) = read {
            return parts(&read, max_bytes);
        }
    }
    let least = json_len(value, MIN_JSON).min(MIN_JSON);
    if max_bytes < least {
        return Err(Unfit::TooSmall);
    }
    let mut cut = Cut::default();
    let mut out = String::new();
    write_json(&mut out, value, max_bytes, &mut cut);
    Ok(Fitted::cut(out, cut))
}

/// Plain text in at most `max_bytes`, ending in `…[cut 1234 bytes]` if it was longer. Where there is no room for that, it is as
/// much of the text as there is room for.
///
/// For what is no JSON by nature: a tool's result that is text, an error message.
///
/// ```
/// use tracing_genai::message::fit::text;
///
/// assert_eq!(text("It is 14 °C.", 10), "It is 14 ");
/// assert_eq!(text(&"rain ".repeat(20), 40), "rain rain rain rain ra…[cut 78 bytes]");
/// ```
pub fn text(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    match max_bytes.checked_sub(mark_len(text)) {
        None => Cow::Borrowed(&text[..floor(text, max_bytes)]),
        Some(room) => {
            let (kept, gone) = text.split_at(floor(text, room));
            Cow::Owned(format!("{kept}…[cut {} bytes]", gone.len()))
        }
    }
}

/// The last character boundary at or before a place.
fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// Whether it is a list of objects that all have a text of this name, and not an empty one.
fn all_have(value: &Json, name: &str) -> bool {
    let list = value.as_array().filter(|list| !list.is_empty());
    list.is_some_and(|list| list.iter().all(|item| item[name].is_string()))
}

/// Whether JSON text nests deeper than `max`, found out without reading it: brackets outside of strings. Of what is no JSON it
/// may say anything.
fn nests_deeper(text: &str, max: usize) -> bool {
    let mut bytes = text.bytes();
    let mut depth = 0usize;
    let mut in_string = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => drop(bytes.next()),
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > max {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Replaces escapes of halves of surrogate pairs, `\ud83d` without its other half, by that of the replacement character.
fn mend(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
        at += found;
        let next = match unit(bytes, at) {
            Some(0xd800..0xdc00) if matches!(unit(bytes, at + 6), Some(0xdc00..0xe000)) => at + 12,
            Some(0xd800..0xe000) => {
                out.push_str(&text[copied..at]);
                out.push_str("\\ufffd");
                copied = at + 6;
                copied
            }
            // Any other escape is two bytes or goes on with hexadecimal digits.
            _ => at + 2,
        };
        at = next.min(bytes.len());
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The UTF-16 unit that is escaped at this place, if one is.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let mut unit = 0;
    for digit in digits {
        unit = unit * 16 + char::from(*digit).to_digit(16)?;
    }
    Some(unit)
}
