//! How far an installation has come: it runs, is being shut down, or has ended with a report.
//!
//! Promise: one caller shuts down, the others wait for its report, no longer than their own deadline.
//! Never: waits inside a handler of the bus, which the shutdown itself waits for.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Report;
use crate::bus::Bus;

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Running,
    Ending,
    Ended(Box<Report>),
}

/// The stage, shared by every handle on the installation.
#[derive(Debug, Default)]
pub(super) struct Stages {
    stage: Mutex<Stage>,
    ended: Condvar,
}

impl Stages {
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(*self.lock(), Stage::Running)
    }

    /// Begins the shutdown; true for the one caller who has to do it.
    pub(super) fn begin_end(&self) -> bool {
        let mut stage = self.lock();
        let first = matches!(*stage, Stage::Running);
        if first {
            *stage = Stage::Ending;
        }
        first
    }

    pub(super) fn end(&self, report: &Report) {
        *self.lock() = Stage::Ended(Box::new(report.clone()));
        self.ended.notify_all();
    }

    /// The report of the shutdown that has begun; `None` if none has, or if it has not ended by the deadline.
    pub(super) fn report(&self, deadline: Instant) -> Option<Report> {
        let mut stage = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match &*stage {
                Stage::Ended(report) => return Some(Report::clone(report)),
                Stage::Ending if !left.is_zero() && Bus::depth() == 0 => {}
                Stage::Ending | Stage::Running => return None,
            }
            let waited = self.ended.wait_timeout(stage, left);
            stage = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
