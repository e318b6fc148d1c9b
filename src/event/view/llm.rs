//! Views of model calls and of what they stream.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{body_text, count, duration, error, flag, float, model, text, value, whole},
};
use crate::{
    event::{ErrorInfo, Event, FinishReason, Phase, Usage, Value},
    semconv,
};

fn usage(event: &Event) -> Usage {
    Usage::from_attrs(&event.attrs)
}

/// The sum of the parts, or what somebody reported who gave no parts.
fn total_tokens(event: &Event) -> Option<u64> {
    usage(event)
        .total()
        .or_else(|| count("llm.usage.total_tokens")(event))
        .or_else(|| count(semconv::LLM_TOKENS_USED)(event))
}

fn finish_reasons(event: &Event) -> Vec<FinishReason> {
    FinishReason::from_attrs(&event.attrs)
}

views! {
    /// A model call. What only its end knows is empty on its start.
    LlmCallView {
        /// What was asked for: `chat`, `embeddings`, `text_completion`.
        operation: Option<&'e str> = text(semconv::GEN_AI_OPERATION_NAME);
        /// Who answers: `openai`, `anthropic`, `gcp.gemini`.
        provider: Option<&'e str> = text(semconv::GEN_AI_PROVIDER_NAME);
        /// The model that was asked for.
        request_model: Option<&'e str> = text(semconv::GEN_AI_REQUEST_MODEL);
        /// The model that answered, or else the one asked for.
        model: Option<&'e str> = model;
        /// The caller's own id of the call.
        call_id: Option<&'e str> = text("llm.call_id");
        /// What the caller wanted from it, in a framework's words: `tool_call`, `llm_call`.
        call_type: Option<&'e str> = text("llm.call_type");
        /// The temperature asked for.
        temperature: Option<f64> = float(semconv::GEN_AI_REQUEST_TEMPERATURE);
        /// The share of likely tokens it may choose from.
        top_p: Option<f64> = float(semconv::GEN_AI_REQUEST_TOP_P);
        /// The most tokens it may write.
        max_tokens: Option<i64> = whole(semconv::GEN_AI_REQUEST_MAX_TOKENS);
        /// Whether the answer is streamed.
        stream: Option<bool> = flag(semconv::GEN_AI_REQUEST_STREAM);
        /// The provider's id of the answer.
        response_id: Option<&'e str> = text(semconv::GEN_AI_RESPONSE_ID);
        /// Why the model stopped, per choice.
        finish_reasons: Vec<FinishReason> = finish_reasons;
        /// The tokens it read and wrote.
        usage: Usage = usage;
        /// All tokens: input and output together, or what was reported as a total only.
        total_tokens: Option<u64> = total_tokens;
        /// What it cost, in US dollars. `None` when the price is unknown.
        cost_usd: Option<f64> = float(semconv::GEN_AI_USAGE_COST);
        /// Seconds until the first chunk of a stream.
        time_to_first_chunk: Option<f64> = float(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK);
        /// `none`, `suspicious` or `dangerous`: what a check of the texts found.
        alert_level: Option<&'e str> = text("security.alert_level");
        /// Why it was refused, on `llm.call.blocked`.
        block_reason: Option<&'e str> = text("security.block_reason");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What it was sent, if capturing content is switched on.
        input_messages: Option<&'e Value> = value(semconv::GEN_AI_INPUT_MESSAGES);
        /// What it answered, if capturing content is switched on.
        output_messages: Option<&'e Value> = value(semconv::GEN_AI_OUTPUT_MESSAGES);
    } {
        /// A model call began.
        LlmCallStarted = "llm.call.started";
        /// A model call was answered.
        LlmCallCompleted = "llm.call.completed";
        /// A model call failed, for instance by time-out.
        LlmCallFailed = "llm.call.failed";
        /// A model call was refused before it was sent.
        LlmCallBlocked = "llm.call.blocked";
        /// A model call was dropped before its answer was complete.
        LlmCallCanceled = "llm.call.canceled";
    }

    /// A piece of a streamed answer.
    LlmChunkView {
        /// The model that answers.
        model: Option<&'e str> = model;
        /// The caller's own id of the call.
        call_id: Option<&'e str> = text("llm.call_id");
        /// What the caller wanted from it, in a framework's words.
        call_type: Option<&'e str> = text("llm.call_type");
        /// The provider's id of the answer.
        response_id: Option<&'e str> = text(semconv::GEN_AI_RESPONSE_ID);
        /// The length of the piece in bytes, known though its text may not be.
        bytes: Option<u64> = count(semconv::GENAI_CHUNK_BYTES);
        /// The tool call it is a piece of: its id.
        tool_call_id: Option<&'e str> = text("tool_call.id");
        /// The tool call it is a piece of: the tool's name.
        tool_call_name: Option<&'e str> = text("tool_call.name");
        /// The tool call it is a piece of: its place among those of this answer.
        tool_call_index: Option<u64> = count("tool_call.index");
    } content {
        /// The piece, if capturing content is switched on.
        text: Option<&'e str> = body_text;
        /// The piece of a tool call's arguments, if capturing content is switched on.
        tool_call_arguments: Option<&'e Value> = value("tool_call.arguments");
    } {
        /// A piece of the answer arrived.
        LlmCallChunk = "llm.call.chunk";
        /// A piece of the model's reasoning arrived.
        LlmCallThinking = "llm.call.thinking";
    }
}

impl LlmCallView<'_> {
    /// Whether the answer is streamed.
    pub fn is_streaming(&self) -> bool {
        self.stream == Some(true)
    }
}

impl LlmChunkView<'_> {
    /// Whether the piece is reasoning rather than answer.
    pub fn is_thinking(&self) -> bool {
        matches!(&self.event.phase, Phase::Moment(word) if word == "thinking")
    }
}
