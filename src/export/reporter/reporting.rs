//! The handle: publish, listen, drain.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::queue::Stage;
use super::worker::Worker;
use super::{BoxReporter, DrainReport, Reporter, ReportingBuilder, own_thread};
use crate::bus::{Bus, Filter};
use crate::event::Event;
use crate::stats::Tally;

/// A queue of events to one [`Reporter`], with a thread of its own. Cloning shares it.
///
/// Used alone it is an event bus with one receiver: [`publish`](Self::publish), [`listen`](Self::listen),
/// [`drain`](Self::drain), from sync or async code, with or without a runtime. Handed to
/// [`TelemetryBuilder::reporter`](crate::TelemetryBuilder::reporter) it gets the events of the installation. See the
/// [module](super) for what it promises.
///
/// Dropping the last clone shuts it down, waiting 5 seconds at most.
#[doc(alias = "EventBus")]
#[derive(Clone)]
#[must_use = "dropping it ends reporting"]
pub struct Reporting {
    inner: Arc<Inner>,
}

struct Inner {
    worker: Arc<Worker>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How long a thread may take to end once everything is given up. It takes microseconds, unless a reporter blocks it.
const CLOSING_TIME: Duration = Duration::from_millis(500);

/// A longer timeout is this one: the clock cannot say every point in time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Reporting {
    /// How often an event is tried in all, unless told otherwise.
    pub const MAX_ATTEMPTS: u32 = 3;
    /// How long one attempt may take, unless told otherwise: what an HTTP request to a distant, busy server takes at worst.
    pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
    /// How many attempts are under way at once, unless told otherwise: enough that some slow runs do not hold up the others, few
    /// enough connections for any server.
    pub const PARALLEL: usize = 16;
    /// How many events wait, unless told otherwise: half an hour of a busy agent.
    pub const QUEUE_EVENTS: usize = 10_000;
    /// How many bytes they have, unless told otherwise: 32 MiB.
    pub const QUEUE_BYTES: usize = 32 * 1024 * 1024;
    /// How long [`shutdown`](Self::shutdown) by dropping waits.
    pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

    /// Begins a queue; it needs at least a [reporter](ReportingBuilder::reporter).
    pub fn builder() -> ReportingBuilder {
        ReportingBuilder::new()
    }

    pub(super) fn new(worker: Arc<Worker>) -> Self {
        Self {
            inner: Arc::new(Inner {
                worker,
                thread: Mutex::default(),
            }),
        }
    }

    /// Hands an event over, with the time it came with. Never waits: an event that finds the queue full is dropped and counted.
    /// What is published before [`listen`](Self::listen) is kept, and posted then.
    pub fn publish(&self, event: impl Into<Event>) {
        self.inner.worker.offer(event.into());
    }

    /// Starts to post what was and will be published. Once is enough; again it does nothing.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn listen(&self) -> std::io::Result<()> {
        let mut thread = self
            .inner
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let worker = &self.inner.worker;
        if thread.is_none() && worker.queue.stage() == Stage::Waiting {
            *thread = Some(worker.start()?);
            worker.queue.enter(Stage::Listening);
        }
        Ok(())
    }

    /// Waits until everything published before the call is delivered or dropped, `timeout` at most, and says how much is left.
    /// The queue goes on as before. Where nobody [listens](Self::listen) it comes back at once. Inside an async task it blocks the
    /// task's thread; see [`drain_async`](Self::drain_async).
    pub fn drain(&self, timeout: Duration) -> DrainReport {
        self.inner.worker.queue.drain(deadline(timeout))
    }

    /// The same without blocking the task's thread; needs no runtime.
    pub async fn drain_async(&self, timeout: Duration) -> DrainReport {
        let reporting = self.clone();
        crate::telemetry::off_thread(move || reporting.drain(timeout))
            .await
            .unwrap_or_else(|| self.drain(Duration::ZERO))
    }

    /// Whether the event that ends this run was published and all the run's events are delivered or dropped: the end of the
    /// scenario run with this `scenario.run.id`, or of the root of the trace with this id. Other runs do not matter.
    ///
    /// Known of the last 4,096 runs that ended; `false` for others.
    pub fn is_completed(&self, run_id: &str) -> bool {
        self.inner.worker.queue.is_over(run_id)
    }

    /// What became of everything so far. `rejected` counts what was not for the receiver.
    pub fn stats(&self) -> Tally {
        self.inner.worker.queue.tally()
    }

    /// Takes nothing more, posts what waits until `timeout`, counts the rest as `shutdown_timeout`, and ends the thread. Later
    /// events are counted as `after_shutdown`.
    pub fn shutdown(&self, timeout: Duration) -> DrainReport {
        self.inner.end(deadline(timeout))
    }

    #[cfg(test)]
    pub(super) fn worker(&self) -> &Arc<Worker> {
        &self.inner.worker
    }

    // === for an installation ===

    pub(crate) fn name(&self) -> &'static str {
        self.inner.worker.warnings.name
    }

    /// Listens, to the events of `bus` too.
    pub(crate) fn attach(&self, bus: &Bus) -> std::io::Result<()> {
        self.listen()?;
        let worker = Arc::clone(&self.inner.worker);
        bus.tap(Filter::new(), move |event| {
            if !event.replay {
                worker.offer(event.clone());
            }
        });
        Ok(())
    }

    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        self.inner.worker.queue.drain(deadline).in_time
    }

    pub(crate) fn end(&self, deadline: Instant) -> bool {
        self.inner.end(deadline).left == 0
    }
}

/// With the default settings.
impl<R: Reporter> From<R> for Reporting {
    fn from(reporter: R) -> Self {
        Self::builder().made(BoxReporter::new(reporter))
    }
}

fn deadline(timeout: Duration) -> Instant {
    Instant::now() + timeout.min(LONGEST)
}

impl Worker {
    fn offer(&self, event: Event) {
        if self.filter.meets_conditions(&event)
            && let Err(why) = self.queue.push(event)
        {
            self.warnings.refused(why);
        }
    }
}

impl Inner {
    fn end(&self, deadline: Instant) -> DrainReport {
        let queue = &self.worker.queue;
        let listened = queue.stage() >= Stage::Listening;
        queue.enter(Stage::Closing);
        let mut thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // A reporter that drops the last handle to its own queue must not wait for itself.
        let inside = thread
            .as_ref()
            .is_some_and(|thread| thread.thread().id() == thread::current().id());
        let report = queue.drain(if inside || thread.is_none() {
            Instant::now()
        } else {
            deadline
        });
        queue.enter(Stage::Ended);
        let left = queue.give_up();
        if left > 0 {
            self.worker.warnings.left(left, listened);
        }
        if let Some(thread) = thread.take_if(|_| !inside) {
            own_thread::join(thread, deadline.max(Instant::now()) + CLOSING_TIME);
        }
        DrainReport {
            left,
            dropped: report.dropped + left,
            ..report
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.end(deadline(Reporting::SHUTDOWN_TIMEOUT));
    }
}

impl fmt::Debug for Reporting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporting")
            .field("name", &self.name())
            .field("stats", &self.stats())
            .finish()
    }
}
