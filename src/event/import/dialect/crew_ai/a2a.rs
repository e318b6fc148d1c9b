//! crewAI between agents: the fields of its A2A events.

use crate::{
    event::import::place::{
        Fields,
        Place::{self, *},
        Unit,
    },
    semconv,
};

/// The remote task, where the event is about one; elsewhere a task is the caller's own.
const TASK: Place = Attr("a2a.task.id");

/// Fields most of them share.
pub(super) const A2A: Fields = &[
    ("endpoint", Url),
    ("a2a_agent_name", Attr(semconv::GEN_AI_AGENT_NAME)),
    // The caller's own role, beside the name of the agent it talks to.
    ("agent_role", Attr("a2a.caller.name")),
    ("context_id", Attr("a2a.context.id")),
    ("protocol_version", Attr("a2a.protocol_version")),
    ("skill_id", Attr("a2a.skill_id")),
    ("turn_number", Attr("a2a.turn_number")),
    ("is_multiturn", Attr("a2a.is_multiturn")),
    ("extensions", Attr("a2a.extensions")),
    ("provider", Attr("a2a.provider")),
    ("metadata", Attr("a2a.metadata")),
    ("reference_task_ids", Attr("a2a.reference_task_ids")),
    ("total_turns", Attr("a2a.turns")),
    ("status", Attr("a2a.task.state")),
    ("state", Attr("a2a.task.state")),
    ("agent_card", Part),
    ("task_description", Part),
    ("result", Part),
    ("final_result", Part),
];

pub(super) const MESSAGE: Fields = &[
    ("message", Body),
    ("response", Body),
    ("message_id", Attr("a2a.message_id")),
    ("status", Attr("a2a.status")),
    ("final", Attr("a2a.final")),
];

pub(super) const POLL: Fields = &[
    ("task_id", TASK),
    ("polling_interval", Attr("a2a.poll.interval")),
    ("state", Attr("a2a.poll.state")),
    ("elapsed_seconds", Attr("a2a.poll.elapsed_seconds")),
    ("poll_count", Attr("a2a.poll.poll_count")),
];

pub(super) const PUSH: Fields = &[
    ("task_id", TASK),
    ("callback_url", Attr("a2a.push.url")),
    ("success", Attr("a2a.push.success")),
    ("error", Attr("a2a.push.error")),
    ("timeout_seconds", Attr("a2a.push.timeout")),
];

pub(super) const STREAM: Fields = &[
    ("task_id", TASK),
    ("chunk", Body),
    ("chunk_index", Attr("a2a.chunk.index")),
    ("final", Attr("a2a.chunk.final")),
];

pub(super) const CARD: Fields = &[
    ("cached", Attr("a2a.card.cached")),
    ("fetch_time_ms", Attr("a2a.card.fetch_time_ms")),
    ("agent_card", Body),
];

pub(super) const AUTH: Fields = &[
    ("auth_type", Attr("a2a.auth.type")),
    ("status_code", Attr("http.response.status_code")),
    ("error", Body),
];

pub(super) const CONNECTION: Fields = &[
    ("task_id", TASK),
    ("status_code", Attr("http.response.status_code")),
    ("operation", Attr("a2a.operation")),
    ("error", Body),
];

pub(super) const ARTIFACT: Fields = &[
    ("task_id", TASK),
    ("artifact_*", Under("a2a.artifact.")),
    ("mime_type", Attr("a2a.artifact.mime_type")),
    ("size_bytes", Attr("a2a.artifact.size_bytes")),
    ("append", Attr("a2a.artifact.append")),
    ("last_chunk", Attr("a2a.artifact.last_chunk")),
];

pub(super) const TRANSPORT: Fields = &[
    ("negotiated_*", Under("a2a.transport.negotiated_")),
    ("source", Attr("a2a.transport.source")),
    ("client_*", Under("a2a.transport.client_")),
    ("server_*", Under("a2a.transport.server_")),
];

pub(super) const CONTENT_TYPE: Fields = &[
    ("client_*", Under("a2a.content_type.client_")),
    ("server_*", Under("a2a.content_type.server_")),
    ("negotiated_*", Under("a2a.content_type.negotiated_")),
    (
        "negotiation_success",
        Attr("a2a.content_type.negotiation_success"),
    ),
    ("skill_name", Attr("a2a.content_type.skill_name")),
];

pub(super) const CONTEXT: Fields = &[
    (
        "created_at",
        TimeElse(Unit::Seconds, "a2a.context.created_at"),
    ),
    ("age_seconds", Attr("a2a.context.age_seconds")),
    ("idle_seconds", Attr("a2a.context.idle_seconds")),
    ("duration_seconds", Attr("a2a.context.duration_seconds")),
    ("task_count", Attr("a2a.context.task_count")),
    ("total_tasks", Attr("a2a.context.total_tasks")),
];

pub(super) const PARALLEL: Fields = &[
    ("endpoints", Attr("a2a.endpoints")),
    ("task_description", Body),
    ("success_count", Attr("a2a.success_count")),
    ("failure_count", Attr("a2a.failure_count")),
    ("results", Body),
];

pub(super) const SERVER_TASK: Fields = &[("task_id", TASK), ("result", Body)];
