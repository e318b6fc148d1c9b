//! What a request says to a model, or a model answers.

use std::fmt;

use super::{Message, Part};

/// Messages in their order, and the instructions that some formats keep apart from them.
///
/// `system` is what `gen_ai.system_instructions` holds: instructions that are no message. Formats that have them among the
/// messages (OpenAI's chat, AG-UI) leave it empty.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Conversation {
    /// Instructions apart from the messages.
    pub system: Vec<Part>,
    /// The messages, oldest first.
    pub messages: Vec<Message>,
}

impl Conversation {
    /// A conversation without instructions apart.
    pub fn new(messages: Vec<Message>) -> Self {
        let system = Vec::new();
        Self { system, messages }
    }

    /// With instructions apart from the messages.
    #[must_use]
    pub fn with_system(mut self, system: Vec<Part>) -> Self {
        self.system = system;
        self
    }

    /// The same with nothing in it that the conventions do not name; see [`Message::plain`].
    #[must_use]
    pub fn plain(self) -> Self {
        Self {
            system: self.system.into_iter().map(Part::plain).collect(),
            messages: self.messages.into_iter().map(Message::plain).collect(),
        }
    }
}

impl From<Vec<Message>> for Conversation {
    fn from(messages: Vec<Message>) -> Self {
        Self::new(messages)
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("system", &self.system)
            .field("messages", &self.messages)
            .finish()
    }
}
