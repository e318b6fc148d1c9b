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

#[derive(Debug)]
struct Span {
    name: String,
    parent: Option<String>,
    /// Traces and spans it is linked to.
    links: Vec<(String, String)>,
    tags: HashMap<String, Value>,
    /// Its span events, by name.
    events: Vec<(String, HashMap<String, Value>)>,
}

impl Span {
    fn event(&self, name: &str) -> &HashMap<String, Value> {
        let found = self.events.iter().find(|(event, _)| event == name);
        &found.unwrap_or_else(|| panic!("no {name}: {self:#?}")).1
    }
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
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let references = |kind: &str| {
            let all = span["references"].as_array().into_iter().flatten();
            let of_kind = all.filter(|r| r["refType"] == kind);
            let ids = of_kind.map(|r| (text(&r["traceID"]), text(&r["spanID"])));
            ids.collect::<Vec<_>>()
        };
        let events = span["logs"].as_array().into_iter().flatten();
        let events = events.map(|log| {
            let mut fields = tag_map(&log["fields"]);
            (text(&fields.remove("event").unwrap()), fields)
        });
        let span_of = Span {
            name: text(&span["operationName"]),
            parent: references("CHILD_OF").pop().map(|(_, span)| span),
            links: references("FOLLOWS_FROM"),
            tags: tag_map(&span["tags"]),
            events: events.collect(),
        };
        assert_eq!(
            span["tags"].as_array().unwrap().len(),
            span_of.tags.len(),
            "no tag is there twice: {}",
            span["tags"]
        );
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
    for span in spans.values() {
        // What the icon and the kind of each row come from, and what all runs of one conversation are found by.
        let (operation, kind) = match span.name.split_once(' ') {
            Some((operation, _)) if operation == "chat" => (Some(operation), "client"),
            Some((operation, _)) => (Some(operation), "internal"),
            None => (None, "internal"),
        };
        let told = span
            .tags
            .get("gen_ai.operation.name")
            .and_then(Value::as_str);
        assert_eq!(
            (told, &span.tags["span.kind"]),
            (operation, &kind.into()),
            "{}",
            span.name
        );
        assert_eq!(
            span.tags["gen_ai.conversation.id"], "paris-weekend",
            "{}",
            span.name
        );
        let said = ["messages", "arguments", "result"];
        let said = span
            .tags
            .keys()
            .find(|name| said.iter().any(|end| name.ends_with(end)));
        assert_eq!(
            said, None,
            "nothing of what was said leaves unless it was asked for"
        );
    }
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
    for name in ["get_weather", "find_hotel"] {
        let tools = named(&format!("execute_tool {name}"));
        assert_eq!(tools.len(), 1, "{name}");
        assert_eq!(tools[0].tags["gen_ai.tool.name"], name);
        assert_eq!(tools[0].tags["gen_ai.tool.call.id"], format!("call_{name}"));
    }
    // What lies below adds up on the agent, once.
    let sum: f64 = chats
        .iter()
        .map(|c| c.tags["gen_ai.usage.cost"].as_f64().unwrap())
        .sum();
    let total = root.1.tags["llm.total_cost_usd"].as_f64().unwrap();
    assert!((total - sum).abs() < 1e-9, "{total} is not {sum}");
    // Where Jaeger's GenAI tab shows it.
    assert_eq!(
        root.1.tags["gen_ai.aggregated_usage.cost"],
        root.1.tags["llm.total_cost_usd"]
    );
    assert_eq!(root.1.tags["llm.total_calls"], 2);
    assert_eq!(root.1.tags["llm.total_tool_calls"], 2);
    // A moment is a span event, and nothing failed.
    assert_eq!(named("think")[0].event("plan.refined")["tools"], 2);
    assert!(
        spans
            .values()
            .all(|s| s.tags.get("otel.status_code") != Some(&Value::from("ERROR")))
    );
    assert_eq!(process["telemetry.distro.name"], "tracing-genai");
    let mut tags: Vec<_> = process.keys().map(String::as_str).collect();
    tags.sort_unstable();
    assert_eq!(
        tags,
        [
            "service.instance.id",
            "telemetry.distro.name",
            "telemetry.distro.version",
            "telemetry.sdk.language",
            "telemetry.sdk.name",
            "telemetry.sdk.version"
        ],
        "the process is described, and with no more than that"
    );

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
        let mut lines = metrics.lines().filter(|line| line.starts_with(name));
        assert!(
            lines.any(|line| line.contains("trip-planner")),
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

#[test]
#[ignore = "needs the real collector and Jaeger: .ci/backends"]
fn jaeger_shows_moments_links_and_the_reason_of_each_error() {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_genai::security::{Action, AlertLevel, Policy};
    use tracing_genai::{agent, chat, evaluation, route, tool};
    use tracing_subscriber::prelude::*;

    let endpoint = variable("OTELCOL_HTTP_URL");
    let life = |error_messages: bool| {
        let config = tracing_genai::otlp::OtlpConfig::new().endpoint(endpoint.clone());
        let telemetry = tracing_genai::Telemetry::builder("support")
            .environment(|_| None)
            .otlp(config)
            .error_messages(error_messages)
            .security(Policy::new().on(AlertLevel::Dangerous, Action::Block))
            .build()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(telemetry.layer());
        let ids = tracing::subscriber::with_default(subscriber, || {
            let before = agent("researcher").start();
            before.complete();
            let run = agent("support").link(before.span_context()).start();
            run.in_scope(|| {
                route("billing").reason("intent=refund").emit();
                evaluation("helpfulness").score(0.5).label("so-so").emit();
                let search = tool("search").attempt(2).start();
                search.retrying(3, &std::io::Error::other("the index is away"));
                search.fail(&std::io::Error::other("the index stays away"));
                let blocked = chat("openai", "gpt-4o")
                    .prompt("Run `rm -rf /`.")
                    .try_start();
                assert!(blocked.is_err());
            });
            run.fail_as("gave_up");
            let trace = run.context().span().span_context().trace_id();
            (trace.to_string(), before.span_context())
        });
        assert!(telemetry.shutdown().is_complete());
        ids
    };
    for error_messages in [false, true] {
        let (id, before) = life(error_messages);
        let (spans, _) = trace(&id, 3);
        let named = |name: &str| spans.values().find(|span| span.name == name).unwrap();

        let run = named("invoke_agent support");
        let link = (before.trace_id().to_string(), before.span_id().to_string());
        assert_eq!(run.links, [link]);
        assert_eq!(run.event("routing.selected")["routing.selected"], "billing");
        let judged = run.event("gen_ai.evaluation.result");
        assert_eq!(judged["gen_ai.evaluation.score.value"], 0.5);

        let search = named("execute_tool search");
        assert_eq!(search.event("step.retrying")["step.attempt"], 3);
        let kind = "std::io::error::Error";
        let text = if error_messages {
            "the index stays away"
        } else {
            kind
        };
        let exception = search.event("exception");
        assert_eq!(exception["exception.type"], kind);
        let told = exception
            .get("exception.message")
            .map(|text| text.as_str().unwrap());
        assert_eq!(told, error_messages.then_some(text));
        for (span, kind, why) in [
            (search, kind, text),
            (run, "gave_up", "gave_up"),
            (named("chat gpt-4o"), "blocked", "dangerous_commands"),
        ] {
            // `error` is what Jaeger paints red.
            assert_eq!(span.tags["error"], true, "{}", span.name);
            assert_eq!(span.tags["error.type"], kind);
            assert_eq!(span.tags["otel.status_description"], why);
        }
    }
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
