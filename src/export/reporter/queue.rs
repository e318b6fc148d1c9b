//! The account of one queue: what was accepted, what waits, what became of it.
//!
//! Promise: every event is settled exactly once, and `pending` is what really waits, not what is left over from other numbers.
//! Never: runs user code, or blocks beyond a short lock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::drain::DrainReport;
use super::lanes::{Item, Lanes, Work};
use super::runs::{Runs, ends_run, is_piece, run_of};
use crate::event::Event;
use crate::stats::{Loss, Tally};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Delivered,
    Skipped,
    Lost(Loss),
}

/// How far a queue is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Stage {
    /// Takes events in; nobody posts them yet.
    #[default]
    Waiting,
    Listening,
    /// Takes nothing more, posts what is left.
    Closing,
    Ended,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    max_events: usize,
    max_bytes: usize,
    /// Something was settled, or the stage changed, and somebody waits for it.
    changed: Condvar,
    /// The worker has something to do.
    pub(super) wake: Notify,
}

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    next_number: u64,
    lanes: Lanes,
    runs: Runs,
    /// The numbers of events that are not settled.
    pending: BTreeSet<u64>,
    bytes: usize,
    accepted: u64,
    delivered: u64,
    skipped: u64,
    lost: [u64; Loss::ALL.len()],
    /// Threads that wait for `changed`.
    watchers: usize,
}

impl Queue {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            max_events,
            max_bytes,
            changed: Condvar::new(),
            wake: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event in; says why not.
    pub(super) fn push(&self, event: Event) -> Result<(), Loss> {
        let (bytes, run) = (event.bytes(), run_of(&event));
        let (in_order, ends) = (!is_piece(&event), ends_run(&event));
        let mut state = self.lock();
        state.accepted += 1;
        let refused = match () {
            () if state.stage >= Stage::Closing => Some(Loss::AfterShutdown),
            () if bytes > self.max_bytes => Some(Loss::TooLarge),
            () if state.pending.len() >= self.max_events => Some(Loss::QueueFull),
            () if bytes > self.max_bytes - state.bytes => Some(Loss::QueueBytes),
            () => None,
        };
        if let Some(why) = refused {
            state.lost[why as usize] += 1;
            if let Some(run) = run.filter(|_| ends) {
                state.runs.end(&run);
            }
            return Err(why);
        }
        let number = state.next_number;
        state.next_number += 1;
        state.pending.insert(number);
        state.bytes += bytes;
        if let Some(run) = &run {
            state.runs.accept(run);
            if ends {
                state.runs.end(run);
            }
        }
        let item = Item {
            number,
            bytes,
            event,
            run,
        };
        state.lanes.put(item, in_order);
        let listening = state.stage == Stage::Listening;
        drop(state);
        if listening {
            self.wake.notify_one();
        }
        Ok(())
    }

    // === for the worker ===

    /// What tasks are to be started for; `None` at the end.
    pub(super) fn fresh(&self) -> Option<impl Iterator<Item = Work> + use<>> {
        let mut state = self.lock();
        (state.stage < Stage::Ended).then(|| state.lanes.fresh().into_iter())
    }

    pub(super) fn next(&self, run: &str) -> Option<Item> {
        self.lock().lanes.next(run)
    }

    pub(super) fn settle(&self, item: &Item, fate: Fate) {
        let mut state = self.lock();
        if !state.pending.remove(&item.number) {
            return; // given up before
        }
        state.bytes -= item.bytes;
        match fate {
            Fate::Delivered => state.delivered += 1,
            Fate::Skipped => state.skipped += 1,
            Fate::Lost(why) => state.lost[why as usize] += 1,
        }
        if let Some(run) = &item.run {
            state.runs.settle(run);
        }
        self.tell(state);
    }

    // === the stages ===

    pub(super) fn stage(&self) -> Stage {
        self.lock().stage
    }

    /// Goes on to a later stage; false if it is there already, or further.
    pub(super) fn enter(&self, stage: Stage) -> bool {
        let mut state = self.lock();
        let new = state.stage < stage;
        if new {
            state.stage = stage;
        }
        self.tell(state);
        self.wake.notify_one();
        new
    }

    /// Counts all that is left as lost, and says how much it was.
    pub(super) fn give_up(&self) -> u64 {
        let mut state = self.lock();
        let left = state.pending.len() as u64;
        state.lost[Loss::ShutdownTimeout as usize] += left;
        state.pending.clear();
        state.bytes = 0;
        state.lanes.clear();
        self.tell(state);
        left
    }

    fn tell(&self, state: MutexGuard<'_, State>) {
        let watchers = state.watchers;
        drop(state);
        if watchers > 0 {
            self.changed.notify_all();
        }
    }

    // === asking ===

    /// Waits until everything accepted before the call is settled, or nobody will any more, or the deadline.
    pub(super) fn drain(&self, deadline: Instant) -> DrainReport {
        let mut state = self.lock();
        let target = state.next_number;
        state.watchers += 1;
        while state.first_pending() < target
            && (Stage::Listening..Stage::Ended).contains(&state.stage)
        {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.watchers -= 1;
        let left = state.pending.range(..target).count() as u64;
        DrainReport {
            delivered: state.delivered,
            skipped: state.skipped,
            dropped: state.lost.iter().sum(),
            left,
            in_time: left == 0,
        }
    }

    pub(super) fn is_over(&self, run: &str) -> bool {
        self.lock().runs.is_over(run)
    }

    pub(super) fn tally(&self) -> Tally {
        let state = self.lock();
        let lost = Loss::ALL.into_iter().zip(state.lost);
        Tally {
            accepted: state.accepted,
            delivered: state.delivered,
            rejected: state.skipped,
            pending: state.pending.len() as u64,
            dropped: lost.filter(|(_, n)| *n > 0).collect::<BTreeMap<_, _>>(),
            ..Tally::default()
        }
    }
}

impl State {
    fn first_pending(&self) -> u64 {
        self.pending.first().copied().unwrap_or(u64::MAX)
    }
}

/// Ends the stage of listening when the worker's thread ends, however it does.
pub(super) struct Gone(pub(super) Arc<Queue>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.enter(Stage::Ended);
    }
}
