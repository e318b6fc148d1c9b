//! Cylestio Monitor, later versions: the shape of OpenTelemetry, the event's own fields under `attributes`.
//!
//! Attributes that have no better name here (`security.*`, `framework.*`, `env.*` …) keep theirs.

use super::super::place::{
    Effect::{Flavor as FlavorAs, Level as At, Phase, Set, Subject as Turns},
    Fields, Format,
    Is::{Bool, Present, Text},
    Place::*,
    Rest,
    Scope::{self, Flavor, Kind as Every, Subject as About, Type},
    Unit, always, when,
};
use crate::{
    event::{Kind, Level, Subject},
    semconv,
};

pub(super) static FORMAT: Format = Format {
    names: &["name", "event_type", "event"],
    nameless: None,
    payload: Some("attributes"),
    envelope: &[
        ("name", Name),
        ("event_type", Name),
        ("event", Name),
        ("schema_version", Attr("source.schema_version")),
        ("timestamp", Time(Unit::Seconds)),
        ("id", Id),
        ("trace_id", Trace),
        ("span_id", Span),
        ("parent_span_id", ParentSpan),
        ("level", Level),
        ("channel", Channel),
        ("agent_id", Attr(semconv::GEN_AI_AGENT_ID)),
    ],
    own: &[
        (
            Type(Subject::LLM_CALL, "completed"),
            &[("llm.model", Attr(semconv::GEN_AI_RESPONSE_MODEL))],
        ),
        (About(Subject::LLM_CALL), LLM),
        (Every(Kind::Tool), TOOL),
        (About(Subject::MCP_TOOL), TOOL),
        (
            Every(Kind::Agent),
            &[("agent.version", Attr(semconv::GEN_AI_AGENT_VERSION))],
        ),
        (Flavor(Subject::STEP, "chain"), CHAIN),
        (Every(Kind::Workflow), GRAPH),
        (Every(Kind::Step), GRAPH),
        (
            Every(Kind::Retrieval),
            &[
                ("query", Attr(semconv::GEN_AI_RETRIEVAL_QUERY_TEXT)),
                ("documents", Attr(semconv::GEN_AI_RETRIEVAL_DOCUMENTS)),
            ],
        ),
        (
            About(Subject::CONVERSATION_MESSAGE),
            &[("content", Body), ("role", Attr("message.role"))],
        ),
        (About(Subject::HUMAN_FEEDBACK), &[("content", Body)]),
        (About(Subject::SESSION), SESSION),
        (
            Type(Subject::MCP, "agent_status"),
            &[("details", Attr("mcp.agent.details"))],
        ),
        (
            Type(Subject::MCP, "authenticated"),
            &[("details", Attr("mcp.auth.details"))],
        ),
        (Every(Kind::Mcp), MCP),
        (
            About(Subject::INSTRUMENTATION),
            &[
                ("chain.type", Attr("framework.chain.type")),
                ("llm.type", Attr("framework.llm.type")),
                ("tools.count", Attr("framework.tools.count")),
            ],
        ),
        (About(Subject::PROCESS_EXEC), PROCESS),
        (About(Subject::NETWORK_CONNECTION), NETWORK),
        (About(Subject::LOG), LOG),
        (Scope::Any, COMMON),
    ],
    rules: &[
        when(
            About(Subject::TOOL_CALL),
            "framework.name",
            Text("mcp"),
            &[Turns(Subject::MCP_TOOL)],
        ),
        always(
            Flavor(Subject::CONVERSATION_MESSAGE, "system"),
            &[FlavorAs("message.role")],
        ),
        always(
            About(Subject::CONVERSATION_MESSAGE),
            &[Set("message.role", "user")],
        ),
        when(
            Type(Subject::MCP_REQUEST, "started"),
            "error",
            Present,
            &[Phase("failed")],
        ),
        when(
            Type(Subject::MCP_REQUEST, "started"),
            "error.message",
            Present,
            &[Phase("failed")],
        ),
        when(
            Type(Subject::MCP_REQUEST, "started"),
            "response",
            Present,
            &[Phase("completed")],
        ),
        when(
            Type(Subject::MCP_REQUEST, "started"),
            "mcp.response",
            Present,
            &[Phase("completed")],
        ),
        when(
            Type(Subject::MCP, "file_transfer"),
            "status",
            Text("failed"),
            &[At(Level::Error)],
        ),
        when(
            Type(Subject::MCP, "authenticated"),
            "success",
            Bool(false),
            &[At(Level::Warn)],
        ),
    ],
};

const COMMON: Fields = &[
    ("agent.id", Attr(semconv::GEN_AI_AGENT_ID)),
    ("agent_id", Attr(semconv::GEN_AI_AGENT_ID)),
    ("agent.name", Attr(semconv::GEN_AI_AGENT_NAME)),
    ("session_id", Attr(semconv::SESSION_ID)),
    ("llm.vendor", Attr(semconv::GEN_AI_PROVIDER_NAME)),
    ("llm.model", Attr(semconv::GEN_AI_REQUEST_MODEL)),
    ("transition.from_node", Attr("routing.previous")),
    ("transition.to_node", Attr("routing.selected")),
    ("error", ErrorMessage),
    ("error.type", ErrorType),
    ("error.message", ErrorMessage),
    ("error.stack_trace", Attr(semconv::EXCEPTION_STACKTRACE)),
    ("error.traceback", Attr(semconv::EXCEPTION_STACKTRACE)),
];

const LLM: Fields = &[
    ("llm.request.data", Attr(semconv::GEN_AI_INPUT_MESSAGES)),
    ("llm.request.prompt", Attr(semconv::GEN_AI_INPUT_MESSAGES)),
    (
        "llm.request.temperature",
        Attr(semconv::GEN_AI_REQUEST_TEMPERATURE),
    ),
    (
        "llm.request.max_tokens",
        Attr(semconv::GEN_AI_REQUEST_MAX_TOKENS),
    ),
    ("llm.request.top_p", Attr(semconv::GEN_AI_REQUEST_TOP_P)),
    ("llm.request.top_k", Attr(semconv::GEN_AI_REQUEST_TOP_K)),
    ("llm.response.id", Attr(semconv::GEN_AI_RESPONSE_ID)),
    (
        "llm.response.content",
        Attr(semconv::GEN_AI_OUTPUT_MESSAGES),
    ),
    (
        "llm.response.stop_reason",
        List(semconv::GEN_AI_RESPONSE_FINISH_REASONS),
    ),
    ("llm.response.duration_ms", Duration(Unit::Millis)),
    (
        "llm.usage.input_tokens",
        Attr(semconv::GEN_AI_USAGE_INPUT_TOKENS),
    ),
    (
        "llm.usage.output_tokens",
        Attr(semconv::GEN_AI_USAGE_OUTPUT_TOKENS),
    ),
    ("llm.usage.total_tokens", TotalTokens),
    (
        "llm.response.usage.input_tokens",
        Attr(semconv::GEN_AI_USAGE_INPUT_TOKENS),
    ),
    (
        "llm.response.usage.output_tokens",
        Attr(semconv::GEN_AI_USAGE_OUTPUT_TOKENS),
    ),
    ("llm.response.usage.total_tokens", TotalTokens),
];

const TOOL: Fields = &[
    ("tool.name", Attr(semconv::GEN_AI_TOOL_NAME)),
    ("tool.id", Attr(semconv::GEN_AI_TOOL_CALL_ID)),
    ("tool.type", Attr(semconv::GEN_AI_TOOL_TYPE)),
    ("tool.description", Attr(semconv::GEN_AI_TOOL_DESCRIPTION)),
    ("tool.args", Piece(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("tool.kwargs", Piece(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("tool.params", Piece(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("tool.input", Piece(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("tool.result", Attr(semconv::GEN_AI_TOOL_CALL_RESULT)),
    ("tool.output", Attr(semconv::GEN_AI_TOOL_CALL_RESULT)),
    ("tool.duration_ms", Duration(Unit::Millis)),
];

const CHAIN: Fields = &[
    ("chain.inputs", Part),
    ("chain.outputs", Part),
    ("chain.*", Under("step.")),
];

const GRAPH: Fields = &[
    ("graph.name", Attr(semconv::GEN_AI_WORKFLOW_NAME)),
    ("graph.state", Part),
    ("node.name", Attr(semconv::STEP_NAME)),
    ("node.state", Part),
    ("node.result", Part),
];

const SESSION: Fields = &[
    ("session.duration_ms", Duration(Unit::Millis)),
    ("tools", Attr(semconv::GEN_AI_TOOL_DEFINITIONS)),
    ("prompt", Body),
];

const MCP: Fields = &[
    ("mcp.connection_id", Attr("mcp.connection.id")),
    ("connection_id", Attr("mcp.connection.id")),
    (
        "client_info",
        Object(&[], Rest::Prefix("mcp.client."), &Attr("mcp.client")),
    ),
    ("mcp.command", COMMAND),
    ("command", COMMAND),
    ("mcp.response", Part),
    ("response", Part),
    ("direction", Attr("mcp.direction")),
    (
        "metrics",
        Object(&[], Rest::Prefix("mcp.metrics."), &Attr("mcp.metrics")),
    ),
    (
        "file_info",
        Object(
            &[],
            Rest::Prefix("mcp.transfer."),
            &Attr("mcp.transfer.file"),
        ),
    ),
    ("status", Attr("mcp.transfer.status")),
    ("new_status", Attr("mcp.agent.new_status")),
    ("previous_status", Attr("mcp.agent.previous_status")),
    ("auth_method", Attr("mcp.auth.method")),
    ("success", Attr("mcp.auth.success")),
];

/// A JSON-RPC request: its method is its name, the rest is content.
const COMMAND: super::super::place::Place = Object(
    &[("method", Attr(semconv::MCP_METHOD_NAME))],
    Rest::Body,
    &Attr(semconv::MCP_METHOD_NAME),
);

const PROCESS: Fields = &[
    ("proc.path", Attr(semconv::PROCESS_EXECUTABLE_PATH)),
    ("proc.args", Attr("process.command_args")),
    ("proc.pid", Attr("process.pid")),
    ("proc.ppid", Attr("process.parent_pid")),
    ("proc.user", Attr("process.user.name")),
];

const NETWORK: Fields = &[
    ("net.transport", Attr(semconv::NETWORK_TRANSPORT)),
    ("net.dst.ip", Attr("network.peer.address")),
    ("net.dst.port", Attr("network.peer.port")),
];

const LOG: Fields = &[
    (
        "error.type",
        Both(&[ErrorType, Attr(semconv::EXCEPTION_TYPE)]),
    ),
    ("error.message", Attr(semconv::EXCEPTION_MESSAGE)),
    ("error.context", Attr("exception.context")),
];
