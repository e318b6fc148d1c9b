//! A live tree of agent runs, for people.
//!
//! ```text
//! ✓ ◆ invoke_agent trip-planner  3 calls · 2 tools · in 509 · out 103 · $0.000129 · 1.4 s
//! ├─ ✓ ▸ plan  412 ms
//! │  └─ ✓ ● chat gpt-4o-mini  in 97 · out 24 · $0.0000290 · ttfc 120 ms · 83/s · 410 ms
//! ├─ ✗ ■ execute_tool weather  timeout · ×2 · 60 ms
//! └─ ✓ ● chat gpt-4o-mini  in 212 (128 cached) · out 41 · $0.0000468 · ttfc 98 ms · 97/s · 520 ms
//! ```
//!
//! On a terminal, what is open is drawn in place below the application's own output, and a run is written to stay when it has
//! ended. Anywhere else each run is written when it has ended. `ttfc` is the time to the first chunk of a streamed answer, `83/s`
//! its output tokens a second from there on, `×2` how many attempts in a row failed alike, `cost ?` a call without a known price.
//!
//! What does not fit into a terminal's width goes: counts before tokens before cost, an error last; below 60 columns names go without
//! the operation that their mark stands for. From 100 columns on times stand
//! under each other, from 120 on with a bar that says when. Of more than 40 children a final tree shows the first, the last, the
//! slowest and the failed ones, and a tree of twelve rows or more ends with a summary.
//!
//! Owns: what stderr shows. Promise: bounded memory, at most ten frames a second, foreign text escaped.
//! Never: stdout; results, error messages or hidden events; prompts, answers and arguments, unless
//! [asked for](ConsoleOptions::content).
//!
//! A terminal that has been stopped (Ctrl-S) stops the thread that feeds the console, until it goes on.

mod escape;
mod facts;
mod format;
mod layout;
mod line;
mod options;
mod render;
mod row;
mod summary;
mod terminal;
mod tree;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use self::layout::Room;
use self::line::Line;
use self::options::{Format, Look};
use self::terminal::Screen;
use self::tree::{Applied, Key, Limits, Tree};
use crate::contain::contain;
use crate::event::{Causality, Event, EventId};
use crate::security::redact::Redactor;

pub use self::escape::{escape, escape_lines};
pub use self::options::{ConsoleOptions, Output};

/// The console. Feed it events in their order, [`tick`](Self::tick) it while [`wants_tick`](Self::wants_tick) says so, and
/// [`finish`](Self::finish) it; dropping it does that too.
///
/// Telemetry built with [`console`](crate::TelemetryBuilder::console) has one and does all this.
///
/// ```
/// use std::time::SystemTime;
/// use tracing_genai::console::{Console, ConsoleOptions, Output};
/// use tracing_genai::event::{Event, EventData, EventType};
///
/// let mut console = Console::new(Output::stderr(), ConsoleOptions::new());
/// let event = EventData::new(EventType::parse("security.alert")?, SystemTime::now());
/// console.on_event(&Event::new(event));
/// console.finish();
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
#[derive(Debug)]
pub struct Console {
    tree: Tree,
    screen: Arc<Mutex<Screen>>,
    look: Look,
    each_span: bool,
    format: Option<Custom>,
    /// Takes secrets out of streamed texts, which come in pieces that may be parts of one.
    redactor: Option<Redactor>,
    /// Something has happened since the last frame.
    changed: bool,
    drawn: Option<SystemTime>,
}

struct Custom(Format);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custom")
    }
}

impl Console {
    /// The least time between two frames.
    pub const INTERVAL: Duration = Duration::from_millis(100);
    /// The most runs that are kept while open. Past it the oldest is written as it stands.
    pub const MAX_RUNS: usize = 1_000;
    /// The most lines (spans and moments of open runs) that are kept. Past it finished parts are left out and counted, then the
    /// oldest run is written as it stands.
    pub const MAX_LINES: usize = 10_000;

    /// The time between two frames that show the same: what the application printed over the region is put right by then.
    const REFRESH: Duration = Duration::from_millis(250);

    /// A console on `output`.
    pub fn new(output: Output, options: ConsoleOptions) -> Self {
        let look = Look::from_env(&options, &output);
        let limits = Limits {
            roots: Self::MAX_RUNS,
            lines: Self::MAX_LINES,
            content: options.content,
        };
        Self {
            tree: Tree::new(limits),
            screen: Arc::new(Mutex::new(Screen::new(output.writer, look.live))),
            look,
            each_span: options.each_span,
            format: options.format.map(Custom),
            redactor: options.redactor,
            changed: false,
            drawn: None,
        }
    }

    /// A handle to pause the output from anywhere.
    pub fn handle(&self) -> ConsoleHandle {
        ConsoleHandle(Arc::clone(&self.screen))
    }

    /// Takes one event. On a terminal what it changes shows with the next [`tick`](Self::tick).
    pub fn on_event(&mut self, event: &Event) {
        if let Some(Custom(format)) = &self.format {
            let mut text = String::new();
            let done = contain(|| format(event, &mut text));
            if done.is_some() && !text.is_empty() {
                self.lock().queue(text);
            }
        } else {
            let applied = self.tree.apply(event);
            self.changed |= !matches!(applied, Applied::Nothing);
            match applied {
                Applied::Nothing | Applied::Changed => {}
                Applied::Noted(key) => self.noted(key),
                Applied::Ended(key) => self.ended(key),
                Applied::Loose(note) => self.keep([render::loose_note(&note, self.look.room())]),
                Applied::LooseRun(run) => self.keep([render::loose_run(&run, self.look.room())]),
            }
            while let Some(root) = self.tree.overfull() {
                self.keep_tree(root);
                self.tree.forget(root);
            }
        }
        if !self.look.live {
            self.lock().draw(&[]);
        }
    }

    /// A span without events of its own began: a plain HTTP or SQL span, say. It gets no line, but what is below it finds its
    /// place in the tree. `started` is the id its children name as [`Causality::parent_event`], if there is one.
    pub fn on_plain_started(&mut self, cx: &Causality, started: Option<EventId>) {
        if self.format.is_none() {
            self.tree.start_unseen(cx, started);
        }
    }

    /// The span without events ended.
    pub fn on_plain_ended(&mut self, cx: &Causality) {
        if let Some(key) = self.tree.end_unseen(cx) {
            self.ended(key);
            if !self.look.live {
                self.lock().draw(&[]);
            }
        }
    }

    fn noted(&mut self, key: Key) {
        let line = self
            .tree
            .get(key)
            .filter(|_| self.each_span)
            .and_then(|node| render::last_note(node, self.look.room()));
        self.keep(line);
    }

    fn ended(&mut self, key: Key) {
        let node = self
            .tree
            .get(key)
            .filter(|node| self.each_span && !node.run.hidden);
        let line = node.map(|node| render::single(node, self.look.room()));
        self.keep(line);
        if let Some(root) = self.tree.finished_root(key) {
            self.keep_tree(root);
            self.tree.release(root);
        }
    }

    fn keep_tree(&self, root: Key) {
        if !self.each_span {
            self.keep(render::whole(&self.tree, root, self.look.room()));
        }
    }

    /// Lines that stay.
    fn keep(&self, lines: impl IntoIterator<Item = Line>) {
        let Room { width, .. } = self.look.room();
        let mut screen = self.lock();
        for line in lines {
            screen.queue(line.text(self.look.color, width));
        }
    }

    /// Whether time alone changes what is shown: then [`tick`](Self::tick) wants to be called every
    /// [`INTERVAL`](Self::INTERVAL) or so.
    pub fn wants_tick(&self) -> bool {
        let screen = self.lock();
        !self.tree.is_empty() || screen.has_queued() || screen.is_shown()
    }

    /// Draws a frame, if one is due. `now` is on the clock of the events.
    pub fn tick(&mut self, now: SystemTime) {
        while let Some(root) = self.tree.lingering(now) {
            self.keep_tree(root);
            self.tree.release(root);
            self.changed = true;
        }
        // A clock that was set back must not stop the frames.
        let since = self.drawn.and_then(|drawn| now.duration_since(drawn).ok());
        let due = if self.changed {
            Self::INTERVAL
        } else {
            Self::REFRESH
        };
        if since.is_none_or(|since| since >= due) {
            self.draw(now);
        }
    }

    fn draw(&mut self, now: SystemTime) {
        let lines = if self.look.live {
            let (height, room) = self.look.live_room();
            let lines = render::live(&self.tree, self.redactor.as_ref(), height, now, room);
            lines
                .iter()
                .map(|line| line.text(self.look.color, room.width))
                .collect()
        } else {
            Vec::new()
        };
        self.lock().draw(&lines);
        self.changed = false;
        self.drawn = Some(now);
    }

    /// Writes what has ended and draws what is open, due or not: part of a flush.
    pub fn flush(&mut self, now: SystemTime) {
        self.draw(now);
    }

    /// Writes everything, runs that are still open included, and takes the live region off.
    pub fn finish(&mut self) {
        let roots: Vec<Key> = self.tree.roots().collect();
        for root in roots {
            self.keep_tree(root);
            self.tree.forget(root);
        }
        self.lock().draw(&[]);
    }

    fn lock(&self) -> MutexGuard<'_, Screen> {
        lock(&self.screen)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Pauses a [`Console`] from any thread. Cheap to clone; outliving the console does no harm.
#[derive(Debug, Clone)]
pub struct ConsoleHandle(Arc<Mutex<Screen>>);

impl ConsoleHandle {
    /// Takes the live region off the screen and holds all output back while the guard lives, so that a person can be asked
    /// something. What ends meanwhile is written afterwards, up to 10,000 lines; more is counted.
    pub fn pause(&self) -> Paused {
        lock(&self.0).pause();
        Paused(Arc::clone(&self.0))
    }

    /// Shows nothing any more, or shows again. The live region goes; what ends while nothing is shown is not written later, unlike
    /// with [`pause`](Self::pause). For what must have the terminal to itself, such as an editor or a full-screen program.
    pub fn mute(&self, on: bool) {
        lock(&self.0).mute(on);
    }
}

/// Made by [`ConsoleHandle::pause`]; dropping it lets the console go on. Pauses may overlap.
#[derive(Debug)]
#[must_use = "dropping it at once lets the console go on"]
pub struct Paused(Arc<Mutex<Screen>>);

impl Drop for Paused {
    fn drop(&mut self) {
        lock(&self.0).resume();
    }
}

/// A panic of the writer leaves at worst half a frame behind.
fn lock(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}
