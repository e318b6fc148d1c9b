//! The record: the last events of the process as a graph of what led to what.
//!
//! Promise: bounded; events that arrive out of order are linked when the missing one arrives; cycles and self-references in
//! foreign data end every walk.
//! Never: makes an emitter wait for a whole walk (the lock is held for one event's neighbours, or for a thousand events), records
//! a replay, or answers with an event that is not kept.
//!
//! ```text
//!  workflow.started ◀─parent─ step.started ◀─parent─ llm.call.started ◀─started─ llm.call.completed
//!        ▲                                                                              │
//!        └─────triggered_by───── workflow.started (another trace)         previous ─────┴──▶ llm.call.chunk
//! ```

mod edge;
mod index;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::edge::Edge;
use self::index::{Index, Number};
use crate::{
    bus::{Bus, Filter, HandlerId},
    event::{Event, EventId},
};

/// A bounded record of events with their edges. Clones share it.
///
/// Answers are copies of the events (one reference count each), in the order the events were added, which on a bus is the
/// order of emission. An answer of many events is as of the call, less what was evicted while it was put together.
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
/// use tracing_genai::{bus::Bus, event::{Event, EventData, EventType}, graph::{Edge, EventRecord}};
///
/// let bus = Bus::new();
/// let record = EventRecord::new();
/// record.attach(&bus);
///
/// let step = EventData::new(EventType::parse("step.started")?, SystemTime::now());
/// let mut call = EventData::new(EventType::parse("llm.call.started")?, SystemTime::now());
/// call.cx.parent_event = Some(step.id);
/// let (step_id, call_id) = (step.id, call.id);
/// bus.publish(Event::new(step));
/// bus.publish(Event::new(call));
/// bus.flush(Instant::now() + Duration::from_secs(5));
///
/// assert_eq!(record.roots()[0].id, step_id);
/// assert_eq!(record.descendants(step_id)[0].id, call_id);
/// assert_eq!(record.edges(call_id), [(Edge::Parent, step_id)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What can be lost
///
/// When full, the oldest event leaves for the newest, with its edges on both sides; its children become roots.
/// [`RecordStats::evicted`] counts them.
///
/// # JSON
///
/// A record serialises as the list of its events, and reads back from one with room for all of them.
#[derive(Clone)]
pub struct EventRecord {
    index: Arc<Mutex<Index>>,
}

/// The record's books: `recorded == kept + evicted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RecordStats {
    /// Events that are here.
    pub kept: usize,
    /// Events that were taken in.
    pub recorded: u64,
    /// Events that left because the record was full.
    pub evicted: u64,
    /// Events refused because one with the same id was here. The first one stays.
    pub duplicates: u64,
    /// Events refused because they are only shown again.
    pub replayed: u64,
}

impl EventRecord {
    /// How many events a record keeps unless told otherwise: some hundred runs of an agent. At a kilobyte an event that is ten
    /// megabytes, and the edges take a few more.
    pub const DEFAULT_CAPACITY: usize = 10_000;

    /// How many events are copied or linked at a time while the record is locked.
    const CHUNK: Number = 1_024;

    /// An empty record of [`EventRecord::DEFAULT_CAPACITY`].
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// An empty record that keeps the last `events` events, at least one.
    pub fn with_capacity(events: usize) -> Self {
        Self {
            index: Arc::new(Mutex::new(Index::new(events))),
        }
    }

    /// Records every event `bus` carries from now on, until [`Bus::off`] with the id this returns.
    pub fn attach(&self, bus: &Bus) -> HandlerId {
        let record = self.clone();
        bus.tap(Filter::new(), move |event| {
            record.add(event);
        })
    }

    /// Takes `event` in; whether it did. Replays ([`EventData::replay`]) and ids that are here already are refused and counted.
    ///
    /// [`EventData::replay`]: crate::event::EventData::replay
    pub fn add(&self, event: &Event) -> bool {
        let (added, evicted) = self.lock().add(event);
        drop(evicted);
        added
    }

    /// The event of this id.
    pub fn get(&self, id: EventId) -> Option<Event> {
        self.lock().get(id).cloned()
    }

    /// Whether the event of this id is here.
    pub fn contains(&self, id: EventId) -> bool {
        self.lock().number(id).is_some()
    }

    /// How many events are here.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether no event is here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events without a parent here: nothing encloses them, or what did was evicted or has not arrived.
    ///
    /// Events that enclose each other in a ring, which only foreign data can contain, have a parent each and are no roots.
    pub fn roots(&self) -> Vec<Event> {
        self.all_that(|index, event| index.neighbors(event.id, Edge::Parent).next().is_none())
    }

    /// What happened directly inside the span whose `started` event this is.
    pub fn children(&self, id: EventId) -> Vec<Event> {
        self.neighbors(id, Edge::Child)
    }

    /// Everything that happened inside, at any depth: all children, then all their children, and so on. Without the event itself.
    pub fn descendants(&self, id: EventId) -> Vec<Event> {
        let mut found: Vec<Event> = Vec::new();
        let index = self.linked();
        let end = index.end();
        let Some(start) = index.number(id) else {
            return found;
        };
        drop(index);
        let mut seen = HashSet::from([start]);
        let (mut at, mut expanded) = (id, 0);
        loop {
            // One event's children at a time, so that whoever adds events meanwhile waits for that only.
            let index = self.lock();
            found.extend(
                index
                    .neighbors(at, Edge::Child)
                    .filter(|child| *child < end && seen.insert(*child))
                    .filter_map(|child| index.at(child).cloned()),
            );
            drop(index);
            let Some(next) = found.get(expanded) else {
                return found;
            };
            (at, expanded) = (next.id, expanded + 1);
        }
    }

    /// The way up to the root: the parent, its parent, and so on. Without the event itself.
    pub fn ancestors(&self, id: EventId) -> Vec<Event> {
        let mut path: Vec<Event> = Vec::new();
        let mut seen = HashSet::from([id]);
        let mut at = id;
        while let Some(parent) = self.neighbors(at, Edge::Parent).pop() {
            if !seen.insert(parent.id) {
                break;
            }
            at = parent.id;
            path.push(parent);
        }
        path
    }

    /// The events one kind of edge leads to: at most one for what the event says itself, any number for the inverse.
    pub fn neighbors(&self, id: EventId, edge: Edge) -> Vec<Event> {
        let index = self.linked();
        index
            .neighbors(id, edge)
            .filter_map(|number| index.at(number).cloned())
            .collect()
    }

    /// Every edge from this event to one that is here, in the order of [`Edge::ALL`].
    pub fn edges(&self, id: EventId) -> Vec<(Edge, EventId)> {
        let index = self.linked();
        let to = |edge| {
            index
                .neighbors(id, edge)
                .filter_map(|number| index.at(number))
                .map(move |event| (edge, event.id))
        };
        Edge::ALL.into_iter().flat_map(to).collect()
    }

    /// All events, in the order they were added: what [`Bus::replay`] takes.
    pub fn to_events(&self) -> Vec<Event> {
        self.all_that(|_, _| true)
    }

    /// What was taken in, refused and evicted so far.
    pub fn stats(&self) -> RecordStats {
        self.lock().stats()
    }

    fn all_that(&self, wanted: impl Fn(&Index, &Event) -> bool) -> Vec<Event> {
        let mut found = Vec::new();
        let (mut from, end) = {
            let index = self.lock();
            (index.first(), index.end())
        };
        while from < end {
            let index = self.lock();
            from = from.max(index.first());
            let to = end.min(from + Self::CHUNK);
            found.extend(
                (from..to)
                    .filter_map(|number| index.at(number))
                    .filter(|event| wanted(&index, event))
                    .cloned(),
            );
            from = to;
        }
        found
    }

    /// The index, with the edges of every event that was here at the call.
    fn linked(&self) -> MutexGuard<'_, Index> {
        let mut index = self.lock();
        let end = index.end();
        while !index.catch_up(end, Self::CHUNK) {
            drop(index);
            index = self.lock();
        }
        index
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for EventRecord {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EventRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventRecord").field(&self.stats()).finish()
    }
}

/// Room for all the events, and for [`EventRecord::DEFAULT_CAPACITY`] at least.
impl FromIterator<Event> for EventRecord {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        let events: Vec<Event> = events.into_iter().collect();
        let record = Self::with_capacity(events.len().max(Self::DEFAULT_CAPACITY));
        let mut index = record.lock();
        for event in &events {
            index.add(event);
        }
        drop(index);
        record
    }
}

impl Serialize for EventRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_events().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Event>::deserialize(deserializer).map(|events| events.into_iter().collect())
    }
}
