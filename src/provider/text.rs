//! How much text there is.

use serde_json::Value as Json;

/// How much text there is, for estimates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextSize {
    /// Characters.
    pub chars: u64,
    /// Words: runs of anything but white space.
    pub words: u64,
}

/// Counts text that comes in pieces; a word that is cut in two counts once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TextMeter {
    size: TextSize,
    in_word: bool,
}

impl TextMeter {
    /// The next piece.
    pub(super) fn add(&mut self, piece: &str) {
        for c in piece.chars() {
            self.size.chars += 1;
            let in_word = !c.is_whitespace();
            self.size.words += u64::from(in_word && !self.in_word);
            self.in_word = in_word;
        }
    }

    /// Every text in a message of the conventions' form: its parts' contents, arguments and results.
    pub(super) fn add_all(&mut self, json: &Json) {
        match json {
            Json::String(text) => {
                self.in_word = false;
                self.add(text);
            }
            Json::Array(items) => items.iter().for_each(|item| self.add_all(item)),
            Json::Object(fields) => {
                // What says how to read the rest is no text, and neither is what is not text.
                let texts = fields.iter().filter(|(name, _)| {
                    !matches!(
                        name.as_str(),
                        "type" | "role" | "id" | "modality" | "mime_type" | "uri" | "file_id"
                    )
                });
                let blob = fields.get("type").and_then(Json::as_str) == Some("blob");
                texts
                    .filter(|_| !blob)
                    .for_each(|(_, value)| self.add_all(value));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// What was counted.
    pub(super) fn size(&self) -> TextSize {
        self.size
    }
}
