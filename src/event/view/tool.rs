//! Views of tools: their executions, what was wrong with a model's wish, inline tags.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{agent_name, body_text, count, duration, either, error, flag, text, value},
};
use crate::{
    event::{ErrorInfo, Event, Value},
    semconv,
};

views! {
    /// The execution of a tool.
    ToolCallView {
        /// The tool's name.
        name: Option<&'e str> = text(semconv::GEN_AI_TOOL_NAME);
        /// The id the model gave to the call.
        call_id: Option<&'e str> = text(semconv::GEN_AI_TOOL_CALL_ID);
        /// `function`, `extension`, `datastore`.
        tool_type: Option<&'e str> = text(semconv::GEN_AI_TOOL_TYPE);
        /// The agent that runs it.
        agent_name: Option<&'e str> = agent_name;
        /// Which attempt this is, from 1.
        attempt: Option<u64> = count("tool.attempt");
        /// Whether the result came from a cache.
        from_cache: Option<bool> = flag("tool.from_cache");
        /// The tool returned normally and reports a failure all the same: why, in a short stable word.
        failure_reason: Option<&'e str> = text("tool.failure.reason");
        /// The reported failure's code.
        failure_code: Option<&'e Value> = value("tool.failure.code");
        /// Whether trying again could help against the reported failure.
        failure_retryable: Option<bool> = flag("tool.failure.retryable");
        /// What is done about reported failures: `ignore`, `warn`, `raise`.
        failure_policy: Option<&'e str> = text("tool.failure.policy");
        /// `none`, `suspicious` or `dangerous`: what a check of the arguments or the result found.
        alert_level: Option<&'e str> = text("security.alert_level");
        /// Why it was not allowed, on `tool.call.blocked`.
        block_reason: Option<&'e str> = text("security.block_reason");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Its arguments, if capturing content is switched on.
        arguments: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_ARGUMENTS);
        /// Its result, if capturing content is switched on.
        result: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_RESULT);
        /// The reported failure in the tool's words.
        failure_message: Option<&'e str> = text("tool.failure.message");
    } {
        /// A tool began to run.
        ToolCallStarted = "tool.call.started";
        /// A tool returned.
        ToolCallCompleted = "tool.call.completed";
        /// A tool failed.
        ToolCallFailed = "tool.call.failed";
        /// A tool was not allowed to run.
        ToolCallBlocked = "tool.call.blocked";
        /// A tool was dropped before it returned.
        ToolCallCanceled = "tool.call.canceled";
        /// A tool returned normally, and what it returned says that it failed.
        ToolCallFailureReported = "tool.call.failure_reported";
    }

    /// A tool call as a model writes it, before anything runs.
    ToolChunkView {
        /// The tool's name.
        name: Option<&'e str> = text(semconv::GEN_AI_TOOL_NAME);
        /// The id the model gave to the call.
        call_id: Option<&'e str> = text(semconv::GEN_AI_TOOL_CALL_ID);
        /// The message the call is part of.
        message_id: Option<&'e str> = text("message.parent.id");
    } content {
        /// A piece of the arguments, if capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// A model began to write a tool call.
        ToolCallAnnounced = "tool.call.announced";
        /// A model wrote a piece of a tool call's arguments.
        ToolCallChunk = "tool.call.chunk";
        /// A tool call is written to its end.
        ToolCallSealed = "tool.call.sealed";
    }

    /// A tool call, or a tool, that a model asked for and cannot have.
    ToolInvalidView {
        /// The tool's name.
        name: Option<&'e str> = text(semconv::GEN_AI_TOOL_NAME);
        /// The id the model gave to the call.
        call_id: Option<&'e str> = text(semconv::GEN_AI_TOOL_CALL_ID);
        /// The agent that asked.
        agent_name: Option<&'e str> = agent_name;
        /// Which attempt this is, from 1.
        attempt: Option<u64> = count("tool.attempt");
    } content {
        /// The arguments, if capturing content is switched on.
        arguments: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_ARGUMENTS);
        /// What is wrong, in words.
        message: Option<&'e str> = text("error.message");
    } {
        /// The arguments do not fit the tool.
        ToolInputInvalid = "tool.input.invalid";
        /// There is no such tool.
        ToolSelectionInvalid = "tool.selection.invalid";
    }

    /// An artefact a model writes inline, handled like a tool.
    TagView {
        /// The tag's name.
        name: Option<&'e str> = either("tag.name", semconv::GEN_AI_TOOL_NAME);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What the tag encloses, if capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// A tag opened.
        TagStarted = "tag.started";
        /// A tag was handled.
        TagCompleted = "tag.completed";
        /// A tag could not be handled.
        TagFailed = "tag.failed";
        /// A tag was dropped before it was complete.
        TagCanceled = "tag.canceled";
    }
}
