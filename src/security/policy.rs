//! What is done about findings: logged, alerted to, or the call not made.
//!
//! Owns the decision, and how findings are told: on the span, and as an event in it.
//! Promise: what is blocked is not sent; its span starts and ends, as blocked. Never: tells the text, or a part of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::level::{AlertLevel, Point};
use super::{NewMessages, Scanner};

/// What is done about a text with findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing; not even the span says so.
    Ignore,
    /// The span says so: `security.alert_level` and the rules.
    Log,
    /// And there is an event: `security.warning` for what is suspicious, `security.alert` for what is dangerous.
    Alert,
    /// The call is not made: `security.block`, and its span ends as blocked. What came back has been paid for and is not
    /// withheld: at [`Point::Response`], [`Point::Stream`] and [`Point::ToolResult`] this is [`Alert`](Self::Alert).
    Block,
}

impl Action {
    /// `ignored`, `logged`, `alerted` or `blocked`, as in the attribute `security.action`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignored",
            Self::Log => "logged",
            Self::Alert => "alerted",
            Self::Block => "blocked",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is looked for, where, and what is done about it. For [`TelemetryBuilder::security`](crate::TelemetryBuilder::security).
///
/// Default: the [standard](Scanner::standard) scanner at every [`Point`]; both levels are alerted to, and nothing is blocked.
/// Texts are scanned on the telemetry thread, but where something may be blocked: there the call waits for the verdict, some
/// microseconds for a prompt of usual length (see `benches/scan.rs`).
///
/// ```
/// use tracing_genai::security::{Action, AlertLevel, Point, Policy};
/// use tracing_genai::{testing::capture_with, tool};
///
/// let policy = Policy::new()
///     .on(AlertLevel::Dangerous, Action::Block)
///     .at(Point::Response, AlertLevel::Suspicious, Action::Log);
/// let capture = capture_with(|builder| builder.security(policy));
/// capture.record(|| {
///     let refused = tool("shell").arguments(&serde_json::json!({"cmd": "rm -rf /"})).try_start();
///     assert_eq!(refused.unwrap_err().rules().next(), Some("command.remove_root"));
/// });
/// let span = capture.span("execute_tool shell");
/// assert_eq!(span.attr("error.type"), Some(&"blocked".into()));
/// assert_eq!(span.attr("security.alert_level"), Some(&"dangerous".into()));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a policy does nothing until it is given to a builder"]
pub struct Policy {
    scanner: Scanner,
    /// For each point, the action for what is suspicious and for what is dangerous.
    actions: [[Action; 2]; Point::ALL.len()],
    pub(crate) seen: Arc<NewMessages>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy {
    /// The default.
    pub fn new() -> Self {
        Self {
            scanner: Scanner::standard().clone(),
            actions: [[Action::Alert; 2]; Point::ALL.len()],
            seen: Arc::default(),
        }
    }

    /// What looks for something. Default [`Scanner::standard`].
    pub fn scanner(mut self, scanner: Scanner) -> Self {
        self.scanner = scanner;
        self
    }

    /// What is done about texts of this level, at every point. [`AlertLevel::None`] has nothing that could be done about.
    pub fn on(mut self, level: AlertLevel, action: Action) -> Self {
        for &point in Point::ALL {
            self = self.at(point, level, action);
        }
        self
    }

    /// The same at one point.
    pub fn at(mut self, point: Point, level: AlertLevel, action: Action) -> Self {
        if let Some(at) = index(level) {
            self.actions[point as usize][at] = action;
        }
        self
    }

    /// What is done about a text of this level at this point.
    pub fn action(&self, point: Point, level: AlertLevel) -> Action {
        let action = index(level).map_or(Action::Ignore, |at| self.actions[point as usize][at]);
        if is_after(point) {
            action.min(Action::Alert)
        } else {
            action
        }
    }

    /// Whether anything is done about anything at this point.
    pub fn watches(&self, point: Point) -> bool {
        self.actions[point as usize] != [Action::Ignore; 2]
    }

    /// Whether a text at this point may be blocked.
    pub fn blocks(&self, point: Point) -> bool {
        [AlertLevel::Suspicious, AlertLevel::Dangerous]
            .into_iter()
            .any(|level| self.action(point, level) == Action::Block)
    }

    /// What looks for something.
    pub fn scans(&self) -> &Scanner {
        &self.scanner
    }
}

/// Whether a text at this point comes after what could have been blocked.
fn is_after(point: Point) -> bool {
    matches!(point, Point::ToolResult | Point::Response | Point::Stream)
}

fn index(level: AlertLevel) -> Option<usize> {
    match level {
        AlertLevel::None => None,
        AlertLevel::Suspicious => Some(0),
        AlertLevel::Dangerous => Some(1),
    }
}

/// A call that was not made. It names rules and never quotes the text, so it may be logged and shown.
///
/// ```
/// use tracing_genai::security::SecurityBlocked;
///
/// fn tell(blocked: &SecurityBlocked) -> String {
///     format!("{} ({} at the {})", blocked.reason, blocked.level, blocked.point)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("blocked for security: {}", crate::console::escape(.reason))]
#[non_exhaustive]
pub struct SecurityBlocked {
    /// The category of the worst finding (`dangerous_commands`), or what a [guard](crate::monitor::Guard) said.
    pub reason: Cow<'static, str>,
    /// How bad it is.
    pub level: AlertLevel,
    /// Where it was found.
    pub point: Point,
    pub(crate) rules: Vec<String>,
}

impl SecurityBlocked {
    /// What a guard of the application's own blocked.
    pub(crate) fn by_guard(reason: Cow<'static, str>) -> Self {
        Self {
            reason,
            level: AlertLevel::Dangerous,
            point: Point::Prompt,
            rules: Vec::new(),
        }
    }

    /// The rules that found something, the worst first. None where a guard blocked it.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(String::as_str)
    }
}
