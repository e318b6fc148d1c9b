//! One structured log line per event, for the subscriber the application already has.
//!
//! Promise: no content, and no loop: what is logged here is never an event of ours again.
//! Never: runs on the application's threads; the lines are written where handlers run.

use tracing::dispatcher::{self, WeakDispatch};
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level};

use crate::bus::{Bus, Handler, HandlerId};
use crate::event::{Event, Level as EventLevel, TraceId};
use crate::unobserved::Unobserved;

/// Logs every event of a bus as one `tracing` event with the target [`EventLog::TARGET`].
///
/// Its fields are `event_type`, `name`, `trace_id`, `span_id`, `agent`, `duration_ms`, `error.type`, and `alert = true` on
/// alerts; what an event does not have is left out. Bodies, attributes and error messages are never logged. Events that are
/// hidden from users are logged, replayed ones are not.
///
/// The lines go to the subscriber that is the current one where the log is made, or else, if there was none, to the global
/// default. They are written on the bus's handler thread, without a span around them.
///
/// ```
/// use tracing_genai::{bus::Bus, render::EventLog};
///
/// let bus = Bus::new();
/// let id = EventLog::at(tracing::Level::DEBUG).attach(&bus); // every event as a DEBUG line
/// assert!(bus.off(id)); // and off again
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is logged until it is attached"]
pub struct EventLog {
    /// One level for all; `None` is each event's own.
    level: Option<Level>,
    /// The subscriber that was current; `None` is the default of the thread that logs.
    into: Option<WeakDispatch>,
}

impl EventLog {
    /// The target of the lines, for filters: `genai::event=debug`.
    pub const TARGET: &'static str = "genai::event";

    /// Logs all events at this level.
    pub fn at(level: Level) -> Self {
        Self::new(Some(level))
    }

    /// Logs each event at its own level. An alert, which `tracing` has no level for, is a `WARN` with `alert = true`.
    pub fn as_event() -> Self {
        Self::new(None)
    }

    fn new(level: Option<Level>) -> Self {
        let into = dispatcher::get_default(|current| {
            (!current.is::<NoSubscriber>() && !current.is::<Unobserved>())
                .then(|| current.downgrade())
        });
        Self { level, into }
    }

    /// Logs to this subscriber. It is not kept alive; once it is gone, nothing is logged.
    pub fn dispatch(mut self, dispatch: &Dispatch) -> Self {
        self.into = Some(dispatch.downgrade());
        self
    }

    /// Logs every event of `bus` from now on, until [`Bus::off`].
    pub fn attach(self, bus: &Bus) -> HandlerId {
        bus.put(Handler::named("event log").on_event(move |event| self.log(event)))
    }

    /// Logs one event, on this thread.
    pub fn log(&self, event: &Event) {
        if event.replay {
            return;
        }
        let level = self.level.unwrap_or(level_of(event.level));
        match &self.into {
            None => say(level, event),
            Some(into) => {
                if let Some(into) = into.upgrade() {
                    dispatcher::with_default(&into, || say(level, event));
                }
            }
        }
    }
}

fn level_of(level: EventLevel) -> Level {
    match level {
        EventLevel::Trace => Level::TRACE,
        EventLevel::Debug => Level::DEBUG,
        EventLevel::Info => Level::INFO,
        EventLevel::Warn | EventLevel::Alert => Level::WARN,
        EventLevel::Error => Level::ERROR,
    }
}

/// A level belongs to a call site, so there is one each. None lies in a span: not even a handler that is in one turns the
/// line into a part of it.
fn say(level: Level, event: &Event) {
    macro_rules! line {
        ($level:ident) => {
            tracing::event!(
                target: EventLog::TARGET,
                parent: None::<tracing::Id>,
                Level::$level,
                event_type = %event.ty,
                name = (!event.name.is_empty()).then_some(&*event.name),
                trace_id = (event.cx.trace != TraceId::INVALID).then(|| tracing::field::display(event.cx.trace)),
                span_id = (event.cx.span != crate::event::SpanId::INVALID).then(|| tracing::field::display(event.cx.span)),
                agent = event.who.agent_name.as_deref(),
                duration_ms = event.duration.map(|lived| lived.as_micros() as f64 / 1e3),
                error.type = event.error.as_ref().map(|error| &*error.kind),
                alert = (event.level == EventLevel::Alert).then_some(true),
            )
        };
    }
    match level {
        Level::TRACE => line!(TRACE),
        Level::DEBUG => line!(DEBUG),
        Level::INFO => line!(INFO),
        Level::WARN => line!(WARN),
        Level::ERROR => line!(ERROR),
    }
}
