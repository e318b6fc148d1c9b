//! What an event on the bus costs whoever publishes it, and what a million of them cost, beside `tokio::sync::broadcast`.
//!
//! `cargo bench --bench bus`. Readers read up between two batches, untimed, so nobody drops: dropping is cheaper.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[allow(dead_code, reason = "its loop is for spans")]
#[path = "support/measure.rs"]
mod measure;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use measure::median;
use tokio::sync::broadcast;
use tracing_genai::bus::{Bus, Filter, Handler, Overflow};
use tracing_genai::event::{Event, EventData, EventType, LlmCallCompleted};

/// Events in a batch: they fit into every queue.
const BATCH: usize = 1_000;
const BATCHES: usize = 400;
const MILLION: u64 = 1_000_000;
/// Publishers of the bus never wait, so whoever publishes a million as fast as it can holds back before queues are full.
const IN_FLIGHT: u64 = 8_192;

fn event() -> Event {
    let ty = EventType::parse("llm.call.completed").unwrap();
    let mut data = EventData::new(ty, SystemTime::now());
    data.attrs.set("gen_ai.request.model", "gpt-4o-mini");
    data.attrs.set("gen_ai.usage.input_tokens", 1_200);
    data.attrs.set("gen_ai.usage.output_tokens", 340);
    Event::new(data)
}

#[derive(Clone, Copy)]
struct Cost {
    nanos: f64,
    allocations: f64,
}

/// What `publish` costs an event, the median of all batches; `catch_up` runs between two of them.
fn cost(publish: impl Fn(Event), mut catch_up: impl FnMut()) -> Cost {
    let event = event();
    let batch = || (0..BATCH).for_each(|_| publish(event.clone()));
    let mut nanos = Vec::with_capacity(BATCHES);
    for number in 0..BATCHES + BATCHES / 4 {
        let begun = Instant::now();
        batch();
        if number >= BATCHES / 4 {
            nanos.push(begun.elapsed().as_nanos() as f64 / BATCH as f64);
        }
        catch_up();
    }
    let allocations = allocation_counter::measure(batch).count_total as f64 / BATCH as f64;
    catch_up();
    Cost {
        nanos: median(nanos),
        allocations,
    }
}

fn on_bus(subscribers: usize) -> Cost {
    let bus = Bus::new();
    let mut readers: Vec<_> = (0..subscribers).map(|_| bus.subscribe()).collect();
    let cost = cost(
        |event| bus.publish(event),
        || {
            for reader in &mut readers {
                while reader.try_recv().is_some() {}
            }
        },
    );
    assert_eq!(bus.stats().lagged, 0);
    cost
}

/// Subscribers that want something else: what the comparison costs.
fn past(subscribers: usize) -> Cost {
    let bus = Bus::new();
    let _readers: Vec<_> = (0..subscribers)
        .map(|_| bus.subscribe_to("tool.call.*").unwrap())
        .collect();
    let cost = cost(|event| bus.publish(event), || ());
    assert_eq!(bus.stats().offered, 0);
    cost
}

fn on_broadcast(subscribers: usize) -> Cost {
    let (sender, receiver) = broadcast::channel(1_024);
    let mut readers: Vec<_> = (0..subscribers).map(|_| sender.subscribe()).collect();
    drop(receiver);
    cost(
        |event| drop(sender.send(event)),
        || {
            for reader in &mut readers {
                while reader.try_recv().is_ok() {}
            }
        },
    )
}

fn with_handlers(handlers: usize) -> Cost {
    let bus = Bus::new();
    for _ in 0..handlers {
        bus.on::<LlmCallCompleted>(|call| {
            std::hint::black_box(call.usage.input_tokens);
        });
    }
    let cost = cost(|event| bus.publish(event), || settle(&bus));
    assert_eq!(bus.stats().handler_lagged, 0);
    cost
}

fn with_tap() -> Cost {
    let bus = Bus::new();
    bus.tap(Filter::new(), |event| {
        std::hint::black_box(event.cursor);
    });
    cost(|event| bus.publish(event), || ())
}

fn settle(bus: &Bus) {
    assert!(bus.flush(Instant::now() + Duration::from_secs(60)).complete);
}

/// What an event of a million cost, both sides together.
#[derive(Clone, Copy)]
struct Whole {
    /// Nanoseconds from the first publish until all have been read.
    wall: f64,
    /// Nanoseconds of CPU of the whole process, to 10; says more on a machine that is busy elsewhere.
    cpu: f64,
}

/// Milliseconds of CPU this process has used, where the system says so.
fn cpu_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        * 10.0
}

fn million(publish: impl Fn(Event), seen: &AtomicU64) -> Whole {
    let event = event();
    let (begun, used) = (Instant::now(), cpu_millis());
    for sent in 0..MILLION {
        while sent - seen.load(Ordering::Relaxed) >= IN_FLIGHT {
            std::thread::yield_now();
        }
        publish(event.clone());
    }
    while seen.load(Ordering::Relaxed) < MILLION {
        std::thread::yield_now();
    }
    // A millisecond for a million is a nanosecond for one.
    Whole {
        wall: begun.elapsed().as_nanos() as f64 / MILLION as f64,
        cpu: cpu_millis() - used,
    }
}

/// Through `handlers`, and then one that counts, after the last of them if `in_turn`.
fn million_to_handlers(names: &[&str], in_turn: bool) -> Whole {
    let bus = Bus::new();
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let mut last = Handler::named("counter").on::<LlmCallCompleted>(move |call| {
        std::hint::black_box(call.usage.input_tokens);
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut before: Option<&str> = None;
    for name in names {
        let mut handler = Handler::named(*name).on::<LlmCallCompleted>(|_| ());
        if let Some(before) = before.filter(|_| in_turn) {
            handler = handler.after(before);
        }
        bus.add(handler).unwrap();
        before = Some(name);
    }
    if let Some(before) = before.filter(|_| in_turn) {
        last = last.after(before);
    }
    bus.add(last).unwrap();
    let whole = million(|event| bus.publish(event), &seen);
    assert_eq!(bus.stats().handler_lagged, 0);
    whole
}

fn million_to_async_handler() -> Whole {
    let bus = Bus::new();
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    bus.on_async::<LlmCallCompleted>(async move |event: Event| {
        std::hint::black_box(event.cursor);
        counter.fetch_add(1, Ordering::Relaxed);
    });
    million(|event| bus.publish(event), &seen)
}

fn million_to_reader() -> Whole {
    let bus = Bus::new();
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let mut reader = bus.subscribe_with(1 << 14, Overflow::DropOldest);
    let reading = std::thread::spawn(move || {
        while let Some(delivery) = reader.recv() {
            std::hint::black_box(delivery.event());
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let whole = million(|event| bus.publish(event), &seen);
    assert_eq!(bus.stats().lagged, 0);
    bus.close();
    reading.join().unwrap();
    whole
}

fn million_over_broadcast() -> Whole {
    let (sender, mut receiver) = broadcast::channel(1 << 14);
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let reading = std::thread::spawn(move || {
        while let Ok(event) = receiver.blocking_recv() {
            std::hint::black_box(Event::clone(&event).cursor);
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let whole = million(|event| drop(sender.send(event)), &seen);
    drop(sender);
    reading.join().unwrap();
    whole
}

fn main() {
    println!("publishing one event                     time   allocations   of broadcast");
    for subscribers in [0, 1, 8] {
        let (ours, theirs) = (on_bus(subscribers), on_broadcast(subscribers));
        for (who, cost) in [("bus", ours), ("tokio broadcast", theirs)] {
            let name = format!("{who}, {subscribers} subscribers");
            println!(
                "{name:36} {:5.0} ns {:13.2} {:13.2}",
                cost.nanos,
                cost.allocations,
                cost.nanos / theirs.nanos
            );
        }
    }
    for (name, cost) in [
        ("bus, 8 subscribers to other types", past(8)),
        ("bus, 1 handler", with_handlers(1)),
        ("bus, 8 handlers", with_handlers(8)),
        ("bus, 1 tap", with_tap()),
    ] {
        println!("{name:36} {:5.0} ns {:13.2}", cost.nanos, cost.allocations);
    }

    println!("\na million events, per event               time          CPU   of broadcast");
    let broadcast = million_over_broadcast();
    for (name, whole) in [
        ("bus, typed handler", million_to_handlers(&[], false)),
        (
            "bus, two handlers at once",
            million_to_handlers(&["a"], false),
        ),
        (
            "bus, two handlers in turn",
            million_to_handlers(&["a"], true),
        ),
        (
            "bus, four handlers in turn",
            million_to_handlers(&["a", "b", "c"], true),
        ),
        ("bus, async handler", million_to_async_handler()),
        ("bus, subscription", million_to_reader()),
        ("tokio broadcast", broadcast),
    ] {
        let Whole { wall, cpu } = whole;
        println!(
            "{name:36} {wall:6.0} ns {cpu:9.0} ns {:13.2}",
            cpu / broadcast.cpu
        );
    }
}
