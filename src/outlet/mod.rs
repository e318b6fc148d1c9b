//! Event outlets: what writes events somewhere slow (a file, a database) on a thread of its own.
//!
//! Owns: the thread, the batches, the books. The queue is the writer's [`Subscription`], which is bounded and counts what
//! it drops.
//! Promise: whoever publishes never waits for a writer; every event the outlet was offered is written, lost with a reason,
//! or still pending; a writer that fails or panics loses its batch and goes on.
//! Never: writes an event that is only shown again (a replay).

mod thread;

use std::error::Error;
use std::fmt;

use crate::console::escape;
use crate::event::Event;
pub(crate) use thread::Outlet;

/// Something that keeps events: a file, a database, a queue of somebody else's.
pub trait EventWriter: Send + 'static {
    /// Writes events, in order. What is written may still be in a buffer of the writer's until [`sync`](Self::sync).
    ///
    /// # Errors
    /// When not all of them could be written. [`WriteError::written`] says how many were; the rest is counted as lost.
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError>;

    /// Makes what was written readable for others: called when a flush waits for it, when the outlet is idle, and at the end.
    ///
    /// # Errors
    /// When what was written before may be lost.
    fn sync(&mut self) -> Result<(), WriteError> {
        Ok(())
    }
}

impl<W: EventWriter + ?Sized> EventWriter for Box<W> {
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
        (**self).write(events)
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        (**self).sync()
    }
}

/// Why events were not written.
#[derive(Debug)]
pub struct WriteError {
    /// How many events of the batch were written all the same.
    pub written: usize,
    source: Box<dyn Error + Send + Sync>,
}

impl WriteError {
    /// Nothing of the batch was written.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::after(0, source)
    }

    /// `written` events of the batch were written.
    pub fn after(written: usize, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            written,
            source: source.into(),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "events were not written: {}",
            escape(&self.source.to_string())
        )
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}
