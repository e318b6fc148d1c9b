//! crewAI and crewai-rust: flat objects, the envelope beside the event's own fields.

mod a2a;
mod fields;

use self::fields::*;
use super::super::place::{
    Cause::{Parent, Previous, Started, Trigger},
    Effect::{Flavor as FlavorAs, Level as At, Phase, Set},
    Format,
    Is::{Bool, Text},
    Place::*,
    Scope::{self, Flavor, Kind as Every, Subject as About, Type},
    Unit, always, when,
};
use crate::{
    event::{Kind, Level, Subject},
    semconv,
};

pub(super) static FORMAT: Format = Format {
    names: &["type"],
    nameless: None,
    payload: None,
    envelope: &[
        ("type", Name),
        ("timestamp", Time(Unit::Seconds)),
        ("event_id", Id),
        ("parent_event_id", Cause(Parent)),
        ("started_event_id", Cause(Started)),
        ("previous_event_id", Cause(Previous)),
        ("triggered_by_event_id", Cause(Trigger)),
        ("emission_sequence", Seq),
        ("source_fingerprint", Attr("source.fingerprint")),
        ("source_type", Attr("source.type")),
        ("fingerprint_metadata", Attr("source.metadata")),
        ("agent_id", Attr(semconv::GEN_AI_AGENT_ID)),
        ("agent_role", Attr(semconv::GEN_AI_AGENT_NAME)),
        ("task_id", Attr(semconv::STEP_ID)),
        ("task_name", Attr(semconv::STEP_NAME)),
        ("from_agent", AGENT),
        ("from_task", TASK),
    ],
    own: &[
        (About(Subject::LLM_CALL), LLM),
        (
            About(Subject::TOOL_INPUT),
            &[("error", Attr("error.message"))],
        ),
        (
            About(Subject::TOOL_SELECTION),
            &[("error", Attr("error.message"))],
        ),
        (Every(Kind::Tool), TOOL),
        (About(Subject::AGENT_EXECUTION), EXECUTION),
        (About(Subject::AGENT_LOG), AGENT_LOG),
        (About(Subject::EVALUATION), EVALUATION),
        (About(Subject::WORKFLOW), WORKFLOW),
        (About(Subject::WORKFLOW_TRAIN), TRAIN),
        (About(Subject::WORKFLOW_TEST), TEST),
        (Flavor(Subject::STEP, "plan"), PLAN_STEP),
        (About(Subject::STEP), STEP),
        (About(Subject::ROUTING), ROUTING),
        (
            Type(Subject::HUMAN_INPUT, "requested"),
            &[("message", Body)],
        ),
        (
            Type(Subject::HUMAN_INPUT, "received"),
            &[("message", Attr("human.prompt")), ("response", Body)],
        ),
        (Every(Kind::Human), HUMAN),
        (About(Subject::CONVERSATION_MESSAGE), MESSAGE),
        (Every(Kind::Retrieval), RETRIEVAL),
        (Every(Kind::Memory), MEMORY),
        (
            About(Subject::MCP_CONFIG),
            &[("slug", Attr("mcp.config.slug")), ("error", Body)],
        ),
        (Every(Kind::Mcp), MCP),
        (
            Type(Subject::A2A_PUSH, "sent"),
            &[("state", Attr("a2a.push.state"))],
        ),
        (About(Subject::A2A_PUSH), a2a::PUSH),
        (About(Subject::A2A_POLL), a2a::POLL),
        (About(Subject::A2A_MESSAGE), a2a::MESSAGE),
        (About(Subject::A2A_STREAM), a2a::STREAM),
        (About(Subject::A2A_CARD), a2a::CARD),
        (About(Subject::A2A_AUTH), a2a::AUTH),
        (About(Subject::A2A_CONNECTION), a2a::CONNECTION),
        (About(Subject::A2A_ARTIFACT), a2a::ARTIFACT),
        (About(Subject::A2A_TRANSPORT), a2a::TRANSPORT),
        (About(Subject::A2A_CONTENT_TYPE), a2a::CONTENT_TYPE),
        (About(Subject::A2A_CONTEXT), a2a::CONTEXT),
        (About(Subject::A2A_PARALLEL), a2a::PARALLEL),
        (About(Subject::A2A_SERVER_TASK), a2a::SERVER_TASK),
        (Every(Kind::A2a), a2a::A2A),
        (
            Type(Subject::GUARDRAIL, "completed"),
            &[("error", Attr("guardrail.reason"))],
        ),
        (Every(Kind::Guardrail), GUARDRAIL),
        (Every(Kind::Plan), PLAN),
        (Every(Kind::Skill), SKILL),
        (Every(Kind::Checkpoint), CHECKPOINT),
        (Every(Kind::Hook), HOOK),
        (About(Subject::SYSTEM_SIGNAL), SIGNAL),
        (Scope::Any, COMMON),
    ],
    rules: &[
        when(
            Flavor(Subject::STEP, "plan"),
            "success",
            Bool(false),
            &[Phase("failed")],
        ),
        when(
            Type(Subject::A2A_DELEGATION, "completed"),
            "status",
            Text("input_required"),
            &[Phase("paused")],
        ),
        when(
            Type(Subject::A2A_DELEGATION, "completed"),
            "status",
            Text("failed"),
            &[Phase("failed")],
        ),
        when(
            Type(Subject::A2A_CONVERSATION, "completed"),
            "status",
            Text("failed"),
            &[Phase("failed")],
        ),
        when(
            Type(Subject::A2A_PUSH, "sent"),
            "success",
            Bool(false),
            &[At(Level::Warn)],
        ),
        // A guardrail that ran and denied did its work: it is completed.
        when(
            Type(Subject::GUARDRAIL, "completed"),
            "success",
            Bool(true),
            &[Set("guardrail.verdict", "allow")],
        ),
        when(
            Type(Subject::GUARDRAIL, "completed"),
            "success",
            Bool(false),
            &[Set("guardrail.verdict", "deny"), At(Level::Warn)],
        ),
        when(
            About(Subject::HOOK),
            "outcome",
            Text("aborted"),
            &[At(Level::Warn)],
        ),
        always(About(Subject::ENV), &[FlavorAs("env.tool")]),
    ],
};
