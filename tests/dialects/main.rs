//! Spans as other crates write them, and what becomes of them: names, kinds, tokens, cost, errors, events.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod adk;
mod content;
mod langchain;
mod neighbours;
mod nested;
mod others;
mod rig;
mod table;
mod values;

use serde_json::Value as Json;
use tracing_genai::event::Value;
use tracing_genai::testing::{Capture, CapturedSpan};

/// An attribute as JSON; null if there is none.
fn attr(span: &CapturedSpan, name: &str) -> Json {
    span.attr(name).map(Value::to_json).unwrap_or_default()
}

/// The types of the events so far.
fn events(capture: &Capture) -> Vec<String> {
    let events = capture.events();
    events.iter().map(|event| event.ty.to_string()).collect()
}
