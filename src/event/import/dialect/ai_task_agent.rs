//! AITaskAgent: flat objects with the names of .NET properties, in either case.

use super::super::place::{
    Effect::{Level as At, Phase, Set},
    Fields, Format,
    Is::{Bool, Member},
    Place::*,
    Rest, Rule,
    Scope::{self, Subject as About, Type},
    Unit, always, when,
};
use crate::{
    event::{Level, Subject},
    semconv,
};

/// The members of its enumeration of finish reasons, in order.
const FINISH_REASONS: &[&str] = &[
    "Streaming",
    "Stop",
    "Length",
    "ToolCalls",
    "ContentFilter",
    "Other",
];

/// The members of its enumeration of a step's states, in order.
const STATUSES: &[&str] = &["Started", "InProgress", "Retrying", "Completed", "Failed"];

pub(super) static FORMAT: Format = Format {
    names: &["EventType"],
    nameless: Some(("Status", "StepTraceEvent")),
    payload: None,
    envelope: &[
        ("EventType", Name),
        ("Timestamp", Time(Unit::Seconds)),
        ("StepName", Attr(semconv::STEP_NAME)),
        ("CorrelationId", Attr(semconv::CORRELATION_ID)),
        ("SuppressFromUser", Hidden),
    ],
    own: &[
        (Type(Subject::LLM_CALL, "completed"), ANSWER),
        (About(Subject::LLM_CALL), CHUNK),
        (Type(Subject::STEP, "snapshot"), &[("Metadata", Part)]),
        (About(Subject::STEP), STEP),
        (
            About(Subject::TAG),
            &[(
                "Attributes",
                Object(&[], Rest::Prefix("tag.attr."), &Attr("tag.attributes")),
            )],
        ),
        (
            About(Subject::ROUTING),
            &[
                ("SelectedRoute", Attr("routing.selected")),
                ("RoutingReason", Attr("routing.reason")),
            ],
        ),
        (Scope::Any, COMMON),
    ],
    rules: &[
        failed(Subject::WORKFLOW),
        failed(Subject::STEP),
        failed(Subject::TOOL_CALL),
        failed(Subject::TAG),
        when(
            About(Subject::STEP),
            "IsValid",
            Bool(false),
            &[At(Level::Warn)],
        ),
        // An answer on its way is a chunk, a thought on its way a thinking chunk.
        when(
            Type(Subject::LLM_CALL, "completed"),
            "FinishReason",
            Member("Streaming", 0),
            &[Phase("chunk")],
        ),
        when(
            Type(Subject::LLM_CALL, "chunk"),
            "IsThinking",
            Bool(true),
            &[Phase("thinking")],
        ),
        always(
            About(Subject::TAG),
            &[Set(semconv::GEN_AI_TOOL_TYPE, "tag")],
        ),
        status("Started", 0, &[Phase("started")]),
        status("InProgress", 1, &[Phase("progress")]),
        status("Completed", 3, &[Phase("completed")]),
        status("Failed", 4, &[Phase("failed")]),
    ],
};

const fn failed(subject: Subject) -> Rule {
    when(
        Type(subject, "completed"),
        "Success",
        Bool(false),
        &[Phase("failed")],
    )
}

const fn status(
    word: &'static str,
    number: u64,
    then: &'static [super::super::place::Effect],
) -> Rule {
    when(
        Type(Subject::STEP, "retrying"),
        "Status",
        Member(word, number),
        then,
    )
}

const COMMON: Fields = &[
    ("PipelineName", Attr(semconv::GEN_AI_WORKFLOW_NAME)),
    ("TotalSteps", Attr("workflow.step_count")),
    ("ToolName", Attr(semconv::GEN_AI_TOOL_NAME)),
    (
        "TagName",
        Both(&[Attr(semconv::GEN_AI_TOOL_NAME), Attr("tag.name")]),
    ),
    ("Success", Flag),
    ("Duration", Duration(Unit::Seconds)),
    ("ErrorMessage", ErrorMessage),
    (
        "AdditionalData",
        Object(ADDITIONAL, Rest::Prefix(""), &Attr("step.additional_data")),
    ),
];

/// What steps report about the calls inside them: totals, so that nobody counts those calls twice.
const ADDITIONAL: Fields = &[
    ("tokensUsed", Attr(semconv::LLM_TOTAL_TOKENS)),
    ("model", Attr(semconv::LLM_MODEL)),
    (
        "costUsd",
        Both(&[
            Attr(semconv::GEN_AI_AGGREGATED_USAGE_COST),
            Attr(semconv::LLM_TOTAL_COST_USD),
        ]),
    ),
];

const STEP: Fields = &[
    ("AttemptNumber", Attr("step.attempt")),
    ("Message", Body),
    ("StreamingContent", Part),
    ("CurrentProgress", Attr("step.progress.current")),
    ("TotalProgress", Attr("step.progress.total")),
    ("PercentComplete", Attr("step.progress.percent")),
    ("IsValid", Attr("step.validation.valid")),
    ("ValidationError", Attr("step.validation.error")),
    ("ValidationType", Attr("step.validation.type")),
    (
        "Metadata",
        Object(&[], Rest::Prefix(""), &Attr("step.metadata")),
    ),
    ("CurrentPath", Attr("step.path")),
    ("StepResults", Part),
    ("Status", Word(STATUSES)),
    ("StepType", Attr("step.type")),
    ("ParentStepName", Attr("step.parent.name")),
    (
        "Attributes",
        Object(&[], Rest::Prefix(""), &Attr("step.attributes")),
    ),
];

const ANSWER: Fields = &[
    ("Content", Attr(semconv::GEN_AI_OUTPUT_MESSAGES)),
    (
        "FinishReason",
        Words(semconv::GEN_AI_RESPONSE_FINISH_REASONS, FINISH_REASONS),
    ),
    ("IsThinking", Attr("llm.thinking")),
    ("RawFinishReason", Attr("llm.finish_reason.raw")),
    ("TokensUsed", TotalTokens),
    ("Model", Attr(semconv::GEN_AI_RESPONSE_MODEL)),
    ("Provider", Attr(semconv::GEN_AI_PROVIDER_NAME)),
];

const CHUNK: Fields = &[
    ("Content", Body),
    ("FinishReason", Word(&["Streaming"])),
    ("IsThinking", Flag),
    ("RawFinishReason", Attr("llm.finish_reason.raw")),
    ("TokensUsed", TotalTokens),
    ("Model", Attr(semconv::GEN_AI_RESPONSE_MODEL)),
    ("Provider", Attr(semconv::GEN_AI_PROVIDER_NAME)),
];
