//! What set what off, and in which order.

use crate::support::waiting::block_on;
use std::collections::BTreeSet;
use std::future::ready;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};
use tracing_genai::bus::{Delivery, Overflow};
use tracing_genai::event::Phase;
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{
    OnMisuse, ScopePolicy, agent, chat, emission, event, scope, step, tool, triggered_by, workflow,
};
use tracing_subscriber::prelude::*;

use crate::vocabulary::*;

#[test]
fn starts_ends_and_children_name_each_other() {
    let all = events(|| {
        workflow("w")
            .in_scope(|_| {
                step("s").in_scope(|_| {
                    chat("openai", "m").start().complete();
                    tool("t").in_scope(|_| Ok::<_, Lost>(()))
                })
            })
            .unwrap();
    });
    let started = |subject: &str| named(&all, &format!("{subject}.started"));
    let ended = |subject: &str| named(&all, &format!("{subject}.completed"));
    for (child, parent) in [
        ("step", "workflow"),
        ("llm.call", "step"),
        ("tool.call", "step"),
    ] {
        assert_eq!(
            started(child).cx.parent_event,
            Some(started(parent).id),
            "{child}"
        );
        assert_eq!(
            ended(child).cx.parent_event,
            Some(started(parent).id),
            "{child}"
        );
    }
    for subject in ["workflow", "step", "llm.call", "tool.call"] {
        assert_eq!(ended(subject).cx.started_event, Some(started(subject).id));
        assert_eq!(ended(subject).cx.span, started(subject).cx.span);
    }
    assert_eq!(started("workflow").cx.parent_event, None);
}

#[test]
fn each_event_of_an_execution_names_the_one_before_it() {
    let all = events(|| {
        agent("a")
            .in_scope(|agent| {
                agent.event("plan.refined").emit();
                tool("t").in_scope(|_| Ok::<_, Lost>(()))
            })
            .unwrap();
        agent("b").start().complete();
    });
    let mut at = named(&all[..5], "agent.execution.completed");
    let mut walked = vec![at.ty.to_string()];
    while let Some(before) = at.cx.previous {
        at = all.iter().find(|event| event.id == before).unwrap();
        walked.push(at.ty.to_string());
    }
    assert_eq!(
        walked,
        [
            "agent.execution.completed",
            "tool.call.completed",
            "tool.call.started",
            "plan.refined",
            "agent.execution.started"
        ]
    );
    assert_eq!(all[5].cx.previous, None, "another execution begins anew");
}

#[test]
fn a_cause_is_on_what_it_set_off_is_linked_by_spans_and_restored_on_exit_and_panic() {
    let capture = capture();
    capture.record(|| {
        let origin = tool("sensor").start();
        origin.complete();
        let all = capture.events();
        let cause = named(&all, "tool.call.completed").clone();
        triggered_by(&cause).in_scope(|| {
            step("outer")
                .in_scope(|_| step("inner").in_scope(|_| Ok::<_, Lost>(())))
                .unwrap();
            let other = event("other.cause").emit().unwrap();
            let _guard = triggered_by(other).enter();
            step("nested").start().complete();
        });
        let panicked = catch_unwind(|| triggered_by(&cause).in_scope(|| panic!("on purpose")));
        assert!(panicked.is_err());
        step("after").start().complete();
        block_on(triggered_by(&cause).run(async {
            step("awaited").run(ready(Ok::<_, Lost>(()))).await.unwrap();
        }));
        tool("named").triggered_by(&cause).start().complete();
        event("named.too").triggered_by(&cause).emit();
    });
    let all = capture.events();
    let cause = all
        .iter()
        .find(|event| event.ty == "tool.call.completed")
        .unwrap()
        .id;
    let of = |name: &str| {
        let found = all
            .iter()
            .find(|event| &*event.name == name && event.phase == Phase::Started);
        found.unwrap().cx.triggered_by
    };
    assert_eq!(of("outer"), Some(cause));
    assert_eq!(of("inner"), Some(cause));
    assert_eq!(of("nested"), Some(named(&all, "other.cause").id));
    assert_eq!(of("after"), None);
    assert_eq!(of("awaited"), Some(cause));
    assert_eq!(of("execute_tool named"), Some(cause));
    assert_eq!(named(&all, "named.too").cx.triggered_by, Some(cause));
    let sensor = capture.span("execute_tool sensor");
    let links = |name: &str| {
        let span = capture.span(name);
        span.links
            .iter()
            .map(|link| link.span_id())
            .collect::<Vec<_>>()
    };
    assert_eq!(links("outer"), [sensor.span_id]);
    assert!(links("inner").is_empty(), "the outermost span links it");
    assert_eq!(links("awaited"), [sensor.span_id]);
    assert_eq!(links("execute_tool named"), [sensor.span_id]);
}

#[test]
fn the_emission_sequence_counts_per_thread_from_one_and_can_be_reset_and_set() {
    std::thread::spawn(|| {
        assert_eq!(emission::current(), 0);
        assert_eq!((emission::next(), emission::next()), (1, 2));
        emission::reset();
        assert_eq!(emission::next(), 1);
        emission::set(41);
        assert_eq!(emission::next(), 42);
        let other = std::thread::spawn(emission::next).join().unwrap();
        assert_eq!(other, 1, "other threads count for themselves");
        let event = only(|| event("a.b").emit());
        assert_eq!(event.seq, 43);
        assert_eq!(emission::current(), 43);
    })
    .join()
    .unwrap();
}

#[test]
fn the_cursor_is_unique_and_increasing_over_threads_and_installations() {
    let captures: Vec<Capture> = (0..2).map(|_| capture()).collect();
    std::thread::scope(|threads| {
        for n in 0..8 {
            let capture = &captures[n % 2];
            threads.spawn(move || {
                capture.record(|| {
                    for k in 0..500 {
                        event("a.b").attr("k", k).emit();
                    }
                });
            });
        }
    });
    let mut cursors = BTreeSet::new();
    for capture in &captures {
        let all = capture.events();
        assert_eq!(all.len(), 2_000);
        assert!(all.windows(2).all(|pair| pair[0].cursor < pair[1].cursor));
        cursors.extend(all.iter().map(|event| event.cursor));
    }
    assert_eq!(cursors.len(), 4_000);
}

#[test]
fn events_of_one_trace_stay_in_order_for_each_subscriber_though_the_task_moves_between_threads() {
    let capture = capture_with(|builder| builder.chunk_text(true));
    let mut seen = capture
        .telemetry()
        .bus()
        .subscribe_with(10_000, Overflow::DropNewest);
    let subscriber = tracing_subscriber::registry().with(capture.telemetry().layer());
    let dispatch = tracing::Dispatch::new(subscriber);
    let _enter = tracing::dispatcher::set_default(&dispatch);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .on_thread_start({
            let dispatch = dispatch.clone();
            move || std::mem::forget(tracing::dispatcher::set_default(&dispatch))
        })
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                tokio::spawn(async move {
                    let call = chat("openai", &format!("m{n}")).start();
                    for k in 0..100 {
                        call.chunk(&k.to_string());
                        tokio::task::yield_now().await;
                    }
                    call.complete();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    capture.flush();
    let mut of_trace: std::collections::HashMap<_, Vec<String>> = Default::default();
    while let Some(Delivery::Event(event)) = seen.try_recv() {
        let told = match &event.body {
            Some(body) => body.as_str().unwrap().to_owned(),
            None => event.phase.to_string(),
        };
        of_trace.entry(event.cx.trace).or_default().push(told);
    }
    assert_eq!(of_trace.len(), 8);
    let mut expected: Vec<_> = (0..100).map(|k| k.to_string()).collect();
    expected.insert(0, "started".to_owned());
    expected.push("completed".to_owned());
    for told in of_trace.values() {
        assert_eq!(*told, expected);
    }
}

#[test]
fn spans_nested_too_deeply_or_left_out_of_order_are_counted_and_told_as_the_policy_says() {
    fn nest(depth: u32) {
        if depth > 0 {
            step("s")
                .in_scope(|_| {
                    nest(depth - 1);
                    Ok::<_, Lost>(())
                })
                .unwrap();
        }
    }
    for (policy, told) in [
        (OnMisuse::Silent, 0),
        (OnMisuse::Warn, 0),
        (OnMisuse::Error, 3),
    ] {
        let capture = capture_with(|builder| {
            builder.scopes(ScopePolicy {
                too_deep: policy,
                mismatch: policy,
                ..ScopePolicy::default()
            })
        });
        capture.record(|| {
            nest(100);
            assert_eq!(capture.telemetry().stats().scopes.too_deep, 0);
            nest(102);
            let (a, b) = (step("a").start(), step("b").start());
            let (first, second) = (a.span().clone().entered(), b.span().clone().entered());
            drop(first);
            drop(second);
        });
        let scopes = capture.flush().scopes;
        assert_eq!((scopes.too_deep, scopes.mismatched), (2, 1));
        let all = capture.events();
        let errors = all
            .iter()
            .filter(|event| event.ty == "instrumentation.errored");
        assert_eq!(errors.count(), told);
        assert_eq!(
            capture.spans().len(),
            204,
            "the spans are recorded all the same"
        );
    }
}

#[test]
fn attributes_of_a_scope_and_identity_reach_what_is_emitted_inside_and_across_tasks() {
    let capture = capture();
    capture.record(|| {
        scope([
            ("user.id", "u1"),
            ("session.id", "s1"),
            ("correlation.id", "c1"),
        ])
        .in_scope(|| {
            event("a.b").emit();
            scope([("user.id", "u2")]).in_scope(|| event("a.c").emit());
            event("a.d").emit();
        });
        event("a.e").emit();
    });
    let all = capture.events();
    let user = |ty: &str| text(named(&all, ty), "user.id").map(str::to_owned);
    assert_eq!(user("a.b").as_deref(), Some("u1"));
    assert_eq!(user("a.c").as_deref(), Some("u2"));
    assert_eq!(user("a.d").as_deref(), Some("u1"));
    assert_eq!(user("a.e"), None);
    let who = &named(&all, "a.b").who;
    assert_eq!(who.session_id.as_deref(), Some("s1"));
    assert_eq!(who.correlation_id.as_deref(), Some("c1"));
}

#[test]
fn a_handler_that_emits_to_itself_ends_at_the_depth_limit_and_blocks_nobody() {
    let capture = capture();
    let dispatch =
        tracing::Dispatch::new(tracing_subscriber::registry().with(capture.telemetry().layer()));
    let inside = dispatch.clone();
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    capture.telemetry().bus().on_event(move |seen| {
        if seen.ty == "echo.heard" {
            *counted.lock().unwrap() += 1;
            tracing::dispatcher::with_default(&inside, || event("echo.heard").emit());
        }
    });
    tracing::dispatcher::with_default(&dispatch, || event("echo.heard").emit());
    crate::support::waiting::until("the chain ends", || {
        capture.flush();
        capture.telemetry().bus().stats().too_deep > 0
    });
    assert_eq!(*calls.lock().unwrap(), 17, "the first and sixteen echoes");
}
