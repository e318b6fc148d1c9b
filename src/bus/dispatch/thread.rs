//! The thread: one event at a time, level by level.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    thread,
};

use super::{
    Dispatcher, Fate,
    awaiting::Awaiting,
    queue::Item,
    workers::{Job, Workers},
};
use crate::{
    bus::{
        failures::contain,
        handler::Call,
        here,
        registry::{HandlerSet, Plans},
    },
    event::Event,
};

/// The name of the thread, as debuggers and panic messages show it.
const THREAD: &str = "tracing-genai-bus";

/// Starts the thread of a dispatcher; whether the system gave one.
pub(super) fn start(dispatcher: &Arc<Dispatcher>) -> bool {
    let runner = Runner {
        dispatcher: Arc::clone(dispatcher),
        set: Arc::default(),
        plans: Plans::default(),
        fates: Vec::new(),
        at_once: Vec::new(),
        awaited: Vec::new(),
        workers: Workers::new(dispatcher),
        awaiting: Awaiting::default(),
    };
    thread::Builder::new()
        .name(THREAD.into())
        .spawn(move || runner.run())
        .is_ok()
}

pub(super) struct Runner {
    dispatcher: Arc<Dispatcher>,
    set: Arc<HandlerSet>,
    plans: Plans,
    /// By place in the set, for the event at hand.
    fates: Vec<Fate>,
    /// Those of a level that are called at the same time, and those that are awaited together.
    at_once: Vec<usize>,
    awaited: Vec<usize>,
    workers: Workers,
    awaiting: Awaiting,
}

impl Runner {
    fn run(mut self) {
        let mut batch = VecDeque::new();
        while self.dispatcher.queue.take(&mut batch) {
            for item in batch.drain(..) {
                contain(|| self.item(item));
            }
        }
        contain(|| drop((batch, self)));
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Handlers(set) => {
                self.plans.clear();
                self.set = set;
            }
            Item::Event(event, depth) => {
                if self.dispatcher.queue.begin() {
                    let here = here::handling(depth, &self.dispatcher);
                    let complete = contain(|| self.handle(&event, depth));
                    drop(here);
                    drop(event);
                    self.dispatcher.queue.done(complete.unwrap_or(true));
                }
            }
        }
    }

    /// Takes an event through the levels; false if the bus was closed before it was through.
    fn handle(&mut self, event: &Event, depth: u8) -> bool {
        let plan = self.plans.of(&self.set, &event.ty);
        self.fates.clear();
        self.fates.resize(self.set.len(), Fate::NotCalled);
        plan.iter().all(|level| self.level(level, event, depth))
    }

    fn level(&mut self, level: &[usize], event: &Event, depth: u8) -> bool {
        self.at_once.clear();
        self.awaited.clear();
        for place in level {
            if self.is_due(*place, event) {
                match self.set.member(*place).callee.call {
                    Call::Sync(_) => self.at_once.push(*place),
                    Call::Async(_) => self.awaited.push(*place),
                }
            }
        }
        // One alone is called right here, and those that are awaited never leave this thread.
        if let ([place], []) = (&*self.at_once, &*self.awaited) {
            let callee = &self.set.member(*place).callee;
            self.fates[*place] = self.dispatcher.call(callee, event);
            return true;
        }
        let jobs = self.at_once.iter().map(|place| Job {
            place: *place,
            callee: Arc::clone(&self.set.member(*place).callee),
            event: event.clone(),
            depth,
        });
        let (mut complete, fates) = (true, &mut self.fates);
        self.workers.begin(jobs, self.awaited.is_empty());
        if !self.awaited.is_empty() {
            let callees = self.awaited.iter().map(|place| {
                let callee = &*self.set.member(*place).callee;
                (*place, callee)
            });
            complete = self
                .awaiting
                .all(&self.dispatcher, callees, event, |place, fate| {
                    fates[place] = fate;
                });
        }
        self.workers.finish(|place, fate| fates[place] = fate);
        complete
    }

    /// Whether a handler is to be called. One that needs another that failed is skipped.
    fn is_due(&mut self, place: usize, event: &Event) -> bool {
        let member = self.set.member(place);
        if !member.callee.is_due(event, &self.dispatcher.failures) {
            return false;
        }
        let is_missed = |fate| matches!(fate, Fate::Failed | Fate::Skipped);
        let skipped = member
            .edges
            .iter()
            .any(|edge| edge.only_if_ok && is_missed(self.fates[edge.other]));
        if skipped {
            self.fates[place] = Fate::Skipped;
            self.dispatcher.skipped.fetch_add(1, Ordering::Relaxed);
        }
        !skipped
    }
}
