//! Which types of events somebody wants: one type, a glob over types, or a seed system's own name for one.
//!
//! Promise: matching allocates nothing and looks at the type only (and at the flavor, where a name implies one).
//! Never: refuses a type of the application's own.

use std::{fmt, str::FromStr};

use super::{Event, EventType, Flavor, ParseEventTypeError, alias};

/// A pattern over event types.
///
/// * `llm.call.completed` is that one type. So is a name that one of the known dialects gives a type:
///   `LLM_call_finish`, `crew_kickoff_completed`, `pipeline.completed`, `SCENARIO_RUN_FINISHED`; where the name implies a
///   [`Flavor`], only events of that flavor match.
/// * `*` stands for exactly one segment inside a pattern, and for one or more at its beginning or end: `llm.call.*` is every
///   phase of a model call, `memory.*` everything about memory, `*.failed` every failure, `*` everything.
///
/// ```
/// use tracing_genai::event::{EventType, Pattern};
///
/// let failures = Pattern::parse("*.failed")?;
/// assert!(failures.matches_type(&EventType::parse("llm.call.failed")?));
/// assert!(!failures.matches_type(&EventType::parse("llm.call.completed")?));
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(Form);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Any,
    Type(EventType, Option<Flavor>),
    /// These segments, and at least one more: `llm.call.*`.
    Below(Box<str>),
    /// This segment, and at least one before it: `*.failed`.
    Ending(Box<str>),
    /// Any other with at least one `*` and one other segment.
    Glob(Box<str>),
}

impl Form {
    /// What most people write has forms of its own, which are matched without counting segments: that happens for every
    /// event and every subscription.
    fn glob(text: &str) -> Self {
        match (text.strip_prefix("*."), text.strip_suffix(".*")) {
            (None, Some(head)) if !head.contains('*') => Self::Below(head.into()),
            (Some(last), None) if !last.contains('.') => Self::Ending(last.into()),
            _ => Self::Glob(text.into()),
        }
    }
}

impl Pattern {
    /// Every type.
    pub const ANY: Self = Self(Form::Any);

    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is neither an event type, nor a name of a known dialect, nor made of segments and `*`.
    pub fn parse(text: &str) -> Result<Self, ParseEventTypeError> {
        if text == "*" {
            return Ok(Self::ANY);
        }
        if text.split('.').any(|segment| segment == "*") {
            if text.len() > EventType::MAX_LEN {
                return Err(ParseEventTypeError::TooLong(text.len()));
            }
            return match text
                .split('.')
                .position(|segment| segment != "*" && !super::event_type::is_segment(segment))
            {
                Some(at) => Err(ParseEventTypeError::Segment(at + 1)),
                None if text.split('.').all(|segment| segment == "*") => Ok(Self::ANY),
                None => Ok(Self(Form::glob(text))),
            };
        }
        if let Some(resolved) = alias::resolve(text) {
            let flavor = (!resolved.flavor.is_none()).then_some(resolved.flavor);
            return Ok(Self(Form::Type(resolved.ty, flavor)));
        }
        Ok(Self(Form::Type(EventType::parse(text)?, None)))
    }

    /// Whether the event is of such a type, and of the flavor the pattern implies.
    pub fn matches(&self, event: &Event) -> bool {
        match &self.0 {
            Form::Type(_, Some(flavor)) if event.flavor != *flavor => false,
            _ => self.matches_type(&event.ty),
        }
    }

    /// Whether the type is one of those meant.
    pub fn matches_type(&self, ty: &EventType) -> bool {
        match &self.0 {
            Form::Any => true,
            Form::Type(wanted, _) => wanted == ty,
            Form::Below(head) => ty.is_below(head),
            Form::Ending(last) => ty.ends_with(last),
            Form::Glob(glob) => matches_glob(glob, ty),
        }
    }

    /// The one type it stands for, and the flavor that goes with it; `None` for globs.
    pub fn as_type(&self) -> Option<(&EventType, Option<&Flavor>)> {
        match &self.0 {
            Form::Type(ty, flavor) => Some((ty, flavor.as_ref())),
            Form::Any | Form::Below(_) | Form::Ending(_) | Form::Glob(_) => None,
        }
    }

    /// Whether it stands for every type.
    pub fn is_any(&self) -> bool {
        self.0 == Form::Any
    }
}

fn matches_glob(glob: &str, ty: &EventType) -> bool {
    let (open_start, middle) = match glob.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, glob),
    };
    let (open_end, middle) = match middle.strip_suffix(".*") {
        Some(rest) => (true, rest),
        None => (false, middle),
    };
    let total = ty.segments().count();
    let needed = middle.split('.').count();
    let at_start = usize::from(open_start);
    let Some(room) = total.checked_sub(needed + at_start + usize::from(open_end)) else {
        return false;
    };
    // An open end takes what is left over, an open start any number of segments before.
    let starts = match (open_start, open_end) {
        (false, false) if room > 0 => return false,
        (false, _) => 0..=0,
        (true, false) => at_start + room..=at_start + room,
        (true, true) => at_start..=at_start + room,
    };
    starts.into_iter().any(|start| {
        ty.segments()
            .skip(start)
            .zip(middle.split('.'))
            .all(|(found, wanted)| wanted == "*" || wanted == found)
    })
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Any => f.write_str("*"),
            Form::Type(ty, _) => ty.fmt(f),
            Form::Below(head) => write!(f, "{head}.*"),
            Form::Ending(last) => write!(f, "*.{last}"),
            Form::Glob(glob) => f.write_str(glob),
        }
    }
}

impl FromStr for Pattern {
    type Err = ParseEventTypeError;

    fn from_str(text: &str) -> Result<Self, ParseEventTypeError> {
        Self::parse(text)
    }
}

impl From<EventType> for Pattern {
    fn from(ty: EventType) -> Self {
        Self(Form::Type(ty, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_segments() {
        for (pattern, ty, expected) in [
            ("*", "llm.call.started", true),
            ("*.*", "llm.call.started", true),
            ("llm.call.*", "llm.call.started", true),
            ("llm.call.*", "llm.call.chunk", true),
            ("llm.*", "llm.call.started", true),
            ("llm.call.*", "tool.call.started", false),
            ("llm.call.*", "llm.call", false),
            ("*.failed", "llm.call.failed", true),
            ("*.failed", "workflow.failed", true),
            ("*.failed", "workflow.completed", false),
            ("*.call.*", "llm.call.failed", true),
            ("*.call.*", "tool.call.started", true),
            ("memory.*.failed", "memory.query.failed", true),
            ("memory.*.failed", "memory.failed", false),
            ("a.*.c", "a.b.b.c", false),
            ("user_login", "user_login", true),
            ("user_login.*", "user_login", false),
            ("*.user_login", "user_login", false),
            ("custom.*", "user_login", false),
            ("billing.invoice.*", "billing.invoice.paid", true),
            ("billing.*", "billing.invoice.paid", true),
            ("bill.*", "billing.invoice.paid", false),
            ("billing.invoice.paid.*", "billing.invoice.paid", false),
            ("*.paid", "billing.invoice.paid", true),
            ("llm.call.started", "llm.call.started", true),
            ("llm.call.started", "llm.call.completed", false),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            let ty = EventType::from_lossy(ty);
            assert_eq!(parsed.matches_type(&ty), expected, "{pattern} on {ty}");
            assert_eq!(Pattern::parse(&parsed.to_string()).unwrap(), parsed);
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_its_place() {
        assert_eq!(
            Pattern::parse("llm.Call!.*"),
            Err(ParseEventTypeError::Segment(2))
        );
        assert_eq!(Pattern::parse(""), Err(ParseEventTypeError::Empty));
        assert_eq!(
            Pattern::parse("llm..*"),
            Err(ParseEventTypeError::Segment(2))
        );
        assert!(Pattern::parse(&"a.*".repeat(200)).is_err());
    }
}
