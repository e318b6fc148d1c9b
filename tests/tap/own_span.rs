//! Calls that nobody has a span for: the tap opens one.

use std::time::Duration;

use futures_util::StreamExt as _;
use opentelemetry::trace::{SpanKind, Status};
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{EventSpec as _, LlmCallCompleted, Phase, Value};
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_genai::testing::{Capture, Captured, capture, capture_with};
use tracing_genai::{Telemetry, agent, tool};
use tracing_subscriber::prelude::*;

use super::clients::{ask, by_hyper, by_middleware, by_reqwest, hyper, middleware, reqwest_client};
use super::server::{Part, Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::*;

fn check_whole(capture: &Capture, port: u16) {
    let (end, span) = only_end(capture);
    assert_eq!(
        (end.ty.to_string().as_str(), &span.status),
        ("llm.call.completed", &Status::Unset)
    );
    assert_eq!(
        (span.name.as_str(), &span.kind),
        ("chat gpt-4o-mini", &SpanKind::Client)
    );
    for (name, value) in [
        ("gen_ai.operation.name", Value::from("chat")),
        ("gen_ai.provider.name", "openai".into()),
        ("gen_ai.request.model", MODEL.into()),
        ("gen_ai.request.temperature", 0.5.into()),
        ("server.address", "127.0.0.1".into()),
        ("server.port", i64::from(port).into()),
        ("gen_ai.response.model", ANSWERED_BY.into()),
        ("gen_ai.response.id", "chatcmpl-1".into()),
        (
            "gen_ai.response.finish_reasons",
            Value::Array(vec!["stop".into()]),
        ),
        (INPUT, 140.into()),
        (OUTPUT, 32.into()),
        (SOURCE, "wire".into()),
    ] {
        assert_eq!(span.attr(name), Some(&value), "{name}");
    }
    assert!(number(&span, "gen_ai.usage.cost") > Some(0.0));
    for absent in [
        "error.type",
        "genai.interrupted",
        "genai.usage.estimated",
        "http.response.status_code",
    ] {
        assert_eq!(span.attr(absent), None, "{absent}");
    }
}

#[test]
fn a_call_by_reqwest_gets_a_span_with_all_there_is_to_know() {
    let body = answer(usage(140, 32));
    let (capture, server) = (capture(), Server::always(Reply::json(body.clone())));
    let got = capture.record(|| block_on(ask(&server, false)));
    assert_eq!(got.unwrap().body, body);
    check_whole(&capture, server.port);
}

#[test]
fn a_call_by_hyper_under_tower_gets_the_same() {
    let body = answer(usage(140, 32));
    let (capture, server) = (capture(), Server::always(Reply::json(body.clone())));
    let got = capture.record(|| {
        block_on(async { by_hyper(hyper(&Tap::new()), &server.chat_url(), question(false)).await })
    });
    assert_eq!(got.unwrap().body, body);
    check_whole(&capture, server.port);
}

#[test]
fn a_call_by_reqwest_middleware_gets_the_same() {
    let body = answer(usage(140, 32));
    let (capture, server) = (capture(), Server::always(Reply::json(body.clone())));
    let got = capture.record(|| {
        let client = middleware(reqwest_client(server.port), &Tap::new());
        block_on(by_middleware(&client, &server.chat_url(), question(false)))
    });
    assert_eq!(got.unwrap().body, body);
    check_whole(&capture, server.port);
}

#[test]
fn a_call_by_a_tower_service_of_reqwest_requests_gets_the_same() {
    let body = answer(usage(140, 32));
    let (capture, server) = (capture(), Server::always(Reply::json(body)));
    capture.record(|| {
        block_on(async {
            let client = reqwest_client(server.port);
            let request = client.post(server.chat_url()).body(question(false));
            let service = tower::Layer::layer(&Tap::new().layer(), client);
            let response = tower::ServiceExt::oneshot(service, request.build().unwrap());
            response.await.unwrap().bytes().await.unwrap();
        });
    });
    check_whole(&capture, server.port);
}

#[test]
fn a_streamed_call_has_tokens_cost_and_the_time_to_its_first_chunk() {
    let events = stream(&WORDS, &usage(1_000, 200));
    let (capture, server) = (capture(), Server::always(Reply::sse(events.clone())));
    let got = capture.record(|| block_on(ask(&server, true)));
    assert_eq!(got.unwrap().body, events.concat());
    let (end, span) = only_end(&capture);
    let call = LlmCallCompleted::view(&end).unwrap();
    assert_eq!(call.usage.input_tokens, Some(1_000));
    assert!(call.cost_usd > Some(0.0));
    assert_eq!(tokens(&span), (Some(1_000), Some(200), Some("wire")));
    assert_eq!(span.attr("gen_ai.request.stream"), Some(&true.into()));
    assert!(number(&span, FIRST_CHUNK) > Some(0.0));
}

#[test]
fn time_to_first_chunk_runs_from_the_request_to_the_first_output_and_not_to_the_first_frame() {
    // The role comes at once, words only after a pause that the server makes.
    let mut reply = Reply::sse([role(), ": keep-alive\n\n".to_owned()]).then(Part::Pause);
    for event in stream(&WORDS, &usage(10, 4)).split_off(1) {
        reply = reply.then(Part::Bytes(event.into()));
    }
    let server = Server::always(reply);
    let spans = Captured::default();
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .span_exporter(spans.clone())
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        block_on(ask(&server, true)).unwrap();
    });
    assert!(telemetry.shutdown().is_complete());
    let span = &spans.spans()[0];
    let waited = Duration::from_secs_f64(number(span, FIRST_CHUNK).unwrap());
    // The server paused that long, on the real clock.
    assert!(waited >= Duration::from_millis(20), "{waited:?}");
    assert!(waited < span.duration);
}

#[test]
fn a_subscriber_sees_every_piece_in_order_and_none_is_exported() {
    let words = ["x"; 100];
    let events = stream(&words, &usage(10, 100));
    let (capture, server) = (capture(), Server::always(Reply::sse(events)));
    capture.record(|| {
        block_on(ask(&server, true)).unwrap();
    });
    let (end, span) = only_end(&capture);
    let chunks = chunk_events(&capture);
    assert_eq!(chunks.len(), 100);
    assert!(chunks.is_sorted_by_key(|chunk| chunk.cursor));
    assert!(chunks.iter().all(|chunk| chunk.cx.span == end.cx.span));
    assert!(span.events.is_empty(), "nothing of it is exported");
    capture.assert_sequence(["llm.call.started", "llm.call.chunk", "llm.call.completed"]);
}

#[test]
fn the_parent_is_the_span_the_call_was_made_in_though_its_pieces_are_read_outside_every_span() {
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(7, 5)))),
    );
    capture.record(|| {
        block_on(async {
            let client = reqwest_client(server.port);
            let response = agent("planner")
                .run(async {
                    let request = client.post(server.chat_url()).body(question(true));
                    request.send_tapped(&Tap::new()).await
                })
                .await
                .unwrap();
            // No span is current here, and none in the task that reads.
            let read = tokio::spawn(async { response.bytes().await.unwrap() });
            assert!(!read.await.unwrap().is_empty());
        });
    });
    assert_eq!(
        capture
            .tree()
            .lines()
            .map(str::trim_start)
            .collect::<Vec<_>>()
            .len(),
        2,
        "{}",
        capture.tree()
    );
    let (planner, call) = (
        capture.span("invoke_agent planner"),
        capture.span("chat gpt-4o-mini"),
    );
    assert_eq!(
        (call.trace_id, call.parent_id),
        (planner.trace_id, planner.span_id)
    );
    assert_eq!(tokens(&call), (Some(7), Some(5), Some("wire")));
}

#[test]
fn a_stream_may_be_finished_on_another_thread_that_knows_nothing_of_the_subscriber() {
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(7, 5)))),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let response = capture.record(|| {
        let client = reqwest_client(server.port);
        let request = client.post(server.chat_url()).body(question(true));
        let sending = runtime.enter();
        let sending = {
            let _runtime = sending;
            request.send_tapped(&Tap::new())
        };
        runtime.block_on(sending).unwrap()
    });
    let handle = runtime.handle().clone();
    std::thread::spawn(move || {
        let mut pieces = response.bytes_stream();
        handle.block_on(async { while pieces.next().await.is_some() {} });
    })
    .join()
    .unwrap();
    let (end, span) = only_end(&capture);
    assert_eq!(end.phase.clone(), Phase::Completed);
    assert_eq!(tokens(&span), (Some(7), Some(5), Some("wire")));
}

#[test]
fn concurrent_streams_do_not_mix() {
    let capture = capture();
    let server = Server::script(
        (1..=8_i64)
            .map(|n| {
                let events = stream(&WORDS, &usage(n, 100 * n));
                let mut parts = Vec::new();
                for event in events {
                    // Cut in the middle of an event, so that pieces of all streams are in flight at once.
                    let (a, b) = event.split_at(event.len() / 2);
                    parts.extend([Part::Bytes(a.to_owned().into()), Part::Pause]);
                    parts.push(Part::Bytes(b.to_owned().into()));
                }
                Reply::new("text/event-stream", parts)
            })
            .collect(),
    );
    capture.record(|| {
        let (client, tap, url) = (reqwest_client(server.port), Tap::new(), server.chat_url());
        block_on(async {
            let all = (0..8).map(|_| by_reqwest(&client, &tap, &url, question(true)));
            for answer in futures_util::future::join_all(all).await {
                answer.unwrap();
            }
        });
    });
    let mut seen: Vec<_> = capture
        .spans()
        .iter()
        .map(|span| (int(span, INPUT).unwrap(), int(span, OUTPUT).unwrap()))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=8).map(|n| (n, 100 * n)).collect::<Vec<_>>());
    assert_eq!(chunk_events(&capture).len(), 8 * WORDS.len());
}

#[test]
fn what_is_no_call_of_a_model_passes_without_a_span() {
    let (capture, server) = (capture(), Server::always(Reply::json("{}")));
    capture.record(|| {
        let (client, tap) = (reqwest_client(server.port), Tap::new());
        block_on(async {
            client
                .get(server.chat_url())
                .send_tapped(&tap)
                .await
                .unwrap();
            for path in [
                "/",
                "/v1/models",
                "/v1/files",
                "/health",
                "/v1/chat/completions/x/messages",
            ] {
                by_reqwest(&client, &tap, &server.url(path), "{}")
                    .await
                    .unwrap();
            }
        });
    });
    assert_eq!(capture.tree(), "");
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn without_an_installation_everything_passes() {
    let body = answer(usage(1, 1));
    let server = Server::always(Reply::json(body.clone()));
    block_on(async {
        let got = ask(&server, false).await;
        assert_eq!(got.unwrap().body, body);
        let got = by_hyper(hyper(&Tap::new()), &server.chat_url(), question(false)).await;
        assert_eq!(got.unwrap().body, body);
    });
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.body == question(false))
    );
}

#[test]
fn after_the_shutdown_everything_passes() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(1, 1)))));
    capture.telemetry().shutdown();
    capture.record(|| {
        block_on(ask(&server, false)).unwrap();
    });
    assert_eq!(capture.tree(), "");
}

#[test]
fn a_call_inside_a_tool_is_below_the_tool_with_totals_on_it() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    capture.record(|| {
        block_on(async {
            let search = tool("search");
            let call = ask(&server, false);
            search.run(call).await.unwrap();
        });
    });
    let (tool, call) = (
        capture.span("execute_tool search"),
        capture.span("chat gpt-4o-mini"),
    );
    assert_eq!(call.parent_id, tool.span_id);
}

#[test]
fn messages_are_recorded_as_json_only_where_content_is_on() {
    let server = Server::always(Reply::json(answer(usage(9, 4))));
    let run = |capture: &Capture| {
        capture.record(|| {
            block_on(ask(&server, false)).unwrap();
        });
        only_end(capture).1
    };
    let span = run(&capture());
    for name in ["gen_ai.input.messages", "gen_ai.output.messages"] {
        assert_eq!(span.attr(name), None, "{name}");
    }
    let span = run(&capture_with(|builder| {
        builder.capture(CaptureMode::Redacted)
    }));
    for (name, said) in [
        ("gen_ai.input.messages", "What about Paris?"),
        ("gen_ai.output.messages", "Take an umbrella."),
    ] {
        let json: serde_json::Value = serde_json::from_str(text(&span, name).unwrap()).unwrap();
        assert!(
            json.is_array() && json.to_string().contains(said),
            "{name}: {json}"
        );
    }
}
