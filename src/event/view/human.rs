//! Views of people in the loop: what they are asked, and what they answer.

use std::fmt;

use super::{
    EventSpec,
    read::{body_text, part, step_name, text, texts},
};
use crate::event::{Body, Event};

/// The question: an attribute, a field of the body, or the body of a request.
fn prompt(event: &Event) -> Option<&str> {
    let asked = event.phase.as_str() == "requested";
    text("human.prompt")(event)
        .or_else(|| part("message")(event))
        .or_else(|| body_text(event).filter(|_| asked))
}

/// The answer: the body of what was received, or its field.
fn answer(event: &Event) -> Option<&str> {
    let received = event.phase.as_str() == "received";
    body_text(event)
        .or_else(|| part("response")(event))
        .or_else(|| part("feedback")(event))
        .filter(|_| received)
}

fn output(event: &Event) -> Option<&serde_json::Value> {
    event
        .body
        .as_ref()
        .and_then(|Body(json)| json.get("output"))
}

views! {
    /// A person asked, or answering.
    HumanView {
        /// What ties an answer to its question.
        request_id: Option<&'e str> = text("human.request.id");
        /// The step that waits.
        step_name: Option<&'e str> = step_name;
        /// The answers it waits for.
        outcomes: Vec<&'e str> = texts("human.outcomes");
        /// Which of them the answer amounts to.
        outcome: Option<&'e str> = text("human.outcome");
    } content {
        /// The question, if capturing content is switched on.
        prompt: Option<&'e str> = prompt;
        /// What is to be judged, if capturing content is switched on.
        output: Option<&'e serde_json::Value> = output;
        /// The answer, if capturing content is switched on.
        answer: Option<&'e str> = answer;
    } {
        /// A person is asked to judge.
        HumanFeedbackRequested = "human.feedback.requested";
        /// A person has judged.
        HumanFeedbackReceived = "human.feedback.received";
        /// A person is asked for input.
        HumanInputRequested = "human.input.requested";
        /// A person gave input.
        HumanInputReceived = "human.input.received";
    }
}
