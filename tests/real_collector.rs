//! The quickstart through the real OpenTelemetry Collector into the real Jaeger and Prometheus' format, over gRPC and HTTP.
//!
//! `.ci/backends build && eval "$(.ci/backends start)" && cargo test --test real_collector -- --ignored`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: eval \"$(.ci/backends start)\""))
}

/// GET over HTTP/1.0, whose answers are never chunked.
fn get(url: &str) -> String {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default()
}

/// Asks until there is an answer: the way through two processes takes its time.
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "{what}: nothing after 30 s");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

struct Span {
    name: String,
    parent: Option<String>,
    tags: HashMap<String, Value>,
    events: Vec<String>,
}

fn tag_map(tags: &Value) -> HashMap<String, Value> {
    let pairs = tags.as_array().into_iter().flatten();
    pairs
        .map(|tag| {
            (
                tag["key"].as_str().unwrap().to_owned(),
                tag["value"].clone(),
            )
        })
        .collect()
}

/// The spans of a trace in Jaeger, by id.
fn trace(id: &str, spans: usize) -> (BTreeMap<String, Span>, HashMap<String, Value>) {
    let url = format!("{}/api/traces/{id}", variable("JAEGER_URL"));
    let found = eventually("the trace in Jaeger", || {
        let answer: Value = serde_json::from_str(&get(&url)).ok()?;
        let trace = answer["data"].get(0)?.clone();
        (trace["spans"].as_array()?.len() >= spans).then_some(trace)
    });
    let process = tag_map(&found["processes"]["p1"]["tags"]);
    let spans = found["spans"].as_array().unwrap().iter().map(|span| {
        let references = span["references"].as_array().into_iter().flatten();
        let mut parents = references.filter(|r| r["refType"] == "CHILD_OF");
        let events = span["logs"].as_array().into_iter().flatten();
        let names = events.filter_map(|log| tag_map(&log["fields"]).remove("event"));
        let span_of = Span {
            name: span["operationName"].as_str().unwrap().to_owned(),
            parent: parents
                .next()
                .map(|r| r["spanID"].as_str().unwrap().to_owned()),
            tags: tag_map(&span["tags"]),
            events: names
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
        };
        (span["spanID"].as_str().unwrap().to_owned(), span_of)
    });
    (spans.collect(), process)
}

/// Runs the quickstart against the collector and gives what it printed.
fn quickstart(endpoint: &str, protocol: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "quickstart"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "the quickstart failed\n{out}\n{err}"
    );
    out.into_owned()
}

fn check(endpoint: &str, protocol: &str) {
    let printed = quickstart(endpoint, protocol);
    let link = printed
        .lines()
        .find_map(|line| line.split("/trace/").nth(1))
        .expect("a link to the trace");
    let id: String = link.chars().take_while(char::is_ascii_hexdigit).collect();
    let (spans, process) = trace(&id, 6);

    let named = |name: &str| {
        spans
            .values()
            .filter(|s| s.name == name)
            .collect::<Vec<_>>()
    };
    let root = spans
        .iter()
        .find(|(_, s)| s.parent.is_none())
        .expect("a root");
    assert_eq!(root.1.name, "invoke_agent trip-planner");
    assert!(
        spans
            .values()
            .all(|s| s.parent.as_ref().is_none_or(|p| spans.contains_key(p))),
        "every parent is there"
    );
    let chats = named("chat gpt-4o-mini");
    assert_eq!(
        chats.len(),
        2,
        "{:?}",
        spans.values().map(|s| &s.name).collect::<Vec<_>>()
    );
    for chat in &chats {
        assert_eq!(chat.tags["gen_ai.operation.name"], "chat");
        assert_eq!(chat.tags["gen_ai.provider.name"], "openai");
        assert_eq!(chat.tags["span.kind"], "client");
        assert_eq!(chat.tags["gen_ai.request.stream"], true);
        for number in [
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cost",
        ] {
            assert!(chat.tags[number].as_f64().unwrap() > 0.0, "{number}");
        }
        assert!(
            chat.tags["gen_ai.response.time_to_first_chunk"]
                .as_f64()
                .unwrap()
                > 0.0
        );
        assert_eq!(chat.tags["gen_ai.agent.name"], "trip-planner");
        assert_eq!(chat.tags["llm.cost_usd"], chat.tags["gen_ai.usage.cost"]);
    }
    let tools: Vec<_> = spans
        .values()
        .filter(|s| s.name.starts_with("execute_tool "))
        .collect();
    assert_eq!(tools.len(), 2);
    // What lies below adds up on the agent, once.
    let sum: f64 = chats
        .iter()
        .map(|c| c.tags["gen_ai.usage.cost"].as_f64().unwrap())
        .sum();
    let total = root.1.tags["llm.total_cost_usd"].as_f64().unwrap();
    assert!((total - sum).abs() < 1e-9, "{total} is not {sum}");
    assert_eq!(root.1.tags["llm.total_calls"], 2);
    assert_eq!(root.1.tags["llm.total_tool_calls"], 2);
    // A moment is a span event, and nothing failed.
    assert!(
        spans.values().any(|s| !s.events.is_empty()),
        "moments are mirrored as span events"
    );
    assert!(
        spans
            .values()
            .all(|s| s.tags.get("otel.status_code") != Some(&Value::from("ERROR")))
    );
    assert_eq!(process["telemetry.distro.name"], "tracing-genai");

    let prometheus = format!(
        "{}/metrics",
        variable("OTELCOL_PROMETHEUS_URL").trim_end_matches("/metrics")
    );
    let metrics = eventually("the metrics at the Prometheus endpoint", || {
        let text = get(&prometheus);
        text.contains("gen_ai_client_inference_duration_seconds_bucket")
            .then_some(text)
    });
    for name in [
        "gen_ai_client_operation_duration_seconds_bucket",
        "gen_ai_client_token_usage_bucket",
        "gen_ai_execute_tool_duration_seconds_bucket",
        "gen_ai_invoke_agent_duration_seconds_bucket",
    ] {
        let line = metrics.lines().find(|line| line.starts_with(name));
        assert!(
            line.is_some_and(|line| line.contains("trip-planner")),
            "{name} of this service"
        );
    }
}

#[test]
#[ignore = "needs the real collector and Jaeger: .ci/backends"]
fn the_quickstart_arrives_whole_in_jaeger_and_prometheus_over_grpc() {
    check(&variable("OTELCOL_GRPC_URL"), "grpc");
}

#[test]
#[ignore = "needs the real collector and Jaeger: .ci/backends"]
fn the_quickstart_arrives_whole_in_jaeger_and_prometheus_over_http() {
    check(&variable("OTELCOL_HTTP_URL"), "http/protobuf");
}

#[test]
#[ignore = "needs the real collector and Jaeger: .ci/backends"]
fn the_shipped_configuration_is_valid_for_the_real_collector() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/otel-collector.yaml");
    let output = Command::new(variable("OTELCOL_BIN"))
        .args(["validate", "--config", config])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A real collector of this test's own in front of Jaeger, without a queue: what it acknowledges, Jaeger has.
struct OwnCollector {
    directory: tempfile::TempDir,
    port: u16,
}

impl OwnCollector {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let jaeger = variable("JAEGER_OTLP_GRPC_URL");
        let jaeger = jaeger.strip_prefix("http://").unwrap();
        let config = format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
             exporters: {{otlp_grpc/jaeger: {{endpoint: '{jaeger}', tls: {{insecure: true}}, \
             sending_queue: {{enabled: false}}}}}}\n\
             service: {{telemetry: {{metrics: {{level: none}}}}, \
             pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc/jaeger]}}}}}}\n"
        );
        std::fs::write(directory.path().join("config.yaml"), config).unwrap();
        Self { directory, port }
    }

    fn start(&self) -> Killed {
        let mut command = Command::new(variable("OTELCOL_BIN"));
        let config = self.directory.path().join("config.yaml");
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        let child = command
            .arg("--config")
            .arg(config)
            .stdout(log.try_clone().unwrap());
        let child = Killed(child.stderr(log).spawn().unwrap());
        eventually("the collector", || {
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
        child
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A process that is killed, with SIGKILL, at the end.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs the real collector and Jaeger: .ci/backends"]
fn a_real_collector_that_is_killed_and_comes_back_costs_nothing_with_a_spool() {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_genai::otlp::{OtlpConfig, Signal};
    use tracing_subscriber::prelude::*;

    let spool = tempfile::tempdir().unwrap();
    let collector = OwnCollector::new();
    let life = || {
        let endpoint = format!("http://127.0.0.1:{}", collector.port);
        let config = OtlpConfig::new().endpoint(endpoint);
        tracing_genai::Telemetry::builder("survivor")
            .environment(|_| None)
            .otlp(config.without(Signal::Metrics).without(Signal::Logs))
            .spool(spool.path())
            .build()
            .unwrap()
    };
    // One trace for each life, so that Jaeger can be asked for it.
    let mut traces = Vec::new();
    let mut record = |telemetry: &tracing_genai::Telemetry| {
        let subscriber = tracing_subscriber::registry().with(telemetry.layer());
        let id = tracing::subscriber::with_default(subscriber, || {
            let run = tracing_genai::agent("survivor").start();
            let id = run.context().span().span_context().trace_id();
            run.span().in_scope(|| {
                for number in 0..300 {
                    tracing::info_span!("numbered", number).in_scope(|| {});
                }
            });
            run.complete();
            id
        });
        traces.push(id.to_string());
    };
    let running = collector.start();
    let telemetry = life();
    record(&telemetry);
    assert!(telemetry.flush(Duration::from_secs(10)).is_complete());
    drop(running);
    record(&telemetry);
    let report = telemetry.shutdown_within(Duration::from_millis(300));
    assert_eq!(report.traces.as_ref().unwrap().stored, 301, "{report}");
    drop(telemetry);
    let telemetry = life();
    record(&telemetry);
    let _running = collector.start();
    let report = telemetry.shutdown_within(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    for id in traces {
        let (spans, _) = trace(&id, 301);
        assert_eq!(spans.len(), 301);
    }
}
