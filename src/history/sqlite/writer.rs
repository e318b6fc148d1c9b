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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bus::{Bus, Overflow},
        event::{EventData, EventType},
        history::{History, SqliteStore},
        outlet::Outlet,
        stats::Loss,
    };

    const LONG: Duration = Duration::from_secs(30);

    fn event(bytes: usize) -> Event {
        let mut data = EventData::new(EventType::from_lossy("a.b"), SystemTime::now());
        data.body = Some("x".repeat(bytes).into());
        data.into()
    }

    fn flush(outlet: &Outlet) {
        assert!(outlet.flush(Instant::now() + LONG));
    }

    #[test]
    fn whoever_publishes_does_not_wait_for_the_database() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.db");
        let store = SqliteStore::builder()
            .path(&path)
            .busy_timeout(LONG)
            .open()
            .unwrap();
        let bus = Bus::new();
        let subscription = bus.subscribe_with(1_000, Overflow::DropNewest);
        let outlet = Outlet::start("history", subscription, store.writer()).unwrap();
        // Nobody can write until everything is published: waiting here would be waiting for ever.
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        (0..600).for_each(|_| bus.publish(event(10)));
        assert_eq!(outlet.tally().delivered, 0);
        other.execute_batch("ROLLBACK").unwrap();
        flush(&outlet);
        assert_eq!(outlet.tally().delivered, 600);
        assert_eq!(History::new(store).count().unwrap(), 600);
        assert!(outlet.end(Instant::now() + LONG));
    }

    #[test]
    fn what_a_full_database_cannot_take_is_counted_and_nobody_else_is_affected() {
        let directory = tempfile::tempdir().unwrap();
        let open = |name| SqliteStore::builder().path(directory.path().join(name));
        let small = open("small.db").max_bytes(400_000).open().unwrap();
        let large = open("large.db").open().unwrap();
        let bus = Bus::new();
        let start = |name, store: &SqliteStore| {
            let subscription = bus.subscribe_with(1_000, Overflow::DropNewest);
            Outlet::start(name, subscription, store.writer()).unwrap()
        };
        let (one, other) = (start("small", &small), start("large", &large));
        for _ in 0..50 {
            bus.publish(event(20_000));
            flush(&one);
        }
        let tally = one.tally();
        let lost = tally.dropped.get(&Loss::Write).copied().unwrap_or_default();
        assert!(lost > 0, "{tally:?}");
        assert_eq!(
            (tally.accepted, tally.delivered + lost, tally.pending),
            (50, 50, 0)
        );
        let history = History::new(small.clone());
        assert_eq!(
            history.count().unwrap(),
            tally.delivered,
            "what is counted as stored is stored"
        );

        assert_eq!(history.limit(5).erase().unwrap(), 5);
        bus.publish(event(20_000));
        flush(&one);
        assert_eq!(
            one.tally().delivered,
            tally.delivered + 1,
            "with room, writing goes on"
        );

        flush(&other);
        assert_eq!(other.tally().delivered, 51);
        assert_eq!(History::new(large).count().unwrap(), 51);
    }

    #[test]
    fn a_full_database_makes_room_by_its_retention() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.db");
        let store = SqliteStore::builder()
            .path(path)
            .max_bytes(400_000)
            .retention_days(1)
            .open()
            .unwrap();
        let mut writer = store.writer();
        writer.write(&[event(10)]).unwrap();
        // From the past, so that they have expired, but written behind the writer's back.
        let old = |_| {
            let mut data = event(10_000).into_data();
            data.time -= Duration::from_secs(2 * 86_400);
            data.into()
        };
        while store.append(&(0..3).map(old).collect::<Vec<_>>()).is_ok() {}
        // Its next look is an hour away, but for the file being full.
        assert!(writer.write(&[event(50_000)]).is_err());
        writer.write(&[event(50_000)]).unwrap();
        writer.sync().unwrap();
        assert_eq!(History::new(store).count().unwrap(), 2);
    }
}
