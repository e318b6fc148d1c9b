//! The books of subscriptions. Promise: `offered` is the sum of what became of the events.

/// What happened to the events offered to subscriptions: those that met the declared conditions.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::bus) struct MailboxCounts {
    pub(in crate::bus) offered: u64,
    pub(in crate::bus) delivered: u64,
    pub(in crate::bus) filtered: u64,
    pub(in crate::bus) lagged: u64,
    pub(in crate::bus) unread: u64,
    pub(in crate::bus) discarded: u64,
    /// How many events had to wait for room. In no sum: what became of them is counted above.
    pub(in crate::bus) blocked: u64,
}

impl MailboxCounts {
    pub(in crate::bus) fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.delivered += other.delivered;
        self.filtered += other.filtered;
        self.lagged += other.lagged;
        self.unread += other.unread;
        self.discarded += other.discarded;
        self.blocked += other.blocked;
    }
}
