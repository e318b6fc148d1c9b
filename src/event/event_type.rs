//! The type of an event: `subject.phase`, dot-separated, lower-case.
//!
//! Promise: parsing and printing round-trip; a known subject is recognised, any other name is custom.
//! Never: confuses a subject's name with a type (`llm.call` alone is refused), nor allocates for known types.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kind, Level, Phase, Subject};

/// What happened: a [`Subject`] and a [`Phase`], or a name of the application's own.
///
/// Segments are `[a-z][a-z0-9_]*`, joined by dots, at most [`EventType::MAX_LEN`] bytes in all. When everything
/// before the last dot is a known subject, the type is that subject's; otherwise it belongs to
/// [`Subject::CUSTOM`], its last segment is its phase, and its name is kept.
///
/// ```
/// use tracing_genai::event::{EventType, Phase, Subject};
///
/// let ty = EventType::parse("llm.call.started")?;
/// assert_eq!((ty.subject(), ty.phase()), (Subject::LLM_CALL, &Phase::Started));
///
/// let own = EventType::parse("billing.invoice.failed")?;
/// assert_eq!((own.subject(), own.phase()), (Subject::CUSTOM, &Phase::Failed));
/// assert_eq!(own.to_string(), "billing.invoice.failed");
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventType {
    subject: Subject,
    phase: Phase,
    /// The whole name, for types outside the table. Never set when subject and phase alone spell it.
    custom: Option<Arc<str>>,
}

/// Why a text is not an event type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseEventTypeError {
    /// Nothing there.
    #[error("an event type needs at least one segment")]
    Empty,
    /// Longer than [`EventType::MAX_LEN`].
    #[error("an event type has at most {max} bytes, not {0}", max = EventType::MAX_LEN)]
    TooLong(usize),
    /// A segment, counted from 1, that is empty or not `[a-z][a-z0-9_]*`.
    #[error("segment {0} of an event type must match [a-z][a-z0-9_]*")]
    Segment(usize),
    /// A subject without a phase, or a phase without a subject.
    #[error("an event type is a subject and a phase, as in llm.call.started")]
    Incomplete,
}

impl EventType {
    /// The longest event type, in bytes. Real ones stay under 50; the limit keeps a stray document from
    /// becoming a name.
    pub const MAX_LEN: usize = 255;

    /// The type of this subject and phase.
    ///
    /// Never fails: a moment that is a reserved word becomes that span phase, one outside the grammar is made
    /// to fit, and one that would spell another subject's name (`tool` + `call`) gets a trailing `_`.
    pub fn new(subject: Subject, phase: Phase) -> Self {
        let phase = match phase {
            Phase::Moment(word) => moment(subject, word),
            span_phase => span_phase,
        };
        Self {
            subject,
            phase,
            custom: None,
        }
    }

    /// Reads an event type.
    ///
    /// # Errors
    /// When the text is not of the grammar, or names a subject without a phase.
    pub fn parse(text: &str) -> Result<Self, ParseEventTypeError> {
        if text.is_empty() {
            return Err(ParseEventTypeError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(ParseEventTypeError::TooLong(text.len()));
        }
        if let Some(at) = text.split('.').position(|segment| !is_segment(segment)) {
            return Err(ParseEventTypeError::Segment(at + 1));
        }
        if Subject::parse(text).is_some() || Phase::reserved(text).is_some() {
            return Err(ParseEventTypeError::Incomplete);
        }
        let (head, last) = text.rsplit_once('.').unwrap_or(("", text));
        Ok(match Subject::parse(head) {
            Some(subject) => Self {
                subject,
                phase: known_phase(subject, last),
                custom: None,
            },
            None => Self {
                subject: Subject::CUSTOM,
                phase: known_phase(Subject::CUSTOM, last),
                custom: Some(text.into()),
            },
        })
    }

    /// The nearest event type to any text; never fails.
    ///
    /// Upper case is lowered, characters outside the grammar become `_`, empty segments vanish, the end is cut
    /// off at [`EventType::MAX_LEN`]; a subject or phase standing alone becomes a moment of `custom`.
    pub fn from_lossy(text: &str) -> Self {
        if let Ok(exact) = Self::parse(text) {
            return exact;
        }
        let mut name = String::new();
        for segment in text.split('.') {
            let segment = to_segment(segment);
            let dot = usize::from(!name.is_empty());
            if segment.is_empty() {
                continue;
            }
            if name.len() + dot + segment.len() > Self::MAX_LEN {
                let room = Self::MAX_LEN.saturating_sub(name.len() + dot);
                if room > 0 {
                    name.extend((dot > 0).then_some('.'));
                    name.push_str(&segment[..room]);
                }
                break;
            }
            name.extend((dot > 0).then_some('.'));
            name.push_str(&segment);
        }
        if name.is_empty() {
            name.push_str("unnamed");
        }
        Self::parse(&name).unwrap_or_else(|_| {
            Self::new(
                Subject::CUSTOM,
                Cow::<'static, str>::from(name.replace('.', "_")).into(),
            )
        })
    }

    /// What has the life; [`Subject::CUSTOM`] for names outside the table.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Where in that life.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The kind of its subject.
    pub fn kind(&self) -> Kind {
        self.subject.kind()
    }

    /// Everything before the phase. For a custom name of one segment that is `custom`.
    pub fn subject_name(&self) -> &str {
        match &self.custom {
            Some(name) => name
                .rsplit_once('.')
                .map_or(Subject::CUSTOM.name(), |(head, _)| head),
            None => self.subject.name(),
        }
    }

    /// The segments of the printed form, in order.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> + Clone {
        let (head, last) = match &self.custom {
            Some(name) => (&**name, None),
            None => (self.subject.name(), Some(self.phase.as_str())),
        };
        head.split('.').chain(last)
    }

    /// Whether the printed form begins with these segments, and goes on.
    pub(super) fn is_below(&self, head: &str) -> bool {
        let name = self.custom.as_deref().unwrap_or(self.subject.name());
        match name.strip_prefix(head) {
            Some("") => self.custom.is_none(),
            Some(rest) => rest.starts_with('.'),
            None => false,
        }
    }

    /// Whether the printed form ends with this segment, and has others before it.
    pub(super) fn ends_with(&self, last: &str) -> bool {
        match &self.custom {
            Some(name) => name.rsplit_once('.').is_some_and(|(_, word)| word == last),
            None => self.phase.as_str() == last,
        }
    }

    /// The level events of this type have unless they say otherwise: failed is an error, blocked and canceled
    /// a warning, stream chunks are debug, other moments what the subject table says; the rest is info.
    pub fn default_level(&self) -> Level {
        match &self.phase {
            Phase::Failed => Level::Error,
            Phase::Blocked | Phase::Canceled => Level::Warn,
            Phase::Moment(word) => match self.subject.moment_level(word) {
                Some(level) => level,
                None if word == "chunk" => Level::Debug,
                None => Level::Info,
            },
            Phase::Started | Phase::Completed | Phase::Paused => Level::Info,
        }
    }
}

pub(super) fn is_segment(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// A segment from any text without dots: `x` goes in front of a digit, leading underscores go.
fn to_segment(text: &str) -> String {
    let lowered: String = text
        .trim()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let trimmed = lowered.trim_start_matches('_');
    if trimmed.starts_with(|c: char| c.is_ascii_digit()) {
        format!("x{trimmed}")
    } else {
        trimmed.to_owned()
    }
}

/// The phase of a word that is known to be a segment; borrowed when the table knows it.
fn known_phase(subject: Subject, word: &str) -> Phase {
    Phase::reserved(word).unwrap_or_else(|| {
        Phase::Moment(
            match subject.phases().iter().find(|known| **known == word) {
                Some(known) => Cow::Borrowed(known),
                None => Cow::Owned(word.to_owned()),
            },
        )
    })
}

fn moment(subject: Subject, word: Cow<'static, str>) -> Phase {
    if let Some(known) = subject.phases().iter().find(|known| **known == word) {
        return Phase::from(*known);
    }
    let spells_subject = |word: &str| {
        Subject::ALL.iter().any(|other| {
            other
                .name()
                .strip_prefix(subject.name())
                .and_then(|rest| rest.strip_prefix('.'))
                == Some(word)
        })
    };
    let room = EventType::MAX_LEN - subject.name().len() - 1;
    let fits = is_segment(&word) && word.len() < room;
    let mut word = if fits {
        word
    } else {
        Cow::Owned(to_segment(&word))
    };
    if word.len() >= room {
        word.to_mut().truncate(room - 1);
    }
    if word.is_empty() {
        word = Cow::Borrowed("unnamed");
    }
    if spells_subject(&word) {
        word.to_mut().push('_');
    }
    Phase::from(word)
}

impl From<(Subject, Phase)> for EventType {
    fn from((subject, phase): (Subject, Phase)) -> Self {
        Self::new(subject, phase)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.custom {
            Some(name) => f.write_str(name),
            None => write!(f, "{}.{}", self.subject.name(), self.phase.as_str()),
        }
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventType({self})")
    }
}

/// Compares with the printed form, without printing it.
impl PartialEq<str> for EventType {
    fn eq(&self, text: &str) -> bool {
        match &self.custom {
            Some(name) => **name == *text,
            None => {
                text.strip_prefix(self.subject.name())
                    .and_then(|rest| rest.strip_prefix('.'))
                    == Some(self.phase.as_str())
            }
        }
    }
}

impl PartialEq<&str> for EventType {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}

impl FromStr for EventType {
    type Err = ParseEventTypeError;

    fn from_str(text: &str) -> Result<Self, ParseEventTypeError> {
        Self::parse(text)
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<'_, str>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constructed_type_always_reads_back() {
        for subject in Subject::ALL {
            for word in [
                "started",
                "chunk",
                "Not Valid!",
                "",
                "call",
                "input",
                "3d",
                "_",
                "a.b",
                "execution",
            ] {
                for word in [word.to_owned(), word.repeat(400)] {
                    let ty = EventType::new(*subject, Phase::Moment(word.clone().into()));
                    assert_eq!(
                        EventType::parse(&ty.to_string()).as_ref(),
                        Ok(&ty),
                        "{subject} {word}"
                    );
                }
            }
        }
    }

    #[test]
    fn any_text_has_a_nearest_type() {
        for (text, expected) in [
            ("llm.call.started", "llm.call.started"),
            ("LLM_call_start", "llm_call_start"),
            ("user login", "user_login"),
            ("llm.call", "custom.llm_call"),
            ("started", "custom.started"),
            ("..a..b.", "a.b"),
            ("42.answers", "x42.answers"),
            ("", "unnamed"),
            ("é", "unnamed"),
        ] {
            assert_eq!(EventType::from_lossy(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn levels_follow_the_phase() {
        let level = |text: &str| EventType::parse(text).unwrap().default_level();
        assert_eq!(level("llm.call.started"), Level::Info);
        assert_eq!(level("tool.call.failed"), Level::Error);
        assert_eq!(level("llm.call.blocked"), Level::Warn);
        assert_eq!(level("step.canceled"), Level::Warn);
        assert_eq!(level("llm.call.chunk"), Level::Debug);
        assert_eq!(level("security.alert"), Level::Alert);
        assert_eq!(level("workflow.created"), Level::Debug);
        assert_eq!(level("mcp.heartbeat"), Level::Trace);
        assert_eq!(level("tool.input.invalid"), Level::Warn);
        assert_eq!(level("billing.invoice.paid"), Level::Info);
        assert_eq!(level("billing.invoice.failed"), Level::Error);
    }
}
