//! Frames, and runs as streams of them: whose frames, in which order, and how a run can end.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{FutureExt as _, StreamExt as _};
use support::waiting::block_on;
use tracing::instrument::WithSubscriber as _;
use tracing_genai::bus::Bus;
use tracing_genai::enrich::{Enrich, Verdict};
use tracing_genai::event::{
    Channel, ErrorInfo, Event, EventData, EventId, EventType, Level, Subject, TraceId, Visibility,
};
use tracing_genai::frame::{Frame, FrameChannel, FrameItem, NoResult, RunState, stream};
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{agent, chat, step, tool, workflow};

fn data(ty: &str) -> EventData {
    EventData::new(EventType::parse(ty).unwrap(), UNIX_EPOCH)
}

fn frame(data: EventData) -> Frame {
    Frame::of(&Event::new(data)).unwrap()
}

fn types(items: impl IntoIterator<Item = FrameItem>) -> Vec<String> {
    items
        .into_iter()
        .map(|item| match item {
            FrameItem::Frame(frame) => frame.ty.to_string(),
            FrameItem::Lagged(missed) => format!("{missed} missed"),
        })
        .collect()
}

/// Runs `future` under the capture's layer, as a program does that installed it.
fn under<T>(capture: &Capture, future: impl Future<Output = T>) -> T {
    let subscriber = tracing_subscriber::Layer::with_subscriber(
        capture.telemetry().layer(),
        tracing_subscriber::registry(),
    );
    block_on(future.with_subscriber(subscriber))
}

// === one frame ===

#[test]
fn every_subject_is_shown_in_its_channel_and_every_failure_in_lifecycle() {
    use FrameChannel::{Custom, Flow, Llm, Messages, Tools};
    let places = [
        (Channel::LLM, Llm),
        (Channel::TOOL, Tools),
        (Channel::MCP, Tools),
        (Channel::MESSAGE, Messages),
        (Channel::WORKFLOW, Flow),
        (Channel::STEP, Flow),
        (Channel::HUMAN, Flow),
        (Channel::SESSION, Flow),
        (Channel::SYSTEM, Custom),
        (Channel::API, Custom),
        (Channel::SECURITY, Custom),
        (Channel::AGENT, Custom),
        (Channel::RETRIEVAL, Custom),
        (Channel::MEMORY, Custom),
        (Channel::EVALUATION, Custom),
        (Channel::A2A, Custom),
        (Channel::SKILL, Custom),
        (Channel::CHECKPOINT, Custom),
    ];
    assert_eq!(places.len(), Channel::KNOWN.len());
    let place = |channel: &Channel| {
        let found = places.iter().find(|(known, _)| known == channel);
        found.map_or(Custom, |(_, place)| *place)
    };
    for subject in Subject::ALL {
        for phase in subject.phases() {
            let event = data(&format!("{}.{phase}", subject.name()));
            let failed = *phase == "failed" || event.level == Level::Error;
            let expected = if failed {
                FrameChannel::Lifecycle
            } else {
                place(&event.channel)
            };
            assert_eq!(frame(event).channel, expected, "{subject:?} {phase}");
        }
    }
    let mut own = data("billing.paid");
    own.channel = Channel::new("MY_FRAMEWORK");
    assert_eq!(frame(own.clone()).channel, Custom);
    own.level = Level::Error;
    assert_eq!(frame(own).channel, FrameChannel::Lifecycle);
    let alert = frame(data("security.alert"));
    assert_eq!(alert.channel, Custom, "an alert is no failure");
}

#[test]
fn a_frame_says_what_the_event_says_in_a_form_of_its_own_and_reads_back() {
    let mut data = data("tool.call.failed");
    data.id = EventId::from_u128(0x0191_2345_6789_7000_8000_0000_0000_0001);
    data.time = UNIX_EPOCH + Duration::from_millis(1_500);
    (data.seq, data.cursor) = (3, 42);
    data.cx.trace = 1_u128.into();
    data.cx.span = 2_u64.into();
    data.cx.parent_event = Some(EventId::from_u128(4));
    data.cx.previous = Some(EventId::from_u128(5));
    data.who.agent_name = Some("planner".into());
    data.who.step_name = Some("rank".into());
    data.name = "execute_tool search".into();
    data.duration = Some(Duration::from_micros(1_500));
    data.error = Some(ErrorInfo::new("timeout"));
    data.attrs.set("gen_ai.tool.name", "search");
    data.attrs.set("hits", 3);
    let shown = frame(data);
    let json = serde_json::to_string(&shown).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"id":"01912345-6789-7000-8000-000000000001","seq":42,"type":"tool.call.failed","channel":"lifecycle","#,
            r#""namespace":["planner","rank"],"timestamp":"1970-01-01T00:00:01.500000000Z","#,
            r#""parent_id":"00000000-0000-0000-0000-000000000004","previous_id":"00000000-0000-0000-0000-000000000005","#,
            r#""trace_id":"00000000000000000000000000000001","span_id":"0000000000000002","#,
            r#""name":"execute_tool search","duration_ms":1.5,"error_type":"timeout","#,
            r#""data":{"gen_ai.tool.name":"search","hits":3}}"#
        )
    );
    assert_eq!(serde_json::from_str::<Frame>(&json).unwrap(), shown);
}

#[test]
fn content_is_in_the_frame_as_far_as_it_is_in_the_event() {
    assert_eq!(frame(data("llm.call.chunk")).content, None);
    let mut chunk = data("llm.call.chunk");
    chunk.body = Some("Paris".into());
    assert_eq!(frame(chunk).content.as_deref(), Some("Paris"));
    let mut structured = data("retrieval.query.completed");
    structured.body = Some(serde_json::json!([{"text": "a"}]).into());
    let shown = frame(structured);
    assert_eq!(shown.content, None);
    assert_eq!(shown.body, Some(serde_json::json!([{"text": "a"}])));
    let mut failed = data("step.failed");
    failed.error = Some(ErrorInfo::new("timeout").with_message("after 30 s"));
    assert_eq!(frame(failed).content.as_deref(), Some("after 30 s"));
}

#[test]
fn a_hidden_event_gives_no_frame() {
    let mut hidden = data("step.started");
    hidden.visibility = Visibility::Internal;
    assert_eq!(Frame::of(&Event::new(hidden.clone())), None);
    let delivery = tracing_genai::bus::Delivery::Event(Event::new(hidden));
    assert_eq!(Option::<FrameItem>::from(delivery), None);
}

#[test]
fn debug_output_shows_no_content() {
    let mut shown = String::new();
    for body in [
        serde_json::json!("CANARY"),
        serde_json::json!({"CANARY": 1}),
    ] {
        let mut data = data("step.failed");
        data.body = Some(body.into());
        data.error = Some(ErrorInfo::new("timeout").with_message("CANARY"));
        data.attrs.set("gen_ai.input.messages", "CANARY");
        let frame = frame(data);
        shown += &format!("{frame:?} {:#?}", FrameItem::Frame(frame.clone()));
    }
    assert!(!shown.contains("CANARY"), "{shown}");
    assert!(shown.contains("timeout"));
}

// === a run ===

#[test]
fn a_run_gives_frames_while_it_runs_and_then_its_result() {
    let capture = capture_with(|builder| builder.chunk_text(true));
    under(&capture, async {
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), async {
            agent("planner")
                .run(async {
                    let call = chat("openai", "m").start();
                    call.chunk("Par");
                    gate.await.unwrap();
                    call.chunk("is");
                    call.complete();
                    Ok::<_, io::Error>("Paris")
                })
                .await
        });
        let mut frames = run.frames();
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(frames.next().await.unwrap());
        }
        // The work waits for this: its frames came while it ran.
        assert_eq!(seen[3].content.as_deref(), Some("Par"));
        assert_eq!(run.state(), RunState::Running);
        assert_eq!(run.result().unwrap_err(), NoResult::NotFinished);
        assert!(!run.is_exhausted() && !run.is_complete());

        go.send(()).unwrap();
        while let Some(item) = run.next().await {
            seen.extend(item.into_frame());
        }
        let shown: Vec<_> = seen
            .iter()
            .map(|f| (f.ty.to_string(), f.namespace.join("/")))
            .collect();
        let expected = [
            ("workflow.started", "trip"),
            ("agent.execution.started", "trip/planner"),
            ("llm.call.started", "trip/planner"),
            ("llm.call.chunk", "trip/planner"),
            ("llm.call.chunk", "trip/planner"),
            ("llm.call.completed", "trip/planner"),
            ("agent.execution.completed", "trip/planner"),
            ("workflow.completed", "trip"),
        ];
        assert_eq!(
            shown,
            expected.map(|(ty, path)| (ty.to_owned(), path.to_owned()))
        );
        assert!(seen.windows(2).all(|pair| pair[0].seq < pair[1].seq));
        assert_eq!(run.state(), RunState::Completed);
        assert!(run.is_exhausted() && run.is_complete() && run.missed() == 0);
        assert_eq!(run.result().unwrap().unwrap(), "Paris");
        assert_eq!(run.result().unwrap_err(), NoResult::Gone);
        assert_eq!(run.next().await, None);
    });
}

#[test]
fn a_run_that_fails_says_so_and_keeps_its_error() {
    let capture = capture();
    under(&capture, async {
        let work = async { Err::<(), _>(io::Error::other("no network")) };
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), work);
        let seen = types(run.by_ref().collect::<Vec<_>>().await);
        assert_eq!(seen, ["workflow.started", "workflow.failed"]);
        assert_eq!(run.state(), RunState::Failed);
        assert_eq!(run.result().unwrap().unwrap_err().to_string(), "no network");
    });
}

#[test]
fn finishing_drives_the_run_to_its_result_whether_or_not_its_frames_were_read() {
    let capture = capture();
    under(&capture, async {
        let work = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            Ok::<_, io::Error>(7)
        };
        let run = stream(capture.telemetry().bus(), step("a").root(), work);
        assert_eq!(run.finish().await.unwrap().unwrap(), 7);
    });
}

#[test]
fn each_of_two_concurrent_runs_sees_its_own_frames_only() {
    let capture = capture();
    under(&capture, async {
        let bus = capture.telemetry().bus();
        let mut runs: Vec<_> = ["a", "b"]
            .map(|name| {
                let run = stream(bus, workflow(name).root(), async move {
                    for _ in 0..50 {
                        tool(name).start().complete();
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, io::Error>(())
                });
                assert_ne!(run.trace_id(), TraceId::INVALID);
                Some(run)
            })
            .into();
        // Somebody else is there too.
        tool("neither").root().start().complete();
        let (a, b) = (runs[0].take().unwrap(), runs[1].take().unwrap());
        let (a, b) = futures_util::future::join(a.collect::<Vec<_>>(), b.collect::<Vec<_>>()).await;
        for (name, items) in [("a", a), ("b", b)] {
            assert_eq!(items.len(), 102);
            for item in items {
                let frame = item.into_frame().unwrap();
                assert!(frame.name.ends_with(&format!(" {name}")), "{}", frame.name);
            }
        }
    });
}

#[test]
fn dropping_the_stream_early_cancels_the_work_and_its_spans() {
    let capture = capture();
    under(&capture, async {
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), async {
            tool("slow")
                .run(std::future::pending::<Result<(), io::Error>>())
                .await
        });
        let started = types([run.next().await.unwrap(), run.next().await.unwrap()]);
        assert_eq!(started, ["workflow.started", "tool.call.started"]);
        drop(run);
    });
    capture.assert_sequence(["tool.call.canceled", "workflow.canceled"]);
    assert_eq!(capture.events().len(), 4);
}

#[test]
fn a_run_that_is_canceled_tells_of_its_end_and_has_no_result() {
    let capture = capture();
    under(&capture, async {
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), async {
            tool("slow")
                .run(std::future::pending::<Result<(), io::Error>>())
                .await
        });
        assert!(run.next().await.is_some());
        run.cancel();
        assert_eq!(run.state(), RunState::Canceled);
        assert!(!run.is_exhausted());
        let rest = types(run.by_ref().collect::<Vec<_>>().await);
        // The tool has not begun if the work was not polled yet.
        assert_eq!(rest.last().unwrap(), "workflow.canceled");
        assert!(run.is_exhausted() && run.is_complete());
        assert_eq!(run.result().unwrap_err(), NoResult::Canceled);
    });
}

#[test]
fn canceling_what_is_done_changes_nothing() {
    let capture = capture();
    under(&capture, async {
        let work = async { Ok::<_, io::Error>(7) };
        let mut run = stream(capture.telemetry().bus(), step("a").root(), work);
        while run.next().await.is_some() {}
        run.cancel();
        assert_eq!(run.state(), RunState::Completed);
        assert_eq!(run.result().unwrap().unwrap(), 7);
    });
}

#[test]
fn a_panic_goes_to_whoever_polls_and_the_frames_after_it_can_be_read() {
    let capture = capture();
    under(&capture, async {
        let work = async {
            if true {
                panic!("expected");
            }
            Ok::<(), io::Error>(())
        };
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), work);
        let mut poll = || run.next().now_or_never();
        let panicked = loop {
            match catch_unwind(AssertUnwindSafe(&mut poll)) {
                Ok(_) => tokio::task::yield_now().await,
                Err(panic) => break panic,
            }
        };
        assert_eq!(panicked.downcast_ref::<&str>(), Some(&"expected"));
        assert_eq!(run.state(), RunState::Failed);
        let rest = types(run.by_ref().collect::<Vec<_>>().await);
        assert_eq!(rest.last().unwrap(), "workflow.failed");
        assert_eq!(run.result().unwrap_err(), NoResult::Gone);
    });
}

#[test]
fn a_slow_reader_slows_the_work_down() {
    let capture = capture();
    under(&capture, async {
        let polled = Arc::new(AtomicUsize::new(0));
        let polls = || polled.load(Ordering::Relaxed);
        let counted = Arc::clone(&polled);
        let work = async move {
            let call = chat("openai", "m").start();
            for _ in 0..3 {
                counted.fetch_add(1, Ordering::Relaxed);
                (0..20).for_each(|_| _ = call.chunk("x"));
                tokio::task::yield_now().await;
            }
            call.complete();
            Ok::<_, io::Error>(())
        };
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), work);
        // What the poll that made it brought along already, where the other threads were fast.
        let mut early = None;
        for (round, said) in [1, 21, 20, 20].into_iter().enumerate() {
            let _ = capture.flush();
            for _ in usize::from(early.is_some())..said {
                assert!(run.next().now_or_never().flatten().is_some());
                assert_eq!(polls(), round, "there is something to read");
            }
            // Now there is not.
            early = run.next().now_or_never().flatten();
        }
        let mut rest: Vec<_> = early.into_iter().collect();
        rest.extend(run.by_ref().collect::<Vec<_>>().await);
        assert_eq!(types(rest), ["llm.call.completed", "workflow.completed"]);
        assert!(run.is_complete());
    });
}

#[test]
fn what_a_run_says_faster_than_it_is_read_is_missing_with_its_number() {
    const SAID: usize = 50_000;
    let capture = capture();
    under(&capture, async {
        let telemetry = capture.telemetry();
        let trace = Arc::new(OnceLock::new());
        let (mine, loud) = (Arc::clone(&trace), telemetry.bus().clone());
        let mut run = stream(telemetry.bus(), workflow("trip").root(), async move {
            for _ in 0..SAID {
                let mut data = data("order.placed");
                data.cx.trace = *mine.get().unwrap();
                loud.publish(Event::new(data));
            }
            Ok::<_, io::Error>(())
        });
        trace.set(run.trace_id()).unwrap();
        let (mut read, mut missed) = (0, 0);
        while let Some(item) = run.next().await {
            match item {
                FrameItem::Frame(_) => read += 1,
                FrameItem::Lagged(n) => missed += n as usize,
            }
        }
        assert_eq!(read + missed, SAID + 2, "and the root's start and end");
        assert!(missed > 0 && run.missed() == missed as u64);
        assert!(run.is_exhausted() && !run.is_complete());
        assert_eq!(run.state(), RunState::Completed);
    });
}

#[test]
fn frames_without_end_do_not_keep_the_work_from_going_on() {
    let capture = capture();
    // Under no executor: one that shares its time among tasks would interrupt the reader by itself.
    capture.record(|| {
        let polled = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polled);
        let work = std::future::poll_fn(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::<Result<(), io::Error>>::Pending
        });
        let bus = capture.telemetry().bus();
        let mut run = stream(bus, workflow("trip").root(), work);
        // As tasks do that the run has spawned.
        for _ in 0..1_000 {
            let mut data = data("order.placed");
            data.cx.trace = run.trace_id();
            bus.publish(Event::new(data));
        }
        for _ in 0..1_000 {
            assert!(run.next().now_or_never().flatten().is_some());
        }
        assert!(polled.load(Ordering::Relaxed) >= 10);
    });
}

#[test]
fn hidden_and_replayed_events_are_no_frames_of_a_run() {
    struct Hide;
    impl Enrich for Hide {
        fn subject(&self) -> Option<Subject> {
            Some(Subject::TOOL_CALL)
        }
        fn on_started(&self, _: &mut EventData) -> Verdict {
            Verdict::Hide
        }
    }
    let capture = capture_with(|builder| builder.enrich(Hide));
    under(&capture, async {
        let bus = capture.telemetry().bus().clone();
        let (trace, again) = (Arc::new(OnceLock::new()), bus.clone());
        let of = Arc::clone(&trace);
        let mut run = stream(&bus, workflow("trip").root(), async move {
            let mut shown_again = data("workflow.completed");
            shown_again.cx.trace = *of.get().unwrap();
            shown_again.replay = true;
            again.publish(Event::new(shown_again));
            tool("search").start().complete();
            Ok::<_, io::Error>(())
        });
        trace.set(run.trace_id()).unwrap();
        let seen = types(run.by_ref().collect::<Vec<_>>().await);
        assert_eq!(
            seen,
            [
                "workflow.started",
                "tool.call.completed",
                "workflow.completed"
            ]
        );
        assert!(run.is_complete());
    });
}

#[test]
fn a_run_whose_end_is_hidden_from_users_ends_all_the_same() {
    struct Hide;
    impl Enrich for Hide {
        fn on_completed(&self, event: &mut EventData) -> Verdict {
            event.visibility = Visibility::Internal;
            Verdict::Keep
        }
    }
    let capture = capture_with(|builder| builder.enrich(Hide));
    under(&capture, async {
        let work = async { Ok::<_, io::Error>(()) };
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), work);
        assert_eq!(
            types(run.by_ref().collect::<Vec<_>>().await),
            ["workflow.started"]
        );
        assert!(run.is_complete());
    });
}

#[test]
fn an_end_that_is_lost_is_waited_for_only_so_long() {
    struct Swallow;
    impl Enrich for Swallow {
        fn on_completed(&self, _: &mut EventData) -> Verdict {
            Verdict::Drop
        }
    }
    let capture = capture_with(|builder| builder.enrich(Swallow));
    // Without a timer in the runtime.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::Layer::with_subscriber(
        capture.telemetry().layer(),
        tracing_subscriber::registry(),
    );
    runtime.block_on(
        async {
            // That it began is seen, however long that takes.
            let work = async {
                capture.telemetry().flush(Duration::from_secs(30));
                Ok::<_, io::Error>(7)
            };
            let run = stream(capture.telemetry().bus(), workflow("trip").root(), work);
            let mut run = run.settle(Duration::from_millis(20));
            assert_eq!(
                types(run.by_ref().collect::<Vec<_>>().await),
                ["workflow.started"]
            );
            assert!(
                run.is_exhausted() && !run.is_complete(),
                "its end was not seen"
            );
            assert_eq!(run.result().unwrap().unwrap(), 7);
        }
        .with_subscriber(subscriber),
    );
}

#[test]
fn a_run_outlives_the_telemetry_that_watched_it() {
    let capture = capture();
    under(&capture, async {
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let mut run = stream(capture.telemetry().bus(), workflow("trip").root(), async {
            gate.await.unwrap();
            Ok::<_, io::Error>(7)
        });
        let mut seen = vec![run.next().await.unwrap()];
        let report = capture.telemetry().shutdown_async().await;
        assert!(report.is_complete());
        go.send(()).unwrap();
        while let Some(item) = run.next().await {
            seen.push(item);
        }
        // Shutting down ended the span, and the bus.
        assert_eq!(types(seen), ["workflow.started", "workflow.canceled"]);
        assert_eq!(run.result().unwrap().unwrap(), 7);
    });
}

#[test]
fn without_telemetry_a_run_has_no_frames_and_everything_else() {
    block_on(async {
        let work = async { Ok::<_, io::Error>(7) };
        let mut run = stream(&Bus::new(), workflow("trip").root(), work);
        assert_eq!(run.trace_id(), TraceId::INVALID);
        assert_eq!(run.next().await, None);
        assert!(run.is_exhausted() && run.is_complete());
        assert_eq!(run.result().unwrap().unwrap(), 7);
    });
}

#[test]
fn a_run_goes_on_under_any_executor() {
    let capture = capture();
    capture.record(|| {
        let work = async {
            tool("search").start().complete();
            Ok::<_, io::Error>(())
        };
        let run = stream(capture.telemetry().bus(), workflow("trip").root(), work);
        // A hand-made one: a parked thread.
        struct Unpark(std::thread::Thread);
        impl std::task::Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Arc::new(Unpark(std::thread::current())).into();
        let mut cx = std::task::Context::from_waker(&waker);
        let mut run = pin!(run.collect::<Vec<_>>());
        let items = loop {
            match run.as_mut().poll(&mut cx) {
                Poll::Ready(items) => break items,
                Poll::Pending => std::thread::park(),
            }
        };
        assert_eq!(items.len(), 4);
    });
}

#[test]
fn a_run_can_be_sent_to_another_thread() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let capture = capture();
    let done = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH));
    let run = capture.record(|| {
        let done = Arc::clone(&done);
        stream(
            capture.telemetry().bus(),
            workflow("trip").root(),
            async move {
                *done.lock().unwrap() = SystemTime::now();
                Ok::<_, io::Error>(())
            },
        )
    });
    let run = sent(run);
    let shown = format!("{run:?}");
    let result = std::thread::spawn(move || block_on(run.finish()))
        .join()
        .unwrap();
    assert!(result.unwrap().is_ok());
    assert!(*done.lock().unwrap() > UNIX_EPOCH);
    assert!(shown.contains("Running"), "{shown}");
}
