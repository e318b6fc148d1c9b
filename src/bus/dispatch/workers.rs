//! Helpers for handlers of one level, which are called at the same time.
//!
//! Promise: the handlers' own thread works as well, so nothing waits for a helper to wake up, and all are called even if the
//! system gives no thread. Never: starts a helper before two handlers could use one.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use super::{Dispatcher, Fate};
use crate::{
    bus::{Bus, failures::contain, handler::Callee, here, rest},
    event::Event,
};

/// One call to be made.
pub(super) struct Job {
    pub(super) place: usize,
    pub(super) callee: Arc<Callee>,
    pub(super) event: Event,
    pub(super) depth: u8,
}

impl Job {
    /// Makes the call, and lets go of everything before anybody learns of it.
    fn run(self, dispatcher: &Arc<Dispatcher>) -> (usize, Fate) {
        let here = here::handling(self.depth, dispatcher);
        let result = (self.place, dispatcher.call(&self.callee, &self.event));
        contain(|| drop(self));
        drop(here);
        result
    }
}

pub(super) struct Workers {
    shared: Arc<Shared>,
    /// Helpers started.
    helpers: usize,
    /// Calls begun and not finished.
    open: usize,
    done: Sender<(usize, Fate)>,
    results: Receiver<(usize, Fate)>,
}

struct Shared {
    dispatcher: Arc<Dispatcher>,
    jobs: Mutex<Jobs>,
    arrived: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    idle: usize,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A helper's life.
    fn help(&self, done: &Sender<(usize, Fate)>) {
        let mut jobs = self.lock();
        while !jobs.ended {
            if let Some(job) = jobs.waiting.pop_front() {
                drop(jobs);
                // Nobody reads any more once the bus is gone.
                let _ = done.send(job.run(&self.dispatcher));
                let is_busy = |jobs: &Jobs| !jobs.waiting.is_empty() || jobs.ended;
                jobs = rest::before_sleep(&self.jobs, self.lock(), is_busy);
                continue;
            }
            jobs.idle += 1;
            jobs = self
                .arrived
                .wait(jobs)
                .unwrap_or_else(PoisonError::into_inner);
            jobs.idle -= 1;
        }
    }
}

impl Workers {
    /// No helpers yet.
    pub(super) fn new(dispatcher: &Arc<Dispatcher>) -> Self {
        let (done, results) = mpsc::channel();
        Self {
            shared: Arc::new(Shared {
                dispatcher: Arc::clone(dispatcher),
                jobs: Mutex::default(),
                arrived: Condvar::new(),
            }),
            helpers: 0,
            open: 0,
            done,
            results,
        }
    }

    /// Begins some calls. With `joining`, the caller goes right on to [`Workers::finish`], and is one helper more.
    pub(super) fn begin(&mut self, new: impl ExactSizeIterator<Item = Job>, joining: bool) {
        self.open = new.len();
        let useful = self.open.saturating_sub(usize::from(joining));
        while self.helpers < useful.min(Bus::PARALLEL_HANDLERS - 1) && self.start() {
            self.helpers += 1;
        }
        if self.open == 0 {
            return;
        }
        let mut jobs = self.shared.lock();
        jobs.waiting.extend(new);
        let wake = useful.min(jobs.idle);
        drop(jobs);
        (0..wake).for_each(|_| self.shared.arrived.notify_one());
    }

    /// Makes the calls that no helper has begun, then waits for those that helpers have.
    pub(super) fn finish(&mut self, mut report: impl FnMut(usize, Fate)) {
        loop {
            let job = self.shared.lock().waiting.pop_front();
            let Some(job) = job else { break };
            let (place, fate) = job.run(&self.shared.dispatcher);
            report(place, fate);
            self.open -= 1;
        }
        for _ in 0..std::mem::take(&mut self.open) {
            if let Ok((place, fate)) = self.results.recv() {
                report(place, fate);
            }
        }
    }

    fn start(&self) -> bool {
        let (shared, done) = (Arc::clone(&self.shared), self.done.clone());
        thread::Builder::new()
            .name(format!("tracing-genai-bus-{}", self.helpers + 1))
            .spawn(move || shared.help(&done))
            .is_ok()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.arrived.notify_all();
    }
}
