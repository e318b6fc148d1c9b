//! Views of agents: as objects, at work, and what they announce for people.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{
        agent_id, agent_name, body_text, conversation_id, count, duration, error, flag, float,
        model, text, total_usage,
    },
};
use crate::{
    event::{ErrorInfo, Event, Usage},
    semconv,
};

views! {
    /// An agent as an object.
    AgentView {
        /// The agent's name.
        name: Option<&'e str> = agent_name;
        /// The agent's id.
        id: Option<&'e str> = agent_id;
        /// The agent's version.
        version: Option<&'e str> = text(semconv::GEN_AI_AGENT_VERSION);
        /// What it is for.
        description: Option<&'e str> = text(semconv::GEN_AI_AGENT_DESCRIPTION);
    } content {} {
        /// An agent was made.
        AgentCreated = "agent.created";
        /// An agent was shut down.
        AgentShutdown = "agent.shutdown";
    }

    /// An agent at work.
    AgentExecutionView {
        /// The agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The agent's id.
        agent_id: Option<&'e str> = agent_id;
        /// The conversation it takes part in.
        conversation_id: Option<&'e str> = conversation_id;
        /// The model, when the agent has one fixed model.
        model: Option<&'e str> = model;
        /// The tokens of all model calls inside.
        total_usage: Usage = total_usage;
        /// The cost of all model calls inside, in US dollars.
        total_cost_usd: Option<f64> = float(semconv::GEN_AI_AGGREGATED_USAGE_COST);
        /// How many model calls there were inside.
        total_calls: Option<u64> = count(semconv::LLM_TOTAL_CALLS);
        /// How many tool calls there were inside.
        total_tool_calls: Option<u64> = count(semconv::LLM_TOTAL_TOOL_CALLS);
        /// How many of those failed.
        total_tool_errors: Option<u64> = count(semconv::LLM_TOTAL_TOOL_ERRORS);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// The task or the answer, if it is one text and capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// An agent began a task.
        AgentExecutionStarted = "agent.execution.started";
        /// An agent finished its task.
        AgentExecutionCompleted = "agent.execution.completed";
        /// An agent failed.
        AgentExecutionFailed = "agent.execution.failed";
        /// An agent was dropped at work.
        AgentExecutionCanceled = "agent.execution.canceled";
    }

    /// What an agent announces for people to read.
    AgentLogView {
        /// The agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// Whether the agent was asked to say more than usual.
        verbose: Option<bool> = flag("agent.log.verbose");
    } content {
        /// The text, if capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// An agent says what it is about to do.
        AgentLogAnnounced = "agent.log.announced";
        /// An agent says what came of it.
        AgentLogOutput = "agent.log.output";
    }
}
