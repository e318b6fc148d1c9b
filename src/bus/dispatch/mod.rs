//! Call handlers: a queue, one thread that takes an event at a time through the levels, helpers for those who can be
//! called at the same time.
//!
//! Promise: a handler is called with one event after the other, in the order of the queue, and never by whoever publishes.
//! Never: starts a thread before there is a handler for it to call.

mod awaiting;
mod queue;
mod thread;
mod workers;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use self::queue::{Item, Queue};
use super::{
    BusStats,
    failures::Failures,
    filter::Conditions,
    handler::{Call, Callee, Failed},
    here,
    registry::HandlerSet,
};
use crate::{bus::failures::contain, event::Event};

pub(super) struct Dispatcher {
    /// What handlers want, for publishers to compare with. Holds nothing of the application's, so that a publisher who
    /// happens to let go of it last drops nothing of the application's.
    wants: ArcSwap<Vec<Conditions>>,
    queue: Queue,
    /// Tells async handlers that wait for something that the bus is closed.
    closing: Notify,
    skipped: AtomicU64,
    failures: Arc<Failures>,
}

/// What became of a handler for the event at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The event was not for it.
    NotCalled,
    Ok,
    Failed,
    /// It needs one that failed, or was skipped.
    Skipped,
}

impl Dispatcher {
    pub(super) fn new(capacity: usize, failures: Arc<Failures>) -> Self {
        Self {
            wants: ArcSwap::default(),
            queue: Queue::new(capacity),
            closing: Notify::new(),
            skipped: AtomicU64::new(0),
            failures,
        }
    }

    /// Makes these the handlers of what is published from now on. The caller, who holds the lock of the registry, drops what
    /// it returns after giving that back.
    pub(super) fn replace(self: &Arc<Self>, set: Arc<HandlerSet>) -> Option<Arc<HandlerSet>> {
        let wants = set.conditions();
        let displaced = self.queue.change(set, || thread::start(self));
        self.wants.store(Arc::new(wants));
        displaced
    }

    /// Queues the event if a handler wants it.
    pub(super) fn offer(&self, event: Event, depth: u8) {
        let wants = self.wants.load();
        if wants
            .iter()
            .any(|conditions| conditions.match_event(&event))
        {
            self.queue.push(event, depth);
        }
    }

    /// Ends the thread and empties the queue. The caller drops what it returns, outside its locks.
    pub(super) fn close(&self) -> VecDeque<Item> {
        let items = self.queue.close();
        self.wants.store(Arc::default());
        self.closing.notify_one();
        items
    }

    /// How many events will have been handled when all that are pending now are.
    pub(super) fn target(&self) -> u64 {
        self.queue.target()
    }

    /// Waits until that many are, or until `deadline`; how many are missing. Inside a handler it does not wait.
    pub(super) fn wait(self: &Arc<Self>, target: u64, deadline: Instant) -> u64 {
        let deadline = if here::inside(self) {
            Instant::now()
        } else {
            deadline
        };
        self.queue.wait(target, deadline)
    }

    pub(super) fn stats(&self) -> BusStats {
        BusStats {
            handler_skipped: self.skipped.load(Ordering::Relaxed),
            ..self.queue.stats()
        }
    }

    /// Counts how a call went; `None` stands for a panic.
    fn judge(&self, callee: &Callee, went: Option<Result<(), Failed>>) -> Fate {
        let text = match went {
            Some(Ok(())) => return Fate::Ok,
            Some(Err(Failed(text))) => text,
            None => None,
        };
        callee.failed(text.as_deref(), &self.failures);
        Fate::Failed
    }

    /// Calls a synchronous handler.
    fn call(&self, callee: &Callee, event: &Event) -> Fate {
        match &callee.call {
            Call::Sync(call) => {
                let went = contain(|| call(event, callee.show_errors));
                self.judge(callee, went)
            }
            Call::Async(_) => Fate::NotCalled,
        }
    }
}
