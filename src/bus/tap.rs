//! Taps: code that sees events where they are published, before anybody else.
//!
//! Promise: a tap that panics is counted, and changes nothing for the publisher or for others.
//! Never: holds a lock while a tap runs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    Bus, HandlerId,
    failures::{Failures, contain},
    filter::{Filter, place},
};
use crate::event::Event;

pub(super) struct Tap {
    id: HandlerId,
    filter: Filter,
    see: Box<dyn Fn(&Event) + Send + Sync>,
    active: AtomicBool,
}

impl Tap {
    pub(super) fn id(&self) -> &HandlerId {
        &self.id
    }

    /// No call begins after this.
    pub(super) fn retire(&self) {
        self.active.store(false, Ordering::Release);
    }

    pub(super) fn show(&self, event: &Event, failures: &Failures) {
        if self.active.load(Ordering::Acquire)
            && self.filter.passes(event, failures)
            && contain(|| (self.see)(event)).is_none()
        {
            failures.count(self.id.name());
        }
    }
}

impl Bus {
    /// Shows `see` every event that `filter` wants, inside [`Bus::publish`], on whichever thread that is, before any
    /// subscription has it. [`Bus::off`] removes it.
    ///
    /// For fast code that must not miss anything: a tap has no queue, so it loses nothing, and delays the publisher, usually
    /// the telemetry thread, for as long as it runs. Several threads may be in it at once. What it publishes itself is one
    /// deeper, up to [`Bus::MAX_DEPTH`]. Its panics count under `tap` and this line of code.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
    /// use tracing_genai::bus::{Bus, Filter};
    ///
    /// let failures = Arc::new(AtomicU64::new(0));
    /// let count = Arc::clone(&failures);
    /// let bus = Bus::new();
    /// bus.tap(Filter::new().pattern("*.failed")?, move |_| {
    ///     count.fetch_add(1, Ordering::Relaxed);
    /// });
    /// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
    /// ```
    #[track_caller]
    pub fn tap(&self, filter: Filter, see: impl Fn(&Event) + Send + Sync + 'static) -> HandlerId {
        let id = HandlerId::next(place("tap"));
        self.inner.add_tap(Arc::new(Tap {
            id: id.clone(),
            filter,
            see: Box::new(see),
            active: AtomicBool::new(true),
        }));
        id
    }
}
