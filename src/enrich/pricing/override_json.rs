//! The JSON form of overrides, for price lists kept in a file.
//!
//! Promises: a key that is not known is an error that names it, so that a typing error is not a missing rate; numbers keep
//! the decimals they are written with. Never: applies anything; it only reads.

use serde::Deserialize;

use super::PriceError;
use super::overrides::{Override, Pattern};

/// Reads one object or an array of them. `origin` is what errors call the text.
pub(crate) fn read(json: &[u8], origin: &str) -> Result<Vec<Override>, PriceError> {
    let broken = |problem: String| PriceError::Overrides {
        origin: origin.to_owned(),
        problem,
    };
    let value: serde_json::Value =
        serde_json::from_slice(json).map_err(|error| broken(error.to_string()))?;
    let items = match value {
        serde_json::Value::Array(items) => items,
        object => vec![object],
    };
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| {
            let number = index + 1;
            let entry: Entry = serde_json::from_value(item)
                .map_err(|error| broken(format!("entry {number}: {error}")))?;
            let read = entry.into_override().ok_or_else(|| {
                broken(format!(
                    "entry {number}: give exactly one of \"model\", \"prefix\" and \"regex\""
                ))
            })?;
            read.compile()?;
            Ok(read)
        })
        .collect()
}

/// One entry of the JSON form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    provider: Option<String>,
    model: Option<String>,
    prefix: Option<String>,
    regex: Option<String>,
    input_per_mtok: Option<JsonRate>,
    output_per_mtok: Option<JsonRate>,
    cache_read_per_mtok: Option<JsonRate>,
    cache_write_per_mtok: Option<JsonRate>,
    #[serde(alias = "reasoning")]
    reasoning_per_mtok: Option<JsonRate>,
    #[serde(rename = "note")]
    _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JsonRate {
    Number(serde_json::Number),
    Text(String),
}

impl Entry {
    fn into_override(self) -> Option<Override> {
        let pattern = match (self.model, self.prefix, self.regex) {
            (Some(model), None, None) => Pattern::Exact(model),
            (None, Some(prefix), None) => Pattern::Prefix(prefix),
            (None, None, Some(regex)) => Pattern::Regex(regex),
            _ => return None,
        };
        // A JSON number prints as the shortest text that reads back as the same number, so 2.1 stays 2.1.
        let text = |rate: Option<JsonRate>| {
            rate.map(|rate| match rate {
                JsonRate::Number(number) => number.to_string(),
                JsonRate::Text(text) => text,
            })
        };
        Some(Override {
            pattern,
            provider: self.provider,
            input: text(self.input_per_mtok),
            output: text(self.output_per_mtok),
            cache_read: text(self.cache_read_per_mtok),
            cache_write: text(self.cache_write_per_mtok),
            reasoning: text(self.reasoning_per_mtok),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_decimals_exactly_and_refuses_typing_errors() {
        let read = Override::from_json(
            br#"[{"model": "a", "input_per_mtok": 0.1, "output_per_mtok": "0.20", "reasoning": 1e-7, "note": "2026 contract"},
                 {"regex": "(?i)b", "provider": "xai", "input_per_mtok": 0}]"#,
        )
        .expect("valid");
        let rates = read[0].compile().expect("valid").rates;
        assert_eq!(rates.input, "0.1".parse().ok());
        assert_eq!(rates.output, "0.2".parse().ok());
        assert_eq!(rates.reasoning, "0.0000001".parse().ok());
        for (broken, expected) in [
            ("nonsense", "expected"),
            (
                r#"[{"model": "a", "inptu_per_mtok": 1}]"#,
                "entry 1: unknown field `inptu_per_mtok`",
            ),
            (
                r#"[{"model": "a", "prefix": "b", "input_per_mtok": 1}]"#,
                "entry 1: give exactly one",
            ),
            (r#"{"input_per_mtok": 1}"#, "entry 1: give exactly one"),
            (
                r#"{"model": "a", "input_per_mtok": -1}"#,
                "override exact a: input is not a decimal",
            ),
            (r#"{"model": "a", "input_per_mtok": true}"#, "entry 1"),
            ("7", "entry 1"),
        ] {
            let error = Override::from_json(broken.as_bytes())
                .expect_err(broken)
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
