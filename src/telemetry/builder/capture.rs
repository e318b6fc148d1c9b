//! Which spans and events are captured, and what of them.

use opentelemetry_sdk::trace::ShouldSample;
use tracing::level_filters::LevelFilter;

use super::TelemetryBuilder;
use crate::layer::Steps;

impl TelemetryBuilder {
    /// The most verbose level that is captured. Default `INFO`.
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self.said.level = true;
        self
    }

    /// Which plain spans are steps. Default [`Steps::Application`].
    pub fn steps(mut self, steps: Steps) -> Self {
        self.steps = steps;
        self
    }

    /// Captures only spans that speak GenAI, and the steps inside them; HTTP, SQL and all else is left out.
    pub fn genai_only(mut self) -> Self {
        self.genai_only = true;
        self
    }

    /// Decides which traces are exported. Default: `OTEL_TRACES_SAMPLER`, else as the parent, roots always. Metrics, totals
    /// and the bus see every span, sampled or not.
    pub fn sampler(mut self, sampler: impl ShouldSample + 'static) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// Whether entering a span makes its OpenTelemetry context current, which propagators and OpenTelemetry's own spans
    /// need. Default `true`; two allocations a span.
    pub fn activate_context(mut self, on: bool) -> Self {
        self.activate = on;
        self
    }

    /// Whether the texts of errors are kept. They are content (they quote requests and answers), so by default they are kept
    /// where [content](Self::capture) is, as [`Redacted`](crate::content::CaptureMode::Redacted) or more; else `error.type` alone is
    /// recorded. Secrets are taken out of them in any case.
    pub fn error_messages(mut self, on: bool) -> Self {
        self.error_messages = Some(on);
        self
    }

    /// Whether moments are mirrored as events on the span they happen in, for backends without logs. Default `true`.
    pub fn mirror_moments(mut self, on: bool) -> Self {
        self.mirror_moments = on;
        self
    }

    /// Whether `llm.call.chunk` events carry the piece's text. It never leaves the process. Default `false`.
    pub fn chunk_text(mut self, on: bool) -> Self {
        self.chunk_text = on;
        self
    }
}
