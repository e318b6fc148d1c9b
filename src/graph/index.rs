//! The events that are kept, and who points at whom.
//!
//! Promise: at most `capacity` events; adding and evicting cost the same however many there are.
//! Never: returns an event that is not kept.
//!
//! An edge is stored once, under the event it leads *to*, whether or not that event is here. So an event that arrives after
//! those that name it is linked at once, and one that leaves takes nothing with it that a later answer could dangle from.
//! Edges are stored when somebody asks for them ([`Index::catch_up`]): whoever emits pays for keeping the event only.

use std::collections::{HashMap, VecDeque};

use super::{Edge, RecordStats};
use crate::event::{Event, EventId};

/// An event's place among all that were ever added.
pub(super) type Number = u64;

pub(super) struct Index {
    capacity: usize,
    /// In the order they were added. The number of `events[0]` is `first`, of the next one `first + 1`, and so on.
    events: VecDeque<Event>,
    first: Number,
    numbers: HashMap<EventId, Number>,
    /// What the events before this number say is in `pointing`.
    linked: Number,
    /// For an event and an edge that others say of it: those others, in the order they were added.
    pointing: HashMap<(EventId, Edge), VecDeque<Number>>,
    stats: RecordStats,
}

impl Index {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            events: VecDeque::new(),
            first: 0,
            numbers: HashMap::new(),
            linked: 0,
            pointing: HashMap::new(),
            stats: RecordStats::default(),
        }
    }

    /// Whether `event` was taken in, and the event that left for it: to be dropped by the caller, outside any lock.
    pub(super) fn add(&mut self, event: &Event) -> (bool, Option<Event>) {
        if event.replay {
            self.stats.replayed += 1;
            return (false, None);
        }
        if self.numbers.contains_key(&event.id) {
            self.stats.duplicates += 1;
            return (false, None);
        }
        let evicted = if self.events.len() >= self.capacity {
            self.evict()
        } else {
            None
        };
        self.numbers.insert(event.id, self.end());
        self.events.push_back(event.clone());
        self.stats.recorded += 1;
        (true, evicted)
    }

    fn evict(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        self.numbers.remove(&event.id);
        if self.first < self.linked {
            self.unlink_oldest(&event);
        }
        self.first += 1;
        self.stats.evicted += 1;
        Some(event)
    }

    /// Stores what up to `most` further events say; whether all events before `end` are done.
    pub(super) fn catch_up(&mut self, end: Number, most: Number) -> bool {
        let from = self.linked.max(self.first);
        let to = end.min(from + most).max(from);
        for number in from..to {
            let Some(event) = at(&self.events, self.first, number) else {
                break;
            };
            for (edge, target) in said(event) {
                self.pointing
                    .entry((target, edge))
                    .or_default()
                    .push_back(number);
            }
        }
        self.linked = to;
        to >= end
    }

    fn unlink_oldest(&mut self, event: &Event) {
        for key in said(event).map(|(edge, target)| (target, edge)) {
            // The oldest event of all is the oldest of every list it is in.
            if let Some(sayers) = self.pointing.get_mut(&key) {
                sayers.pop_front();
                if sayers.is_empty() {
                    self.pointing.remove(&key);
                }
            }
        }
    }

    pub(super) fn first(&self) -> Number {
        self.first
    }

    /// The number the next event will have.
    pub(super) fn end(&self) -> Number {
        self.first + self.events.len() as Number
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn number(&self, id: EventId) -> Option<Number> {
        self.numbers.get(&id).copied()
    }

    pub(super) fn get(&self, id: EventId) -> Option<&Event> {
        self.at(self.number(id)?)
    }

    /// The event of this number; `None` once it was evicted.
    pub(super) fn at(&self, number: Number) -> Option<&Event> {
        at(&self.events, self.first, number)
    }

    /// The numbers of the events an edge leads to from `id`, in the order they were added: of those that point at `id`, the
    /// ones [`Index::catch_up`] has been through.
    pub(super) fn neighbors(&self, id: EventId, edge: Edge) -> impl Iterator<Item = Number> + '_ {
        let event = self.get(id);
        let said = event
            .and_then(|event| edge.said(event))
            .and_then(|target| self.number(target));
        let pointing = event
            .and_then(|_| self.pointing.get(&(id, edge.inverse())))
            .into_iter()
            .flatten()
            .copied();
        said.into_iter().chain(pointing)
    }

    pub(super) fn stats(&self) -> RecordStats {
        RecordStats {
            kept: self.events.len(),
            ..self.stats
        }
    }
}

fn at(events: &VecDeque<Event>, first: Number, number: Number) -> Option<&Event> {
    events.get(usize::try_from(number.checked_sub(first)?).ok()?)
}

fn said(event: &Event) -> impl Iterator<Item = (Edge, EventId)> + '_ {
    Edge::SAID
        .into_iter()
        .filter_map(|edge| Some((edge, edge.said(event)?)))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::event::{EventData, EventType};

    #[test]
    fn what_is_stored_is_bounded_by_what_is_kept() {
        let mut index = Index::new(8);
        let mut last = None;
        for n in 0..1_000 {
            let mut data = EventData::new(
                EventType::from_lossy("step.progress"),
                SystemTime::UNIX_EPOCH,
            );
            data.cx.previous = last;
            data.cx.parent_event = Some(EventId::from_u128(n));
            data.cx.started_event = Some(EventId::from_u128(7));
            last = Some(data.id);
            index.add(&data.into());
            if n % 3 == 0 {
                index.catch_up(index.end(), 2);
            }
        }
        assert!(index.catch_up(index.end(), 1_000));
        assert_eq!(index.len(), 8);
        assert_eq!(index.numbers.len(), 8);
        let stored: usize = index.pointing.values().map(VecDeque::len).sum();
        assert_eq!(stored, 8 * 3);
        assert!(index.pointing.values().all(|sayers| !sayers.is_empty()));
    }
}
