//! What can be wrong before anything runs.

use crate::console::escape;

/// A configuration that cannot work, said at `build()`: each names the setting and what to write instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No service name was given, neither to the builder nor by `OTEL_SERVICE_NAME`.
    #[error("the service has no name: give one to `Telemetry::builder`, or set OTEL_SERVICE_NAME")]
    NoServiceName,
    /// A number is outside what can work.
    #[error("`{setting}` is {}, but must be {expected}", escape(.value))]
    OutOfRange {
        /// The builder method.
        setting: &'static str,
        /// What it was given.
        value: String,
        /// What would work.
        expected: &'static str,
    },
    /// The OTLP exporter's configuration.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Otlp(#[from] crate::otlp::OtlpConfigError),
    /// The spool's directory or bounds.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Spool(#[from] crate::otlp::SpoolError),
    /// A configuration file.
    #[cfg(feature = "config")]
    #[error(transparent)]
    Settings(#[from] crate::config::SettingsError),
    /// The history's file, as a configuration file names it.
    #[cfg(all(feature = "config", feature = "sqlite"))]
    #[error("`history.path`: {0}")]
    History(#[from] crate::history::StoreError),
    /// A reporter, as a configuration file names it.
    #[error(transparent)]
    Reporter(#[from] crate::reporter::ReporterConfigError),
    /// A budget.
    #[error(transparent)]
    Budget(#[from] crate::budget::BudgetError),
    /// A file of events.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// The page, or where it is to be served.
    #[cfg(feature = "viewer")]
    #[error(transparent)]
    Viewer(#[from] crate::viewer::ViewerError),
    /// The telemetry thread could not be started.
    #[error("the telemetry thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
}

/// [`Telemetry::install`](crate::Telemetry::install) found a global subscriber in place.
#[derive(Debug, thiserror::Error)]
#[error(
    "a global tracing subscriber is already set: add `telemetry.layer()` to it instead, \
     as in `tracing_subscriber::registry().with(telemetry.layer())`"
)]
#[non_exhaustive]
pub struct InstallError;
