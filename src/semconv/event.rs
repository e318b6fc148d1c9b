//! Names of the GenAI events, which travel as OpenTelemetry log records.
//!
//! The name goes into the record's event name field, not into an attribute.

/// One model call in full: parameters, answer, and content in structured form where it is captured.
pub const GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS: &str =
    "gen_ai.client.inference.operation.details";

/// A verdict on an answer. Belongs to the evaluated span, or names it by [`GEN_AI_RESPONSE_ID`](super::GEN_AI_RESPONSE_ID).
pub const GEN_AI_EVALUATION_RESULT: &str = "gen_ai.evaluation.result";

/// The error that ended a client operation. Severity WARN.
pub const GEN_AI_CLIENT_OPERATION_EXCEPTION: &str = "gen_ai.client.operation.exception";
