//! A list of messages as what changed since the one before.

use serde::{Deserialize, Serialize};

use super::Message;

/// The difference between two snapshots of a conversation: how many messages stay, and what follows them.
///
/// Conversations grow at their end, so that a snapshot for every message is quadratic, and its deltas are not.
///
/// ```
/// use tracing_genai::message::{Delta, Message};
///
/// let before = vec![Message::user("Hello")];
/// let after = vec![Message::user("Hello"), Message::assistant("Hi there!")];
/// let delta = Delta::between(&before, &after);
/// assert_eq!((delta.keep, delta.messages.len()), (1, 1));
/// assert_eq!(delta.apply(&before)?, after);
/// # Ok::<(), tracing_genai::message::DeltaError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Delta {
    /// How many of the messages before stay, from the first on.
    pub keep: usize,
    /// What follows them.
    pub messages: Vec<Message>,
}

/// A delta of another snapshot than the one it was applied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the delta keeps {keep} messages of a snapshot of {there}")]
#[non_exhaustive]
pub struct DeltaError {
    /// Messages the delta keeps.
    pub keep: usize,
    /// Messages there were.
    pub there: usize,
}

impl Delta {
    /// What leads from `before` to `after`.
    pub fn between(before: &[Message], after: &[Message]) -> Self {
        let same = before.iter().zip(after).take_while(|(a, b)| a == b);
        let keep = same.count();
        let messages = after.iter().skip(keep).cloned().collect();
        Self { keep, messages }
    }

    /// The snapshot after, from the one before.
    ///
    /// # Errors
    /// If `before` has fewer messages than the delta keeps: one between them is missing.
    pub fn apply(&self, before: &[Message]) -> Result<Vec<Message>, DeltaError> {
        let Some(kept) = before.get(..self.keep) else {
            return Err(DeltaError {
                keep: self.keep,
                there: before.len(),
            });
        };
        Ok(kept.iter().chain(&self.messages).cloned().collect())
    }
}
