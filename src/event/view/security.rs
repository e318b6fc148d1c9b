//! Views of what watches over the others: security findings, guardrails, evaluations.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{agent_name, body, count, duration, error, float, text, texts},
};
use crate::{
    event::{Body, ErrorInfo, Event},
    semconv,
};

views! {
    /// Something suspicious.
    SecurityView {
        /// `suspicious` or `dangerous`.
        alert_level: Option<&'e str> = text("security.alert_level");
        /// What kind of thing: `dangerous_commands`, `prompt_manipulation`, `sensitive_data`.
        category: Option<&'e str> = text("security.category");
        /// `low`, `medium`, `high`.
        severity: Option<&'e str> = text("security.severity");
        /// The rule that found it.
        rule: Option<&'e str> = text("security.rule");
        /// What was done about it: `logged`, `alerted`, `blocked`.
        action: Option<&'e str> = text("security.action");
        /// Whose doing it was.
        agent_name: Option<&'e str> = agent_name;
    } content {
        /// The words that were found.
        keywords: Vec<&'e str> = texts("security.keywords");
        /// What it is, in words.
        description: Option<&'e str> = text("security.description");
        /// A masked piece of the text it was found in.
        content_sample: Option<&'e str> = text("security.content_sample");
    } {
        /// Somebody should look now.
        SecurityAlert = "security.alert";
        /// Something looks wrong.
        SecurityWarning = "security.warning";
        /// Something was refused.
        SecurityBlock = "security.block";
    }

    /// A check that may deny. One that ran and denied is completed, with its verdict.
    GuardrailView {
        /// The check's name.
        name: Option<&'e str> = text("guardrail.name");
        /// What it is: `llm`, `function`, `hallucination`.
        guardrail_type: Option<&'e str> = text("guardrail.type");
        /// `allow` or `deny`.
        verdict: Option<&'e str> = text("guardrail.verdict");
        /// How many times the guarded work was repeated because of it.
        retry_count: Option<u64> = count("guardrail.retry_count");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong with the check itself.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Why it denied, in words.
        reason: Option<&'e str> = text("guardrail.reason");
        /// The check's source or its result, if capturing content is switched on.
        body: Option<&'e Body> = body;
    } {
        /// A check began.
        GuardrailStarted = "guardrail.started";
        /// A check gave its verdict.
        GuardrailCompleted = "guardrail.completed";
        /// A check could not give a verdict.
        GuardrailFailed = "guardrail.failed";
        /// A check was dropped without a verdict.
        GuardrailCanceled = "guardrail.canceled";
    }

    /// The judging of a result.
    EvaluationView {
        /// What is judged: `relevance`, `goal_alignment`.
        name: Option<&'e str> = text(semconv::GEN_AI_EVALUATION_NAME);
        /// The score.
        score: Option<f64> = float(semconv::GEN_AI_EVALUATION_SCORE_VALUE);
        /// The score as a word: `pass`, `fail`.
        label: Option<&'e str> = text(semconv::GEN_AI_EVALUATION_SCORE_LABEL);
        /// Whose result it is.
        agent_name: Option<&'e str> = agent_name;
        /// The answer that is judged, by the provider's id.
        response_id: Option<&'e str> = text(semconv::GEN_AI_RESPONSE_ID);
        /// Which round this is.
        iteration: Option<u64> = count("evaluation.iteration");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong with the judging itself.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Why, in words.
        explanation: Option<&'e str> = text(semconv::GEN_AI_EVALUATION_EXPLANATION);
    } {
        /// The judging began.
        EvaluationStarted = "evaluation.started";
        /// The judging is done.
        EvaluationCompleted = "evaluation.completed";
        /// It could not be judged.
        EvaluationFailed = "evaluation.failed";
        /// The judging was dropped.
        EvaluationCanceled = "evaluation.canceled";
        /// A verdict.
        EvaluationResult = "evaluation.result";
    }
}

impl GuardrailView<'_> {
    /// Whether the check ran and denied.
    pub fn is_denied(&self) -> bool {
        self.verdict == Some("deny")
    }
}
