//! Events to receivers of the application's own.

use super::TelemetryBuilder;
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
}
