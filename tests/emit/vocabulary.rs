//! What the tests of emitting say often.

use std::fmt;
use tracing_genai::event::{Event, Value};
use tracing_genai::testing::capture;

#[derive(Debug)]
pub(crate) struct Lost(pub(crate) &'static str);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Lost {}

/// The events of what `f` does.
pub(crate) fn events<T>(f: impl FnOnce() -> T) -> Vec<Event> {
    let capture = capture();
    let _ = capture.record(f);
    capture.events()
}

pub(crate) fn only<T>(f: impl FnOnce() -> T) -> Event {
    let mut events = events(f);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

pub(crate) fn named<'e>(events: &'e [Event], ty: &str) -> &'e Event {
    let mut found = events.iter().filter(|event| event.ty == ty);
    let event = found
        .next()
        .unwrap_or_else(|| panic!("no {ty}: {events:?}"));
    assert!(found.next().is_none(), "several {ty}: {events:?}");
    event
}

pub(crate) fn text<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.attr(name).and_then(Value::as_str)
}
