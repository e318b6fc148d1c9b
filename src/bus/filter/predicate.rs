//! A question only the application can answer about an event.
//!
//! Promise: a panic of it counts under its name and means no. Never: asked under a lock.

use std::{fmt, sync::Arc};

use crate::{
    bus::failures::{Failures, contain},
    event::Event,
};

#[derive(Clone)]
pub(in crate::bus) struct Predicate {
    name: Arc<str>,
    holds: Arc<dyn Fn(&Event) -> bool + Send + Sync>,
}

impl Predicate {
    pub(super) fn new(
        name: Arc<str>,
        holds: impl Fn(&Event) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            holds: Arc::new(holds),
        }
    }

    pub(in crate::bus) fn holds(&self, event: &Event, failures: &Failures) -> bool {
        contain(|| (self.holds)(event)).unwrap_or_else(|| {
            failures.count(&self.name);
            false
        })
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
