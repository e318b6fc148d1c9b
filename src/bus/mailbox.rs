//! The bounded queue of one subscription.
//!
//! Promise: pushing never blocks longer than a reader takes to pop one event; every event pushed is read,
//! counted as missed in its place, still there, or discarded at the end.
//! Never: runs a waker, or drops one, under its lock.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::Waker,
    time::Instant,
};

use super::subscription::{Delivery, Overflow};
use crate::event::Event;

#[derive(Debug)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    arrived: Condvar,
    capacity: usize,
    overflow: Overflow,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Letter>,
    /// Missed after the last letter in the queue.
    missed: u64,
    waker: Option<Waker>,
    /// Readers blocked on `arrived`: a notification costs a system call even when nobody waits.
    waiting: usize,
    closed: bool,
    counts: MailboxCounts,
}

#[derive(Debug)]
struct Letter {
    /// How many events are missing right before this one.
    missed: u64,
    event: Event,
}

/// What happened to the events offered to subscriptions. `offered` is the sum of the others.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MailboxCounts {
    pub(super) offered: u64,
    pub(super) delivered: u64,
    pub(super) lagged: u64,
    pub(super) unread: u64,
    pub(super) discarded: u64,
}

impl MailboxCounts {
    pub(super) fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.delivered += other.delivered;
        self.lagged += other.lagged;
        self.unread += other.unread;
        self.discarded += other.discarded;
    }
}

/// What a reader found.
#[derive(Debug)]
pub(super) enum Found {
    Delivery(Delivery),
    Empty,
    Closed,
}

impl Mailbox {
    pub(super) fn new(capacity: usize, overflow: Overflow) -> Self {
        Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            capacity,
            overflow,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, event: Event) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.counts.offered += 1;
        let mut evicted = None;
        if state.queue.len() >= self.capacity {
            state.counts.lagged += 1;
            match self.overflow {
                Overflow::DropNewest => {
                    state.missed += 1;
                    return;
                }
                Overflow::DropOldest => {
                    evicted = state.queue.pop_front();
                    let missed = evicted.as_ref().map_or(0, |letter| letter.missed) + 1;
                    match state.queue.front_mut() {
                        Some(next) => next.missed += missed,
                        None => state.missed += missed,
                    }
                }
            }
        }
        let missed = std::mem::take(&mut state.missed);
        state.queue.push_back(Letter { missed, event });
        let waker = state.waker.take();
        let waiting = state.waiting > 0;
        drop(state);
        drop(evicted);
        if waiting {
            self.arrived.notify_one();
        }
        wake(waker);
    }

    pub(super) fn pop(&self) -> Found {
        self.lock().pop()
    }

    /// Pops, or else leaves `waker` to be woken by the next event or by the end.
    pub(super) fn pop_or_register(&self, waker: &Waker) -> Found {
        let found = self.pop();
        if !matches!(found, Found::Empty) {
            return found;
        }
        // Cloning and dropping a waker is user code, so both happen outside the lock.
        let waker = waker.clone();
        let mut state = self.lock();
        let found = state.pop();
        let replaced = match found {
            Found::Empty => state.waker.replace(waker),
            Found::Delivery(_) | Found::Closed => Some(waker),
        };
        drop(state);
        drop(replaced);
        found
    }

    /// Pops, waiting for an event or the end until `deadline`; without one, for as long as it takes.
    pub(super) fn pop_blocking(&self, deadline: Option<Instant>) -> Found {
        let mut state = self.lock();
        loop {
            let found = state.pop();
            if !matches!(found, Found::Empty) {
                return found;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Found::Empty;
            }
            state.waiting += 1;
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
            state.waiting -= 1;
        }
    }

    pub(super) fn unread(&self) -> usize {
        self.lock().queue.len()
    }

    pub(super) fn counts(&self) -> MailboxCounts {
        let state = self.lock();
        MailboxCounts {
            unread: state.queue.len() as u64,
            ..state.counts
        }
    }

    /// Takes no more events. What is there can still be read.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        self.arrived.notify_all();
        wake(waker);
    }

    /// Closes and empties; what was unread counts as discarded.
    pub(super) fn discard(&self) -> MailboxCounts {
        let mut state = self.lock();
        state.closed = true;
        let letters = std::mem::take(&mut state.queue);
        state.counts.discarded += letters.len() as u64;
        let counts = state.counts;
        drop(state);
        drop(letters);
        counts
    }

    /// The waker left behind, to be dropped by a reader that goes away.
    pub(super) fn take_waker(&self) -> Option<Waker> {
        self.lock().waker.take()
    }
}

impl State {
    fn pop(&mut self) -> Found {
        let missed = match self.queue.front_mut() {
            Some(letter) => std::mem::take(&mut letter.missed),
            None => std::mem::take(&mut self.missed),
        };
        if missed > 0 {
            return Found::Delivery(Delivery::Lagged(missed));
        }
        match self.queue.pop_front() {
            Some(letter) => {
                self.counts.delivered += 1;
                Found::Delivery(Delivery::Event(letter.event))
            }
            None if self.closed => Found::Closed,
            None => Found::Empty,
        }
    }
}

/// A waker is somebody else's code on the publisher's thread: its panic ends here.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
    {
        // Dropping the payload could panic again.
        std::mem::forget(payload);
    }
}
