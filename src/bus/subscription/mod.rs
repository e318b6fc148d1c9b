//! Reading events: as an async stream under any runtime, or blocking without one.
//!
//! Promise: `received + refused by its predicates + Σ Lagged(n)` is exactly what was published for it while subscribed;
//! dropping it unsubscribes. Never: needs a runtime, a timer or a task of its own.

mod builder;
mod counts;
mod delivery;
mod mailbox;

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_core::Stream;

use self::mailbox::Found;
pub use self::{
    builder::SubscriptionBuilder,
    delivery::{Delivery, Overflow, RecvError},
};
pub(super) use self::{counts::MailboxCounts, mailbox::Mailbox};
use super::{
    Inner,
    failures::Failures,
    filter::{Predicate, holds_all},
};

/// The events of a bus since [`Bus::subscribe`](super::Bus::subscribe), in order.
///
/// One opened with a [`filter`](SubscriptionBuilder::filter) of the application's own asks it here, as it is read, and passes
/// over what it refuses. [`Delivery::Lagged`] then counts events that it might have refused as well.
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
    /// Asked here, on the reader's thread.
    predicates: Vec<Predicate>,
    failures: Arc<Failures>,
    bus: Weak<Inner>,
}

impl Subscription {
    fn new(mailbox: Arc<Mailbox>, predicates: Vec<Predicate>, bus: &Arc<Inner>) -> Self {
        Self {
            mailbox,
            predicates,
            failures: Arc::clone(&bus.failures),
            bus: Arc::downgrade(bus),
        }
    }

    /// The next delivery, as soon as there is one; `None` at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Delivery> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The next delivery, blocking this thread until there is one; `None` at the end. Not for async code.
    pub fn recv(&mut self) -> Option<Delivery> {
        match self.wanted(|mailbox, decide| mailbox.pop_blocking(decide, None)) {
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
        let deadline = Instant::now().checked_add(timeout);
        match self.wanted(|mailbox, decide| mailbox.pop_blocking(decide, deadline)) {
            Found::Delivery(delivery) => Ok(delivery),
            Found::Empty => Err(RecvError::Timeout),
            Found::Closed => Err(RecvError::Closed),
        }
    }

    /// The next delivery if there is one now. `None` may mean "not yet" as well as "the end".
    pub fn try_recv(&mut self) -> Option<Delivery> {
        match self.wanted(Mailbox::pop) {
            Found::Delivery(delivery) => Some(delivery),
            Found::Empty | Found::Closed => None,
        }
    }

    /// How many events are waiting to be read, including those that a [filter](SubscriptionBuilder::filter) will refuse.
    pub fn unread(&self) -> usize {
        self.mailbox.unread()
    }

    /// Pops until something is wanted, there is nothing, or the end.
    fn wanted(&self, pop: impl Fn(&Mailbox, bool) -> Found) -> Found {
        let decide = !self.predicates.is_empty();
        loop {
            let found = pop(&self.mailbox, decide);
            if !decide || self.decide(&found) {
                return found;
            }
        }
    }

    /// Asks the predicates about what was popped. Losses and ends are always wanted.
    fn decide(&self, found: &Found) -> bool {
        let Found::Delivery(Delivery::Event(event)) = found else {
            return true;
        };
        let wanted = holds_all(&self.predicates, event, &self.failures);
        self.mailbox.settle(wanted);
        wanted
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
        let decide = !self.predicates.is_empty();
        loop {
            let budget = ready!(tokio::task::coop::poll_proceed(cx));
            let found = self.mailbox.pop_or_register(decide, cx.waker());
            if matches!(found, Found::Empty) {
                return Poll::Pending;
            }
            budget.made_progress();
            if decide && !self.decide(&found) {
                continue;
            }
            return Poll::Ready(match found {
                Found::Delivery(delivery) => Some(delivery),
                Found::Empty | Found::Closed => None,
            });
        }
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
