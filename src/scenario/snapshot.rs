//! Snapshots of a conversation: written whole or as what changed, and read back as the whole.

use std::fmt;

use serde_json::{Map, Value as Json, json};

use super::Snapshots;
use crate::event::Event;
use crate::message::{Conversation, Converted, from_ag_ui};

/// Messages as AG-UI has them.
type Messages = Vec<Json>;

/// The fields of a delta: which one it is since the last whole, how many messages stay, and what follows them.
const NUMBER: &str = "number";
const KEEP: &str = "keep";
const MESSAGES: &str = "messages";

/// What a run has told of its conversation so far.
pub(super) struct Telling {
    snapshots: Snapshots,
    before: Option<Messages>,
    number: u64,
}

impl Telling {
    pub(super) fn new(snapshots: Snapshots) -> Self {
        Self {
            snapshots,
            before: None,
            number: 0,
        }
    }

    /// The body of the next snapshot. The whole is told where nothing of the one before stays.
    pub(super) fn tell(&mut self, list: Messages) -> Json {
        if self.snapshots == Snapshots::Full {
            return Json::Array(list);
        }
        let before = self.before.as_deref().unwrap_or_default();
        let keep = before.iter().zip(&list).take_while(|(a, b)| a == b).count();
        let told = if keep == 0 {
            self.number = 0;
            Json::Array(list.clone())
        } else {
            self.number += 1;
            let rest = list.get(keep..).unwrap_or_default();
            json!({NUMBER: self.number, KEEP: keep, MESSAGES: rest})
        };
        self.before = Some(list);
        told
    }
}

/// The conversation of one run, put together from its snapshots, whole ones and deltas.
///
/// ```
/// use tracing_genai::content::CaptureMode;
/// use tracing_genai::message::Message;
/// use tracing_genai::scenario::{Results, Scenario, Snapshots, Transcript};
/// use tracing_genai::testing::capture_with;
///
/// let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
/// capture.record(|| {
///     let run = Scenario::new("greeting").snapshots(Snapshots::Delta).start();
///     let mut messages = vec![Message::user("Hello")];
///     run.messages(&messages);
///     messages.push(Message::assistant("Hi there!"));
///     run.messages(&messages);
///     run.finish(Results::success());
/// });
/// let mut transcript = Transcript::new();
/// for event in capture.events() {
///     transcript.apply(&event)?;
/// }
/// assert_eq!(transcript.messages().len(), 2);
/// assert_eq!(transcript.conversation().value.messages[1].text(), "Hi there!");
/// # Ok::<(), tracing_genai::scenario::SnapshotError>(())
/// ```
#[derive(Clone, Default)]
pub struct Transcript {
    messages: Messages,
    number: u64,
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript")
            .field("messages", &self.messages.len())
            .finish_non_exhaustive()
    }
}

/// Why a snapshot does not say what the conversation is. The transcript stays as it was; the next whole snapshot mends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It carries no messages: content is not captured.
    #[error("the snapshot carries no messages, because content is not captured")]
    NotCaptured,
    /// It says what changed since a snapshot that was not seen.
    #[error("the snapshot changes one that was not seen")]
    Missed,
}

impl Transcript {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a snapshot; other events change nothing. Says whether the event was one.
    ///
    /// # Errors
    /// [`SnapshotError`], if the snapshot does not say what the conversation is.
    pub fn apply(&mut self, event: &Event) -> Result<bool, SnapshotError> {
        if event.ty != "conversation.snapshot" {
            return Ok(false);
        }
        match Snapshot::of(event) {
            None => Err(SnapshotError::NotCaptured),
            Some(Snapshot::Whole(list)) => {
                self.messages = list.to_vec();
                self.number = 0;
                Ok(true)
            }
            Some(Snapshot::Delta { number, keep, rest }) => {
                if number != self.number + 1 || keep > self.messages.len() {
                    return Err(SnapshotError::Missed);
                }
                self.messages.truncate(keep);
                self.messages.extend_from_slice(rest);
                self.number = number;
                Ok(true)
            }
        }
    }

    /// The messages so far, as [AG-UI](crate::message::to_ag_ui) has them.
    pub fn messages(&self) -> &[Json] {
        &self.messages
    }

    /// The same as messages of this library.
    pub fn conversation(&self) -> Converted<Conversation> {
        from_ag_ui(&json!(self.messages))
    }
}

/// What the body of a snapshot says.
pub(super) enum Snapshot<'e> {
    Whole(&'e [Json]),
    Delta {
        number: u64,
        keep: usize,
        rest: &'e [Json],
    },
}

impl<'e> Snapshot<'e> {
    pub(super) fn of(event: &'e Event) -> Option<Self> {
        let list = |fields: &'e Map<String, Json>| fields.get(MESSAGES)?.as_array();
        match &event.body.as_ref()?.0 {
            Json::Array(list) => Some(Self::Whole(list)),
            Json::Object(fields) => {
                let rest = list(fields)?;
                let Some(keep) = fields.get(KEEP).and_then(Json::as_u64) else {
                    // A document that carries more than its messages.
                    return Some(Self::Whole(rest));
                };
                Some(Self::Delta {
                    number: fields.get(NUMBER).and_then(Json::as_u64)?,
                    keep: usize::try_from(keep).ok()?,
                    rest,
                })
            }
            _ => None,
        }
    }
}
