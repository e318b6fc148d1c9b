//! The bounded queue in front of the handlers' thread: events, and between them changes of the handlers.
//!
//! Promise: an event meets exactly the handlers there were when it was published, less those removed since. Changes take
//! no room: two without an event between them are one. Every event accepted is handled, discarded, or pending.
//! Never: drops what a handler captured, or waits for anything but its own lock.
//!
//! The thread takes all there is at once, so that it and the publishers meet at the lock once a batch and not once an event.

use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use crate::{
    bus::{BusStats, registry::HandlerSet, rest},
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
    /// How many wait there.
    flushing: AtomicUsize,
    /// Events that wait, at most.
    capacity: u64,
    /// Events whose handlers have begun; and [`CLOSED`], so that none begins after a close has counted them.
    begun: AtomicU64,
    handled: AtomicU64,
}

const CLOSED: u64 = 1 << 63;

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Events that entered, ever.
    accepted: u64,
    discarded: u64,
    lagged: u64,
    /// There is a thread.
    running: bool,
    /// The thread waits on `work`: a notification costs a system call even when nobody waits.
    idle: bool,
    closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            flushing: AtomicUsize::new(0),
            capacity: capacity as u64,
            begun: AtomicU64::new(0),
            handled: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // === publishers, and those who change the handlers ===

    pub(super) fn push(&self, event: Event, depth: u8) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let waiting = state.accepted - (self.begun.load(Ordering::Relaxed) & !CLOSED);
        if !state.running || waiting >= self.capacity {
            state.lagged += 1;
            return;
        }
        state.accepted += 1;
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

    /// Puts an item in; wakes the thread if it sleeps.
    fn put(&self, mut state: MutexGuard<'_, State>, item: Item) {
        state.items.push_back(item);
        let idle = mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.work.notify_one();
        }
    }

    // === the thread ===

    /// Takes all there is, as soon as there is something, into the empty `batch`; false once closed.
    pub(super) fn take(&self, batch: &mut VecDeque<Item>) -> bool {
        let is_busy = |state: &State| !state.items.is_empty() || state.closed;
        let mut state = rest::before_sleep(&self.state, self.lock(), is_busy);
        while !is_busy(&state) {
            state.idle = true;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        mem::swap(&mut state.items, batch);
        !state.closed
    }

    /// Whether the handlers of the next event may begin; false once closed, which has counted the event as discarded.
    pub(super) fn begin(&self) -> bool {
        let next = |begun| (begun & CLOSED == 0).then_some(begun + 1);
        self.begun
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
            .is_ok()
    }

    /// The event that began last is through its handlers, or else given up.
    pub(super) fn done(&self, complete: bool) {
        if complete {
            self.handled.fetch_add(1, Ordering::SeqCst);
        } else {
            self.lock().discarded += 1;
        }
        // Who begins to wait after this looks at `handled` before it sleeps.
        if self.flushing.load(Ordering::SeqCst) > 0 {
            drop(self.lock());
            self.progress.notify_all();
        }
    }

    // === the rest ===

    fn pending(&self, state: &State) -> u64 {
        let settled = self.handled.load(Ordering::SeqCst) + state.discarded;
        state.accepted.saturating_sub(settled)
    }

    /// How many events will have been handled when all that are pending now are.
    pub(super) fn target(&self) -> u64 {
        let state = self.lock();
        state.accepted - state.discarded
    }

    /// Waits until that many events are handled, the queue is closed, or `deadline`; how many are missing.
    pub(super) fn wait(&self, target: u64, deadline: Instant) -> u64 {
        let missing = || target.saturating_sub(self.handled.load(Ordering::SeqCst));
        let mut state = self.lock();
        self.flushing.fetch_add(1, Ordering::SeqCst);
        // What a close discards will never be handled.
        while missing() > 0 && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .progress
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        self.flushing.fetch_sub(1, Ordering::SeqCst);
        missing()
    }

    /// Ends the thread after the event it is with. The caller drops what it returns.
    pub(super) fn close(&self) -> VecDeque<Item> {
        let mut state = self.lock();
        if !mem::replace(&mut state.closed, true) {
            let begun = self.begun.fetch_or(CLOSED, Ordering::SeqCst);
            state.discarded += state.accepted - begun;
        }
        let items = mem::take(&mut state.items);
        drop(state);
        self.work.notify_all();
        self.progress.notify_all();
        items
    }

    pub(super) fn stats(&self) -> BusStats {
        let state = self.lock();
        BusStats {
            handled: self.handled.load(Ordering::SeqCst),
            handler_pending: self.pending(&state),
            handler_lagged: state.lagged,
            handler_discarded: state.discarded,
            ..BusStats::default()
        }
    }
}
