//! The bounded queue in front of the handlers' thread: events, and between them changes of the handlers.
//!
//! Promise: an event meets exactly the handlers there were when it was published, less those removed since. Changes take
//! no room: two without an event between them are one.
//! Never: drops what a handler captured, or waits for anything but its own lock.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use crate::{
    bus::{BusStats, registry::HandlerSet},
    event::Event,
};

pub(in crate::bus) enum Item {
    /// An event and its depth.
    Event(Event, u8),
    /// From here on, these are the handlers.
    Handlers(Arc<HandlerSet>),
}

pub(super) struct Queue {
    state: Mutex<State>,
    /// The thread waits here for work.
    work: Condvar,
    /// Flushes wait here for progress.
    progress: Condvar,
    /// Events at most.
    capacity: usize,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// How many of the items are events.
    waiting: usize,
    handled: u64,
    /// An event is with the handlers right now.
    busy: bool,
    lagged: u64,
    discarded: u64,
    /// There is a thread.
    running: bool,
    /// The thread waits on `work`: a notification costs a system call even when nobody waits.
    idle: bool,
    flushing: usize,
    closed: bool,
}

impl State {
    /// How many events entered and were not handled yet.
    fn pending(&self) -> u64 {
        self.waiting as u64 + u64::from(self.busy)
    }
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            capacity,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item in; wakes the thread if it sleeps.
    fn put(&self, mut state: MutexGuard<'_, State>, item: Item) {
        state.items.push_back(item);
        let idle = mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.work.notify_one();
        }
    }

    pub(super) fn push(&self, event: Event, depth: u8) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        if !state.running || state.waiting >= self.capacity {
            state.lagged += 1;
            return;
        }
        state.waiting += 1;
        self.put(state, Item::Event(event, depth));
    }

    /// Has the handlers changed for the events that come after; `start` starts the thread if there is none and somebody to
    /// call. If that fails, the next change tries again; until then events count as lagged. Gives back what nobody needs.
    pub(super) fn change(
        &self,
        set: Arc<HandlerSet>,
        start: impl FnOnce() -> bool,
    ) -> Option<Arc<HandlerSet>> {
        let mut state = self.lock();
        if state.closed {
            return Some(set);
        }
        if !state.running && set.len() > 0 {
            state.running = start();
        }
        if let Some(Item::Handlers(last)) = state.items.back_mut() {
            return Some(mem::replace(last, set));
        }
        self.put(state, Item::Handlers(set));
        None
    }

    /// What is next, as soon as there is something; `None` once closed. `done` says what became of the event that it gave
    /// before: whether it is through its handlers, or given up.
    pub(super) fn next(&self, done: Option<bool>) -> Option<Item> {
        let mut state = self.lock();
        if let Some(complete) = done {
            state.busy = false;
            state.handled += u64::from(complete);
            state.discarded += u64::from(!complete);
            if state.flushing > 0 {
                self.progress.notify_all();
            }
        }
        loop {
            if state.closed {
                return None;
            }
            if let Some(item) = state.items.pop_front() {
                if matches!(item, Item::Event(..)) {
                    state.waiting -= 1;
                    state.busy = true;
                }
                return Some(item);
            }
            state.idle = true;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How many events will have been handled when all that are pending now are.
    pub(super) fn target(&self) -> u64 {
        let state = self.lock();
        state.handled + state.pending()
    }

    /// Waits until that many events are handled, the queue is closed, or `deadline`; how many are missing.
    pub(super) fn wait(&self, target: u64, deadline: Instant) -> u64 {
        let mut state = self.lock();
        // What a close discards will never be handled.
        while state.handled < target && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.flushing += 1;
            state = self
                .progress
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.flushing -= 1;
        }
        target.saturating_sub(state.handled)
    }

    /// Ends the thread. The caller drops what it returns.
    pub(super) fn close(&self) -> VecDeque<Item> {
        let mut state = self.lock();
        state.closed = true;
        state.discarded += mem::take(&mut state.waiting) as u64;
        let items = mem::take(&mut state.items);
        drop(state);
        self.work.notify_all();
        self.progress.notify_all();
        items
    }

    pub(super) fn stats(&self) -> BusStats {
        let state = self.lock();
        BusStats {
            handled: state.handled,
            handler_pending: state.pending(),
            handler_lagged: state.lagged,
            handler_discarded: state.discarded,
            ..BusStats::default()
        }
    }
}
