//! What a bus says about itself. Promise: every event it was given is in exactly one of these numbers per reader.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use super::Inner;

/// What a bus has done so far. Numbers are taken one after another; they add up when nothing moves meanwhile.
///
/// For subscriptions, `offered = delivered + filtered + lagged + unread + discarded`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusStats {
    /// Events published while there was a subscription, a handler or a tap, replayed ones included.
    pub published: u64,
    /// Of those, how many were shown again; see [`Bus::replay`](super::Bus::replay).
    pub replayed: u64,
    /// Subscriptions now.
    pub subscriptions: usize,
    /// Events times the subscriptions there were when each was published, counting those whose declared conditions it met.
    pub offered: u64,
    /// Of those, how many were read.
    pub delivered: u64,
    /// Of those, how many a [filter](super::SubscriptionBuilder::filter) refused when they were read.
    pub filtered: u64,
    /// Of those, how many found their subscription full, whether or not its reader has been told yet.
    pub lagged: u64,
    /// Of those, how many wait to be read.
    pub unread: u64,
    /// Of those, how many were unread when their subscription was dropped.
    pub discarded: u64,
    /// How many times publishing waited for a subscription with [`Overflow::Block`](super::Overflow::Block), in vain or not.
    pub blocked: u64,
    /// Taps now.
    pub taps: usize,
    /// Handlers now, without those that a [scope](super::Bus::scoped) hides.
    pub handlers: usize,
    /// Events that were through all their handlers.
    pub handled: u64,
    /// Events that wait for the handlers' thread, or are with a handler.
    pub handler_pending: u64,
    /// Events that never reached a handler because the handlers' queue was full.
    pub handler_lagged: u64,
    /// Events that were waiting for handlers, or whose handlers were waiting for something, when the bus was closed.
    pub handler_discarded: u64,
    /// Calls that were not made because a handler they [need](super::Handler::after_ok) failed.
    pub handler_skipped: u64,
    /// Panics and errors by name, of handlers, taps, and filters. Past 256 names, further ones count under `(others)`.
    pub handler_errors: BTreeMap<String, u64>,
    /// Events dropped because handlers or taps caused them more than [`Bus::MAX_DEPTH`](super::Bus::MAX_DEPTH) deep.
    pub too_deep: u64,
    /// Events published after the bus was closed.
    pub after_close: u64,
}

impl Inner {
    pub(super) fn stats(&self) -> BusStats {
        let registry = self.registry();
        let mut counts = registry.retired;
        let handlers = registry.visible().len();
        let mailboxes = self.mailboxes.load_full();
        for mailbox in mailboxes.iter() {
            counts.add(&mailbox.counts());
        }
        drop(registry);
        BusStats {
            published: self.published.load(Ordering::Relaxed),
            replayed: self.replayed.load(Ordering::Relaxed),
            subscriptions: mailboxes.len(),
            offered: counts.offered,
            delivered: counts.delivered,
            filtered: counts.filtered,
            lagged: counts.lagged,
            unread: counts.unread,
            discarded: counts.discarded,
            blocked: counts.blocked,
            taps: self.taps.load().len(),
            handlers,
            handler_errors: self.failures.read(),
            too_deep: self.too_deep.load(Ordering::Relaxed),
            after_close: self.after_close.load(Ordering::Relaxed),
            ..self.dispatcher.stats()
        }
    }
}
