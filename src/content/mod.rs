//! Content: what people and models wrote, what tools got and gave. Whether it is captured, on which signal, and how much of it.
//!
//! Owns: the modes ([`CaptureMode`]), the places ([`Carrier`]), the budgets ([`ContentLimits`]), and the one stage on the telemetry
//! thread at which content is dropped, reduced, redacted and cut, before any outlet sees a record.
//! Promise: nothing is captured until somebody asks for it; a JSON attribute is complete JSON or absent; what was cut says so.
//! Never: touches what is no content: ids, names, times, usage and costs are never cut for a prompt's sake.
//!
//! # What is captured
//!
//! | | [`Off`](CaptureMode::Off) | [`Metadata`](CaptureMode::Metadata) | [`Redacted`](CaptureMode::Redacted) | [`Full`](CaptureMode::Full) |
//! | --- | --- | --- | --- | --- |
//! | messages, instructions, tool definitions | | roles, kinds of parts, ids, names, sizes | secrets replaced | as they came |
//! | arguments, results, documents, bodies of events | | sizes | secrets replaced | as they came |
//! | texts of errors | | | secrets replaced | secrets replaced |
//! | `error.type`, usage, cost, ids, your own attributes | secrets replaced | secrets replaced | secrets replaced | secrets replaced |
//!
//! # Where it is
//!
//! On the span as JSON text (`gen_ai.input.messages`, …), which is what backends read; in structured form on the log event
//! `gen_ai.client.inference.operation.details`; see [`Carrier`].
//!
//! What is over the [limits](ContentLimits) is cut; a [`ContentStore`] keeps it whole elsewhere, and the span says where.
//!
//! # Variables
//!
//! | Variable | Values |
//! | --- | --- |
//! | `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` | `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`; `true` and `false` of older versions are `EVENT_ONLY` and `NO_CONTENT` |
//! | `OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT` | `true`, `false`: whether the log event is emitted; default `true` where it carries content |
//! | `TRACING_GENAI_CAPTURE` | `off`, `metadata`, `redacted`, `full` |
//! | `OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK`, `OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH` | `upload` and a directory: a [`DirectoryStore`] keeps what is over the limits |
//!
//! The first two are those of OpenTelemetry's own instrumentations; what they turn on is captured as [`CaptureMode::Redacted`]. The
//! builder wins over all of them.

mod env;
mod mend;
mod names;
mod rules;
mod stage;
mod store;

pub(crate) use env::{from_env, upload_directory};
pub(crate) use names::{STRUCTURED, is_content};
pub(crate) use rules::{Asked, Rules};
pub(crate) use stage::{Redactions, Stage};
pub(crate) use store::Uploads;
pub use store::{ContentId, ContentStore, DirectoryStore};

use std::fmt;
use std::str::FromStr;

/// How much of the content is captured.
///
/// ```
/// use tracing_genai::content::{CaptureMode, Carrier};
/// use tracing_genai::event::Subject;
/// use tracing_genai::testing::capture_with;
///
/// let capture = capture_with(|builder| {
///     builder
///         .capture(CaptureMode::Redacted)
///         .capture_for(Subject::TOOL_CALL, CaptureMode::Off)
///         .carrier(Carrier::SpanAndEvent)
/// });
/// # drop(capture);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum CaptureMode {
    /// None of it. The default.
    #[default]
    Off,
    /// Its outline: roles, kinds of parts, ids of tool calls, names of tools, finish reasons and sizes in bytes.
    Metadata,
    /// All of it, up to the [limits](ContentLimits), with secrets and personal data replaced.
    Redacted,
    /// All of it as it came, up to the limits. Prompts often quote keys and people: this is for data of your own.
    Full,
}

impl CaptureMode {
    /// Every mode, from nothing to everything.
    pub const ALL: [Self; 4] = [Self::Off, Self::Metadata, Self::Redacted, Self::Full];

    /// `off`, `metadata`, `redacted` or `full`, as configuration files and variables spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Metadata => "metadata",
            Self::Redacted => "redacted",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for CaptureMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no [`CaptureMode`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no mode of capture: it is one of off, metadata, redacted, full")]
#[non_exhaustive]
pub struct ParseCaptureModeError;

impl FromStr for CaptureMode {
    type Err = ParseCaptureModeError;

    /// Upper and lower case are the same.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let is = |mode: &Self| word.trim().eq_ignore_ascii_case(mode.as_str());
        Self::ALL.into_iter().find(is).ok_or(ParseCaptureModeError)
    }
}

/// Which signal carries the content of model calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Carrier {
    /// The span, as JSON text. The default: backends for GenAI read it there.
    #[default]
    Span,
    /// The log event `gen_ai.client.inference.operation.details`, with its structure. Spans stay small.
    Event,
    /// Both.
    SpanAndEvent,
}

impl Carrier {
    pub(crate) fn has_span(self) -> bool {
        self != Self::Event
    }

    pub(crate) fn has_event(self) -> bool {
        self != Self::Span
    }
}

/// How much content there may be, in bytes of JSON or text. What is over is cut inside its texts and marked; what cannot be cut
/// that far is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentLimits {
    /// Of one attribute, or the body of one event. Default 64 KiB, from 256 bytes.
    pub field: usize,
    /// Of all content on one span together. Answers come first, then the input, instructions, tools, and the rest. Default
    /// 256 KiB: with it, a batch of the default size holds four such spans, and never more than its limit.
    pub span: usize,
}

impl ContentLimits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        field: 64 * 1024,
        span: 256 * 1024,
    };

    /// These many bytes of a field and of a span.
    pub const fn new(field: usize, span: usize) -> Self {
        Self { field, span }
    }
}

impl Default for ContentLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_they_are_written() {
        for mode in CaptureMode::ALL {
            assert_eq!(mode.to_string().to_uppercase().parse(), Ok(mode));
        }
        assert_eq!(
            "everything".parse::<CaptureMode>(),
            Err(ParseCaptureModeError)
        );
    }
}
