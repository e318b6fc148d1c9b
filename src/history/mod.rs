//! History: what happened, kept, and asked about later.
//!
//! Owns: the questions ([`History`]), the store trait, the ring in memory and the SQLite file.
//! Promise: both stores answer every question alike; what a store can no longer tell, it counts.
//! Never: waits for a disk on the application's thread (a store on disk is written by its outlet's thread), nor stores an
//! event twice or one that is only shown again (a replay).

mod answer;
mod cursor;
mod error;
mod feed;
mod handle;
mod memory;
mod query;
mod search;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use answer::{AgentStats, By, Stats};
pub use cursor::{Cursor, Page, ParseCursorError};
pub use error::StoreError;
pub use feed::Feed;
pub use handle::History;
pub use memory::{MemoryStats, MemoryStore};
pub use query::Query;
#[cfg(feature = "viewer")]
pub(crate) use search::Needle;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteBuilder, SqliteStore, SqliteWriter};

use std::sync::Arc;

use crate::event::Event;
use feed::StoreWriter;

/// Keeps events and finds them again. Implemented by [`MemoryStore`] and `SqliteStore`; implement it to keep them elsewhere.
///
/// The provided methods fold over [`find`](Self::find); a store that can count without reading overrides them.
///
/// ```
/// use std::sync::Mutex;
/// use tracing_genai::event::{Event, EventData, EventType};
/// use tracing_genai::history::{Cursor, EventStore, History, Page, Query, StoreError};
///
/// /// Keeps everything, for a test.
/// #[derive(Default)]
/// struct Everything(Mutex<Vec<Event>>);
///
/// impl EventStore for Everything {
///     fn append(&self, events: &[Event]) -> Result<usize, StoreError> {
///         self.0.lock().map_err(|_| StoreError::other("poisoned"))?.extend_from_slice(events);
///         Ok(events.len())
///     }
///     fn find(&self, query: &Query) -> Result<Vec<Event>, StoreError> {
///         let events = self.0.lock().map_err(|_| StoreError::other("poisoned"))?;
///         Ok(query.select(events.iter().enumerate().map(|(at, event)| (at as u64, event.clone()))))
///     }
///     fn delete(&self, _: &Query) -> Result<u64, StoreError> {
///         Err(StoreError::other("this store never forgets"))
///     }
///     fn since(&self, _: Cursor, _: usize) -> Result<Page, StoreError> {
///         Err(StoreError::other("this store has no cursors"))
///     }
/// }
///
/// let store = Everything::default();
/// store.append(&[EventData::new(EventType::parse("llm.call.started")?, std::time::SystemTime::now()).into()])?;
/// assert_eq!(History::new(store).event_type("llm.*")?.count()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait EventStore: Send + Sync {
    /// How events get into it from an installation that keeps its history here: by a writer on a thread of its own, unless
    /// the store says otherwise.
    fn feed(self: Arc<Self>) -> Feed
    where
        Self: Sized + 'static,
    {
        Feed::Writer(Box::new(StoreWriter(self)))
    }

    /// Stores events, in order, all or none, and says how many were new: those that are there already (by their id) and
    /// replayed ones are passed over.
    ///
    /// # Errors
    /// When nothing was stored.
    fn append(&self, events: &[Event]) -> Result<usize, StoreError>;

    /// The events of the query, in its order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn find(&self, query: &Query) -> Result<Vec<Event>, StoreError>;

    /// Deletes exactly what [`find`](Self::find) would return, and says how many that were.
    ///
    /// # Errors
    /// When not all could be deleted; some may be gone.
    fn delete(&self, query: &Query) -> Result<u64, StoreError>;

    /// Up to `limit` events stored after `cursor`, oldest entry first: no gap and no repeat when the page's
    /// [`next`](Page::next) is the cursor of the following call.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn since(&self, cursor: Cursor, limit: usize) -> Result<Page, StoreError>;

    /// How many events match, whatever limit and offset say.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.stats(query).map(|stats| stats.events)
    }

    /// How many events match and when the first and the last happened, whatever limit and offset say.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn stats(&self, query: &Query) -> Result<Stats, StoreError> {
        Ok(answer::stats(&self.find(&query.whole())?))
    }

    /// The same per agent, the most recently seen first. Events without an agent are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn agents(&self, query: &Query) -> Result<Vec<AgentStats>, StoreError> {
        Ok(answer::agents(&self.find(&query.whole())?))
    }

    /// How many events match for each type, channel, level or agent; the most frequent first. The counts add up to
    /// [`count`](Self::count): events without an agent are counted under the empty name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn distribution(&self, query: &Query, by: By) -> Result<Vec<(String, u64)>, StoreError> {
        Ok(answer::distribution(&self.find(&query.whole())?, by))
    }
}
