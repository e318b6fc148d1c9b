//! Requests to the telemetry thread, and the answers: flush and shutdown.
//!
//! Promise: what was pushed before a request is processed before its answer; the caller waits no longer than its timeout.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Flush,
    Shutdown,
}

/// One request as the telemetry thread sees it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: Ask,
    pub(crate) deadline: Instant,
    /// Told when everything has been processed: handed to bus, console, metrics and exporters.
    pub(crate) processed: Sender<()>,
    /// Told when everything has been delivered or given up: whether that was before the deadline.
    pub(crate) settled: Sender<bool>,
}

/// The same request as its caller sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) processed: Receiver<()>,
    pub(crate) settled: Receiver<bool>,
}

impl Answer {
    /// Waits for one of the two; `None` if the time was up or the thread is gone.
    pub(crate) fn wait<T>(receiver: &Receiver<T>, deadline: Instant) -> Option<T> {
        receiver
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .ok()
    }
}

/// Requests that wait for the telemetry thread.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    requests: Vec<Request>,
    closed: bool,
}

impl Inbox {
    /// Puts a request; after [`close`](Self::close) its answer is known at once to be none.
    pub(crate) fn put(&self, ask: Ask, deadline: Instant) -> Answer {
        let (processed_tx, processed) = channel();
        let (settled_tx, settled) = channel();
        let request = Request {
            ask,
            deadline,
            processed: processed_tx,
            settled: settled_tx,
        };
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.requests.push(request);
        }
        drop(waiting);
        Answer { processed, settled }
    }

    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut self.lock().requests)
    }

    /// The thread is gone: nobody waits for it any longer.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.requests.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
