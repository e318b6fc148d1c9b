//! The thread that runs handlers, and the bounded queue before it.
//!
//! Promise: handlers run one after another, in the order of the queue; a panic ends that one call only and is
//! counted under the handler's name.
//! Never: holds its lock while a handler runs, nor starts a thread before there is a handler.

use std::{
    any::Any,
    cell::Cell,
    collections::{BTreeMap, VecDeque},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use arc_swap::ArcSwap;

use super::{BusFlush, BusStats, HandlerId, handler::Handler};
use crate::event::Event;

/// The name of the thread, as debuggers and panic messages show it.
const THREAD: &str = "tracing-genai-bus";

/// Panics are counted under this many names; then under [`OTHER_NAMES`]. Keeps a handler added in a loop, each
/// time under a new name, from growing the map forever.
const ERROR_NAMES: usize = 256;
const OTHER_NAMES: &str = "(others)";

pub(super) struct Dispatcher {
    handlers: ArcSwap<Vec<Arc<Handler>>>,
    queue: Mutex<Queue>,
    /// The dispatcher's thread waits here for work.
    work: Condvar,
    /// Flushes wait here for progress.
    progress: Condvar,
    capacity: usize,
    errors: Mutex<BTreeMap<String, u64>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Event, u8)>,
    /// Events that entered the queue, ever. The position of an event is how many entered before it.
    accepted: u64,
    handled: u64,
    /// An event is with the handlers right now.
    busy: bool,
    lagged: u64,
    discarded: u64,
    started: bool,
    /// The thread waits on `work`: a notification costs a system call even when nobody waits.
    idle: bool,
    flushing: usize,
    closed: bool,
}

impl Queue {
    /// How many events entered and were not handled yet.
    fn pending(&self) -> u64 {
        self.waiting.len() as u64 + u64::from(self.busy)
    }
}

thread_local! {
    /// Inside a handler: the depth of the event it handles, and which dispatcher called it.
    static HANDLING: Cell<Option<(u8, *const Dispatcher)>> = const { Cell::new(None) };
}

/// The depth of an event emitted on this thread now.
pub(super) fn depth_here() -> u8 {
    HANDLING
        .get()
        .map_or(0, |(depth, _)| depth.saturating_add(1))
}

impl Dispatcher {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            handlers: ArcSwap::default(),
            queue: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            capacity,
            errors: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // === registry: called with the bus's registry lock held ===

    /// Adds a handler, and starts the thread if there is none. If the system refuses a thread, the next handler
    /// tries again; until then events for handlers count as lagged.
    pub(super) fn add(self: &Arc<Self>, handler: Handler) {
        let mut queue = self.lock();
        let handler = handler.since(queue.accepted);
        if !queue.started && !queue.closed {
            let dispatcher = Arc::clone(self);
            queue.started = thread::Builder::new()
                .name(THREAD.into())
                .spawn(move || dispatcher.run())
                .is_ok();
        }
        drop(queue);
        let mut handlers = self.handlers.load().to_vec();
        handlers.push(Arc::new(handler));
        self.handlers.store(Arc::new(handlers));
    }

    /// Removes a handler. The caller drops what it returns, outside its locks.
    pub(super) fn remove(&self, id: HandlerId) -> Option<Removed> {
        let current = self.handlers.load_full();
        let at = current.iter().position(|handler| handler.id() == id)?;
        current[at].retire();
        let mut handlers = current.to_vec();
        let removed = handlers.remove(at);
        self.handlers.store(Arc::new(handlers));
        Some(Removed {
            handlers: vec![removed],
            _list: current,
        })
    }

    pub(super) fn handlers(&self) -> usize {
        self.handlers.load().len()
    }

    /// Ends the thread and empties registry and queue. The caller drops what it returns, outside its locks.
    pub(super) fn close(&self) -> Removed {
        let list = self.handlers.swap(Arc::default());
        list.iter().for_each(|handler| handler.retire());
        let mut queue = self.lock();
        queue.closed = true;
        let waiting = mem::take(&mut queue.waiting);
        queue.discarded += waiting.len() as u64;
        drop(queue);
        drop(waiting);
        self.work.notify_all();
        self.progress.notify_all();
        Removed {
            handlers: list.to_vec(),
            _list: list,
        }
    }

    // === publishing ===

    pub(super) fn offer(&self, event: Event, depth: u8) {
        if !self
            .handlers
            .load()
            .iter()
            .any(|handler| handler.wants(&event))
        {
            return;
        }
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        if !queue.started || queue.waiting.len() >= self.capacity {
            queue.lagged += 1;
            return;
        }
        queue.accepted += 1;
        queue.waiting.push_back((event, depth));
        let idle = mem::take(&mut queue.idle);
        drop(queue);
        if idle {
            self.work.notify_one();
        }
    }

    pub(super) fn flush(&self, deadline: Instant) -> BusFlush {
        let from_inside = HANDLING
            .get()
            .is_some_and(|(_, dispatcher)| std::ptr::eq(dispatcher, self));
        let mut queue = self.lock();
        // What is pending now must be handled; what a close discards meanwhile never will be.
        let target = queue.handled + queue.pending();
        while queue.handled < target && !from_inside && !queue.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue.flushing += 1;
            queue = self
                .progress
                .wait_timeout(queue, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            queue.flushing -= 1;
        }
        let pending = target.saturating_sub(queue.handled);
        BusFlush {
            complete: pending == 0,
            pending,
        }
    }

    // === the thread ===

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return;
            }
            let Some((event, depth)) = queue.waiting.pop_front() else {
                queue.idle = true;
                queue = self
                    .work
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let position = queue.accepted - queue.waiting.len() as u64 - 1;
            queue.busy = true;
            drop(queue);

            HANDLING.set(Some((depth, self)));
            contain(|| self.handle(event, position));
            HANDLING.set(None);

            queue = self.lock();
            queue.busy = false;
            queue.handled += 1;
            if queue.flushing > 0 {
                self.progress.notify_all();
            }
        }
    }

    /// Calls every handler the event is for. Takes the event, so that dropping it, or a handler removed
    /// meanwhile, happens inside the caller's containment too.
    fn handle(&self, event: Event, position: u64) {
        let handlers = self.handlers.load_full();
        for handler in handlers
            .iter()
            .filter(|handler| handler.is_due(&event, position))
        {
            if !contain(|| handler.call(&event)) {
                self.count_error(handler.name());
            }
        }
    }

    fn count_error(&self, name: &str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if errors.len() < ERROR_NAMES || errors.contains_key(name) {
            name
        } else {
            OTHER_NAMES
        };
        match errors.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(errors.insert(name.to_owned(), 1)),
        }
    }

    pub(super) fn stats(&self) -> BusStats {
        let queue = self.lock();
        let mut stats = BusStats {
            handlers: self.handlers(),
            handled: queue.handled,
            handler_pending: queue.pending(),
            handler_lagged: queue.lagged,
            handler_discarded: queue.discarded,
            ..BusStats::default()
        };
        drop(queue);
        stats.handler_errors = self
            .errors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        stats
    }
}

/// Handlers no longer registered. What they captured is user code to drop.
pub(super) struct Removed {
    handlers: Vec<Arc<Handler>>,
    _list: Arc<Vec<Arc<Handler>>>,
}

impl Removed {
    pub(super) fn len(&self) -> usize {
        self.handlers.len()
    }
}

/// Runs user code; whether it returned. Its panic ends here, and so does one from dropping the panic's payload.
fn contain(code: impl FnOnce()) -> bool {
    let drop_payload = |payload: Box<dyn Any + Send>| {
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            mem::forget(again);
        }
    };
    catch_unwind(AssertUnwindSafe(code))
        .map_err(drop_payload)
        .is_ok()
}
