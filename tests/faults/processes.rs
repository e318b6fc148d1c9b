//! Faults that take a process of their own: hostile values (F16), sudden ends (F18), our own client at TRACE (F20). The collector is
//! in the process that watches.

use std::fmt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber, error, field, info, info_span};
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::otlp::internal::{Transport, Verdict};
use tracing_genai::otlp::{OtlpConfig, Protocol, Signal};
use tracing_genai::{Loss, Steps, Telemetry, tool};
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;

use crate::support::books::{Acks, assert_agrees, assert_balanced, settle};
use crate::support::collector::{Answer, Collector, closed_address};
use crate::support::waiting::{Child, child, is_alone};
use crate::{BOTH, SOON, attribute, builder, numbers, to};

const ENDPOINT: &str = "FAULTS_ENDPOINT";
const PROTOCOL: &str = "FAULTS_PROTOCOL";
const HOW: &str = "FAULTS_HOW";

fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Where this process is told to send to.
fn given() -> OtlpConfig {
    let protocol = match told(PROTOCOL).as_str() {
        "grpc" => Protocol::Grpc,
        _ => Protocol::HttpProtobuf,
    };
    to(&told(ENDPOINT), protocol)
}

/// The same test in a process of its own, sending to `endpoint`.
fn elsewhere(test: &str, endpoint: &str, protocol: Protocol, how: &str) -> Child {
    let protocol = protocol.to_string();
    child(
        test,
        &[(ENDPOINT, endpoint), (PROTOCOL, &protocol), (HOW, how)],
    )
}

// === F16 ===

/// Values that do what printing must not do.
#[derive(Clone, Copy)]
enum Hostile {
    Panics,
    PanicsHalfWay,
    Errs,
    Uses,
    NeverEnds,
    IsHuge,
    PanicsInPanic,
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        // Only where somebody drops the payload of the panic, which is then no panic inside a panic.
        if !std::thread::panicking() {
            panic!("while its payload is dropped");
        }
    }
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panics => panic!("while printing"),
            Self::PanicsHalfWay => {
                f.write_str("half")?;
                panic!("while printing")
            }
            Self::Errs => Err(fmt::Error),
            Self::Uses => {
                let inner = info_span!("inner", late = field::Empty);
                inner.in_scope(|| error!("from inside"));
                inner.record("late", 1);
                tool("from inside").start().complete();
                f.write_str("used tracing")
            }
            Self::NeverEnds => loop {
                f.write_str("for ever and ")?;
            },
            Self::IsHuge => (0..32 << 10).try_for_each(|_| {
                // Whoever is told to stop and goes on all the same cannot be stopped, but comes to an end.
                let _ = f.write_str(&"x".repeat(1 << 10));
                Ok(())
            }),
            Self::PanicsInPanic => std::panic::panic_any(Bomb),
        }
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Hostile {}

const HOSTILE: [(&str, Hostile); 7] = [
    ("panics", Hostile::Panics),
    ("panics half way", Hostile::PanicsHalfWay),
    ("errs", Hostile::Errs),
    ("uses", Hostile::Uses),
    ("never ends", Hostile::NeverEnds),
    ("is huge", Hostile::IsHuge),
    ("panics in panic", Hostile::PanicsInPanic),
];

#[test]
fn f16_a_value_that_panics_errs_uses_tracing_or_never_ends_costs_itself_and_the_application_goes_on()
 {
    let test = "processes::f16_a_value_that_panics_errs_uses_tracing_or_never_ends_costs_itself_and_the_application_goes_on";
    if is_alone(test) {
        std::panic::set_hook(Box::new(|_| error!("a panic")));
        let telemetry = builder(given()).error_messages(true).build().unwrap();
        telemetry.install().unwrap();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for (name, value) in HOSTILE {
                        let span = info_span!(
                            "hostile",
                            name,
                            debug = ?value,
                            display = %value,
                            late = field::Empty,
                            good = 1
                        );
                        span.record("late", field::debug(value));
                        span.in_scope(|| info!(value = ?value, "an event"));
                        info!(genai.event = "order.placed", value = %value);
                        let failed = tool("fails").in_scope(|_| Err::<(), _>(value));
                        assert!(failed.is_err());
                        let dynamic: &(dyn std::error::Error + 'static) = &value;
                        info_span!("error", error = dynamic).in_scope(|| {});
                    }
                });
            }
        });
        println!("took {} ms", begun.elapsed().as_millis());
        settle(&telemetry, None, SOON, SOON);
        println!("settled: {}", telemetry.stats());
        assert!(telemetry.stats().capture.is_complete());
        return;
    }
    for protocol in BOTH {
        let collector = Collector::start();
        let begun = Instant::now();
        let child = elsewhere(test, &collector.endpoint(), protocol, "");
        assert!(child.status.success(), "{}\n{}", child.out, child.err);
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:?}: {}",
            begun.elapsed(),
            child.out
        );
        let spans = collector.spans();
        let hostile: Vec<_> = spans.iter().filter(|span| span.name == "hostile").collect();
        assert_eq!(hostile.len(), 2 * HOSTILE.len());
        for span in hostile {
            let text = |name: &str| match attribute(span, name) {
                Some(Kind::StringValue(text)) => text,
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(attribute(span, "good"), Some(Kind::IntValue(1)));
            for field in ["debug", "display", "late"] {
                let (name, value) = (text("name"), text(field));
                assert!(value.len() <= 64 << 10, "{name}: {} bytes", value.len());
                match name.as_str() {
                    "uses" => assert_eq!(value, "used tracing"),
                    "never ends" => assert!(value.starts_with("for ever")),
                    "is huge" => assert!(value.starts_with("xxx")),
                    _ => assert_eq!(value, "<unprintable>", "{name}"),
                }
            }
        }
    }
}

// === F18 ===

/// Ends the process from where the telemetry works.
struct ExitsHere;

impl Enrich for ExitsHere {
    fn after_span(&self, span: &mut SpanMut<'_>) {
        if span.name() == "last" {
            std::process::exit(7);
        }
    }
}

/// How a process ends, what it says by that, and whether everything recorded before a flush must have arrived.
const ENDS: [(&str, Option<i32>); 8] = [
    ("exec", Some(0)),
    ("exit", Some(7)),
    ("abort", None),
    ("panic", None),
    ("forget", Some(0)),
    ("exit in a handler", Some(7)),
    ("exit in a hook", Some(7)),
    ("exit while another thread flushes", Some(7)),
];

fn end(how: &str, endpoint: OtlpConfig) {
    let mut setup = builder(endpoint);
    if how == "exit in a hook" {
        setup = setup.enrich(ExitsHere);
    }
    let telemetry = setup.build().unwrap();
    telemetry.install().unwrap();
    for n in 0..10_u64 {
        info_span!("work", n).in_scope(|| {});
    }
    let open = info_span!("open");
    let _inside = open.enter();
    let report = telemetry.flush(SOON);
    assert_balanced("before the end", &report);
    assert!(report.is_complete(), "{report}");
    // What comes now is in memory when the process ends.
    for n in 10..20_u64 {
        info_span!("work", n).in_scope(|| {});
    }
    assert_balanced("at the end", &telemetry.stats());
    match how {
        "exec" => {
            let error = Command::new("/bin/true").exec();
            panic!("{error}");
        }
        "exit" => std::process::exit(7),
        "abort" => std::process::abort(),
        "panic" => {
            std::panic::set_hook(Box::new(|_| {
                info!("as panic = \"abort\" has it");
                std::process::abort()
            }));
            panic!("in the application");
        }
        "forget" => std::mem::forget(telemetry),
        "exit in a handler" => {
            telemetry.bus().on_event(|_| std::process::exit(7));
            info!(genai.event = "order.placed");
            std::thread::sleep(SOON);
        }
        "exit in a hook" => {
            info_span!("last").in_scope(|| {});
            std::thread::sleep(SOON);
        }
        "exit while another thread flushes" => {
            let telemetry: &'static Telemetry = Box::leak(Box::new(telemetry));
            std::thread::spawn(move || {
                loop {
                    info_span!("meanwhile").in_scope(|| {});
                    telemetry.flush(SOON);
                }
            });
            std::thread::sleep(Duration::from_millis(20));
            std::process::exit(7);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn f18_however_a_process_ends_it_ends_at_once_and_what_was_flushed_has_arrived() {
    let test =
        "processes::f18_however_a_process_ends_it_ends_at_once_and_what_was_flushed_has_arrived";
    if is_alone(test) {
        end(&told(HOW), given());
        return;
    }
    std::thread::scope(|scope| {
        for protocol in BOTH {
            for (how, code) in ENDS {
                scope.spawn(move || {
                    let collector = Collector::start();
                    let begun = Instant::now();
                    let child = elsewhere(test, &collector.endpoint(), protocol, how);
                    let took = begun.elapsed();
                    assert_eq!(child.status.code(), code, "{how}: {}", child.err);
                    assert!(took < Duration::from_secs(10), "{how}: {took:?}");
                    let mut numbers = numbers(&collector);
                    numbers.sort_unstable();
                    let flushed: Vec<u64> = (0..10).collect();
                    assert_eq!(numbers[..10], flushed, "{how}");
                    numbers.dedup();
                    assert!(numbers.len() <= 20, "{how}: what is in memory may be lost");
                });
            }
        }
    });
}

/// A collector that takes nothing must not keep a process that ends.
#[test]
fn f18_a_process_ends_at_once_while_its_collector_hangs() {
    let test = "processes::f18_a_process_ends_at_once_while_its_collector_hangs";
    if is_alone(test) {
        let telemetry = builder(given()).build().unwrap();
        telemetry.install().unwrap();
        info_span!("work", n = 1_u64).in_scope(|| {});
        let report = telemetry.flush(Duration::from_millis(200));
        assert_balanced("while it hangs", &report);
        assert_eq!(report.traces.unwrap().pending, 1);
        match told(HOW).as_str() {
            "exit" => std::process::exit(7),
            "abort" => std::process::abort(),
            "drop" => {
                // Five seconds at most, by the promise of dropping.
                drop(telemetry);
                std::process::exit(7);
            }
            _ => std::mem::forget(telemetry),
        }
        return;
    }
    for (how, code) in [
        ("exit", Some(7)),
        ("abort", None),
        ("forget", Some(0)),
        ("drop", Some(7)),
    ] {
        let collector = Collector::start();
        for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
            collector.always(signal, Answer::Hang);
        }
        let begun = Instant::now();
        let child = elsewhere(test, &collector.endpoint(), Protocol::Grpc, how);
        assert_eq!(child.status.code(), code, "{how}: {}", child.err);
        let most = Duration::from_secs(if how == "drop" { 15 } else { 10 });
        assert!(begun.elapsed() < most, "{how}: {:?}", begun.elapsed());
    }
}

// === F20 ===

/// A neighbour that takes everything, and counts what clients of the network say.
#[derive(Clone, Default)]
struct TakesAll(Arc<AtomicUsize>);

impl TakesAll {
    fn note(&self, target: &str) {
        if [
            "h2",
            "hyper",
            "hyper_util",
            "rustls",
            "tower",
            "tracing_genai",
        ]
        .iter()
        .any(|known| target.split("::").next() == Some(known))
        {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl<S: Subscriber> tracing_subscriber::Layer<S> for TakesAll {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        _: &tracing::Id,
        _: Context<'_, S>,
    ) {
        self.note(attributes.metadata().target());
    }
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        self.note(event.metadata().target());
    }
}

/// Records for this long, with everybody listening to everything, and says how many records it made itself.
fn at_trace(time: Duration) {
    let all = TakesAll::default();
    // What is left out by default is taken in here: the client's own libraries are steps too.
    let libraries = [
        "h2",
        "hyper",
        "hyper_util",
        "rustls",
        "tower",
        "tokio",
        "tracing_genai",
        "faults",
    ];
    let telemetry = builder(given())
        .level(LevelFilter::TRACE)
        .steps(Steps::Targets(libraries.map(str::to_owned).to_vec()))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(all.clone())
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::sink))
        .with(telemetry.layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    assert!(tracing::enabled!(Level::TRACE));
    let begun = Instant::now();
    let mut made = 0;
    while begun.elapsed() < time {
        info_span!("work", n = made).in_scope(|| {});
        made += 1;
        telemetry.flush(Duration::from_millis(100));
    }
    let ended = settle(
        &telemetry,
        None,
        Duration::from_secs(1),
        Duration::from_secs(1),
    );
    assert_eq!(
        ended.ended.capture.accepted, made,
        "records of its own making"
    );
    assert_eq!(
        all.0.load(Ordering::SeqCst),
        0,
        "nobody else hears of it either"
    );
    let traces = ended.traces();
    assert_eq!(traces.accepted, made);
    println!(
        "made {made}, delivered {}, given up {}",
        traces.delivered,
        traces.dropped.get(&Loss::ShutdownTimeout).unwrap_or(&0)
    );
    // The same client outside of our thread does say something: the silence is our doing.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let resolved = given().resolve(&|_| None).unwrap().unwrap();
        let transport = Transport::new(&resolved).unwrap();
        let _: Verdict = transport.send(Signal::Traces, vec![0x0a, 0].into()).await;
    });
    if told(PROTOCOL) == "grpc" && told(HOW) != "closed" {
        assert!(
            all.0.load(Ordering::SeqCst) > 0,
            "h2 speaks, if it is heard"
        );
    }
}

fn silent_at_trace(test: &str, time: Duration) {
    if is_alone(test) {
        at_trace(time);
        return;
    }
    std::thread::scope(|scope| {
        for protocol in BOTH {
            for how in ["takes all", "fails", "closed"] {
                scope.spawn(move || {
                    let collector = Collector::start();
                    if how == "fails" {
                        for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
                            collector.always(signal, Answer::status(503));
                        }
                    }
                    let endpoint = match how {
                        "closed" => format!("http://{}", closed_address()),
                        _ => collector.endpoint(),
                    };
                    let child = elsewhere(test, &endpoint, protocol, how);
                    assert!(
                        child.status.success(),
                        "{how} {protocol}: {}\n{}",
                        child.out,
                        child.err
                    );
                    let work = collector.spans().into_iter().filter(|s| s.name != "work");
                    assert_eq!(work.count(), 0);
                    if how == "takes all" {
                        assert!(!collector.spans().is_empty());
                    } else {
                        assert!(collector.spans().is_empty());
                    }
                });
            }
        }
    });
}

#[test]
fn f20_our_own_client_makes_no_record_while_everybody_listens_at_trace() {
    silent_at_trace(
        "processes::f20_our_own_client_makes_no_record_while_everybody_listens_at_trace",
        Duration::from_secs(2),
    );
}

/// `cargo test --test faults -- --ignored f20`
#[test]
#[ignore = "nearly half a minute, below the deadline of the processes it starts"]
fn f20_our_own_client_makes_no_record_for_long() {
    silent_at_trace(
        "processes::f20_our_own_client_makes_no_record_for_long",
        Duration::from_secs(24),
    );
}

/// What the collector counts is what a process that ended in order said.
#[test]
fn the_books_of_another_process_agree_with_its_collector() {
    let test = "processes::the_books_of_another_process_agree_with_its_collector";
    if is_alone(test) {
        let telemetry = builder(given()).build().unwrap();
        crate::spans(&telemetry, 0..100);
        let ended = settle(&telemetry, None, SOON, SOON);
        println!("delivered {}", ended.traces().delivered);
        return;
    }
    let collector = Collector::start();
    let child = elsewhere(test, &collector.endpoint(), Protocol::HttpProtobuf, "");
    assert!(child.status.success(), "{}", child.err);
    assert!(
        child
            .out
            .contains(&format!("delivered {}", collector.spans().len()))
    );
    let nothing = tracing_genai::Report::default();
    assert_agrees(&nothing, &collector, Acks::Arrive);
}
