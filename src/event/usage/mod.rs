//! Token counts of a model call.
//!
//! Promise: one meaning whatever the provider says: input includes what was read from and written to a cache,
//! output includes reasoning. An unknown count is absent, never zero.
//! Never: estimates, prices or rounds.

pub(crate) mod wire;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Attrs, Value};
use crate::semconv;

/// Token counts. `None` means the provider did not say.
///
/// ```
/// use tracing_genai::event::Usage;
///
/// let usage = Usage::new().input(1_200).cache_read(1_000).output(340);
/// assert_eq!(usage.total(), Some(1_540));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Usage {
    /// All tokens the model read, those from and to a cache included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// All tokens the model wrote, reasoning included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// The part of the input that came from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_read_tokens: Option<u64>,
    /// The part of the input that was written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// The part of the output that was reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// Nothing known.
    pub const fn new() -> Self {
        Self {
            input_tokens: None,
            output_tokens: None,
            cache_read_tokens: None,
            cache_write_tokens: None,
            reasoning_tokens: None,
        }
    }

    /// Sets the input, cache included.
    #[must_use]
    pub const fn input(mut self, tokens: u64) -> Self {
        self.input_tokens = Some(tokens);
        self
    }

    /// Sets the output, reasoning included.
    #[must_use]
    pub const fn output(mut self, tokens: u64) -> Self {
        self.output_tokens = Some(tokens);
        self
    }

    /// Sets how much of the input was read from a cache.
    #[must_use]
    pub const fn cache_read(mut self, tokens: u64) -> Self {
        self.cache_read_tokens = Some(tokens);
        self
    }

    /// Sets how much of the input was written to a cache.
    #[must_use]
    pub const fn cache_write(mut self, tokens: u64) -> Self {
        self.cache_write_tokens = Some(tokens);
        self
    }

    /// Sets how much of the output was reasoning.
    #[must_use]
    pub const fn reasoning(mut self, tokens: u64) -> Self {
        self.reasoning_tokens = Some(tokens);
        self
    }

    /// Input plus output; the known side alone when only one is known. `None` when neither is, or when the
    /// sum does not fit.
    pub const fn total(&self) -> Option<u64> {
        match (self.input_tokens, self.output_tokens) {
            (Some(input), Some(output)) => input.checked_add(output),
            (Some(side), None) | (None, Some(side)) => Some(side),
            (None, None) => None,
        }
    }

    /// Whether no count is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::new()
    }

    /// False when the parts contradict the whole: more cache than input, or more reasoning than output.
    /// A part whose whole is unknown contradicts nothing.
    pub fn is_consistent(&self) -> bool {
        let cache = self
            .cache_read_tokens
            .unwrap_or(0)
            .checked_add(self.cache_write_tokens.unwrap_or(0));
        let fits = |part: Option<u64>, whole: Option<u64>| match (part, whole) {
            (_, None) => part.is_some(),
            (None, Some(_)) => false,
            (Some(part), Some(whole)) => part <= whole,
        };
        fits(cache, self.input_tokens)
            && fits(Some(self.reasoning_tokens.unwrap_or(0)), self.output_tokens)
    }

    /// Both added, count by count; stops at `u64::MAX`. Known plus unknown is known.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.combine(other, |a, b| Some(a.saturating_add(b)))
            .unwrap_or_default()
    }

    /// Both added, or `None` when a count does not fit.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.combine(other, u64::checked_add)
    }

    fn combine(&self, other: &Self, sum: impl Fn(u64, u64) -> Option<u64>) -> Option<Self> {
        let both = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => sum(a, b).map(Some),
            (one, None) | (None, one) => Some(one),
        };
        Some(Self {
            input_tokens: both(self.input_tokens, other.input_tokens)?,
            output_tokens: both(self.output_tokens, other.output_tokens)?,
            cache_read_tokens: both(self.cache_read_tokens, other.cache_read_tokens)?,
            cache_write_tokens: both(self.cache_write_tokens, other.cache_write_tokens)?,
            reasoning_tokens: both(self.reasoning_tokens, other.reasoning_tokens)?,
        })
    }

    /// The counts that are known, under the names of their attributes.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        [
            (semconv::GEN_AI_USAGE_INPUT_TOKENS, self.input_tokens),
            (semconv::GEN_AI_USAGE_OUTPUT_TOKENS, self.output_tokens),
            (
                semconv::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
                self.cache_read_tokens,
            ),
            (
                semconv::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
                self.cache_write_tokens,
            ),
            (
                semconv::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
                self.reasoning_tokens,
            ),
        ]
        .into_iter()
        .filter_map(|(name, count)| Some((name, count?)))
    }

    /// The counts under `gen_ai.usage.*`. Negative or non-numeric values are taken as unknown.
    pub fn from_attrs(attrs: &Attrs) -> Self {
        let count = |name: &str| attrs.get(name).and_then(count_of);
        Self {
            input_tokens: count(semconv::GEN_AI_USAGE_INPUT_TOKENS),
            output_tokens: count(semconv::GEN_AI_USAGE_OUTPUT_TOKENS),
            cache_read_tokens: count(semconv::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
            cache_write_tokens: count(semconv::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS)
                .or_else(|| count(semconv::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS)),
            reasoning_tokens: count(semconv::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
        }
    }

    /// The counts in a provider's own JSON: OpenAI chat, responses and embeddings and what is compatible, Anthropic, Gemini,
    /// Ollama, Cohere, Mistral, Bedrock Converse.
    ///
    /// Takes either the usage object or a whole response, or the last frame of a stream, that has one under `usage`,
    /// `usageMetadata`, `response.usage`, `message.usage`, `delta.usage` or `meta`. `None` when no count is found. Providers
    /// that count cache tokens beside the input (Anthropic, Bedrock) or reasoning beside the output (Gemini) have them added;
    /// of Cohere's two counts the billed one is taken.
    ///
    /// A negative, textual, fractional or huge (above 2^53) count is taken as unknown, and so are a whole and its parts when
    /// the parts are larger, unless the stated total proves that they were counted beside the whole: then they are added.
    ///
    /// ```
    /// use tracing_genai::event::Usage;
    ///
    /// let answer = serde_json::json!({"usage": {"input_tokens": 3, "cache_read_input_tokens": 13_216, "output_tokens": 20}});
    /// assert_eq!(Usage::from_json(&answer).and_then(|usage| usage.input_tokens), Some(13_219));
    /// ```
    pub fn from_json(json: &Json) -> Option<Self> {
        let (shape, usage) = wire::find(json);
        let mut counts = wire::Counts::default();
        counts.read(shape, usage);
        let usage = counts.resolve(shape).usage;
        (!usage.is_empty()).then_some(usage)
    }
}

fn count_of(value: &Value) -> Option<u64> {
    match value {
        Value::I64(count) => u64::try_from(*count).ok(),
        // Emitters that only know doubles send whole numbers as such; 2^53 is where those stop being exact.
        Value::F64(count)
            if *count >= 0.0 && count.fract() == 0.0 && *count <= 9_007_199_254_740_992.0 =>
        {
            Some(*count as u64)
        }
        Value::Str(digits) => digits.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cache_counted_beside_the_input_is_added_to_it() {
        let anthropic = json!({"usage": {"input_tokens": 52, "cache_creation_input_tokens": 300,
            "cache_read_input_tokens": 1200, "output_tokens": 61}});
        let expected = Usage::new()
            .input(1552)
            .output(61)
            .cache_read(1200)
            .cache_write(300);
        assert_eq!(Usage::from_json(&anthropic), Some(expected));
        assert_eq!(
            Usage::from_json(&json!({"message": anthropic})),
            Some(expected)
        );

        let bedrock = json!({"inputTokens": 60, "outputTokens": 54, "totalTokens": 464,
            "cacheReadInputTokens": 250, "cacheWriteInputTokens": 100});
        assert_eq!(
            Usage::from_json(&bedrock),
            Some(
                Usage::new()
                    .input(410)
                    .output(54)
                    .cache_read(250)
                    .cache_write(100)
            )
        );
    }

    #[test]
    fn cache_counted_inside_the_input_is_left_inside() {
        let responses = json!({"input_tokens": 305, "input_tokens_details": {"cached_tokens": 256, "cache_write_tokens": 20},
            "output_tokens": 74, "output_tokens_details": {"reasoning_tokens": 50}, "total_tokens": 379});
        let expected = Usage::new()
            .input(305)
            .output(74)
            .cache_read(256)
            .cache_write(20)
            .reasoning(50);
        assert_eq!(Usage::from_json(&responses), Some(expected));

        let chat = json!({"prompt_tokens": 10, "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 8}, "completion_tokens_details": null});
        assert_eq!(
            Usage::from_json(&chat),
            Some(Usage::new().input(10).output(4).cache_read(8))
        );
    }

    #[test]
    fn gemini_thoughts_are_part_of_the_output() {
        let gemini = json!({"usageMetadata": {"promptTokenCount": 180, "cachedContentTokenCount": 100,
            "candidatesTokenCount": 16, "thoughtsTokenCount": 41, "totalTokenCount": 237}});
        let usage = Usage::from_json(&gemini).unwrap();
        assert_eq!(
            usage,
            Usage::new()
                .input(180)
                .output(57)
                .cache_read(100)
                .reasoning(41)
        );
        assert_eq!(usage.total(), Some(237));
    }

    #[test]
    fn a_response_without_counts_has_no_usage() {
        for json in [
            json!({}),
            json!(null),
            json!({"usage": null}),
            json!({"usage": {"input_tokens": -3}}),
        ] {
            assert_eq!(Usage::from_json(&json), None, "{json}");
        }
    }

    #[test]
    fn sums_never_wrap() {
        let huge = Usage::new().input(u64::MAX).output(1);
        assert_eq!(huge.total(), None);
        assert_eq!(huge.checked_add(&huge), None);
        assert_eq!(huge.add(&huge), Usage::new().input(u64::MAX).output(2));
        assert_eq!(Usage::new().total(), None);
        assert_eq!(Usage::new().output(3).total(), Some(3));
    }

    #[test]
    fn parts_larger_than_the_whole_are_inconsistent() {
        assert!(Usage::new().is_consistent());
        assert!(Usage::new().cache_read(5).is_consistent());
        assert!(
            Usage::new()
                .input(10)
                .cache_read(6)
                .cache_write(4)
                .is_consistent()
        );
        assert!(
            !Usage::new()
                .input(10)
                .cache_read(6)
                .cache_write(5)
                .is_consistent()
        );
        assert!(!Usage::new().output(1).reasoning(2).is_consistent());
        assert!(
            !Usage::new()
                .input(10)
                .cache_read(u64::MAX)
                .cache_write(1)
                .is_consistent()
        );
    }
}
