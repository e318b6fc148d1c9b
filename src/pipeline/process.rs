//! What happens to a record, in order: one spelling, hooks, cost and totals, then metrics, bus, console and exporters.
//!
//! Runs on the telemetry thread only, and is the only reader of records.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::SpanId;

use super::chain::Chain;
use super::channels::DeclaredChannels;
use super::findings::Findings;
use super::foreign::{self, Foreign, Origin, Placed};
use super::names::span_name;
use super::queue::Item;
use super::recent::Recent;
use super::window::Window;
use super::{Rules, events, grave};
use crate::budget::Meter;
use crate::bus::Bus;
use crate::console::Console;
use crate::content::{STRUCTURED, Stage};
use crate::enrich::builtin::{self, Prices};
use crate::enrich::nested::Nested;
use crate::enrich::{CostOutcome, UnknownCost, usage};
use crate::enrich::{Hooks, RollUp, Verdict};
use crate::event::{Event, EventData, EventType, Level, Phase, Visibility};
use crate::export::Exports;
use crate::layer::instance::Instance;
use crate::layer::spare::Records;
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
    nested: Nested,
    held: HashMap<SpanId, Fields>,
    foreign: Foreign,
    chain: Chain,
    window: Option<Window>,
    /// The history that is kept without being asked for.
    recent: Option<Arc<Recent>>,
    channels: Option<DeclaredChannels>,
    budgets: Meter,
    stage: Stage,
    raw: Option<Bus>,
    /// The event of the record at hand as it was before the stage, for those who see such.
    before: Option<EventData>,
    findings: Findings,
    /// A record to put in the place of the one that is worked on.
    empty: Option<Box<Record>>,
    /// States whose records have been read.
    spent: Vec<Arc<SpanState>>,
    /// Records of starts and moments that have been read.
    used: Records,
}

impl Processor {
    pub(crate) fn new(
        instance: Arc<Instance>,
        bus: Bus,
        hooks: Hooks,
        prices: Prices,
        console: Option<Console>,
        exports: Exports,
        rules: Rules,
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
            nested: Nested::default(),
            held,
            foreign: Foreign::default(),
            chain: Chain::default(),
            window: rules.dedupe.map(Window::new),
            recent: rules.recent,
            channels: rules.channels,
            budgets: rules.budgets,
            stage: rules.stage,
            raw: rules.raw,
            before: None,
            findings: Findings::default(),
            empty: None,
            spent: Vec::new(),
            used: Vec::new(),
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
                let told = self.ended(&mut record);
                self.put_away(&mut record, told);
                self.empty = Some(record);
                self.spent.push(state);
            }
            Item::Other(mut record) => {
                let told = match record.what {
                    What::Moment => self.moment(&mut record),
                    What::Started | What::Ended => {
                        self.started(&mut record);
                        true
                    }
                };
                self.put_away(&mut record, told);
                self.used.push(record);
            }
            Item::Foreign(data) => self.foreign(*data, Origin::Document, 0),
        }
    }

    /// What hooks gave to an open span at its start.
    #[cfg(any(feature = "otlp", feature = "viewer"))]
    pub(super) fn held(&self, span: SpanId) -> Option<&Fields> {
        self.held.get(&span)
    }

    /// Remembers a record that no event was made of for the history, and empties it.
    fn put_away(&self, record: &mut Record, told: bool) {
        if let Some(recent) = self.recent.as_ref().filter(|_| !told) {
            recent.keep(record);
        }
        record.clear();
    }

    /// Hands everything collected so far to the senders. The answer resolves when it is settled, and content is stored; to `false` if
    /// `deadline` came first.
    pub(crate) fn settle_all(
        &mut self,
        deadline: Instant,
    ) -> impl Future<Output = bool> + Send + 'static + use<> {
        let (sent, stored) = (self.exports.settle(deadline), self.stage.stored());
        async move {
            let sent = sent.await;
            let stored = tokio::time::timeout_at(deadline.into(), stored).await;
            sent && stored.is_ok()
        }
    }

    /// Gives the states of the spans worked on back for reuse.
    pub(crate) fn give_back(&mut self) {
        for state in self.spent.drain(..) {
            self.instance.open.recycle(state);
        }
        self.instance.spare.give(&mut self.used);
    }

    fn started(&mut self, record: &mut Record) {
        let limits = self.instance.limits;
        builtin::normalise(record, self.instance.allowed(), &limits);
        if !self.hooks.is_empty() {
            let before = record.fields.clone();
            self.hooks.before_span(record, record.late, &limits);
            let added = record.fields.difference(&before);
            if !added.is_empty() && self.held.len() < HELD {
                self.held.insert(record.id.span, added);
            }
        }
        self.settle(record);
        self.show_opened(record);
        self.publish(record);
    }

    /// Whether an event was made of it.
    fn moment(&mut self, record: &mut Record) -> bool {
        builtin::fill_scope(record, &self.instance.limits);
        if let Some(policy) = &self.instance.security {
            let kept = self.instance.chunk_text;
            self.findings.piece(policy, record, kept);
            let mut span = record.moment_in("", record.end);
            self.tell_findings(&mut span);
        }
        self.settle(record);
        let Some(moment) = &mut record.moment else {
            return true;
        };
        let ty = moment.resolve();
        if !ty.phase().is_moment() && ty.subject().has_span() {
            // A start or an end that was emitted by name, without a span of its own.
            if let Some(data) = self.event(record) {
                self.foreign(data, Origin::Here, record.depth);
            }
            return true;
        }
        let graver = grave::level(ty, Level::Trace, &record.fields);
        moment.level = moment.level.max(Some(graver));
        let bus_only = moment.bus_only;
        self.exports.measured(record);
        if self.is_filtered(record) {
            self.instance.levels.count();
            return true;
        }
        let told = if self.window.is_some() && !bus_only {
            let Some(data) = self.event(record) else {
                return true;
            };
            if self.repeats(&data) {
                return true;
            }
            self.deliver(data, record.depth);
            true
        } else {
            self.publish(record)
        };
        if !bus_only {
            self.exports.log(record);
        }
        told
    }

    fn repeats(&mut self, data: &EventData) -> bool {
        let repeats = self.window.as_mut().is_some_and(|seen| seen.repeats(data));
        if repeats {
            self.instance.parts.lose(Loss::Duplicate, 1);
        }
        repeats
    }

    /// Whether an event was made of it, or none is to be made.
    fn ended(&mut self, record: &mut Record) -> bool {
        let limits = self.instance.limits;
        self.instance.parts.lose(Loss::SpanLimits, record.dropped());
        if let Some(held) = self.held.remove(&record.id.span) {
            record.fields.fill_from(&held, &limits);
        }
        self.enrich(record);
        if record.id.started_event != 0 && record.told.is_none() && record.subject.is_some() {
            // A call inside one that ended first: its start was kept back.
            let start = record.as_started();
            self.before = None;
            self.publish(&start);
        }
        self.tell_findings(record);
        let told = self.publish(record);
        self.export(record);
        self.tell_budgets(record);
        told || record.subject.is_none()
    }

    /// Tells what was found in the texts of a record, before it is told itself.
    fn tell_findings(&mut self, record: &mut Record) {
        if self.findings.is_empty() {
            return;
        }
        let before = self.before.take();
        for mut moment in self.findings.moments(record, &self.instance) {
            let told = self.moment(&mut moment);
            self.put_away(&mut moment, told);
        }
        self.before = before;
    }

    /// Tells what the call that was just told means to those who have a budget.
    fn tell_budgets(&mut self, call: &Record) {
        for mut record in self.budgets.moments(call, &self.instance.clock) {
            let told = self.moment(&mut record);
            self.put_away(&mut record, told);
        }
    }

    /// What is worked out at the end of a span, and measured.
    fn enrich(&mut self, record: &mut Record) {
        let instance = Arc::clone(&self.instance);
        let (parts, limits) = (&instance.parts, instance.limits);
        builtin::normalise(record, instance.allowed(), &limits);
        builtin::mark_interrupted(record, &limits);
        let call = builtin::is_inference(record);
        let contradicted = call && usage::drop_contradictions(record);
        if call {
            Nested::place(record, &self.totals);
        }
        let inside = if call {
            self.nested.complete(record, &limits)
        } else {
            None
        };
        self.hooks.after_span(record, &limits);
        let outcome = builtin::is_inference(record).then(|| {
            usage::mark_unknown(record, contradicted, &limits);
            let contradiction = CostOutcome::Unknown(UnknownCost::InconsistentUsage);
            let settled = inside.or_else(|| contradicted.then_some(contradiction));
            builtin::price(
                record,
                settled,
                &self.prices,
                &instance.clock,
                parts,
                &limits,
            )
        });
        let cost = outcome
            .as_ref()
            .and_then(CostOutcome::cost)
            .map(|cost| cost.total);
        builtin::roll_up(record, cost, &mut self.totals, &limits);
        self.budgets.ended(record, cost);
        if let Some(policy) = &instance.security {
            self.findings.inspect(policy, record);
        }
        self.settle(record);
        self.exports.measured(record);
        if record.inside_inference {
            self.nested
                .fold(record, outcome, &self.totals, parts, &limits);
        }
    }

    /// The last thing that happens to a record before anybody reads it: content and secrets.
    pub(super) fn settle(&mut self, record: &mut Record) {
        self.before = None;
        if self.raw.as_ref().is_some_and(Bus::has_interest) {
            if let Some(moment) = &mut record.moment {
                moment.resolve();
            }
            self.before = self.unsettled(record);
        }
        self.stage.settle(record);
    }

    /// Shows a span that began, or was found open.
    pub(super) fn show_opened(&mut self, record: &mut Record) {
        #[cfg(feature = "viewer")]
        if self.exports.viewer.is_some() {
            self.stage.redact_agent(record);
        }
        self.exports.opened(record);
    }

    /// What was settled is no event.
    #[cfg(any(feature = "otlp", feature = "viewer"))]
    pub(super) fn forget_before(&mut self) {
        self.before = None;
    }

    fn export(&mut self, record: &mut Record) {
        #[cfg(feature = "viewer")]
        if self.exports.viewer.is_some() {
            self.stage.redact_agent(record);
        }
        self.exports.ended(record);
        if !record.id.sampled {
            return;
        }
        let inference = builtin::is_inference(record);
        let rules = self.stage.rules();
        let (details, on_span) = (inference && rules.details, rules.carrier.has_span());
        if details {
            record.details = true;
            self.exports.log(record);
            record.details = false;
        }
        if inference && !on_span {
            for name in STRUCTURED {
                record.remove(name);
            }
        }
        self.exports.span(record);
        if inference && events::failed(record) && !self.is_filtered(record) {
            self.exports.log(record);
        }
    }

    // === events without a span of `tracing` ===

    /// An event of another system, or one of ours that names a start or an end.
    fn foreign(&mut self, mut data: EventData, origin: Origin, depth: u8) {
        self.stage.settle_event(&mut data);
        if !data.phase.is_moment() && (origin == Origin::Here || data.name.is_empty()) {
            let name = data.ty.subject().span_name(&data.attrs);
            data.name = Arc::from(name.as_deref().unwrap_or_default());
        }
        let instance = Arc::clone(&self.instance);
        match self.foreign.place(&mut data, origin, &*instance.ids) {
            Placed::Started => {
                #[cfg(feature = "viewer")]
                self.show_foreign(&data);
                self.deliver(data, depth);
                if let Some(start) = self.foreign.excess() {
                    self.end_foreign(Some(start), None, depth);
                }
            }
            Placed::Ended(start) => self.end_foreign(start.map(|start| *start), Some(data), depth),
            Placed::Moment => {
                if self.repeats(&data) {
                    return;
                }
                let record = foreign::moment(&mut data, &instance.clock, &instance.limits);
                self.exports.measured(&record);
                let logged = self.lets_through(&data);
                self.deliver(data, depth);
                if logged {
                    self.exports.log(&record);
                }
            }
        }
    }

    fn end_foreign(&mut self, start: Option<EventData>, end: Option<EventData>, depth: u8) {
        let instance = Arc::clone(&self.instance);
        let (clock, limits) = (&instance.clock, &instance.limits);
        let now = clock.system_time(clock.now());
        let mut record = foreign::span(start.as_ref(), end.as_ref(), now, clock, limits);
        self.enrich(&mut record);
        let end = end.or_else(|| {
            let start = start?;
            let ty = EventType::new(start.ty.subject(), Phase::Canceled);
            let mut end = EventData::new(ty, now);
            (end.cx, end.who, end.flavor) = (start.cx, start.who, start.flavor);
            end.cx.started_event = Some(start.id);
            Some(end)
        });
        if let Some(mut end) = end {
            end.attrs = events::attrs(&record.fields);
            end.duration = Some(record.duration());
            end.name = Arc::from(span_name(&record));
            end.level = grave::level(&end.ty, end.level, &record.fields);
            self.deliver(end, depth);
        }
        self.tell_findings(&mut record);
        self.export(&mut record);
        self.tell_budgets(&record);
    }

    /// Ends the spans of other systems that are still open.
    pub(crate) fn end_foreign_spans(&mut self) {
        for start in self.foreign.rest() {
            self.end_foreign(Some(start), None, 0);
        }
    }

    // === what goes out in the process ===

    /// Hands the record's event to whoever wants it, and says whether somebody did; building it costs nothing when nobody does.
    fn publish(&mut self, record: &Record) -> bool {
        if self.is_filtered(record) {
            self.instance.levels.count();
            self.pass_by(record);
            return true;
        }
        let wanted = self.console.is_some() || !self.hooks.is_empty() || self.bus.has_interest();
        if !wanted {
            return false;
        }
        match self.event(record) {
            Some(data) => self.deliver(data, record.depth),
            None => self.pass_by(record),
        }
        true
    }

    fn lets_through(&self, data: &EventData) -> bool {
        self.instance.levels.let_through(&data.channel, data.level)
    }

    /// Whether the record's event is below the level of its channel.
    fn is_filtered(&self, record: &Record) -> bool {
        self.instance.levels.any()
            && self
                .unsettled(record)
                .is_some_and(|data| !self.lets_through(&data))
    }

    fn event(&mut self, record: &Record) -> Option<EventData> {
        let mut data = self.unsettled(record)?;
        self.stage.redact_who(&mut data);
        Some(data)
    }

    fn unsettled(&self, record: &Record) -> Option<EventData> {
        let given = record.moment.as_ref().map_or(0, |moment| moment.id);
        let known = given != 0 || (record.what == What::Started && record.id.started_event != 0);
        let id = if known {
            given
        } else {
            self.instance.event_id()
        };
        events::event(record, &self.instance.clock, id)
    }

    /// Gives an event its number and its predecessor, lets hooks see it, and publishes it.
    fn deliver(&mut self, mut data: EventData, depth: u8) {
        if !self.lets_through(&data) {
            self.instance.levels.count();
            return;
        }
        data.cursor = events::next_cursor();
        let before = self.chain.follow(data.cx.trace, data.id);
        data.cx.previous = data.cx.previous.or(before);
        if let (Some(raw), Some(mut as_it_was)) = (&self.raw, self.before.take()) {
            as_it_was.id = data.id;
            (as_it_was.cx, as_it_was.cursor) = (data.cx, data.cursor);
            raw.publish_at_depth(Event::new(as_it_was), depth);
        }
        if data.phase.is_terminal() && data.cx.parent_span == SpanId::INVALID {
            self.chain.end(data.cx.trace);
        }
        if !data.phase.is_moment() {
            let started = data.phase == Phase::Started;
            match self.hooks.on_event(&mut data, started) {
                Verdict::Drop => return,
                Verdict::Hide => data.visibility = Visibility::Internal,
                Verdict::Keep => {}
            }
            if !self.hooks.is_empty() {
                self.stage.redact_event(&mut data);
            }
        }
        if let Some(declared) = &mut self.channels {
            declared.check(&data.channel);
        }
        let event = Event::new(data);
        if let Some(recent) = &self.recent {
            recent.push(event.clone());
        }
        // Internal events are for the console to hide: what lies below them still finds its place.
        if let Some(console) = &mut self.console {
            console.on_event(&event);
        }
        self.bus.publish_at_depth(event, depth);
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

    /// Shows people what has been processed, due or not.
    pub(crate) fn draw(&mut self) {
        let clock = &self.instance.clock;
        if let Some(console) = &mut self.console {
            console.flush(clock.system_time(clock.now()));
        }
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
        let looked = self.look_at_open_spans(now);
        [drawn, sent, looked].into_iter().flatten().min()
    }
}
