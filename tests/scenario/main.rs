//! Scenario runs: one end on every way out, the same events as their documents give, snapshots that read back whole.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]
#![allow(
    unreachable_pub,
    missing_debug_implementations,
    reason = "nobody's API"
)]

#[path = "../support/mod.rs"]
mod support;

mod ends;
mod pieces;
mod snapshots;
mod wire;

use tracing_genai::event::{Event, Value};

pub(crate) fn text<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.attr(name).and_then(Value::as_str)
}

/// The events of this type, in order.
pub(crate) fn of<'e>(events: &'e [Event], ty: &str) -> Vec<&'e Event> {
    events.iter().filter(|event| event.ty == ty).collect()
}

/// The one event of this type.
#[track_caller]
pub(crate) fn only<'e>(events: &'e [Event], ty: &str) -> &'e Event {
    let found = of(events, ty);
    assert_eq!(found.len(), 1, "{ty}: {events:?}");
    found[0]
}
