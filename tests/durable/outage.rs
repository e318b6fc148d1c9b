//! A collector that is away, refuses, hangs, or comes back.

use std::time::{Duration, Instant};

use tracing_genai::otlp::{Compression, OtlpConfig, Signal, SpoolConfig};
use tracing_genai::{Loss, chat};

use crate::run::*;
use crate::support::collector::{Answer, Collector, PATIENCE, closed_address};

#[test]
fn what_waits_is_on_disk_and_what_was_taken_is_not_any_more() {
    for protocol in BOTH {
        let directory = tempfile::tempdir().unwrap();
        let spool = directory.path().join("spool");
        let collector = Collector::start();
        collector.always(Signal::Traces, Answer::status(503));
        let config = OtlpConfig::new()
            .endpoint(collector.endpoint())
            .protocol(protocol);
        let telemetry = builder_with(config, spool.as_path()).build().unwrap();
        record(&telemetry, || {
            tracing::info_span!("numbered", number = 0, mark = "written-before-sent")
                .in_scope(|| {});
        });
        collector.wait_for_requests(1);
        assert!(holds(&spooled(&spool), "written-before-sent"));
        let tally = telemetry.stats().traces.unwrap();
        assert_eq!((tally.pending, tally.stored), (1, 1));

        collector.heal();
        complete(&telemetry.flush(SOON));
        assert!(!holds(&spooled(&spool), "written-before-sent"));
        complete(&telemetry.shutdown());
        assert_eq!(files(&spool), Vec::<std::path::PathBuf>::new());
        all_once(&collector, 1);
    }
}

/// F1, short: 3 s at 1,000 spans a second.
#[test]
fn f01_an_outage_loses_nothing_with_a_spool_and_its_memory_stays_flat() {
    outage(Duration::from_secs(3), 1_000);
}

/// F1 and the figure of 60 s at 5,000 spans a second:
/// `cargo test --release --test durable -- --ignored --nocapture f01_long_60`
#[test]
#[ignore = "a minute"]
fn f01_long_60_seconds_at_5000_a_second() {
    outage(Duration::from_secs(60), 5_000);
}

/// F1, ten minutes: `cargo test --release --test durable -- --ignored --nocapture f01_long_600`
#[test]
#[ignore = "ten minutes"]
fn f01_long_600_seconds_at_100_a_second() {
    outage(Duration::from_secs(600), 100);
}

fn outage(time: Duration, rate: u64) {
    let directory = tempfile::tempdir().unwrap();
    let address = closed_address();
    let telemetry = builder(&format!("http://{address}"), directory.path())
        .build()
        .unwrap();
    let begun = Instant::now();
    let (mut made, mut settled_rss, mut most_rss) = (0, 0, 0);
    while begun.elapsed() < time {
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        steps(&telemetry, made, due - made);
        made = due;
        std::thread::sleep(Duration::from_millis(2));
        if begun.elapsed() < time / 6 {
            settled_rss = rss();
        }
        most_rss = most_rss.max(rss());
    }
    let tally = telemetry.stats().traces.unwrap();
    assert_eq!(tally.total_dropped(), 0, "{tally}");
    let on_disk = spooled(directory.path()).len();
    let collector = Collector::start_at(address);
    let back = Instant::now();
    // A flush would have it tried at once; here the sender finds out by itself.
    let waits = || telemetry.stats().traces.unwrap().pending > 0;
    while waits() && back.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let drained = back.elapsed();
    complete(&telemetry.flush(SOON));
    println!(
        "{made} spans in {time:?}, {} MiB on disk; memory {} MiB after a sixth of the time, {} MiB at most; \
         drained {drained:?} after the collector was back",
        on_disk >> 20,
        settled_rss >> 20,
        most_rss >> 20,
    );
    all_once(&collector, made);
    // What waits on disk does not wait in memory.
    assert!(
        most_rss < settled_rss + (64 << 20),
        "{settled_rss} to {most_rss}"
    );
    complete(&telemetry.shutdown());
}

/// Bytes of memory this process holds.
fn rss() -> usize {
    let Ok(statm) = std::fs::read_to_string("/proc/self/statm") else {
        return 0;
    };
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

#[test]
fn the_decision_on_an_answer_is_the_same_with_and_without_a_spool() {
    let cases = [
        (Answer::status(400), Some(Loss::Permanent)),
        (Answer::status(401), Some(Loss::Permanent)),
        (Answer::status(302), Some(Loss::Permanent)),
        (Answer::status(404), Some(Loss::Permanent)),
        (Answer::grpc(3, &[]), Some(Loss::Permanent)),
        (Answer::grpc(12, &[]), Some(Loss::Permanent)),
        (Answer::Ok, None),
    ];
    for (answer, loss) in cases {
        let protocol = BOTH[usize::from(matches!(answer, Answer::Grpc { .. }))];
        let mut tallies = Vec::new();
        for durable in [false, true] {
            let directory = tempfile::tempdir().unwrap();
            let collector = Collector::start();
            collector.answer(answer.clone());
            let config = OtlpConfig::new()
                .endpoint(collector.endpoint())
                .protocol(protocol)
                .without(Signal::Logs);
            let telemetry = if durable {
                builder_with(config, directory.path()).build().unwrap()
            } else {
                let telemetry = tracing_genai::Telemetry::builder("memory").environment(|_| None);
                telemetry
                    .otlp(config.without(Signal::Metrics))
                    .build()
                    .unwrap()
            };
            steps(&telemetry, 0, 3);
            let report = telemetry.flush(SOON);
            balanced(&report);
            let mut tally = report.traces.unwrap();
            assert_eq!(tally.dropped.keys().next().copied(), loss, "{answer:?}");
            assert_eq!(collector.requests().len(), 1, "{answer:?}");
            tally.stored = 0;
            tallies.push(tally);
            balanced(&telemetry.shutdown());
            assert_eq!(files(directory.path()).len(), 0, "{answer:?}");
        }
        assert_eq!(tallies[0], tallies[1], "{answer:?}");
    }
}

#[test]
fn partial_success_is_settled_and_not_sent_again() {
    let directory = tempfile::tempdir().unwrap();
    let collector = Collector::start();
    let message = "two were odd".to_owned();
    collector.answer(Answer::Partial {
        rejected: 2,
        message,
    });
    let telemetry = builder(&collector.endpoint(), directory.path())
        .build()
        .unwrap();
    steps(&telemetry, 0, 5);
    let report = telemetry.shutdown();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!((tally.rejected, tally.delivered, tally.pending), (2, 3, 0));
    assert_eq!(collector.requests().len(), 1);
    assert_eq!(files(directory.path()).len(), 0);
}

#[test]
fn what_a_shutdown_could_not_send_is_sent_by_the_next_process_oldest_first() {
    for protocol in BOTH {
        let directory = tempfile::tempdir().unwrap();
        let address = closed_address();
        let config = || {
            let config = OtlpConfig::new().endpoint(format!("http://{address}"));
            config
                .protocol(protocol)
                .compression(Compression::Gzip)
                .header("x-tenant", "blue")
        };
        for life in 0..3 {
            let telemetry = builder_with(config(), directory.path()).build().unwrap();
            for batch in 0..4 {
                steps(&telemetry, life * 100 + batch * 25, 25);
                telemetry.flush(Duration::from_millis(20));
            }
            record(&telemetry, || {
                tracing::info!(genai.event = "order.placed", life)
            });
            let report = telemetry.shutdown_within(Duration::from_millis(100));
            balanced(&report);
            let traces = report.traces.unwrap();
            assert_eq!(traces.stored, traces.pending, "{traces}");
            assert_eq!(traces.pending, (life + 1) * 100, "{traces}");
            assert_eq!(traces.recovered, life * 100, "{traces}");
            assert_eq!(traces.total_dropped(), 0, "{traces}");
            assert_eq!(report.logs.unwrap().pending, life + 1);
        }
        let collector = Collector::start_at(address);
        let telemetry = builder_with(config(), directory.path()).build().unwrap();
        steps(&telemetry, 300, 1);
        let report = telemetry.shutdown();
        complete(&report);
        assert_eq!(report.traces.as_ref().unwrap().recovered, 300);
        assert_eq!(report.logs.as_ref().unwrap().recovered, 3);
        all_once(&collector, 301);
        assert_eq!(collector.log_records().len(), 3);
        let order: Vec<_> = collector
            .spans()
            .iter()
            .map(|s| s.start_time_unix_nano)
            .collect();
        assert!(order.is_sorted(), "oldest first");
        for request in collector.requests() {
            assert_eq!(
                request.header("x-tenant"),
                Some("blue"),
                "headers hold for replayed bytes"
            );
            let encoding = ["grpc-encoding", "content-encoding"];
            assert!(
                encoding
                    .iter()
                    .any(|name| request.header(name) == Some("gzip"))
            );
        }
        assert_eq!(files(directory.path()).len(), 0);
    }
}

#[test]
fn f03_a_collector_that_hangs_holds_up_neither_the_shutdown_nor_other_signals() {
    let directory = tempfile::tempdir().unwrap();
    let collector = Collector::start();
    collector.always(Signal::Traces, Answer::Hang);
    let telemetry = builder(&collector.endpoint(), directory.path())
        .build()
        .unwrap();
    steps(&telemetry, 0, 7);
    record(&telemetry, || tracing::info!(genai.event = "order.placed"));
    let begun = Instant::now();
    let report = telemetry.shutdown_within(Duration::from_secs(1));
    assert!(begun.elapsed() < Duration::from_secs(10));
    balanced(&report);
    assert!(!report.in_time);
    let (traces, logs) = (report.traces.unwrap(), report.logs.unwrap());
    assert_eq!(
        (traces.pending, traces.stored, traces.total_dropped()),
        (7, 7, 0)
    );
    assert_eq!((logs.delivered, logs.pending), (1, 0));
}

#[test]
fn f07_a_lost_acknowledgement_is_answered_by_the_same_bytes_again_even_by_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let collector = Collector::start();
    collector.always(Signal::Traces, Answer::ResetRead);
    let telemetry = builder(&collector.endpoint(), directory.path())
        .build()
        .unwrap();
    steps(&telemetry, 0, 5);
    let sent = collector.wait_for_requests(1)[0].body.clone();
    balanced(&telemetry.shutdown_within(Duration::from_millis(50)));
    collector.heal();
    let next = builder(&collector.endpoint(), directory.path())
        .build()
        .unwrap();
    complete(&next.shutdown());
    let requests = collector.requests();
    assert_eq!(requests.last().unwrap().body, sent);
    all_once(&collector, 5);
}

#[test]
fn beyond_its_bounds_the_spool_drops_the_oldest_and_the_books_say_how_many() {
    let directory = tempfile::tempdir().unwrap();
    let address = closed_address();
    let config = SpoolConfig::new(directory.path())
        .segment_bytes(64 << 10)
        .max_bytes(256 << 10);
    let telemetry = builder(&format!("http://{address}"), config)
        .build()
        .unwrap();
    let made = 200 * 40;
    for batch in 0..200 {
        record(&telemetry, || {
            for number in batch * 40..batch * 40 + 40 {
                let filling = "x".repeat(200);
                tracing::info_span!("numbered", number, filling).in_scope(|| {});
            }
        });
        telemetry.flush(Duration::ZERO);
    }
    telemetry.flush(Duration::from_millis(200));
    let report = telemetry.stats();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!(tally.accepted, made);
    let lost = tally.dropped[&Loss::SpoolFull];
    assert_eq!(lost, tally.total_dropped());
    assert!(lost > made / 2 && lost < made, "{tally}");
    let bytes: u64 = segments(directory.path())
        .iter()
        .map(|f| f.metadata().unwrap().len())
        .sum();
    assert!(bytes <= 256 << 10, "{bytes}");

    let collector = Collector::start_at(address);
    let report = telemetry.shutdown();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!(tally.pending, 0, "{tally}");
    let arrived = numbers(&collector.spans());
    assert_eq!(arrived.len() as u64, tally.delivered);
    assert!(
        arrived.contains_key(&(made as i64 - 1)),
        "the newest is there"
    );
    assert!(arrived.values().all(|times| *times == 1));
}

#[test]
fn what_is_purged_is_not_sent_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let collector = Collector::start();
    collector.always(Signal::Traces, Answer::status(503));
    let telemetry = builder(&collector.endpoint(), directory.path())
        .build()
        .unwrap();
    record(&telemetry, || chat("openai", "gpt-4o").start().complete());
    collector.wait_for_requests(1);
    steps(&telemetry, 0, 10);
    telemetry.flush(Duration::from_millis(300));
    assert_eq!(telemetry.purge_unsent(), 10);
    collector.heal();
    let report = telemetry.shutdown();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!((tally.delivered, tally.dropped[&Loss::Purged]), (1, 10));
    let spans = collector.spans();
    assert_eq!((spans.len(), numbers(&spans).len()), (1, 0));
}

#[test]
fn memory_holds_no_body_that_the_disk_holds() {
    let directory = tempfile::tempdir().unwrap();
    let address = closed_address();
    // Memory alone would hold a tenth of it.
    let telemetry = builder(&format!("http://{address}"), directory.path())
        .queue_bytes(64 << 10)
        .queue_records(1 << 20)
        .batch_records(16)
        .build()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut made = 0;
    while spooled(directory.path()).len() < 640 << 10 {
        steps(&telemetry, made, 16);
        made += 16;
        // The queue to the telemetry thread is small too.
        while telemetry.stats().capture.pending > 0 {
            std::thread::yield_now();
        }
        assert!(Instant::now() < deadline);
    }
    let report = telemetry.stats();
    assert_eq!(report.traces.unwrap().total_dropped(), 0);
    let collector = Collector::start_at(address);
    complete(&telemetry.shutdown_within(SOON));
    all_once(&collector, made);
}
