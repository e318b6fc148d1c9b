//! What a bus says about itself. Promise: every event it was given is in exactly one of these numbers per reader.

use std::collections::BTreeMap;

/// What a bus has done so far. Numbers are taken one after another; they add up when nothing moves meanwhile.
///
/// For subscriptions, `offered = delivered + lagged + unread + discarded`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BusStats {
    /// Events published while there was a subscription or a handler.
    pub published: u64,
    /// Subscriptions now.
    pub subscriptions: usize,
    /// Events times the subscriptions there were when each was published.
    pub offered: u64,
    /// Of those, how many were read.
    pub delivered: u64,
    /// Of those, how many found their subscription full, whether or not its reader has been told yet.
    pub lagged: u64,
    /// Of those, how many wait to be read.
    pub unread: u64,
    /// Of those, how many were unread when their subscription was dropped.
    pub discarded: u64,
    /// Handlers now.
    pub handlers: usize,
    /// Events that were through all their handlers.
    pub handled: u64,
    /// Events that wait for the handlers' thread, or are with a handler.
    pub handler_pending: u64,
    /// Events that never reached a handler because the handlers' queue was full.
    pub handler_lagged: u64,
    /// Events that were waiting for handlers when the bus was closed.
    pub handler_discarded: u64,
    /// Panics by handler name. Past 256 names, further ones count under `(others)`.
    pub handler_errors: BTreeMap<String, u64>,
    /// Events dropped because handlers caused them more than [`Bus::MAX_DEPTH`](super::Bus::MAX_DEPTH) deep.
    pub too_deep: u64,
    /// Events published after the bus was closed.
    pub after_close: u64,
}

/// How a [`Bus::flush`](super::Bus::flush) ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "an incomplete flush means that handlers have not seen everything yet"]
pub struct BusFlush {
    /// Whether every event published before the call has been through all handlers.
    pub complete: bool,
    /// How many have not.
    pub pending: u64,
}
