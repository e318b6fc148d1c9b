//! Keys and texts: nowhere in what is recorded. And trace context: nowhere in what is sent, unless that is wanted.

use std::sync::{Arc, Mutex};

use tracing_genai::console::{ConsoleOptions, Output};
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_genai::testing::capture_with;
use tracing_genai::{agent, testing::capture};

use super::clients::{by_reqwest, reqwest_client};
use super::server::{Reply, Server};
use super::support::collector::closed_address;
use super::support::waiting::block_on;
use super::wire_text::*;

#[test]
fn a_key_in_a_header_a_query_or_a_body_is_recorded_nowhere() {
    let shown = Arc::new(Mutex::new(Vec::new()));
    let capture = capture_with(|builder| {
        let output = Output::new(Shared(Arc::clone(&shown)), false);
        builder
            .console_to(output, ConsoleOptions::default())
            .error_messages(true)
    });
    let refused =
        Reply::json(r#"{"error":{"message":"bad key","code":"invalid_api_key"}}"#).status(401);
    let server = Server::script(vec![Reply::json(answer(usage(9, 4))), refused]);
    let ask = async |url: &str| {
        let client = reqwest_client(server.port);
        let request = client.post(format!(
            "{url}?key=canary-query&api-version=canary-version#canary-fragment"
        ));
        let request = request
            .header("authorization", "Bearer canary-bearer")
            .header("x-api-key", "canary-header")
            .header("cookie", "canary-cookie")
            .body(question(false).replace("What about Paris?", "canary-question"));
        request.send_tapped(&Tap::new()).await
    };
    let with_user = server
        .chat_url()
        .replace("http://", "http://canary-user:canary-password@");
    let nowhere = format!("http://{}/v1/chat/completions", closed_address());
    capture.record(|| {
        block_on(async {
            ask(&server.chat_url())
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap();
            ask(&with_user).await.unwrap().bytes().await.unwrap();
            ask(&nowhere).await.unwrap_err();
        });
    });
    assert_eq!(capture.spans().len(), 3);
    let told = [
        format!("{:?}", capture.spans()),
        format!("{:?}", capture.events()),
        serde_json::to_string(&capture.events()).unwrap(),
        String::from_utf8_lossy(&shown.lock().unwrap()).into_owned(),
        format!("{:?}", capture.telemetry().stats()),
    ];
    assert!(
        told[3].contains(MODEL),
        "the console shows the calls: {}",
        told[3]
    );
    for text in told {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn nothing_shows_a_key_in_its_debug_output() {
    let capture = capture();
    capture.record(|| {
        let tap = Tap::new();
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", "canary".parse().unwrap());
        let url = "https://api.openai.com/v1/chat/completions?key=canary";
        let body = question(false).replace("What about Paris?", "canary");
        let exchange = tap.request(&http::Method::POST, url, &headers, Some(body.as_bytes()));
        let mut exchange = exchange.unwrap();
        exchange.response(http::StatusCode::OK, &headers);
        exchange.chunk(answer(usage(1, 1)).replace("umbrella", "canary").as_bytes());
        let body = tracing_genai::tap::RequestBody(bytes::Bytes::from_static(b"canary"));
        let shown = format!("{tap:?} {exchange:?} {:?} {body:?}", tap.layer());
        assert!(!shown.contains("canary"), "{shown}");
        exchange.end();
    });
}

#[test]
fn trace_context_is_sent_only_where_that_is_wanted_and_never_with_baggage() {
    use opentelemetry::baggage::BaggageExt as _;

    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    let ask = |tap: Tap| {
        capture.record(|| {
            let cx = opentelemetry::Context::current_with_baggage([opentelemetry::KeyValue::new(
                "user", "canary",
            )]);
            let _guard = cx.attach();
            let client = reqwest_client(server.port);
            let call =
                async { by_reqwest(&client, &tap, &server.chat_url(), question(false)).await };
            block_on(agent("planner").run(call)).unwrap();
        });
        server.asked().pop().unwrap().headers
    };
    let headers = ask(Tap::new());
    for name in ["traceparent", "tracestate", "baggage"] {
        assert_eq!(headers.get(name), None, "{name}");
    }
    let headers = ask(Tap::new().propagate(true));
    let call = capture
        .spans()
        .into_iter()
        .rfind(|span| span.name == "chat gpt-4o-mini")
        .unwrap();
    let expected = format!("00-{}-{}-01", call.trace_id, call.span_id);
    assert_eq!(headers["traceparent"], expected);
    assert_eq!(headers.get("baggage"), None);
}

#[test]
fn a_trace_context_that_the_request_has_stays() {
    let (capture, server) = (capture(), Server::always(Reply::json(answer(usage(9, 4)))));
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    capture.record(|| {
        let client = reqwest_client(server.port);
        let request = client
            .post(server.chat_url())
            .header("traceparent", own)
            .body(question(false));
        block_on(async {
            let sent = request
                .send_tapped(&Tap::new().propagate(true))
                .await
                .unwrap();
            sent.bytes().await.unwrap();
        });
    });
    assert_eq!(server.asked()[0].headers["traceparent"], own);
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
