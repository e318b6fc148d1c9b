//! Signals of the operating system: what is recorded leaves before the process ends by one.
//!
//! Owns the one thread of the process that waits for them, and the list of installations that asked for it.
//! Promise: a signal is an event (`system.signal.received`), the installations are shut down within their deadlines, and then the
//! process ends as it would have ended without us: by that signal, in the eyes of its parent. A second signal ends it at once. What
//! the process ignores stays ignored (`nohup`, a job in the background of a shell), where `/proc` says what that is.
//! Never: replaces a handler of the application's, which is called as well; does work in a signal handler itself.
//!
//! Signals belong to the process, so this is the one place where installations meet: all of them are shut down at once, and the
//! process ends when the last one is done.

use std::time::Duration;

use super::{LONGEST, Telemetry};

/// A signal that tells a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// `SIGTERM`: what `kill`, systemd and Kubernetes send.
    Terminate,
    /// `SIGINT`: Ctrl-C.
    Interrupt,
    /// `SIGHUP`: the terminal is gone.
    Hangup,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Terminate, Self::Interrupt, Self::Hangup];

    /// `sigterm`, `sigint` or `sighup`: the flavor of its event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "sigterm",
            Self::Interrupt => "sigint",
            Self::Hangup => "sighup",
        }
    }
}

/// Which signals are handled, and how; see [`Telemetry::handle_signals`].
#[derive(Debug, Clone)]
#[must_use = "it goes into `Telemetry::handle_signals`"]
pub struct SignalOptions {
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no signals"))]
    signals: Vec<Signal>,
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no signals"))]
    deadline: Duration,
    #[cfg_attr(not(unix), allow(dead_code, reason = "there are no signals"))]
    end_process: bool,
}

impl Default for SignalOptions {
    fn default() -> Self {
        Self {
            signals: Signal::ALL.to_vec(),
            deadline: Telemetry::SHUTDOWN_TIMEOUT,
            end_process: true,
        }
    }
}

impl SignalOptions {
    /// All three signals, 5 seconds, and the process ends.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only these signals.
    pub fn signals(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.signals = signals.into_iter().collect();
        self
    }

    /// How long the process is kept for the sake of telemetry, at most. Default 5 seconds. Keep it below what the sender of the
    /// signal waits before it kills: 30 seconds for Kubernetes, 10 for `docker stop`, 90 for systemd.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline.min(LONGEST);
        self
    }

    /// Whether the process is ended. Default `true`. With `false` a signal is told and everything recorded so far is flushed, and
    /// ending is left to the application: for servers that finish their requests first, and shut the telemetry down themselves.
    pub fn end_process(mut self, end: bool) -> Self {
        self.end_process = end;
        self
    }
}

/// Signals cannot be handled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// This is not Unix.
    #[error(
        "signals can be handled on Unix only: call `Telemetry::shutdown` where the program ends"
    )]
    Unsupported,
    /// The operating system refused the handler, or the thread that waits for signals.
    #[error("the signals could not be taken over: {0}")]
    Refused(#[from] std::io::Error),
}

impl Telemetry {
    /// From now on `SIGTERM`, `SIGINT` and `SIGHUP` flush: the signal becomes the event `system.signal.received`, spans still
    /// open are ended as interrupted, everything is delivered within the deadline, and then the process ends by the signal, as it
    /// would have at once without this. A second signal ends it without further waiting.
    ///
    /// The application's own handlers are called as before (`tokio::signal`, `signal-hook`, `ctrlc`). One that means to do more
    /// than the deadline allows needs [`end_process(false)`](SignalOptions::end_process). It stays in force as long as the
    /// process lives, after the telemetry was shut down as well.
    ///
    /// ```no_run
    /// use tracing_genai::{SignalOptions, Telemetry};
    ///
    /// let telemetry = Telemetry::builder("trip-planner").otlp_from_env().build()?;
    /// telemetry.install()?;
    /// telemetry.handle_signals(SignalOptions::new())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where there are no signals (Windows), and if the operating system refuses.
    pub fn handle_signals(&self, options: SignalOptions) -> Result<(), SignalError> {
        handle(self, options)
    }
}

#[cfg(not(unix))]
fn handle(_: &Telemetry, _: SignalOptions) -> Result<(), SignalError> {
    Err(SignalError::Unsupported)
}

#[cfg(unix)]
use unix::handle;

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LazyLock, Mutex, PoisonError};

    use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::{Handle, Signals};
    use signal_hook::{flag, low_level};

    use super::super::{Ask, Closing};
    use super::{Signal, SignalError, SignalOptions, Telemetry};
    use crate::diagnostics;
    use crate::layer::visit::with_scratch;
    use crate::record::{Limits, Moment};
    use crate::semconv;

    const NUMBER: &str = "process.signal.number";

    impl Signal {
        const fn number(self) -> i32 {
            match self {
                Self::Terminate => SIGTERM,
                Self::Interrupt => SIGINT,
                Self::Hangup => SIGHUP,
            }
        }
    }

    /// An installation that is flushed when a signal comes.
    #[derive(Clone)]
    struct Entry {
        closing: Closing,
        options: SignalOptions,
    }

    #[derive(Default)]
    struct Watch {
        entries: Vec<Entry>,
        /// The thread's; `None` before the first installation.
        waiting: Option<Handle>,
        taken: Vec<Signal>,
        /// What the application ends the process by itself at, once it said so.
        left: Vec<Signal>,
    }

    static WATCH: LazyLock<Mutex<Watch>> = LazyLock::new(Mutex::default);

    /// Whether the process is about to end: the next signal does not wait for us.
    static ENDING: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

    pub(super) fn handle(telemetry: &Telemetry, options: SignalOptions) -> Result<(), SignalError> {
        let mut watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
        watch.entries.retain(|entry| entry.closing.is_running());
        let waiting = match watch.waiting.clone() {
            Some(waiting) => waiting,
            None => watch.waiting.insert(wait()?).clone(),
        };
        let ignored = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        for signal in &options.signals {
            if watch.taken.contains(signal) || is_ignored(&ignored, signal.number()) {
                continue;
            }
            // In this order: the handler that ends comes first.
            flag::register_conditional_default(signal.number(), Arc::clone(&ENDING))?;
            waiting.add_signal(signal.number())?;
            watch.taken.push(*signal);
        }
        if !options.end_process {
            watch.left.extend(&options.signals);
        }
        watch.entries.push(Entry {
            closing: Closing::of(telemetry),
            options,
        });
        Ok(())
    }

    /// Starts the thread.
    fn wait() -> Result<Handle, SignalError> {
        let mut signals = Signals::new(std::iter::empty::<i32>())?;
        let handle = signals.handle();
        std::thread::Builder::new()
            .name("tracing-genai-signals".into())
            .spawn(move || signals.forever().for_each(received))?;
        Ok(handle)
    }

    /// Whether the process was started with the signal ignored, or ignores it now: taking it over would make it deadly.
    fn is_ignored(status: &str, number: i32) -> bool {
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
    }

    fn received(number: i32) {
        let Some(signal) = Signal::ALL.into_iter().find(|it| it.number() == number) else {
            return;
        };
        let (entries, ends) = {
            let watch = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
            let all = watch.entries.iter();
            let asked = all.filter(|entry| entry.options.signals.contains(&signal));
            let entries: Vec<_> = asked.cloned().collect();
            // Whoever ends the process itself is not forestalled by another installation.
            (entries, !watch.left.contains(&signal))
        };
        ENDING.store(ends, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for entry in &entries {
                let flush = move || entry.flush(signal);
                let thread = std::thread::Builder::new().spawn_scoped(scope, flush);
                if thread.is_err() {
                    entry.flush(signal);
                }
            }
        });
        if ends && let Err(error) = low_level::emulate_default_handler(number) {
            diagnostics::say_once(
                "signal",
                format_args!(
                    "the process could not be ended by {}: {error}",
                    signal.as_str()
                ),
            );
        }
    }

    impl Entry {
        fn flush(&self, signal: Signal) {
            let closing = &self.closing;
            if closing.instance.is_on() {
                with_scratch(|fields| {
                    let limits = &Limits::DEFAULT;
                    fields.set_str(semconv::GENAI_FLAVOR, signal.as_str(), limits);
                    fields.set_i64(NUMBER, i64::from(signal.number()), limits);
                    let moment = Moment::new("system.signal.received");
                    closing.instance.moment(None, moment, fields);
                });
            }
            let ask = match self.options.end_process {
                true => Ask::Shutdown,
                false => Ask::Flush,
            };
            closing.ask(ask, self.options.deadline);
        }
    }

    impl Closing {
        fn is_running(&self) -> bool {
            self.stages.is_running()
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_signal_that_the_process_ignores_is_told_from_the_mask() {
            let status =
                "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000003\nSigCgt:\tffff\n";
            assert!(is_ignored(status, SIGHUP) && is_ignored(status, SIGINT));
            assert!(!is_ignored(status, SIGTERM));
            assert!(!is_ignored("", SIGHUP) && !is_ignored("SigIgn:\tnonsense", SIGHUP));
        }
    }
}
