//! The writer an outlet's thread drives.
//!
//! Promise: a batch comes before housekeeping, and is not lost by it; housekeeping does one slice at a time.

use std::time::{Duration, Instant, SystemTime};

use super::{DELETING, SqliteStore, erase};
use crate::{
    event::Event,
    history::{EventStore as _, StoreError},
    outlet::{EventWriter, WriteError},
};

/// How often expired events are looked for. A day's retention is then kept to within 4 %.
const LOOK: Duration = Duration::from_secs(3600);

/// Stores events in batches, and applies the store's retention; see [`SqliteStore::writer`].
#[derive(Debug)]
pub struct SqliteWriter {
    store: SqliteStore,
    /// When expired events are next looked for; `None` while a pass is under way.
    due: Option<Instant>,
    found: bool,
}

impl SqliteWriter {
    pub(super) fn new(store: SqliteStore) -> Self {
        Self {
            store,
            due: None,
            found: false,
        }
    }

    /// Deletes a slice of what has expired.
    fn keep_house(&mut self) -> Result<(), StoreError> {
        let now = Instant::now();
        let Some(cutoff) = self.store.cutoff(SystemTime::now()) else {
            return Ok(());
        };
        if self.due.is_some_and(|due| now < due) {
            return Ok(());
        }
        // If this fails, the next look is in an hour, too: a sick disk is not to be tried at every batch.
        self.due = now.checked_add(LOOK);
        if self.store.expire(cutoff)? > 0 {
            self.due = None;
            self.found = true;
        } else if std::mem::take(&mut self.found) {
            self.store.write(DELETING, |db| erase::finish(db))?;
        }
        Ok(())
    }
}

impl EventWriter for SqliteWriter {
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
        match self.store.append(events) {
            Ok(_) => self
                .keep_house()
                .map_err(|error| WriteError::after(events.len(), error)),
            Err(error) => {
                if error.is_full() {
                    // Room is needed now, not within the hour.
                    self.due = None;
                    let _ = self.keep_house();
                }
                Err(WriteError::new(error))
            }
        }
    }

    /// Every batch is committed already; only expired events are looked for.
    fn sync(&mut self) -> Result<(), WriteError> {
        self.keep_house().map_err(WriteError::new)
    }
}
