//! What can go wrong: with one event, and before anything runs.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::console::escape;

type Source = Box<dyn Error + Send + Sync>;

/// Why an event did not arrive, and whether it is tried again.
///
/// ```
/// use std::time::Duration;
/// use tracing_genai::reporter::ReportError;
///
/// assert!(ReportError::transient("the database is locked").is_transient());
/// assert!(ReportError::transient_after(Duration::from_secs(2), "slow down").is_transient());
/// assert!(!ReportError::permanent("no such column").is_transient());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ReportError {
    /// It will never arrive: it is not tried again, and counted as [`Loss::Permanent`](crate::Loss::Permanent).
    #[non_exhaustive]
    Permanent {
        /// What happened.
        source: Source,
    },
    /// It may arrive later.
    #[non_exhaustive]
    Transient {
        /// Not before this long from now, if the receiver said so; beyond five minutes it is five minutes.
        after: Option<Duration>,
        /// What happened.
        source: Source,
    },
    /// It is not for this receiver: nothing is wrong, and it counts as `rejected`, not as a loss.
    Skipped,
}

impl ReportError {
    /// It will never arrive.
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Permanent {
            source: source.into(),
        }
    }

    /// It may arrive when it is tried again.
    pub fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Transient {
            after: None,
            source: source.into(),
        }
    }

    /// It may arrive when it is tried again, and not before this long from now.
    pub fn transient_after(
        after: Duration,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Transient {
            after: Some(after),
            source: source.into(),
        }
    }

    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permanent { source } | Self::Transient { source, .. } => {
                f.write_str(&escape(&source.to_string()))
            }
            Self::Skipped => f.write_str("the event is not for this receiver"),
        }
    }
}

impl Error for ReportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Permanent { source } | Self::Transient { source, .. } => Some(source.as_ref()),
            Self::Skipped => None,
        }
    }
}

/// What is wrong with the settings of a reporter, said before anything runs. Holds no key and no header's value, and URLs without
/// user, password and query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReporterConfigError {
    /// A queue was built without a reporter.
    #[error("the queue has no reporter: give it one with `ReportingBuilder::reporter`")]
    NoReporter,
    /// A setting is outside what can work.
    #[error("`{setting}` is {}, but must be {expected}", escape(.value))]
    #[non_exhaustive]
    OutOfRange {
        /// The builder's method.
        setting: &'static str,
        /// What it was given.
        value: String,
        /// What would work.
        expected: &'static str,
    },
    /// An endpoint is not a URL that can be posted to.
    #[error(
        "{from} is \"{value}\": {problem}; write for example https://events.example/api/events"
    )]
    #[non_exhaustive]
    Endpoint {
        /// The method or the variable it came from.
        from: Cow<'static, str>,
        /// The value without user, password, query and fragment.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An endpoint would send events and the key unencrypted to another host.
    #[error(
        "{from} is \"{value}\": plain http to a host that is not this one would send events and the key unencrypted; \
         write https://, or allow it with `allow_plaintext(true)`"
    )]
    #[non_exhaustive]
    Plaintext {
        /// The method or the variable it came from.
        from: Cow<'static, str>,
        /// The value without user, password, query and fragment.
        value: String,
    },
    /// A key or a header cannot be sent. Its value is never part of the message.
    #[error("{from}: {header} {problem}; {instead}")]
    #[non_exhaustive]
    Header {
        /// The method or the variable it came from.
        from: Cow<'static, str>,
        /// The header's name.
        header: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// A certificate file cannot be read or used.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Tls(crate::otlp::OtlpConfigError),
    /// The file of a forwarder's cursor cannot be read or written, is none, or is another forwarder's.
    #[error("the cursor file {}: {problem}", escape(.path))]
    #[non_exhaustive]
    CursorFile {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The thread could not be started.
    #[error("the reporter's thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
}
