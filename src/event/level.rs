//! How serious an event is. Promise: ordered, and an alert outranks an error.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The level of an event, from chatter to alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// The finest detail.
    Trace,
    /// Detail for whoever looks for a fault; stream chunks.
    Debug,
    /// The normal course.
    #[default]
    Info,
    /// Unexpected, and survived.
    Warn,
    /// Something failed.
    Error,
    /// Somebody should look now.
    Alert,
}

impl Level {
    /// The OpenTelemetry severity number: 1, 5, 9, 13, 17, and 19 for an alert.
    pub const fn severity_number(self) -> i32 {
        match self {
            Self::Trace => 1,
            Self::Debug => 5,
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
            Self::Alert => 19,
        }
    }

    /// The OpenTelemetry severity text, upper-case.
    pub const fn severity_text(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Alert => "ALERT",
        }
    }

    /// The level a text names, in any case and with the usual synonyms (`warning`, `critical`,
    /// `security_alert` …). Anything unknown is [`Level::Info`].
    pub fn from_str_lossy(name: &str) -> Self {
        Self::named(name).unwrap_or(Self::Info)
    }

    /// The level a text names; `None` if it names none.
    pub(crate) fn named(name: &str) -> Option<Self> {
        const NAMES: &[(&str, Level)] = &[
            ("trace", Level::Trace),
            ("verbose", Level::Trace),
            ("debug", Level::Debug),
            ("info", Level::Info),
            ("information", Level::Info),
            ("notice", Level::Info),
            ("warn", Level::Warn),
            ("warning", Level::Warn),
            ("error", Level::Error),
            ("err", Level::Error),
            ("critical", Level::Error),
            ("fatal", Level::Error),
            ("alert", Level::Alert),
            ("security_alert", Level::Alert),
        ];
        let name = name.trim();
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, level)| *level)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.severity_text())
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::TRACE => Self::Trace,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::INFO => Self::Info,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::ERROR => Self::Error,
        }
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.severity_text())
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer).map(|name| Self::from_str_lossy(&name))
    }
}
