//! Changing the handlers: adding, ordering, hiding and bringing back.
//!
//! Promise: what cannot be ordered is refused as a whole. Never: drops a handler with the lock held.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{DependencyError, Depends, HandlerScope, HandlerSet, Registry};
use crate::bus::{Bus, Handler, HandlerId, Inner, failures::contain};

impl Bus {
    /// Adds a handler that depends on nothing, which nothing can be wrong with.
    pub(crate) fn put(&self, handler: Handler) -> HandlerId {
        let id = handler.id().clone();
        let mut registry = self.inner.registry();
        let set = registry.visible().with(vec![handler]);
        let replaced = self.inner.show(&mut registry, Arc::new(set));
        drop(registry);
        contain(|| drop(replaced));
        id
    }

    /// Adds a handler, from the next event on. On a closed bus nothing is added, and that is no error.
    ///
    /// # Errors
    /// When it comes after one that is not there, or after itself.
    pub fn add(&self, handler: Handler) -> Result<HandlerId, DependencyError> {
        let id = handler.id().clone();
        self.add_all([handler]).map(|_| id)
    }

    /// Adds handlers that may depend on each other, all at once: no event reaches some of them only.
    ///
    /// ```
    /// use tracing_genai::bus::{Bus, Handler};
    ///
    /// let bus = Bus::new();
    /// bus.add_all([
    ///     Handler::named("report").on_event(|_| { /* … */ }).after("price").after("scan"),
    ///     Handler::named("price").on_event(|_| { /* … */ }),
    ///     Handler::named("scan").on_event(|_| { /* … */ }),
    /// ])?;
    /// # Ok::<(), tracing_genai::bus::DependencyError>(())
    /// ```
    ///
    /// # Errors
    /// When one comes after another that is neither in the batch nor on the bus, or some come after each other in a circle;
    /// none is added then.
    pub fn add_all(
        &self,
        handlers: impl IntoIterator<Item = Handler>,
    ) -> Result<Vec<HandlerId>, DependencyError> {
        let handlers: Vec<_> = handlers.into_iter().collect();
        let ids = handlers
            .iter()
            .map(|handler| handler.id().clone())
            .collect();
        let mut registry = self.inner.registry();
        let known = registry.visible().len();
        let set = Arc::new(registry.visible().with(handlers));
        let checked = set.check(known);
        let replaced = match checked {
            Ok(()) => self.inner.show(&mut registry, set),
            Err(_) => vec![set],
        };
        drop(registry);
        contain(|| drop(replaced));
        checked.map(|()| ids)
    }
}

impl Inner {
    /// Makes `set` the visible handlers, unless the bus is closed. The caller drops what it returns, without the lock.
    pub(super) fn show(
        &self,
        registry: &mut Registry,
        set: Arc<HandlerSet>,
    ) -> Vec<Arc<HandlerSet>> {
        if self.is_closed() {
            return vec![set];
        }
        let replaced = mem::replace(&mut registry.visible.set, Arc::clone(&set));
        let displaced = self.dispatcher.replace(set);
        self.count_interest(registry);
        std::iter::once(replaced).chain(displaced).collect()
    }

    pub(in crate::bus) fn depend(&self, depends: &Depends) -> Result<(), DependencyError> {
        let mut registry = self.registry();
        let set = registry.visible().depending(depends)?;
        let replaced = self.show(&mut registry, Arc::new(set));
        drop(registry);
        contain(|| drop(replaced));
        Ok(())
    }

    pub(in crate::bus) fn enter(self: &Arc<Self>) -> HandlerScope {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let scope = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let mut registry = self.registry();
        let outer = registry.visible.clone();
        registry.hidden.push(outer);
        registry.visible.scope = scope;
        let replaced = self.show(&mut registry, Arc::default());
        drop(registry);
        contain(|| drop(replaced));
        HandlerScope {
            scope,
            bus: Arc::downgrade(self),
        }
    }

    /// Ends a scope, which need not be the innermost.
    pub(super) fn leave(&self, scope: u64) {
        let mut registry = self.registry();
        let mut replaced = Vec::new();
        if registry.visible.scope == scope {
            registry.visible().retire();
            if let Some(outer) = registry.hidden.pop() {
                registry.visible.scope = outer.scope;
                replaced = self.show(&mut registry, outer.set);
            }
        } else if let Some(at) = registry
            .hidden
            .iter()
            .position(|layer| layer.scope == scope)
        {
            let layer = registry.hidden.remove(at);
            layer.set.retire();
            replaced.push(layer.set);
        }
        drop(registry);
        contain(|| drop(replaced));
    }
}
