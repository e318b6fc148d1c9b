//! Handlers for the length of a test.

use std::sync::Weak;

use crate::bus::{Bus, Inner};

/// While it lives, the handlers there were are hidden; from [`Bus::scoped`].
#[derive(Debug)]
#[must_use = "dropping it ends the scope"]
pub struct HandlerScope {
    pub(super) scope: u64,
    pub(super) bus: Weak<Inner>,
}

impl Drop for HandlerScope {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            bus.leave(self.scope);
        }
    }
}

impl Bus {
    /// Hides all handlers until the scope is dropped, by a panic as well: those added meanwhile are removed then, and the
    /// hidden ones are back with their dependencies. Scopes may be nested.
    ///
    /// What was published before still reaches the hidden handlers; what is published inside never does. Subscriptions and
    /// taps are not concerned. The scope is the bus's, not the thread's: for tests on a bus of their own.
    ///
    /// ```
    /// # use tracing_genai::bus::Bus;
    /// let bus = Bus::new();
    /// bus.on_event(|_| { /* pages somebody */ });
    /// {
    ///     let _scope = bus.scoped();
    ///     bus.on_event(|_| { /* what the test looks at */ });
    ///     assert_eq!(bus.stats().handlers, 1);
    /// }
    /// assert_eq!(bus.stats().handlers, 1);
    /// ```
    pub fn scoped(&self) -> HandlerScope {
        self.inner.enter()
    }
}
