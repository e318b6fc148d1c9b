//! Where providers put their token counts, and what has to be added up.
//!
//! Promise: one table row a count, one arithmetic for whole answers, streams and usage objects alike; a count that makes no
//! sense is left out and told apart from one that was not sent.
//! Never: estimates a count, or keeps one that another count contradicts.

use serde_json::Value as Json;

use super::Usage;
use crate::semconv;

/// The largest count that is believed: up to here every JSON reader and writer keeps whole numbers exactly (RFC 8259 §6).
const MAX: u64 = 1 << 53;

/// A count a provider may report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Input,
    Output,
    CacheRead,
    CacheWrite,
    Reasoning,
    /// Prompts of tools the provider runs itself (Gemini).
    ToolPrompt,
    Total,
    TextInput,
    TextOutput,
    TextCacheRead,
    ImageInput,
    ImageOutput,
    ImageCacheRead,
    AudioInput,
    AudioOutput,
    AudioCacheRead,
}

const COUNTS: usize = Count::AudioCacheRead as usize + 1;

/// Counts by kind of token: which attribute each is, and what it is a part of.
const MODALITIES: [(Count, Count, &str); 9] = {
    use Count::*;
    use semconv as s;
    [
        (TextInput, Input, s::GEN_AI_USAGE_TEXT_INPUT_TOKENS),
        (TextOutput, Output, s::GEN_AI_USAGE_TEXT_OUTPUT_TOKENS),
        (
            TextCacheRead,
            CacheRead,
            s::GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS,
        ),
        (ImageInput, Input, s::GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
        (ImageOutput, Output, s::GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
        (
            ImageCacheRead,
            CacheRead,
            s::GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
        ),
        (AudioInput, Input, s::GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
        (AudioOutput, Output, s::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
        (
            AudioCacheRead,
            CacheRead,
            s::GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
        ),
    ]
};

/// Where one count lies in a usage object.
#[derive(Debug)]
struct Place {
    count: Count,
    /// JSON pointers; the first that is there decides.
    at: &'static [&'static str],
    /// Not read when this is there.
    unless: Option<&'static str>,
}

const fn at(count: Count, at: &'static [&'static str]) -> Place {
    Place {
        count,
        at,
        unless: None,
    }
}

const fn unless(other: &'static str, count: Count, at: &'static [&'static str]) -> Place {
    Place {
        count,
        at,
        unless: Some(other),
    }
}

/// How one API counts.
#[derive(Debug)]
pub(crate) struct Shape {
    places: &'static [Place],
    /// Lists of `{modality, tokenCount}`, and the counts for text, image and audio.
    lists: &'static [(&'static str, [Count; 3])],
    /// Counts that the provider reports beside its input or output count, and that belong inside.
    beside_input: &'static [Count],
    beside_output: &'static [Count],
    /// A count of zero is not sent, so an absent one is zero when another is there.
    zero_is_silent: bool,
}

const INSIDE: Shape = Shape {
    places: &[],
    lists: &[],
    beside_input: &[],
    beside_output: &[],
    zero_is_silent: false,
};

/// OpenAI chat completions and embeddings, and what is compatible: DeepSeek's `prompt_cache_hit_tokens`, Moonshot's
/// `cached_tokens`, Mistral's `num_cached_tokens`.
pub(crate) static OPENAI_CHAT: Shape = Shape {
    places: &[
        at(Count::Input, &["/prompt_tokens"]),
        at(Count::Output, &["/completion_tokens"]),
        at(Count::Total, &["/total_tokens"]),
        at(
            Count::CacheRead,
            &[
                "/prompt_tokens_details/cached_tokens",
                "/prompt_cache_hit_tokens",
                "/num_cached_tokens",
                "/cached_tokens",
            ],
        ),
        at(
            Count::CacheWrite,
            &["/prompt_tokens_details/cache_write_tokens"],
        ),
        at(
            Count::Reasoning,
            &["/completion_tokens_details/reasoning_tokens"],
        ),
        at(Count::AudioInput, &["/prompt_tokens_details/audio_tokens"]),
        at(
            Count::AudioOutput,
            &["/completion_tokens_details/audio_tokens"],
        ),
        at(Count::TextInput, &["/prompt_tokens_details/text_tokens"]),
        at(
            Count::TextOutput,
            &["/completion_tokens_details/text_tokens"],
        ),
        at(Count::ImageInput, &["/prompt_tokens_details/image_tokens"]),
        at(
            Count::ImageOutput,
            &["/completion_tokens_details/image_tokens"],
        ),
    ],
    ..INSIDE
};

/// OpenAI responses. Says `thinking_tokens` too, for Anthropic's answers without cache counts look the same.
pub(crate) static OPENAI_RESPONSES: Shape = Shape {
    places: &[
        at(Count::Input, &["/input_tokens"]),
        at(Count::Output, &["/output_tokens"]),
        at(Count::Total, &["/total_tokens"]),
        at(Count::CacheRead, &["/input_tokens_details/cached_tokens"]),
        at(
            Count::CacheWrite,
            &["/input_tokens_details/cache_write_tokens"],
        ),
        at(
            Count::Reasoning,
            &[
                "/output_tokens_details/reasoning_tokens",
                "/output_tokens_details/thinking_tokens",
            ],
        ),
        at(Count::AudioInput, &["/input_tokens_details/audio_tokens"]),
        at(Count::AudioOutput, &["/output_tokens_details/audio_tokens"]),
        at(Count::TextInput, &["/input_tokens_details/text_tokens"]),
        at(Count::TextOutput, &["/output_tokens_details/text_tokens"]),
        at(Count::ImageInput, &["/input_tokens_details/image_tokens"]),
        at(Count::ImageOutput, &["/output_tokens_details/image_tokens"]),
    ],
    ..INSIDE
};

/// Anthropic messages: cache counts beside the input, thinking inside the output.
pub(crate) static ANTHROPIC: Shape = Shape {
    places: &[
        at(Count::Input, &["/input_tokens"]),
        at(Count::Output, &["/output_tokens"]),
        at(Count::CacheRead, &["/cache_read_input_tokens"]),
        at(Count::CacheWrite, &["/cache_creation_input_tokens"]),
        at(
            Count::Reasoning,
            &["/output_tokens_details/thinking_tokens"],
        ),
    ],
    beside_input: &[Count::CacheRead, Count::CacheWrite],
    ..INSIDE
};

/// Gemini: thoughts and prompts of tools apart, zeros not sent.
pub(crate) static GEMINI: Shape = Shape {
    places: &[
        at(Count::Input, &["/promptTokenCount"]),
        at(Count::Output, &["/candidatesTokenCount"]),
        at(Count::Total, &["/totalTokenCount"]),
        at(Count::ToolPrompt, &["/toolUsePromptTokenCount"]),
        at(Count::Reasoning, &["/thoughtsTokenCount"]),
        at(Count::CacheRead, &["/cachedContentTokenCount"]),
    ],
    lists: &[
        (
            "/promptTokensDetails",
            [Count::TextInput, Count::ImageInput, Count::AudioInput],
        ),
        (
            "/cacheTokensDetails",
            [
                Count::TextCacheRead,
                Count::ImageCacheRead,
                Count::AudioCacheRead,
            ],
        ),
        (
            "/candidatesTokensDetails",
            [Count::TextOutput, Count::ImageOutput, Count::AudioOutput],
        ),
    ],
    beside_input: &[Count::ToolPrompt],
    beside_output: &[Count::Reasoning],
    zero_is_silent: true,
};

/// Ollama: in the answer itself.
pub(crate) static OLLAMA: Shape = Shape {
    places: &[
        at(Count::Input, &["/prompt_eval_count"]),
        at(Count::Output, &["/eval_count"]),
        at(Count::CacheRead, &["/prompt_eval_cached_count"]),
    ],
    ..INSIDE
};

/// Cohere: billed counts win over consumed ones, and parts of the consumed ones are not put beside billed ones.
pub(crate) static COHERE: Shape = Shape {
    places: &[
        at(
            Count::Input,
            &["/billed_units/input_tokens", "/tokens/input_tokens"],
        ),
        at(
            Count::Output,
            &["/billed_units/output_tokens", "/tokens/output_tokens"],
        ),
        unless(
            "/billed_units/input_tokens",
            Count::CacheRead,
            &["/cached_tokens"],
        ),
        unless(
            "/billed_units/output_tokens",
            Count::Reasoning,
            &["/tokens/reasoning_tokens"],
        ),
    ],
    ..INSIDE
};

/// Bedrock Converse: cache counts beside the input.
pub(crate) static BEDROCK: Shape = Shape {
    places: &[
        at(Count::Input, &["/inputTokens"]),
        at(Count::Output, &["/outputTokens"]),
        at(Count::CacheRead, &["/cacheReadInputTokens"]),
        at(Count::CacheWrite, &["/cacheWriteInputTokens"]),
    ],
    beside_input: &[Count::CacheRead, Count::CacheWrite],
    ..INSIDE
};

/// Finds the usage object of an answer, or takes `json` for one, and tells how it counts.
pub(crate) fn find(json: &Json) -> (&'static Shape, &Json) {
    const PLACES: [&str; 6] = [
        "/usage",
        "/usageMetadata",
        "/response/usage",
        "/message/usage",
        "/delta/usage",
        "/meta",
    ];
    let usage = PLACES
        .iter()
        .find_map(|place| json.pointer(place).filter(|found| found.is_object()))
        .unwrap_or(json);
    (Shape::of(usage), usage)
}

impl Shape {
    /// By the names a usage object uses. What uses none of them reads as an empty one.
    fn of(usage: &Json) -> &'static Self {
        const NAMES: [(&str, &Shape); 12] = [
            ("promptTokenCount", &GEMINI),
            ("candidatesTokenCount", &GEMINI),
            ("inputTokens", &BEDROCK),
            ("outputTokens", &BEDROCK),
            ("prompt_tokens", &OPENAI_CHAT),
            ("completion_tokens", &OPENAI_CHAT),
            ("prompt_eval_count", &OLLAMA),
            ("eval_count", &OLLAMA),
            ("billed_units", &COHERE),
            ("input_tokens_details", &OPENAI_RESPONSES),
            ("cache_read_input_tokens", &ANTHROPIC),
            ("cache_creation_input_tokens", &ANTHROPIC),
        ];
        let known = NAMES.iter().find(|(name, _)| usage.get(name).is_some());
        match known {
            Some((_, shape)) => shape,
            None if usage.get("tokens").is_some_and(Json::is_object) => &COHERE,
            None => &OPENAI_RESPONSES,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Slot {
    #[default]
    Absent,
    Known(u64),
    /// It was there and made no sense.
    Refused,
}

impl Slot {
    fn of(count: &Json) -> Self {
        let whole = count.as_u64().or_else(|| {
            // Some servers write whole numbers as floats.
            let float = count.as_f64()?;
            (float >= 0.0 && float.fract() == 0.0 && float <= MAX as f64).then_some(float as u64)
        });
        match whole {
            Some(count) if count <= MAX => Self::Known(count),
            _ => Self::Refused,
        }
    }

    fn known(self) -> Option<u64> {
        match self {
            Self::Known(count) => Some(count),
            Self::Absent | Self::Refused => None,
        }
    }
}

/// Counts as they were reported, read from one usage object or from several of a stream.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts([Slot; COUNTS]);

impl Counts {
    /// Reads a usage object. Counts of a stream are cumulative: each replaces what was known of it, also by "makes no sense";
    /// one that is absent or null replaces nothing.
    pub(crate) fn read(&mut self, shape: &Shape, usage: &Json) {
        let there = |at: &&str| usage.pointer(at).filter(|found| !found.is_null());
        for place in shape.places {
            if place.unless.as_ref().and_then(there).is_some() {
                continue;
            }
            if let Some(count) = place.at.iter().find_map(there) {
                self.0[place.count as usize] = Slot::of(count);
            }
        }
        for (list, [text, image, audio]) in shape.lists {
            let items = usage.pointer(list).and_then(Json::as_array);
            for item in items.into_iter().flatten() {
                let count = match item.get("modality").and_then(Json::as_str) {
                    Some("TEXT") => text,
                    Some("IMAGE") => image,
                    Some("AUDIO") => audio,
                    _ => continue,
                };
                if let Some(tokens) = item.get("tokenCount") {
                    self.0[*count as usize] = Slot::of(tokens);
                }
            }
        }
    }

    fn known(&self, count: Count) -> Option<u64> {
        self.0[count as usize].known()
    }

    /// A count and those beside it. Unknown as soon as one of them was refused.
    fn sum(&self, whole: Count, beside: &[Count], zero_is_silent: bool) -> Option<u64> {
        let slot = |count: &Count| self.0[*count as usize];
        if slot(&whole) == Slot::Refused || beside.iter().any(|c| slot(c) == Slot::Refused) {
            return None;
        }
        let parts = beside.iter().filter_map(|count| slot(count).known());
        match slot(&whole).known() {
            Some(whole) => Some(whole + parts.sum::<u64>()),
            None if zero_is_silent => parts.reduce(|a, b| a + b),
            None => None,
        }
    }

    /// What they mean together.
    ///
    /// A provider that should count a part inside its whole does not always: where input and output do not make the stated
    /// total, but do so once cache or reasoning tokens are added, those were beside and are added. A part that is larger than
    /// its whole without such a proof leaves open which of the two is wrong, so neither is kept.
    pub(crate) fn resolve(&self, shape: &Shape) -> Resolved {
        let mut refused = self.0.iter().filter(|slot| **slot == Slot::Refused).count() as u32;
        let mut usage = Usage {
            input_tokens: self.sum(Count::Input, shape.beside_input, shape.zero_is_silent),
            output_tokens: self.sum(Count::Output, shape.beside_output, shape.zero_is_silent),
            cache_read_tokens: self.known(Count::CacheRead),
            cache_write_tokens: self.known(Count::CacheWrite),
            reasoning_tokens: self.known(Count::Reasoning),
        };
        if shape.beside_input.is_empty() && shape.beside_output.is_empty() {
            self.add_what_the_total_proves(&mut usage);
        }
        let mut drop_count = |count: &mut Option<u64>| refused += u32::from(count.take().is_some());
        let cache = usage.cache_read_tokens.unwrap_or(0) + usage.cache_write_tokens.unwrap_or(0);
        if usage.input_tokens.is_some_and(|input| cache > input) {
            drop_count(&mut usage.input_tokens);
            drop_count(&mut usage.cache_read_tokens);
            drop_count(&mut usage.cache_write_tokens);
        }
        let reasoning = usage.reasoning_tokens.unwrap_or(0);
        if usage.output_tokens.is_some_and(|output| reasoning > output) {
            drop_count(&mut usage.output_tokens);
            drop_count(&mut usage.reasoning_tokens);
        }
        let modalities = MODALITIES.map(|(part, whole, name)| {
            let whole = match whole {
                Count::Input => usage.input_tokens,
                Count::Output => usage.output_tokens,
                _ => usage.cache_read_tokens,
            };
            let mut part = self.known(part);
            if part.zip(whole).is_some_and(|(part, whole)| part > whole) {
                drop_count(&mut part);
            }
            (name, part)
        });
        Resolved {
            usage,
            modalities,
            refused,
        }
    }

    fn add_what_the_total_proves(&self, usage: &mut Usage) {
        let (Some(input), Some(output), Some(total)) = (
            usage.input_tokens,
            usage.output_tokens,
            self.known(Count::Total),
        ) else {
            return;
        };
        let Some(missing) = total.checked_sub(input + output).filter(|rest| *rest > 0) else {
            return;
        };
        let cache = usage.cache_read_tokens.unwrap_or(0) + usage.cache_write_tokens.unwrap_or(0);
        let reasoning = usage.reasoning_tokens.unwrap_or(0);
        let explains = |parts: u64| parts == missing;
        match (explains(cache), explains(reasoning)) {
            (true, false) => usage.input_tokens = Some(input + cache),
            (false, true) => usage.output_tokens = Some(output + reasoning),
            (false, false) if explains(cache + reasoning) => {
                usage.input_tokens = Some(input + cache);
                usage.output_tokens = Some(output + reasoning);
            }
            // Two explanations, or none: nothing is proved.
            _ => {}
        }
    }
}

/// Counts in the conventions' sense.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolved {
    pub(crate) usage: Usage,
    modalities: [(&'static str, Option<u64>); 9],
    /// How many counts were left out because they made no sense.
    pub(crate) refused: u32,
}

impl Resolved {
    /// All that is known, under the names of the attributes.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let modalities = self.modalities.into_iter();
        self.usage
            .counts()
            .chain(modalities.filter_map(|(name, count)| Some((name, count?))))
    }
}
