//! The history that is kept without being asked for: the last records as they are, made into events when somebody asks.
//!
//! Promise: keeping a record is a copy into the place of the oldest, which allocates nothing once the ring is full. What was made
//! into an event once stays the same.
//! Never: asks the application's threads for more than they send anyway. A start that nobody listened to is told from its end,
//! and pieces of streams are not there.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::events;
use crate::event::Event;
use crate::history::{Cursor, EventStore, MemoryStore, Page, Query, StoreError};
use crate::layer::instance::Instance;
use crate::record::{Record, What};

/// Records kept at most, in number and in bytes: some dozen runs of an agent, in a megabyte or two. What they are made into is
/// at most two events each.
const RECORDS: usize = 1_000;
const BYTES: usize = 4 << 20;

pub(crate) struct Recent {
    instance: Arc<Instance>,
    waiting: Mutex<Waiting>,
    /// Held while records are made into events, so that they stay in order.
    making: Mutex<()>,
    made: MemoryStore,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<(Box<Record>, usize)>,
    bytes: usize,
}

impl Waiting {
    /// Takes the oldest out.
    fn pop(&mut self) -> Option<Box<Record>> {
        let (oldest, bytes) = self.records.pop_front()?;
        self.bytes -= bytes;
        Some(oldest)
    }
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recent {
    pub(crate) fn new(instance: Arc<Instance>) -> Self {
        Self {
            instance,
            waiting: Mutex::default(),
            making: Mutex::default(),
            made: MemoryStore::with_limits(2 * RECORDS, 2 * BYTES),
        }
    }

    /// Remembers a record that no event was made of. It is copied: the record itself stays with those who use it all the time,
    /// and in their caches.
    pub(crate) fn keep(&self, record: &Record) {
        let mut waiting = lock(&self.waiting);
        let mut place = if waiting.records.len() < RECORDS {
            Box::default()
        } else {
            waiting.pop().unwrap_or_default()
        };
        place.remember(record);
        let bytes = place.bytes();
        waiting.bytes += bytes;
        waiting.records.push_back((place, bytes));
        while waiting.bytes > BYTES {
            waiting.pop();
        }
    }

    /// Keeps an event that was made for somebody anyway.
    pub(crate) fn push(&self, event: Event) {
        let making = lock(&self.making);
        self.make();
        self.made.push(event);
        drop(making);
    }

    /// What there is, as events.
    fn store(&self) -> &MemoryStore {
        let making = lock(&self.making);
        self.make();
        drop(making);
        &self.made
    }

    fn make(&self) {
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        for (mut record, _) in waiting.records {
            if record.what == What::Ended && record.id.started_event == 0 {
                record.id.started_event = self.instance.event_id();
                let start = record.as_started();
                self.tell(&start);
            }
            self.tell(&record);
        }
    }

    fn tell(&self, record: &Record) {
        let given = record.moment.as_ref().map_or(0, |moment| moment.id);
        let id = if given == 0 {
            self.instance.event_id()
        } else {
            given
        };
        if let Some(mut event) = events::event(record, &self.instance.clock, id) {
            event.cursor = events::next_cursor();
            self.made.push(Event::new(event));
        }
    }
}

impl EventStore for Recent {
    fn append(&self, events: &[Event]) -> Result<usize, StoreError> {
        self.store().append(events)
    }

    fn find(&self, query: &Query) -> Result<Vec<Event>, StoreError> {
        self.store().find(query)
    }

    fn delete(&self, query: &Query) -> Result<u64, StoreError> {
        self.store().delete(query)
    }

    fn since(&self, cursor: Cursor, limit: usize) -> Result<Page, StoreError> {
        self.store().since(cursor, limit)
    }
}
