//! Load: bursts (F13), open spans (F22), and the long runs.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use allocation_counter::measure;
use tracing::{Dispatch, info_span};
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::otlp::{OtlpConfig, Protocol};
use tracing_genai::{Loss, Telemetry, TelemetryBuilder};
use tracing_subscriber::prelude::*;

use crate::support::books::{Acks, settle};
use crate::support::collector::{Collector, closed_address};
use crate::support::waiting::{DEADLINE, until, within};
use crate::{BOTH, SOON, builder, numbers, record, spans, to};

// === F13 ===

/// As many threads as that, each with its share of the spans, as fast as they can.
fn burst(telemetry: &Telemetry, threads: u64, spans: u64) {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let share = spans / threads;
                    for n in thread * share..(thread + 1) * share {
                        info_span!(
                            "burst",
                            n,
                            gen_ai.operation.name = "chat",
                            gen_ai.request.model = "gpt-4o-mini"
                        )
                        .in_scope(|| {});
                    }
                });
            });
        }
    });
}

fn burst_arrives_whole(protocol: Protocol, threads: u64, spans: u64) {
    let collector = Collector::start();
    let telemetry = builder(to(&collector.endpoint(), protocol))
        .build()
        .unwrap();
    burst(&telemetry, threads, spans);
    let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    assert!(ended.ended.is_complete(), "{}", ended.ended);
    let mut numbers = numbers(&collector);
    numbers.sort_unstable();
    assert_eq!(numbers, (0..spans).collect::<Vec<_>>());
}

#[test]
fn f13_a_burst_of_twenty_thousand_spans_arrives_whole_at_default_settings() {
    for protocol in BOTH {
        burst_arrives_whole(protocol, 4, 20_000);
    }
}

/// Holds the telemetry thread until it is let go, and says that it does.
struct Gate(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>);

impl Enrich for Gate {
    fn after_span(&self, _: &mut SpanMut<'_>) {
        let _ = self.0.send(());
        let _ = self.1.lock().unwrap().recv();
    }
}

/// An installation whose thread takes nothing more out of the queue until what is returned with it is dropped.
fn held(builder: TelemetryBuilder) -> (Telemetry, mpsc::Sender<()>) {
    let ((open, gate), (holds, held)) = (mpsc::channel(), mpsc::channel());
    let gate = Gate(holds, Mutex::new(gate));
    let telemetry = builder.enrich(gate).build().unwrap();
    spans(&telemetry, 0..1);
    held.recv_timeout(DEADLINE).unwrap();
    (telemetry, open)
}

#[test]
fn f13_up_to_the_queues_size_nothing_is_lost_and_beyond_it_the_count_is_exact() {
    const ROOM: u64 = 16_384;
    for more in [0, 1, 5_000] {
        let collector = Collector::start();
        let config = to(&collector.endpoint(), Protocol::HttpProtobuf);
        let (telemetry, open) = held(builder(config).queue_records(ROOM as usize));
        // What the thread has in hand keeps its place in the queue until it is done.
        let room = ROOM - telemetry.stats().capture.pending;
        // Hooks want the start of a span, so each is two records.
        burst(&telemetry, 1, room / 2);
        assert!(telemetry.stats().capture.dropped.is_empty());
        // The last place may be one for half a span.
        burst(&telemetry, 1, more);
        let capture = telemetry.stats().capture;
        let lost = (2 * more).saturating_sub(room % 2);
        let counted = capture.dropped.get(&Loss::QueueFull).copied();
        assert_eq!(counted.unwrap_or(0), lost, "{more}: {capture:?}");
        assert!(capture.pending <= ROOM);
        drop(open);
        let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
        assert_eq!(ended.traces().delivered, 1 + room / 2, "{}", ended.ended);
        assert_eq!(ended.ended.capture.accepted, 2 * (1 + room / 2 + more));
    }
}

/// `cargo test --release --test faults -- --ignored f13`
#[test]
#[ignore = "200,000 spans as fast as four threads can: seconds in a release build, longer in this one"]
fn f13_a_burst_of_two_hundred_thousand_spans_is_counted_to_the_last() {
    for protocol in BOTH {
        let collector = Collector::start();
        let telemetry = builder(to(&collector.endpoint(), protocol))
            .build()
            .unwrap();
        burst(&telemetry, 4, 200_000);
        let ended = settle(
            &telemetry,
            Some((&collector, Acks::Arrive)),
            DEADLINE * 4,
            DEADLINE,
        );
        let (capture, traces) = (&ended.ended.capture, ended.traces());
        assert!(ended.ended.in_time);
        assert_eq!(capture.accepted, 200_000);
        assert_eq!(capture.delivered, traces.accepted);
        println!("{protocol}: {}", ended.ended);
    }
}

// === F22 ===

/// Bytes that are held after `f`, and were not before, by this thread's doing.
fn held_by<T>(f: impl FnOnce() -> T) -> (T, i64) {
    let mut made = None;
    let info = measure(|| made = Some(f()));
    (made.unwrap(), info.bytes_current)
}

#[test]
fn f22_ten_thousand_open_spans_hold_at_most_four_kibibytes_each_and_end_as_interrupted() {
    const OPEN: usize = 10_000;
    let collector = Collector::start();
    let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
        .build()
        .unwrap();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    let (open, held) = tracing::dispatcher::with_default(&dispatch, || {
        held_by(|| {
            let mut open = Vec::with_capacity(OPEN);
            for n in 0..OPEN {
                let span = info_span!(
                    "open",
                    n,
                    gen_ai.operation.name = "chat",
                    gen_ai.provider.name = "openai",
                    gen_ai.request.model = "gpt-4o-mini",
                    gen_ai.request.temperature = 0.2,
                    gen_ai.conversation.id = "conv_5j66UpCpwteGg4YSxUnt7lPY",
                    server.address = "api.openai.com",
                    gen_ai.usage.input_tokens = tracing::field::Empty
                );
                span.record("gen_ai.usage.input_tokens", 1_200);
                open.push(span);
            }
            open
        })
    });
    let each = held / OPEN as i64;
    println!("{each} bytes for each open span, the registry's part included");
    assert!(each <= 4 << 10, "{each} bytes each");
    // Half of them are never closed by anybody.
    for (n, span) in open.into_iter().enumerate() {
        match n % 2 {
            0 => drop(span),
            _ => std::mem::forget(span),
        }
    }
    let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    assert!(ended.ended.is_complete(), "{}", ended.ended);
    assert_eq!(
        ended.flushed.traces.as_ref().unwrap().delivered,
        OPEN as u64 / 2
    );
    let spans = collector.spans();
    let interrupted = spans
        .iter()
        .filter(|span| crate::attribute(span, "genai.interrupted").is_some());
    assert_eq!((spans.len(), interrupted.count()), (OPEN, OPEN / 2));
}

/// From the inside out, or left open: released from the outside in, the registry of `tracing-subscriber` itself recurses, with any
/// layer on it.
#[test]
fn f22_a_trace_ten_thousand_deep_is_ended_and_delivered_without_recursion_of_ours() {
    const DEPTH: usize = 10_000;
    for closed in [true, false] {
        // On a stack that recursion of this depth would overflow, two hundred bytes a level.
        let run = move || {
            let collector = Collector::start();
            let telemetry = builder(to(&collector.endpoint(), Protocol::Grpc))
                .build()
                .unwrap();
            record(&telemetry, || {
                let mut open = vec![info_span!("root")];
                for _ in 1..DEPTH {
                    let child = info_span!(parent: open.last().unwrap(), "deeper");
                    open.push(child);
                }
                while let Some(span) = open.pop() {
                    match closed {
                        true => drop(span),
                        false => std::mem::forget(span),
                    }
                }
            });
            let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
            assert!(ended.ended.is_complete(), "{}", ended.ended);
            let spans = collector.spans();
            assert_eq!(spans.len(), DEPTH);
            let roots = spans.iter().filter(|span| span.parent_span_id.is_empty());
            assert_eq!(roots.count(), 1);
        };
        within("a deep trace on a usual stack", move || {
            let thread = std::thread::Builder::new().stack_size(2 << 20);
            thread.spawn(run).unwrap().join().unwrap();
        });
    }
}

// === long runs ===

/// Spans at this rate for this long, from this thread.
fn at_rate(telemetry: &Telemetry, per_second: u64, time: Duration) -> u64 {
    let begun = Instant::now();
    let mut made = 0;
    record(telemetry, || {
        while begun.elapsed() < time {
            let due = (begun.elapsed().as_secs_f64() * per_second as f64) as u64;
            while made < due {
                info_span!("work", n = made).in_scope(|| {});
                made += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    made
}

fn outage(time: Duration, may_lose: bool) {
    let address = closed_address();
    let config = OtlpConfig::new().endpoint(format!("http://{address}"));
    let telemetry = builder(config).build().unwrap();
    let made = at_rate(&telemetry, 100, time);
    let collector = Collector::start_at(address);
    let back = Instant::now();
    let report = telemetry.flush(Duration::from_secs(30));
    assert!(report.in_time, "{report}");
    println!("{made} spans, drained {:?} after: {report}", back.elapsed());
    let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    let traces = ended.traces();
    assert_eq!(traces.accepted, made);
    if may_lose {
        let lost = traces.dropped.get(&Loss::RetryExhausted).unwrap_or(&0);
        assert_eq!(traces.delivered + lost, made);
        assert!(*lost <= 3 * 512, "the oldest batches alone: {lost}");
    } else {
        assert!(ended.ended.is_complete(), "{}", ended.ended);
    }
}

#[test]
fn f02_an_outage_of_three_seconds_at_a_hundred_spans_a_second_loses_nothing() {
    outage(Duration::from_secs(3), false);
}

/// `cargo test --test faults -- --ignored f02_an_outage_of_thirty`
#[test]
#[ignore = "half a minute"]
fn f02_an_outage_of_thirty_seconds_at_a_hundred_spans_a_second_loses_nothing() {
    outage(Duration::from_secs(30), false);
}

/// `cargo test --test faults -- --ignored f02_an_outage_of_ten`
#[test]
#[ignore = "ten minutes"]
fn f02_an_outage_of_ten_minutes_loses_what_was_tried_for_five_and_counts_it() {
    outage(Duration::from_secs(600), true);
}

/// Resident memory of this process in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let mut words = line.unwrap().split_whitespace();
    words.nth(1).unwrap().parse().unwrap()
}

/// `cargo test --release --test faults -- --ignored f13_five_thousand`; the collector is in this process, so its share of the memory
/// is counted too: `benches/peers --bin faults` measures it apart.
#[test]
#[ignore = "a minute, and meaningful in a release build only"]
fn f13_five_thousand_spans_a_second_for_a_minute_lose_nothing() {
    let collector = Arc::new(Collector::start());
    let telemetry = builder(to(&collector.endpoint(), Protocol::HttpProtobuf))
        .build()
        .unwrap();
    let before = resident();
    let content = "x".repeat(1024);
    let begun = Instant::now();
    let mut made = 0_u64;
    record(&telemetry, || {
        while begun.elapsed() < Duration::from_secs(60) {
            let due = (begun.elapsed().as_secs_f64() * 5_000.0) as u64;
            while made < due {
                info_span!("work", n = made, content).in_scope(|| {});
                made += 1;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let grown = resident().saturating_sub(before);
    let ended = settle(&telemetry, Some((&collector, Acks::Arrive)), SOON, SOON);
    println!(
        "{made} spans, {grown} KiB with the collector: {}",
        ended.ended
    );
    assert!(ended.ended.is_complete());
    until("they are counted", || {
        collector.spans().len() as u64 == made
    });
}
