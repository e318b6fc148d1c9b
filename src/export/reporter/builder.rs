//! Settings of a queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::queue::Queue;
use super::warnings::Warnings;
use super::worker::Worker;
use super::{Backoff, BoxReporter, Reporter, ReporterConfigError, Reporting};
use crate::bus::Filter;
use crate::diagnostics::Voice;
use crate::event::ParseEventTypeError;

/// A [`Reporting`] about to be made, from [`Reporting::builder`].
///
/// ```
/// use std::time::Duration;
/// use tracing_genai::reporter::{Backoff, Reporting, reporter_fn};
///
/// let reporting = Reporting::builder()
///     .reporter(reporter_fn(|event| async move { println!("{event}"); Ok(()) }))
///     .events("llm.call.*")?
///     .events("*.failed")?
///     .max_attempts(5)
///     .backoff(Backoff::new().initial(Duration::from_secs(1)))
///     .parallel(4)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is reported until it is built, and listens"]
pub struct ReportingBuilder {
    reporter: Option<BoxReporter>,
    name: &'static str,
    filter: Filter,
    max_attempts: u32,
    attempt_timeout: Duration,
    backoff: Backoff,
    parallel: usize,
    queue_events: usize,
    queue_bytes: usize,
    voice: Voice,
}

impl ReportingBuilder {
    pub(super) fn new() -> Self {
        Self {
            reporter: None,
            name: "reporter",
            filter: Filter::new(),
            max_attempts: Reporting::MAX_ATTEMPTS,
            attempt_timeout: Reporting::ATTEMPT_TIMEOUT,
            backoff: Backoff::default(),
            parallel: Reporting::PARALLEL,
            queue_events: Reporting::QUEUE_EVENTS,
            queue_bytes: Reporting::QUEUE_BYTES,
            voice: Voice::stderr(),
        }
    }

    /// What takes the events somewhere. One a queue; the last one counts.
    pub fn reporter(mut self, reporter: impl Reporter) -> Self {
        self.reporter = Some(BoxReporter::new(reporter));
        self
    }

    /// What reports and warnings call it. Default `reporter`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Only events of the types that `pattern` means, or another pattern named before: `llm.call.*`, `*.failed`, a name of a known
    /// dialect; see [`Pattern`](crate::event::Pattern). Others are not even accepted. Default: all.
    ///
    /// # Errors
    /// When `pattern` is none.
    pub fn events(mut self, pattern: &str) -> Result<Self, ParseEventTypeError> {
        self.filter = self.filter.pattern(pattern)?;
        Ok(self)
    }

    /// Only events that `filter` wants, in place of the patterns named before. What its conditions refuse is not accepted; its
    /// [predicates](Filter::filter) are asked on the queue's thread, and what they refuse counts as `rejected`.
    ///
    /// ```
    /// use tracing_genai::bus::Filter;
    /// use tracing_genai::reporter::{Reporting, reporter_fn};
    ///
    /// let scenarios = Reporting::builder()
    ///     .reporter(reporter_fn(|_| async { Ok(()) }))
    ///     .matching(Filter::new().flavor("scenario"))
    ///     .build()?;
    /// # Ok::<(), tracing_genai::reporter::ReporterConfigError>(())
    /// ```
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// How often an event is tried in all, the first time included. Default [`Reporting::MAX_ATTEMPTS`]; from 1 to 100.
    #[doc(alias = "max_retries")]
    pub fn max_attempts(mut self, n: u32) -> Self {
        self.max_attempts = n;
        self
    }

    /// How long one attempt may take; after that it is dropped and counts as a transient failure. Default
    /// [`Reporting::ATTEMPT_TIMEOUT`]; from 1 ms to an hour.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The waits between attempts. Default: 100 ms, 200 ms, 400 ms … up to 30 s, 15 % by chance.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// How many attempts, of different runs, are under way at once. Default [`Reporting::PARALLEL`]; from 1 to 1024. With 1, all
    /// events that need no second attempt are posted in the order they came in.
    pub fn parallel(mut self, n: usize) -> Self {
        self.parallel = n;
        self
    }

    /// How many events wait, those under way included; a new one beyond that is dropped and counted as `queue_full`. Default
    /// [`Reporting::QUEUE_EVENTS`]; from 1.
    pub fn queue_events(mut self, n: usize) -> Self {
        self.queue_events = n;
        self
    }

    /// About how many bytes they have in memory; a new one beyond that is dropped and counted as `queue_bytes`. Default
    /// [`Reporting::QUEUE_BYTES`]; from 1 KiB.
    pub fn queue_bytes(mut self, n: usize) -> Self {
        self.queue_bytes = n;
        self
    }

    /// Where warnings go. For this crate's tests.
    #[doc(hidden)]
    pub fn voice(mut self, voice: Voice) -> Self {
        self.voice = voice;
        self
    }

    /// Makes the queue. It takes events in from now on; its thread starts with [`Reporting::listen`].
    ///
    /// # Errors
    /// When there is no reporter, or a setting is out of its range.
    pub fn build(mut self) -> Result<Reporting, ReporterConfigError> {
        let out = |setting, value: String, expected| {
            Err(ReporterConfigError::OutOfRange {
                setting,
                value,
                expected,
            })
        };
        let timeout = self.attempt_timeout;
        match () {
            () if !(1..=100).contains(&self.max_attempts) => {
                return out(
                    "max_attempts",
                    self.max_attempts.to_string(),
                    "from 1 to 100",
                );
            }
            () if !(Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&timeout) => {
                return out(
                    "attempt_timeout",
                    format!("{timeout:?}"),
                    "from 1 ms to an hour",
                );
            }
            () if !(1..=1024).contains(&self.parallel) => {
                return out("parallel", self.parallel.to_string(), "from 1 to 1024");
            }
            () if self.queue_events == 0 => {
                return out("queue_events", "0".to_owned(), "at least 1");
            }
            () if self.queue_bytes < 1024 => {
                return out(
                    "queue_bytes",
                    self.queue_bytes.to_string(),
                    "at least 1024 (1 KiB)",
                );
            }
            () => {}
        }
        let reporter = self
            .reporter
            .take()
            .ok_or(ReporterConfigError::NoReporter)?;
        Ok(self.made(reporter))
    }

    /// The queue, of settings that are known to work.
    pub(super) fn made(self, reporter: BoxReporter) -> Reporting {
        Reporting::new(Arc::new(Worker {
            queue: Arc::new(Queue::new(self.queue_events, self.queue_bytes)),
            reporter,
            filter: self.filter,
            max_attempts: self.max_attempts,
            attempt_timeout: self.attempt_timeout,
            backoff: self.backoff,
            places: Semaphore::new(self.parallel),
            warnings: Warnings::new(self.name, self.voice),
        }))
    }
}
