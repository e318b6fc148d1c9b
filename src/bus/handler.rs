//! One handler: what it wants, what it is called, what is to be called.
//!
//! Promise: ids are unique in the process, so an id of one bus never removes a handler of another.
//! Never: calls anything itself; the dispatcher does.

use std::{
    fmt,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{Bus, selector::Selector};
use crate::event::{Event, EventSpec};

/// Identifies a handler; returned when it is added, taken by [`Bus::off`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandlerId(u64);

impl HandlerId {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

impl fmt::Display for HandlerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handler {}", self.0)
    }
}

/// A handler about to be added, from [`Bus::handler`].
///
/// ```
/// # use tracing_genai::{bus::Bus, event::StepFailed};
/// let bus = Bus::new();
/// let id = bus.handler("step alarm").on::<StepFailed>(|step| { /* … */ });
/// assert!(bus.off(id));
/// ```
#[derive(Debug)]
#[must_use = "a handler is added by `on` or `on_event`"]
pub struct HandlerBuilder<'b> {
    bus: &'b Bus,
    name: Arc<str>,
}

impl<'b> HandlerBuilder<'b> {
    pub(super) fn new(bus: &'b Bus, name: Arc<str>) -> Self {
        Self { bus, name }
    }

    /// Adds it for every event of one type.
    pub fn on<S: EventSpec>(
        self,
        handler: impl for<'e> Fn(S::View<'e>) + Send + Sync + 'static,
    ) -> HandlerId {
        self.add(
            Selector::of(S::TYPE),
            Box::new(move |event| {
                if let Some(view) = S::view(event) {
                    handler(view);
                }
            }),
        )
    }

    /// Adds it for every event.
    pub fn on_event(self, handler: impl Fn(&Event) + Send + Sync + 'static) -> HandlerId {
        self.add(Selector::All, Box::new(handler))
    }

    fn add(self, selector: Selector, call: Call) -> HandlerId {
        self.bus.add(Handler {
            id: HandlerId::next(),
            name: self.name,
            selector,
            since: 0,
            active: AtomicBool::new(true),
            call,
        })
    }
}

type Call = Box<dyn Fn(&Event) + Send + Sync>;

pub(super) struct Handler {
    id: HandlerId,
    name: Arc<str>,
    selector: Selector,
    /// The position in the queue from which on events are for it: those queued earlier were published before
    /// it was added.
    since: u64,
    active: AtomicBool,
    call: Call,
}

impl Handler {
    pub(super) fn id(&self) -> HandlerId {
        self.id
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn since(self, position: u64) -> Self {
        Self {
            since: position,
            ..self
        }
    }

    pub(super) fn wants(&self, event: &Event) -> bool {
        self.selector.matches(event)
    }

    /// Whether the event at this position of the queue is for it, now.
    pub(super) fn is_due(&self, event: &Event, position: u64) -> bool {
        self.since <= position && self.active.load(Ordering::Acquire) && self.wants(event)
    }

    /// No call begins after this.
    pub(super) fn retire(&self) {
        self.active.store(false, Ordering::Release);
    }

    pub(super) fn call(&self, event: &Event) {
        (self.call)(event);
    }
}

/// `llm.call.completed at src/main.rs:12`: enough to find the handler a panic is reported for.
#[track_caller]
pub(super) fn default_name(what: &str) -> Arc<str> {
    let at = Location::caller();
    format!("{what} at {}:{}", at.file(), at.line()).into()
}
