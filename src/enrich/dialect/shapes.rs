//! Spans that are known by who writes them: the crate and the name of the call site.
//!
//! Promise: a shape fits spans of its crate only, whatever fields others declare. What a span says of itself
//! (`gen_ai.operation.name`, a kind) wins over its shape.

use tracing::Metadata;

use super::Dialects;
use super::table::{Row, Rule, To, alias, content, effect};
use crate::event::Subject;
use crate::semconv as s;

/// A fact that every span of a shape has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Preset {
    Text(&'static str),
    True,
}

/// What is known of the spans of some call sites.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Crates, as the first part of the target; `adk_*` stands for all that begin so. Empty for any.
    crates: &'static [&'static str],
    /// Names of the call site; empty for any.
    names: &'static [&'static str],
    /// Fields the call site must declare.
    declares: &'static [&'static str],
    pub(crate) subject: Option<Subject>,
    /// Where it is not the subject's own.
    pub(crate) operation: Option<&'static str>,
    pub(crate) speaks: Dialects,
    /// Names that mean something on these spans alone.
    pub(crate) plain: &'static [Row],
    pub(crate) presets: &'static [(&'static str, Preset)],
    /// Its input count leaves out what came from a cache.
    pub(crate) cache_beside_input: bool,
    /// `otel.name` is this, followed by the value of an attribute.
    pub(crate) named: Option<(&'static str, &'static str)>,
}

const NONE: Shape = Shape {
    crates: &[],
    names: &[],
    declares: &[],
    subject: None,
    operation: None,
    speaks: Dialects::NONE,
    plain: &[],
    presets: &[],
    cache_beside_input: false,
    named: None,
};

const fn spans(
    crates: &'static [&'static str],
    names: &'static [&'static str],
    subject: Subject,
) -> Shape {
    Shape {
        crates,
        names,
        subject: Some(subject),
        ..NONE
    }
}

const LANGCHAIN: &[&str] = &["langchain_rust"];
const SWIFTIDE: &[&str] = &["swiftide*"];
const ADK: &[&str] = &["adk_*"];
const YOAGENT: &[&str] = &["yoagent"];
const HARNESS: &[&str] = &["harness.telemetry", "harness_*"];
const BEDROCK: &[&str] = &["aws_sdk_bedrockruntime"];
const OPEN_INFERENCE: &[&str] = &["openinference_instrumentation"];

const FAILED: Row = effect("error", Rule::ErrorText);
const MODEL: Row = alias("model", s::GEN_AI_REQUEST_MODEL, Rule::Text);
const PROVIDER: Row = alias("provider", s::GEN_AI_PROVIDER_NAME, Rule::Text);
const STREAM: Row = alias("stream", s::GEN_AI_REQUEST_STREAM, Rule::Flag);
const TOTAL: Row = alias("total_tokens", s::LLM_TOKENS_USED, Rule::Count);
const TOOL: Row = alias("tool", s::GEN_AI_TOOL_NAME, Rule::Text);
const TOOL_NAME: Row = alias("tool.name", s::GEN_AI_TOOL_NAME, Rule::Text);
const MODEL_NAME: Row = alias("model.name", s::GEN_AI_REQUEST_MODEL, Rule::Text);
const TOKENS_IN: Row = alias("tokens_in", s::GEN_AI_USAGE_INPUT_TOKENS, Rule::Count);
const COST_USD: Row = alias("cost_usd", s::GEN_AI_USAGE_COST, Rule::Number);

const AWS: &[(&str, Preset)] = &[(
    s::GEN_AI_PROVIDER_NAME,
    Preset::Text(s::provider::AWS_BEDROCK),
)];
const AWS_STREAMED: &[(&str, Preset)] = &[
    (
        s::GEN_AI_PROVIDER_NAME,
        Preset::Text(s::provider::AWS_BEDROCK),
    ),
    (s::GEN_AI_REQUEST_STREAM, Preset::True),
];

/// The table; a span is of the first shape that fits. The first row fits nothing.
const SHAPES: &[Shape] = &[
    NONE,
    // langchain-rust 7: `src/observability.rs`, `src/agent/executor.rs`, `src/chain/`.
    Shape {
        plain: &[
            PROVIDER,
            MODEL,
            STREAM,
            alias("prompt_tokens", s::GEN_AI_USAGE_INPUT_TOKENS, Rule::Count),
            alias(
                "completion_tokens",
                s::GEN_AI_USAGE_OUTPUT_TOKENS,
                Rule::Count,
            ),
            TOTAL,
            FAILED,
        ],
        ..spans(LANGCHAIN, &["llm.generate"], Subject::LLM_CALL)
    },
    Shape {
        operation: Some(s::operation::EMBEDDINGS),
        plain: &[PROVIDER, MODEL, FAILED],
        ..spans(
            LANGCHAIN,
            &["embed.documents", "embed.query"],
            Subject::LLM_CALL,
        )
    },
    Shape {
        plain: &[TOOL, FAILED],
        ..spans(LANGCHAIN, &["tool.call"], Subject::TOOL_CALL)
    },
    Shape {
        plain: &[TOTAL, FAILED],
        ..spans(LANGCHAIN, &["agent.run"], Subject::AGENT_EXECUTION)
    },
    spans(LANGCHAIN, &["agent.plan"], Subject::PLAN_REASONING),
    Shape {
        plain: &[alias("chain", s::GEN_AI_WORKFLOW_NAME, Rule::Text), FAILED],
        ..spans(LANGCHAIN, &["chain.call"], Subject::WORKFLOW)
    },
    // rig 0.44: `rig-core/src/telemetry/`, `rig-agent/src/agent/telemetry.rs`. The operation comes when the provider adopts the span.
    spans(&["rig"], &["chat", "generate_content"], Subject::LLM_CALL),
    Shape {
        declares: &["rig.completion_parent"],
        ..spans(&[], &[], Subject::LLM_CALL)
    },
    // adk-rust 2.3: `adk-agent/src/llm_agent.rs`, `adk-runner/src/runner.rs`, `adk-telemetry/src/{spans,semconv}.rs`, `adk-model/src/`.
    Shape {
        speaks: Dialects::ADK,
        ..spans(ADK, &["call_llm"], Subject::LLM_CALL)
    },
    Shape {
        operation: Some(s::operation::GENERATE_CONTENT),
        speaks: Dialects::ADK,
        plain: &[
            MODEL_NAME,
            alias("model_id", s::GEN_AI_REQUEST_MODEL, Rule::Text),
            STREAM,
        ],
        ..spans(
            ADK,
            &["model.generate_content", "model.call"],
            Subject::LLM_CALL,
        )
    },
    Shape {
        operation: Some(s::operation::GENERATE_CONTENT),
        speaks: Dialects::ADK,
        ..spans(ADK, &["gen_ai.generate"], Subject::LLM_CALL)
    },
    Shape {
        declares: &["tool.name"],
        speaks: Dialects::ADK,
        plain: &[TOOL_NAME],
        named: Some(("execute_tool ", s::GEN_AI_TOOL_NAME)),
        ..spans(
            ADK,
            &["", "tool.execute", "execute_tool"],
            Subject::TOOL_CALL,
        )
    },
    Shape {
        speaks: Dialects::ADK,
        ..spans(ADK, &["execute_tool"], Subject::TOOL_CALL)
    },
    Shape {
        declares: &["agent.name"],
        speaks: Dialects::ADK,
        ..spans(
            ADK,
            &["agent.execute", "agent.run"],
            Subject::AGENT_EXECUTION,
        )
    },
    Shape {
        speaks: Dialects::ADK,
        plain: &[alias("team.name", s::GEN_AI_WORKFLOW_NAME, Rule::Text)],
        ..spans(ADK, &["team.run"], Subject::WORKFLOW)
    },
    Shape {
        speaks: Dialects::ADK,
        plain: &[alias("team.member", s::GEN_AI_AGENT_NAME, Rule::Text)],
        ..spans(ADK, &["team.member.run"], Subject::AGENT_EXECUTION)
    },
    // harness-rs 0.0.66 says its operations itself; these are the names of earlier versions.
    spans(HARNESS, &["agent_run"], Subject::AGENT_EXECUTION),
    spans(HARNESS, &["chat", "model.complete"], Subject::LLM_CALL),
    spans(HARNESS, &["execute_tool", "tool.call"], Subject::TOOL_CALL),
    // yoagent 0.26: `src/agent_loop.rs`, `src/decision/mod.rs`. Its `Usage::input` leaves out what came from a cache.
    Shape {
        plain: &[MODEL],
        ..spans(YOAGENT, &["agent_loop"], Subject::AGENT_EXECUTION)
    },
    Shape {
        plain: &[
            MODEL,
            TOKENS_IN,
            alias("tokens_out", s::GEN_AI_USAGE_OUTPUT_TOKENS, Rule::Count),
            alias(
                "tokens_cached",
                s::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
                Rule::Count,
            ),
            COST_USD,
            effect("error", Rule::ErrorFlag),
        ],
        presets: &[(s::GEN_AI_REQUEST_STREAM, Preset::True)],
        cache_beside_input: true,
        ..spans(YOAGENT, &["llm_stream"], Subject::LLM_CALL)
    },
    Shape {
        plain: &[MODEL, TOKENS_IN, COST_USD],
        ..spans(YOAGENT, &["decision"], Subject::LLM_CALL)
    },
    Shape {
        declares: &["tool_call_id"],
        plain: &[
            TOOL,
            alias("tool_call_id", s::GEN_AI_TOOL_CALL_ID, Rule::Text),
            effect("is_error", Rule::ErrorFlag),
        ],
        ..spans(YOAGENT, &["tool"], Subject::TOOL_CALL)
    },
    // swiftide 0.33: `swiftide-agents/src/agent.rs`, `swiftide-integrations/src/*/chat_completion.rs`.
    spans(
        SWIFTIDE,
        &[
            "agent.query",
            "agent.query_once",
            "agent.run",
            "agent.run_once",
        ],
        Subject::AGENT_EXECUTION,
    ),
    Shape {
        named: Some(("tool.", s::GEN_AI_TOOL_NAME)),
        ..spans(&["swiftide_agents"], &["tool"], Subject::TOOL_CALL)
    },
    // `complete_stream` has returned when its `stream` is read, so that one is the call.
    spans(
        &["swiftide_integrations"],
        &[
            "complete",
            "prompt",
            "structured_prompt",
            "structured_prompt_dyn",
        ],
        Subject::LLM_CALL,
    ),
    Shape {
        presets: &[(s::GEN_AI_REQUEST_STREAM, Preset::True)],
        ..spans(
            &["swiftide_integrations"],
            &["stream", "responses_stream"],
            Subject::LLM_CALL,
        )
    },
    // aws-sdk-bedrockruntime 1.153: `src/operation/*.rs`, at `DEBUG`.
    Shape {
        presets: AWS,
        ..spans(
            BEDROCK,
            &["Bedrock Runtime.Converse", "Bedrock Runtime.InvokeModel"],
            Subject::LLM_CALL,
        )
    },
    Shape {
        presets: AWS_STREAMED,
        ..spans(
            BEDROCK,
            &[
                "Bedrock Runtime.ConverseStream",
                "Bedrock Runtime.InvokeModelWithResponseStream",
                "Bedrock Runtime.InvokeModelWithBidirectionalStream",
            ],
            Subject::LLM_CALL,
        )
    },
    Shape {
        presets: AWS,
        ..spans(
            BEDROCK,
            &["Bedrock Runtime.ApplyGuardrail"],
            Subject::GUARDRAIL,
        )
    },
    // openinference-instrumentation 0.1: its spans declare nothing but `otel.name`; what else it sets no layer sees.
    open_inference("llm", Subject::LLM_CALL),
    Shape {
        operation: Some(s::operation::EMBEDDINGS),
        ..open_inference("embedding", Subject::LLM_CALL)
    },
    open_inference("chain", Subject::WORKFLOW),
    open_inference("tool", Subject::TOOL_CALL),
    open_inference("retriever", Subject::RETRIEVAL_QUERY),
    open_inference("agent", Subject::AGENT_EXECUTION),
    open_inference("reranker", Subject::RETRIEVAL_SEARCH),
    open_inference("guardrail", Subject::GUARDRAIL),
    open_inference("evaluator", Subject::EVALUATION),
    // autoagents-telemetry 0.4.
    Shape {
        declares: &["tool_name"],
        plain: &[
            alias("tool_name", s::GEN_AI_TOOL_NAME, Rule::Text),
            alias("tool_call_id", s::GEN_AI_TOOL_CALL_ID, Rule::Text),
            content(
                "tool_arguments",
                To::Name(s::GEN_AI_TOOL_CALL_ARGUMENTS),
                Rule::Any,
            ),
            content(
                "tool_result",
                To::Name(s::GEN_AI_TOOL_CALL_RESULT),
                Rule::Any,
            ),
        ],
        ..spans(
            &["autoagents*"],
            &["autoagents.tool_call"],
            Subject::TOOL_CALL,
        )
    },
    spans(
        &["autoagents*"],
        &["autoagents.task"],
        Subject::AGENT_EXECUTION,
    ),
    // llm-sdk-rs 0.3, whose attributes no layer sees.
    spans(
        &["llm_sdk"],
        &["llm_sdk.generate", "llm_sdk.stream"],
        Subject::LLM_CALL,
    ),
];

const fn open_inference(name: &'static str, subject: Subject) -> Shape {
    // One place for each name, since a constant's slice must be a constant.
    const NAMES: [&[&str]; 9] = [
        &["llm"],
        &["embedding"],
        &["chain"],
        &["tool"],
        &["retriever"],
        &["agent"],
        &["reranker"],
        &["guardrail"],
        &["evaluator"],
    ];
    let at = match name.as_bytes() {
        b"llm" => 0,
        b"embedding" => 1,
        b"chain" => 2,
        b"tool" => 3,
        b"retriever" => 4,
        b"agent" => 5,
        b"reranker" => 6,
        b"guardrail" => 7,
        _ => 8,
    };
    Shape {
        speaks: Dialects::OPEN_INFERENCE,
        ..spans(OPEN_INFERENCE, NAMES[at], subject)
    }
}

/// A span that declares a model and what only an answer has is a model call, though it may never say so.
const CALL_BY_FIELDS: Shape = Shape {
    subject: Some(Subject::LLM_CALL),
    ..NONE
};

/// A span that will say its operation, and that declares the name of a tool.
const TOOL_BY_FIELDS: Shape = Shape {
    subject: Some(Subject::TOOL_CALL),
    ..NONE
};

const ASKED: &[&str] = &[
    s::GEN_AI_REQUEST_MODEL,
    s::GEN_AI_RESPONSE_MODEL,
    "gen_ai.response.model_name",
    "llm.model_name",
    "llm.request.model_name",
    "llm.response.model_name",
];

const ANSWERED: &[&str] = &[
    s::GEN_AI_USAGE_INPUT_TOKENS,
    s::GEN_AI_USAGE_OUTPUT_TOKENS,
    s::GEN_AI_USAGE_PROMPT_TOKENS,
    s::GEN_AI_USAGE_COMPLETION_TOKENS,
    s::GEN_AI_RESPONSE_ID,
    s::GEN_AI_RESPONSE_FINISH_REASONS,
    "llm.token_count.prompt",
    "llm.token_count.completion",
    "llm.usage.prompt_tokens",
    "llm.usage.completion_tokens",
];

/// The shape at a place that [`place_of`] gave out.
pub(crate) fn at(place: u8) -> &'static Shape {
    let place = usize::from(place);
    match place.checked_sub(SHAPES.len()) {
        None => SHAPES.get(place).unwrap_or(&NONE),
        Some(0) => &CALL_BY_FIELDS,
        Some(_) => &TOOL_BY_FIELDS,
    }
}

/// The place of the shape that fits a span's call site.
pub(crate) fn place_of(meta: &Metadata<'_>) -> Option<u8> {
    if !meta.is_span() {
        return None;
    }
    let fits = |shape: &Shape| shape.subject.is_some() && shape.fits(meta);
    let place = SHAPES.iter().position(fits).or_else(|| {
        let declares = |name: &&str| meta.fields().field(*name).is_some();
        let any = |names: &[&str]| names.iter().any(&declares);
        if any(&[s::GENAI_SUBJECT]) {
            None
        } else if any(ASKED) && any(ANSWERED) {
            Some(SHAPES.len())
        } else if any(&[s::GEN_AI_OPERATION_NAME]) && any(&[s::GEN_AI_TOOL_NAME]) {
            Some(SHAPES.len() + 1)
        } else {
            None
        }
    })?;
    u8::try_from(place).ok()
}

impl Shape {
    fn fits(&self, meta: &Metadata<'_>) -> bool {
        let written_by =
            self.crates.is_empty() || self.crates.iter().any(|name| is_of(meta.target(), name));
        let named = self.names.is_empty() || self.names.contains(&meta.name());
        written_by
            && named
            && self
                .declares
                .iter()
                .all(|name| meta.fields().field(*name).is_some())
    }

    pub(crate) fn plain(&self, name: &str) -> Option<&'static Row> {
        self.plain.iter().find(|row| row.name == name)
    }
}

/// Whether `target` lies in the crate `name`; `adk_*` is every crate whose name begins so.
pub(crate) fn is_of(target: &str, name: &str) -> bool {
    let of = target.split("::").next().unwrap_or_default();
    match name.strip_suffix('*') {
        Some(prefix) => of.starts_with(prefix),
        None => of == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_every_shape_in_a_byte() {
        assert!(SHAPES.len() + 2 < usize::from(u8::MAX));
        assert!(at(0).subject.is_none());
        assert_eq!(at(SHAPES.len() as u8).subject, Some(Subject::LLM_CALL));
        assert_eq!(at(SHAPES.len() as u8 + 1).subject, Some(Subject::TOOL_CALL));
    }

    #[test]
    fn a_crate_is_the_first_part_of_a_target_and_nothing_else() {
        assert!(is_of("langchain_rust::agent::executor", "langchain_rust"));
        assert!(is_of("rig::agent_chat", "rig"));
        assert!(!is_of("rig_agent::agent", "rig"));
        assert!(!is_of("my_langchain_rust", "langchain_rust"));
        assert!(is_of("adk_model::openai", "adk_*"));
        assert!(!is_of("my_app::adk_model", "adk_*"));
    }
}
