//! The words findings are sorted by: how bad, what kind, and where it was found.

use std::fmt;

/// What a text as a whole is: nothing found, something to look at, or something to stop.
///
/// ```
/// use tracing_genai::security::AlertLevel;
///
/// assert!(AlertLevel::Dangerous > AlertLevel::Suspicious);
/// assert_eq!(AlertLevel::Suspicious.as_str(), "suspicious");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertLevel {
    /// Nothing was found.
    #[default]
    None,
    /// Findings of low or medium severity.
    Suspicious,
    /// At least one finding of high severity.
    Dangerous,
}

impl AlertLevel {
    /// `none`, `suspicious` or `dangerous`, as in the attribute `security.alert_level`.
    pub const fn as_str(self) -> &'static str {
        match self {
            AlertLevel::None => "none",
            AlertLevel::Suspicious => "suspicious",
            AlertLevel::Dangerous => "dangerous",
        }
    }
}

impl fmt::Display for AlertLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How bad one finding is. [`High`](Severity::High) makes a text dangerous, the other two make it suspicious.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Odd. Worth knowing of when something else is odd too.
    Low,
    /// Somebody is trying something.
    Medium,
    /// It does damage when it is carried out.
    High,
}

impl Severity {
    /// `low`, `medium` or `high`, as in the attribute `security.severity`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }

    /// The level a text with such a finding has.
    pub const fn level(self) -> AlertLevel {
        match self {
            Severity::Low | Severity::Medium => AlertLevel::Suspicious,
            Severity::High => AlertLevel::Dangerous,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The categories of the bundled rules. Rules of yours may have others: a category is any text.
pub mod category {
    /// Commands, statements and code that destroy, take over or leak when they are run.
    pub const DANGEROUS_COMMANDS: &str = "dangerous_commands";
    /// Text written to make a model leave its instructions.
    pub const PROMPT_MANIPULATION: &str = "prompt_manipulation";
    /// Reaching for credentials and the files they are in.
    pub const SENSITIVE_DATA: &str = "sensitive_data";
    /// Text that is there but cannot be seen.
    pub const HIDDEN_TEXT: &str = "hidden_text";
    /// A check of your own that panicked, so that nobody knows.
    pub const CHECK_FAILED: &str = "check_failed";
}

/// Where a text is on its way.
///
/// ```
/// use tracing_genai::security::Point;
///
/// assert_eq!(Point::ALL.len(), 6);
/// assert_eq!(Point::ToolResult.as_str(), "tool_result");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Point {
    /// What a model is asked: system instructions and a prompt as a whole.
    Prompt,
    /// One new message of a conversation.
    Message,
    /// A tool's name and its arguments, before the tool runs.
    ToolCall,
    /// What a tool answered, before a model reads it.
    ToolResult,
    /// What a model answered.
    Response,
    /// What a model is answering, chunk by chunk.
    Stream,
}

impl Point {
    /// Every point.
    pub const ALL: &'static [Point] = &[
        Point::Prompt,
        Point::Message,
        Point::ToolCall,
        Point::ToolResult,
        Point::Response,
        Point::Stream,
    ];

    /// The point's name in lower case: `prompt`, `message`, `tool_call`, `tool_result`, `response`, `stream`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Point::Prompt => "prompt",
            Point::Message => "message",
            Point::ToolCall => "tool_call",
            Point::ToolResult => "tool_result",
            Point::Response => "response",
            Point::Stream => "stream",
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
