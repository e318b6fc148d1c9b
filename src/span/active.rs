//! An open span of ours.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::Context;
use opentelemetry::trace::SpanContext;
use serde_json::Value as Json;
use tracing::Span;

use super::future::Run;
use crate::event::{Attrs, Key, Value};
use crate::layer::instance;
use crate::layer::starting::Opened;
use crate::layer::visit::with_scratch;
use crate::provider::fold::Fold;
use crate::record::{Limits, Moment, Outcome};
use crate::security::{SecurityBlocked, found};
use crate::semconv;

/// A span that has started and not ended. Shared by reference between the code that runs inside and the code that ends it.
///
/// The first of `complete`, `fail`, `fail_as` and `cancel` ends it; later ones and later attributes change nothing (late
/// attributes are counted). Dropping it open cancels it, or fails it with `error.type = "panic"` while unwinding.
#[must_use = "dropping it at once ends the span as canceled"]
pub struct ActiveSpan<K> {
    span: Span,
    opened: Vec<Opened>,
    /// What the frames of a streamed answer told so far; see `Call::stream_frame`.
    frames: Mutex<Option<Box<Fold>>>,
    kind: PhantomData<fn() -> K>,
}

impl<K> fmt::Debug for ActiveSpan<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveSpan")
            .field("span", &self.span.metadata().map(|m| m.name()))
            .finish_non_exhaustive()
    }
}

impl<K> ActiveSpan<K> {
    pub(crate) fn new(span: Span, opened: Vec<Opened>) -> Self {
        Self {
            span,
            opened,
            frames: Mutex::new(None),
            kind: PhantomData,
        }
    }

    pub(crate) fn opened(&self) -> &[Opened] {
        &self.opened
    }

    pub(super) fn frames(&self) -> MutexGuard<'_, Option<Box<Fold>>> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn each(&self, f: impl Fn(&Opened)) {
        self.opened.iter().for_each(f);
    }

    /// The `tracing` span, for instance as the parent of a spawned task's spans.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The OpenTelemetry context of the span: what [`inject`](crate::propagation::inject) writes into a request. Empty if
    /// no layer sees the span.
    pub fn context(&self) -> Context {
        self.opened
            .first()
            .map(|o| o.instance.context(&o.state))
            .unwrap_or_default()
    }

    /// The ids of the span; invalid if no layer sees it.
    pub fn span_context(&self) -> SpanContext {
        self.opened.first().map_or_else(instance::invalid, |o| {
            o.instance.identity(&o.state).context()
        })
    }

    /// Sets an attribute. The last value of a name wins.
    pub fn set(&self, name: impl Into<Key>, value: impl Into<Value>) -> &Self {
        let (name, value) = (name.into(), value.into());
        self.each(|o| o.instance.set(&o.state, name.clone(), value.clone()));
        self
    }

    /// Sets what is content, where that is collected at all; it is made only there.
    pub(crate) fn content(&self, name: &'static str, make: impl Fn() -> Json) -> &Self {
        self.each(|o| {
            if o.instance.content {
                o.instance.set(&o.state, name, content_value(make()));
            }
        });
        self
    }

    /// Sets content that the span does not hold when it ends, where content is collected.
    pub(super) fn fill_content(&self, content: &Attrs) {
        if content.is_empty() {
            return;
        }
        self.each(|o| {
            if o.instance.content && !o.state.is_ended() {
                o.instance.read(&o.state, |wire, limits| {
                    for (name, value) in content.iter() {
                        wire.content
                            .set_value(name.to_owned(), value.clone(), limits);
                    }
                });
            }
        });
    }

    /// What the frames of a streamed answer said, as far as they came.
    fn tell_frames(&self) {
        if self.wants_content()
            && let Some(frames) = self.frames().take()
        {
            self.fill_content(&frames.content());
        }
    }

    /// Whether somebody collects content.
    pub(crate) fn wants_content(&self) -> bool {
        self.opened.iter().any(|o| o.instance.content)
    }

    /// Whether it has ended for everybody who saw it.
    pub(crate) fn is_ended(&self) -> bool {
        self.opened.iter().all(|o| o.state.is_ended())
    }

    /// Sets an attribute where the span is still open; where it is not, that is no loss to be counted.
    pub(crate) fn set_open(&self, name: &'static str, value: Value) {
        self.each(|o| {
            if !o.state.is_ended() {
                o.instance.set(&o.state, name, value.clone());
            }
        });
    }

    /// What the tool gave, `gen_ai.tool.call.result`: content, which is [captured](crate::content) and checked where that is on.
    pub fn result(&self, result: impl serde::Serialize) -> &Self {
        self.content(semconv::GEN_AI_TOOL_CALL_RESULT, || {
            Value::from_serialize(&result).to_json()
        })
    }

    /// Links another span.
    pub fn link(&self, span: &SpanContext) -> &Self {
        self.each(|o| o.instance.add_link(&o.state, span.clone()));
        self
    }

    /// Something that happened inside, `event_type` being `subject.phase` (`step.retrying`): seen by the bus at once,
    /// exported as a log record with the span's ids, and mirrored as a span event.
    pub fn moment(&self, event_type: &str, attributes: &[(&'static str, Value)]) -> &Self {
        self.each(|o| {
            with_scratch(|fields| {
                for (name, value) in attributes {
                    fields.set_value(*name, value.clone(), &Limits::DEFAULT);
                }
                let moment = Moment::new(event_type.to_owned());
                o.instance.moment(Some(&o.state), moment, fields);
            });
        });
        self
    }

    /// Runs `f` inside the span and leaves the span open.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.span.in_scope(f)
    }

    /// Runs `future` inside the span. `Ok` leaves the span open, for what the answer tells; `Err` ends it as failed, a drop
    /// before the end as canceled, a panic as failed.
    pub fn run<F, T, E>(&self, future: F) -> Run<F, K, &Self>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        Run::part(self, future)
    }

    /// Why the work is not to be done, if the policy blocks what is asked; the span has ended then.
    pub(crate) fn stopped(&self) -> Option<SecurityBlocked> {
        let mut all = self.opened.iter().map(|span| found::stop(span, None));
        // Each installation checks for itself, whatever the others say.
        let first = all.by_ref().flatten().next();
        all.for_each(drop);
        let blocked = first?;
        self.block(&blocked.reason);
        Some(blocked)
    }

    /// The work is done.
    pub fn complete(&self) {
        self.end(Outcome::Completed);
    }

    /// The work failed. The error's Rust type becomes `error.type`; its text is content, and kept only where
    /// [`error_messages`](crate::TelemetryBuilder::error_messages) allows it.
    pub fn fail<E: fmt::Display + ?Sized>(&self, error: &E) {
        self.fail_with(std::any::type_name::<E>(), Some(error));
    }

    /// The work failed in a way that has a short, stable name: `timeout`, `rate_limited`, `429`.
    pub fn fail_as(&self, error_type: &str) {
        self.fail_with(error_type, None::<&str>);
    }

    fn fail_with<E: fmt::Display + ?Sized>(&self, kind: &str, error: Option<&E>) {
        self.each(|o| {
            // Only an allowed message is formatted at all, and what its `Display` does stays in there.
            let Some(error) = error.filter(|_| o.instance.error_messages) else {
                return o.instance.note_error(&o.state, Some(kind), None);
            };
            with_scratch(|fields| {
                fields.set_fmt(
                    semconv::EXCEPTION_MESSAGE,
                    &format_args!("{error}"),
                    &o.instance.limits,
                );
                let message = fields.str(semconv::EXCEPTION_MESSAGE);
                o.instance.note_error(&o.state, Some(kind), message);
            });
        });
        self.end(Outcome::Failed);
    }

    /// The work was given up.
    pub fn cancel(&self) {
        self.end(Outcome::Canceled);
    }

    pub(crate) fn settle<T, E: fmt::Display>(&self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.complete(),
            Err(error) => self.fail(error),
        }
    }

    /// As [`in_scope`](Self::in_scope), but a panic that comes through fails the span at once: whoever catches it around a
    /// poll drops the future later, when nothing tells any more that it panicked.
    pub(crate) fn poll_in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let mut unwinding = FailOnUnwind(Some(self));
        let value = self.in_scope(f);
        unwinding.0 = None;
        value
    }

    /// Ends it if nobody did: the way of every early exit.
    pub(crate) fn abandon(&self) {
        if std::thread::panicking() {
            self.fail_open_as(semconv::error_type::PANIC);
        } else {
            self.cancel();
        }
    }

    fn fail_open_as(&self, kind: &str) {
        self.tell_frames();
        self.each(|o| {
            if !o.state.is_ended() {
                o.instance.note_error(&o.state, Some(kind), None);
                o.instance.end(&o.state, Outcome::Failed, None);
            }
        });
    }

    /// The work failed in a way that has been noted.
    #[cfg(feature = "http")]
    pub(crate) fn end_failed(&self) {
        self.end(Outcome::Failed);
    }

    pub(super) fn end(&self, outcome: Outcome) {
        self.tell_frames();
        self.each(|o| o.instance.end(&o.state, outcome, None));
    }
}

/// A text is told as it is, not as JSON of a text, which would put it in quotes.
pub(super) fn content_value(content: Json) -> Value {
    match content {
        Json::String(text) => Value::from(text),
        other => Value::Json(other),
    }
}

struct FailOnUnwind<'a, K>(Option<&'a ActiveSpan<K>>);

impl<K> Drop for FailOnUnwind<'_, K> {
    fn drop(&mut self) {
        if let Some(active) = self.0 {
            active.fail_open_as(semconv::error_type::PANIC);
        }
    }
}

impl<K> Drop for ActiveSpan<K> {
    fn drop(&mut self) {
        self.abandon();
    }
}
