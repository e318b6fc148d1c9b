//! LangWatch Scenario: flat objects, camelCase on the wire and snake_case in its SDK, times in milliseconds.

use super::super::place::{
    Effect::{ErrorType as Class, Phase, Set},
    Fields, Format,
    Is::Text,
    Place::*,
    Rest, Rule,
    Scope::{self, Flavor, Subject as About},
    Unit, always, when,
};
use crate::{event::Subject, semconv};

pub(super) static FORMAT: Format = Format {
    names: &["type"],
    nameless: None,
    payload: None,
    envelope: &[
        ("type", Name),
        ("timestamp", Time(Unit::Millis)),
        ("batch_run_id", Attr("scenario.batch_run.id")),
        ("scenario_id", Attr("scenario.id")),
        ("scenario_run_id", Attr("scenario.run.id")),
        ("scenario_set_id", Attr("scenario.set.id")),
        ("raw_event", Body),
    ],
    own: &[
        (Flavor(Subject::WORKFLOW, "scenario"), RUN),
        (
            About(Subject::CONVERSATION),
            &[(
                "messages",
                Both(&[Body, Count("conversation.message_count")]),
            )],
        ),
        (Scope::Any, MESSAGE),
    ],
    rules: &[
        ends_as("FAILED", &[Phase("failed"), Class("verdict_failure")]),
        ends_as("ERROR", &[Phase("failed"), Class("error")]),
        ends_as("CANCELLED", &[Phase("canceled")]),
        always(Scope::Any, &[Set("scenario.set.id", "default")]),
    ],
};

const fn ends_as(status: &'static str, then: &'static [super::super::place::Effect]) -> Rule {
    when(
        Scope::Type(Subject::WORKFLOW, "completed"),
        "status",
        Text(status),
        then,
    )
}

const RUN: Fields = &[
    (
        "metadata",
        Object(
            METADATA,
            Rest::Prefix("scenario.metadata."),
            &Attr("scenario.metadata"),
        ),
    ),
    ("status", Attr("scenario.status")),
    (
        "results",
        Object(
            RESULTS,
            Rest::Prefix("scenario.results."),
            &Attr("scenario.results"),
        ),
    ),
];

const METADATA: Fields = &[
    ("name", Attr(semconv::GEN_AI_WORKFLOW_NAME)),
    ("description", Attr("workflow.description")),
    ("agents", Attr("scenario.agents")),
    ("fields", Attr("scenario.fields")),
];

const RESULTS: Fields = &[
    ("verdict", Attr("scenario.verdict")),
    ("reasoning", Part),
    ("met_criteria", Attr("scenario.criteria.met")),
    ("unmet_criteria", Attr("scenario.criteria.unmet")),
    (
        "inconclusive_criteria",
        Attr("scenario.criteria.inconclusive"),
    ),
    ("criteria", Attr("scenario.criteria.verdicts")),
    ("evaluations", Attr("scenario.evaluations")),
    ("error", ErrorMessage),
];

const MESSAGE: Fields = &[
    ("message_id", Attr("message.id")),
    ("role", Attr("message.role")),
    ("message_index", Attr("message.index")),
    ("parent_message_id", Attr("message.parent.id")),
    ("delta", Body),
    ("content", Body),
    ("message", Body),
    ("trace_id", Attr(semconv::GENAI_LINK_TRACE_ID)),
    ("tool_call_id", Attr(semconv::GEN_AI_TOOL_CALL_ID)),
    ("tool_call_name", Attr(semconv::GEN_AI_TOOL_NAME)),
];
