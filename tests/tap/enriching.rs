//! Calls that somebody has a span for: it gets what it lacks, and stays its owner's.

use opentelemetry::trace::Status;
use tracing::field::Empty;
use tracing::{Instrument as _, info_span};
use tracing_genai::event::{Phase, Usage, Value};
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_genai::testing::capture;
use tracing_genai::{StreamExt as _, chat, tool};

use super::clients::{ask, by_reqwest, reqwest_client};
use super::server::{Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::*;

/// The span of a model call as rig makes it: everything but the target is filled in later.
macro_rules! rig_span {
    () => {
        info_span!(
            target: "rig::agent_chat", "chat", rig.completion_parent = true,
            gen_ai.operation.name = Empty, gen_ai.provider.name = Empty, gen_ai.request.model = Empty,
            gen_ai.response.id = Empty, gen_ai.response.model = Empty,
            gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
        )
    };
}

#[test]
fn an_open_call_of_ones_own_gets_what_it_lacks_and_no_second_span_appears() {
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(140, 32)))),
    );
    capture.record(|| {
        block_on(async {
            let call = chat("openai", "my-alias").streaming().start();
            let ask = ask(&server, true);
            call.run(ask).await.unwrap();
            // The answer is read, and the span is still its owner's.
            call.set("app.rating", 5).complete();
        });
    });
    let (end, span) = only_end(&capture);
    assert_eq!(
        (end.phase.clone(), span.name.as_str()),
        (Phase::Completed, "chat my-alias")
    );
    assert_eq!(
        text(&span, "gen_ai.request.model"),
        Some("my-alias"),
        "its own word stays"
    );
    assert_eq!(int(&span, "app.rating"), Some(5));
    assert_eq!(text(&span, "gen_ai.response.model"), Some(ANSWERED_BY));
    assert_eq!(text(&span, "server.address"), Some("127.0.0.1"));
    assert_eq!(
        span.attr("gen_ai.response.finish_reasons"),
        Some(&Value::Array(vec!["stop".into()]))
    );
    assert_eq!(tokens(&span), (Some(140), Some(32), Some("wire")));
    assert!(number(&span, FIRST_CHUNK) > Some(0.0));
}

#[test]
fn a_span_of_rigs_that_says_late_what_it_is_gets_finish_reason_first_chunk_and_counts_of_the_wire()
{
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(140, 32)))),
    );
    capture.record(|| {
        block_on(async {
            let span = rig_span!();
            let ask = ask(&server, true);
            ask.instrument(span.clone()).await.unwrap();
            // What rig makes of the answer, with counts of its own.
            span.record("gen_ai.operation.name", "chat");
            span.record("gen_ai.provider.name", "openai");
            span.record("gen_ai.request.model", MODEL);
            span.record("gen_ai.response.id", "rig-1");
            span.record("gen_ai.usage.input_tokens", 60_u64);
            span.record("gen_ai.usage.output_tokens", 32_u64);
        });
    });
    let (end, span) = only_end(&capture);
    assert_eq!(end.ty, "llm.call.completed");
    assert_eq!(span.name, "chat gpt-4o-mini");
    assert_eq!(
        tokens(&span),
        (Some(140), Some(32), Some("wire")),
        "the wire knows better"
    );
    assert_eq!(
        span.attr("gen_ai.response.finish_reasons"),
        Some(&Value::Array(vec!["stop".into()]))
    );
    assert!(number(&span, FIRST_CHUNK) > Some(0.0));
    assert_eq!(chunk_events(&capture).len(), WORDS.len());
}

#[test]
fn a_foreign_span_that_records_nothing_of_an_error_fails_with_the_providers_word() {
    let body =
        r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;
    let reply = Reply::json(body).status(429).header("retry-after", "7");
    let (capture, server) = (capture(), Server::always(reply));
    let got = capture.record(|| {
        let ask = ask(&server, false);
        block_on(ask.instrument(rig_span!()))
    });
    assert_eq!(
        (got.as_ref().unwrap().status, &got.unwrap().body[..]),
        (429, body.as_bytes())
    );
    let (end, span) = only_end(&capture);
    assert_eq!(end.phase.clone(), Phase::Failed);
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(text(&span, "error.type"), Some("rate_limit_exceeded"));
    assert_eq!(int(&span, "http.response.status_code"), Some(429));
    assert_eq!(
        span.attr("http.response.header.retry-after"),
        Some(&Value::Array(vec!["7".into()]))
    );
}

#[test]
fn what_the_owner_says_of_a_failure_stays_and_the_type_of_an_error_gives_way() {
    let body = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
    let server = Server::always(Reply::json(body).status(429));
    for (said, expected) in [(Some("my_word"), "my_word"), (None, "rate_limit_exceeded")] {
        let capture = capture();
        capture.record(|| {
            block_on(async {
                let call = chat("openai", MODEL).start();
                let ask = ask(&server, false);
                let answer = call.run(ask).await.unwrap();
                assert_eq!(answer.status, 429);
                match said {
                    Some(word) => call.fail_as(word),
                    None => call.fail(&super::support::ends::NotFound),
                }
            });
        });
        let (_, span) = only_end(&capture);
        assert_eq!(text(&span, "error.type"), Some(expected));
    }
}

#[test]
fn attempts_inside_one_call_are_one_call_with_the_outcome_of_the_last() {
    let refused = Reply::json(r#"{"error":{"code":"rate_limit_exceeded"}}"#).status(429);
    let capture = capture();
    let server = Server::script(vec![
        refused.clone(),
        refused,
        Reply::json(answer(usage(9, 4))),
    ]);
    capture.record(|| {
        let (client, tap) = (reqwest_client(server.port), Tap::new());
        let attempts = async {
            while by_reqwest(&client, &tap, &server.chat_url(), question(false))
                .await
                .unwrap()
                .status
                != 200
            {}
        };
        block_on(attempts.instrument(rig_span!()));
    });
    let (end, span) = only_end(&capture);
    assert_eq!(
        (end.phase.clone(), &span.status),
        (Phase::Completed, &Status::Unset)
    );
    assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
    assert_eq!(int(&span, "http.request.resend_count"), Some(2));
    for gone in [
        "error.type",
        "http.response.status_code",
        "http.response.header.retry-after",
    ] {
        assert_eq!(span.attr(gone), None, "{gone}");
    }
}

#[test]
fn attempts_that_were_all_answered_are_all_paid_for() {
    let capture = capture();
    let server = Server::script(vec![
        Reply::sse(stream(&["not JSON"], &usage(100, 10))),
        Reply::sse(stream(&["{}"], &usage(120, 20))),
    ]);
    capture.record(|| {
        let (client, tap) = (reqwest_client(server.port), Tap::new());
        let attempts = async {
            for _ in 0..2 {
                by_reqwest(&client, &tap, &server.chat_url(), question(true))
                    .await
                    .unwrap();
            }
        };
        block_on(attempts.instrument(rig_span!()));
    });
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (Some(220), Some(30), Some("wire")));
}

#[test]
fn the_open_call_is_found_through_spans_that_are_not_entered_on_this_thread() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    capture.record(|| {
        let call = chat("openai", MODEL).start();
        let request = info_span!(target: "my_app::http", parent: call.span(), "request");
        let attempt = info_span!(parent: &request, "attempt");
        let ask = ask(&server, false);
        // Neither `call` nor `request` was ever entered.
        block_on(ask.instrument(attempt)).unwrap();
        call.complete();
    });
    let call = capture.span("chat gpt-4o-mini");
    assert_eq!(tokens(&call), (Some(9), Some(4), Some("wire")));
    assert_eq!(capture.spans().len(), 3, "{}", capture.tree());
}

#[test]
fn a_call_that_ended_is_not_written_to() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    capture.record(|| {
        let call = chat("openai", "the first").start();
        call.usage(Usage::new().input(1).output(1)).complete();
        let ask = ask(&server, false);
        block_on(ask.instrument(call.span().clone())).unwrap();
    });
    assert_eq!(
        tokens(&capture.span("chat the first")),
        (Some(1), Some(1), None)
    );
    let second = capture.span("chat gpt-4o-mini");
    assert_eq!(tokens(&second), (Some(9), Some(4), Some("wire")));
    assert!(capture.flush().is_complete());
}

#[test]
fn a_tool_inside_an_open_call_makes_calls_of_its_own() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    capture.record(|| {
        block_on(async {
            let outer = chat("openai", "outer").start();
            let inner = async {
                let ask = ask(&server, false);
                tool("summarise").run(ask).await
            };
            outer.run(inner).await.unwrap();
            outer.usage(Usage::new().input(1).output(1)).complete();
        });
    });
    assert_eq!(
        tokens(&capture.span("chat outer")),
        (Some(1), Some(1), None)
    );
    let inner = capture.span("chat gpt-4o-mini");
    assert_eq!(
        inner.parent_id,
        capture.span("execute_tool summarise").span_id
    );
    assert_eq!(tokens(&inner), (Some(9), Some(4), Some("wire")));
}

#[test]
fn embeddings_inside_a_chat_are_a_call_of_their_own() {
    let embedded = r#"{"object":"list","model":"text-embedding-3-small","data":[{"index":0,"object":"embedding","embedding":[0.1]}],"usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let (capture, server) = (capture(), Server::always(Reply::json(embedded)));
    capture.record(|| {
        block_on(async {
            let client = reqwest_client(server.port);
            let outer = chat("openai", "outer").start();
            let url = server.url("/v1/embeddings");
            let body = r#"{"model":"text-embedding-3-small","input":"Paris"}"#;
            outer
                .run(async { by_reqwest(&client, &Tap::new(), &url, body).await })
                .await
                .unwrap();
            outer.complete();
        });
    });
    assert_eq!(tokens(&capture.span("chat outer")).0, None);
    let inner = capture.span("embeddings text-embedding-3-small");
    assert_eq!(int(&inner, INPUT), Some(5));
}

#[test]
fn pieces_that_the_application_tells_itself_are_not_told_twice() {
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(9, 4)))),
    );
    capture.record(|| {
        block_on(async {
            let client = reqwest_client(server.port);
            let call = chat("openai", MODEL).streaming().start();
            let ask = async {
                let request = client.post(server.chat_url()).body(question(true));
                request.send_tapped(&Tap::new()).await
            };
            let response = call.run(ask).await.unwrap();
            let mut pieces = response.bytes_stream().try_instrumented(call);
            while let Some(piece) = futures_util::StreamExt::next(&mut pieces).await {
                piece.unwrap();
            }
        });
    });
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
    let events = stream(&WORDS, &usage(9, 4)).len();
    assert!(
        (1..=events).contains(&chunk_events(&capture).len()),
        "as many as the client read"
    );
}

#[test]
fn whoever_owns_the_span_may_end_it_on_seeing_the_last_piece() {
    // The client stops at [DONE], ends its span, and drops the body only then.
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(9, 4)))),
    );
    capture.record(|| {
        block_on(async {
            let client = reqwest_client(server.port);
            let call = chat("openai", MODEL).streaming().start();
            let ask = async {
                let request = client.post(server.chat_url()).body(question(true));
                request.send_tapped(&Tap::new()).await
            };
            let mut response = call.run(ask).await.unwrap();
            while let Some(piece) = response.chunk().await.unwrap() {
                if piece.ends_with(b"[DONE]\n\n") {
                    break;
                }
            }
            call.complete();
            drop(response);
        });
    });
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
    assert_eq!(
        span.attr("gen_ai.response.finish_reasons"),
        Some(&Value::Array(vec!["stop".into()]))
    );
}

#[test]
fn whoever_owns_the_span_may_end_it_on_seeing_an_error_in_the_stream() {
    let error = "data: {\"error\":{\"message\":\"m\",\"code\":\"overloaded\"}}\n\n".to_owned();
    let reply = Reply::sse([role(), error.clone()]);
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let span = rig_span!();
            let ask = async {
                let request = client.post(server.chat_url()).body(question(true));
                request.send_tapped(&Tap::new()).await
            };
            let mut response = ask.instrument(span.clone()).await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(error.as_bytes()) {
                read.extend_from_slice(&response.chunk().await.unwrap().unwrap());
            }
            drop(span);
            drop(response);
        });
    });
    let (end, span) = only_end(&capture);
    assert_eq!(end.phase, Phase::Failed);
    assert_eq!(text(&span, "error.type"), Some("overloaded"));
}
