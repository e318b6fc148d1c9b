//! Order: what a trace does arrives as it was done, though its task moves between threads.

use std::{collections::HashMap, sync::mpsc};

use tracing::Instrument as _;
use tracing_genai::{
    Telemetry, agent,
    bus::{Bus, Overflow},
    chat,
    event::{Event, TraceId},
};
use tracing_subscriber::prelude::*;

use crate::support::*;

const TASKS: usize = 16;
const MARKS: i64 = 50;

/// Runs tasks that mark their progress and move between threads as they do; says on how many threads each ran.
async fn marking_tasks() -> usize {
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let span = tracing::info_span!("task", gen_ai.operation.name = "invoke_agent", task);
            let marks = async move {
                let mut threads = std::collections::HashSet::new();
                for mark in 0..MARKS {
                    tracing::info!(genai.event = "order.mark", mark);
                    threads.insert(std::thread::current().id());
                    tokio::task::yield_now().await;
                }
                threads.len()
            };
            tokio::spawn(marks.instrument(span))
        })
        .collect();
    let mut most = 0;
    for task in tasks {
        most = most.max(task.await.unwrap());
    }
    most
}

fn assert_in_order(events: impl IntoIterator<Item = Event>) {
    let mut traces: HashMap<TraceId, Vec<Event>> = HashMap::new();
    for event in events {
        traces.entry(event.cx.trace).or_default().push(event);
    }
    assert_eq!(traces.len(), TASKS);
    for events in traces.values() {
        let marks = events
            .iter()
            .filter_map(|event| event.attr("mark")?.as_i64());
        assert!(marks.eq(0..MARKS));
        assert!(events.is_sorted_by(|one, next| one.cursor < next.cursor));
        assert!(events[0].ty == "agent.execution.started");
        assert!(events.last().unwrap().ty == "agent.execution.completed");
    }
}

#[test]
fn events_of_one_trace_arrive_in_order_though_their_task_moves_between_threads() {
    let telemetry = Telemetry::builder("order").build().unwrap();
    let mut subscription = telemetry.bus().subscribe_with(10_000, Overflow::DropOldest);
    let (sender, handled) = mpsc::channel();
    telemetry
        .bus()
        .on_event(move |event| sender.send(event.clone()).unwrap());
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    let start = {
        let dispatch = dispatch.clone();
        move || std::mem::forget(tracing::dispatcher::set_default(&dispatch))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .on_thread_start(start)
        .build()
        .unwrap();
    let most = tracing::dispatcher::with_default(&dispatch, || {
        runtime.block_on(async { tokio::spawn(marking_tasks()).await.unwrap() })
    });
    assert!(most > 1, "no task has moved");
    assert!(telemetry.shutdown().is_complete());
    let mut read = Vec::new();
    while let Some(delivery) = subscription.try_recv() {
        read.push(delivery.into_event().expect("everything fits"));
    }
    assert_in_order(read);
    assert_in_order(handled.try_iter());
}

#[test]
fn a_hundred_chunks_of_a_stream_keep_their_order() {
    let telemetry = Telemetry::builder("chunks")
        .environment(|_| None)
        .build()
        .unwrap();
    let mut chunks = telemetry.bus().subscribe_to("llm.call.chunk").unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        let _agent = agent("writer").start();
        let call = chat("openai", "gpt-4o").start();
        for number in 0..100 {
            call.chunk(&number.to_string());
        }
        call.complete();
    });
    assert!(telemetry.shutdown().is_complete());
    let read: Vec<_> = std::iter::from_fn(|| chunks.try_recv())
        .map(|delivery| delivery.into_event().expect("a hundred fit").cursor)
        .collect();
    assert_eq!(read.len(), 100);
    assert!(read.is_sorted_by(|one, next| one < next));
}

#[test]
fn several_publishers_keep_their_own_order_for_each_reader() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe_with(10_000, Overflow::DropOldest);
    std::thread::scope(|scope| {
        for publisher in 0..4 {
            let bus = &bus;
            scope.spawn(move || publish(bus, publisher * 1_000..publisher * 1_000 + 500));
        }
    });
    let read: Vec<_> = drain(&mut subscription).into_iter().flatten().collect();
    assert_eq!(read.len(), 2_000);
    for publisher in 0..4 {
        let own = read.iter().filter(|number| **number / 1_000 == publisher);
        assert!(own.is_sorted());
    }
}
