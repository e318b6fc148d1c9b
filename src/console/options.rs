//! Where the console writes and how.
//!
//! Promise: what is set in code wins over the environment, the environment over what the output seems to be.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;

use super::layout::Room;
use crate::event::Event;
use crate::security::redact::Redactor;

/// Where the console writes.
pub struct Output {
    pub(super) writer: Box<dyn Write + Send>,
    pub(super) is_terminal: bool,
    size: Option<Measure>,
}

/// Says how many columns and rows there are at the moment.
type Measure = fn() -> Option<(usize, usize)>;

impl Output {
    /// The process's stderr, on a terminal or not. Of a terminal the size is known, too, and followed when it changes.
    pub fn stderr() -> Self {
        let stderr = io::stderr();
        let is_terminal = stderr.is_terminal();
        let mut output = Self::new(stderr, is_terminal);
        output.size = is_terminal.then_some(size_of_stderr);
        output
    }

    /// Any writer. `is_terminal` says whether it understands the control sequences of one.
    pub fn new(writer: impl Write + Send + 'static, is_terminal: bool) -> Self {
        Self {
            writer: Box::new(writer),
            is_terminal,
            size: None,
        }
    }
}

fn size_of_stderr() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size_of(io::stderr())?;
    Some((usize::from(columns.0), usize::from(rows.0)))
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
    pub(super) content: bool,
    /// Set by whoever builds the installation.
    pub(crate) redactor: Option<Redactor>,
}

impl ConsoleOptions {
    /// Rows of the live region unless told otherwise: a third of a usual window, so that the application's own output keeps
    /// the rest.
    pub const DEFAULT_HEIGHT: usize = 12;

    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Colours, or none. Default: none if `NO_COLOR` is set and not empty; else some if `CLICOLOR_FORCE` or `FORCE_COLOR` is set
    /// and not `0`; else on a terminal that is not `TERM=dumb`, unless `CLICOLOR=0`.
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

    /// The longest line, in columns of the terminal (East Asian characters take two); at least 20. Default: `COLUMNS`, else what
    /// the terminal says and as it changes; where nobody says, 100 in the live region and no limit for lines that stay.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = Some(columns);
        self
    }

    /// The most rows of the live region; at least 2. Default [`Self::DEFAULT_HEIGHT`], less on a terminal that says, or whose
    /// `LINES` say, that it is small. What does not fit is counted on the last row. More rows than the terminal has end in a mess.
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

    /// Shows content as well, where it is kept: the last words of an answer while it streams (where
    /// [`chunk_text`](crate::TelemetryBuilder::chunk_text) allows it), `thinks` before reasoning and `says` before the answer, and
    /// what tools are called with (where content is [captured](crate::content)), each on a row of its own. Default: none of it,
    /// whatever is kept elsewhere.
    ///
    /// It is escaped, and secrets are taken out by the [redactor](crate::TelemetryBuilder::redactor); of a stream only whole words
    /// are shown, so that a key that comes in pieces is taken out whole. With it every piece of a stream goes through the queue.
    #[must_use]
    pub fn content(mut self, on: bool) -> Self {
        self.content = on;
        self
    }

    /// Whether pieces of streams are wanted though nobody else listens.
    pub(crate) fn wants_chunks(&self) -> bool {
        self.content
    }

    /// A format of your own instead of the tree: what `format` adds to the text is written for each event, followed by a line
    /// break; nothing is written if it adds nothing. It runs on the telemetry thread, so it must not wait; if it panics the
    /// event is left out.
    ///
    /// The text is written as it is. Whatever in it comes from outside belongs through [`escape`](super::escape). For files and
    /// other writers see [`Render`](crate::render::Render), which is as short.
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
            .field("content", &self.content)
            .finish()
    }
}

/// What options, environment and output come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) color: bool,
    pub(super) live: bool,
    is_terminal: bool,
    width: Option<usize>,
    height: Option<usize>,
    lines: Option<usize>,
    size: Option<Measure>,
}

impl Look {
    /// The live region's width where nobody says how wide the terminal is.
    const WIDTH: usize = 100;
    /// The least width.
    const NARROWEST: usize = 20;

    pub(super) fn from_env(options: &ConsoleOptions, output: &Output) -> Self {
        let var = |name: &str| env::var(name).ok();
        Self::new(options, output.is_terminal, output.size, var)
    }

    fn new(
        options: &ConsoleOptions,
        is_terminal: bool,
        size: Option<Measure>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let set = |name| var(name).filter(|value| !value.is_empty());
        let number = |name| set(name)?.parse::<usize>().ok().filter(|n| *n > 0);
        // The old Windows console takes control sequences for text; what replaced it announces itself.
        let modern = !cfg!(windows) || set("WT_SESSION").is_some() || set("TERM").is_some();
        let smart = is_terminal && modern && set("TERM").as_deref() != Some("dumb");
        let forced = |name| set(name).is_some_and(|value| value != "0");
        let color = options.color.unwrap_or_else(|| {
            if set("NO_COLOR").is_some() {
                false
            } else if forced("CLICOLOR_FORCE") || forced("FORCE_COLOR") {
                true
            } else {
                smart && set("CLICOLOR").as_deref() != Some("0")
            }
        });
        Self {
            color,
            live: is_terminal && options.live.unwrap_or(smart),
            is_terminal,
            width: options.width.or_else(|| number("COLUMNS")),
            height: options.height,
            lines: number("LINES"),
            size,
        }
    }

    /// How many columns and rows the terminal has now, as far as somebody says.
    fn size(&self) -> (Option<usize>, Option<usize>) {
        let known = self.width.is_some() && (self.height.is_some() || self.lines.is_some());
        // A terminal that says 0 does not know.
        let told = self
            .size
            .filter(|_| !known)
            .and_then(|size| size())
            .filter(|(columns, rows)| *columns > 0 && *rows > 0);
        let width = self.width.or(told.map(|(columns, _)| columns));
        let lines = self.lines.or(told.map(|(_, rows)| rows));
        (width.map(|width| width.max(Self::NARROWEST)), lines)
    }

    /// The room for lines that stay.
    pub(super) fn room(&self) -> Room {
        Room {
            width: self.size().0,
            aligned: self.is_terminal,
        }
    }

    /// The rows of the live region, and the room in each.
    pub(super) fn live_room(&self) -> (usize, Room) {
        let (width, lines) = self.size();
        let small = lines.map_or(usize::MAX, |lines| lines.saturating_sub(4));
        let height = self
            .height
            .unwrap_or(small.min(ConsoleOptions::DEFAULT_HEIGHT));
        let room = Room {
            // One column stays free: some terminals wrap when the last one is written.
            width: Some(width.unwrap_or(Self::WIDTH) - 1),
            aligned: true,
        };
        (height.max(2), room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(options: ConsoleOptions, is_terminal: bool, vars: &[(&str, &str)]) -> Look {
        Look::new(&options, is_terminal, None, |name| {
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
        assert!(color(new(), false, &[("FORCE_COLOR", "3")]));
        assert!(!color(new(), false, &[("FORCE_COLOR", "0")]));
        for force in ["CLICOLOR_FORCE", "FORCE_COLOR"] {
            assert!(!color(new(), true, &[("NO_COLOR", "1"), (force, "1")]));
        }
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

    fn sizes(look: Look) -> (usize, Option<usize>, usize) {
        let (height, live) = look.live_room();
        (live.width.unwrap(), look.room().width, height)
    }

    #[test]
    fn sizes_come_from_code_then_the_environment_then_the_terminal() {
        let plain = look(ConsoleOptions::new(), true, &[]);
        assert_eq!(sizes(plain), (99, None, 12));
        let vars = [("COLUMNS", "80"), ("LINES", "10")];
        let mut told = look(ConsoleOptions::new(), true, &vars);
        told.size = Some(|| panic!("nobody has to ask"));
        assert_eq!(sizes(told), (79, Some(80), 6));
        let vars = [("COLUMNS", "x"), ("LINES", "0")];
        let tiny = look(ConsoleOptions::new().width(1).height(0), true, &vars);
        assert_eq!(sizes(tiny), (19, Some(20), 2));
        let mut asked = look(ConsoleOptions::new(), true, &[]);
        asked.size = Some(|| Some((60, 9)));
        assert_eq!(sizes(asked), (59, Some(60), 5));
        asked.width = Some(50);
        assert_eq!(sizes(asked), (49, Some(50), 5));
        asked.size = Some(|| Some((0, 0)));
        asked.width = None;
        assert_eq!(sizes(asked), (99, None, 12));
    }
}
