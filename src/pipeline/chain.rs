//! Which event came before which in one execution.
//!
//! Promise: bounded; the trace that was quiet for longest is forgotten first, and its next event has no predecessor.

use std::collections::{HashMap, VecDeque};

use opentelemetry::TraceId;

use crate::event::EventId;

/// Traces remembered at most: a busy server's open requests, at 40 bytes each.
const TRACES: usize = 4096;

/// The last event of each trace.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    last: HashMap<TraceId, EventId>,
    /// Traces in the order of their first event. Those that ended stay in it until they come up.
    order: VecDeque<TraceId>,
}

impl Chain {
    /// Adds an event of `trace` and says which one came before it.
    pub(crate) fn follow(&mut self, trace: TraceId, event: EventId) -> Option<EventId> {
        if trace == TraceId::INVALID {
            return None;
        }
        let before = self.last.insert(trace, event);
        if before.is_none() {
            self.order.push_back(trace);
            while self.last.len() > TRACES || self.order.len() > 2 * TRACES {
                let Some(oldest) = self.order.pop_front() else {
                    break;
                };
                if oldest != trace {
                    self.last.remove(&oldest);
                }
            }
        }
        before
    }

    /// The trace's root has ended: what comes of it later begins anew.
    pub(crate) fn end(&mut self, trace: TraceId) {
        self.last.remove(&trace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> EventId {
        EventId::from_u128(n)
    }

    #[test]
    fn events_of_a_trace_are_chained_and_traces_forgotten_in_their_order() {
        let mut chain = Chain::default();
        let one = TraceId::from(1);
        assert_eq!(chain.follow(one, id(1)), None);
        assert_eq!(chain.follow(TraceId::from(2), id(2)), None);
        assert_eq!(chain.follow(one, id(3)), Some(id(1)));
        assert_eq!(chain.follow(TraceId::INVALID, id(4)), None);
        chain.end(one);
        assert_eq!(chain.follow(one, id(5)), None);
        for n in 0..3 * TRACES as u128 {
            chain.follow(TraceId::from(100 + n), id(n));
        }
        assert_eq!(chain.follow(one, id(6)), None);
        assert!(chain.last.len() <= TRACES && chain.order.len() <= 2 * TRACES);
    }
}
