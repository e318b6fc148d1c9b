//! What is said of a prompt before it is sent, and of an answer after it came.
//!
//! Promise: a guard that panics has not allowed anything: the prompt is blocked.
//! Never: a reason that quotes the text. Reasons go into events and errors, so they are words of the rule, not of the user.

use crate::contain::contain;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a guard says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing is wrong with it.
    #[default]
    Allow,
    /// It goes on, with the event `security.alert`. The text is the rule's word for it (`prompt_manipulation`); it is recorded,
    /// so it quotes nothing.
    Alert(Cow<'static, str>),
    /// It is not sent: `security.block`, and the call ends as blocked, for this reason. An answer has been paid for and is
    /// not withheld: there, it is an alert.
    Block(Cow<'static, str>),
}

impl Verdict {
    /// [`Verdict::Alert`] for this reason.
    pub fn alert(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Alert(reason.into())
    }

    /// [`Verdict::Block`] for this reason.
    pub fn block(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Block(reason.into())
    }
}

/// Which side of a call a text is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// What is about to be sent.
    Prompt,
    /// What came back.
    Response,
}

/// A text to be judged.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Judged<'a> {
    /// Where it is from.
    pub part: Part,
    /// The text itself, which is content.
    pub text: &'a str,
}

impl fmt::Debug for Judged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judged")
            .field("part", &self.part)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// Judges prompts and answers. Any `Fn(&str) -> Verdict` is one, and sees both.
///
/// It runs on the thread that makes the call, before and after it: what takes long delays the call.
///
/// ```
/// use tracing_genai::monitor::{Guard, Judged, Part, Verdict};
///
/// struct NoShell;
///
/// impl Guard for NoShell {
///     fn judge(&self, judged: Judged<'_>) -> Verdict {
///         match judged.part {
///             Part::Prompt if judged.text.contains("rm -rf") => Verdict::block("dangerous_command"),
///             _ => Verdict::Allow,
///         }
///     }
/// }
/// ```
pub trait Guard: Send + Sync {
    /// What to do about a text.
    fn judge(&self, judged: Judged<'_>) -> Verdict;
}

impl<F: Fn(&str) -> Verdict + Send + Sync> Guard for F {
    fn judge(&self, judged: Judged<'_>) -> Verdict {
        self(judged.text)
    }
}

impl Guard for Arc<dyn Guard> {
    fn judge(&self, judged: Judged<'_>) -> Verdict {
        (**self).judge(judged)
    }
}

pub(super) fn judge(guard: Option<&dyn Guard>, part: Part, text: &str) -> Verdict {
    let Some(guard) = guard else {
        return Verdict::Allow;
    };
    contain(|| guard.judge(Judged { part, text }))
        .unwrap_or_else(|| Verdict::block("guard_panicked"))
}
