//! Views of planning: reasoning about a plan, judging its steps, changing it.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{agent_name, body, body_text, count, duration, error, flag, text},
};
use crate::event::{Body, ErrorInfo, Event};

views! {
    /// An agent thinking about how to proceed.
    PlanReasoningView {
        /// The agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// Which attempt this is, from 1.
        attempt: Option<u64> = count("plan.attempt");
        /// Whether the agent can begin.
        ready: Option<bool> = flag("plan.ready");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// The plan, if it is one text and capturing content is switched on.
        plan: Option<&'e str> = body_text;
    } {
        /// An agent began to think.
        PlanReasoningStarted = "plan.reasoning.started";
        /// An agent has a plan.
        PlanReasoningCompleted = "plan.reasoning.completed";
        /// An agent found no plan.
        PlanReasoningFailed = "plan.reasoning.failed";
        /// The thinking was dropped.
        PlanReasoningCanceled = "plan.reasoning.canceled";
    }

    /// An agent judging how a step of its plan went.
    PlanObservationView {
        /// The agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The step's place in the plan.
        step_index: Option<u64> = count("step.index");
        /// Whether the step did what it should.
        step_succeeded: Option<bool> = flag("plan.step_completed_successfully");
        /// Whether the rest of the plan still holds.
        plan_still_valid: Option<bool> = flag("plan.remaining_plan_still_valid");
        /// Whether a new plan is needed.
        needs_full_replan: Option<bool> = flag("plan.needs_full_replan");
        /// Whether the goal is reached before the plan's end.
        goal_achieved: Option<bool> = flag("plan.goal_already_achieved");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// What the step was.
        step_description: Option<&'e str> = text("step.description");
        /// Why a new plan is needed, in the model's words.
        replan_reason: Option<&'e str> = text("plan.replan_reason");
        /// What was learned and how the plan could be refined, if capturing content is switched on.
        findings: Option<&'e Body> = body;
    } {
        /// An agent looks at a step's result.
        PlanObservationStarted = "plan.observation.started";
        /// An agent has judged a step's result.
        PlanObservationCompleted = "plan.observation.completed";
        /// An agent could not judge a step's result.
        PlanObservationFailed = "plan.observation.failed";
        /// The judging was dropped.
        PlanObservationCanceled = "plan.observation.canceled";
    }

    /// A change of a plan.
    PlanView {
        /// The agent's name.
        agent_name: Option<&'e str> = agent_name;
        /// The place of the step after which it happened.
        step_index: Option<u64> = count("step.index");
        /// How many steps were changed.
        refined_steps: Option<u64> = count("plan.refined_steps");
        /// How many new plans there were so far.
        replan_count: Option<u64> = count("plan.replan_count");
        /// How many finished steps the new plan keeps.
        completed_steps_preserved: Option<u64> = count("plan.completed_steps_preserved");
        /// How many steps were done.
        steps_completed: Option<u64> = count("plan.steps_completed");
        /// How many steps were left.
        steps_remaining: Option<u64> = count("plan.steps_remaining");
    } content {
        /// Why, in the model's words.
        replan_reason: Option<&'e str> = text("plan.replan_reason");
        /// The changes, if capturing content is switched on.
        refinements: Option<&'e Body> = body;
    } {
        /// The steps ahead were changed.
        PlanRefined = "plan.refined";
        /// The plan was thrown away for a new one.
        PlanReplanned = "plan.replanned";
        /// The goal was reached before the plan's end.
        PlanGoalAchieved = "plan.goal_achieved";
    }
}
