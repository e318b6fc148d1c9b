//! What happens inside a span and is worth an event of its own, and the ends that are neither success nor failure.

use std::fmt;

use opentelemetry::trace::SpanContext;
use opentelemetry::{SpanId, TraceId};
use serde::{Deserialize, Serialize};

use super::{ActiveSpan, Plain};
use crate::emit::{self, EventBuilder};
use crate::event::{Level, Value};
use crate::record::Outcome;
use crate::semconv;

impl<K> ActiveSpan<K> {
    /// Begins an event that happens in this span, wherever it is emitted from: see [`EventBuilder`].
    ///
    /// ```
    /// let step = tracing_genai::step("load").start();
    /// step.event("data.processed").attr("data.rows", 120).emit();
    /// step.complete();
    /// ```
    pub fn event(&self, event_type: impl Into<std::borrow::Cow<'static, str>>) -> EventBuilder {
        emit::event(event_type).inside(self.opened().to_vec())
    }

    /// The work was refused: the span ends as blocked, with an error status and `error.type` `blocked`.
    pub fn block(&self, reason: &str) {
        self.set(semconv::GENAI_OUTCOME, "blocked")
            .set(semconv::SECURITY_BLOCK_REASON, reason);
        self.fail_as("blocked");
    }

    /// The work stops here for now, for instance to ask a person. The span ends as paused; what comes back resumes it, in this
    /// process or another: see [`Starter::resume`](super::Starter::resume).
    ///
    /// ```
    /// use tracing_genai::step;
    ///
    /// let review = step("review").start();
    /// let paused = review.pause("run-7");
    /// // … the answer arrives, perhaps after a restart …
    /// step("review").resume(&paused).start().complete();
    /// ```
    #[must_use = "it is what the work is resumed with"]
    pub fn pause(&self, run_id: &str) -> Paused {
        self.set(semconv::GENAI_OUTCOME, "paused")
            .set(semconv::WORKFLOW_RUN_ID, run_id);
        let context = self.span_context();
        self.end(Outcome::Completed);
        Paused {
            run_id: run_id.to_owned(),
            trace_id: context.trace_id().to_string(),
            span_id: context.span_id().to_string(),
        }
    }
}

/// Work that was paused: what resumes it. Serialises, so that it can wait in a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Paused {
    /// The run's id, the same before and after: `workflow.run.id`.
    pub run_id: String,
    /// The trace of the span that was paused, in hexadecimal.
    pub trace_id: String,
    /// The span that was paused, in hexadecimal.
    pub span_id: String,
}

impl Paused {
    /// The span that was paused; invalid if the ids are none.
    pub(super) fn span_context(&self) -> SpanContext {
        SpanContext::new(
            TraceId::from_hex(&self.trace_id).unwrap_or(TraceId::INVALID),
            SpanId::from_hex(&self.span_id).unwrap_or(SpanId::INVALID),
            opentelemetry::TraceFlags::SAMPLED,
            true,
            opentelemetry::trace::TraceState::NONE,
        )
    }
}

/// How the result of a step was judged; see [`ActiveSpan::validated`].
#[derive(Clone, PartialEq, Eq)]
pub struct Validation {
    kind: &'static str,
    valid: bool,
    error: Option<String>,
}

impl Validation {
    /// Whether the result has the right shape.
    pub fn structural(valid: bool) -> Self {
        Self::new("structural", valid)
    }

    /// Whether the result says the right thing.
    pub fn semantic(valid: bool) -> Self {
        Self::new("semantic", valid)
    }

    fn new(kind: &'static str, valid: bool) -> Self {
        Self {
            kind,
            valid,
            error: None,
        }
    }

    /// What is wrong with it. Content, since it quotes the result.
    #[must_use]
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.error = Some(text.into());
        self
    }
}

impl fmt::Debug for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validation")
            .field("kind", &self.kind)
            .field("valid", &self.valid)
            .finish_non_exhaustive()
    }
}

/// What a tool says of its failure when it returns normally; see [`ActiveSpan::report_failure`].
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ToolFailure {
    reason: String,
    code: Option<String>,
    message: Option<String>,
    retryable: Option<bool>,
}

impl ToolFailure {
    /// A failure for this reason, a word of few values: `not_found`, `rate_limited`.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The tool's own code for it.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The tool's own words, which are content.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.message = Some(text.into());
        self
    }

    /// Whether trying again may help.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }
}

impl fmt::Debug for ToolFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolFailure")
            .field("reason", &self.reason)
            .field("code", &self.code)
            .field("retryable", &self.retryable)
            .finish_non_exhaustive()
    }
}

/// What is done about a failure that a tool reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// Nothing; the event is told at `INFO`.
    Ignore,
    /// The event is a warning, the span goes on.
    #[default]
    Warn,
    /// The span fails, with the reason as `error.type`.
    Raise,
}

impl ActiveSpan<Plain> {
    /// How far the work is: `step.progress`. `message` is content; a `total` of 0 says that nobody knows how much there is.
    pub fn progress(&self, message: &str, current: u64, total: u64) -> &Self {
        self.event("step.progress")
            .attr(semconv::STEP_PROGRESS_CURRENT, current)
            .attr(semconv::STEP_PROGRESS_TOTAL, total)
            .body(message)
            .emit();
        self
    }

    /// The work is tried again after `error`, the coming attempt being number `attempt`: `step.retrying`, a warning.
    pub fn retrying<E: fmt::Display + ?Sized>(&self, attempt: u32, error: &E) -> &Self {
        self.event("step.retrying")
            .attr(semconv::STEP_ATTEMPT, attempt)
            .level(Level::Warn)
            .error(error)
            .emit();
        self
    }

    /// The result was judged: `step.validated`, a warning where it is not valid.
    ///
    /// ```
    /// use tracing_genai::{Validation, step};
    ///
    /// let step = step("extract").start();
    /// step.validated(Validation::semantic(false).error("the total does not add up"));
    /// ```
    pub fn validated(&self, validation: Validation) -> &Self {
        let event = self
            .event("step.validated")
            .attr(semconv::STEP_VALIDATION_VALID, validation.valid)
            .attr(semconv::STEP_VALIDATION_TYPE, validation.kind);
        match validation.error {
            Some(error) => event.body(error).emit(),
            None => event.emit(),
        };
        self
    }

    /// The state of the work as it is now, which is content: `step.snapshot`.
    pub fn snapshot(&self, state: impl Serialize) -> &Self {
        self.event("step.snapshot").body(state).emit();
        self
    }

    /// A tool returned normally and says that it failed: `tool.call.failure_reported`. Only [`FailurePolicy::Raise`] ends the
    /// span, as failed.
    ///
    /// ```
    /// use tracing_genai::{FailurePolicy, ToolFailure, tool};
    ///
    /// let search = tool("search").start();
    /// search.report_failure(ToolFailure::new("rate_limited").retryable(true), FailurePolicy::Warn);
    /// ```
    pub fn report_failure(&self, failure: ToolFailure, policy: FailurePolicy) -> &Self {
        let (word, level) = match policy {
            FailurePolicy::Ignore => ("ignore", Level::Info),
            FailurePolicy::Warn => ("warn", Level::Warn),
            FailurePolicy::Raise => ("raise", Level::Warn),
        };
        let mut event = self
            .event("tool.call.failure_reported")
            .attr(semconv::TOOL_FAILURE_REASON, failure.reason.as_str())
            .attr(semconv::TOOL_FAILURE_POLICY, word)
            .level(level);
        if let Some(code) = &failure.code {
            event = event.attr(semconv::TOOL_FAILURE_CODE, code.as_str());
        }
        if let Some(retryable) = failure.retryable {
            event = event.attr(semconv::TOOL_FAILURE_RETRYABLE, retryable);
        }
        if let Some(message) = &failure.message {
            event = event.body(message);
        }
        event.emit();
        if policy == FailurePolicy::Raise {
            self.fail_as(&failure.reason);
        }
        self
    }

    /// A guardrail lets it pass: the span is completed, `guardrail.verdict` is `allow`.
    pub fn allow(&self) {
        self.set(semconv::GUARDRAIL_VERDICT, "allow").complete();
    }

    /// A guardrail denies: the span is completed all the same, because the guardrail did its work; `guardrail.verdict` is
    /// `deny`, and the event a warning.
    pub fn deny(&self, reason: &str) {
        self.set(semconv::GUARDRAIL_VERDICT, "deny")
            .set(semconv::GUARDRAIL_REASON, reason)
            .complete();
    }
}

/// Who emits: an agent's, crew's or task's identity across runs; see [`Starter::source`](super::Starter::source).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Source {
    pub(super) fingerprint: String,
    pub(super) kind: Option<String>,
    pub(super) metadata: Option<Value>,
}

impl Source {
    /// A source with this fingerprint, which is the same for the same configuration.
    pub fn new(fingerprint: impl Into<String>) -> Self {
        Self {
            fingerprint: fingerprint.into(),
            ..Self::default()
        }
    }

    /// What kind of thing it is: `agent`, `crew`, `task`.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// What else is known of it.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.metadata = Some(Value::from_serialize(&metadata));
        self
    }
}
