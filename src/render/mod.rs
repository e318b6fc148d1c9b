//! From an event to text: one trait, the two renderings everybody needs, and the plain places rendered text goes to.
//!
//! Promise: a renderer sees the same [`Event`] as every handler, store and exporter; one that fails or panics costs the one
//! event it was given, and that is counted.
//! Never: decides what is captured. A renderer shows what is in the event, and content is in it only where capturing is on.

mod batch;
mod event_log;
mod json;
mod line;
mod writer;

use std::fmt;

pub(crate) use self::batch::Batch;
pub use self::{event_log::EventLog, json::Json, line::Line, writer::RenderWriter};
use crate::event::Event;

/// Turns an event into text.
///
/// A file ([`EventFile`](crate::files::EventFile)) or any writer ([`RenderWriter`]) takes one. What it writes is one record:
/// a line break is added where the last one is missing, and nothing written means that the event is left out. A record may
/// have several lines; it is never split.
///
/// A closure will do where the extension does not matter; this is a whole renderer, for Markdown:
///
/// ```
/// use std::fmt::{self, Write};
/// use tracing_genai::event::{Event, Kind, Usage};
/// use tracing_genai::render::Render;
///
/// struct Markdown;
///
/// impl Render for Markdown {
///     fn render(&self, event: &Event, out: &mut dyn Write) -> fmt::Result {
///         if !event.phase.is_terminal() {
///             return Ok(()); // only what has ended
///         }
///         let depth = if event.kind == Kind::Workflow { "##" } else { "-" };
///         write!(out, "{depth} {} {}", event.name, event.phase)?;
///         if let Some(tokens) = Usage::from_attrs(&event.attrs).output_tokens {
///             write!(out, ", {tokens} tokens")?;
///         }
///         writeln!(out)
///     }
///
///     fn extension(&self) -> &str {
///         "md"
///     }
/// }
///
/// # use tracing_genai::event::{EventData, EventType};
/// let mut call = EventData::new(EventType::parse("llm.call.completed")?, std::time::SystemTime::now());
/// call.name = "chat gpt-4o".into();
/// call.attrs.set("gen_ai.usage.output_tokens", 32);
/// let mut text = String::new();
/// Markdown.render(&Event::new(call), &mut text)?;
/// assert_eq!(text, "- chat gpt-4o completed, 32 tokens\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Render {
    /// Writes the event into `out`, or nothing to leave it out.
    ///
    /// # Errors
    /// When it cannot be rendered. What was written of it is taken back, and the event is counted as lost.
    fn render(&self, event: &Event, out: &mut dyn fmt::Write) -> fmt::Result;

    /// What a file of it is called after the dot, where its path has no extension.
    fn extension(&self) -> &str {
        "log"
    }
}

impl<F: Fn(&Event, &mut dyn fmt::Write) -> fmt::Result> Render for F {
    fn render(&self, event: &Event, out: &mut dyn fmt::Write) -> fmt::Result {
        self(event, out)
    }
}
