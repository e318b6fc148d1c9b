//! How events get into a store.

use std::fmt;
use std::sync::Arc;

use super::EventStore;
use crate::event::Event;
use crate::outlet::{EventWriter, WriteError};

/// How an installation feeds a store; see [`EventStore::feed`].
#[non_exhaustive]
pub enum Feed {
    /// By [`append`](EventStore::append) where the event is published: for stores in memory, whose lock is short.
    Inline,
    /// By this writer, on a thread of its own.
    Writer(Box<dyn EventWriter>),
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inline => "Inline",
            Self::Writer(_) => "Writer",
        })
    }
}

/// Appends batches to a store.
pub(super) struct StoreWriter<S>(pub(super) Arc<S>);

impl<S: EventStore + 'static> EventWriter for StoreWriter<S> {
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
        self.0.append(events).map(drop).map_err(WriteError::new)
    }
}
