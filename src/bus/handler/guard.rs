//! Handlers and taps for as long as somebody holds on to them.

use std::sync::Weak;

use super::HandlerId;
use crate::bus::{Bus, Inner};

/// Removes a handler or a tap when dropped; from [`Bus::guard`].
#[derive(Debug)]
#[must_use = "dropping the guard removes the handler"]
pub struct HandlerGuard {
    id: HandlerId,
    bus: Weak<Inner>,
}

impl HandlerGuard {
    /// The handler it guards.
    pub fn id(&self) -> &HandlerId {
        &self.id
    }

    /// Gives up the guard: the handler stays.
    pub fn keep(mut self) -> HandlerId {
        self.bus = Weak::new();
        self.id.clone()
    }
}

impl Drop for HandlerGuard {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            bus.off(&self.id);
        }
    }
}

impl Bus {
    /// Ties a handler or a tap to a guard, whose drop removes it. Does not keep the bus alive.
    ///
    /// ```
    /// # use tracing_genai::bus::Bus;
    /// let bus = Bus::new();
    /// let watching = bus.guard(bus.on_event(|_| { /* … */ }));
    /// assert!(bus.has_interest());
    /// drop(watching);
    /// assert!(!bus.has_interest());
    /// ```
    pub fn guard(&self, id: HandlerId) -> HandlerGuard {
        HandlerGuard {
            id,
            bus: std::sync::Arc::downgrade(&self.inner),
        }
    }
}
