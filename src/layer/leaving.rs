//! What leaves the application's thread: starts, moments, and each span's one end.
//!
//! Promise: a record is pushed once and counted, delivered or lost; what a span's context holds is dropped without our lock.
//! Never: waits for room in the queue, beyond what the queue itself is told to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::entered;
use super::instance::Instance;
use super::scope;
use super::state::{Inner, SpanState};
use crate::bus::Bus;
use crate::clock::Nanos;
use crate::diagnostics;
use crate::event::EventData;
use crate::pipeline::queue::Item;
use crate::record::{Fields, Moment, Outcome, What};
use crate::semconv;
use crate::stats::Loss;

/// What the pieces of a streamed answer repeat of their call.
const CHUNK_OF: [&str; 3] = [
    semconv::GEN_AI_REQUEST_MODEL,
    semconv::GEN_AI_RESPONSE_MODEL,
    semconv::GEN_AI_RESPONSE_ID,
];

impl Instance {
    /// Tells of the start, as far as somebody wants it: once the subject is known, and not of a call inside a call.
    pub(super) fn push_started(&self, inner: &mut Inner) {
        let subject = inner
            .record
            .subject
            .filter(|_| !inner.record.nesting.is_inner());
        let late = inner.start_pushed;
        // The start of a plain span is no event, but hooks are called for it, and the console places it.
        if subject.is_none() && (late || !self.starts_wanted) {
            return;
        }
        inner.record.told = subject;
        inner.start_pushed = true;
        let from = &inner.record;
        let mut record = self.spare.take();
        record.what = What::Started;
        record.late = late;
        record.site = from.site;
        record.genai = inner.genai;
        record.id = inner.id.clone();
        record.meta = from.meta;
        record.subject = subject;
        record.around = from.around;
        record.inherited.clone_from(&from.inherited);
        record.start = from.start;
        record.fields.copy_from(&from.fields);
        (record.seq, record.depth) = (entered::next_sequence(), Bus::depth());
        self.push(Item::Other(record));
    }

    /// Emits a moment in `state`, or outside any span.
    pub(crate) fn push_moment(
        &self,
        state: Option<&Arc<SpanState>>,
        moment: Moment,
        fields: &Fields,
    ) {
        if self.is_on() {
            self.tell_moment(state, moment, fields);
        }
    }

    /// Emits a moment about the installation itself, which is told whether it records or not.
    pub(crate) fn push_own_moment(&self, moment: Moment, fields: &Fields) {
        self.tell_moment(None, moment, fields);
    }

    fn tell_moment(&self, state: Option<&Arc<SpanState>>, moment: Moment, fields: &Fields) {
        let mut record = self.spare.take();
        record.what = What::Moment;
        record.start = self.clock.now();
        record.end = record.start;
        record.fields.copy_from(fields);
        if let Some(state) = state {
            let inner = self.identified(state);
            record.id = inner.id.clone();
            let of = &inner.record;
            record.subject = of.subject;
            record.meta = of.meta;
            record.inherited.clone_from(&of.inherited);
            if moment.bus_only {
                // Who reads the pieces of several answers at once tells them apart by these.
                for name in CHUNK_OF {
                    if let Some(value) = of.fields.str(name) {
                        record.fields.set_str(name, value, &self.limits);
                    }
                }
            }
        }
        let _ = scope::inherit(&mut record.inherited);
        (record.seq, record.depth) = (entered::next_sequence(), Bus::depth());
        record.moment = Some(moment);
        self.push(Item::Other(record));
    }

    /// An event of another system.
    pub(crate) fn push_foreign(&self, data: EventData) {
        if self.is_on() {
            self.push(Item::Foreign(Box::new(data)));
        }
    }

    /// Ends a span. The first call wins; the others do nothing.
    pub(crate) fn end(&self, state: &Arc<SpanState>, outcome: Outcome, at: Option<Nanos>) {
        if let Some(bytes) = self.finish(state, outcome, at) {
            self.push_sized(Item::Ended(Arc::clone(state)), bytes);
        }
    }

    /// Ends a span that its subscriber has closed, as `end` does.
    pub(crate) fn close(&self, state: Arc<SpanState>, at: Option<Nanos>) {
        if let Some(bytes) = self.finish(&state, Outcome::Closed, at) {
            self.push_sized(Item::Ended(state), bytes);
        }
    }

    /// Completes the record and says how many bytes it holds, unless it was complete before.
    fn finish(&self, state: &SpanState, outcome: Outcome, at: Option<Nanos>) -> Option<usize> {
        let mut guard = self.identified(state);
        let inner = &mut *guard;
        if std::mem::replace(&mut inner.ended, true) {
            return None;
        }
        let failed = outcome == Outcome::Completed && inner.call_failed;
        if outcome != Outcome::Closed && !failed {
            inner.record.outcome = outcome;
        }
        self.settle(inner);
        let record = &mut inner.record;
        record.genai = inner.genai;
        record.end = at.unwrap_or_else(|| self.clock.now()).max(record.start);
        (record.seq, record.depth) = (entered::next_sequence(), Bus::depth());
        let bytes = record.bytes();
        let context = inner.context.take();
        drop(guard);
        // Whatever else the context holds is dropped without our lock.
        drop(context);
        Some(bytes)
    }

    fn push(&self, item: Item) {
        let bytes = item.bytes();
        self.push_sized(item, bytes);
    }

    fn push_sized(&self, item: Item, bytes: usize) {
        self.books.accept(1);
        if let Err((why, item)) = self.queue.push(item, bytes) {
            self.books.lose(why, 1);
            if why == Loss::AfterShutdown && !self.told_late.swap(true, Ordering::Relaxed) {
                diagnostics::say_once(
                    "after shutdown",
                    format_args!("what is recorded after the shutdown is counted and not kept"),
                );
            }
            if let Item::Ended(state) = item {
                self.open.recycle(state);
            }
        }
    }

    /// Ends everything that is still open, the innermost first, as interrupted.
    pub(crate) fn end_open_spans(&self) {
        let mut open = self.open.all();
        // A child begins after its parent: the youngest first is children first.
        open.sort_by_key(|state| std::cmp::Reverse(state.lock().record.start));
        for state in open {
            self.end(&state, Outcome::Interrupted, None);
        }
    }
}
