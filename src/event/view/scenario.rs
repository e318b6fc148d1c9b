//! Views of scenario runs: workflows and conversations of the flavor `scenario`, with their verdict.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{body, count, duration, error, part, text, texts, value},
};
use crate::{
    event::{Body, ErrorInfo, Event, Value},
    semconv,
};

fn reasoning(event: &Event) -> Option<&str> {
    text("scenario.reasoning")(event).or_else(|| part("reasoning")(event))
}

views! {
    /// A run of a scenario against an agent. Its events are those of a workflow; its verdict is on the last.
    ScenarioRunView {
        /// The scenario's name.
        name: Option<&'e str> = text(semconv::GEN_AI_WORKFLOW_NAME);
        /// The scenario's id.
        scenario_id: Option<&'e str> = text("scenario.id");
        /// The run's id.
        run_id: Option<&'e str> = text("scenario.run.id");
        /// The id of the batch the run belongs to.
        batch_run_id: Option<&'e str> = text("scenario.batch_run.id");
        /// The set the scenario belongs to.
        set_id: Option<&'e str> = text("scenario.set.id");
        /// What the scenario is about.
        description: Option<&'e str> = text("workflow.description");
        /// The agents that take part.
        agents: Option<&'e Value> = value("scenario.agents");
        /// How the run ended, in the runner's word: `SUCCESS`, `FAILED`, `ERROR`, `CANCELLED`.
        status: Option<&'e str> = text("scenario.status");
        /// The judge's verdict: `success`, `failure`, `inconclusive`.
        verdict: Option<&'e str> = text("scenario.verdict");
        /// The criteria that were met.
        met_criteria: Vec<&'e str> = texts("scenario.criteria.met");
        /// The criteria that were not met.
        unmet_criteria: Vec<&'e str> = texts("scenario.criteria.unmet");
        /// The criteria nobody could decide.
        inconclusive_criteria: Vec<&'e str> = texts("scenario.criteria.inconclusive");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Why the judge decided so, if capturing content is switched on.
        reasoning: Option<&'e str> = reasoning;
    } {
        /// A run began.
        ScenarioRunStarted = "workflow.started" of "scenario";
        /// A run passed.
        ScenarioRunCompleted = "workflow.completed" of "scenario";
        /// A run did not pass, or broke off.
        ScenarioRunFailed = "workflow.failed" of "scenario";
        /// A run was called off.
        ScenarioRunCanceled = "workflow.canceled" of "scenario";
    }

    /// The conversation of a scenario run so far.
    ScenarioSnapshotView {
        /// The scenario's id.
        scenario_id: Option<&'e str> = text("scenario.id");
        /// The run's id.
        run_id: Option<&'e str> = text("scenario.run.id");
        /// How many messages there are.
        message_count: Option<u64> = count("conversation.message_count");
    } content {
        /// The messages, if capturing content is switched on.
        messages: Option<&'e Body> = body;
    } {
        /// The messages of a run so far.
        ScenarioMessageSnapshot = "conversation.snapshot" of "scenario";
    }
}
