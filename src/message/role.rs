//! Who speaks. Owns: the words of the conventions for it, and what other formats call the same.

use std::fmt;

/// Who a message is from.
///
/// The conventions name `system`, `user`, `assistant` and `tool`, and allow any other word; `developer` is OpenAI's and AG-UI's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The application's rules for the model.
    System,
    /// The same, as newer OpenAI models call it.
    Developer,
    /// The person, or the program, that asks.
    User,
    /// The model.
    Assistant,
    /// A tool, with its result.
    Tool,
    /// A word this version does not know, as it came.
    Other(String),
}

impl Role {
    /// The word: `system`, `developer`, `user`, `assistant`, `tool`; an unknown one as it came.
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other(word) => word,
        }
    }

    /// Whether messages of this role are instructions: `system` and `developer`.
    pub fn is_instruction(&self) -> bool {
        matches!(self, Self::System | Self::Developer)
    }
}

impl From<&str> for Role {
    fn from(word: &str) -> Self {
        match word {
            "system" => Self::System,
            "developer" => Self::Developer,
            "user" => Self::User,
            "assistant" => Self::Assistant,
            "tool" => Self::Tool,
            _ => Self::Other(word.to_owned()),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
