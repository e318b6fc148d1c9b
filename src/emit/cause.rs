//! Which event set others off.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use opentelemetry::trace::{SpanContext, TraceFlags, TraceState};
use opentelemetry::{SpanId, TraceId};

use crate::event::{Event, EventId};
use crate::layer::scope as around;
use crate::record::{self, Around, Fields};
use crate::span::{Scope, Scoped};

/// An event named as the cause of others. Made from an [`Event`], whose span is then linked, or from an [`EventId`] alone.
#[derive(Debug, Clone)]
pub struct Cause(record::Cause);

impl From<&Event> for Cause {
    fn from(event: &Event) -> Self {
        let cx = &event.cx;
        let known = cx.trace != TraceId::INVALID && cx.span != SpanId::INVALID;
        Self(record::Cause {
            event: event.id.as_u128(),
            span: known.then(|| {
                SpanContext::new(
                    cx.trace,
                    cx.span,
                    TraceFlags::SAMPLED,
                    false,
                    TraceState::NONE,
                )
            }),
        })
    }
}

impl From<EventId> for Cause {
    fn from(id: EventId) -> Self {
        Self(record::Cause {
            event: id.as_u128(),
            span: None,
        })
    }
}

impl Cause {
    pub(crate) fn scope(self) -> Scope {
        Scope::around(Around {
            fields: Fields::default(),
            cause: Some(self.0),
        })
    }
}

/// A scope in which everything that begins was set off by one event. Made by [`triggered_by`].
#[must_use = "it takes effect in `in_scope`, `run` or `enter`"]
#[derive(Clone)]
pub struct TriggeredBy(Scope);

/// Names the event that sets off everything that begins within: events carry it as
/// [`triggered_by`](crate::event::Causality::triggered_by), and the outermost spans link the span it happened in.
///
/// Leaving the scope restores the one around it, on a panic too.
///
/// ```
/// use tracing_genai::{event, step, testing::capture, triggered_by};
///
/// let capture = capture();
/// capture.record(|| {
///     let cause = event("order.placed").emit().expect("a layer is installed");
///     triggered_by(cause).in_scope(|| step("ship").start().complete());
/// });
/// let events = capture.events();
/// assert_eq!(events[1].cx.triggered_by, Some(events[0].id));
/// ```
pub fn triggered_by(cause: impl Into<Cause>) -> TriggeredBy {
    TriggeredBy(cause.into().scope())
}

impl TriggeredBy {
    /// Runs `f` in the scope.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.0.in_scope(f)
    }

    /// Runs `future` in the scope, wherever it is polled.
    pub fn run<F: Future>(&self, future: F) -> Scoped<F> {
        self.0.run(future)
    }

    /// Enters the scope until the guard is dropped. For code that does not await: the guard stays on its thread.
    pub fn enter(&self) -> TriggeredGuard {
        TriggeredGuard {
            _restore: around::enter(self.0.inner()),
            _here: std::marker::PhantomData,
        }
    }
}

impl fmt::Debug for TriggeredBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggeredBy").finish_non_exhaustive()
    }
}

/// Leaves the scope when it is dropped. Made by [`TriggeredBy::enter`].
#[derive(Debug)]
#[must_use = "dropping it leaves the scope"]
pub struct TriggeredGuard {
    _restore: around::Restore,
    /// Not to be sent: the scope is this thread's.
    _here: std::marker::PhantomData<Arc<std::cell::Cell<()>>>,
}
