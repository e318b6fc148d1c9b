//! Views of agents talking to agents: delegations, conversations, messages, tasks served for others.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{agent_name, body, body_text, count, duration, either, error, flag, part, text, texts},
};
use crate::{
    event::{Body, ErrorInfo, Event},
    semconv,
};

views! {
    /// A task handed to another agent.
    A2aDelegationView {
        /// The other agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The other agent's address.
        endpoint: Option<&'e str> = either("url.full", semconv::SERVER_ADDRESS);
        /// The context tasks share.
        context_id: Option<&'e str> = text("a2a.context.id");
        /// The remote task's id.
        task_id: Option<&'e str> = text("a2a.task.id");
        /// The remote task's state: `completed`, `input_required`, `failed`.
        task_state: Option<&'e str> = text("a2a.task.state");
        /// The skill asked for.
        skill_id: Option<&'e str> = text("a2a.skill_id");
        /// Which turn of the conversation this is.
        turn_number: Option<u64> = count("a2a.turn_number");
        /// Whether the conversation has several turns.
        is_multiturn: Option<bool> = flag("a2a.is_multiturn");
        /// The version of the protocol.
        protocol_version: Option<&'e str> = text("a2a.protocol_version");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// The task, if capturing content is switched on.
        task: Option<&'e str> = part("task_description");
        /// The result, if it is one text and capturing content is switched on.
        result: Option<&'e str> = part("result");
    } {
        /// A task was handed over.
        A2aDelegationStarted = "a2a.delegation.started";
        /// A task came back done.
        A2aDelegationCompleted = "a2a.delegation.completed";
        /// A task failed.
        A2aDelegationFailed = "a2a.delegation.failed";
        /// A task needs more input.
        A2aDelegationPaused = "a2a.delegation.paused";
        /// A task was dropped.
        A2aDelegationCanceled = "a2a.delegation.canceled";
    }

    /// A conversation of several turns with another agent.
    A2aConversationView {
        /// The other agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The other agent's address.
        endpoint: Option<&'e str> = either("url.full", semconv::SERVER_ADDRESS);
        /// The context tasks share.
        context_id: Option<&'e str> = text("a2a.context.id");
        /// The remote task's state: `completed`, `failed`.
        task_state: Option<&'e str> = text("a2a.task.state");
        /// How many turns there were.
        turns: Option<u64> = count("a2a.turns");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// The result, if it is one text and capturing content is switched on.
        result: Option<&'e str> = part("final_result");
    } {
        /// A conversation began.
        A2aConversationStarted = "a2a.conversation.started";
        /// A conversation ended.
        A2aConversationCompleted = "a2a.conversation.completed";
        /// A conversation failed.
        A2aConversationFailed = "a2a.conversation.failed";
        /// A conversation was dropped.
        A2aConversationCanceled = "a2a.conversation.canceled";
    }

    /// Several delegations at once.
    A2aParallelView {
        /// The other agents' addresses.
        endpoints: Vec<&'e str> = texts("a2a.endpoints");
        /// How many came back done.
        success_count: Option<u64> = count("a2a.success_count");
        /// How many failed.
        failure_count: Option<u64> = count("a2a.failure_count");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// The task or the results, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// Several tasks were handed over.
        A2aParallelStarted = "a2a.parallel.started";
        /// All of them came back.
        A2aParallelCompleted = "a2a.parallel.completed";
        /// They failed.
        A2aParallelFailed = "a2a.parallel.failed";
        /// They were dropped.
        A2aParallelCanceled = "a2a.parallel.canceled";
    }

    /// A task served for another agent.
    A2aServerTaskView {
        /// The task's id.
        task_id: Option<&'e str> = text("a2a.task.id");
        /// The context tasks share.
        context_id: Option<&'e str> = text("a2a.context.id");
        /// The method that was called.
        method: Option<&'e str> = text("a2a.method.name");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// The result, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// A task was taken on.
        A2aServerTaskStarted = "a2a.server_task.started";
        /// A task is done.
        A2aServerTaskCompleted = "a2a.server_task.completed";
        /// A task failed.
        A2aServerTaskFailed = "a2a.server_task.failed";
        /// A task was called off.
        A2aServerTaskCanceled = "a2a.server_task.canceled";
    }

    /// A message between agents.
    A2aMessageView {
        /// The other agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The message's id.
        message_id: Option<&'e str> = text("a2a.message_id");
        /// The context tasks share.
        context_id: Option<&'e str> = text("a2a.context.id");
        /// Which turn of the conversation this is.
        turn_number: Option<u64> = count("a2a.turn_number");
        /// The remote task's state, on answers.
        status: Option<&'e str> = either("a2a.status", "a2a.task.state");
        /// Whether it is the last one.
        is_final: Option<bool> = flag("a2a.final");
    } content {
        /// The message, if it is one text and capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// A message was sent.
        A2aMessageSent = "a2a.message.sent";
        /// A message was received.
        A2aMessageReceived = "a2a.message.received";
    }
}
