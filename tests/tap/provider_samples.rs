//! What eight APIs send and answer, replayed over real sockets to real clients: the exported span says what is expected of it.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value as Json;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::Value;
use tracing_genai::tap::Tap;
use tracing_genai::testing::{Capture, capture_with};

use super::clients::{by_middleware, by_reqwest, hyper, middleware, reqwest_client};
use super::server::{Part, Reply, Server};
use super::support::ends::only_end;
use super::support::waiting::block_on;
use super::wire_text::chunk_events;

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/provider");
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expected.json").is_file())
        .collect();
    all.sort();
    assert!(all.len() >= 8, "{all:?}");
    all
}

fn json(path: &Path) -> Json {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The same request to this machine, with the host's name where the client can be told where it lives.
fn here(url: &str, port: u16, keep_host: bool) -> String {
    let url = url.trim_start_matches("POST ").split_once("://").unwrap().1;
    let (host, path) = url.split_once('/').unwrap();
    let host = if keep_host {
        host.split(':').next().unwrap()
    } else {
        "127.0.0.1"
    };
    format!("http://{host}:{port}/{path}")
}

/// One exchange of a sample: what is sent, what comes back, and what is expected of both.
struct Exchange {
    url: String,
    request: Bytes,
    reply: Reply,
    expected: Vec<(String, Json)>,
    content: Vec<(String, Json)>,
    outputs: Option<bool>,
}

fn exchange(folder: &Path, streamed: bool) -> Exchange {
    let expected = json(&folder.join("expected.json"));
    let (url, request, answer) = if streamed {
        ("stream_url", "stream_request", "stream")
    } else {
        ("url", "request", "response")
    };
    let (file, content_type) = match streamed {
        false => ("response.json", "application/json"),
        true if folder.join("stream.sse").is_file() => ("stream.sse", "text/event-stream"),
        true if folder.join("stream.ndjson").is_file() => ("stream.ndjson", "application/x-ndjson"),
        true => ("stream.eventstream", "application/vnd.amazon.eventstream"),
    };
    let body = Bytes::from(fs::read(folder.join(file)).unwrap());
    // Cut where nothing ends.
    let parts = body
        .chunks(100)
        .map(|piece| Part::Bytes(Bytes::copy_from_slice(piece)));
    let sent = if streamed {
        "stream-request.json"
    } else {
        "request.json"
    };
    let facts = [&expected[request], &expected[answer]];
    let facts = facts.into_iter().filter_map(Json::as_object).flatten();
    Exchange {
        url: expected[url].as_str().unwrap().to_owned(),
        request: fs::read(folder.join(sent)).unwrap().into(),
        reply: Reply::new(content_type, parts.collect()),
        expected: facts
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        content: [request, answer]
            .into_iter()
            .filter_map(|side| expected["content"].get(side)?.as_object())
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        outputs: streamed.then_some(true),
    }
}

fn check(capture: &Capture, exchange: &Exchange, port: u16, what: &str) {
    let (end, span) = only_end(capture);
    assert_eq!(end.ty, "llm.call.completed", "{what}");
    for (name, value) in &exchange.expected {
        let value = match name.as_str() {
            "server.port" => Value::from(i64::from(port)),
            _ => Value::from(value.clone()),
        };
        assert_eq!(span.attr(name), Some(&value), "{what}: {name}");
        assert_eq!(end.attr(name), Some(&value), "{what}: {name} of the event");
    }
    // Nothing is told that is not expected.
    let told = span.attributes.iter().map(|(name, _)| name);
    let prefixes = ["gen_ai.usage.", "gen_ai.response.", "gen_ai.request."];
    let ours = ["gen_ai.usage.cost", "gen_ai.response.time_to_first_chunk"];
    for name in told.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
        let expected = exchange
            .expected
            .iter()
            .any(|(expected, _)| expected == name);
        assert!(
            expected || ours.contains(&name),
            "{what}: {name} is not expected"
        );
    }
    let first_chunk = span.attr("gen_ai.response.time_to_first_chunk").is_some();
    assert_eq!(first_chunk, exchange.outputs.is_some(), "{what}");
    assert_eq!(
        chunk_events(capture).is_empty(),
        exchange.outputs.is_none(),
        "{what}"
    );
    for (name, value) in &exchange.content {
        let told = span
            .attr(name)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{what}: no {name}"));
        assert_eq!(
            &serde_json::from_str::<Json>(told).unwrap(),
            value,
            "{what}: {name}"
        );
    }
}

fn all(send: impl Fn(&str, u16, Bytes) -> Bytes) {
    for folder in samples() {
        for streamed in [false, true] {
            let exchange = exchange(&folder, streamed);
            let what = format!("{}, streamed: {streamed}", folder.display());
            let body: Bytes = exchange
                .reply
                .parts
                .iter()
                .flat_map(|part| match part {
                    Part::Bytes(bytes) => bytes.to_vec(),
                    _ => Vec::new(),
                })
                .collect::<Vec<_>>()
                .into();
            let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
            let server = Server::always(exchange.reply.clone());
            let got = capture.record(|| send(&exchange.url, server.port, exchange.request.clone()));
            assert_eq!(got, body, "{what}");
            assert_eq!(server.asked()[0].body, exchange.request, "{what}");
            check(&capture, &exchange, server.port, &what);
        }
    }
}

#[test]
fn every_api_is_read_through_reqwest() {
    all(|url, port, body| {
        let client = reqwest_client(port);
        let url = here(url, port, true);
        block_on(by_reqwest(&client, &Tap::new(), &url, body))
            .unwrap()
            .body
    });
}

#[test]
fn every_api_is_read_through_reqwest_middleware() {
    all(|url, port, body| {
        let client = middleware(reqwest_client(port), &Tap::new());
        let url = here(url, port, true);
        block_on(by_middleware(&client, &url, body)).unwrap().body
    });
}

#[test]
fn every_api_is_read_through_hyper_under_tower() {
    // hyper asks the system where a host lives, so the request goes to 127.0.0.1 under the name of the API's host.
    all(|url, port, body| {
        block_on(async {
            let tap = Tap::new();
            let named = here(url, port, true);
            let rewritten = here(url, port, false);
            let client = hyper(&Tap::new());
            let service = tower::service_fn(
                move |mut request: http::Request<http_body_util::Full<Bytes>>| {
                    *request.uri_mut() = rewritten.parse().unwrap();
                    tower::ServiceExt::oneshot(client.clone(), request)
                },
            );
            let service = tower::Layer::layer(&tap.layer(), service);
            let request = super::clients::post(&named, http_body_util::Full::new(body));
            let response = tower::ServiceExt::oneshot(service, request).await.unwrap();
            http_body_util::BodyExt::collect(response.into_body())
                .await
                .unwrap()
                .to_bytes()
        })
    });
}
