//! crewAI within one process: the fields of its events, by what they are about.

use crate::{
    event::import::place::{
        Fields,
        Place::{self, *},
        Rest, Unit,
    },
    semconv,
};

pub(super) const AGENT: Place = Object(
    &[
        ("id", Attr(semconv::GEN_AI_AGENT_ID)),
        ("role", Attr(semconv::GEN_AI_AGENT_NAME)),
    ],
    Rest::Prefix("gen_ai.agent."),
    &Attr(semconv::GEN_AI_AGENT_NAME),
);

pub(super) const TASK: Place = Object(
    &[
        ("id", Attr(semconv::STEP_ID)),
        ("name", Attr(semconv::STEP_NAME)),
    ],
    Rest::Prefix("step."),
    &Attr(semconv::STEP_NAME),
);

pub(super) const COMMON: Fields = &[
    ("crew_name", Attr(semconv::GEN_AI_WORKFLOW_NAME)),
    ("flow_name", Attr(semconv::GEN_AI_WORKFLOW_NAME)),
    ("method_name", Attr(semconv::STEP_NAME)),
    ("agent", AGENT),
    ("task", TASK),
    ("tools", Attr(semconv::GEN_AI_TOOL_DEFINITIONS)),
    ("session_id", Attr(semconv::GEN_AI_CONVERSATION_ID)),
    ("message_index", Attr("message.index")),
    ("error", ErrorMessage),
    ("error_type", ErrorType),
];

pub(super) const LLM: Fields = &[
    ("model", Attr(semconv::GEN_AI_REQUEST_MODEL)),
    ("call_id", Attr("llm.call_id")),
    ("call_type", Attr("llm.call_type")),
    ("messages", Attr(semconv::GEN_AI_INPUT_MESSAGES)),
    ("callbacks", Names("llm.callbacks")),
    ("available_functions", Names("llm.available_functions")),
    ("temperature", Attr(semconv::GEN_AI_REQUEST_TEMPERATURE)),
    ("top_p", Attr(semconv::GEN_AI_REQUEST_TOP_P)),
    ("max_tokens", Attr(semconv::GEN_AI_REQUEST_MAX_TOKENS)),
    ("stream", Attr(semconv::GEN_AI_REQUEST_STREAM)),
    ("seed", Attr(semconv::GEN_AI_REQUEST_SEED)),
    (
        "stop_sequences",
        List(semconv::GEN_AI_REQUEST_STOP_SEQUENCES),
    ),
    (
        "frequency_penalty",
        Attr(semconv::GEN_AI_REQUEST_FREQUENCY_PENALTY),
    ),
    (
        "presence_penalty",
        Attr(semconv::GEN_AI_REQUEST_PRESENCE_PENALTY),
    ),
    ("n", Attr(semconv::GEN_AI_REQUEST_CHOICE_COUNT)),
    ("response", Attr(semconv::GEN_AI_OUTPUT_MESSAGES)),
    ("usage", Usage),
    (
        "finish_reason",
        List(semconv::GEN_AI_RESPONSE_FINISH_REASONS),
    ),
    ("response_id", Attr(semconv::GEN_AI_RESPONSE_ID)),
    ("chunk", Body),
    (
        "tool_call",
        Object(
            &[(
                "function",
                Object(&[], Rest::Prefix("tool_call."), &Attr("tool_call.function")),
            )],
            Rest::Prefix("tool_call."),
            &Attr("tool_call"),
        ),
    ),
];

pub(super) const TOOL: Fields = &[
    ("tool_name", Attr(semconv::GEN_AI_TOOL_NAME)),
    ("tool_args", Attr(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    (
        "tool_class",
        Both(&[Attr("tool.class"), Attr(semconv::GEN_AI_TOOL_TYPE)]),
    ),
    ("run_attempts", Attr("tool.attempt")),
    ("delegations", Attr("tool.delegations")),
    ("agent_key", Attr("agent.key")),
    ("plan_step_number", Attr("step.index")),
    ("plan_step_description", Attr("step.description")),
    ("started_at", StartedAt("tool.started_at")),
    ("finished_at", EndedAt("tool.finished_at")),
    ("from_cache", Attr("tool.from_cache")),
    ("output", Attr(semconv::GEN_AI_TOOL_CALL_RESULT)),
    (
        "failure",
        Object(
            &[],
            Rest::Prefix("tool.failure."),
            &Attr("tool.failure.reason"),
        ),
    ),
    ("policy", Attr("tool.failure.policy")),
];

pub(super) const EVALUATION: Fields = &[
    ("iteration", Attr("evaluation.iteration")),
    ("metric_category", Attr(semconv::GEN_AI_EVALUATION_NAME)),
    (
        "score",
        Object(
            &[
                ("score", Attr(semconv::GEN_AI_EVALUATION_SCORE_VALUE)),
                ("feedback", Attr(semconv::GEN_AI_EVALUATION_EXPLANATION)),
            ],
            Rest::Prefix("evaluation.score."),
            &Attr(semconv::GEN_AI_EVALUATION_SCORE_VALUE),
        ),
    ),
    ("quality", Attr(semconv::GEN_AI_EVALUATION_SCORE_VALUE)),
    ("execution_duration", Attr("evaluation.duration")),
    ("model", Attr(semconv::GEN_AI_REQUEST_MODEL)),
    ("evaluation_type", Attr(semconv::GEN_AI_EVALUATION_NAME)),
];

pub(super) const WORKFLOW: Fields = &[
    ("inputs", Body),
    ("output", Body),
    ("result", Part),
    ("state", Part),
    ("total_tokens", Attr("workflow.usage.total_tokens")),
    ("flow_id", Attr("workflow.run.id")),
    ("message", Attr("human.prompt")),
    ("emit", Attr("human.outcomes")),
];

pub(super) const STEP: Fields = &[
    ("context", Body),
    (
        "output",
        Object(
            &[
                ("raw", Body),
                ("format", Attr("step.output.format")),
                ("output_format", Attr("step.output.format")),
                ("agent", Attr("step.output.agent")),
            ],
            Rest::Body,
            &Body,
        ),
    ),
    ("state", Part),
    ("params", Part),
    ("result", Part),
    ("flow_id", Attr("workflow.run.id")),
    ("message", Attr("human.prompt")),
    ("emit", Attr("human.outcomes")),
    ("step_number", Attr("step.index")),
    ("step_description", Attr("step.description")),
    ("tool_to_use", Attr(semconv::GEN_AI_TOOL_NAME)),
];

pub(super) const HUMAN: Fields = &[
    ("message", Part),
    ("output", Part),
    ("feedback", Body),
    ("metadata", Attr("human.metadata")),
    ("response_metadata", Attr("human.response.metadata")),
    ("outcome", Attr("human.outcome")),
    ("emit", Attr("human.outcomes")),
    ("request_id", Attr("human.request.id")),
];

pub(super) const MEMORY: Fields = &[
    // Here the source is the store.
    (
        "source_type",
        Both(&[Attr(semconv::GEN_AI_MEMORY_STORE_ID), Attr("source.type")]),
    ),
    ("query", Attr(semconv::GEN_AI_MEMORY_QUERY_TEXT)),
    ("limit", Attr("memory.limit")),
    ("score_threshold", Attr("memory.score_threshold")),
    (
        "results",
        Both(&[
            Attr(semconv::GEN_AI_MEMORY_RECORDS),
            Count(semconv::GEN_AI_MEMORY_RECORD_COUNT),
        ]),
    ),
    ("value", Body),
    ("memory_content", Body),
    ("metadata", Attr("memory.metadata")),
    ("query_time_ms", Duration(Unit::Millis)),
    ("save_time_ms", Duration(Unit::Millis)),
    ("retrieval_time_ms", Duration(Unit::Millis)),
];

pub(super) const MCP: Fields = &[
    ("server_name", Attr("mcp.server.name")),
    ("server_url", Url),
    (
        "transport_type",
        Both(&[
            Attr("mcp.transport"),
            Mapped(semconv::NETWORK_TRANSPORT, TRANSPORTS),
        ]),
    ),
    ("connect_timeout", Attr("mcp.connect_timeout")),
    ("is_reconnect", Attr("mcp.reconnect")),
    ("tool_name", Attr(semconv::GEN_AI_TOOL_NAME)),
    ("tool_args", Attr(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("result", Attr(semconv::GEN_AI_TOOL_CALL_RESULT)),
    ("started_at", StartedAt("mcp.started_at")),
    ("completed_at", EndedAt("mcp.completed_at")),
    ("failed_at", EndedAt("mcp.failed_at")),
    ("connection_duration_ms", Duration(Unit::Millis)),
    ("execution_duration_ms", Duration(Unit::Millis)),
];

const TRANSPORTS: &[(&str, &str)] = &[
    ("stdio", "pipe"),
    ("sse", "tcp"),
    ("http", "tcp"),
    ("https", "tcp"),
    ("streamable_http", "tcp"),
];

pub(super) const GUARDRAIL: Fields = &[
    ("guardrail_type", Attr("guardrail.type")),
    ("guardrail_name", Attr("guardrail.name")),
    ("retry_count", Attr("guardrail.retry_count")),
    ("guardrail", Body),
    ("result", Body),
    ("success", Flag),
];

pub(super) const PLAN: Fields = &[
    ("attempt", Attr("plan.attempt")),
    ("ready", Attr("plan.ready")),
    ("plan", Body),
    ("step_number", Attr("step.index")),
    ("step_description", Attr("step.description")),
    (
        "step_completed_successfully",
        Attr("plan.step_completed_successfully"),
    ),
    (
        "remaining_plan_still_valid",
        Attr("plan.remaining_plan_still_valid"),
    ),
    ("needs_full_replan", Attr("plan.needs_full_replan")),
    ("replan_reason", Attr("plan.replan_reason")),
    ("goal_already_achieved", Attr("plan.goal_already_achieved")),
    ("key_information_learned", Part),
    ("suggested_refinements", Part),
    ("refined_step_count", Attr("plan.refined_steps")),
    ("refinements", Body),
    ("replan_count", Attr("plan.replan_count")),
    (
        "completed_steps_preserved",
        Attr("plan.completed_steps_preserved"),
    ),
    ("steps_remaining", Attr("plan.steps_remaining")),
    ("steps_completed", Attr("plan.steps_completed")),
];

pub(super) const SKILL: Fields = &[
    ("search_path", Attr("skill.search_path")),
    ("skills_found", Attr("skill.skills_found")),
    ("skill_names", Attr("skill.skill_names")),
    ("skill_name", Attr("skill.name")),
    ("skill_path", Attr("skill.path")),
    ("disclosure_level", Attr("skill.disclosure_level")),
    ("registry_ref", Attr("skill.registry_ref")),
    ("version", Attr("skill.version")),
    ("cache_path", Attr("skill.cache_path")),
    ("error", Body),
];

pub(super) const CHECKPOINT: Fields = &[
    ("location", Attr("checkpoint.location")),
    ("provider", Attr("checkpoint.provider")),
    ("trigger", Attr("checkpoint.trigger")),
    ("branch", Attr("checkpoint.branch")),
    ("parent_id", Attr("checkpoint.parent_id")),
    ("checkpoint_id", Attr("checkpoint.id")),
    ("parent_branch", Attr("checkpoint.parent_branch")),
    (
        "parent_checkpoint_id",
        Attr("checkpoint.parent_checkpoint_id"),
    ),
    ("duration_ms", Duration(Unit::Millis)),
    ("removed_count", Attr("checkpoint.removed_count")),
    ("max_checkpoints", Attr("checkpoint.max_checkpoints")),
];

pub(super) const HOOK: Fields = &[
    ("interception_point", Attr("hook.interception_point")),
    ("outcome", Attr("hook.outcome")),
    ("hook_count", Attr("hook.hook_count")),
    ("duration_ms", Attr("hook.duration_ms")),
    ("abort_reason", Attr("hook.abort_reason")),
    ("abort_source", Attr("hook.abort_source")),
];

pub(super) const EXECUTION: Fields = &[
    ("output", Body),
    ("messages", Body),
    ("task_prompt", Body),
    ("agent_info", AGENT),
];

pub(super) const AGENT_LOG: Fields = &[
    ("task_description", Body),
    ("formatted_answer", Body),
    ("verbose", Attr("agent.log.verbose")),
];

pub(super) const TRAIN: Fields = &[
    ("n_iterations", Attr("workflow.train.n_iterations")),
    ("filename", Attr("workflow.train.filename")),
    ("inputs", Body),
];

pub(super) const TEST: Fields = &[
    ("n_iterations", Attr("workflow.test.n_iterations")),
    ("eval_llm", Attr("workflow.test.eval_llm")),
    ("inputs", Body),
];

pub(super) const PLAN_STEP: Fields = &[
    ("result", Body),
    ("success", Flag),
    ("outcome", Attr("step.outcome")),
    ("termination_reason", Attr("step.termination_reason")),
];

pub(super) const ROUTING: Fields = &[
    ("route", Attr("routing.selected")),
    ("previous_intent", Attr("routing.previous")),
    ("user_message", Body),
];

pub(super) const RETRIEVAL: Fields = &[
    ("query", Attr(semconv::GEN_AI_RETRIEVAL_QUERY_TEXT)),
    (
        "retrieved_knowledge",
        Attr(semconv::GEN_AI_RETRIEVAL_DOCUMENTS),
    ),
    ("task_prompt", Body),
];

pub(super) const SIGNAL: Fields = &[
    ("signal_number", Attr("process.signal.number")),
    ("reason", Attr("process.signal.reason")),
];

pub(super) const MESSAGE: Fields = &[("role", Attr("message.role")), ("content", Body)];
