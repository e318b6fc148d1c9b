//! Where the console writes and how.
//!
//! Promise: what is set in code wins over the environment, the environment over what the output seems to be.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use crate::event::Event;

/// Where the console writes.
pub struct Output {
    pub(super) writer: Box<dyn Write + Send>,
    pub(super) is_terminal: bool,
}

impl Output {
    /// The process's stderr, on a terminal or not.
    pub fn stderr() -> Self {
        let stderr = io::stderr();
        let is_terminal = stderr.is_terminal();
        Self::new(stderr, is_terminal)
    }

    /// Any writer. `is_terminal` says whether it understands the control sequences of one.
    pub fn new(writer: impl Write + Send + 'static, is_terminal: bool) -> Self {
        Self {
            writer: Box::new(writer),
            is_terminal,
        }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::stderr()
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("is_terminal", &self.is_terminal)
            .finish_non_exhaustive()
    }
}

/// A format of the application's own.
pub(super) type Format = Arc<dyn Fn(&Event, &mut String) + Send + Sync>;

/// How the console looks. The defaults suit a terminal, a pipe and a log file alike.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ConsoleOptions {
    pub(super) color: Option<bool>,
    pub(super) live: Option<bool>,
    pub(super) width: Option<usize>,
    pub(super) height: Option<usize>,
    pub(super) each_span: bool,
    pub(super) format: Option<Format>,
}

impl ConsoleOptions {
    /// Rows of the live region unless told otherwise: a third of a usual window, so that the application's own output keeps
    /// the rest.
    pub const DEFAULT_HEIGHT: usize = 12;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Colours, or none. Default: none if `NO_COLOR` is set and not empty; else some if `CLICOLOR_FORCE` is set and not `0`;
    /// else on a terminal that is not `TERM=dumb`, unless `CLICOLOR=0`.
    #[must_use]
    pub fn color(mut self, on: bool) -> Self {
        self.color = Some(on);
        self
    }

    /// The live region, or only lines that stay. Default: live on a terminal that is not `TERM=dumb`. On anything else than a
    /// terminal there is none.
    #[must_use]
    pub fn live(mut self, on: bool) -> Self {
        self.live = Some(on);
        self
    }

    /// The longest line, in characters; at least 20. Default: `COLUMNS`; without it 100 in the live region and no limit for
    /// lines that stay.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }

    /// The most rows of the live region; at least 2. Default [`Self::DEFAULT_HEIGHT`], less on a terminal whose `LINES` says
    /// that it is small. What does not fit is counted on the last row. More rows than the terminal has end in a mess.
    #[must_use]
    pub fn height(mut self, rows: usize) -> Self {
        self.height = Some(rows);
        self
    }

    /// Writes each span when it ends, indented by its depth, children before their parents, instead of the whole tree when
    /// its root ends. For services whose outermost span lives as long as they do.
    #[must_use]
    pub fn each_span(mut self) -> Self {
        self.each_span = true;
        self
    }

    /// A format of your own instead of the tree: what `format` adds to the text is written for each event, followed by a line
    /// break; nothing is written if it adds nothing. It runs on the telemetry thread, so it must not wait; if it panics the
    /// event is left out.
    ///
    /// The text is written as it is. Whatever in it comes from outside belongs through [`escape`](super::escape).
    ///
    /// ```
    /// use tracing_genai::console::{ConsoleOptions, escape};
    /// use tracing_genai::event::LlmCallCompleted;
    /// use tracing_genai::event::EventSpec as _;
    ///
    /// let options = ConsoleOptions::new().format(|event, line| {
    ///     if let Some(call) = LlmCallCompleted::view(event) {
    ///         let model = call.model.unwrap_or("?");
    ///         *line = format!("{} took {:?} of {:?}", escape(model), call.usage.total(), call.duration);
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn format(mut self, format: impl Fn(&Event, &mut String) + Send + Sync + 'static) -> Self {
        self.format = Some(Arc::new(format));
        self
    }
}

impl fmt::Debug for ConsoleOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleOptions")
            .field("color", &self.color)
            .field("live", &self.live)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("each_span", &self.each_span)
            .field("format", &self.format.is_some())
            .finish()
    }
}

/// What options, environment and output come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) color: bool,
    pub(super) live: bool,
    pub(super) live_width: usize,
    pub(super) final_width: Option<usize>,
    pub(super) height: usize,
}

impl Look {
    pub(super) fn from_env(options: &ConsoleOptions, is_terminal: bool) -> Self {
        Self::new(options, is_terminal, |name| env::var(name).ok())
    }

    fn new(
        options: &ConsoleOptions,
        is_terminal: bool,
        var: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let set = |name| var(name).filter(|value| !value.is_empty());
        let number = |name| set(name)?.parse::<usize>().ok().filter(|n| *n > 0);
        // The old Windows console takes control sequences for text; what replaced it announces itself.
        let modern = !cfg!(windows) || set("WT_SESSION").is_some() || set("TERM").is_some();
        let smart = is_terminal && modern && set("TERM").as_deref() != Some("dumb");
        let color = options.color.unwrap_or_else(|| {
            if set("NO_COLOR").is_some() {
                false
            } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
                true
            } else {
                smart && set("CLICOLOR").as_deref() != Some("0")
            }
        });
        let width = options
            .width
            .or_else(|| number("COLUMNS"))
            .map(|width| width.max(20));
        let small = number("LINES").map_or(usize::MAX, |lines| lines.saturating_sub(4));
        Self {
            color,
            live: is_terminal && options.live.unwrap_or(smart),
            // One column stays free: some terminals wrap when the last one is written.
            live_width: width.unwrap_or(100) - 1,
            final_width: width,
            height: options
                .height
                .unwrap_or(small.min(ConsoleOptions::DEFAULT_HEIGHT))
                .max(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(options: ConsoleOptions, is_terminal: bool, vars: &[(&str, &str)]) -> Look {
        Look::new(&options, is_terminal, |name| {
            let known = vars
                .iter()
                .chain(&[("TERM", "xterm")])
                .find(|(key, _)| *key == name);
            known.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_follow_code_then_no_color_then_force_then_the_terminal() {
        let color = |options, terminal, vars: &[_]| look(options, terminal, vars).color;
        let new = ConsoleOptions::new;
        assert!(color(new(), true, &[]));
        assert!(!color(new(), false, &[]));
        assert!(!color(new(), true, &[("NO_COLOR", "1")]));
        assert!(color(new(), true, &[("NO_COLOR", "")]));
        assert!(color(new(), false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!color(new(), false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!color(
            new(),
            true,
            &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]
        ));
        assert!(!color(new(), true, &[("CLICOLOR", "0")]));
        assert!(!color(new(), true, &[("TERM", "dumb")]));
        assert!(color(new().color(true), false, &[("NO_COLOR", "1")]));
        assert!(!color(new().color(false), true, &[("CLICOLOR_FORCE", "1")]));
    }

    #[test]
    fn only_a_terminal_that_is_not_dumb_is_live() {
        let live = |options, terminal, vars: &[_]| look(options, terminal, vars).live;
        let new = ConsoleOptions::new;
        assert!(live(new(), true, &[]));
        assert!(live(new(), true, &[("NO_COLOR", "1")]));
        assert!(!live(new(), true, &[("TERM", "dumb")]));
        assert!(!live(new(), false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!live(new().live(false), true, &[]));
        assert!(!live(new().live(true), false, &[]));
    }

    #[test]
    fn sizes_come_from_code_then_the_environment() {
        let plain = look(ConsoleOptions::new(), true, &[]);
        assert_eq!(
            (plain.live_width, plain.final_width, plain.height),
            (99, None, 12)
        );
        let told = look(
            ConsoleOptions::new(),
            true,
            &[("COLUMNS", "80"), ("LINES", "10")],
        );
        assert_eq!(
            (told.live_width, told.final_width, told.height),
            (79, Some(80), 6)
        );
        let tiny = look(
            ConsoleOptions::new().width(1).height(0),
            true,
            &[("COLUMNS", "x"), ("LINES", "0")],
        );
        assert_eq!(
            (tiny.live_width, tiny.final_width, tiny.height),
            (19, Some(20), 2)
        );
    }
}
