//! From the queue to the outlets, on one thread of our own.
//!
//! Owns the queue, the thread with its current-thread runtime, the order in which a record is enriched and handed out, and
//! the handshake of flush and shutdown.
//! Promise: works and ends in bounded time whatever runtime the application has, or none; what a record triggers here is
//! never itself recorded.

pub(crate) mod chain;
pub(crate) mod channels;
pub(crate) mod events;
pub(crate) mod findings;
pub(crate) mod foreign;
pub(crate) mod grave;
pub(crate) mod inbox;
pub(crate) mod levels;
pub(crate) mod names;
mod open;
pub(crate) mod process;
pub(crate) mod queue;
pub(crate) mod recent;
pub(crate) mod thread;
pub(crate) mod window;

/// Rules about events that an application may set.
pub(crate) struct Rules {
    /// What of the content stays, and what is taken out.
    pub(crate) stage: crate::content::Stage,
    /// Who sees events as they were before secrets were taken out.
    pub(crate) raw: Option<crate::bus::Bus>,
    /// Where the last records are kept, unless a history was asked for.
    pub(crate) recent: Option<std::sync::Arc<recent::Recent>>,
    /// How many events back an identical one is looked for.
    pub(crate) dedupe: Option<usize>,
    /// The channels the application says it uses.
    pub(crate) channels: Option<channels::DeclaredChannels>,
    /// What calls are counted by, for those who have a budget.
    pub(crate) budgets: crate::budget::Meter,
}
