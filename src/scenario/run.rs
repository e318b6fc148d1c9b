//! A run that has started.

use std::fmt;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanContext;
use tracing::Span;

use super::ids::Ids;
use super::snapshot::Telling;
use super::{Results, Snapshots, Status, StreamedCall, StreamedMessage, Verdict, names};
use crate::emit::EventBuilder;
use crate::event::Value;
use crate::message::{Conversation, Message, Role, to_ag_ui};
use crate::span::{ActiveSpan, Plain};

/// A run of a scenario that has started and not ended. Made by [`Scenario::start`](super::Scenario::start).
///
/// It ends exactly once, whatever way it takes, and [`finish`](Self::finish) can be called once, because it takes the run:
///
/// | Way out | `scenario.status` | Event |
/// | --- | --- | --- |
/// | [`finish`](Self::finish) with a success | `SUCCESS` | `workflow.completed` |
/// | [`finish`](Self::finish) with another verdict | `FAILED` | `workflow.failed`, `error.type` `verdict_failure` |
/// | [`fail`](Self::fail), an `Err` inside [`run`](Self::run) | `ERROR` | `workflow.failed`, the error's type |
/// | a panic | `ERROR` | `workflow.failed`, `error.type` `panic` |
/// | [`cancel`](Self::cancel) | `CANCELLED` | `workflow.canceled` |
/// | dropped: an early return, `?`, a dropped future | `CANCELLED` | `workflow.canceled`, `scenario.results.reason` `dropped` |
/// | open when the telemetry is shut down | `CANCELLED` | `workflow.canceled`, `genai.interrupted` |
///
/// A run that ended without a verdict has `inconclusive`.
///
/// Spans are its children if they begin inside [`run`](Self::run) or [`in_scope`](Self::in_scope), or name
/// [`span`](Self::span) as their parent.
#[must_use = "dropping it ends the run as canceled"]
pub struct Run {
    active: ActiveSpan<Plain>,
    ids: Ids,
    telling: Mutex<Telling>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}

impl Run {
    pub(super) fn new(active: ActiveSpan<Plain>, ids: Ids, snapshots: Snapshots) -> Self {
        let run = Self {
            active,
            ids,
            telling: Mutex::new(Telling::new(snapshots)),
        };
        // What it says if nobody comes to say anything else: a shutdown ends it as it stands.
        run.note(Status::Cancelled, Results::new(Verdict::Inconclusive));
        run
    }

    /// `scenario.run.id`.
    pub fn run_id(&self) -> &str {
        &self.ids.run
    }

    /// `scenario.id`.
    pub fn scenario_id(&self) -> &str {
        &self.ids.scenario
    }

    /// `scenario.batch_run.id`.
    pub fn batch_run_id(&self) -> &str {
        &self.ids.batch
    }

    /// `scenario.set.id`.
    pub fn set_id(&self) -> &str {
        &self.ids.set
    }

    /// The run's span, for instance as the parent of a spawned task's spans.
    pub fn span(&self) -> &Span {
        self.active.span()
    }

    /// The ids of the run's span; invalid if no layer sees it.
    pub fn span_context(&self) -> SpanContext {
        self.active.span_context()
    }

    /// Sets an attribute of the run's span. The last value of a name wins.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) -> &Self {
        self.active.set(name, value);
        self
    }

    /// Runs `f` inside the run, which stays open.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        self.active.in_scope(f)
    }

    /// Runs `future` inside the run. `Ok` leaves the run open, to be finished with its results; `Err` ends it as `ERROR`, a drop
    /// before the end as `CANCELLED`, a panic as `ERROR`; a [`finish`](Self::finish) after that changes nothing.
    pub fn run<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<'_, F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: fmt::Display,
    {
        // Dropped with the future it watches, before the span is ended: by then the run says how it ended.
        let watch = Watch(Some(self));
        self.active.run(async move {
            let mut watch = watch;
            let result = future.await;
            if let Some(run) = watch.0.take()
                && result.is_err()
            {
                run.note_status(Status::Error);
            }
            result
        })
    }

    /// Tells the conversation as it is now: `conversation.snapshot`. The messages are content: where that is not
    /// [captured](crate::content), only their number is told.
    ///
    /// They are told as [AG-UI](to_ag_ui) has them, all of them or what changed, as [`Snapshots`] says. A message without an id
    /// is known by its place. What AG-UI has no place for is left out.
    pub fn messages(&self, messages: &[Message]) -> &Self {
        if self.active.is_ended() {
            return self;
        }
        let conversation = Conversation::new(messages.to_vec());
        let list = to_ag_ui(&conversation).value;
        let event = self.event("conversation.snapshot");
        let event = event.attr(names::MESSAGE_COUNT, list.len());
        // Told under the lock, so that deltas are in the order in which they follow each other.
        let mut telling = self.telling();
        match self.active.wants_content() {
            true => event.body(telling.tell(list)).emit(),
            false => event.emit(),
        };
        drop(telling);
        self
    }

    /// Begins a message that comes in pieces: `conversation.message.opened`.
    ///
    /// ```
    /// use tracing_genai::message::Role;
    /// use tracing_genai::scenario::{Results, Scenario};
    ///
    /// let run = Scenario::new("greeting").start();
    /// let mut answer = run.message("msg-2", Role::Assistant);
    /// for piece in ["Hi ", "there!"] {
    ///     answer.push(piece);
    /// }
    /// answer.end();
    /// run.finish(Results::success());
    /// ```
    pub fn message(&self, id: &str, role: Role) -> StreamedMessage<'_> {
        StreamedMessage::open(self, id, role)
    }

    /// Begins a call of a tool whose arguments come in pieces: `tool.call.announced`. It is what the model writes; the call
    /// itself is a [`tool`](crate::tool) span.
    pub fn tool_call(&self, id: &str, name: &str) -> StreamedCall<'_> {
        StreamedCall::open(self, id, name)
    }

    /// Ends the run with its results: before the end, one `evaluation.result` is told a criterion and evaluator.
    pub fn finish(self, results: Results) {
        if self.active.is_ended() {
            return;
        }
        for attributes in results.judgements() {
            let mut event = self.event("evaluation.result");
            for (name, value) in attributes {
                event = event.attr(name, value);
            }
            event.emit();
        }
        let status = results.verdict().status();
        self.note(status, results);
        match status {
            Status::Success => self.active.complete(),
            _ => self.active.fail_as("verdict_failure"),
        }
    }

    /// Ends the run as `ERROR`. The error's Rust type becomes `error.type`; its text is content, and kept only where
    /// [`error_messages`](crate::TelemetryBuilder::error_messages) allows it.
    pub fn fail<E: fmt::Display + ?Sized>(self, error: &E) {
        self.note_status(Status::Error);
        self.active.fail(error);
    }

    /// Ends the run as `CANCELLED`, for this reason: a word of few values, `scenario.results.reason`.
    pub fn cancel(self, reason: &str) {
        self.give_up(reason);
        self.active.cancel();
    }

    pub(super) fn event(&self, event_type: &'static str) -> EventBuilder {
        let mut event = self.active.event(event_type).flavor(names::FLAVOR);
        for (name, value) in self.ids.attributes() {
            event = event.attr(name, value);
        }
        event
    }

    pub(super) fn wants_content(&self) -> bool {
        self.active.wants_content()
    }

    fn telling(&self) -> MutexGuard<'_, Telling> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, status: Status, results: Results) {
        self.note_status(status);
        for (name, value) in results.attributes(self.active.wants_content()) {
            self.active.set_open(name, value);
        }
    }

    fn note_status(&self, status: Status) {
        self.active.set_open(names::STATUS, status.as_str().into());
    }

    fn give_up(&self, reason: &str) {
        self.note_status(Status::Cancelled);
        self.active.set_open(names::REASON, reason.into());
    }

    /// Says how it ends, where nobody did.
    fn abandon(&self) {
        if std::thread::panicking() {
            self.note_status(Status::Error);
        } else {
            self.give_up("dropped");
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // The span itself is ended by its own drop, right after.
        self.abandon();
    }
}

/// A future inside a run, which says how the run ends if the future does not come to its end.
struct Watch<'r>(Option<&'r Run>);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(run) = self.0 {
            run.abandon();
        }
    }
}
