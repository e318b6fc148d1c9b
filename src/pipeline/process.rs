//! What happens to a record, in order: one spelling, hooks, cost and totals, then metrics, bus, console and exporters.
//!
//! Runs on the telemetry thread only, and is the only reader of records.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::SpanId;

use super::events::{self, Stamp};
use super::queue::Item;
use crate::bus::Bus;
use crate::console::Console;
use crate::enrich::builtin::{self, Prices};
use crate::enrich::{Hooks, RollUp, Verdict};
use crate::event::{EventData, Visibility};
use crate::export::Exports;
use crate::layer::instance::Instance;
use crate::layer::state::SpanState;
use crate::record::{Fields, Record, What};
use crate::stats::Loss;

/// Attributes that hooks gave to spans at their start, kept until the end. A span that never ends must not keep them for
/// ever, so beyond this many open spans the hook's attributes are on the started event only.
const HELD: usize = 65_536;

pub(crate) struct Processor {
    pub(crate) instance: Arc<Instance>,
    pub(crate) bus: Bus,
    pub(crate) hooks: Hooks,
    pub(crate) prices: Prices,
    pub(crate) console: Option<Console>,
    pub(crate) exports: Exports,
    totals: RollUp,
    held: HashMap<SpanId, Fields>,
    cursor: u64,
    /// A record to put in the place of the one that is worked on.
    empty: Option<Box<Record>>,
    /// States whose records have been read.
    spent: Vec<Arc<SpanState>>,
}

impl Processor {
    pub(crate) fn new(
        instance: Arc<Instance>,
        bus: Bus,
        hooks: Hooks,
        prices: Prices,
        console: Option<Console>,
        exports: Exports,
    ) -> Self {
        let (totals, held) = (RollUp::new(), HashMap::new());
        Self {
            instance,
            bus,
            hooks,
            prices,
            console,
            exports,
            totals,
            held,
            cursor: 0,
            empty: None,
            spent: Vec::new(),
        }
    }

    /// Works on one item and gives its memory back.
    pub(crate) fn item(&mut self, item: Item) {
        match item {
            Item::Ended(state) => {
                // The record changes places with an empty one, and its buffers serve the next: hooks run without the lock.
                let mut record = self.empty.take().unwrap_or_default();
                {
                    let mut inner = state.lock();
                    std::mem::swap(&mut *record, &mut inner.record);
                    record.id.clone_from(&inner.id);
                }
                self.ended(&mut record);
                record.clear();
                self.empty = Some(record);
                self.spent.push(state);
            }
            Item::Other(mut record) => match record.what {
                What::Moment => self.moment(&mut record),
                What::Started | What::Ended => self.started(&mut record),
            },
        }
    }

    /// Gives the states of the spans worked on back for reuse.
    pub(crate) fn give_back(&mut self) {
        for state in self.spent.drain(..) {
            self.instance.open.recycle(state);
        }
    }

    fn started(&mut self, record: &mut Record) {
        let limits = self.instance.limits;
        builtin::normalise(record, &limits);
        if !self.hooks.is_empty() {
            let before = record.fields.clone();
            self.hooks.before_span(record, &limits);
            let added = record.fields.difference(&before);
            if !added.is_empty() && self.held.len() < HELD {
                self.held.insert(record.id.span, added);
            }
        }
        self.publish(record);
    }

    fn moment(&mut self, record: &mut Record) {
        builtin::fill_scope(record, &self.instance.limits);
        self.publish(record);
        if !record.moment.as_ref().is_some_and(|m| m.bus_only) {
            self.exports.log(record);
        }
    }

    fn ended(&mut self, record: &mut Record) {
        let limits = self.instance.limits;
        self.instance.parts.lose(Loss::SpanLimits, record.dropped());
        if let Some(held) = self.held.remove(&record.id.span) {
            record.fields.fill_from(&held, &limits);
        }
        builtin::normalise(record, &limits);
        builtin::mark_interrupted(record, &limits);
        self.hooks.after_span(record, &limits);
        let cost = if builtin::is_inference(record) {
            let instance = &self.instance;
            builtin::price(
                record,
                &self.prices,
                &instance.clock,
                &instance.parts,
                &limits,
            )
        } else {
            None
        };
        builtin::roll_up(record, cost, &mut self.totals, &limits);
        self.exports.measured(record);
        self.publish(record);
        if record.id.sampled {
            self.exports.span(record);
            if builtin::is_inference(record) && events::failed(record) {
                self.exports.log(record);
            }
        }
    }

    /// Hands the record's event to whoever wants it; building it costs nothing when nobody does.
    fn publish(&mut self, record: &Record) {
        let wanted = self.console.is_some() || !self.hooks.is_empty() || self.bus.has_interest();
        if !wanted {
            return;
        }
        self.cursor += 1;
        let stamp = Stamp {
            cursor: self.cursor,
            id: self.instance.event_id(),
        };
        let Some(mut data) = events::event(record, &self.instance.clock, &stamp) else {
            self.pass_by(record);
            return;
        };
        if record.what != What::Moment
            && self.judge(&mut data, record.what == What::Started) == Verdict::Drop
        {
            return;
        }
        let event = events::publishable(data);
        // Internal events are for the console to hide: what lies below them still finds its place.
        if let Some(console) = &mut self.console {
            console.on_event(&event);
        }
        self.bus.publish_at_depth(event, record.depth);
    }

    /// A plain span has no events, but what lies below it has to find its place in the console's tree.
    fn pass_by(&mut self, record: &Record) {
        let Some(console) = &mut self.console else {
            return;
        };
        let cx = events::causality(record);
        match record.what {
            What::Started => console.on_plain_started(&cx, events::started_event(record)),
            What::Ended => console.on_plain_ended(&cx),
            What::Moment => {}
        }
    }

    fn judge(&mut self, data: &mut EventData, started: bool) -> Verdict {
        let verdict = self.hooks.on_event(data, started);
        if verdict == Verdict::Hide {
            data.visibility = Visibility::Internal;
        }
        verdict
    }

    /// What is due by the clock; says when it wants to be called next.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        let clock = &self.instance.clock;
        let drawn = self
            .console
            .as_mut()
            .filter(|console| console.wants_tick())
            .map(|console| {
                console.tick(clock.system_time(clock.now()));
                now + Console::INTERVAL
            });
        let sent = self.exports.tick(now);
        [drawn, sent].into_iter().flatten().min()
    }
}
