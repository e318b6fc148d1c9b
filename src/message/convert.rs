//! What a conversion gives: what could be kept, and where something is wrong.
//!
//! Promise: every problem names its place; problems are listed up to a bound and counted past it.
//! Never: quotes what it read.

use std::fmt;

/// The result of a conversion: what could be kept, and what is wrong with the rest.
///
/// A conversion never fails and never panics. [`strict`](Self::strict) is for those who want all or nothing.
///
/// ```
/// use serde_json::json;
/// use tracing_genai::message::from_openai;
///
/// let history = json!([
///     {"role": "user", "content": "Weather in Paris?"},
///     {"role": "assistant", "tool_calls": [
///         {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": "}},
///     ]},
/// ]);
/// let lenient = from_openai(&history);
/// assert_eq!(lenient.value.messages.len(), 2); // the arguments are kept as text
///
/// let error = from_openai(&history).strict().unwrap_err();
/// assert_eq!(error.to_string(), "messages[1].tool_calls[0].function.arguments: is not JSON");
/// ```
#[derive(Clone, PartialEq)]
#[must_use = "what could not be converted is in `problems`"]
#[non_exhaustive]
pub struct Converted<T> {
    /// What could be kept.
    pub value: T,
    /// What is wrong, in the order it was met: the first [`MOST_PROBLEMS`](Self::MOST_PROBLEMS).
    pub problems: Vec<Problem>,
    /// How many problems came after those.
    pub unlisted: u64,
}

impl<T> Converted<T> {
    /// Problems that are listed; the others are counted. More than anybody reads, and 100 KiB at most.
    pub const MOST_PROBLEMS: usize = 100;

    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// All or nothing.
    ///
    /// # Errors
    /// If there is a problem, even one that loses nothing.
    pub fn strict(self) -> Result<T, ConvertError> {
        let more = self.problems.len() as u64 + self.unlisted;
        match self.problems.into_iter().next() {
            None => Ok(self.value),
            Some(first) => Err(ConvertError {
                first,
                more: more - 1,
            }),
        }
    }
}

/// The problems only: the value is content.
impl<T> fmt::Debug for Converted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converted")
            .field("problems", &self.problems)
            .field("unlisted", &self.unlisted)
            .finish_non_exhaustive()
    }
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The place in what was read: `messages[3].tool_calls[0].function.arguments`.
    pub path: String,
    /// What is wrong there.
    pub reason: Reason,
    /// Whether it was kept all the same, as it was. What was not kept is missing from the result.
    pub kept: bool,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It has to be there.
    #[error("is missing")]
    Missing,
    /// It is of another type.
    #[error("is not {0}")]
    Not(&'static str),
    /// No format has such a role.
    #[error("is no known role")]
    UnknownRole,
    /// It should be JSON text.
    #[error("is not JSON")]
    NotJson,
    /// It should be base64.
    #[error("is not base64")]
    NotBase64,
    /// Another one has the same id.
    #[error("is used twice")]
    Duplicate,
    /// It names a tool call that was not made before.
    #[error("answers no tool call before it")]
    NoCall,
    /// It nests deeper than [`MAX_DEPTH`](super::MAX_DEPTH), which is 64.
    #[error("nests deeper than 64 levels")]
    TooDeep,
    /// The format that is written has nothing like it.
    #[error("cannot be said in {0}")]
    Unsupported(&'static str),
}

/// A conversion was to be complete, and was not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConvertError {
    /// The first problem.
    pub first: Problem,
    /// How many came after it.
    pub more: u64,
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

impl std::error::Error for ConvertError {}

/// A place in what is read, as a chain on the stack: nothing is written down unless something is wrong there.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    around: Option<&'a Place<'a>>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Field(&'static str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(super) const fn root(name: &'static str) -> Self {
        Self {
            around: None,
            step: Step::Field(name),
        }
    }

    pub(super) const fn field(&'a self, name: &'static str) -> Self {
        Self {
            around: Some(self),
            step: Step::Field(name),
        }
    }

    pub(super) const fn at(&'a self, index: usize) -> Self {
        Self {
            around: Some(self),
            step: Step::Index(index),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(around) = self.around {
            around.fmt(f)?;
        }
        match self.step {
            Step::Field(name) if self.around.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// The problems so far.
#[derive(Default)]
pub(super) struct Log {
    problems: Vec<Problem>,
    unlisted: u64,
}

impl Log {
    /// Something is wrong, and the value is in the result all the same.
    pub(super) fn kept(&mut self, place: &Place<'_>, reason: Reason) {
        self.push(place, reason, true);
    }

    /// Something is wrong, and the value is not in the result.
    pub(super) fn lost(&mut self, place: &Place<'_>, reason: Reason) {
        self.push(place, reason, false);
    }

    fn push(&mut self, place: &Place<'_>, reason: Reason, kept: bool) {
        if self.problems.len() < Converted::<()>::MOST_PROBLEMS {
            let path = place.to_string();
            self.problems.push(Problem { path, reason, kept });
        } else {
            self.unlisted += 1;
        }
    }

    pub(super) fn with<T>(self, value: T) -> Converted<T> {
        Converted {
            value,
            problems: self.problems,
            unlisted: self.unlisted,
        }
    }
}
