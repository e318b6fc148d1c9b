//! Cylestio Monitor, first generation: the event's own fields under `data`, times without an offset.

use super::super::place::{
    Effect::{Flavor as FlavorAs, Set},
    Fields, Format,
    Place::*,
    Scope::{self, Flavor, Kind as Every, Subject as About, Type},
    Unit, always,
};
use crate::{
    event::{Kind, Subject},
    semconv,
};

pub(super) static FORMAT: Format = Format {
    names: &["event", "event_type"],
    nameless: None,
    payload: Some("data"),
    envelope: &[
        ("event", Name),
        ("event_type", Name),
        ("timestamp", Time(Unit::Seconds)),
        ("id", Id),
        ("level", Level),
        ("channel", Channel),
        ("agent_id", Attr(semconv::GEN_AI_AGENT_ID)),
    ],
    own: &[
        (
            Flavor(Subject::LLM_CALL, "anthropic"),
            &[("method", Part), ("args", Part), ("kwargs", Part)],
        ),
        (Type(Subject::LLM_CALL, "blocked"), &[("prompt", Body)]),
        (About(Subject::LLM_CALL), LLM),
        (About(Subject::MCP_TOOL), TOOL),
        (About(Subject::MCP_REQUEST), REQUEST),
        (About(Subject::CALL), CALL),
        (About(Subject::API_CALL), API),
        (
            About(Subject::MONITORING),
            &[
                ("LLM_provider", Attr(semconv::GEN_AI_PROVIDER_NAME)),
                ("database_path", Attr("genai.store.path")),
            ],
        ),
        (About(Subject::INSTRUMENTATION), INSTRUMENTATION),
        (Every(Kind::Security), SECURITY),
        // A changed setting is told by its path, never by its value.
        (
            About(Subject::CONFIG),
            &[
                ("event", Name),
                ("event_type", Name),
                ("timestamp", Time(Unit::Seconds)),
                ("id", Id),
                ("level", Level),
                ("channel", Channel),
                ("agent_id", Attr(semconv::GEN_AI_AGENT_ID)),
                ("*", Keys("config.keys")),
            ],
        ),
        (Scope::Any, COMMON),
    ],
    rules: &[
        always(
            Flavor(Subject::LLM_CALL, "anthropic"),
            &[FlavorAs(semconv::GEN_AI_PROVIDER_NAME)],
        ),
        always(
            Type(Subject::SECURITY, "block"),
            &[Set("security.action", "blocked")],
        ),
        always(
            Type(Subject::SECURITY, "warning"),
            &[Set("security.alert_level", "suspicious")],
        ),
    ],
};

const COMMON: Fields = &[
    ("agent_id", Attr(semconv::GEN_AI_AGENT_ID)),
    ("duration", Duration(Unit::Seconds)),
    ("error", ErrorMessage),
    ("error_type", ErrorType),
    ("alert", Attr("security.alert_level")),
    ("reason", Attr("security.block_reason")),
];

const LLM: Fields = &[
    ("prompt", Attr(semconv::GEN_AI_INPUT_MESSAGES)),
    ("messages", Attr(semconv::GEN_AI_INPUT_MESSAGES)),
    ("response", Attr(semconv::GEN_AI_OUTPUT_MESSAGES)),
    ("model", Attr(semconv::GEN_AI_REQUEST_MODEL)),
    ("temperature", Attr(semconv::GEN_AI_REQUEST_TEMPERATURE)),
    ("max_tokens", Attr(semconv::GEN_AI_REQUEST_MAX_TOKENS)),
];

const TOOL: Fields = &[
    ("tool", Attr(semconv::GEN_AI_TOOL_NAME)),
    ("args", Piece(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("kwargs", Piece(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("result", Attr(semconv::GEN_AI_TOOL_CALL_RESULT)),
];

const REQUEST: Fields = &[
    ("method", Attr(semconv::MCP_METHOD_NAME)),
    ("args", Part),
    ("kwargs", Part),
    ("response", Body),
];

const CALL: Fields = &[
    ("function", Attr("code.function.name")),
    ("method", Attr("code.function.name")),
    ("tool", Attr(semconv::GEN_AI_TOOL_NAME)),
    ("args", Part),
    ("kwargs", Part),
    ("context", Part),
    ("result", Body),
];

const API: Fields = &[
    ("method", Attr("http.request.method")),
    ("url", Url),
    ("status_code", Attr("http.response.status_code")),
];

const INSTRUMENTATION: Fields = &[
    ("method", Attr("code.function.name")),
    ("provider", Attr(semconv::GEN_AI_PROVIDER_NAME)),
    ("framework", Attr("framework.name")),
    ("message", Body),
];

const SECURITY: Fields = &[
    ("security_level", Attr("security.alert_level")),
    ("alert_type", Attr("security.category")),
    ("content_snippet", Attr("security.content_sample")),
    ("action_taken", Attr("security.action")),
    ("rule_triggered", Attr("security.rule")),
    ("keywords", Attr("security.keywords")),
    ("matched_terms", Attr("security.keywords")),
    ("data", Body),
];
