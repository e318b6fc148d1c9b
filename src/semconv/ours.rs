//! Names of our own, beside the conventions.
//!
//! Owns what the conventions have no word for: cost, subtree totals, outcome, steps.
//! Never: a second meaning for a name of theirs. Totals stay out of `gen_ai.usage.*`, so that
//! summing that prefix over all spans counts each model call once.

// === On model calls ===

/// Model that answered, else the one asked for (string).
pub const LLM_MODEL: &str = "llm.model";

/// Same value as [`GEN_AI_PROVIDER_NAME`](super::GEN_AI_PROVIDER_NAME) (string).
pub const LLM_PROVIDER: &str = "llm.provider";

/// Input plus output tokens of one call (integer).
pub const LLM_TOKENS_USED: &str = "llm.tokens_used";

/// Cost of one call in US dollars (float). Absent when no price is known, never 0 for that.
pub const LLM_COST_USD: &str = "llm.cost_usd";

/// Same value as [`LLM_COST_USD`], under the name back ends read (float, US dollars).
pub const GEN_AI_USAGE_COST: &str = "gen_ai.usage.cost";

/// Where the price came from (string, see [`cost_source`](super::cost_source)).
pub const GENAI_COST_SOURCE: &str = "genai.cost.source";

/// Why a call has no cost (string). Set only when [`LLM_COST_USD`] is absent.
pub const GENAI_COST_UNKNOWN_REASON: &str = "genai.cost.unknown_reason";

/// Why a model call has no token counts: `not_reported`, `interrupted`, or `invalid` where those it reported contradict each
/// other (string). Absent on calls that failed.
pub const GENAI_USAGE_UNKNOWN_REASON: &str = "genai.usage.unknown_reason";

/// On a span that told a model call once more, inside the span that counts for it: the operation (string).
pub const GENAI_NESTED_OPERATION: &str = "genai.nested.operation";

/// On a span that told a model call once more, inside the span that counts for it: the model (string).
pub const GENAI_NESTED_MODEL: &str = "genai.nested.model";

/// The work was dropped before its end, e.g. a stream the caller stopped reading (boolean). Set only when `true`.
pub const GENAI_INTERRUPTED: &str = "genai.interrupted";

// === Totals on agents, workflows and steps ===

/// Input tokens of all model calls below this span (integer).
pub const GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS: &str = "gen_ai.aggregated_usage.input_tokens";

/// Output tokens of all model calls below this span (integer).
pub const GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS: &str = "gen_ai.aggregated_usage.output_tokens";

/// Cost of all priced model calls below this span (float, US dollars).
pub const GEN_AI_AGGREGATED_USAGE_COST: &str = "gen_ai.aggregated_usage.cost";

/// Model calls below this span, failed ones included (integer).
pub const LLM_TOTAL_CALLS: &str = "llm.total_calls";

/// Input plus output tokens of all model calls below this span (integer).
pub const LLM_TOTAL_TOKENS: &str = "llm.total_tokens";

/// Same value as [`GEN_AI_AGGREGATED_USAGE_COST`] (float, US dollars).
pub const LLM_TOTAL_COST_USD: &str = "llm.total_cost_usd";

/// Tool calls below this span, failed ones included (integer).
pub const LLM_TOTAL_TOOL_CALLS: &str = "llm.total_tool_calls";

/// Failed tool calls below this span (integer).
pub const LLM_TOTAL_TOOL_ERRORS: &str = "llm.total_tool_errors";

// === Identity ===

/// What has the life the span shows, e.g. `llm.call` (string).
pub const GENAI_SUBJECT: &str = "genai.subject";

/// How it ended: `ok`, `error`, `blocked`, `paused` or `canceled` (string).
pub const GENAI_OUTCOME: &str = "genai.outcome";

/// Event type asked for by the code that wrote the record, e.g. `tool.call.retried` (string).
pub const GENAI_EVENT: &str = "genai.event";

/// Name of a step (string).
pub const STEP_NAME: &str = "step.name";

/// Id of a step (string).
pub const STEP_ID: &str = "step.id";

/// The caller's own id for everything one request set off (string).
pub const CORRELATION_ID: &str = "correlation.id";

/// Beside a total cost: `false` where calls of unknown price are left out of the sum. Set only when `false`.
pub const LLM_TOTAL_COST_COMPLETE: &str = "llm.total_cost_complete";

/// On a record that names itself by [`GENAI_EVENT`]: `true` makes its level `ALERT`, which `tracing` does not have.
pub const GENAI_ALERT: &str = "genai.alert";

/// The channel a record that names itself asks for.
pub const GENAI_CHANNEL: &str = "genai.channel";

/// `internal` on what is not for people's eyes.
pub const GENAI_VISIBILITY: &str = "genai.visibility";

/// On `llm.call.chunk`: the length of the piece in bytes.
pub const GENAI_CHUNK_BYTES: &str = "genai.chunk.bytes";

/// The text of a streamed piece on its way to the body of `llm.call.chunk`, where that is allowed. On no event and no span.
pub const GENAI_CHUNK_TEXT: &str = "genai.chunk.text";

/// On a message from another system: the trace it came about in (string, 32 hexadecimal digits). A link, not the trace of the event.
pub const GENAI_LINK_TRACE_ID: &str = "genai.link.trace_id";

// === What was read on the wire ===

/// Where the token counts of a model call come from that was read on the wire (string): `wire`, what the provider said;
/// `wire_partial`, what it had said when the answer broke off; `estimate`, see [`GENAI_USAGE_ESTIMATED`]; `unknown`, there
/// are none. Absent where the counts are the span's own.
pub const GENAI_USAGE_SOURCE: &str = "genai.usage.source";

/// The token counts are estimated from the texts (boolean). Set only when `true`.
pub const GENAI_USAGE_ESTIMATED: &str = "genai.usage.estimated";

/// How many counts of an answer made no sense and were left out: negative, textual, parts larger than their whole (integer).
/// Set only when there are any.
pub const GENAI_USAGE_REFUSED: &str = "genai.usage.refused";

/// Bytes of content there were, where only its outline is captured.
pub const GENAI_CONTENT_BYTES: &str = "genai.content.bytes";

/// Bytes of content, or more, that the limits of content cut off.
pub const GENAI_CONTENT_CUT_BYTES: &str = "genai.content.cut_bytes";

/// Why the body of an answer was not read (string): its content encoding, or `fragmented`. Absent where it was read.
pub const GENAI_TAP_UNREAD: &str = "genai.tap.unread";
/// What a monitored function returned. Content: only where that is allowed.
pub const CALL_RESULT: &str = "call.result";
