//! Which component speaks. Owns the closed list of 23; never grows by configuration.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The text is not the name of a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of event: \"{}\"", crate::console::escape(.0))]
pub struct ParseKindError(Box<str>);

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The component an event is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every kind, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The lower-case name, as in JSON.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }

        impl FromStr for Kind {
            type Err = ParseKindError;

            fn from_str(name: &str) -> Result<Self, ParseKindError> {
                match name {
                    $($name => Ok(Self::$kind),)*
                    other => Err(ParseKindError(other.chars().take(64).collect::<String>().into())),
                }
            }
        }
    };
}

kinds! {
    /// The process and this library itself.
    System = "system",
    /// A run of several steps: a crew, a pipeline, a graph.
    Workflow = "workflow",
    /// One unit of work inside a workflow, or a plain function.
    Step = "step",
    /// A user's session and its conversations.
    Session = "session",
    /// An agent and its executions.
    Agent = "agent",
    /// Planning and reasoning about what to do next.
    Plan = "plan",
    /// A call of a language model.
    Llm = "llm",
    /// A tool the model asked for.
    Tool = "tool",
    /// The Model Context Protocol.
    Mcp = "mcp",
    /// Agents talking to agents.
    A2a = "a2a",
    /// Looking up documents.
    Retrieval = "retrieval",
    /// Remembering and recalling.
    Memory = "memory",
    /// A check that may deny.
    Guardrail = "guardrail",
    /// Judging a result.
    Evaluation = "evaluation",
    /// Waiting for a person.
    Human = "human",
    /// A skill an agent loads.
    Skill = "skill",
    /// Saving and restoring state.
    Checkpoint = "checkpoint",
    /// User code called at a defined point.
    Hook = "hook",
    /// Something suspicious.
    Security = "security",
    /// A child process.
    Process = "process",
    /// A network connection.
    Network = "network",
    /// A call of an HTTP or RPC interface.
    Api = "api",
    /// Anything the application defines.
    Custom = "custom",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_name_and_its_json() {
        assert_eq!(Kind::ALL.len(), 23);
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert!("LLM".parse::<Kind>().is_err());
    }
}
