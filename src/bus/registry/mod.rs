//! Who is on the bus: subscriptions, taps, and handlers in layers, of which only the last is seen.
//!
//! Promise: a change is seen whole or not at all, by what is published after it.
//! Never: drops what the application gave, or calls it, with its lock held.

mod dependency;
mod plan;
mod scope;
mod set;

use std::sync::{
    Arc, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

pub(super) use self::{dependency::After, plan::Plans, set::HandlerSet};
pub use self::{
    dependency::{CircularDependencyError, DependencyError, Depends},
    scope::HandlerScope,
};
use super::{
    Bus, CLOSED, Handler, HandlerId, Inner, ONE,
    failures::contain,
    subscription::{Mailbox, MailboxCounts},
    tap::Tap,
};

/// Guards changes. What publishing needs of it is in [`Inner`], lock-free.
#[derive(Default)]
pub(super) struct Registry {
    /// What subscriptions counted that no longer exist.
    pub(super) retired: MailboxCounts,
    /// Hidden under [`Registry::set`], the outermost first, each with the scope that hides it.
    hidden: Vec<Layer>,
    /// The visible handlers, and the scope they were added in; 0 outside of any.
    visible: Layer,
}

#[derive(Default, Clone)]
struct Layer {
    scope: u64,
    set: Arc<HandlerSet>,
}

impl Registry {
    pub(super) fn visible(&self) -> &HandlerSet {
        &self.visible.set
    }
}

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

    /// Removes a handler or a tap, or all of a name; whether there was one. No call begins afterwards, but one may still be
    /// running. May be called from inside a handler, even the one it removes.
    ///
    /// Handlers that come after it stay, and are called as if they did not; see [`Bus::validate_dependencies`].
    pub fn off(&self, id: impl Into<HandlerId>) -> bool {
        self.inner.off(&id.into())
    }
}

// What follows takes and gives back the lock; what it removes is dropped after that.
impl Inner {
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.interest.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Makes `set` the visible handlers, unless the bus is closed. The caller drops what it returns, without the lock.
    fn show(&self, registry: &mut Registry, set: Arc<HandlerSet>) -> Vec<Arc<HandlerSet>> {
        if self.is_closed() {
            return vec![set];
        }
        let replaced = std::mem::replace(&mut registry.visible.set, Arc::clone(&set));
        let displaced = self.dispatcher.replace(set);
        self.count_interest(registry);
        std::iter::once(replaced).chain(displaced).collect()
    }

    fn count_interest(&self, registry: &Registry) {
        let interested =
            self.mailboxes.load().len() + self.taps.load().len() + registry.visible().len();
        let closed = self.interest.load(Ordering::Relaxed) & CLOSED;
        self.interest
            .store(interested * ONE | closed, Ordering::Release);
    }

    pub(super) fn depend(&self, depends: &Depends) -> Result<(), DependencyError> {
        let mut registry = self.registry();
        let set = registry.visible().depending(depends)?;
        let replaced = self.show(&mut registry, Arc::new(set));
        drop(registry);
        contain(|| drop(replaced));
        Ok(())
    }

    pub(super) fn off(&self, id: &HandlerId) -> bool {
        let mut registry = self.registry();
        let visible = registry.visible().without(id);
        let mut found = visible.is_some();
        let mut replaced = match visible {
            Some(set) => self.show(&mut registry, Arc::new(set)),
            None => Vec::new(),
        };
        for layer in &mut registry.hidden {
            if let Some(set) = layer.set.without(id) {
                replaced.push(std::mem::replace(&mut layer.set, Arc::new(set)));
                found = true;
            }
        }
        let taps = self.taps.load_full();
        let (removed, kept): (Vec<_>, Vec<_>) =
            taps.iter().cloned().partition(|tap| id.means(tap.id()));
        if !removed.is_empty() {
            found = true;
            removed.iter().for_each(|tap| tap.retire());
            self.taps.store(Arc::new(kept));
            self.count_interest(&registry);
        }
        drop(registry);
        contain(|| drop(replaced));
        contain(|| drop((removed, taps)));
        found
    }

    // === scopes ===

    pub(super) fn enter(self: &Arc<Self>) -> HandlerScope {
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
    fn leave(&self, scope: u64) {
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

    // === subscriptions ===

    pub(super) fn subscribe(&self, mailbox: &Arc<Mailbox>) {
        let registry = self.registry();
        if self.is_closed() {
            mailbox.close();
        } else {
            let mut mailboxes = self.mailboxes.load().to_vec();
            mailboxes.push(Arc::clone(mailbox));
            self.mailboxes.store(Arc::new(mailboxes));
            self.count_interest(&registry);
        }
    }

    pub(super) fn unsubscribe(&self, mailbox: &Arc<Mailbox>) {
        let mut registry = self.registry();
        let current = self.mailboxes.load_full();
        if let Some(at) = current.iter().position(|known| Arc::ptr_eq(known, mailbox)) {
            let mut mailboxes = current.to_vec();
            mailboxes.remove(at);
            self.mailboxes.store(Arc::new(mailboxes));
            self.count_interest(&registry);
            registry.retired.add(&mailbox.discard());
        }
    }

    // === taps ===

    pub(super) fn add_tap(&self, tap: Arc<Tap>) {
        let registry = self.registry();
        if self.is_closed() {
            drop(registry);
            contain(|| drop(tap));
            return;
        }
        let mut taps = self.taps.load().to_vec();
        taps.push(tap);
        let replaced = self.taps.swap(Arc::new(taps));
        self.count_interest(&registry);
        drop(registry);
        contain(|| drop(replaced));
    }

    // === the end ===

    pub(super) fn close(&self) {
        let mut registry = self.registry();
        self.interest.fetch_or(CLOSED, Ordering::AcqRel);
        let visible = std::mem::take(&mut registry.visible);
        let hidden = std::mem::take(&mut registry.hidden);
        for layer in hidden.iter().chain([&visible]) {
            layer.set.retire();
        }
        let queued = self.dispatcher.close();
        let taps = self.taps.swap(Arc::default());
        self.count_interest(&registry);
        let mailboxes = self.mailboxes.load_full();
        drop(registry);
        // User code from here on: what handlers and taps captured, and the readers' wakers.
        contain(|| drop(queued));
        contain(|| drop((visible, hidden)));
        contain(|| drop(taps));
        for mailbox in mailboxes.iter() {
            mailbox.close();
        }
    }
}
