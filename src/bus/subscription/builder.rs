//! Opening a subscription: which events, how many unread, what then.

use std::sync::Arc;

use super::{Mailbox, Overflow, Subscription};
use crate::{
    bus::{
        Bus,
        filter::{Condition, Filter, narrowing},
    },
    event::ParseEventTypeError,
};

/// A subscription about to be opened, from [`Bus::subscription`].
///
/// ```
/// use tracing_genai::{bus::{Bus, Overflow}, event::Level};
///
/// let bus = Bus::new();
/// let mut warnings = bus
///     .subscription()
///     .pattern("tool.call.*")?
///     .channel("TOOL")
///     .level(Level::Warn)
///     .filter(|event| event.attr("tool.attempt").is_some())
///     .capacity(100)
///     .overflow(Overflow::DropNewest)
///     .open();
/// # assert!(warnings.try_recv().is_none());
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
#[derive(Debug)]
#[must_use = "a subscription begins with `open`"]
pub struct SubscriptionBuilder<'b> {
    bus: &'b Bus,
    filter: Filter,
    capacity: usize,
    overflow: Overflow,
}

impl SubscriptionBuilder<'_> {
    /// Only events that `filter` wants, in place of all conditions given before.
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    narrowing!();

    /// How many unread events it holds, at least one. Default [`Bus::SUBSCRIPTION_CAPACITY`].
    ///
    /// Events that a [`filter`](Self::filter) refuses take up room until they are read over.
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events;
        self
    }

    /// What happens to an event that finds it full. Default [`Overflow::DropOldest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Subscribes, from now on. On a closed bus it ends at once.
    pub fn open(self) -> Subscription {
        let Filter {
            conditions,
            predicates,
        } = self.filter;
        let mailbox = Arc::new(Mailbox::new(conditions, self.capacity, self.overflow));
        self.bus.inner.subscribe(&mailbox);
        Subscription::new(mailbox, predicates, &self.bus.inner)
    }

    fn filter_mut(&mut self) -> &mut Filter {
        &mut self.filter
    }
}

impl Bus {
    /// A subscription to every event from now on: [`Bus::SUBSCRIPTION_CAPACITY`], [`Overflow::DropOldest`].
    pub fn subscribe(&self) -> Subscription {
        self.subscription().open()
    }

    /// The same for the events of some types: `llm.call.*`, `*.failed`, a name of a known dialect; see
    /// [`Pattern`](crate::event::Pattern).
    ///
    /// # Errors
    /// When `pattern` is none.
    pub fn subscribe_to(&self, pattern: &str) -> Result<Subscription, ParseEventTypeError> {
        Ok(self.subscription().pattern(pattern)?.open())
    }

    /// The same to every event, for up to `capacity` unread ones, at least one, and then as `overflow` says.
    pub fn subscribe_with(&self, capacity: usize, overflow: Overflow) -> Subscription {
        self.subscription()
            .capacity(capacity)
            .overflow(overflow)
            .open()
    }

    /// Begins a subscription to some events.
    pub fn subscription(&self) -> SubscriptionBuilder<'_> {
        SubscriptionBuilder {
            bus: self,
            filter: Filter::new(),
            capacity: Self::SUBSCRIPTION_CAPACITY,
            overflow: Overflow::default(),
        }
    }
}
