//! Events, rendered, into any writer.

use std::fmt;
use std::io::Write;

use super::{Batch, Render};
use crate::event::Event;
use crate::outlet::{EventWriter, WriteError};

/// An [`EventWriter`] on any [`Write`]: a pipe, a socket, standard output, a buffer.
///
/// Records are written whole batches at a time and flushed when the outlet syncs. When writing fails, the records of the batch
/// that did not get out whole are lost and counted; the last of them may have got out in part.
///
/// ```
/// use tracing_genai::EventWriter;
/// use tracing_genai::event::{Event, EventData, EventType};
/// use tracing_genai::render::{Line, RenderWriter};
///
/// let mut out = RenderWriter::new(Vec::new(), Line);
/// out.write(&[Event::new(EventData::new(EventType::parse("step.started")?, std::time::SystemTime::UNIX_EPOCH))])?;
/// assert_eq!(out.into_inner(), b"1970-01-01T00:00:00.000Z INFO  step.started\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RenderWriter<W, R> {
    out: W,
    render: R,
    batch: Batch,
}

impl<W: Write, R: Render> RenderWriter<W, R> {
    /// Writes to `out` what `render` makes of each event.
    pub fn new(out: W, render: R) -> Self {
        Self {
            out,
            render,
            batch: Batch::default(),
        }
    }

    /// The writer back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

impl<W: Write + Send + 'static, R: Render + Send + 'static> EventWriter for RenderWriter<W, R> {
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
        let out = &mut self.out;
        self.batch.write(events, &self.render, |batch| {
            let put = batch.put(0..batch.records(), out);
            (put.records, put.result)
        })
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        self.out.flush().map_err(WriteError::new)
    }
}

impl<W, R> fmt::Debug for RenderWriter<W, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderWriter").finish_non_exhaustive()
    }
}
