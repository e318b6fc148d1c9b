//! Waiting for handlers.
//!
//! Promise: what was published before the call is what is waited for, however it is called; from inside a handler it comes
//! back at once, because waiting for itself would never end.

use std::{sync::Arc, thread, time::Instant};

use super::{Bus, dispatch::Dispatcher};

/// How a [`Bus::flush`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "an incomplete flush means that handlers have not seen everything yet"]
pub struct BusFlush {
    /// Whether every event published before the call has been through all handlers.
    pub complete: bool,
    /// How many have not.
    pub pending: u64,
}

/// The events that a flush waits for.
struct Ticket {
    dispatcher: Arc<Dispatcher>,
    target: u64,
}

impl Ticket {
    fn wait(&self, deadline: Instant) -> BusFlush {
        let pending = self.dispatcher.wait(self.target, deadline);
        BusFlush {
            complete: pending == 0,
            pending,
        }
    }
}

impl Bus {
    /// Waits until every event published before the call has been through all handlers, async ones and those after others
    /// included, or until `deadline`.
    ///
    /// Subscriptions are not waited for: they are read at their owner's pace. Called from inside a handler it returns at
    /// once. Blocks this thread; see [`Bus::flush_async`].
    pub fn flush(&self, deadline: Instant) -> BusFlush {
        self.ticket().wait(deadline)
    }

    /// The same without blocking the task's thread, under any runtime. What is waited for is what was published before the
    /// call, not before the first poll.
    ///
    /// If there is something to wait for, a thread does it; should the system refuse one, this reports how things are.
    pub fn flush_async(
        &self,
        deadline: Instant,
    ) -> impl Future<Output = BusFlush> + Send + 'static {
        let ticket = self.ticket();
        let now = ticket.wait(Instant::now());
        let (done, result) = tokio::sync::oneshot::channel();
        if now.complete || super::here::inside(&ticket.dispatcher) {
            let _ = done.send(now);
        } else {
            // Without a thread, `done` goes with the closure.
            let _ = thread::Builder::new()
                .name("tracing-genai-flush".into())
                .spawn(move || {
                    let _ = done.send(ticket.wait(deadline));
                });
        }
        async move { result.await.unwrap_or(now) }
    }

    fn ticket(&self) -> Ticket {
        let dispatcher = Arc::clone(&self.inner.dispatcher);
        let target = dispatcher.target();
        Ticket { dispatcher, target }
    }
}
