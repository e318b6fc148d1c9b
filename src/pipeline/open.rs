//! Spans that are open for a while: kept for the case that the process dies, and shown.
//!
//! Runs on the telemetry thread, a few times a second and only with a spool or a viewer. Promise: what is kept or shown has gone through
//! the same spelling and the same redaction as what is exported. Never: changes an open span.
#![cfg_attr(
    not(any(feature = "otlp", feature = "viewer")),
    allow(unused_variables, clippy::unused_self, reason = "nobody looks")
)]

use std::time::Instant;

#[cfg(feature = "viewer")]
use super::foreign;
use super::process::Processor;
#[cfg(feature = "viewer")]
use crate::event::EventData;
#[cfg(feature = "otlp")]
use crate::record::Outcome;
#[cfg(any(feature = "otlp", feature = "viewer"))]
use crate::{enrich::builtin, layer::state::SpanState, record::Record};

impl Processor {
    /// Looks at spans that opened since the last look; says when the next one is due, `None` where nobody wants to know.
    pub(super) fn look_at_open_spans(&mut self, now: Instant) -> Option<Instant> {
        #[cfg(feature = "otlp")]
        let kept = self.keep_open_spans(now);
        #[cfg(not(feature = "otlp"))]
        let kept = None;
        #[cfg(feature = "viewer")]
        let shown = self.show_open_spans(now);
        #[cfg(not(feature = "viewer"))]
        let shown = None;
        [kept, shown].into_iter().flatten().min()
    }

    /// Tells the spool.
    #[cfg(feature = "otlp")]
    fn keep_open_spans(&mut self, now: Instant) -> Option<Instant> {
        let open = self.exports.open_spans()?;
        if open.begin(now) {
            for state in self.instance.open.all() {
                let open = self.exports.open_spans()?;
                // It would get the span at its end only if that is sampled.
                let unkept = |record: &Record| record.id.sampled && !open.knows(record.id.span);
                if let Some(mut record) = copy_if(&state, unkept) {
                    record.outcome = Outcome::Interrupted;
                    record.end = self.instance.clock.now();
                    builtin::mark_interrupted(&mut record, &self.instance.limits);
                    self.as_of_now(&mut record);
                    if let Some(open) = self.exports.open_spans() {
                        open.note(&record);
                    }
                }
            }
            self.exports.open_spans()?.looked();
        }
        Some(self.exports.open_spans()?.due())
    }

    /// Tells the viewer.
    #[cfg(feature = "viewer")]
    fn show_open_spans(&mut self, now: Instant) -> Option<Instant> {
        // Where there are hooks, every start is told, and what they take out or add is on it.
        if self.hooks.is_empty() && self.exports.viewer.as_ref()?.due() <= now {
            for state in self.instance.open.all() {
                let viewer = self.exports.viewer.as_ref()?;
                if let Some(mut record) = copy_if(&state, |record| !viewer.knows(record.id.span)) {
                    self.as_of_now(&mut record);
                    self.show_opened(&mut record);
                }
            }
            self.exports.viewer.as_mut()?.looked(now);
        }
        let due = self.exports.viewer.as_ref()?.due();
        self.hooks.is_empty().then_some(due)
    }

    /// Tells the viewer of a span that another system began.
    #[cfg(feature = "viewer")]
    pub(super) fn show_foreign(&mut self, start: &EventData) {
        if self.exports.viewer.is_none() {
            return;
        }
        let (clock, limits) = (&self.instance.clock, &self.instance.limits);
        let mut record = foreign::span(Some(start), None, start.time, clock, limits);
        self.as_of_now(&mut record);
        self.show_opened(&mut record);
    }

    #[cfg(any(feature = "otlp", feature = "viewer"))]
    fn as_of_now(&mut self, record: &mut Record) {
        let limits = self.instance.limits;
        if let Some(held) = self.held(record.id.span) {
            record.fields.fill_from(held, &limits);
        }
        builtin::normalise(record, self.instance.allowed(), &limits);
        self.settle(record);
        // Nothing is told of it.
        self.forget_before();
    }
}

/// A copy of an open span's record, if it is `wanted`; of which only the identity is known then.
#[cfg(any(feature = "otlp", feature = "viewer"))]
fn copy_if(state: &SpanState, wanted: impl Fn(&Record) -> bool) -> Option<Record> {
    let inner = state.lock();
    if inner.ended || !inner.id.is_fixed() {
        return None;
    }
    let mut record = Record::default();
    record.id.clone_from(&inner.id);
    if !wanted(&record) {
        return None;
    }
    record = inner.record.clone();
    record.id.clone_from(&inner.id);
    Some(record)
}
