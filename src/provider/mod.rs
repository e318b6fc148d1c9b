//! Reading what providers answer.
//!
//! Promise: what is not there is not made up, counts that make no sense are left out, and no shape makes it fail.
//! Never: touches content; looks at more than the places the table names.

use serde_json::Value;

use crate::event::Usage;

/// What the answer to a model call tells about the call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    /// In the provider's own words, one for each choice.
    pub(crate) finish_reasons: Vec<String>,
    pub(crate) usage: Option<Usage>,
}

/// Where the providers put it: OpenAI and the compatible, Anthropic, Gemini, Bedrock, in this order of frequency.
const MODEL: [&str; 2] = ["/model", "/modelVersion"];
const ID: [&str; 2] = ["/id", "/responseId"];
/// A list of choices, and the reason within one.
const REASONS: [(&str, &str); 2] = [
    ("/choices", "/finish_reason"),
    ("/candidates", "/finishReason"),
];
/// One reason for the whole answer.
const REASON: [&str; 4] = [
    "/stop_reason",
    "/stopReason",
    "/finish_reason",
    "/done_reason",
];

impl Answer {
    pub(crate) fn read(answer: &Value) -> Self {
        let text = |places: &[&str]| {
            let found = places
                .iter()
                .find_map(|place| answer.pointer(place)?.as_str());
            found.filter(|s| !s.is_empty()).map(str::to_owned)
        };
        let listed = REASONS.iter().flat_map(|(list, reason)| {
            let choices = answer
                .pointer(list)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            choices
                .filter_map(|choice| choice.pointer(reason)?.as_str())
                .map(str::to_owned)
        });
        let mut finish_reasons: Vec<_> = listed.collect();
        if finish_reasons.is_empty() {
            finish_reasons.extend(text(&REASON));
        }
        Self {
            model: text(&MODEL),
            id: text(&ID),
            finish_reasons,
            usage: Usage::from_json(answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_common_answers_tell_model_id_and_reasons() {
        let openai = Answer::read(&json!({
            "id": "chatcmpl-1", "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"finish_reason": "stop"}, {"finish_reason": "length"}],
            "usage": {"prompt_tokens": 140, "completion_tokens": 32}
        }));
        assert_eq!(openai.model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
        assert_eq!(openai.finish_reasons, ["stop", "length"]);
        assert_eq!(openai.usage.and_then(|u| u.total()), Some(172));
        let anthropic =
            Answer::read(&json!({"id": "msg_1", "model": "claude", "stop_reason": "end_turn"}));
        assert_eq!(anthropic.finish_reasons, ["end_turn"]);
        let gemini = Answer::read(
            &json!({"responseId": "r", "modelVersion": "gemini-2.5", "candidates": [{"finishReason": "STOP"}]}),
        );
        assert_eq!(
            (gemini.id.as_deref(), gemini.finish_reasons),
            (Some("r"), vec!["STOP".to_owned()])
        );
    }

    #[test]
    fn nonsense_tells_nothing() {
        for answer in [
            json!(null),
            json!([]),
            json!({"id": 3, "model": {}, "choices": "x", "usage": []}),
        ] {
            assert_eq!(Answer::read(&answer), Answer::default());
        }
    }
}
