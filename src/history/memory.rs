//! The ring in memory: the last events of this process.
//!
//! Promise: taking an event in is one short lock, so that it can be done where the event is published; questions copy
//! references under the lock and think outside it. The oldest make room, and are counted.
//! Never: holds more events or more bytes than it may.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value as Json;

use super::{Cursor, EventStore, Feed, Page, Query, StoreError};
use crate::event::{Event, EventData, EventId, Value};

/// The last events, in memory: 10,000 of them or 64 MiB, whichever is reached first. Cloning shares it.
///
/// ```
/// use tracing_genai::history::{History, MemoryStore};
///
/// let store = MemoryStore::with_limits(100, 1 << 20);
/// let history = History::new(store.clone());
/// assert_eq!(history.count()?, 0);
/// assert_eq!(store.stats().evicted, 0);
/// # Ok::<(), tracing_genai::history::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    max_events: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Ring {
    kept: VecDeque<Kept>,
    ids: HashSet<EventId>,
    bytes: usize,
    /// The number of the newest event ever taken in.
    last: u64,
    evicted: u64,
    /// The number of the newest event that was evicted.
    dropped: u64,
}

#[derive(Debug, Clone)]
struct Kept {
    number: u64,
    bytes: usize,
    event: Event,
}

/// What a [`MemoryStore`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MemoryStats {
    /// Events it holds now.
    pub events: usize,
    /// Their size in memory, estimated from their texts.
    pub bytes: usize,
    /// Events that made room for newer ones, ever. Erased ones are not among them.
    pub evicted: u64,
}

impl MemoryStore {
    /// Events kept by default: an afternoon of one agent, and a question about them takes a millisecond.
    pub const MAX_EVENTS: usize = 10_000;
    /// Bytes kept by default. 10,000 events without content take a tenth of it; prompts of a few KiB fill it.
    pub const MAX_BYTES: usize = 64 << 20;

    /// A store with the default limits, [`MAX_EVENTS`](Self::MAX_EVENTS) and [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn new() -> Self {
        Self::with_limits(Self::MAX_EVENTS, Self::MAX_BYTES)
    }

    /// A store with limits of its own. An event that alone is larger than `bytes` is evicted as soon as it comes.
    pub fn with_limits(events: usize, bytes: usize) -> Self {
        Self(Arc::new(Shared {
            ring: Mutex::default(),
            max_events: events,
            max_bytes: bytes,
        }))
    }

    /// Takes one event in; whether it was new. Fast enough for the thread that publishes it.
    pub fn push(&self, event: Event) -> bool {
        if event.replay {
            return false;
        }
        let bytes = size(&event);
        let mut ring = self.lock();
        if !ring.ids.insert(event.id) {
            return false;
        }
        ring.last += 1;
        let number = ring.last;
        ring.bytes += bytes;
        ring.kept.push_back(Kept {
            number,
            bytes,
            event,
        });
        let evicted = self.evict(&mut ring);
        drop(ring);
        // Freeing a large event takes a while.
        drop(evicted);
        true
    }

    /// What it holds.
    pub fn stats(&self) -> MemoryStats {
        let ring = self.lock();
        MemoryStats {
            events: ring.kept.len(),
            bytes: ring.bytes,
            evicted: ring.evicted,
        }
    }

    fn evict(&self, ring: &mut Ring) -> Vec<Kept> {
        let mut evicted = Vec::new();
        while ring.kept.len() > self.0.max_events || ring.bytes > self.0.max_bytes {
            let Some(oldest) = ring.kept.pop_front() else {
                break;
            };
            ring.ids.remove(&oldest.event.id);
            ring.bytes -= oldest.bytes;
            ring.evicted += 1;
            ring.dropped = oldest.number;
            evicted.push(oldest);
        }
        evicted
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<(u64, Event)> {
        let ring = self.lock();
        let copy = |kept: &Kept| (kept.number, kept.event.clone());
        ring.kept.iter().map(copy).collect()
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl EventStore for MemoryStore {
    fn feed(self: Arc<Self>) -> Feed {
        Feed::Inline
    }

    fn append(&self, events: &[Event]) -> Result<usize, StoreError> {
        let new = |event: &&Event| self.push(Event::clone(event));
        Ok(events.iter().filter(new).count())
    }

    fn find(&self, query: &Query) -> Result<Vec<Event>, StoreError> {
        Ok(query.select(self.all()))
    }

    fn delete(&self, query: &Query) -> Result<u64, StoreError> {
        let doomed: HashSet<u64> = query
            .numbered(self.all())
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        let mut ring = self.lock();
        let mut gone = Vec::with_capacity(doomed.len());
        ring.kept.retain(|kept| {
            let stays = !doomed.contains(&kept.number);
            if !stays {
                gone.push(kept.clone());
            }
            stays
        });
        for kept in &gone {
            ring.ids.remove(&kept.event.id);
            ring.bytes -= kept.bytes;
        }
        drop(ring);
        Ok(gone.len() as u64)
    }

    fn since(&self, cursor: Cursor, limit: usize) -> Result<Page, StoreError> {
        let ring = self.lock();
        let start = ring.kept.partition_point(|kept| kept.number <= cursor.0);
        let copy = |kept: &Kept| (Cursor(kept.number), kept.event.clone());
        let found = ring.kept.range(start..).take(limit).map(copy).collect();
        let dropped = ring.dropped;
        drop(ring);
        Ok(Page::new(cursor, limit, found, dropped))
    }
}

// === sizes ===

/// About what an event takes in memory. An estimate: texts shared with other events are counted for each.
fn size(event: &Event) -> usize {
    let who = &event.who;
    let texts = [
        &who.agent_name,
        &who.agent_id,
        &who.step_name,
        &who.session_id,
        &who.conversation_id,
        &who.correlation_id,
    ];
    let error = event.error.as_ref().map_or(0, |error| {
        error.kind.len() + error.message.as_ref().map_or(0, |message| message.len())
    });
    let attrs = event
        .attrs
        .iter()
        .map(|(key, value)| key.len() + mem::size_of::<(String, Value)>() + size_of_value(value));
    mem::size_of::<EventData>()
        + mem::size_of::<Kept>()
        + event.name.len()
        + texts.into_iter().flatten().map(|t| t.len()).sum::<usize>()
        + error
        + attrs.sum::<usize>()
        + event.body.as_ref().map_or(0, |body| size_of_json(&body.0))
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Str(text) => text.len(),
        Value::Array(items) => items
            .iter()
            .map(|item| mem::size_of::<Value>() + size_of_value(item))
            .sum(),
        Value::Json(json) => size_of_json(json),
        Value::Bool(_) | Value::I64(_) | Value::F64(_) => 0,
    }
}

fn size_of_json(json: &Json) -> usize {
    mem::size_of::<Json>()
        + match json {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(size_of_json).sum(),
            Json::Object(fields) => fields
                .iter()
                .map(|(key, value)| key.len() + mem::size_of::<String>() + size_of_json(value))
                .sum(),
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        }
}
