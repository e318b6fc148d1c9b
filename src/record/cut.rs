//! Cutting what is too long: between two characters, with a mark, and without breaking the shape of JSON.

use std::fmt;

use crate::event::Value;

/// What a cut text ends in.
pub(crate) const TRUNCATED: &str = "…[truncated]";
/// What stands for a value whose formatting panicked or failed.
pub(crate) const UNPRINTABLE: &str = "<unprintable>";

/// The longest prefix of at most `max` bytes that ends between two characters.
pub(crate) fn floor(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Arrays and JSON keep their shape: their texts are cut, and what nests deeper than 64 levels is left out.
pub(crate) fn cut_value(value: Value, max: usize, depth: usize) -> Value {
    match value {
        Value::Str(s) if s.len() > max => Value::from(cut_text(&s, max)),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|v| cut_value(v, max, depth + 1))
                .collect(),
        ),
        Value::Json(json) => Value::Json(cut_json(json, max, depth)),
        other => other,
    }
}

fn cut_json(json: serde_json::Value, max: usize, depth: usize) -> serde_json::Value {
    use serde_json::Value as J;
    match json {
        _ if depth > 64 => J::Null,
        J::String(s) if s.len() > max => J::String(cut_text(&s, max)),
        J::Array(items) => J::Array(
            items
                .into_iter()
                .map(|v| cut_json(v, max, depth + 1))
                .collect(),
        ),
        J::Object(map) => J::Object(
            map.into_iter()
                .map(|(k, v)| (k, cut_json(v, max, depth + 1)))
                .collect(),
        ),
        other => other,
    }
}

fn cut_text(text: &str, max: usize) -> String {
    let mut cut = floor(text, max.saturating_sub(TRUNCATED.len())).to_owned();
    cut.push_str(TRUNCATED);
    cut
}

/// A writer that stops at a byte, so that a `Debug` which would print for ever is told to stop.
pub(crate) struct Cut<'a> {
    pub(crate) text: &'a mut String,
    pub(crate) end: usize,
    pub(crate) full: bool,
}

impl fmt::Write for Cut<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let room = self.end.saturating_sub(self.text.len());
        if s.len() <= room && !self.full {
            self.text.push_str(s);
            return Ok(());
        }
        if !self.full {
            self.text.push_str(floor(s, room));
            self.full = true;
        }
        Err(fmt::Error)
    }
}
