//! Where requests have their parameters.
//!
//! Promise: a value of the wrong type is left out.

use serde_json::Value as Json;

use crate::event::{Attrs, Value};
use crate::semconv::{self, output_type};

/// How a parameter is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Text,
    /// A whole number.
    Count,
    /// A whole number other than 1.
    Several,
    Number,
    /// A text or a list of them.
    List,
    /// `text` or `json`, in the many ways to say so.
    Output,
}

/// Where a parameter lies, and what it is called.
#[derive(Debug)]
pub(super) struct Parameter {
    name: &'static str,
    how: As,
    /// JSON pointers; the first that is there decides.
    at: &'static [&'static str],
}

macro_rules! parameters {
    ($($table:ident { $($name:ident $how:ident $($at:literal)*;)* })*) => {
        $(pub(super) static $table: &[Parameter] = &[
            $(Parameter { name: semconv::$name, how: As::$how, at: &[$($at),*] },)*
        ];)*
    };
}

parameters! {
    OPENAI {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_REQUEST_TEMPERATURE Number "/temperature";
        GEN_AI_REQUEST_TOP_P Number "/top_p";
        GEN_AI_REQUEST_TOP_K Count "/top_k";
        GEN_AI_REQUEST_MAX_TOKENS Count "/max_completion_tokens" "/max_tokens";
        GEN_AI_REQUEST_SEED Count "/seed";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/stop";
        GEN_AI_REQUEST_FREQUENCY_PENALTY Number "/frequency_penalty";
        GEN_AI_REQUEST_PRESENCE_PENALTY Number "/presence_penalty";
        GEN_AI_REQUEST_CHOICE_COUNT Several "/n";
        GEN_AI_REQUEST_REASONING_LEVEL Text "/reasoning_effort" "/reasoning/effort";
        GEN_AI_OUTPUT_TYPE Output "/response_format/type";
        OPENAI_REQUEST_SERVICE_TIER Text "/service_tier";
    }
    MISTRAL_AI {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_REQUEST_TEMPERATURE Number "/temperature";
        GEN_AI_REQUEST_TOP_P Number "/top_p";
        GEN_AI_REQUEST_MAX_TOKENS Count "/max_tokens";
        GEN_AI_REQUEST_SEED Count "/random_seed";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/stop";
        GEN_AI_REQUEST_FREQUENCY_PENALTY Number "/frequency_penalty";
        GEN_AI_REQUEST_PRESENCE_PENALTY Number "/presence_penalty";
        GEN_AI_REQUEST_CHOICE_COUNT Several "/n";
        GEN_AI_OUTPUT_TYPE Output "/response_format/type";
    }
    OPENAI_RESPONSES {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_REQUEST_TEMPERATURE Number "/temperature";
        GEN_AI_REQUEST_TOP_P Number "/top_p";
        GEN_AI_REQUEST_MAX_TOKENS Count "/max_output_tokens";
        GEN_AI_REQUEST_REASONING_LEVEL Text "/reasoning/effort";
        GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID Text "/previous_response_id";
        GEN_AI_CONVERSATION_ID Text "/conversation/id" "/conversation";
        GEN_AI_OUTPUT_TYPE Output "/text/format/type";
        OPENAI_REQUEST_SERVICE_TIER Text "/service_tier";
    }
    ANTHROPIC {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_REQUEST_TEMPERATURE Number "/temperature";
        GEN_AI_REQUEST_TOP_P Number "/top_p";
        GEN_AI_REQUEST_TOP_K Count "/top_k";
        GEN_AI_REQUEST_MAX_TOKENS Count "/max_tokens";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/stop_sequences";
        GEN_AI_REQUEST_REASONING_LEVEL Text "/output_config/effort";
    }
    GEMINI {
        GEN_AI_REQUEST_TEMPERATURE Number "/generationConfig/temperature";
        GEN_AI_REQUEST_TOP_P Number "/generationConfig/topP";
        GEN_AI_REQUEST_TOP_K Count "/generationConfig/topK";
        GEN_AI_REQUEST_MAX_TOKENS Count "/generationConfig/maxOutputTokens";
        GEN_AI_REQUEST_SEED Count "/generationConfig/seed";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/generationConfig/stopSequences";
        GEN_AI_REQUEST_FREQUENCY_PENALTY Number "/generationConfig/frequencyPenalty";
        GEN_AI_REQUEST_PRESENCE_PENALTY Number "/generationConfig/presencePenalty";
        GEN_AI_REQUEST_CHOICE_COUNT Several "/generationConfig/candidateCount";
        GEN_AI_REQUEST_REASONING_LEVEL Text "/generationConfig/thinkingConfig/thinkingLevel";
        GEN_AI_OUTPUT_TYPE Output "/generationConfig/responseMimeType";
    }
    OLLAMA {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_REQUEST_TEMPERATURE Number "/options/temperature";
        GEN_AI_REQUEST_TOP_P Number "/options/top_p";
        GEN_AI_REQUEST_TOP_K Count "/options/top_k";
        GEN_AI_REQUEST_MAX_TOKENS Count "/options/num_predict";
        GEN_AI_REQUEST_SEED Count "/options/seed";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/options/stop";
        GEN_AI_REQUEST_FREQUENCY_PENALTY Number "/options/frequency_penalty";
        GEN_AI_REQUEST_PRESENCE_PENALTY Number "/options/presence_penalty";
        GEN_AI_OUTPUT_TYPE Output "/format";
    }
    COHERE {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_REQUEST_TEMPERATURE Number "/temperature";
        GEN_AI_REQUEST_TOP_P Number "/p";
        GEN_AI_REQUEST_TOP_K Count "/k";
        GEN_AI_REQUEST_MAX_TOKENS Count "/max_tokens";
        GEN_AI_REQUEST_SEED Count "/seed";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/stop_sequences";
        GEN_AI_REQUEST_FREQUENCY_PENALTY Number "/frequency_penalty";
        GEN_AI_REQUEST_PRESENCE_PENALTY Number "/presence_penalty";
        GEN_AI_OUTPUT_TYPE Output "/response_format/type";
    }
    BEDROCK {
        GEN_AI_REQUEST_TEMPERATURE Number "/inferenceConfig/temperature";
        GEN_AI_REQUEST_TOP_P Number "/inferenceConfig/topP";
        GEN_AI_REQUEST_MAX_TOKENS Count "/inferenceConfig/maxTokens";
        GEN_AI_REQUEST_STOP_SEQUENCES List "/inferenceConfig/stopSequences";
        AWS_BEDROCK_GUARDRAIL_ID Text "/guardrailConfig/guardrailIdentifier";
    }
    EMBEDDINGS {
        GEN_AI_REQUEST_MODEL Text "/model";
        GEN_AI_EMBEDDINGS_DIMENSION_COUNT Count "/dimensions" "/output_dimension" "/outputDimensionality";
        GEN_AI_REQUEST_ENCODING_FORMATS List "/encoding_format" "/embedding_types";
    }
}

/// Reads the parameters of a request.
pub(super) fn read(table: &[Parameter], request: &Json, attrs: &mut Attrs) {
    for Parameter { name, how, at } in table {
        let found = at.iter().find_map(|place| request.pointer(place));
        if let Some(value) = found.and_then(|value| how.read(value)) {
            attrs.set(*name, value);
        }
    }
}

impl As {
    fn read(self, value: &Json) -> Option<Value> {
        let text = |value: &Json| value.as_str().filter(|t| !t.is_empty()).map(Value::from);
        match self {
            Self::Text => text(value),
            Self::Count => value.as_i64().map(Value::I64),
            Self::Several => value.as_i64().filter(|n| *n != 1).map(Value::I64),
            Self::Number => value.as_f64().map(Value::F64),
            Self::List => {
                let list: Vec<_> = match value {
                    Json::Array(items) => items.iter().filter_map(text).collect(),
                    one => text(one).into_iter().collect(),
                };
                (!list.is_empty()).then_some(Value::Array(list))
            }
            Self::Output => match value {
                // A schema instead of a name.
                Json::Object(_) => Some(output_type::JSON.into()),
                Json::String(name) if name.contains("json") => Some(output_type::JSON.into()),
                Json::String(name) if name.starts_with("text") => Some(output_type::TEXT.into()),
                _ => None,
            },
        }
    }
}
