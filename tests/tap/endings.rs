//! The ways a call can go wrong or be given up, and what is known of it then.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full};
use opentelemetry::trace::Status;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use tracing_genai::event::{Phase, Value};
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_genai::testing::{Capture, CapturedSpan, capture, capture_with};

use super::clients::{ask, by_hyper, by_reqwest, hyper, post, reqwest_client};
use super::server::{Part, Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::*;

/// One request by `reqwest`, whatever becomes of it.
fn run(capture: &Capture, server: &Server) -> Result<super::clients::Answer, reqwest::Error> {
    capture.record(|| block_on(ask(server, true)))
}

fn ended(capture: &Capture) -> (Phase, CapturedSpan) {
    let (end, span) = only_end(capture);
    (end.phase.clone(), span)
}

#[test]
fn a_refused_call_fails_with_the_providers_word_and_says_how_long_to_wait() {
    let body = r#"{"error":{"message":"slow down, sk-canary","type":"requests","code":"rate_limit_exceeded"}}"#;
    let reply = Reply::json(body).status(429).header("retry-after", "20");
    let (capture, server) = (capture(), Server::always(reply));
    let got = run(&capture, &server).unwrap();
    assert_eq!(
        (got.status, &got.body[..]),
        (429, body.as_bytes()),
        "the caller's to handle"
    );
    let (phase, span) = ended(&capture);
    assert_eq!(phase, Phase::Failed);
    assert!(matches!(span.status, Status::Error { .. }));
    assert_eq!(text(&span, "error.type"), Some("rate_limit_exceeded"));
    assert_eq!(int(&span, "http.response.status_code"), Some(429));
    assert_eq!(
        span.attr("http.response.header.retry-after"),
        Some(&Value::Array(vec!["20".into()]))
    );
    assert_eq!(tokens(&span), (None, None, None), "nothing to count");
    assert!(
        !format!("{span:?}").contains("canary"),
        "an error's text is content"
    );
}

#[test]
fn an_error_whose_body_says_nothing_is_called_by_its_status() {
    for body in [
        "",
        "<html>Bad Gateway</html>",
        "{",
        r#"{"error":{"code":"what a long story this is"}}"#,
    ] {
        let (capture, server) = (capture(), Server::always(Reply::json(body).status(502)));
        assert_eq!(run(&capture, &server).unwrap().status, 502);
        let (phase, span) = ended(&capture);
        assert_eq!(
            (phase, text(&span, "error.type")),
            (Phase::Failed, Some("502")),
            "{body}"
        );
    }
}

#[test]
fn an_error_whose_body_nobody_reads_is_an_error_all_the_same() {
    let (capture, server) = (capture(), Server::always(Reply::json("{}").status(401)));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(false));
            let response = request.send_tapped(&Tap::new()).await.unwrap();
            response.error_for_status().unwrap_err();
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!(
        (phase, text(&span, "error.type")),
        (Phase::Failed, Some("401"))
    );
    assert_eq!(span.attr("genai.interrupted"), None);
}

#[test]
fn error_messages_are_kept_where_that_is_allowed() {
    let body = r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#;
    let capture = capture_with(|builder| builder.error_messages(true));
    let server = Server::always(Reply::json(body).status(429));
    run(&capture, &server).unwrap();
    let (_, span) = ended(&capture);
    assert_eq!(span.status, Status::error("slow down"));
}

#[test]
fn an_error_in_the_middle_of_a_stream_fails_the_call_with_what_was_known() {
    let mut events = vec![role(), word("Take ")];
    events.push("data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":\"overloaded\"}}\n\n".to_owned());
    let (capture, server) = (capture(), Server::always(Reply::sse(events)));
    assert_eq!(run(&capture, &server).unwrap().status, 200);
    let (phase, span) = ended(&capture);
    assert_eq!(
        (phase, text(&span, "error.type")),
        (Phase::Failed, Some("overloaded"))
    );
    assert_eq!(text(&span, "gen_ai.response.id"), Some("chatcmpl-1"));
}

#[test]
fn a_server_that_is_not_there_fails_the_call() {
    let capture = capture();
    let url = format!(
        "http://{}/v1/chat/completions",
        super::support::collector::closed_address()
    );
    capture.record(|| {
        let client = reqwest_client(1);
        let error = block_on(by_reqwest(&client, &Tap::new(), &url, question(true))).unwrap_err();
        assert!(error.is_connect());
        let error = block_on(async { by_hyper(hyper(&Tap::new()), &url, question(true)).await });
        error.unwrap_err();
    });
    let spans = capture.spans();
    let types: Vec<_> = spans
        .iter()
        .map(|span| text(span, "error.type").unwrap())
        .collect();
    assert_eq!(
        types,
        ["connect", "hyper_util::client::legacy::client::Error"]
    );
    assert!(
        spans
            .iter()
            .all(|span| span.attr("genai.interrupted").is_none())
    );
}

#[test]
fn a_connection_that_breaks_in_the_middle_fails_the_call_and_keeps_what_it_knew() {
    let reply = Reply::sse([role(), word("Take "), word("an ")])
        .then(Part::Pause)
        .then(Part::Cut);
    let server = Server::always(reply);
    let by_reqwest = capture();
    run(&by_reqwest, &server).unwrap_err();
    let by_tower = capture();
    by_tower.record(|| {
        let ask = async { by_hyper(hyper(&Tap::new()), &server.chat_url(), question(true)).await };
        block_on(ask).unwrap_err();
    });
    for (capture, kind) in [(by_reqwest, "reqwest::Error"), (by_tower, "hyper::Error")] {
        let (phase, span) = ended(&capture);
        assert_eq!(phase, Phase::Failed);
        assert!(
            text(&span, "error.type")
                .unwrap()
                .contains(kind.split("::").next().unwrap())
        );
        assert_eq!(span.attr("genai.interrupted"), Some(&true.into()));
        assert_eq!(text(&span, "gen_ai.response.model"), Some(ANSWERED_BY));
        assert!(number(&span, FIRST_CHUNK) > Some(0.0));
        assert_eq!(tokens(&span).0, None, "unknown, not zero");
        assert_eq!(chunk_events(&capture).len(), 2);
    }
}

#[test]
fn a_stream_that_the_caller_drops_is_canceled_with_usage_unknown_and_not_zero() {
    let never = Arc::new(Notify::new());
    let reply = Reply::sse([role(), word("Take ")]).then(Part::Wait(never));
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(word("Take ").as_bytes()) {
                read.extend_from_slice(&response.chunk().await.unwrap().unwrap());
            }
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!(phase, Phase::Canceled);
    assert_eq!(span.attr("error.type"), None);
    assert_eq!(span.attr("genai.interrupted"), Some(&true.into()));
    assert_eq!(tokens(&span), (None, None, Some("unknown")));
    assert_eq!(span.attr("gen_ai.usage.cost"), None);
    assert_eq!(text(&span, "gen_ai.response.id"), Some("chatcmpl-1"));
    assert!(number(&span, FIRST_CHUNK) > Some(0.0));
}

#[test]
fn counts_that_had_come_before_the_caller_dropped_the_stream_are_marked_as_partial() {
    let start = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#;
    let delta =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Take"}}"#;
    let events = [
        format!("event: message_start\ndata: {start}\n\n"),
        format!("event: content_block_delta\ndata: {delta}\n\n"),
    ];
    let never = Arc::new(Notify::new());
    let reply = Reply::sse(events.clone()).then(Part::Wait(never));
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let body =
                r#"{"model":"claude-sonnet-4-5","max_tokens":9,"stream":true,"messages":[]}"#;
            let request = client.post(server.url("/v1/messages")).body(body);
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let mut read = 0;
            while read < events.concat().len() {
                read += response.chunk().await.unwrap().unwrap().len();
            }
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!(phase, Phase::Canceled);
    assert_eq!(
        (int(&span, INPUT), text(&span, SOURCE)),
        (Some(25), Some("wire_partial"))
    );
}

#[test]
fn a_caller_who_stops_at_the_providers_last_word_has_read_the_whole_answer() {
    let never = Arc::new(Notify::new());
    let events = stream(&WORDS, &usage(9, 4));
    // The server keeps the connection open after [DONE].
    let reply = Reply::sse(events.clone()).then(Part::Wait(never));
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let mut read = 0;
            while read < events.concat().len() {
                read += response.chunk().await.unwrap().unwrap().len();
            }
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!(
        (phase, span.attr("genai.interrupted")),
        (Phase::Completed, None)
    );
    assert_eq!(tokens(&span), (Some(9), Some(4), Some("wire")));
}

#[test]
fn a_request_that_the_caller_gives_up_before_the_answer_is_canceled() {
    let capture = capture();
    capture.record(|| {
        block_on(async {
            // A server that accepts and never answers.
            let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!(
                "http://{}/v1/chat/completions",
                silent.local_addr().unwrap()
            );
            let (client, tap) = (reqwest_client(1), Tap::new());
            tokio::select! {
                _ = by_reqwest(&client, &tap, &url, question(true)) => panic!("nobody answers"),
                accepted = silent.accept() => drop(accepted.unwrap()),
            }
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!((phase, span.attr("error.type")), (Phase::Canceled, None));
    assert_eq!(text(&span, "gen_ai.request.model"), Some(MODEL));
}

#[test]
fn a_stream_that_ends_without_its_last_word_says_that_it_is_not_whole() {
    let events = [role(), word("Take "), word("an ")].concat();
    // Cut in the middle of an event, and closed properly.
    let half = &events[..events.len() - 20];
    let (capture, server) = (capture(), Server::always(Reply::sse([half.to_owned()])));
    assert_eq!(run(&capture, &server).unwrap().body, half);
    let (phase, span) = ended(&capture);
    assert_eq!(
        (phase, span.attr("genai.interrupted")),
        (Phase::Completed, Some(&true.into()))
    );
    assert_eq!(tokens(&span), (None, None, Some("unknown")));
}

#[test]
fn what_is_no_answer_of_a_model_gives_no_numbers() {
    let nonsense: [(&str, &[u8]); 6] = [
        (
            "text/html",
            b"<html>{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}</html>",
        ),
        (
            "application/json",
            b"{\"usage\": {\"prompt_tokens\": 1, \"completion",
        ),
        (
            "application/json",
            b"\xff\xfe{\"usage\":{\"prompt_tokens\":1}}",
        ),
        (
            "text/event-stream",
            b"data: {\"usage\":{\"prompt_tokens\":\xff}}\n\ndata: \xc3\x28\n\n",
        ),
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("application/json", b"null"),
    ];
    for (content_type, body) in nonsense {
        let reply = Reply::new(content_type, vec![Part::Bytes(Bytes::from_static(body))]);
        let (capture, server) = (capture(), Server::always(reply));
        assert_eq!(run(&capture, &server).unwrap().body, body, "untouched");
        let (phase, span) = ended(&capture);
        assert_eq!(phase, Phase::Completed, "{content_type} {body:?}");
        assert_eq!(
            tokens(&span),
            (None, None, Some("unknown")),
            "{content_type} {body:?}"
        );
    }
}

#[test]
fn counts_that_make_no_sense_are_left_out_and_counted() {
    let negative = serde_json::json!({ "prompt_tokens": -5, "completion_tokens": 4 });
    let (capture, server) = (capture(), Server::always(Reply::json(answer(negative))));
    run(&capture, &server).unwrap();
    let (_, span) = ended(&capture);
    assert_eq!((int(&span, INPUT), int(&span, OUTPUT)), (None, Some(4)));
    assert_eq!(int(&span, "genai.usage.refused"), Some(1));
}

#[test]
fn a_compressed_answer_passes_unread_and_says_so() {
    let whole = answer(usage(140, 32));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(whole.as_bytes()).unwrap();
    let packed = Bytes::from(gzip.finish().unwrap());
    let reply = Reply::json(packed.clone()).header("content-encoding", "gzip");
    let (capture, server) = (capture(), Server::always(reply));
    let got = capture.record(|| {
        block_on(async { by_hyper(hyper(&Tap::new()), &server.chat_url(), question(false)).await })
    });
    let got = got.unwrap().body;
    assert_eq!(got, packed);
    let mut text_again = String::new();
    flate2::read::GzDecoder::new(&got[..])
        .read_to_string(&mut text_again)
        .unwrap();
    assert_eq!(text_again, whole);
    let (phase, span) = ended(&capture);
    assert_eq!(phase, Phase::Completed);
    assert_eq!(text(&span, "genai.tap.unread"), Some("gzip"));
    assert_eq!(tokens(&span), (None, None, Some("unknown")));
}

#[test]
fn a_caller_that_panics_while_reading_fails_the_call() {
    let (capture, server) = (
        capture(),
        Server::always(Reply::sse(stream(&WORDS, &usage(9, 4)))),
    );
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        capture.record(|| {
            block_on(async {
                let request = post(&server.chat_url(), Full::new(Bytes::from(question(true))));
                let response = hyper(&Tap::new()).oneshot(request).await.unwrap();
                let mut body = response.into_body();
                body.frame().await.unwrap().unwrap();
                panic!("the caller's");
            });
        });
    }));
    read.unwrap_err();
    let (phase, span) = ended(&capture);
    assert_eq!(
        (phase, text(&span, "error.type")),
        (Phase::Failed, Some("panic"))
    );
}

#[test]
fn a_stream_that_never_ends_can_be_left() {
    let endless = Reply::sse([role()]).then(Part::Forever(word("x").into()));
    let (capture, server) = (capture(), Server::always(endless));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            for _ in 0..50 {
                response.chunk().await.unwrap().unwrap();
            }
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!(phase, Phase::Canceled);
    assert_eq!(tokens(&span), (None, None, Some("unknown")));
}

#[test]
fn a_timeout_in_the_middle_of_an_answer_is_called_so() {
    let never = Arc::new(Notify::new());
    let reply = Reply::sse([role(), word("Take ")]).then(Part::Wait(never));
    let (capture, server) = (capture(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let request = request.timeout(std::time::Duration::from_secs(1));
            let response = request.send_tapped(&Tap::new()).await.unwrap();
            assert!(response.bytes().await.unwrap_err().is_timeout());
        });
    });
    let (phase, span) = ended(&capture);
    assert_eq!(
        (phase, text(&span, "error.type")),
        (Phase::Failed, Some("timeout"))
    );
}
