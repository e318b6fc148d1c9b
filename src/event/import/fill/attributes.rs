//! The places that are attributes.

use serde_json::Value as Json;

use super::{Filling, json_unless, set};
use crate::{
    event::{
        Key, Usage, Value, content,
        import::{
            place::{Place, same},
            read,
        },
    },
    semconv,
};

/// The fields of a usage object that [`Usage::from_json`] reads in full.
const COUNTED: &[&str] = &[
    "prompt_tokens",
    "completion_tokens",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "inputTokens",
    "outputTokens",
    "cacheReadInputTokens",
    "cacheWriteInputTokens",
    "promptTokenCount",
    "candidatesTokenCount",
    "toolUsePromptTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
];

impl Filling {
    pub(super) fn attribute(
        &mut self,
        field: &str,
        rest: &str,
        json: Json,
        place: &'static Place,
    ) -> Option<Json> {
        match place {
            Place::Attr(name) => self.attr(field, *name, json),
            Place::Under(prefix) => self.attr(field, format!("{prefix}{rest}"), json),
            Place::List(name) => match json {
                list @ Json::Array(_) => self.attr(field, *name, list),
                one => self.attr(field, *name, Json::Array(vec![one])),
            },
            Place::Words(name, words) => {
                let number = json
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok());
                let word = number.and_then(|number| words.get(number));
                let word = word.map_or(json, |word| (*word).into());
                self.attr(field, *name, Json::Array(vec![word]))
            }
            Place::Mapped(name, pairs) => {
                let text = json.as_str().unwrap_or_default();
                if let Some((_, to)) = pairs.iter().find(|(from, _)| same(from, text)) {
                    self.attrs.put((*name).into(), (*to).into());
                }
                None
            }
            Place::Count(name) => {
                if let Some(items) = json.as_array() {
                    self.attrs.put((*name).into(), items.len().into());
                }
                None
            }
            Place::Piece(name) => {
                if !self.attrs.put_into(name, field, &json) {
                    self.content(field, json, false);
                }
                None
            }
            Place::Names(name) => self.attr(field, *name, names(&json)),
            Place::Keys(name) => {
                let mut paths = Vec::new();
                key_paths(field.to_owned(), &json, &mut paths);
                self.attrs.append(name, paths);
                None
            }
            Place::Url => self.url(field, json),
            Place::Usage => json_unless(self.usage(&json), json),
            Place::TotalTokens => {
                // Some systems write 0 where they do not know.
                let total = json.is_number().then(|| json.clone());
                json_unless(json == 0 || set(&mut self.total_tokens, total), json)
            }
            _ => Some(json),
        }
    }

    /// Sets an attribute; gives the value back if another one is there. Content finds room in the body instead: it must not end
    /// up under a name nobody knows to carry it.
    pub(super) fn attr(&mut self, field: &str, name: impl Into<Key>, json: Json) -> Option<Json> {
        let name = name.into();
        let is_content = content::CONTENT.contains(&name.as_ref());
        let left = self.attrs.put_json(name, json)?;
        if !is_content {
            return Some(left);
        }
        self.content(field, left, false);
        None
    }

    fn url(&mut self, field: &str, json: Json) -> Option<Json> {
        let Some(url) = json.as_str().and_then(read::url) else {
            return self.attr(field, "url.full", json);
        };
        let left = self.attr(field, "url.full", url.full.into());
        self.attrs
            .put(semconv::SERVER_ADDRESS.into(), url.host.into());
        if let Some(port) = url.port {
            self.attrs.put(semconv::SERVER_PORT.into(), port.into());
        }
        left
    }

    fn usage(&mut self, json: &Json) -> bool {
        let (Some(usage), Some(fields)) = (Usage::from_json(json), json.as_object()) else {
            return false;
        };
        for (name, count) in usage.counts() {
            self.attrs.put(name.into(), count.into());
        }
        for (field, json) in fields {
            let place = match field.as_str() {
                counted if COUNTED.contains(&counted) && json.is_u64() => continue,
                "total_tokens" | "totalTokens" | "totalTokenCount" => &Place::TotalTokens,
                "cached_prompt_tokens" => {
                    &Place::Attr(semconv::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS)
                }
                "reasoning_tokens" => &Place::Attr(semconv::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
                _ => &Place::Under("llm.usage."),
            };
            self.place(&format!("llm.usage.{field}"), field, json.clone(), place);
        }
        true
    }

    /// A total that is the sum of its parts is left out: whoever wants it adds them up.
    pub(super) fn close_total(&mut self) {
        const TOTAL: &str = "llm.usage.total_tokens";
        let Some(total) = self.total_tokens.take() else {
            return;
        };
        let count = |name: &str| self.attrs.get(name).and_then(Value::as_i64);
        let sum = count(semconv::GEN_AI_USAGE_INPUT_TOKENS)
            .zip(count(semconv::GEN_AI_USAGE_OUTPUT_TOKENS))
            .and_then(|(input, output)| input.checked_add(output));
        if sum.is_none() || sum != total.as_i64() {
            self.attrs.keep(TOTAL, total.into());
        }
    }
}

/// What live objects are called: texts as they are, the names of objects in a list, the keys of a map.
fn names(json: &Json) -> Json {
    const UNNAMED: &str = "unnamed";
    let name = |item: &Json| match item {
        Json::String(text) => text.clone(),
        item => ["name", "__name__", "type", "class", "id"]
            .iter()
            .find_map(|key| item.get(*key)?.as_str())
            .unwrap_or(UNNAMED)
            .to_owned(),
    };
    match json {
        Json::Array(items) => items.iter().map(name).collect(),
        Json::Object(fields) => fields.keys().map(String::as_str).collect(),
        one => Json::Array(vec![name(one).into()]),
    }
}

fn key_paths(path: String, json: &Json, paths: &mut Vec<String>) {
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            for (name, json) in fields {
                key_paths(format!("{path}.{name}"), json, paths);
            }
        }
        _ => paths.push(path),
    }
}
