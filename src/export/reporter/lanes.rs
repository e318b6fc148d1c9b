//! What waits, in which order: one lane a run, and what needs no lane.
//!
//! Promise: of one lane, one event at a time is out, in the order they came in.
//! Never: counts or decides anything.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::event::Event;

/// An event that waits.
#[derive(Debug)]
pub(super) struct Item {
    /// Its number in this queue.
    pub(super) number: u64,
    pub(super) bytes: usize,
    pub(super) event: Event,
    pub(super) run: Option<Arc<str>>,
}

/// What a task of the worker is for.
#[derive(Debug)]
pub(super) enum Work {
    /// The events of this run, one after another, until there are none.
    Run(Arc<str>),
    /// One event.
    One(Box<Item>),
}

#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// A run that is in here has its task, or is about to get one.
    runs: HashMap<Arc<str>, VecDeque<Item>>,
    fresh: VecDeque<Work>,
}

impl Lanes {
    /// Puts an event in; `in_order` says whether it waits for those of its run.
    pub(super) fn put(&mut self, item: Item, in_order: bool) {
        let Some(run) = item.run.clone().filter(|_| in_order) else {
            self.fresh.push_back(Work::One(Box::new(item)));
            return;
        };
        match self.runs.get_mut(&run) {
            Some(lane) => lane.push_back(item),
            None => {
                self.runs.insert(Arc::clone(&run), VecDeque::from([item]));
                self.fresh.push_back(Work::Run(run));
            }
        }
    }

    /// What tasks are to be started for.
    pub(super) fn fresh(&mut self) -> VecDeque<Work> {
        std::mem::take(&mut self.fresh)
    }

    /// The next event of a run; without one the run's task ends.
    pub(super) fn next(&mut self, run: &str) -> Option<Item> {
        let item = self.runs.get_mut(run)?.pop_front();
        if item.is_none() {
            self.runs.remove(run);
        }
        item
    }

    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.fresh.clear();
    }
}
