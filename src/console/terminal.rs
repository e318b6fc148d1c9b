//! The screen: lines that stay, and on a terminal a live region below the cursor.
//!
//! The cursor belongs to the application. Each frame leaves it, column included, where the application's own output put it,
//! on stdout or stderr, and draws the region on the rows underneath:
//!
//! ```text
//! the application's output, an answer that is being strea█
//!                                                             (kept free: a line or two the application prints fit here)
//! … ◆ invoke_agent planner  3 s                               the region
//! └─ … ● chat gpt-4o-mini  ttfc 120 ms · 14 chunks · 2 s
//! ```
//!
//! Promise: one `write` for a frame, marked as one update for terminals that know such marks; nothing above the cursor is
//! ever touched; a region row never wraps, whatever the terminal's real width.
//! Never: asks the terminal anything, moves to an absolute place, or fails: after an error of the output it is silent.
//!
//! What it cannot do: keep apart what the application prints faster than frames follow. Of many lines within one frame's time
//! some get the tail of a region row behind them, and if the cursor waits exactly at the right margin, the character there may
//! be overwritten. Whoever minds pauses the console meanwhile.

use std::fmt;
use std::io::Write;

/// Lines that wait while output is paused. More is counted: people do not read more.
const WAITING: usize = 10_000;

const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";
const ERASE_BELOW: &str = "\x1b[J";
const ERASE_RIGHT: &str = "\x1b[K";
/// One row down in the same column; makes room at the bottom of the screen.
const INDEX: &str = "\x1bD";
const SAVE: &str = "\x1b7";
const RESTORE: &str = "\x1b8";
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";
const RESET_STYLE: &str = "\x1b[0m";

pub(super) struct Screen {
    out: Box<dyn Write + Send>,
    live: bool,
    shown: bool,
    pauses: usize,
    muted: bool,
    queue: Vec<String>,
    dropped: usize,
    broken: bool,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen")
            .field("live", &self.live)
            .field("pauses", &self.pauses)
            .field("queued", &self.queue.len())
            .finish_non_exhaustive()
    }
}

impl Screen {
    pub(super) fn new(out: Box<dyn Write + Send>, live: bool) -> Self {
        Self {
            out,
            live,
            shown: false,
            pauses: 0,
            muted: false,
            queue: Vec::new(),
            dropped: 0,
            broken: false,
        }
    }

    /// Adds a line that stays, to be written by the next [`draw`](Self::draw).
    pub(super) fn queue(&mut self, line: String) {
        if self.muted {
            return;
        }
        if self.queue.len() < WAITING {
            self.queue.push(line);
        } else {
            self.dropped += 1;
        }
    }

    pub(super) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether the region is on the screen.
    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// Writes what is queued, then the region; an empty one vanishes. While paused nothing happens.
    pub(super) fn draw(&mut self, region: &[String]) {
        let region = if self.muted { &[] } else { region };
        if self.pauses > 0 || (self.queue.is_empty() && region.is_empty() && !self.shown) {
            return;
        }
        if self.dropped > 0 {
            self.queue.push(format!("… {} more lines", self.dropped));
            self.dropped = 0;
        }
        let mut frame = String::new();
        if self.live {
            frame.push_str(BEGIN);
            self.lines(&mut frame);
            self.region(&mut frame, region);
            frame.push_str(END);
        } else {
            for line in self.queue.drain(..) {
                frame.extend([&line, "\n"]);
            }
        }
        self.write(&frame);
    }

    fn lines(&mut self, frame: &mut String) {
        if self.queue.is_empty() {
            return;
        }
        // The application may have stopped in the middle of a line, so ours start on the next.
        frame.extend([ERASE_BELOW, "\r\n"]);
        for line in self.queue.drain(..) {
            frame.extend([&line, "\r\n"]);
        }
    }

    fn region(&mut self, frame: &mut String, region: &[String]) {
        self.shown = !region.is_empty();
        if !self.shown {
            frame.push_str(ERASE_BELOW);
            return;
        }
        let rows = region.len() + 1;
        frame.push_str(ERASE_RIGHT);
        // Scroll now, if there has to be scrolling: the place saved next must not move.
        frame.push_str(&INDEX.repeat(rows));
        frame.push_str(&format!("\x1b[{rows}A"));
        frame.extend([SAVE, WRAP_OFF, RESET_STYLE, "\r\n", ERASE_RIGHT]);
        for line in region {
            frame.extend(["\r\n", line, ERASE_RIGHT]);
        }
        frame.extend([ERASE_BELOW, RESTORE, WRAP_ON]);
    }

    /// Takes the region off and holds everything back until [`resume`](Self::resume), as often as it was called.
    pub(super) fn pause(&mut self) {
        if self.shown {
            self.shown = false;
            self.write(ERASE_BELOW);
        }
        self.pauses += 1;
    }

    /// Ends one pause. With the last of them what has waited is written; the region comes back with the next frame.
    pub(super) fn resume(&mut self) {
        self.pauses = self.pauses.saturating_sub(1);
        self.draw(&[]);
    }

    /// Shows nothing from now on, or shows again.
    pub(super) fn mute(&mut self, on: bool) {
        if on {
            // What has ended before is not lost.
            self.draw(&[]);
        }
        self.muted = on;
    }

    fn write(&mut self, frame: &str) {
        if self.broken {
            return;
        }
        let written = self
            .out
            .write_all(frame.as_bytes())
            .and_then(|()| self.out.flush());
        self.broken = written.is_err();
    }
}
