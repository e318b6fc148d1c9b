//! Estimated token counts: only where they are asked for, only where nobody told, and marked.

use std::sync::Arc;

use tokio::sync::Notify;
use tracing_genai::chat;
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_genai::testing::{Capture, capture, capture_with};

use super::clients::{ask, reqwest_client};
use super::server::{Part, Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::*;

fn run(capture: &Capture, server: &Server) {
    capture.record(|| {
        block_on(ask(server, true)).unwrap();
    });
}

fn estimating() -> Capture {
    capture_with(|builder| builder.estimate_tokens(true))
}

#[test]
fn missing_counts_are_estimated_from_words_and_characters_and_marked() {
    let silent = Server::always(Reply::sse(stream(&WORDS, &serde_json::Value::Null)));
    let capture = estimating();
    run(&capture, &silent);
    let (_, span) = only_end(&capture);
    // "What about Paris?": 3 words and 17 characters, (4 + 4.25) / 2, rounded up; "Take an umbrella.": the same.
    assert_eq!(tokens(&span), (Some(5), Some(5), Some("estimate")));
    assert_eq!(span.attr("genai.usage.estimated"), Some(&true.into()));
    assert!(number(&span, "gen_ai.usage.cost") > Some(0.0));
}

#[test]
fn an_answer_that_is_dropped_is_estimated_by_what_had_come() {
    let never = Arc::new(Notify::new());
    let reply = Reply::sse([role(), word("Take an "), word("umbrella.")]).then(Part::Wait(never));
    let (capture, server) = (estimating(), Server::always(reply));
    capture.record(|| {
        let client = reqwest_client(server.port);
        block_on(async {
            let request = client.post(server.chat_url()).body(question(true));
            let mut response = request.send_tapped(&Tap::new()).await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(word("umbrella.").as_bytes()) {
                read.extend_from_slice(&response.chunk().await.unwrap().unwrap());
            }
        });
    });
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (Some(5), Some(5), Some("estimate")));
}

#[test]
fn by_default_nothing_is_estimated() {
    let silent = Server::always(Reply::sse(stream(&WORDS, &serde_json::Value::Null)));
    let capture = capture();
    run(&capture, &silent);
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (None, None, Some("unknown")));
    assert_eq!(span.attr("genai.usage.estimated"), None);
    assert_eq!(span.attr("gen_ai.usage.cost"), None);
}

#[test]
fn what_the_provider_tells_and_what_failed_is_not_estimated() {
    let capture = estimating();
    run(
        &capture,
        &Server::always(Reply::sse(stream(&WORDS, &usage(140, 32)))),
    );
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (Some(140), Some(32), Some("wire")));
    assert_eq!(span.attr("genai.usage.estimated"), None);

    let capture = estimating();
    run(&capture, &Server::always(Reply::json("{}").status(500)));
    let (_, span) = only_end(&capture);
    assert_eq!(tokens(&span), (None, None, None));
}

#[test]
fn a_call_told_by_hand_is_estimated_too_and_only_where_that_is_on() {
    let run = |capture: &Capture| {
        capture.record(|| {
            let call = chat("local", "m").start();
            call.texts("What about Paris?", "Take an ")
                .texts("", "umbrella.")
                .complete();
        });
        only_end(capture).1
    };
    let span = run(&estimating());
    assert_eq!(tokens(&span), (Some(5), Some(5), Some("estimate")));
    assert_eq!(span.attr("genai.usage.estimated"), Some(&true.into()));
    let span = run(&capture());
    assert_eq!(tokens(&span), (None, None, None));
}
