//! The bounded queue of one subscription.
//!
//! Promise: pushing blocks no longer than a reader takes to pop one event, or than [`Overflow::Block`] allows; every event
//! pushed is read, refused by the reader's predicates, counted as missed in its place, still there, or discarded.
//! Never: runs a waker or a predicate, or drops one, under its lock.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::{Duration, Instant},
};

use super::{Delivery, Overflow, counts::MailboxCounts};
use crate::{
    bus::{failures::contain, filter::Conditions, rest},
    event::Event,
};

#[derive(Debug)]
pub(in crate::bus) struct Mailbox {
    state: Mutex<State>,
    /// Readers wait here for events.
    arrived: Condvar,
    /// Publishers wait here for room.
    room: Condvar,
    conditions: Conditions,
    capacity: usize,
    overflow: Overflow,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Letter>,
    /// Missed after the last letter in the queue.
    missed: u64,
    /// An event is with the reader, whose predicates have not decided yet.
    undecided: bool,
    waker: Option<Waker>,
    /// Readers blocked on `arrived`, publishers on `room`: a notification costs a system call even when nobody waits.
    readers: usize,
    publishers: usize,
    /// When publishers stop waiting for room. Set by the first that finds none, unset by the reader making some.
    patience_ends: Option<Instant>,
    closed: bool,
    counts: MailboxCounts,
}

#[derive(Debug)]
struct Letter {
    /// How many events are missing right before this one.
    missed: u64,
    event: Event,
}

/// What a reader found.
#[derive(Debug)]
pub(super) enum Found {
    Delivery(Delivery),
    Empty,
    Closed,
}

impl Mailbox {
    pub(in crate::bus) fn new(conditions: Conditions, capacity: usize, overflow: Overflow) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            room: Condvar::new(),
            conditions,
            capacity: capacity.max(1),
            overflow,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // === publishing ===

    /// Takes the event, if it meets the conditions.
    pub(in crate::bus) fn offer(&self, event: &Event) {
        if self.conditions.match_event(event) {
            self.push(event.clone());
        }
    }

    fn push(&self, event: Event) {
        let mut state = self.lock();
        if let Overflow::Block { at_most } = self.overflow
            && self.is_full(&state)
        {
            state = self.wait_for_room(state, at_most.min(Overflow::LONGEST_BLOCK));
        }
        if state.closed {
            return;
        }
        state.counts.offered += 1;
        let evicted = if self.is_full(&state) {
            state.counts.lagged += 1;
            if self.overflow != Overflow::DropOldest {
                state.missed += 1;
                return;
            }
            state.evict()
        } else {
            None
        };
        let missed = mem::take(&mut state.missed);
        state.queue.push_back(Letter { missed, event });
        let waker = state.waker.take();
        let readers = state.readers;
        drop(state);
        drop(evicted);
        if readers > 0 {
            self.arrived.notify_one();
        }
        wake(waker);
    }

    fn is_full(&self, state: &State) -> bool {
        state.queue.len() >= self.capacity
    }

    /// Waits until there is room, the mailbox is closed, or publishers have waited long enough for this reader.
    fn wait_for_room<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        at_most: Duration,
    ) -> MutexGuard<'s, State> {
        let now = Instant::now();
        let deadline = *state.patience_ends.get_or_insert(now + at_most);
        if deadline > now && !state.closed {
            state.counts.blocked += 1;
        }
        while self.is_full(&state) && !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.publishers += 1;
            state = self
                .room
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.publishers -= 1;
        }
        state
    }

    // === reading ===

    /// Pops. With `decide`, an event counts once [`Mailbox::settle`] says as what.
    pub(super) fn pop(&self, decide: bool) -> Found {
        let mut state = self.lock();
        let found = state.pop(decide);
        self.popped(state);
        found
    }

    /// Pops, or else leaves `waker` to be woken by the next event or by the end.
    pub(super) fn pop_or_register(&self, decide: bool, waker: &Waker) -> Found {
        let found = self.pop(decide);
        if !matches!(found, Found::Empty) {
            return found;
        }
        // Cloning and dropping a waker is user code, so both happen outside the lock.
        let waker = waker.clone();
        let mut state = self.lock();
        let found = state.pop(decide);
        let replaced = match found {
            Found::Empty => state.waker.replace(waker),
            Found::Delivery(_) | Found::Closed => Some(waker),
        };
        self.popped(state);
        drop(replaced);
        found
    }

    /// Pops, waiting for an event or the end until `deadline`; without one, for as long as it takes.
    pub(super) fn pop_blocking(&self, decide: bool, deadline: Option<Instant>) -> Found {
        let mut state = self.lock();
        let mut rested = false;
        loop {
            let found = state.pop(decide);
            if !matches!(found, Found::Empty) {
                self.popped(state);
                return found;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Found::Empty;
            }
            if !mem::replace(&mut rested, true) {
                state = rest::before_sleep(&self.state, state, State::is_readable);
                continue;
            }
            state.readers += 1;
            state = match left {
                Some(left) => {
                    self.arrived
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self
                    .arrived
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            };
            state.readers -= 1;
        }
    }

    /// Lets publishers know that there is room.
    fn popped(&self, mut state: MutexGuard<'_, State>) {
        if self.is_full(&state) {
            return;
        }
        state.patience_ends = None;
        let publishers = state.publishers;
        drop(state);
        if publishers > 0 {
            self.room.notify_all();
        }
    }

    /// What the reader's predicates decided about the event it popped.
    pub(super) fn settle(&self, wanted: bool) {
        let mut state = self.lock();
        state.undecided = false;
        if wanted {
            state.counts.delivered += 1;
        } else {
            state.counts.filtered += 1;
        }
    }

    pub(super) fn unread(&self) -> usize {
        self.lock().queue.len()
    }

    pub(in crate::bus) fn counts(&self) -> MailboxCounts {
        let state = self.lock();
        MailboxCounts {
            unread: state.queue.len() as u64 + u64::from(state.undecided),
            ..state.counts
        }
    }

    // === the end ===

    /// Takes no more events. What is there can still be read.
    pub(in crate::bus) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        self.arrived.notify_all();
        self.room.notify_all();
        wake(waker);
    }

    /// Closes and empties; what was unread counts as discarded.
    pub(in crate::bus) fn discard(&self) -> MailboxCounts {
        let mut state = self.lock();
        state.closed = true;
        let letters = mem::take(&mut state.queue);
        state.counts.discarded += letters.len() as u64;
        let counts = state.counts;
        drop(state);
        self.room.notify_all();
        drop(letters);
        counts
    }

    /// The waker left behind, to be dropped by a reader that goes away.
    pub(super) fn take_waker(&self) -> Option<Waker> {
        self.lock().waker.take()
    }
}

impl State {
    fn is_readable(&self) -> bool {
        !self.queue.is_empty() || self.missed > 0 || self.closed
    }

    /// Takes out the oldest letter; the loss is told in its place.
    fn evict(&mut self) -> Option<Letter> {
        let evicted = self.queue.pop_front();
        let missed = evicted.as_ref().map_or(0, |letter| letter.missed) + 1;
        match self.queue.front_mut() {
            Some(next) => next.missed += missed,
            None => self.missed += missed,
        }
        evicted
    }

    fn pop(&mut self, decide: bool) -> Found {
        let missed = match self.queue.front_mut() {
            Some(letter) => mem::take(&mut letter.missed),
            None => mem::take(&mut self.missed),
        };
        if missed > 0 {
            return Found::Delivery(Delivery::Lagged(missed));
        }
        match self.queue.pop_front() {
            Some(letter) => {
                self.undecided = decide;
                self.counts.delivered += u64::from(!decide);
                Found::Delivery(Delivery::Event(letter.event))
            }
            None if self.closed => Found::Closed,
            None => Found::Empty,
        }
    }
}

/// A waker is somebody else's code on the publisher's thread: its panic ends here.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        contain(|| waker.wake());
    }
}
