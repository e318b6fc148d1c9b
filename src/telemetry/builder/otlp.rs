//! Sending to a collector: where to, and where batches wait meanwhile.

use super::super::ConfigError;
use super::super::env::Env;
use super::TelemetryBuilder;
use crate::console::{ConsoleOptions, Output};
use crate::diagnostics;
use crate::export::metrics::MetricNames;
use crate::otlp::internal::{Resolved, exporter_choice};
use crate::otlp::{OtlpConfig, Signal, SpoolConfig};

impl TelemetryBuilder {
    /// Exports traces, logs and metrics as the `OTEL_EXPORTER_OTLP_*` variables say. Without an endpoint in them nothing
    /// is exported, which is said once on stderr.
    pub fn otlp_from_env(self) -> Self {
        self.otlp(OtlpConfig::new())
    }

    /// Exports traces, logs and metrics as `config` says; what it leaves open, the `OTEL_EXPORTER_OTLP_*` variables say.
    pub fn otlp(mut self, config: OtlpConfig) -> Self {
        self.otlp = Some(config);
        self
    }

    /// Keeps batches of traces and logs on disk until the collector has taken them: they survive a collector that stays away, a
    /// crash of this process, and with [`SpoolSync::Always`](crate::otlp::SpoolSync::Always) one of the machine. What earlier
    /// processes left in the directory is sent first, and spans they had open are sent as interrupted, with the status of an error
    /// (`error.type` is `process_ended`).
    ///
    /// A path is enough; [`SpoolConfig`](crate::otlp::SpoolConfig) has the bounds (256 MiB a signal, 24 hours, the oldest goes first).
    /// The files hold what would have been sent, unencrypted, in a directory that only this user can read. What is captured is on
    /// disk some 200 ms after it happened (the [age that closes a batch](Self::batch_delay)); a crash loses what is younger. A batch
    /// whose answer was lost is sent again, so the collector may see the last one twice. Metrics are not spooled: the next ones
    /// say what lost ones would have. Default: no spool, batches wait in memory.
    ///
    /// ```
    /// use tracing_genai::Telemetry;
    /// use tracing_genai::otlp::{OtlpConfig, SpoolConfig};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let spool = directory.path().join("spool");
    /// let telemetry = Telemetry::builder("planner")
    ///     .otlp(OtlpConfig::new().endpoint("http://localhost:4318"))
    ///     .spool(SpoolConfig::new(spool).max_bytes(64 * 1024 * 1024))
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spool(mut self, spool: impl Into<SpoolConfig>) -> Self {
        self.spool = Some(spool.into());
        self
    }

    /// Which generation of metric names is emitted. Default: both.
    pub fn metric_names(mut self, names: MetricNames) -> Self {
        self.metric_names = names;
        self
    }

    /// The console the builder asks for, or `OTEL_TRACES_EXPORTER=console`.
    pub(super) fn console_chosen(
        given: Option<(Output, ConsoleOptions)>,
        exports: bool,
        env: Env<'_>,
    ) -> Result<Option<(Output, ConsoleOptions)>, ConfigError> {
        if given.is_some() || !exports {
            return Ok(given);
        }
        let choice = exporter_choice(&|name| env(name).map(Into::into), Signal::Traces)?;
        let asked = choice.is_some_and(|choice| choice.console());
        Ok(asked.then(|| (Output::stderr(), ConsoleOptions::default())))
    }

    /// Where to send to; `None` for nowhere.
    pub(super) fn targets(&self, env: Env<'_>) -> Result<Option<Resolved>, ConfigError> {
        let Some(config) = &self.otlp else {
            return Ok(None);
        };
        let targets = config.resolve(&|name| env(name).map(Into::into))?;
        if targets.is_none() {
            diagnostics::say_once(
                "no endpoint",
                format_args!("no OTEL_EXPORTER_OTLP_ENDPOINT is set, so nothing is exported"),
            );
        }
        Ok(targets)
    }
}
