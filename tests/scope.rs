//! Attributes for everything in a scope.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use tracing::info;
use tracing_genai::testing::{Capture, capture};
use tracing_genai::{agent, scope, tool};
use tracing_subscriber::prelude::*;

fn attr(capture: &Capture, span: &str, name: &str) -> Option<String> {
    capture.span(span).attr(name).map(ToString::to_string)
}

#[test]
fn a_scope_reaches_spans_and_moments_inside_and_an_inner_scope_restores_the_outer_one() {
    let capture = capture();
    capture.record(|| {
        scope([("user.id", "u1"), ("tenant", "acme")]).in_scope(|| {
            tool("before").start().complete();
            scope([("user.id", "u2")]).in_scope(|| {
                tool("inside").start().complete();
                info!(genai.event = "order.placed");
            });
            tool("after").attr("tenant", "own").start().complete();
        });
        tool("outside").start().complete();
    });
    let of = |name: &str| {
        let span = format!("execute_tool {name}");
        (
            attr(&capture, &span, "user.id"),
            attr(&capture, &span, "tenant"),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("before"), (some("u1"), some("acme")));
    assert_eq!(of("inside"), (some("u2"), some("acme")));
    assert_eq!(of("after"), (some("u1"), some("own")));
    assert_eq!(of("outside"), (None, None));
    let events = capture.events();
    let moment = events.iter().find(|e| e.ty == "order.placed").unwrap();
    assert_eq!(moment.attr("user.id").unwrap().as_str(), Some("u2"));
}

#[test]
fn a_panic_restores_the_scope_around_it() {
    let capture = capture();
    capture.record(|| {
        let _ =
            std::panic::catch_unwind(|| scope([("user.id", "u1")]).in_scope(|| panic!("inside")));
        tool("after").start().complete();
    });
    assert_eq!(attr(&capture, "execute_tool after", "user.id"), None);
}

#[test]
fn a_spawned_task_inherits_session_and_correlation_through_its_parent_span() {
    let capture = capture();
    let subscriber = tracing_subscriber::registry().with(capture.telemetry().layer());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        use tracing::instrument::WithSubscriber as _;
        runtime.block_on(
            scope([("session.id", "s1"), ("correlation.id", "c1")]).run(async {
                let root = agent("planner").start();
                let task = tool("search").parent(root.span()).start();
                tokio::spawn(
                    async move {
                        tokio::task::yield_now().await;
                        task.in_scope(|| tool("inner").start().complete());
                        task.complete();
                    }
                    .with_current_subscriber(),
                )
                .await
                .unwrap();
                root.complete();
            }),
        );
    });
    for event in capture.events() {
        assert_eq!(event.who.session_id.as_deref(), Some("s1"), "{event}");
        assert_eq!(event.who.correlation_id.as_deref(), Some("c1"), "{event}");
    }
    assert_eq!(capture.spans().len(), 3);
}
