//! Faults inside the process: slow readers (F14), hostile hooks (F15), a clock that jumps (F19).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tracing::info_span;
use tracing_genai::Loss;
use tracing_genai::bus::{Delivery, Overflow};
use tracing_genai::enrich::{Enrich, SpanMut, Verdict};
use tracing_genai::event::EventData;
use tracing_genai::otlp::Protocol;

use crate::support::books::{Acks, settle};
use crate::support::collector::{Answer, Collector};
use crate::support::waiting::{alone, until};
use crate::{BOTH, SOON, attribute, builder, record, spans, to};

// === F14 ===

#[test]
fn f14_a_reader_that_sleeps_or_leaves_delays_nobody_and_is_told_exactly_what_it_missed() {
    const SPANS: u64 = 2_000;
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
            .build()
            .unwrap();
        let mut asleep = telemetry.bus().subscribe_with(16, overflow);
        let leaves = telemetry.bus().subscribe_with(16, overflow);
        let reads = std::thread::scope(|scope| {
            let mut diligent = telemetry.bus().subscribe_with(1 << 16, overflow);
            let reading = scope.spawn(move || {
                let mut events = 0;
                while let Some(delivery) = diligent.recv() {
                    events += u64::from(delivery.event().is_some());
                }
                events
            });
            spans(&telemetry, 0..SPANS / 2);
            drop(leaves);
            spans(&telemetry, SPANS / 2..SPANS);
            // Nothing waits for the one asleep: everything else is complete before it reads a single event.
            let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
            assert!(ended.ended.is_complete(), "{}", ended.ended);
            reading.join().unwrap()
        });
        assert_eq!(reads, 2 * SPANS, "a start and an end each");
        let (mut seen, mut missed) = (0, 0);
        while let Some(delivery) = asleep.recv() {
            match delivery {
                Delivery::Event(_) => seen += 1,
                Delivery::Lagged(n) => missed += n,
            }
        }
        assert_eq!((seen, seen + missed), (16, 2 * SPANS), "{overflow:?}");
        let bus = telemetry.stats().bus;
        assert_eq!(
            bus.offered,
            bus.delivered + bus.filtered + bus.lagged + bus.unread + bus.discarded,
            "{bus:?}"
        );
        assert_eq!(collector.spans().len() as u64, SPANS);
    }
}

// === F15 ===

struct Stalls(Arc<AtomicBool>);

impl Enrich for Stalls {
    fn after_span(&self, span: &mut SpanMut<'_>) {
        if span.name() == "stall" {
            self.0.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_secs(1));
            self.0.store(false, Ordering::SeqCst);
        }
    }
}

#[test]
fn f15_a_hook_that_stalls_is_bounded_by_the_queue_and_never_reaches_the_application() {
    let stalling = Arc::new(AtomicBool::new(false));
    let collector = Collector::start();
    let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
        .enrich(Stalls(Arc::clone(&stalling)))
        .queue_records(1_000)
        .build()
        .unwrap();
    record(&telemetry, || info_span!("stall").in_scope(|| {}));
    until("the hook stalls", || stalling.load(Ordering::SeqCst));
    let begun = Instant::now();
    spans(&telemetry, 0..2_000);
    let (took, stats) = (begun.elapsed(), telemetry.stats().capture);
    let during = stalling.load(Ordering::SeqCst);
    assert!(
        during || took > Duration::from_millis(500),
        "{took:?}: the application went on while the hook stalled"
    );
    if during {
        // A start and an end each; what the thread has in hand keeps its place in the queue.
        assert_eq!((stats.accepted, stats.pending), (4_002, 1_000), "{stats:?}");
        let lost = stats.accepted - stats.delivered - 1_000;
        assert_eq!(stats.dropped[&Loss::QueueFull], lost, "{stats:?}");
    }
    let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    assert!(ended.ended.in_time, "{}", ended.ended);
    let traces = ended.traces();
    assert_eq!((traces.delivered, traces.pending), (traces.accepted, 0));
}

struct Huge;

impl Enrich for Huge {
    fn after_span(&self, span: &mut SpanMut<'_>) {
        span.set("huge", "é".repeat(5 << 20));
    }

    fn on_completed(&self, event: &mut EventData) -> Verdict {
        event.attrs.set("huge", "x".repeat(10 << 20));
        Verdict::Keep
    }
}

#[test]
fn f15_a_hook_that_returns_ten_mebibytes_is_cut_to_the_limits_of_a_span() {
    for protocol in BOTH {
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), protocol))
            .enrich(Huge)
            .build()
            .unwrap();
        spans(&telemetry, 0..6);
        let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
        assert!(ended.ended.is_complete(), "{}", ended.ended);
        let arrived = collector.spans();
        assert_eq!(arrived.len(), 6);
        for span in arrived {
            use opentelemetry_proto::tonic::common::v1::any_value::Value;
            let Some(Value::StringValue(huge)) = attribute(&span, "huge") else {
                panic!("{span:?}")
            };
            assert!(huge.len() <= 64 << 10, "{} bytes", huge.len());
        }
        assert!(collector.requests().iter().all(|r| r.body.len() < 4 << 20));
    }
}

struct Panics(Arc<AtomicUsize>);

impl Enrich for Panics {
    fn after_span(&self, _: &mut SpanMut<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("in the hook");
    }
}

#[test]
fn f15_a_hook_that_panics_ten_times_in_a_row_is_off_with_one_warning_and_no_span_is_lost() {
    let test = "inside::f15_a_hook_that_panics_ten_times_in_a_row_is_off_with_one_warning_and_no_span_is_lost";
    let said = alone(test, || {
        std::panic::set_hook(Box::new(|_| {}));
        let calls = Arc::new(AtomicUsize::new(0));
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
            .enrich(Panics(Arc::clone(&calls)))
            .build()
            .unwrap();
        spans(&telemetry, 0..50);
        let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
        assert!(ended.ended.is_complete(), "{}", ended.ended);
        assert_eq!(calls.load(Ordering::SeqCst), 10);
        assert_eq!(ended.ended.partial[&Loss::Hook], 10);
        assert_eq!(collector.spans().len(), 50);
    });
    if let Some(said) = said {
        assert_eq!(
            said.matches("panicked 10 times in a row and is off")
                .count(),
            1,
            "{said}"
        );
        assert_eq!(said.matches("tracing-genai:").count(), 1, "{said}");
    }
}

// === F19 ===

#[test]
fn f19_a_wall_clock_that_jumps_an_hour_makes_no_duration_negative_and_stops_no_batch_and_no_retry()
{
    const HOUR: u64 = 3_600_000_000_000;
    for forwards in [true, false] {
        let wall = Arc::new(AtomicU64::new(0));
        let jump = |by: u64| {
            let _ = match forwards {
                true => wall.fetch_add(by, Ordering::SeqCst),
                false => wall.fetch_sub(by, Ordering::SeqCst),
            };
        };
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
            .wall_clock(Arc::clone(&wall))
            .build()
            .unwrap();
        // One that is open while the clock jumps, with one inside.
        record(&telemetry, || {
            let outer = info_span!("outer");
            let _in = outer.enter();
            let inner = info_span!("inner").entered();
            jump(HOUR);
            drop(inner);
        });
        // Closed by its age alone: nobody flushes.
        until("the batch is closed and sent", || {
            collector.spans().len() == 2
        });
        // A jump between two tries of one batch.
        collector.answer(Answer::status(503));
        spans(&telemetry, 0..3);
        until("it was tried", || {
            let requests = collector.requests();
            requests.iter().any(|request| !request.accepted)
        });
        jump(HOUR);
        until("it was tried again", || collector.spans().len() == 5);
        let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
        assert!(ended.ended.is_complete(), "{}", ended.ended);
        for span in collector.spans() {
            let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
            assert!(start <= end, "{}: {start} {end}", span.name);
            assert!(end - start < HOUR / 2, "{}: it did not last", span.name);
        }
    }
}
