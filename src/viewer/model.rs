//! What the page knows: runs with their spans and moments, and what of it changed since when.
//!
//! Every change has a number. Whoever asks for what changed after a number is told the state of it now, however often it changed
//! in between: nobody falls behind, and nobody needs a queue.
//!
//! Promise: bounded in spans and bytes; order does not matter (a child before its parent, a moment before its span, an end without a
//! start); what makes room is counted.
//! Never: keeps two copies of a record.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;

use opentelemetry::{SpanId, TraceId};

use super::facts::Facts;
use crate::clock::Clock;
use crate::event::Subject;
use crate::record::{Record, What};

/// Forgotten runs that are remembered by number. Who was away for more than these begins anew.
const GONE: usize = 4_096;
/// Moments kept of a span.
const MOMENTS: usize = 1_000;

pub(super) struct Model {
    pub(super) clock: Clock,
    max_spans: usize,
    max_bytes: usize,
    /// By their numbers, in the order they were first heard of.
    pub(super) runs: BTreeMap<u64, Run>,
    by_trace: HashMap<TraceId, u64>,
    /// The number of each run by that of its last change.
    by_change: BTreeMap<u64, u64>,
    /// The number of the last change.
    pub(super) change: u64,
    last_run: u64,
    pub(super) spans: usize,
    bytes: usize,
    /// Spans that made room.
    pub(super) forgotten: u64,
    gone: VecDeque<(u64, u64)>,
    /// Changes up to this one cannot be told apart any more.
    blurred: u64,
}

/// One trace.
pub(super) struct Run {
    pub(super) number: u64,
    pub(super) trace: TraceId,
    pub(super) change: u64,
    /// By their numbers, in the order they were first heard of.
    pub(super) spans: BTreeMap<u64, Span>,
    pub(super) by_id: HashMap<SpanId, u64>,
    /// Moments of spans that have not been heard of.
    early: HashMap<SpanId, Moments>,
    last_span: u64,
    open: usize,
    /// What spans that made room added up to.
    pub(super) past: super::totals::Sums,
}

pub(super) struct Span {
    pub(super) change: u64,
    pub(super) record: Record,
    pub(super) facts: Facts,
    pub(super) moments: Moments,
}

/// What happened in a span: the first of it, and how much more there was.
#[derive(Default)]
pub(super) struct Moments {
    pub(super) kept: Vec<Record>,
    pub(super) more: u64,
}

impl Moments {
    /// Takes one in; how many bytes that is more.
    fn add(&mut self, record: Record) -> isize {
        if self.kept.len() >= MOMENTS {
            self.more += 1;
            return 0;
        }
        let bytes = record.bytes().cast_signed();
        self.kept.push(record);
        bytes
    }

    pub(super) fn count(&self) -> u64 {
        self.kept.len() as u64 + self.more
    }

    fn bytes(&self) -> usize {
        self.kept.iter().map(Record::bytes).sum()
    }
}

impl Span {
    fn bytes(&self) -> usize {
        self.record.bytes() + self.moments.bytes()
    }

    /// Security alerts, warnings and blocks among its moments.
    pub(super) fn alerts(&self) -> u64 {
        let about = |moment: &&Record| told_security(moment);
        self.moments.kept.iter().filter(about).count() as u64
    }
}

/// The subject of a moment is its type's, and not its span's.
fn told_security(record: &Record) -> bool {
    let ty = record.moment.as_ref().and_then(|moment| moment.ty.as_ref());
    ty.is_some_and(|ty| ty.subject() == Subject::SECURITY)
}

impl Model {
    pub(super) fn new(clock: Clock, max_spans: usize, max_bytes: usize) -> Self {
        Self {
            clock,
            max_spans,
            max_bytes,
            runs: BTreeMap::new(),
            by_trace: HashMap::new(),
            by_change: BTreeMap::new(),
            change: 0,
            last_run: 0,
            spans: 0,
            bytes: 0,
            forgotten: 0,
            gone: VecDeque::new(),
            blurred: 0,
        }
    }

    /// Takes records in, in the order they were made.
    pub(super) fn take(&mut self, records: Vec<Record>) {
        for record in records {
            self.add(record);
        }
        self.make_room();
    }

    fn add(&mut self, record: Record) {
        let id = record.id.span;
        if record.id.trace == TraceId::INVALID || id == SpanId::INVALID {
            return;
        }
        self.change += 1;
        let change = self.change;
        let number = *self.by_trace.entry(record.id.trace).or_insert_with(|| {
            self.last_run += 1;
            self.last_run
        });
        let run = self
            .runs
            .entry(number)
            .or_insert_with(|| Run::new(number, record.id.trace));
        let (spans, bytes) = match record.what {
            What::Moment => run.moment(record, change),
            What::Started | What::Ended => run.span(record, change, &self.clock),
        };
        self.spans += spans;
        self.bytes = self.bytes.saturating_add_signed(bytes);
        self.by_change.remove(&run.change);
        run.change = change;
        self.by_change.insert(change, number);
    }

    pub(super) fn run(&self, trace: TraceId) -> Option<&Run> {
        self.runs.get(self.by_trace.get(&trace)?)
    }

    /// The runs that changed after `change`.
    pub(super) fn changed(&self, change: u64) -> impl Iterator<Item = &Run> {
        self.by_change
            .range((Bound::Excluded(change), Bound::Unbounded))
            .filter_map(|(_, number)| self.runs.get(number))
    }

    /// The numbers of the runs forgotten after `change`; `None` if that is not known any more.
    pub(super) fn gone(&self, change: u64) -> Option<Vec<u64>> {
        let numbers = self.gone.iter().filter(|(at, _)| *at > change);
        (change >= self.blurred).then(|| numbers.map(|(_, number)| *number).collect())
    }

    /// Forgets the runs that were quiet for longest, those that are over before those that are not; of the last one, if that is too
    /// large by itself, its oldest spans.
    fn make_room(&mut self) {
        if !self.is_full(self.spans, self.bytes) {
            return;
        }
        let (mut spans, mut bytes) = (self.spans, self.bytes);
        let mut leaving = Vec::new();
        for over in [true, false] {
            let runs = self
                .by_change
                .values()
                .filter_map(|number| self.runs.get(number));
            for run in runs.filter(|run| (run.open == 0) == over) {
                if !self.is_full(spans, bytes) || leaving.len() + 1 == self.runs.len() {
                    break;
                }
                spans -= run.spans.len();
                bytes -= run.bytes();
                leaving.push(run.number);
            }
        }
        for number in leaving {
            self.forget(number);
        }
        if self.is_full(self.spans, self.bytes)
            && let Some(number) = self.runs.keys().next().copied()
        {
            self.shorten(number);
        }
    }

    fn is_full(&self, spans: usize, bytes: usize) -> bool {
        spans > self.max_spans || bytes > self.max_bytes
    }

    fn forget(&mut self, number: u64) {
        let Some(run) = self.runs.remove(&number) else {
            return;
        };
        self.by_trace.remove(&run.trace);
        self.by_change.remove(&run.change);
        self.spans -= run.spans.len();
        self.forgotten += run.spans.len() as u64;
        self.bytes -= run.bytes();
        self.change += 1;
        self.gone.push_back((self.change, number));
        if self.gone.len() > GONE {
            self.blurred = self.gone.pop_front().map_or(0, |(at, _)| at);
        }
    }

    /// Forgets the oldest tenth of a run's spans that have ended, or more where that is not enough.
    fn shorten(&mut self, number: u64) {
        let Some(run) = self.runs.get_mut(&number) else {
            return;
        };
        let (spans, bytes) = (
            self.max_spans - self.max_spans / 10,
            self.max_bytes - self.max_bytes / 10,
        );
        self.bytes -= run.early_bytes();
        run.early.clear();
        // What stands above the others stays, so that the run keeps its name, its beginning and its end.
        let root = run.root().map(|root| root.record.id.span);
        let numbers: Vec<u64> = run.spans.keys().copied().collect();
        for at in numbers {
            if self.spans <= spans && self.bytes <= bytes {
                break;
            }
            let goes = run
                .spans
                .get(&at)
                .is_some_and(|span| !span.facts.open && Some(span.record.id.span) != root);
            if let Some(span) = goes.then(|| run.spans.remove(&at)).flatten() {
                run.by_id.remove(&span.record.id.span);
                run.past.add(&span);
                self.spans -= 1;
                self.forgotten += 1;
                self.bytes -= span.bytes();
            }
        }
    }
}

impl Run {
    fn new(number: u64, trace: TraceId) -> Self {
        Self {
            number,
            trace,
            change: 0,
            spans: BTreeMap::new(),
            by_id: HashMap::new(),
            early: HashMap::new(),
            last_span: 0,
            open: 0,
            past: super::totals::Sums::default(),
        }
    }

    /// Takes a span in; how many spans and bytes that is more.
    fn span(&mut self, record: Record, change: u64, clock: &Clock) -> (usize, isize) {
        let facts = Facts::of(&record, clock);
        let id = record.id.span;
        if let Some(known) = self.by_id.get(&id).and_then(|at| self.spans.get_mut(at)) {
            // What ended stays as it ended.
            if !known.facts.open || facts.open {
                return (0, 0);
            }
            self.open -= 1;
            let more = record.bytes().cast_signed() - known.record.bytes().cast_signed();
            (known.record, known.facts, known.change) = (record, facts, change);
            return (0, more);
        }
        self.last_span += 1;
        self.open += usize::from(facts.open);
        let moments = self.early.remove(&id).unwrap_or_default();
        let bytes = record.bytes().cast_signed();
        let span = Span {
            change,
            record,
            facts,
            moments,
        };
        self.by_id.insert(id, self.last_span);
        self.spans.insert(self.last_span, span);
        (1, bytes)
    }

    /// Takes a moment in; how many spans and bytes that is more.
    fn moment(&mut self, record: Record, change: u64) -> (usize, isize) {
        let id = record.id.span;
        let known = self.by_id.get(&id).and_then(|at| self.spans.get_mut(at));
        let bytes = match known {
            Some(span) => {
                span.change = change;
                span.moments.add(record)
            }
            None => self.early.entry(id).or_default().add(record),
        };
        (0, bytes)
    }

    fn bytes(&self) -> usize {
        self.spans.values().map(Span::bytes).sum::<usize>() + self.early_bytes()
    }

    fn early_bytes(&self) -> usize {
        self.early.values().map(Moments::bytes).sum()
    }

    pub(super) fn get(&self, id: SpanId) -> Option<&Span> {
        self.spans.get(self.by_id.get(&id)?)
    }

    /// The earliest of the spans that nothing here encloses; of all, where they say that they lie in each other.
    pub(super) fn root(&self) -> Option<&Span> {
        let stands_above = |span: &&Span| !self.by_id.contains_key(&span.record.id.parent);
        let earliest = |span: &&Span| span.facts.start;
        let roots = self.spans.values().filter(stands_above);
        roots
            .min_by_key(earliest)
            .or_else(|| self.spans.values().min_by_key(earliest))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::record::Moment;

    fn record(trace: u128, span: u64, what: What) -> Record {
        let mut record = Record {
            what,
            start: 1_000 * span,
            end: 1_000 * (span + 1),
            ..Record::default()
        };
        (record.id.trace, record.id.span) = (TraceId::from(trace), SpanId::from(span));
        // The first span of a trace is its root; the others lie in the one before them.
        record.id.parent = SpanId::from(span - 1);
        if what == What::Moment {
            record.moment = Some(Moment::new("plan.refined"));
        }
        record
    }

    fn model(spans: usize) -> Model {
        Model::new(Clock::fixed(Duration::ZERO), spans, usize::MAX)
    }

    /// What was counted along the way is what is there.
    fn check(model: &Model) {
        let spans = || model.runs.values().flat_map(|run| run.spans.values());
        let early: usize = model.runs.values().map(Run::early_bytes).sum();
        assert_eq!(model.spans, spans().count());
        assert_eq!(model.bytes, spans().map(Span::bytes).sum::<usize>() + early);
        assert!(model.spans <= model.max_spans);
        assert_eq!(model.by_change.len(), model.runs.len());
        for run in model.runs.values() {
            assert_eq!(model.by_change.get(&run.change), Some(&run.number));
            assert_eq!(run.by_id.len(), run.spans.len());
            let open = run.spans.values().filter(|span| span.facts.open).count();
            assert_eq!(run.open, open);
        }
    }

    #[test]
    fn of_a_spans_moments_the_first_are_kept_and_all_are_counted_whenever_the_span_is_heard_of() {
        const MORE: usize = 7;
        let moments = || (0..MOMENTS + MORE).map(|_| record(1, 1, What::Moment));
        let span = || [record(1, 1, What::Ended)].into_iter();
        for told in [
            span().chain(moments()).collect::<Vec<_>>(),
            moments().chain(span()).collect(),
        ] {
            let mut model = model(10);
            model.take(told);
            check(&model);
            let run = model.run(TraceId::from(1)).unwrap();
            let seen = &run.get(SpanId::from(1)).unwrap().moments;
            assert_eq!((seen.kept.len(), seen.more), (MOMENTS, MORE as u64));
        }
    }

    fn records() -> impl Strategy<Value = Vec<(u128, u64, u8)>> {
        prop::collection::vec((1_u128..4, 1_u64..9, 0_u8..3), 0..80)
    }

    fn what(n: u8) -> What {
        [What::Started, What::Ended, What::Moment][usize::from(n)]
    }

    proptest! {
        #[test]
        fn in_whatever_order_records_come_the_same_is_shown(
            told in records().prop_shuffle(),
            again in records(),
        ) {
            let mut one = model(1_000);
            for (trace, span, n) in told.iter().chain(&again) {
                one.take(vec![record(*trace, *span, what(*n))]);
                check(&one);
            }
            let mut other = model(1_000);
            let mut sorted: Vec<_> = told.iter().chain(&again).copied().collect();
            sorted.sort_by_key(|(trace, span, n)| (*trace, *span, *n));
            other.take(sorted.iter().map(|(trace, span, n)| record(*trace, *span, what(*n))).collect());
            check(&other);
            let shown = |model: &Model| {
                let spans = model.runs.values().flat_map(|run| run.spans.values());
                let mut shown: Vec<_> = spans
                    .map(|span| {
                        let id = &span.record.id;
                        (id.trace, id.span, span.facts.open, span.moments.count())
                    })
                    .collect();
                shown.sort_by_key(|(trace, span, ..)| (trace.to_bytes(), span.to_bytes()));
                shown
            };
            prop_assert_eq!(shown(&one), shown(&other));
        }

        #[test]
        fn whatever_makes_room_the_account_is_right_and_who_was_away_is_told(
            told in records(), room in 1_usize..20, away in 0_usize..80,
        ) {
            let mut model = model(room);
            let mut seen: Vec<u64> = Vec::new();
            let mut change = 0;
            for (at, (trace, span, n)) in told.iter().enumerate() {
                model.take(vec![record(*trace, *span, what(*n))]);
                // Open spans are never forgotten within a run, so that one run of them may be larger than the room.
                if model.spans <= model.max_spans {
                    check(&model);
                }
                if at == away {
                    seen = model.runs.keys().copied().collect();
                    change = model.change;
                }
            }
            let gone = model.gone(change).unwrap();
            seen.extend(model.changed(change).map(|run| run.number));
            seen.retain(|number| !gone.contains(number));
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen, model.runs.keys().copied().collect::<Vec<_>>());
        }
    }
}
