//! One event, one line of JSON.

use std::fmt;

use super::Render;
use crate::event::Event;

/// The event's whole JSON on one line: JSON Lines. It reads back into an equal event.
///
/// ```
/// use tracing_genai::event::{Event, EventData, EventType};
/// use tracing_genai::render::{Json, Render};
///
/// let event = Event::new(EventData::new(EventType::parse("step.started")?, std::time::SystemTime::now()));
/// let mut line = String::new();
/// Json.render(&event, &mut line)?;
/// assert_eq!(serde_json::from_str::<Event>(&line)?, event);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Render for Json {
    fn render(&self, event: &Event, out: &mut dyn fmt::Write) -> fmt::Result {
        // As one string: `serde_json` writes in small pieces, each of which would be checked and passed on.
        let line = serde_json::to_string(event).map_err(|_| fmt::Error)?;
        out.write_str(&line)
    }

    fn extension(&self) -> &str {
        "jsonl"
    }
}
