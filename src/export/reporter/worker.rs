//! The thread that posts: one task a run, one attempt at a time in each, so many attempts at once.
//!
//! Promise: a wait between attempts takes nobody's place; a reporter that panics or never ends costs the one event it had.
//! Never: uses a runtime or a subscriber of the application's.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::backoff::Backoff;
use super::lanes::{Item, Work};
use super::queue::{Fate, Gone, Queue};
use super::warnings::Warnings;
use super::{BoxReporter, ReportError, Reporter as _, own_thread};
use crate::bus::Filter;
use crate::event::Event;
use crate::export::jitter::Jitter;
use crate::stats::Loss;

/// What the tasks of one queue share.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    pub(super) reporter: BoxReporter,
    pub(super) filter: Filter,
    pub(super) max_attempts: u32,
    pub(super) attempt_timeout: Duration,
    pub(super) backoff: Backoff,
    /// A place for each attempt that may be under way.
    pub(super) places: Semaphore,
    pub(super) warnings: Warnings,
}

/// How an attempt ended that did not succeed.
enum Failure {
    Said(ReportError),
    Panicked,
    TimedOut(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said(error) => error.fmt(f),
            Self::Panicked => f.write_str("the reporter panicked"),
            Self::TimedOut(after) => write!(f, "the reporter was not done after {after:?}"),
        }
    }
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(self: &Arc<Self>) -> std::io::Result<JoinHandle<()>> {
        let gone = Gone(Arc::clone(&self.queue));
        own_thread::run("tracing-genai-reporter", gone, Arc::clone(self).run())
    }

    /// Starts tasks for what comes in, until the queue has ended. What is under way then goes down with the runtime.
    pub(super) async fn run(self: Arc<Self>) {
        while let Some(fresh) = self.queue.fresh() {
            for work in fresh {
                tokio::spawn(Arc::clone(&self).work(work));
            }
            self.queue.wake.notified().await;
        }
    }

    async fn work(self: Arc<Self>, work: Work) {
        match work {
            Work::One(item) => self.deliver(&item).await,
            Work::Run(run) => {
                while let Some(item) = self.queue.next(&run) {
                    self.deliver(&item).await;
                }
            }
        }
    }

    async fn deliver(&self, item: &Item) {
        let fate = if self.filter.matches(&item.event) {
            self.fate(&item.event).await
        } else {
            Fate::Skipped
        };
        self.queue.settle(item, fate);
    }

    /// Posts one event, several times if that helps.
    async fn fate(&self, event: &Event) -> Fate {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match self.attempt(event).await {
                Ok(()) => return Fate::Delivered,
                Err(Failure::Said(ReportError::Skipped)) => return Fate::Skipped,
                Err(failure) => failure,
            };
            let asked = match &failure {
                Failure::Said(ReportError::Transient { after, .. }) => *after,
                Failure::TimedOut(_) => None,
                Failure::Said(_) => return self.drop(Loss::Permanent, event, &failure),
                Failure::Panicked => return self.drop(Loss::Hook, event, &failure),
            };
            if attempts >= self.max_attempts {
                return self.drop(Loss::RetryExhausted, event, &failure);
            }
            let wait = self.backoff.wait(attempts, asked, &mut Jitter::new());
            tokio::time::sleep(wait).await;
        }
    }

    fn drop(&self, why: Loss, event: &Event, failure: &Failure) -> Fate {
        self.warnings.dropped(why, event, failure);
        Fate::Lost(why)
    }

    async fn attempt(&self, event: &Event) -> Result<(), Failure> {
        // Never closed.
        let _place = self.places.acquire().await;
        let (reporter, event) = (self.reporter.clone(), event.clone());
        // A task of its own, so that a panic in it is contained, and so is one from dropping it.
        let attempt = tokio::spawn(async move { reporter.post_event(&event).await });
        let under_way = attempt.abort_handle();
        match tokio::time::timeout(self.attempt_timeout, attempt).await {
            Ok(Ok(said)) => said.map_err(Failure::Said),
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => {
                under_way.abort();
                Err(Failure::TimedOut(self.attempt_timeout))
            }
        }
    }
}
