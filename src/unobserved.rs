//! The subscriber of threads that nobody observes: our own, and those on which we run exporters and stores of the application.
//!
//! Promise: what happens under it is seen by nobody, and no call site that others want is switched off for them.
//! Never: is [`Dispatch::none`], which would do that: `tracing` asks the present thread's subscriber alone about a new call site
//! while there is but one subscriber in the process, and remembers the answer for all threads. A function that both a hook and the
//! application call would be silent for ever if the hook came first. This one is registered, so that all are asked.

use std::sync::LazyLock;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// Takes nothing.
#[derive(Debug)]
pub(crate) struct Unobserved;

impl Subscriber for Unobserved {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Never asked for, as nothing is enabled.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The one of this process.
pub(crate) fn dispatch() -> &'static Dispatch {
    static ONE: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Unobserved));
    &ONE
}
