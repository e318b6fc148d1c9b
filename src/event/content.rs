//! Which attributes carry content. Owns: nothing else than the list.

use crate::semconv;

/// Attributes that carry content: `Debug` shows their size, never their text.
pub(crate) const CONTENT: &[&str] = &[
    semconv::CALL_RESULT,
    "error.message",
    semconv::EXCEPTION_MESSAGE,
    semconv::EXCEPTION_STACKTRACE,
    "gen_ai.completion",
    semconv::GEN_AI_EVALUATION_EXPLANATION,
    semconv::GEN_AI_INPUT_MESSAGES,
    semconv::GEN_AI_MEMORY_QUERY_TEXT,
    semconv::GEN_AI_MEMORY_RECORDS,
    semconv::GEN_AI_OUTPUT_MESSAGES,
    "gen_ai.prompt",
    semconv::GEN_AI_RETRIEVAL_DOCUMENTS,
    semconv::GEN_AI_RETRIEVAL_QUERY_TEXT,
    semconv::GEN_AI_SYSTEM_INSTRUCTIONS,
    semconv::GEN_AI_TOOL_CALL_ARGUMENTS,
    semconv::GEN_AI_TOOL_CALL_RESULT,
    semconv::GEN_AI_TOOL_DEFINITIONS,
    "guardrail.reason",
    "hook.abort_reason",
    "human.prompt",
    "plan.replan_reason",
    "routing.reason",
    "scenario.criteria.verdicts",
    "scenario.evaluations",
    "scenario.reasoning",
    "security.content_sample",
    "security.description",
    "security.keywords",
    "step.description",
    "step.validation.error",
    "tool.failure.message",
    "tool_call.arguments",
];
