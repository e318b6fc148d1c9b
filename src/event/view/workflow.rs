//! Views of workflows: runs, training runs, test runs.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{body, count, duration, error, float, step_name, text, texts, total_usage},
};
use crate::{
    event::{Body, ErrorInfo, Event, Usage},
    semconv,
};

/// The sum of the parts, or what somebody reported who gave no parts.
fn total_tokens(event: &Event) -> Option<u64> {
    total_usage(event)
        .total()
        .or_else(|| count(semconv::LLM_TOTAL_TOKENS)(event))
        .or_else(|| count("workflow.usage.total_tokens")(event))
}

views! {
    /// A run of several steps.
    WorkflowView {
        /// The workflow's name.
        name: Option<&'e str> = text(semconv::GEN_AI_WORKFLOW_NAME);
        /// The run's id, the same before and after a pause.
        run_id: Option<&'e str> = text("workflow.run.id");
        /// How many steps it has.
        step_count: Option<u64> = count("workflow.step_count");
        /// The step it paused in, on `workflow.paused`.
        step_name: Option<&'e str> = step_name;
        /// The answers it waits for, on `workflow.paused`.
        outcomes: Vec<&'e str> = texts("human.outcomes");
        /// The tokens of all model calls inside.
        total_usage: Usage = total_usage;
        /// All those tokens together, or what was reported as a total only.
        total_tokens: Option<u64> = total_tokens;
        /// The cost of all model calls inside, in US dollars.
        total_cost_usd: Option<f64> = float(semconv::GEN_AI_AGGREGATED_USAGE_COST);
        /// How many model calls there were inside.
        total_calls: Option<u64> = count(semconv::LLM_TOTAL_CALLS);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What a person is asked, on `workflow.paused`.
        prompt: Option<&'e str> = text("human.prompt");
        /// Its inputs, output or state, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// A workflow began.
        WorkflowStarted = "workflow.started";
        /// A workflow finished.
        WorkflowCompleted = "workflow.completed";
        /// A workflow failed.
        WorkflowFailed = "workflow.failed";
        /// A workflow waits to be resumed.
        WorkflowPaused = "workflow.paused";
        /// A workflow was dropped.
        WorkflowCanceled = "workflow.canceled";
        /// A workflow was made.
        WorkflowCreated = "workflow.created";
        /// A workflow was drawn.
        WorkflowPlotted = "workflow.plotted";
    }

    /// A training run of a workflow.
    WorkflowTrainView {
        /// The workflow's name.
        name: Option<&'e str> = text(semconv::GEN_AI_WORKFLOW_NAME);
        /// How many rounds.
        iterations: Option<u64> = count("workflow.train.n_iterations");
        /// The file the result goes to.
        filename: Option<&'e str> = text("workflow.train.filename");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A training run began.
        WorkflowTrainStarted = "workflow.train.started";
        /// A training run finished.
        WorkflowTrainCompleted = "workflow.train.completed";
        /// A training run failed.
        WorkflowTrainFailed = "workflow.train.failed";
        /// A training run was dropped.
        WorkflowTrainCanceled = "workflow.train.canceled";
    }

    /// A test run of a workflow.
    WorkflowTestView {
        /// The workflow's name.
        name: Option<&'e str> = text(semconv::GEN_AI_WORKFLOW_NAME);
        /// How many rounds.
        iterations: Option<u64> = count("workflow.test.n_iterations");
        /// The model that judges.
        judge: Option<&'e str> = text("workflow.test.eval_llm");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A test run began.
        WorkflowTestStarted = "workflow.test.started";
        /// A test run finished.
        WorkflowTestCompleted = "workflow.test.completed";
        /// A test run failed.
        WorkflowTestFailed = "workflow.test.failed";
        /// A test run was dropped.
        WorkflowTestCanceled = "workflow.test.canceled";
    }
}
