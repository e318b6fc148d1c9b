//! Messages and calls of tools that come in pieces.
//!
//! Promise: what was opened is closed, by `end` or by being dropped.

use std::fmt;

use super::{Run, names};
use crate::message::Role;
use crate::semconv;

/// A message that comes in pieces. Made by [`Run::message`].
///
/// Ended, or dropped, it tells the whole: `conversation.message.added`.
#[must_use = "dropping it ends the message"]
pub struct StreamedMessage<'r> {
    run: &'r Run,
    id: String,
    role: Role,
    index: Option<u64>,
    text: String,
}

impl fmt::Debug for StreamedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedMessage")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl<'r> StreamedMessage<'r> {
    pub(super) fn open(run: &'r Run, id: &str, role: Role) -> Self {
        let event = run.event("conversation.message.opened");
        let event = event.attr(names::MESSAGE_ID, id);
        event.attr(names::MESSAGE_ROLE, role.as_str()).emit();
        Self {
            run,
            id: id.to_owned(),
            role,
            index: None,
            text: String::new(),
        }
    }

    /// Which message of the conversation it is, from 0; told when it ends.
    pub fn index(mut self, index: u64) -> Self {
        self.index = Some(index);
        self
    }

    /// The next piece: content, `conversation.message.chunk`.
    pub fn push(&mut self, piece: &str) -> &mut Self {
        let event = self.run.event("conversation.message.chunk");
        let event = event.attr(names::MESSAGE_ID, self.id.as_str());
        if self.run.wants_content() {
            self.text.push_str(piece);
            event.body(piece).emit();
        } else {
            event.emit();
        }
        self
    }

    /// The message is complete.
    pub fn end(self) {}
}

impl Drop for StreamedMessage<'_> {
    fn drop(&mut self) {
        let event = self.run.event("conversation.message.added");
        let event = event.attr(names::MESSAGE_ID, self.id.as_str());
        let mut event = event.attr(names::MESSAGE_ROLE, self.role.as_str());
        if let Some(index) = self.index {
            event = event.attr(names::MESSAGE_INDEX, index);
        }
        if self.run.wants_content() {
            event = event.body(std::mem::take(&mut self.text));
        }
        event.emit();
    }
}

/// A call of a tool whose arguments come in pieces. Made by [`Run::tool_call`].
///
/// Ended, or dropped, it is complete: `tool.call.sealed`.
#[must_use = "dropping it ends the call"]
pub struct StreamedCall<'r> {
    run: &'r Run,
    id: String,
}

impl fmt::Debug for StreamedCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamedCall")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl<'r> StreamedCall<'r> {
    pub(super) fn open(run: &'r Run, id: &str, name: &str) -> Self {
        let event = run.event("tool.call.announced");
        let event = event.attr(semconv::GEN_AI_TOOL_CALL_ID, id);
        event.attr(semconv::GEN_AI_TOOL_NAME, name).emit();
        Self {
            run,
            id: id.to_owned(),
        }
    }

    /// The next piece of the arguments' JSON: content, `tool.call.chunk`.
    pub fn push(&mut self, piece: &str) -> &mut Self {
        let event = self.run.event("tool.call.chunk");
        let event = event.attr(semconv::GEN_AI_TOOL_CALL_ID, self.id.as_str());
        if self.run.wants_content() {
            event.body(piece).emit();
        } else {
            event.emit();
        }
        self
    }

    /// The arguments are complete.
    pub fn end(self) {}
}

impl Drop for StreamedCall<'_> {
    fn drop(&mut self) {
        let event = self.run.event("tool.call.sealed");
        event
            .attr(semconv::GEN_AI_TOOL_CALL_ID, self.id.as_str())
            .emit();
    }
}
