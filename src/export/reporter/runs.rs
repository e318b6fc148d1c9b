//! Which run an event belongs to, and which runs are over.
//!
//! Promise: a run is over once the event that ends it was published and all its events are settled.
//! Never: remembers more than so many runs that are over.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::event::{Event, SpanId, Subject, TraceId};

/// Runs that are over and still known as such. A run's id is some 40 bytes, so this is half a megabyte.
pub(super) const REMEMBERED: usize = 4_096;

const RUN_ID: &str = "scenario.run.id";

/// The id of the run an event belongs to.
pub(super) fn run_of(event: &Event) -> Option<Arc<str>> {
    if let Some(id) = event.attr(RUN_ID) {
        return Some(id.to_string().into());
    }
    if event.cx.trace != TraceId::INVALID {
        return Some(event.cx.trace.to_string().into());
    }
    event.who.conversation_id.clone()
}

/// Whether its run ends with this event: the end of the scenario, or of the trace's root.
pub(super) fn ends_run(event: &Event) -> bool {
    event.phase.is_terminal()
        && if event.attr(RUN_ID).is_some() {
            event.flavor.as_str() == "scenario" && event.ty.subject() == Subject::WORKFLOW
        } else {
            event.cx.span != SpanId::INVALID && event.cx.parent_span == SpanId::INVALID
        }
}

/// Whether it is a piece of a stream, which need not wait for others.
pub(super) fn is_piece(event: &Event) -> bool {
    matches!(event.phase.as_str(), "chunk" | "thinking")
}

#[derive(Debug, Default)]
pub(super) struct Runs {
    open: HashMap<Arc<str>, Open>,
    over: HashSet<Arc<str>>,
    /// The same, the oldest first.
    order: VecDeque<Arc<str>>,
}

#[derive(Debug, Default)]
struct Open {
    pending: usize,
    ended: bool,
}

impl Runs {
    /// An event of the run waits.
    pub(super) fn accept(&mut self, run: &Arc<str>) {
        self.open.entry(Arc::clone(run)).or_default().pending += 1;
    }

    /// The event that ends the run was published.
    pub(super) fn end(&mut self, run: &Arc<str>) {
        match self.open.get_mut(run) {
            Some(open) => open.ended = true,
            None => self.remember(Arc::clone(run)),
        }
    }

    /// An event of the run is settled.
    pub(super) fn settle(&mut self, run: &Arc<str>) {
        let Some(open) = self.open.get_mut(run) else {
            return;
        };
        open.pending = open.pending.saturating_sub(1);
        if open.pending == 0 {
            let ended = open.ended;
            self.open.remove(run);
            if ended {
                self.remember(Arc::clone(run));
            }
        }
    }

    pub(super) fn is_over(&self, run: &str) -> bool {
        self.over.contains(run) && !self.open.contains_key(run)
    }

    fn remember(&mut self, run: Arc<str>) {
        if self.over.insert(Arc::clone(&run)) {
            self.order.push_back(run);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.over.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_over_when_it_was_ended_and_nothing_of_it_waits() {
        let mut runs = Runs::default();
        let run: Arc<str> = "r".into();
        runs.accept(&run);
        runs.end(&run);
        assert!(!runs.is_over("r"));
        runs.accept(&run);
        runs.settle(&run);
        assert!(!runs.is_over("r"));
        runs.settle(&run);
        assert!(runs.is_over("r"));
        // Something late opens it again, until it is settled.
        runs.accept(&run);
        assert!(!runs.is_over("r"));
        runs.settle(&run);
        assert!(runs.is_over("r"));
        assert!(!runs.is_over("never heard of"));
    }

    #[test]
    fn the_memory_of_runs_is_bounded() {
        let mut runs = Runs::default();
        for i in 0..REMEMBERED + 10 {
            let run: Arc<str> = i.to_string().into();
            runs.accept(&run);
            runs.end(&run);
            runs.settle(&run);
        }
        assert!(runs.open.is_empty());
        assert_eq!(
            (runs.over.len(), runs.order.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert!(!runs.is_over("0") && runs.is_over(&(REMEMBERED + 9).to_string()));
    }
}
