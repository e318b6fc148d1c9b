//! Where in its life a subject is.
//!
//! Promise: the six span phases are reserved words; every other word is a moment.
//! Never: lets a moment that came through [`Phase::from`] carry a reserved word.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A phase: the start, one of five ends, or a moment in between.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The subject began. A span starts.
    Started,
    /// It ended as intended.
    Completed,
    /// It ended with an error, a time-out included.
    Failed,
    /// It was refused before or while it ran.
    Blocked,
    /// This segment ended; a later one continues it.
    Paused,
    /// It was dropped or cancelled before it could end.
    Canceled,
    /// Something that happened in between: `chunk`, `requested`, `selected`.
    Moment(Cow<'static, str>),
}

impl Phase {
    /// The six phases of a span, whose words no moment may use.
    pub(super) const SPAN: [Self; 6] = [
        Self::Started,
        Self::Completed,
        Self::Failed,
        Self::Blocked,
        Self::Paused,
        Self::Canceled,
    ];

    /// The word, as the last segment of an event type.
    pub const fn as_str(&self) -> &str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
            Self::Moment(Cow::Borrowed(word)) => word,
            Self::Moment(Cow::Owned(word)) => word.as_str(),
        }
    }

    /// Whether the subject's span ends here.
    pub const fn is_terminal(&self) -> bool {
        !matches!(self, Self::Started | Self::Moment(_))
    }

    /// Whether this is neither a start nor an end.
    pub const fn is_moment(&self) -> bool {
        matches!(self, Self::Moment(_))
    }

    /// How it ended: `ok`, `error`, `blocked`, `paused` or `canceled`; `None` unless terminal.
    pub const fn outcome(&self) -> Option<&'static str> {
        match self {
            Self::Completed => Some("ok"),
            Self::Failed => Some("error"),
            Self::Blocked => Some("blocked"),
            Self::Paused => Some("paused"),
            Self::Canceled => Some("canceled"),
            Self::Started | Self::Moment(_) => None,
        }
    }

    /// Whether what ended here went well: `true` for completed, `false` for failed, blocked and canceled. `None` for what
    /// has not been decided: starts, moments, and pauses.
    pub const fn success(&self) -> Option<bool> {
        match self {
            Self::Completed => Some(true),
            Self::Failed | Self::Blocked | Self::Canceled => Some(false),
            Self::Started | Self::Paused | Self::Moment(_) => None,
        }
    }

    /// The span phase a reserved word names.
    pub(super) fn reserved(word: &str) -> Option<Self> {
        Some(match word {
            "started" => Self::Started,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "blocked" => Self::Blocked,
            "paused" => Self::Paused,
            "canceled" => Self::Canceled,
            _ => return None,
        })
    }
}

/// A reserved word gives its span phase, any other word a moment.
impl From<Cow<'static, str>> for Phase {
    fn from(word: Cow<'static, str>) -> Self {
        Self::reserved(&word).unwrap_or(Self::Moment(word))
    }
}

impl From<&'static str> for Phase {
    fn from(word: &'static str) -> Self {
        Cow::Borrowed(word).into()
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Phase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Phase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|word| Cow::<'static, str>::Owned(word).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_are_never_moments() {
        for word in [
            "started",
            "completed",
            "failed",
            "blocked",
            "paused",
            "canceled",
        ] {
            let phase = Phase::from(word);
            assert!(!phase.is_moment(), "{word}");
            assert_eq!(phase.as_str(), word);
            assert_eq!(phase.is_terminal(), word != "started");
            assert_eq!(phase.outcome().is_some(), phase.is_terminal());
        }
        assert!(Phase::from("cancelled").is_moment());
    }
}
