//! The six channels of user interfaces. Owns the table from the channels of events to them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::{Channel, Event, Level, Phase};

/// Which part of a user interface a frame is for: crewAI's six stream channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FrameChannel {
    /// Model calls and the pieces of their answers.
    Llm,
    /// Workflows, steps, sessions, and people who are asked.
    Flow,
    /// Tools, over MCP or not.
    Tools,
    /// Messages of a conversation.
    Messages,
    /// Whatever failed, wherever it happened.
    Lifecycle,
    /// Everything else.
    Custom,
}

/// Channels of events that have a place of their own; the others are [`FrameChannel::Custom`].
const PLACES: &[(Channel, FrameChannel)] = &[
    (Channel::LLM, FrameChannel::Llm),
    (Channel::TOOL, FrameChannel::Tools),
    (Channel::MCP, FrameChannel::Tools),
    (Channel::MESSAGE, FrameChannel::Messages),
    (Channel::WORKFLOW, FrameChannel::Flow),
    (Channel::STEP, FrameChannel::Flow),
    (Channel::HUMAN, FrameChannel::Flow),
    (Channel::SESSION, FrameChannel::Flow),
];

impl FrameChannel {
    /// The channel an event is shown in. A failure is shown as one, whatever failed.
    pub fn of(event: &Event) -> Self {
        if event.phase == Phase::Failed || event.level == Level::Error {
            return Self::Lifecycle;
        }
        PLACES
            .iter()
            .find(|(channel, _)| *channel == event.channel)
            .map_or(Self::Custom, |(_, place)| *place)
    }

    /// `llm`, `flow`, `tools`, `messages`, `lifecycle` or `custom`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Flow => "flow",
            Self::Tools => "tools",
            Self::Messages => "messages",
            Self::Lifecycle => "lifecycle",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for FrameChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
