//! What a subscription yields, what it does when it is full, how a bounded wait for it ends.

use std::time::Duration;

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

/// What happens to an event that finds a subscription full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The oldest unread event makes room. For readers that want to know how things are now.
    #[default]
    DropOldest,
    /// The new event is not taken. For readers that want unbroken beginnings.
    DropNewest,
    /// Whoever publishes waits for room, `at_most` this long each time the reader falls behind; after that new events are
    /// not taken, without waiting, until the reader has made room.
    ///
    /// For readers that would rather slow everybody down than miss something, and are quick on the whole. Whoever
    /// publishes is usually the telemetry thread: what it waits here, every export and every other reader waits too, and
    /// the application's records queue up meanwhile. A reader that publishes itself, or a handler that reads, may wait for
    /// itself, and goes on after `at_most`.
    Block {
        /// How long, up to [`Overflow::LONGEST_BLOCK`].
        at_most: Duration,
    },
}

impl Overflow {
    /// A longer [`Overflow::Block`] is this one. Long enough for a debugger's break; a reader that is gone for longer is
    /// not coming back, and the records of the application have been queueing all the while.
    pub const LONGEST_BLOCK: Duration = Duration::from_secs(60);
}

/// Why [`Subscription::recv_timeout`](super::Subscription::recv_timeout) came back without anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecvError {
    /// Nothing arrived in time.
    #[error("no event arrived in time")]
    Timeout,
    /// The bus is closed and everything is read.
    #[error("the bus is closed and everything is read")]
    Closed,
}
