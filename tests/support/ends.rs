//! How spans ended, and an error for them to end with.

use tracing_genai::event::Event;
use tracing_genai::testing::{Capture, CapturedSpan};

/// An error with a type and a text of its own.
#[derive(Debug)]
pub struct NotFound;

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret-path not found")
    }
}

impl std::error::Error for NotFound {}

/// The events that end something.
pub fn ends(capture: &Capture) -> Vec<Event> {
    let mut events = capture.events();
    events.retain(|event| event.phase.is_terminal());
    events
}

/// The one end and the one exported span; fails if there is more or less of either.
pub fn only_end(capture: &Capture) -> (Event, CapturedSpan) {
    let (mut ends, mut spans) = (ends(capture), capture.spans());
    let types: Vec<_> = ends.iter().map(|event| event.ty.to_string()).collect();
    assert_eq!(types.len(), 1, "terminal events: {types:?}");
    assert_eq!(spans.len(), 1, "spans:\n{}", capture.tree());
    (ends.remove(0), spans.remove(0))
}
