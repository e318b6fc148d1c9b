//! What the telemetry thread hands to the viewer's thread.
//!
//! Promise: bounded; handing over is one copy and one short lock; what does not fit is counted.
//! Never: waits for the viewer's thread.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::SpanId;

use crate::record::{Record, What};
use crate::stats::{Books, Loss, Tally};

/// Records that may wait at most, and their bytes. The other side takes them four times a second, or ten while somebody looks.
const RECORDS: usize = 32_768;
const BYTES: usize = 32 << 20;
/// How often spans that are open are looked for: what somebody who watches takes for at once.
const LOOK: Duration = Duration::from_millis(250);
/// Open spans that are remembered as shown. Beyond it a span is shown when it ends.
const OPEN: usize = 65_536;

/// What waits, between the two threads.
#[derive(Debug, Default)]
pub(super) struct Handover {
    waiting: Mutex<Waiting>,
    books: Books,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<Record>,
    bytes: usize,
}

impl Handover {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, record: Record) {
        let size = record.bytes();
        self.books.accept(1);
        let mut waiting = self.waiting();
        if waiting.records.len() < RECORDS && waiting.bytes + size <= BYTES {
            waiting.bytes += size;
            waiting.records.push(record);
        } else {
            drop(waiting);
            self.books.lose(Loss::QueueFull, 1);
        }
    }

    pub(super) fn take(&self) -> Vec<Record> {
        let records = std::mem::take(&mut *self.waiting()).records;
        self.books.deliver(records.len() as u64);
        records
    }

    /// Records that did not fit.
    pub(super) fn missed(&self) -> u64 {
        self.books.lost(Loss::QueueFull)
    }

    pub(super) fn tally(&self) -> Tally {
        self.books.read()
    }
}

/// The telemetry thread's side.
#[derive(Debug)]
pub(crate) struct Feed {
    handover: Arc<Handover>,
    open: HashSet<SpanId>,
    due: Instant,
}

impl Feed {
    pub(super) fn new(handover: Arc<Handover>) -> Self {
        Self {
            handover,
            open: HashSet::new(),
            due: Instant::now() + LOOK,
        }
    }

    /// A span that is open, as far as it is known.
    pub(crate) fn opened(&mut self, record: &Record) {
        if self.open.len() < OPEN && self.open.insert(record.id.span) {
            let mut copy = copied(record);
            copy.what = What::Started;
            self.handover.push(copy);
        }
    }

    /// A span that ended.
    pub(crate) fn ended(&mut self, record: &Record) {
        self.open.remove(&record.id.span);
        self.handover.push(copied(record));
    }

    /// Something that happened inside a span.
    pub(crate) fn moment(&mut self, record: &Record) {
        if record.id.span != SpanId::INVALID {
            self.handover.push(copied(record));
        }
    }

    /// Whether the span is shown as open.
    pub(crate) fn knows(&self, span: SpanId) -> bool {
        self.open.len() >= OPEN || self.open.contains(&span)
    }

    /// When open spans are to be looked for next.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    pub(crate) fn looked(&mut self, now: Instant) {
        self.due = now + LOOK;
    }
}

/// A copy without what only metrics read.
fn copied(record: &Record) -> Record {
    let mut copy = Record {
        events: record.events.clone(),
        event_fields: record.event_fields.clone(),
        dropped_events: record.dropped_events,
        links: record.links.clone(),
        ..Record::default()
    };
    copy.remember(record);
    copy.inside_inference = record.inside_inference;
    copy.nesting = record.nesting;
    copy.stood_in.clone_from(&record.stood_in);
    (copy.chunks.first, copy.chunks.count) = (record.chunks.first, record.chunks.count);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: u64) -> Record {
        let mut record = Record::default();
        record.id.span = SpanId::from(id);
        record
    }

    #[test]
    fn what_nobody_takes_is_bounded_and_counted() {
        let handover = Arc::<Handover>::default();
        let mut feed = Feed::new(Arc::clone(&handover));
        for id in 1..=RECORDS as u64 + 7 {
            feed.ended(&span(id));
        }
        assert_eq!(handover.take().len(), RECORDS);
        assert_eq!(handover.missed(), 7);
        feed.ended(&span(1));
        assert_eq!(handover.take().len(), 1);
    }

    #[test]
    fn a_span_is_shown_as_open_once() {
        let handover = Arc::<Handover>::default();
        let mut feed = Feed::new(Arc::clone(&handover));
        feed.opened(&span(1));
        feed.opened(&span(1));
        assert!(feed.knows(SpanId::from(1)));
        feed.ended(&span(1));
        assert!(!feed.knows(SpanId::from(1)));
        let whats: Vec<What> = handover.take().iter().map(|record| record.what).collect();
        assert_eq!(whats, [What::Started, What::Ended]);
    }
}
