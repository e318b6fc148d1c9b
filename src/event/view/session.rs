//! Views of sessions and conversations: turns, messages, snapshots.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{body, body_text, conversation_id, count, duration, error, session_id, text},
};
use crate::{
    event::{Body, ErrorInfo, Event},
    semconv,
};

views! {
    /// A user's session.
    SessionView {
        /// The session's id.
        session_id: Option<&'e str> = session_id;
        /// Whose session it is.
        user_id: Option<&'e str> = text(semconv::USER_ID);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A session began.
        SessionStarted = "session.started";
        /// A session ended.
        SessionCompleted = "session.completed";
        /// A session broke off.
        SessionFailed = "session.failed";
        /// A session was dropped.
        SessionCanceled = "session.canceled";
    }

    /// One turn of a conversation: from the user's message to the answer.
    ConversationTurnView {
        /// The conversation's id.
        conversation_id: Option<&'e str> = conversation_id;
        /// The session's id.
        session_id: Option<&'e str> = session_id;
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A turn began.
        ConversationTurnStarted = "conversation.turn.started";
        /// A turn ended.
        ConversationTurnCompleted = "conversation.turn.completed";
        /// A turn failed.
        ConversationTurnFailed = "conversation.turn.failed";
        /// A turn was dropped.
        ConversationTurnCanceled = "conversation.turn.canceled";
    }

    /// A message inside a conversation.
    ConversationMessageView {
        /// The conversation's id.
        conversation_id: Option<&'e str> = conversation_id;
        /// The message's id.
        message_id: Option<&'e str> = text("message.id");
        /// Whose message it is: `user`, `assistant`, `system`, `tool`.
        role: Option<&'e str> = text("message.role");
        /// The message's place in the conversation.
        index: Option<u64> = count("message.index");
    } content {
        /// The message or the piece of it, if it is one text and capturing content is switched on.
        text: Option<&'e str> = body_text;
    } {
        /// A message is complete.
        ConversationMessageAdded = "conversation.message.added";
        /// A message begins to be written.
        ConversationMessageOpened = "conversation.message.opened";
        /// A piece of a message was written.
        ConversationMessageChunk = "conversation.message.chunk";
    }

    /// A conversation as a whole.
    ConversationView {
        /// The conversation's id.
        conversation_id: Option<&'e str> = conversation_id;
        /// How many messages it has.
        message_count: Option<u64> = count("conversation.message_count");
    } content {
        /// The messages, if capturing content is switched on.
        messages: Option<&'e Body> = body;
    } {
        /// The conversation so far.
        ConversationSnapshot = "conversation.snapshot";
    }
}
