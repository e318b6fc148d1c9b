//! Reading events: as an async stream under any runtime, or blocking without one.
//!
//! Promise: `received + Σ Lagged(n)` is exactly what was published while subscribed; dropping it unsubscribes.
//! Never: needs a runtime, a timer or a task of its own.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_core::Stream;

use super::{
    Inner,
    mailbox::{Found, Mailbox},
};
use crate::event::Event;

/// What a subscription yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// An event.
    Event(Event),
    /// At this place, this many events are missing because the reader was too slow. Never zero.
    Lagged(u64),
}

impl Delivery {
    /// The event, unless this tells of a loss.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Lagged(_) => None,
        }
    }

    /// The event itself, unless this tells of a loss.
    pub fn into_event(self) -> Option<Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Lagged(_) => None,
        }
    }
}

/// What happens to an event that finds a subscription full. Blocking the publisher is not offered: one slow
/// reader would stop everybody's telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// The oldest unread event makes room. For readers that want to know how things are now.
    #[default]
    DropOldest,
    /// The new event is not taken. For readers that want unbroken beginnings.
    DropNewest,
}

/// Why [`Subscription::recv_timeout`] came back without anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecvError {
    /// Nothing arrived in time.
    #[error("no event arrived in time")]
    Timeout,
    /// The bus is closed and everything is read.
    #[error("the bus is closed and everything is read")]
    Closed,
}

/// The events of a bus since [`Bus::subscribe`](super::Bus::subscribe), in order.
///
/// Ends when the bus is closed, or its last handle gone, and everything is read. Reading is cooperative under
/// tokio: a reader that never finds the end yields to other tasks now and then.
///
/// ```
/// use tracing_genai::{bus::{Bus, Delivery}, event::{Event, EventData, EventType}};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let bus = Bus::new();
/// let mut events = bus.subscribe();
/// bus.publish(Event::new(EventData::new(EventType::from_lossy("step.started"), std::time::SystemTime::now())));
/// bus.close();
///
/// while let Some(delivery) = events.next().await {
///     match delivery {
///         Delivery::Event(event) => assert!(event.ty == "step.started"),
///         Delivery::Lagged(missed) => unreachable!("{missed} missed"),
///     }
/// }
/// # }
/// ```
#[must_use = "dropping a subscription unsubscribes it, and its unread events are gone"]
pub struct Subscription {
    mailbox: Arc<Mailbox>,
    bus: Weak<Inner>,
}

impl Subscription {
    pub(super) fn new(mailbox: Arc<Mailbox>, bus: Weak<Inner>) -> Self {
        Self { mailbox, bus }
    }

    /// The next delivery, as soon as there is one; `None` at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Delivery> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next delivery, blocking this thread until there is one; `None` at the end. Not for async code.
    pub fn recv(&mut self) -> Option<Delivery> {
        match self.mailbox.pop_blocking(None) {
            Found::Delivery(delivery) => Some(delivery),
            Found::Empty | Found::Closed => None,
        }
    }

    /// The next delivery, blocking this thread for at most `timeout`. Not for async code.
    ///
    /// # Errors
    /// [`RecvError::Timeout`] when nothing arrived, [`RecvError::Closed`] at the end.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Delivery, RecvError> {
        // A timeout beyond what the clock can say is none.
        match self
            .mailbox
            .pop_blocking(Instant::now().checked_add(timeout))
        {
            Found::Delivery(delivery) => Ok(delivery),
            Found::Empty => Err(RecvError::Timeout),
            Found::Closed => Err(RecvError::Closed),
        }
    }

    /// The next delivery if there is one now. `None` may mean "not yet" as well as "the end".
    pub fn try_recv(&mut self) -> Option<Delivery> {
        match self.mailbox.pop() {
            Found::Delivery(delivery) => Some(delivery),
            Found::Empty | Found::Closed => None,
        }
    }

    /// How many events are waiting to be read.
    pub fn unread(&self) -> usize {
        self.mailbox.unread()
    }
}

/// The other end of a subscription: what it was offered, and how to end it.
#[derive(Debug, Clone)]
pub(crate) struct Tail(Arc<Mailbox>);

impl Tail {
    /// Events offered so far, missed ones included.
    pub(crate) fn offered(&self) -> u64 {
        self.0.counts().offered
    }

    /// Offers it nothing more; what is there can still be read.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl Subscription {
    pub(crate) fn tail(&self) -> Tail {
        Tail(Arc::clone(&self.mailbox))
    }
}

impl Stream for Subscription {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let budget = ready!(tokio::task::coop::poll_proceed(cx));
        let item = match self.mailbox.pop_or_register(cx.waker()) {
            Found::Delivery(delivery) => Some(delivery),
            Found::Closed => None,
            Found::Empty => return Poll::Pending,
        };
        budget.made_progress();
        Poll::Ready(item)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            bus.unsubscribe(&self.mailbox);
        }
        drop(self.mailbox.take_waker());
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("unread", &self.unread())
            .finish_non_exhaustive()
    }
}
