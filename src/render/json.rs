//! One event, one line of JSON.

use std::fmt;
use std::io;

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
        serde_json::to_writer(Utf8(out), event).map_err(|_| fmt::Error)
    }

    fn extension(&self) -> &str {
        "jsonl"
    }
}

/// Text where `serde_json` wants a writer of bytes. It writes whole characters.
struct Utf8<'a>(&'a mut dyn fmt::Write);

impl io::Write for Utf8<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_str(text).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
