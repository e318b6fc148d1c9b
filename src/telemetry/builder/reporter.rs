//! Events to receivers of the application's own.

#[cfg(feature = "config")]
use super::super::ConfigError;
use super::TelemetryBuilder;
#[cfg(feature = "config")]
use crate::config::Config;
use crate::reporter::Reporting;

impl TelemetryBuilder {
    /// Gives every event, or those its queue is for, to a reporter: a [`Reporter`](crate::reporter::Reporter) with the default
    /// queue, or a [`Reporting`] with settings of its own. May be called several times; each has its own queue, thread and account.
    ///
    /// `flush` waits for it, and `shutdown` shuts it down: what is left at the deadline is counted as `shutdown_timeout`.
    ///
    /// ```
    /// use tracing_genai::Telemetry;
    /// use tracing_genai::reporter::{Reporting, reporter_fn};
    ///
    /// let failures = Reporting::builder()
    ///     .reporter(reporter_fn(|event| async move { println!("{event}"); Ok(()) }))
    ///     .name("pager")
    ///     .events("*.failed")?
    ///     .build()?;
    /// let telemetry = Telemetry::builder("planner").reporter(failures).build()?;
    /// assert_eq!(telemetry.shutdown().reporters[0].0, "pager");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reporter(mut self, reporting: impl Into<Reporting>) -> Self {
        self.reporters.push(reporting.into());
        self
    }

    /// The reporter that the keys `api.*` of a configuration name: each event to its address, as Cylestio Monitor does it.
    #[cfg(feature = "config")]
    pub(super) fn api(self, config: &Config) -> Result<Self, ConfigError> {
        // As with the collector, a variable alone sends nothing.
        let address = config.text("api.endpoint");
        let Some(address) =
            address.filter(|text| config.is_named("api.endpoint") && !text.trim().is_empty())
        else {
            return Ok(self);
        };
        #[cfg(feature = "otlp")]
        {
            use std::time::Duration;

            use crate::reporter::{Backoff, HttpReporter};

            let seconds = |key| Duration::from_secs(config.whole(key));
            let key = ["api.access_key", "api.key"];
            let key = key.into_iter().find_map(|key| config.text(key));
            let mut reporter = HttpReporter::cylestio_api(&address).timeout(seconds("api.timeout"));
            if let Some(key) = key {
                reporter = reporter.api_key(key);
            }
            let mut backoff = Backoff::new();
            if config.effective("api.retry_delay").is_some() {
                backoff = backoff.initial(seconds("api.retry_delay"));
            }
            let retries = u32::try_from(config.whole("api.retries")).unwrap_or(u32::MAX);
            let reporting = Reporting::builder()
                .reporter(reporter.build()?)
                .name("api")
                .max_attempts(retries.saturating_add(1))
                .backoff(backoff)
                // The request's own time-out comes first.
                .attempt_timeout(seconds("api.timeout") + Duration::from_secs(5))
                .build()?;
            Ok(self.reporter(reporting))
        }
        #[cfg(not(feature = "otlp"))]
        drop(address);
        #[cfg(not(feature = "otlp"))]
        Err(crate::config::SettingsError::Feature {
            key: "api.endpoint",
            feature: "otlp",
        }
        .into())
    }
}
