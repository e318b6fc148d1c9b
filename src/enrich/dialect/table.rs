//! The names: how each dialect spells an attribute, what it is in the conventions, and by which rule its value is read.
//!
//! Sources: the older GenAI conventions; OpenInference `spec/semantic_conventions.md`; `opentelemetry-semantic-conventions-ai`
//! 0.5 (Traceloop); Langfuse's OTLP ingestion; Logfire's `docs/guides/web-ui`; and the sources of rig 0.44, genai 0.7,
//! adk-rust 2.3, harness-rs 0.0.66 and swiftide 0.33.

use super::Dialects;
use crate::semconv as s;

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Text, without the quotes of `Debug`. A number becomes its digits.
    Text,
    /// A whole number that is not negative.
    Count,
    /// A whole number.
    Int,
    /// A finite number.
    Number,
    /// `true` or `false`, of an attribute that the conventions want only where it is `true`.
    Flag,
    /// A list of texts: JSON, or one text.
    List,
    /// A list of words: JSON, or words with commas between them.
    Words,
    /// Whatever it is.
    Any,
    /// A text that is a message, from the user or from the model: it becomes a list of messages unless it is one.
    Message(&'static str),
    /// A JSON object of request parameters.
    Parameters,
    /// A JSON object of token counts.
    Usage,
    /// A JSON object of costs by bucket, in US dollars.
    Costs,
    /// The text of an error: the span failed.
    ErrorText,
    /// Whether the span failed.
    ErrorFlag,
    /// How a tool call ended: `success`, `error`, `denied`, `skipped`.
    Outcome,
    /// The description that goes with an error status.
    StatusText,
    /// A word for the kind of span, read by [`kinds`](super::kinds) before.
    Kind,
    /// Another count of the same thing, or one the conventions leave out.
    Gone,
    /// A URL.
    Url,
    /// The part of a URL behind the question mark.
    Query,
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// It has the right name.
    Same,
    Name(&'static str),
    /// Two names, where one word stands for both.
    Both(&'static str, &'static str),
    /// The name of the tool, agent, workflow or step the span is about.
    EntityName,
    /// What the span was given: messages, arguments or a query.
    Input,
    /// What came of it.
    Output,
    /// The workflow's name on the span of a workflow; elsewhere it stays what it is.
    WorkflowName,
}

/// One spelling.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) to: To,
    pub(crate) rule: Rule,
    /// The dialects a span must speak for the name to mean this; none for any span.
    pub(crate) of: Dialects,
    /// The dialects a span speaks that has this name.
    pub(crate) speaks: Dialects,
    /// It only fills a gap.
    pub(crate) weak: bool,
    /// It stays, and its value is copied.
    pub(crate) copied: bool,
    /// Content: leaves only where that is allowed.
    pub(crate) content: bool,
    /// A span that declares it is a GenAI span.
    pub(crate) hints: bool,
}

const fn row(name: &'static str, to: To, rule: Rule) -> Row {
    Row {
        name,
        to,
        rule,
        of: Dialects::NONE,
        speaks: Dialects::NONE,
        weak: false,
        copied: false,
        content: false,
        hints: true,
    }
}

/// Another spelling of `to`.
pub(crate) const fn alias(name: &'static str, to: &'static str, rule: Rule) -> Row {
    row(name, To::Name(to), rule)
}

/// A name of the conventions' own, for the form of its value.
const fn typed(name: &'static str, rule: Rule) -> Row {
    Row {
        hints: false,
        ..row(name, To::Same, rule)
    }
}

pub(crate) const fn content(name: &'static str, to: To, rule: Rule) -> Row {
    Row {
        content: true,
        ..row(name, to, rule)
    }
}

const fn weak(row: Row) -> Row {
    Row { weak: true, ..row }
}

/// The name marks the span as one of this dialect.
const fn marks(dialect: Dialects, row: Row) -> Row {
    Row {
        speaks: dialect,
        ..row
    }
}

/// The name is too plain: it counts on spans of this dialect only.
const fn within(dialect: Dialects, row: Row) -> Row {
    Row {
        of: dialect,
        hints: false,
        ..row
    }
}

pub(crate) const fn effect(name: &'static str, rule: Rule) -> Row {
    Row {
        hints: false,
        ..row(name, To::Same, rule)
    }
}

const OI: Dialects = Dialects::OPEN_INFERENCE;
const TL: Dialects = Dialects::TRACELOOP;
const LF: Dialects = Dialects::LANGFUSE;
const ADK: Dialects = Dialects::ADK;

const INPUT: &str = s::GEN_AI_USAGE_INPUT_TOKENS;
const OUTPUT: &str = s::GEN_AI_USAGE_OUTPUT_TOKENS;
const CACHE_READ: &str = s::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS;
const CACHE_WRITE: &str = s::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS;
const REASONING: &str = s::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS;
const FIRST_CHUNK: &str = s::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK;
const MODELS: To = To::Both(s::GEN_AI_REQUEST_MODEL, s::GEN_AI_RESPONSE_MODEL);
const USER: Rule = Rule::Message("user");
const ASSISTANT: Rule = Rule::Message("assistant");

/// Every spelling but those of one crate's spans alone, which are with their [`Shape`](super::Shape).
pub(crate) static ROWS: &[Row] = &[
    // === the conventions' own names, in whatever form they come ===
    typed(s::GEN_AI_OPERATION_NAME, Rule::Text),
    typed(s::GEN_AI_PROVIDER_NAME, Rule::Text),
    typed(s::GEN_AI_REQUEST_MODEL, Rule::Text),
    typed(s::GEN_AI_RESPONSE_MODEL, Rule::Text),
    typed(s::GEN_AI_RESPONSE_ID, Rule::Text),
    typed(s::GEN_AI_AGENT_NAME, Rule::Text),
    typed(s::GEN_AI_TOOL_NAME, Rule::Text),
    typed(s::GEN_AI_TOOL_CALL_ID, Rule::Text),
    typed(s::GEN_AI_WORKFLOW_NAME, Rule::Text),
    typed(s::GEN_AI_CONVERSATION_ID, Rule::Text),
    typed(s::GEN_AI_RESPONSE_FINISH_REASONS, Rule::Words),
    typed(s::GEN_AI_REQUEST_STOP_SEQUENCES, Rule::List),
    typed(s::GEN_AI_REQUEST_ENCODING_FORMATS, Rule::Words),
    typed(s::GEN_AI_REQUEST_STREAM, Rule::Flag),
    typed(s::GEN_AI_REQUEST_TEMPERATURE, Rule::Number),
    typed(s::GEN_AI_REQUEST_TOP_P, Rule::Number),
    typed(s::GEN_AI_REQUEST_FREQUENCY_PENALTY, Rule::Number),
    typed(s::GEN_AI_REQUEST_PRESENCE_PENALTY, Rule::Number),
    typed(s::GEN_AI_REQUEST_TOP_K, Rule::Int),
    typed(s::GEN_AI_REQUEST_MAX_TOKENS, Rule::Int),
    typed(s::GEN_AI_REQUEST_SEED, Rule::Int),
    typed(s::GEN_AI_REQUEST_CHOICE_COUNT, Rule::Int),
    typed(s::GEN_AI_EMBEDDINGS_DIMENSION_COUNT, Rule::Int),
    typed(FIRST_CHUNK, Rule::Number),
    typed(s::SERVER_PORT, Rule::Int),
    typed(INPUT, Rule::Count),
    typed(OUTPUT, Rule::Count),
    typed(CACHE_READ, Rule::Count),
    typed(CACHE_WRITE, Rule::Count),
    typed(REASONING, Rule::Count),
    typed(s::GEN_AI_USAGE_AUDIO_INPUT_TOKENS, Rule::Count),
    typed(s::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, Rule::Count),
    // === operation and kind ===
    marks(OI, effect("openinference.span.kind", Rule::Kind)),
    marks(LF, effect("langfuse.observation.type", Rule::Kind)),
    marks(LF, effect("langfuse.type", Rule::Kind)),
    marks(TL, effect("traceloop.span.kind", Rule::Kind)),
    marks(TL, effect("llm.request.type", Rule::Kind)),
    // === provider and model ===
    alias(s::GEN_AI_SYSTEM, s::GEN_AI_PROVIDER_NAME, Rule::Text),
    alias("llm.provider", s::GEN_AI_PROVIDER_NAME, Rule::Text),
    weak(marks(
        OI,
        alias("llm.system", s::GEN_AI_PROVIDER_NAME, Rule::Text),
    )),
    marks(
        OI,
        alias(
            "llm.request.model_name",
            s::GEN_AI_REQUEST_MODEL,
            Rule::Text,
        ),
    ),
    marks(
        OI,
        alias(
            "llm.response.model_name",
            s::GEN_AI_RESPONSE_MODEL,
            Rule::Text,
        ),
    ),
    weak(marks(OI, row("llm.model_name", MODELS, Rule::Text))),
    weak(marks(
        OI,
        row(
            "embedding.model_name",
            To::Name(s::GEN_AI_REQUEST_MODEL),
            Rule::Text,
        ),
    )),
    alias("llm.response.model", s::GEN_AI_RESPONSE_MODEL, Rule::Text),
    alias("llm.request.model", s::GEN_AI_REQUEST_MODEL, Rule::Text),
    weak(marks(
        LF,
        row("langfuse.observation.model.name", MODELS, Rule::Text),
    )),
    weak(marks(LF, row("langfuse.model", MODELS, Rule::Text))),
    alias(
        "gen_ai.response.model_name",
        s::GEN_AI_RESPONSE_MODEL,
        Rule::Text,
    ),
    // === request ===
    marks(OI, effect("llm.invocation_parameters", Rule::Parameters)),
    marks(
        OI,
        effect("embedding.invocation_parameters", Rule::Parameters),
    ),
    marks(
        LF,
        effect("langfuse.observation.model.parameters", Rule::Parameters),
    ),
    alias(
        "llm.frequency_penalty",
        s::GEN_AI_REQUEST_FREQUENCY_PENALTY,
        Rule::Number,
    ),
    alias(
        "llm.presence_penalty",
        s::GEN_AI_REQUEST_PRESENCE_PENALTY,
        Rule::Number,
    ),
    alias("llm.top_k", s::GEN_AI_REQUEST_TOP_K, Rule::Int),
    alias(
        "llm.chat.stop_sequences",
        s::GEN_AI_REQUEST_STOP_SEQUENCES,
        Rule::List,
    ),
    alias("gen_ai.is_streaming", s::GEN_AI_REQUEST_STREAM, Rule::Flag),
    alias("llm.is_streaming", s::GEN_AI_REQUEST_STREAM, Rule::Flag),
    alias(
        "gen_ai.request.reasoning_effort",
        s::GEN_AI_REQUEST_REASONING_LEVEL,
        Rule::Text,
    ),
    alias(
        "llm.request.reasoning_effort",
        s::GEN_AI_REQUEST_REASONING_LEVEL,
        Rule::Text,
    ),
    // === answer ===
    alias(
        "llm.finish_reason",
        s::GEN_AI_RESPONSE_FINISH_REASONS,
        Rule::Words,
    ),
    alias(
        "gen_ai.response.finish_reason",
        s::GEN_AI_RESPONSE_FINISH_REASONS,
        Rule::Words,
    ),
    alias(
        "llm.response.finish_reason",
        s::GEN_AI_RESPONSE_FINISH_REASONS,
        Rule::Words,
    ),
    alias(
        "gen_ai.server.time_to_first_token",
        FIRST_CHUNK,
        Rule::Number,
    ),
    alias(
        "gen_ai.client.operation.time_to_first_chunk",
        FIRST_CHUNK,
        Rule::Number,
    ),
    // === usage ===
    alias(s::GEN_AI_USAGE_PROMPT_TOKENS, INPUT, Rule::Count),
    alias("llm.usage.prompt_tokens", INPUT, Rule::Count),
    marks(OI, alias("llm.token_count.prompt", INPUT, Rule::Count)),
    alias(s::GEN_AI_USAGE_COMPLETION_TOKENS, OUTPUT, Rule::Count),
    alias("llm.usage.completion_tokens", OUTPUT, Rule::Count),
    marks(OI, alias("llm.token_count.completion", OUTPUT, Rule::Count)),
    // A total is worked out from its parts, and stands in for them where there are none.
    weak(alias(
        "gen_ai.usage.total_tokens",
        s::LLM_TOKENS_USED,
        Rule::Count,
    )),
    weak(alias(
        "llm.usage.total_tokens",
        s::LLM_TOKENS_USED,
        Rule::Count,
    )),
    weak(marks(
        OI,
        alias("llm.token_count.total", s::LLM_TOKENS_USED, Rule::Count),
    )),
    alias(
        "gen_ai.usage.cache_read_input_tokens",
        CACHE_READ,
        Rule::Count,
    ),
    alias("gen_ai.usage.cache_read_tokens", CACHE_READ, Rule::Count),
    alias("gen_ai.usage.cached_tokens", CACHE_READ, Rule::Count),
    alias("gen_ai.usage.cached_input_tokens", CACHE_READ, Rule::Count),
    marks(
        OI,
        alias(
            "llm.token_count.prompt_details.cache_read",
            CACHE_READ,
            Rule::Count,
        ),
    ),
    alias(
        s::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
        CACHE_WRITE,
        Rule::Count,
    ),
    alias(
        "gen_ai.usage.cache_creation_input_tokens",
        CACHE_WRITE,
        Rule::Count,
    ),
    alias(
        "gen_ai.usage.cache_creation_tokens",
        CACHE_WRITE,
        Rule::Count,
    ),
    alias("gen_ai.usage.cache_write_tokens", CACHE_WRITE, Rule::Count),
    alias(
        "gen_ai.usage.cache_write_input_tokens",
        CACHE_WRITE,
        Rule::Count,
    ),
    marks(
        OI,
        alias(
            "llm.token_count.prompt_details.cache_write",
            CACHE_WRITE,
            Rule::Count,
        ),
    ),
    alias("gen_ai.usage.reasoning_tokens", REASONING, Rule::Count),
    alias("gen_ai.usage.thinking_tokens", REASONING, Rule::Count),
    alias("llm.usage.reasoning_tokens", REASONING, Rule::Count),
    marks(
        OI,
        alias(
            "llm.token_count.completion_details.reasoning",
            REASONING,
            Rule::Count,
        ),
    ),
    alias(
        "gen_ai.usage.audio_input_tokens",
        s::GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
        Rule::Count,
    ),
    alias(
        "gen_ai.usage.audio_output_tokens",
        s::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
        Rule::Count,
    ),
    marks(
        OI,
        alias(
            "llm.token_count.prompt_details.audio",
            s::GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
            Rule::Count,
        ),
    ),
    marks(
        OI,
        alias(
            "llm.token_count.completion_details.audio",
            s::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
            Rule::Count,
        ),
    ),
    // rig's: a part of the input that no convention names. Backends take any number under `gen_ai.usage` for a bucket to price.
    row("gen_ai.usage.tool_use_prompt_tokens", To::Same, Rule::Gone),
    marks(
        LF,
        effect("langfuse.observation.usage_details", Rule::Usage),
    ),
    marks(LF, effect("langfuse.usage", Rule::Usage)),
    // === cost ===
    alias(
        "gen_ai.usage.cost.amount",
        s::GEN_AI_USAGE_COST,
        Rule::Number,
    ),
    alias("gen_ai.usage.cost_usd", s::GEN_AI_USAGE_COST, Rule::Number),
    marks(
        OI,
        alias("llm.cost.total", s::GEN_AI_USAGE_COST, Rule::Number),
    ),
    alias("operation.cost", s::GEN_AI_USAGE_COST, Rule::Number),
    marks(LF, effect("langfuse.observation.cost_details", Rule::Costs)),
    // === who and what ===
    within(OI, alias("tool.name", s::GEN_AI_TOOL_NAME, Rule::Text)),
    within(OI, alias("tool.id", s::GEN_AI_TOOL_CALL_ID, Rule::Text)),
    within(
        OI,
        alias("tool_call.id", s::GEN_AI_TOOL_CALL_ID, Rule::Text),
    ),
    within(
        OI,
        content(
            "tool.description",
            To::Name(s::GEN_AI_TOOL_DESCRIPTION),
            Rule::Text,
        ),
    ),
    alias("gen_ai.tool.call_id", s::GEN_AI_TOOL_CALL_ID, Rule::Text),
    within(
        OI.and(ADK),
        alias("agent.name", s::GEN_AI_AGENT_NAME, Rule::Text),
    ),
    marks(TL, row("traceloop.entity.name", To::EntityName, Rule::Text)),
    marks(
        TL,
        row("traceloop.workflow.name", To::WorkflowName, Rule::Text),
    ),
    marks(LF, row("langfuse.trace.name", To::WorkflowName, Rule::Text)),
    Row {
        copied: true,
        ..within(
            OI,
            alias(s::SESSION_ID, s::GEN_AI_CONVERSATION_ID, Rule::Text),
        )
    },
    marks(
        LF,
        alias("langfuse.session.id", s::GEN_AI_CONVERSATION_ID, Rule::Text),
    ),
    marks(
        TL,
        alias(
            "traceloop.association.properties.session_id",
            s::GEN_AI_CONVERSATION_ID,
            Rule::Text,
        ),
    ),
    marks(LF, alias("langfuse.user.id", s::USER_ID, Rule::Text)),
    marks(
        TL,
        alias(
            "traceloop.association.properties.user_id",
            s::USER_ID,
            Rule::Text,
        ),
    ),
    marks(
        LF,
        alias(
            "langfuse.environment",
            s::DEPLOYMENT_ENVIRONMENT_NAME,
            Rule::Text,
        ),
    ),
    marks(
        LF,
        alias("langfuse.release", s::SERVICE_VERSION, Rule::Text),
    ),
    weak(marks(
        LF,
        row("langfuse.version", To::Name(s::SERVICE_VERSION), Rule::Text),
    )),
    // === prompts by name ===
    within(OI, alias("prompt.id", s::GEN_AI_PROMPT_NAME, Rule::Text)),
    marks(
        OI,
        alias(
            "llm.prompt_template.version",
            s::GEN_AI_PROMPT_VERSION,
            Rule::Text,
        ),
    ),
    marks(
        LF,
        alias(
            "langfuse.observation.prompt.name",
            s::GEN_AI_PROMPT_NAME,
            Rule::Text,
        ),
    ),
    marks(
        LF,
        alias("langfuse.prompt.name", s::GEN_AI_PROMPT_NAME, Rule::Text),
    ),
    marks(
        LF,
        alias(
            "langfuse.observation.prompt.version",
            s::GEN_AI_PROMPT_VERSION,
            Rule::Text,
        ),
    ),
    marks(
        LF,
        alias(
            "langfuse.prompt.version",
            s::GEN_AI_PROMPT_VERSION,
            Rule::Text,
        ),
    ),
    marks(
        TL,
        alias("traceloop.prompt.key", s::GEN_AI_PROMPT_NAME, Rule::Text),
    ),
    marks(
        TL,
        alias(
            "traceloop.prompt.version",
            s::GEN_AI_PROMPT_VERSION,
            Rule::Text,
        ),
    ),
    // === how it ended ===
    alias("gen_ai.tool.error.type", s::ERROR_TYPE, Rule::Text),
    row("gen_ai.tool.call.outcome", To::Same, Rule::Outcome),
    effect(s::OTEL_STATUS_DESCRIPTION, Rule::StatusText),
    effect("otel.status_message", Rule::StatusText),
    marks(LF, effect("langfuse.status_message", Rule::ErrorText)),
    // === content ===
    content("gen_ai.prompt", To::Name(s::GEN_AI_INPUT_MESSAGES), USER),
    content(
        "gen_ai.completion",
        To::Name(s::GEN_AI_OUTPUT_MESSAGES),
        ASSISTANT,
    ),
    marks(
        OI,
        content(
            "llm.input_messages",
            To::Name(s::GEN_AI_INPUT_MESSAGES),
            Rule::Any,
        ),
    ),
    marks(
        OI,
        content(
            "llm.output_messages",
            To::Name(s::GEN_AI_OUTPUT_MESSAGES),
            Rule::Any,
        ),
    ),
    marks(
        OI,
        content("llm.tools", To::Name(s::GEN_AI_TOOL_DEFINITIONS), Rule::Any),
    ),
    marks(OI, content("llm.prompts", To::Same, Rule::Any)),
    marks(
        OI,
        content("llm.prompt_template.template", To::Same, Rule::Any),
    ),
    marks(
        OI,
        content("llm.prompt_template.variables", To::Same, Rule::Any),
    ),
    within(OI, content("input.value", To::Input, USER)),
    within(OI, content("output.value", To::Output, ASSISTANT)),
    within(OI, effect("input.mime_type", Rule::Gone)),
    within(OI, effect("output.mime_type", Rule::Gone)),
    within(
        OI,
        content(
            "tool.parameters",
            To::Name(s::GEN_AI_TOOL_CALL_ARGUMENTS),
            Rule::Any,
        ),
    ),
    within(
        OI,
        content(
            "metadata.gen_ai.system_instructions",
            To::Name(s::GEN_AI_SYSTEM_INSTRUCTIONS),
            Rule::Any,
        ),
    ),
    marks(LF, content("langfuse.observation.input", To::Input, USER)),
    marks(
        LF,
        content("langfuse.observation.output", To::Output, ASSISTANT),
    ),
    marks(LF, content("langfuse.trace.input", To::Same, Rule::Any)),
    marks(LF, content("langfuse.trace.output", To::Same, Rule::Any)),
    marks(LF, content("langfuse.input", To::Input, USER)),
    marks(LF, content("langfuse.output", To::Output, ASSISTANT)),
    marks(TL, content("traceloop.entity.input", To::Input, USER)),
    marks(
        TL,
        content("traceloop.entity.output", To::Output, ASSISTANT),
    ),
    marks(
        ADK,
        content("gcp.vertex.agent.llm_request", To::Same, Rule::Any),
    ),
    marks(
        ADK,
        content("gcp.vertex.agent.llm_response", To::Same, Rule::Any),
    ),
    marks(
        ADK,
        content("gcp.vertex.agent.tool_call_args", To::Same, Rule::Any),
    ),
    marks(
        ADK,
        content("gcp.vertex.agent.tool_response", To::Same, Rule::Any),
    ),
    marks(ADK, content("gcp.vertex.agent.data", To::Same, Rule::Any)),
    // === keys in addresses ===
    effect("url.full", Rule::Url),
    effect("http.url", Rule::Url),
    effect("http.target", Rule::Url),
    effect("url.query", Rule::Query),
];

/// Lists that are told one attribute an entry: `gen_ai.prompt.0.content`.
pub(crate) static PREFIXES: &[Row] = &[
    content("gen_ai.prompt", To::Same, Rule::Any),
    content("gen_ai.completion", To::Same, Rule::Any),
    marks(OI, content("llm.input_messages", To::Same, Rule::Any)),
    marks(OI, content("llm.output_messages", To::Same, Rule::Any)),
    marks(OI, content("llm.prompts", To::Same, Rule::Any)),
    marks(OI, content("llm.tools", To::Same, Rule::Any)),
    content("llm.request.functions", To::Same, Rule::Any),
    marks(OI, content("retrieval.documents", To::Same, Rule::Any)),
    marks(
        TL,
        content("traceloop.prompt.template_variables", To::Same, Rule::Any),
    ),
];
