//! A forwarder: what a history keeps, posted in batches to a web address, from where it stopped last time.
//!
//! Promise: the cursor moves only over what the receiver has confirmed; whatever stops the process, nothing is left out.
//! Never: waits on the application's threads, or posts what was confirmed and remembered a second time.

mod cursor_file;
mod thread;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use self::cursor_file::CursorFile;
use self::thread::Thread;
use super::{HttpTarget, ReporterConfigError, own_thread};
use crate::diagnostics::Voice;
use crate::history::{Cursor, History};
use crate::stats::{Loss, Tally};

/// Posts what a history keeps to a web address: `{"events":[…]}`, each with the event's JSON, oldest first, again and again.
///
/// ```no_run
/// use std::time::Duration;
/// use tracing_genai::history::SqliteStore;
/// use tracing_genai::reporter::{Forwarder, HttpTarget};
///
/// let store = SqliteStore::builder().path("events.db").open()?;
/// let forwarding = Forwarder::new(store, HttpTarget::new("https://events.example/api/events").api_key("secret"))
///     .interval(Duration::from_secs(60))
///     .batch(500)
///     .cursor_file("events.cursor")
///     .start()?;
/// // …
/// forwarding.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A history that was narrowed ([`History::channel`] and the like) is forwarded as far as it reaches.
///
/// # Delivery
///
/// At least once, and in the order in which the store took events in. A batch is confirmed by a 2xx; then the cursor moves, in
/// its file too (written aside, synced, renamed). A batch whose answer was lost, and one that was confirmed in the moment before
/// the process was killed, is posted again; receivers tell repeats by the event's `id`.
///
/// | Answer | What happens |
/// | --- | --- |
/// | 2xx | the cursor moves |
/// | 413 | the batch is halved, and later ones stay as small; one event that alone is too long is skipped |
/// | 400, 422 and others about the contents | the batch is halved until the event is found that is refused; it is skipped |
/// | all else, no answer, no connection | the cursor stays, and it is tried again: after 100 ms, 200 ms … up to the interval, or when `Retry-After` says |
///
/// What is skipped is counted, and told in one line a minute.
///
/// # What can be lost
///
/// What the store drops (its retention, a full ring) before it was forwarded: counted in [`ForwarderStats::missed`]. A cursor belongs
/// to its store: with another store, begin with another file.
#[must_use = "nothing is forwarded until it is started"]
pub struct Forwarder {
    history: History,
    target: HttpTarget,
    interval: Duration,
    batch: usize,
    batch_bytes: usize,
    cursor_file: Option<PathBuf>,
    voice: Voice,
}

impl Forwarder {
    /// How long it rests after it has forwarded all there was, unless told otherwise.
    pub const INTERVAL: Duration = Duration::from_secs(60);
    /// How many events a request has at most, unless told otherwise: some half a megabyte of usual ones.
    pub const BATCH: usize = 500;
    /// How many bytes of JSON a request has at most, unless told otherwise: 4 MiB, what most servers take. One event alone may
    /// have more.
    pub const BATCH_BYTES: usize = 4 * 1024 * 1024;
    /// How long stopping waits for the request that is under way.
    pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);

    /// Forwards a history, or a store, to an address.
    pub fn new(history: impl Into<History>, target: impl Into<HttpTarget>) -> Self {
        Self {
            history: history.into(),
            target: target.into(),
            interval: Self::INTERVAL,
            batch: Self::BATCH,
            batch_bytes: Self::BATCH_BYTES,
            cursor_file: None,
            voice: Voice::stderr(),
        }
    }

    /// How long it rests after it has forwarded all there was. Default [`Forwarder::INTERVAL`]; from 1 ms to a day.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How many events a request has at most. Default [`Forwarder::BATCH`]; from 1 to 10,000.
    pub fn batch(mut self, events: usize) -> Self {
        self.batch = events;
        self
    }

    /// How many bytes of JSON a request has at most. Default [`Forwarder::BATCH_BYTES`]; from 1 KiB.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Remembers in this file how far it has come; it is made where it is not there. Without one, everything the store has is
    /// forwarded again after a restart. Beside it lies a lock, so that no two forwarders use it at the same time.
    pub fn cursor_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.cursor_file = Some(path.into());
        self
    }

    /// Where warnings go. For this crate's tests.
    #[doc(hidden)]
    pub fn voice(mut self, voice: Voice) -> Self {
        self.voice = voice;
        self
    }

    /// Starts it, on a thread of its own.
    ///
    /// # Errors
    /// When the address or the key cannot be used, a setting is out of its range, or the cursor's file cannot be used.
    pub fn start(self) -> Result<Forwarding, ReporterConfigError> {
        let out = |setting, value: String, expected| {
            Err(ReporterConfigError::OutOfRange {
                setting,
                value,
                expected,
            })
        };
        let interval = self.interval;
        match () {
            () if !(Duration::from_millis(1)..=Duration::from_secs(86_400)).contains(&interval) => {
                return out("interval", format!("{interval:?}"), "from 1 ms to a day");
            }
            () if !(1..=10_000).contains(&self.batch) => {
                return out("batch", self.batch.to_string(), "from 1 to 10000");
            }
            () if self.batch_bytes < 1024 => {
                return out(
                    "batch_bytes",
                    self.batch_bytes.to_string(),
                    "at least 1024 (1 KiB)",
                );
            }
            () => {}
        }
        let sink = self.target.open()?.ok_or(ReporterConfigError::Endpoint {
            from: "HttpTarget::new".into(),
            value: String::new(),
            problem: "it is empty",
        })?;
        let (file, cursor) = match &self.cursor_file {
            Some(path) => {
                let (file, cursor) = CursorFile::open(path)?;
                (Some(file), cursor)
            }
            None => (None, Cursor::START),
        };
        let shared = Arc::new(Shared::default());
        shared.at(cursor);
        let thread = Thread {
            history: self.history,
            sink,
            file,
            cursor,
            interval,
            batch: self.batch,
            batch_bytes: self.batch_bytes,
            voice: self.voice,
            shared: Arc::clone(&shared),
        };
        let gone = Gone(Arc::clone(&shared));
        let thread = own_thread::run("tracing-genai-forward", gone, thread.run())
            .map_err(ReporterConfigError::Thread)?;
        Ok(Forwarding {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("history", &self.history)
            .field("target", &self.target)
            .field("interval", &self.interval)
            .field("batch", &self.batch)
            .field("cursor_file", &self.cursor_file)
            .finish_non_exhaustive()
    }
}

/// A forwarder that runs, from [`Forwarder::start`]. Dropping it stops it, see [`stop`](Self::stop).
#[must_use = "dropping it stops forwarding"]
pub struct Forwarding {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How far a forwarder has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwarderStats {
    /// Everything up to here is confirmed or skipped.
    pub cursor: Cursor,
    /// What became of the events it has read since it was started: `pending` are those it has in hand.
    pub tally: Tally,
    /// Events that were gone from the store before they were read.
    pub missed: u64,
    /// Whether everything stored before the call was forwarded; for [`Forwarding::stats`] whether nothing is in hand.
    pub in_time: bool,
}

impl Forwarding {
    /// Forwards what is stored by now, at once, and waits until that is done, `timeout` at most. Events of an installation get
    /// into its history some milliseconds after they happen: [`Telemetry::flush`](crate::Telemetry::flush) first. Inside an
    /// async task it blocks the task's thread.
    pub fn flush(&self, timeout: Duration) -> ForwarderStats {
        let deadline = Instant::now() + timeout.min(Duration::from_secs(365 * 24 * 3600));
        let mut state = self.shared.lock();
        state.asked += 1;
        let ticket = state.asked;
        self.shared.wake.notify_one();
        while state.answered < ticket && !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.wait(state, left);
        }
        let in_time = state.answered >= ticket;
        state.stats(in_time)
    }

    /// What it has done so far.
    pub fn stats(&self) -> ForwarderStats {
        let state = self.shared.lock();
        state.stats(state.in_hand == 0)
    }

    /// Stops it, waiting [`Forwarder::STOP_TIMEOUT`] at most for the request that is under way. What was not forwarded stays in the
    /// store, for the next time.
    pub fn stop(&self) -> ForwarderStats {
        let deadline = Instant::now() + Forwarder::STOP_TIMEOUT;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.shared.lock().stopping = true;
        self.shared.wake.notify_one();
        if let Some(thread) = thread {
            own_thread::join(thread, deadline);
        }
        self.stats()
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Forwarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarding")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// What the handle and the thread share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    cursor: Cursor,
    delivered: u64,
    lost: [u64; Loss::ALL.len()],
    in_hand: u64,
    missed: u64,
    /// Flushes so far, and how many of them are done.
    asked: u64,
    answered: u64,
    /// A trouble was told whose end was not.
    trouble: bool,
    stopping: bool,
    ended: bool,
}

impl State {
    fn stats(&self, in_time: bool) -> ForwarderStats {
        let lost = Loss::ALL.into_iter().zip(self.lost);
        ForwarderStats {
            cursor: self.cursor,
            tally: Tally {
                accepted: self.delivered + self.lost.iter().sum::<u64>() + self.in_hand,
                delivered: self.delivered,
                rejected: 0,
                pending: self.in_hand,
                dropped: lost.filter(|(_, n)| *n > 0).collect(),
                ..Tally::default()
            },
            missed: self.missed,
            in_time,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, left: Duration) -> MutexGuard<'s, State> {
        let woken = self.changed.wait_timeout(state, left);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    // === for the thread ===

    fn asked(&self) -> u64 {
        self.lock().asked
    }

    fn answered(&self, flushes: u64) {
        self.lock().answered = flushes;
        self.changed.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    fn in_hand(&self, events: usize) {
        self.lock().in_hand = events as u64;
    }

    fn delivered(&self, events: usize) {
        let mut state = self.lock();
        state.delivered += events as u64;
        state.in_hand -= events as u64;
    }

    fn lost(&self, why: Loss) {
        let mut state = self.lock();
        state.lost[why as usize] += 1;
        state.in_hand -= 1;
    }

    fn missed(&self, events: u64) {
        self.lock().missed += events;
    }

    fn at(&self, cursor: Cursor) {
        self.lock().cursor = cursor;
    }

    /// Notes whether there is a trouble that was told; says whether there was one.
    fn trouble(&self, now: bool) -> bool {
        std::mem::replace(&mut self.lock().trouble, now)
    }
}

/// Lets nobody wait for a thread that has ended.
struct Gone(Arc<Shared>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.changed.notify_all();
    }
}
