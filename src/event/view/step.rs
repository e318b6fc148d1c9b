//! Views of steps: their life, progress, validation and retries; monitored calls; routing.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{
        body, body_text, count, duration, error, flag, float, step_name, text, texts, total_usage,
        whole,
    },
};
use crate::{
    event::{Body, ErrorInfo, Event, Usage},
    semconv,
};

/// What was said, or else what current and total amount to. A total of nothing has no percentage.
fn percent(event: &Event) -> Option<f64> {
    let computed = || {
        let current = float("step.progress.current")(event)?;
        let total = float("step.progress.total")(event).filter(|total| *total > 0.0)?;
        Some(current / total * 100.0)
    };
    float("step.progress.percent")(event)
        .or_else(computed)
        .filter(|percent| percent.is_finite())
}

views! {
    /// One step, or a plain instrumented function.
    StepView {
        /// The step's name.
        name: Option<&'e str> = step_name;
        /// The step's id.
        id: Option<&'e str> = text(semconv::STEP_ID);
        /// The step's place in its workflow or plan.
        index: Option<u64> = count("step.index");
        /// Where it is in a tree of steps: `outer/inner`.
        path: Option<&'e str> = text("step.path");
        /// Which attempt this is, from 1.
        attempt: Option<u64> = count("step.attempt");
        /// The run it belongs to, the same before and after a pause.
        run_id: Option<&'e str> = text("workflow.run.id");
        /// The answers it waits for, on `step.paused`.
        outcomes: Vec<&'e str> = texts("human.outcomes");
        /// The tokens of all model calls inside.
        total_usage: Usage = total_usage;
        /// The cost of all model calls inside, in US dollars.
        total_cost_usd: Option<f64> = float(semconv::GEN_AI_AGGREGATED_USAGE_COST);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What it is to do, on steps of a plan.
        description: Option<&'e str> = text("step.description");
        /// What a person is asked, on `step.paused`.
        prompt: Option<&'e str> = text("human.prompt");
        /// Its input, output or state, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// A step began.
        StepStarted = "step.started";
        /// A step finished.
        StepCompleted = "step.completed";
        /// A step failed.
        StepFailed = "step.failed";
        /// A step waits to be resumed.
        StepPaused = "step.paused";
        /// A step was dropped.
        StepCanceled = "step.canceled";
    }

    /// How far a step is.
    StepProgressView {
        /// The step's name.
        name: Option<&'e str> = step_name;
        /// How much is done, in the step's own unit.
        current: Option<f64> = float("step.progress.current");
        /// How much there is to do. 0 when nobody knows.
        total: Option<f64> = float("step.progress.total");
        /// The share that is done, in percent: as reported, or else computed. `None` without a total above 0.
        percent: Option<f64> = percent;
    } content {
        /// What the step says about it, if capturing content is switched on.
        message: Option<&'e str> = body_text;
    } {
        /// A step made progress.
        StepProgress = "step.progress";
    }

    /// The check of a step's result.
    StepValidatedView {
        /// The step's name.
        name: Option<&'e str> = step_name;
        /// Whether the result is good.
        valid: Option<bool> = flag("step.validation.valid");
        /// What was checked: `structural`, `semantic`.
        validation_type: Option<&'e str> = text("step.validation.type");
        /// Which attempt this is, from 1.
        attempt: Option<u64> = count("step.attempt");
    } content {
        /// What is wrong with it, in words.
        validation_error: Option<&'e str> = text("step.validation.error");
    } {
        /// A step's result was checked.
        StepValidated = "step.validated";
    }

    /// A step that is tried again.
    StepRetryingView {
        /// The step's name.
        name: Option<&'e str> = step_name;
        /// Which attempt this is, from 1.
        attempt: Option<u64> = count("step.attempt");
        /// What went wrong before.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What the step says about it, if capturing content is switched on.
        message: Option<&'e str> = body_text;
    } {
        /// A step is tried again.
        StepRetrying = "step.retrying";
    }

    /// The state of a run, for people who watch it.
    StepSnapshotView {
        /// The step's name.
        name: Option<&'e str> = step_name;
        /// Where the run is in a tree of steps.
        path: Option<&'e str> = text("step.path");
    } content {
        /// The state, if capturing content is switched on.
        state: Option<&'e Body> = body;
    } {
        /// The state of a run was captured.
        StepSnapshot = "step.snapshot";
    }

    /// A monitored function call.
    CallView {
        /// The function's name.
        function: Option<&'e str> = text("code.function.name");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Its arguments or its result, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// A function was called.
        CallStarted = "call.started";
        /// A function returned.
        CallCompleted = "call.completed";
        /// A function failed.
        CallFailed = "call.failed";
        /// A call was dropped before it returned.
        CallCanceled = "call.canceled";
    }

    /// A decision where to go next.
    RoutingView {
        /// Where to.
        selected: Option<&'e str> = text("routing.selected");
        /// Where from.
        previous: Option<&'e str> = text("routing.previous");
        /// The step that decided.
        step_name: Option<&'e str> = step_name;
        /// The message of the conversation that led to it.
        message_index: Option<i64> = whole("message.index");
    } content {
        /// Why, in words.
        reason: Option<&'e str> = text("routing.reason");
    } {
        /// It was decided where to go next.
        RoutingSelected = "routing.selected";
    }
}
