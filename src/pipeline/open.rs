//! Spans that are open for a while, as they would be exported if the process died now.
//!
//! Runs on the telemetry thread, a few times a second and only with a spool. Promise: what is kept has gone through the same
//! spelling and the same redaction as what is exported. Never: changes an open span.

use std::time::Instant;

use super::process::Processor;
use crate::enrich::builtin;
use crate::layer::state::SpanState;
use crate::record::{Outcome, Record};

impl Processor {
    /// Tells the spool of spans that opened since the last look; says when the next one is due, `None` without a spool.
    pub(super) fn keep_open_spans(&mut self, now: Instant) -> Option<Instant> {
        let open = self.exports.open_spans()?;
        if open.begin(now) {
            for state in self.instance.open.all() {
                if let Some(mut record) = self.unkept(&state) {
                    self.as_interrupted(&mut record);
                    if let Some(open) = self.exports.open_spans() {
                        open.note(&record);
                    }
                }
            }
            self.exports.open_spans()?.looked();
        }
        Some(self.exports.open_spans()?.due())
    }

    /// A copy of the span's record, if the spool does not have it yet and would get it at its end.
    fn unkept(&mut self, state: &SpanState) -> Option<Record> {
        let open = self.exports.open_spans()?;
        let inner = state.lock();
        let id = &inner.id;
        if inner.ended || !id.is_fixed() || !id.sampled || open.knows(id.span) {
            return None;
        }
        let mut record = inner.record.clone();
        record.id.clone_from(id);
        Some(record)
    }

    fn as_interrupted(&mut self, record: &mut Record) {
        let limits = self.instance.limits;
        record.outcome = Outcome::Interrupted;
        record.end = self.instance.clock.now();
        if let Some(held) = self.held(record.id.span) {
            record.fields.fill_from(held, &limits);
        }
        builtin::normalise(record, self.instance.allowed(), &limits);
        builtin::mark_interrupted(record, &limits);
        self.settle(record);
    }
}
