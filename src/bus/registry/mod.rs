//! Who is on the bus: subscriptions, taps, and handlers in layers, of which only the last is seen.
//!
//! Promise: a change is seen whole or not at all, by what is published after it.
//! Never: drops what the application gave, or calls it, with its lock held.

mod dependency;
mod handlers;
mod plan;
mod scope;
mod set;

use std::sync::{Arc, MutexGuard, PoisonError, atomic::Ordering};

pub(super) use self::{dependency::After, plan::Plans, set::HandlerSet};
pub use self::{
    dependency::{CircularDependencyError, DependencyError, Depends},
    scope::HandlerScope,
};
use super::{
    Bus, CLOSED, HandlerId, Inner, ONE,
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

    fn count_interest(&self, registry: &Registry) {
        let interested =
            self.mailboxes.load().len() + self.taps.load().len() + registry.visible().len();
        let closed = self.interest.load(Ordering::Relaxed) & CLOSED;
        self.interest
            .store((interested * ONE) | closed, Ordering::Release);
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
