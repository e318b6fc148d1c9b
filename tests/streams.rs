//! Streamed answers: chunks on the bus, time to the first one, and an end on every way a stream can end.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt as _};
use opentelemetry::trace::Status;
use support::ends::{NotFound, ends, only_end};
use support::waiting::block_on;
use tracing::instrument::WithSubscriber as _;
use tracing_genai::event::{
    Event, EventSpec as _, FinishReason, LlmCallChunk, Phase, Usage, Value,
};
use tracing_genai::testing::{Capture, Captured, capture, capture_with};
use tracing_genai::{StreamExt as _, Telemetry, chat};
use tracing_subscriber::prelude::*;

fn chunks(capture: &Capture) -> Vec<Event> {
    let mut events = capture.events();
    events.retain(|event| event.ty == "llm.call.chunk");
    events
}

fn first_chunk_after(capture: &Capture) -> Option<f64> {
    only_end(capture)
        .1
        .attr("gen_ai.response.time_to_first_chunk")
        .and_then(Value::as_f64)
}

/// Reads a stream to its end on this thread.
fn read<S: Stream>(stream: S) -> Vec<S::Item> {
    block_on(stream.collect())
}

#[test]
fn a_hundred_chunks_come_in_order_on_the_bus_and_none_is_exported() {
    let capture = capture();
    let items = capture.record(|| {
        let call = chat("openai", "m").streaming().start();
        let words = stream::iter(1..=100).map(|n| "x".repeat(n));
        read(words.instrumented(call).inspect(|call, word| {
            call.chunk(word);
        }))
    });
    assert_eq!(items.len(), 100);
    let lengths: Vec<_> = chunks(&capture)
        .iter()
        .map(|chunk| chunk.attr("genai.chunk.bytes").unwrap().as_i64().unwrap())
        .collect();
    assert_eq!(lengths, (1..=100).collect::<Vec<_>>());
    let (_, span) = only_end(&capture);
    assert!(span.events.is_empty());
    capture.assert_sequence(["llm.call.started", "llm.call.chunk", "llm.call.completed"]);
}

#[test]
fn chunks_belong_to_their_call() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        call.response_model("m-2024").response_id("r1");
        read(stream::iter(["a", "b"]).instrumented(call));
    });
    let (end, _) = only_end(&capture);
    for chunk in chunks(&capture) {
        assert_eq!(chunk.cx.span, end.cx.span);
        assert_eq!(chunk.cx.parent_event, end.cx.started_event);
        let view = LlmCallChunk::view(&chunk).unwrap();
        assert_eq!((view.model, view.response_id), (Some("m-2024"), Some("r1")));
    }
}

#[test]
fn the_end_of_the_stream_completes_the_call() {
    let capture = capture();
    capture.record(|| read(stream::iter([1, 2, 3]).instrumented(chat("openai", "m").start())));
    let (end, span) = only_end(&capture);
    assert_eq!(
        (end.phase.clone(), span.status),
        (Phase::Completed, Status::Unset)
    );
}

#[test]
fn time_to_first_chunk_is_the_time_from_the_start_to_the_first_chunk_only() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").streaming().start();
        read(stream::iter([1, 2, 3, 4]).instrumented(call));
    });
    let (_, span) = only_end(&capture);
    let waited = first_chunk_after(&capture).unwrap();
    // The clock moves a millisecond at every reading.
    assert!(waited >= 0.001, "{waited}");
    assert!(
        waited + 0.003 <= span.duration.as_secs_f64(),
        "three more chunks came later: {waited} of {:?}",
        span.duration
    );
    assert_eq!((waited * 1000.0).fract(), 0.0, "in seconds: {waited}");
}

#[test]
fn an_empty_stream_has_no_first_chunk() {
    let capture = capture();
    capture.record(|| read(stream::empty::<u8>().instrumented(chat("openai", "m").start())));
    assert_eq!(only_end(&capture).0.phase, Phase::Completed);
    assert_eq!(first_chunk_after(&capture), None);
}

#[test]
fn a_time_to_first_chunk_that_the_client_measured_is_kept() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        call.set("gen_ai.response.time_to_first_chunk", 0.5);
        read(stream::iter([1]).instrumented(call));
    });
    assert_eq!(first_chunk_after(&capture), Some(0.5));
}

#[test]
fn time_to_first_chunk_needs_no_listener_on_the_bus() {
    let spans = Captured::default();
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .deterministic(Duration::from_millis(1))
        .span_exporter(spans.clone())
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        read(stream::iter([1, 2]).instrumented(chat("openai", "m").start()));
    });
    let report = telemetry.shutdown();
    assert_eq!(report.capture.accepted, 1, "the end alone: {report}");
    let spans = spans.spans();
    assert!(
        spans[0]
            .attr("gen_ai.response.time_to_first_chunk")
            .is_some()
    );
}

#[test]
fn dropping_the_stream_half_way_cancels_the_call_with_what_had_arrived() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "gpt-4o-mini").streaming().start();
        let words = stream::iter(["a", "b", "c"]).instrumented(call);
        let mut words = words.inspect(|call, word| {
            call.chunk(word)
                .usage(Usage::new().input(1_000_000).output(1_000_000));
        });
        assert_eq!(block_on(words.next()), Some("a"));
    });
    let (end, span) = only_end(&capture);
    assert_eq!(end.phase, Phase::Canceled);
    assert_eq!(chunks(&capture).len(), 1);
    assert_eq!(
        span.attr("gen_ai.usage.output_tokens"),
        Some(&Value::I64(1_000_000))
    );
    assert!(span.attr("gen_ai.usage.cost").unwrap().as_f64().unwrap() > 0.0);
    assert!(first_chunk_after(&capture).is_some());
    assert!(span.attr("error.type").is_none());
}

#[test]
fn a_stream_that_is_never_polled_cancels_the_call() {
    let capture = capture();
    capture.record(|| drop(stream::iter([1]).instrumented(chat("openai", "m").start())));
    assert_eq!(only_end(&capture).0.phase, Phase::Canceled);
}

#[test]
fn an_err_item_fails_the_call_with_its_type_and_is_no_chunk() {
    let capture = capture();
    let items = capture.record(|| {
        let call = chat("openai", "m").start();
        read(stream::iter([Ok("a"), Err(NotFound), Ok("b")]).try_instrumented(call))
    });
    assert_eq!(items.len(), 3, "the stream itself is unchanged");
    let (end, span) = only_end(&capture);
    assert_eq!(end.phase, Phase::Failed);
    assert_eq!(
        span.attr("error.type").unwrap().as_str(),
        Some("streams::support::ends::NotFound")
    );
    let before_the_end = chunks(&capture)
        .iter()
        .filter(|chunk| chunk.cursor < end.cursor)
        .count();
    assert_eq!(before_the_end, 1);
}

#[test]
fn a_try_stream_without_errors_completes_the_call() {
    let capture = capture();
    capture.record(|| {
        let items = stream::iter([Ok::<_, NotFound>("a"), Ok("b")]);
        read(items.try_instrumented(chat("openai", "m").start()));
    });
    assert_eq!(only_end(&capture).0.phase, Phase::Completed);
    assert_eq!(chunks(&capture).len(), 2);
}

#[test]
fn inspect_sees_every_item_and_decides_what_is_a_chunk() {
    enum Item {
        Ping,
        Word(&'static str),
        Done(Usage),
    }
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        let items = [
            Item::Ping,
            Item::Word("a"),
            Item::Ping,
            Item::Word("b"),
            Item::Done(Usage::new().input(3).output(2)),
        ];
        read(
            stream::iter(items)
                .instrumented(call)
                .inspect(|call, item| match item {
                    Item::Ping => {}
                    Item::Word(word) => drop(call.chunk(word)),
                    Item::Done(usage) => drop(call.usage(*usage).finish_reason("stop")),
                }),
        );
    });
    assert_eq!(chunks(&capture).len(), 2);
    let (end, _) = only_end(&capture);
    assert_eq!(FinishReason::from_attrs(&end.attrs), [FinishReason::Stop]);
    assert_eq!(Usage::from_attrs(&end.attrs).total(), Some(5));
}

#[test]
fn inspect_of_a_try_stream_sees_errors_before_they_fail_the_call() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        let items = stream::iter([Err::<(), _>(NotFound)]).try_instrumented(call);
        read(items.inspect(|call, item| {
            call.set("seen.error", item.is_err());
        }));
    });
    assert_eq!(
        only_end(&capture).1.attr("seen.error"),
        Some(&Value::Bool(true))
    );
}

#[test]
fn a_stream_read_in_another_task_keeps_its_call() {
    let capture = capture();
    capture.record(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let call = chat("openai", "m").start();
        let words = stream::iter(0..50).then(|n| async move {
            tokio::task::yield_now().await;
            tracing::info_span!("inside").in_scope(|| n)
        });
        let words = words.instrumented(call);
        let read = tokio::spawn;
        let task = {
            let _inside = runtime.enter();
            read(words.count().with_current_subscriber())
        };
        assert_eq!(runtime.block_on(task).unwrap(), 50);
    });
    let spans = capture.spans();
    let call = spans.iter().find(|s| s.name == "chat m").unwrap();
    let inside = spans.iter().filter(|s| s.parent_id == call.span_id);
    assert_eq!(inside.count(), 50);
    assert_eq!(chunks(&capture).len(), 50);
}

#[test]
fn polling_after_the_end_gives_none_and_does_not_poll_what_has_ended() {
    /// Ends once, and panics if it is asked again, which a stream may do.
    struct Once(bool);
    impl Stream for Once {
        type Item = u8;
        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
            assert!(!self.0, "polled after its end");
            self.0 = true;
            Poll::Ready(None)
        }
    }
    let capture = capture();
    capture.record(|| {
        let mut stream = Once(false).instrumented(chat("openai", "m").start());
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..3 {
            assert_eq!(stream.poll_next_unpin(&mut cx), Poll::Ready(None));
        }
        assert_eq!(stream.size_hint(), (0, Some(0)));
    });
    assert_eq!(only_end(&capture).0.phase, Phase::Completed);
}

#[test]
fn a_panic_of_the_stream_or_of_inspect_fails_the_call_even_if_it_is_caught() {
    let (a, b) = (capture(), capture());
    a.record(|| {
        let items = stream::iter([1]).map(|_| -> u8 { panic!("in the stream") });
        let mut items = items.instrumented(chat("openai", "m").start());
        catch_unwind(AssertUnwindSafe(|| block_on(items.next()))).unwrap_err();
    });
    b.record(|| {
        let items = stream::iter([1]).instrumented(chat("openai", "m").start());
        let mut items = items.inspect(|_, _| panic!("in inspect"));
        catch_unwind(AssertUnwindSafe(|| block_on(items.next()))).unwrap_err();
    });
    for capture in [a, b] {
        let error = only_end(&capture).0.error.clone().unwrap();
        assert_eq!(&*error.kind, "panic");
    }
}

#[test]
fn what_a_stream_holds_is_dropped_inside_the_call() {
    struct Connection;
    impl Drop for Connection {
        fn drop(&mut self) {
            tracing::info_span!("hang up").in_scope(|| {});
        }
    }
    let (whole, half) = (capture(), capture());
    let words = || {
        let connection = Connection;
        stream::iter([1, 2]).map(move |n| {
            let _ = &connection;
            n
        })
    };
    whole.record(|| read(words().instrumented(chat("openai", "m").start())));
    half.record(|| {
        let mut words = words().instrumented(chat("openai", "m").start());
        block_on(words.next())
    });
    for capture in [&whole, &half] {
        assert_eq!(capture.tree(), "chat m\n    hang up\n");
    }
    let phases: Vec<_> = ends(&half).iter().map(|e| e.phase.clone()).collect();
    assert_eq!(phases, [Phase::Completed, Phase::Canceled]);
}

// === content ===

const SECRET: &str = "the launch code is 4711";

fn stream_a_secret(capture: &Capture) {
    capture.record(|| {
        let call = chat("openai", "m").start();
        let words = stream::iter([SECRET]).instrumented(call);
        read(words.inspect(|call, word| {
            call.chunk(word);
        }));
    });
}

#[test]
fn the_text_of_chunks_is_nowhere_by_default() {
    let capture = capture();
    stream_a_secret(&capture);
    assert_eq!(
        chunks(&capture)[0].attr("genai.chunk.bytes"),
        Some(&Value::I64(SECRET.len() as i64))
    );
    let everything = format!(
        "{:?}{}{:?}",
        capture.events(),
        serde_json::to_string(&capture.events()).unwrap(),
        capture.spans()
    );
    assert!(!everything.contains("4711"));
}

#[test]
fn the_text_of_chunks_reaches_the_bus_where_it_is_allowed_and_is_never_exported() {
    let capture = capture_with(|b| b.chunk_text(true));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    capture.telemetry().bus().on::<LlmCallChunk>(move |chunk| {
        keep.lock().unwrap().push(chunk.text.map(str::to_owned));
    });
    stream_a_secret(&capture);
    capture.flush();
    assert_eq!(*seen.lock().unwrap(), [Some(SECRET.to_owned())]);
    let exported = format!("{:?}", capture.spans());
    assert!(!exported.contains("4711"), "{exported}");
    let printed = format!("{:?}", capture.events());
    assert!(!printed.contains("4711"), "Debug never shows content");
}
