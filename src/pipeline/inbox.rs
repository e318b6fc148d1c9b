//! Requests to the telemetry thread, and the answers: flush and shutdown.
//!
//! Promise: what was pushed before a request is processed before its answer; the caller waits no longer than its timeout.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
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
    /// Told when everything has been delivered or given up.
    pub(crate) settled: Sender<()>,
}

/// The same request as its caller sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) processed: Receiver<()>,
    pub(crate) settled: Receiver<()>,
    pub(crate) deadline: Instant,
}

impl Answer {
    /// Waits for one of the two; false if the time was up or the thread is gone.
    pub(crate) fn wait(receiver: &Receiver<()>, deadline: Instant) -> bool {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => false,
        }
    }
}

/// Requests that wait for the telemetry thread.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Vec<Request>>);

impl Inbox {
    pub(crate) fn put(&self, ask: Ask, deadline: Instant) -> Answer {
        let (processed_tx, processed) = channel();
        let (settled_tx, settled) = channel();
        let request = Request {
            ask,
            deadline,
            processed: processed_tx,
            settled: settled_tx,
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
        Answer {
            processed,
            settled,
            deadline,
        }
    }

    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
