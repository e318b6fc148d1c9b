//! A handler as the bus holds it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{HandlerId, call::Call};
use crate::{
    bus::{failures::Failures, filter::Filter},
    diagnostics,
    event::Event,
};

pub(in crate::bus) struct Callee {
    pub(in crate::bus) id: HandlerId,
    pub(in crate::bus) filter: Filter,
    pub(in crate::bus) call: Call,
    pub(in crate::bus) show_errors: bool,
    active: AtomicBool,
}

impl Callee {
    pub(super) fn new(id: HandlerId, filter: Filter, call: Call, show_errors: bool) -> Self {
        Self {
            id,
            filter,
            call,
            show_errors,
            active: AtomicBool::new(true),
        }
    }

    /// Whether the event is for it, now. Asks its predicates.
    pub(in crate::bus) fn is_due(&self, event: &Event, failures: &Failures) -> bool {
        self.active.load(Ordering::Acquire) && self.filter.passes(event, failures)
    }

    /// No call begins after this.
    pub(in crate::bus) fn retire(&self) {
        self.active.store(false, Ordering::Release);
    }

    /// Counts a failure, and shows what it said, if anything.
    pub(in crate::bus) fn failed(&self, text: Option<&str>, failures: &Failures) {
        let name = self.id.name();
        failures.count(name);
        if let Some(text) = text {
            let topic = format!("handler {name}");
            diagnostics::say_once(&topic, format_args!("handler {name} failed: {text}"));
        }
    }
}
