//! Moments that people tell often, with names for what belongs to them.
//!
//! Everything else in the taxonomy is one line: `event("checkpoint.pruned").attr("checkpoint.removed_count", 3).emit()`.

use crate::event::{EventId, Value};
use crate::semconv;

use super::{EventBuilder, event};

/// A routing decision: where the run goes next. Emits `routing.selected`.
///
/// ```
/// tracing_genai::route("billing").reason("intent=refund").previous("triage").emit();
/// ```
pub fn route(selected: &str) -> Routing {
    Routing(event("routing.selected").attr(semconv::ROUTING_SELECTED, selected))
}

/// A routing decision about to be told. Made by [`route`].
#[derive(Debug)]
#[must_use = "nothing happens until `emit`"]
pub struct Routing(EventBuilder);

impl Routing {
    /// Why, `routing.reason`: content, which is kept where [that is captured](crate::content).
    pub fn reason(self, reason: &str) -> Self {
        Self(self.0.attr(semconv::ROUTING_REASON, reason))
    }

    /// Where it led before, `routing.previous`.
    pub fn previous(self, route: &str) -> Self {
        Self(self.0.attr(semconv::ROUTING_PREVIOUS, route))
    }

    /// Sets any attribute.
    pub fn attr(self, name: &'static str, value: impl Into<Value>) -> Self {
        Self(self.0.attr(name, value))
    }

    /// Emits it, and says under which id. `None` where no layer is installed.
    pub fn emit(self) -> Option<EventId> {
        self.0.emit()
    }
}

/// A verdict on an answer, under the evaluation's name. Emits `evaluation.result`, which is exported as the conventions'
/// `gen_ai.evaluation.result`; emit it in the span that is judged, or name the answer by its id.
///
/// ```
/// tracing_genai::evaluation("Relevance")
///     .score(0.9)
///     .label("relevant")
///     .response_id("chatcmpl-1")
///     .emit();
/// ```
pub fn evaluation(name: &str) -> Evaluation {
    Evaluation(event("evaluation.result").attr(semconv::GEN_AI_EVALUATION_NAME, name))
}

/// A verdict about to be told. Made by [`evaluation`].
#[derive(Debug)]
#[must_use = "nothing happens until `emit`"]
pub struct Evaluation(EventBuilder);

impl Evaluation {
    /// `gen_ai.evaluation.score.value`.
    pub fn score(self, score: f64) -> Self {
        Self(self.0.attr(semconv::GEN_AI_EVALUATION_SCORE_VALUE, score))
    }

    /// `gen_ai.evaluation.score.label`: what the score means, of few values (`pass`, `fail`).
    pub fn label(self, label: &str) -> Self {
        Self(self.0.attr(semconv::GEN_AI_EVALUATION_SCORE_LABEL, label))
    }

    /// `gen_ai.evaluation.explanation`: why, in words.
    pub fn explanation(self, text: &str) -> Self {
        Self(self.0.attr(semconv::GEN_AI_EVALUATION_EXPLANATION, text))
    }

    /// `gen_ai.response.id`: the answer that is judged, where it is not that of the span this is emitted in.
    pub fn response_id(self, id: &str) -> Self {
        Self(self.0.attr(semconv::GEN_AI_RESPONSE_ID, id))
    }

    /// Sets any attribute.
    pub fn attr(self, name: &'static str, value: impl Into<Value>) -> Self {
        Self(self.0.attr(name, value))
    }

    /// Emits it, and says under which id. `None` where no layer is installed.
    pub fn emit(self) -> Option<EventId> {
        self.0.emit()
    }
}

/// A person is asked to judge: `human.feedback.requested`. `request_id` ties the answer to the question, `outcomes` are what
/// the person may choose from; put the question into the [`body`](EventBuilder::body).
///
/// ```
/// use tracing_genai::{human_feedback_received, human_feedback_requested};
///
/// human_feedback_requested("r1", ["approve", "reject"]).body("Send this e-mail?").emit();
/// human_feedback_received("r1", "approve").emit();
/// ```
pub fn human_feedback_requested<'a>(
    request_id: &str,
    outcomes: impl IntoIterator<Item = &'a str>,
) -> EventBuilder {
    let outcomes = outcomes.into_iter().map(Value::from).collect();
    event("human.feedback.requested")
        .attr(semconv::HUMAN_REQUEST_ID, request_id)
        .attr(semconv::HUMAN_OUTCOMES, Value::Array(outcomes))
}

/// A person has judged: `human.feedback.received`. Put what they wrote into the [`body`](EventBuilder::body).
pub fn human_feedback_received(request_id: &str, outcome: &str) -> EventBuilder {
    event("human.feedback.received")
        .attr(semconv::HUMAN_REQUEST_ID, request_id)
        .attr(semconv::HUMAN_OUTCOME, outcome)
}

/// A framework was instrumented: `instrumentation.applied`.
///
/// ```
/// tracing_genai::instrumentation_applied("reqwest").emit();
/// ```
pub fn instrumentation_applied(framework: &str) -> EventBuilder {
    event("instrumentation.applied").attr(semconv::FRAMEWORK_NAME, framework)
}
