//! What Arize Phoenix, a backend that reads the GenAI conventions and works out prices of its own, makes of what we send.
//!
//! `.ci/backends build phoenix && eval "$(.ci/backends start phoenix)" && cargo test --test real_phoenix -- --ignored`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceContextExt as _;
use serde_json::{Value as Json, json};
use tracing_genai::content::CaptureMode;
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::event::Usage;
use tracing_genai::message::{Message, from_openai};
use tracing_genai::otlp::{OtlpConfig, Signal};
use tracing_genai::{
    Telemetry, TelemetryBuilder, agent, chat, embeddings, retrieval, step, tool, workflow,
};
use tracing_subscriber::prelude::*;

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: eval \"$(.ci/backends start phoenix)\""))
}

/// What Phoenix answers to a query, over HTTP/1.0, whose answers are never chunked.
fn graphql(query: &str) -> Option<Json> {
    let url = variable("PHOENIX_URL");
    let host = url.strip_prefix("http://").unwrap();
    let body = json!({ "query": query }).to_string();
    let mut stream = TcpStream::connect(host).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    write!(
        stream,
        "POST /graphql HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let answer: Json = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    assert!(answer["errors"].is_null(), "{}", answer["errors"]);
    Some(answer["data"].clone())
}

/// A trace as Phoenix shows it: each span with what was worked out of it under `node`, and its attributes as OpenInference.
///
/// Spans land in the background and costs a moment later: this waits for `priced` spans with a cost.
fn trace(id: &str, spans: usize, priced: usize) -> Json {
    let query = format!(
        "{{ getTraceByOtelId(traceId: \"{id}\") {{ errorCount
             session {{ sessionId }} costSummary {{ total {{ cost tokens }} }}
             spans(first: 1000) {{ edges {{ node {{ name spanKind statusCode statusMessage
               tokenCountPrompt tokenCountCompletion tokenPromptDetails {{ cacheRead cacheWrite }}
               costSummary {{ total {{ cost }} }} events {{ name message }} attributes }} }} }} }} }}"
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let mut found = graphql(&query).map_or(Json::Null, |data| data["getTraceByOtelId"].clone());
        let all = found["spans"]["edges"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let nodes: Vec<Json> = all
            .into_iter()
            .map(|mut edge| {
                let mut node = edge["node"].take();
                let attributes = node["attributes"].as_str().unwrap_or("null");
                node["attributes"] = serde_json::from_str(attributes).unwrap();
                node
            })
            .collect();
        let costs = nodes.iter().filter(|node| cost(node).is_some()).count();
        if nodes.len() >= spans && costs >= priced {
            found["spans"] = nodes.into();
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "{id}: {} of {spans} spans and {costs} of {priced} costs after 30 s",
            nodes.len()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn cost(node: &Json) -> Option<f64> {
    node["costSummary"]["total"]["cost"].as_f64()
}

fn named<'a>(trace: &'a Json, name: &str) -> Vec<&'a Json> {
    let spans = trace["spans"].as_array().unwrap();
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn one<'a>(trace: &'a Json, name: &str) -> &'a Json {
    let all = named(trace, name);
    assert_eq!(all.len(), 1, "{name}: {trace}");
    all[0]
}

/// Within the hundredth that different price lists may round away.
fn assert_near(theirs: f64, ours: f64, what: &str) {
    assert!(
        (theirs - ours).abs() <= ours * 0.01,
        "{what}: Phoenix says {theirs} USD, we say {ours}"
    );
}

/// Runs the quickstart with Phoenix as its collector, and gives the trace.
fn quickstart(variables: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "quickstart"])
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            variable("PHOENIX_OTLP_HTTP_URL"),
        )
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        // Phoenix takes traces only.
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("OTEL_LOGS_EXPORTER", "none")
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let link = out
        .lines()
        .find_map(|line| line.split("/trace/").nth(1))
        .unwrap_or_else(|| panic!("{out}\n{}", String::from_utf8_lossy(&output.stderr)));
    link.chars().take_while(char::is_ascii_hexdigit).collect()
}

const CAPTURE: (&str, &str) = (
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "SPAN_ONLY",
);

#[test]
#[ignore = "needs the real Phoenix: .ci/backends start phoenix"]
fn phoenix_shows_the_quickstart_with_its_kinds_tokens_messages_and_session_and_prices_it_as_we_do()
{
    let trace = trace(&quickstart(&[CAPTURE]), 6, 2);
    assert_eq!(trace["errorCount"], 0);
    assert_eq!(trace["session"]["sessionId"], "paris-weekend");
    let root = one(&trace, "invoke_agent trip-planner");
    assert_eq!(root["spanKind"], "agent");
    // Tokens and cost are counted where they arose, once.
    assert_eq!((&root["tokenCountPrompt"], cost(root)), (&Json::Null, None));

    let chats = named(&trace, "chat gpt-4o-mini");
    assert_eq!(chats.len(), 2);
    let mut sum = 0.0;
    for chat in &chats {
        assert_eq!(chat["spanKind"], "llm");
        let ours = &chat["attributes"]["gen_ai"]["usage"];
        assert_eq!(chat["tokenCountPrompt"], ours["input_tokens"]);
        assert_eq!(chat["tokenCountCompletion"], ours["output_tokens"]);
        assert_eq!(
            chat["tokenPromptDetails"]["cacheRead"],
            ours["cache_read"]["input_tokens"]
        );
        let ours = ours["cost"].as_f64().unwrap();
        assert_near(cost(chat).unwrap(), ours, "a chat of the quickstart");
        sum += ours;
        let llm = &chat["attributes"]["llm"];
        assert_eq!(
            (&llm["provider"], &llm["model_name"]),
            (&"openai".into(), &"gpt-4o-mini".into())
        );
        let parameters = llm["invocation_parameters"].as_str().unwrap();
        let parameters: Json = serde_json::from_str(parameters).unwrap();
        assert_eq!(parameters, json!({"temperature": 0.2, "stream": true}));
        let first = &llm["input_messages"][0]["message"];
        assert_eq!(first["role"], "user");
        assert!(first["content"].as_str().unwrap().contains("Paris"));
    }
    let total = trace["costSummary"]["total"]["cost"].as_f64().unwrap();
    assert_near(total, sum, "the run");
    let ours = &root["attributes"]["llm"]["total_cost_usd"];
    assert_near(total, ours.as_f64().unwrap(), "the run's total");

    let said = |chat: &Json| chat["attributes"]["llm"]["output_messages"][0]["message"].clone();
    let asks = chats
        .iter()
        .find(|chat| said(chat)["tool_calls"].is_array())
        .unwrap();
    let calls = &said(asks)["tool_calls"];
    assert_eq!(calls.as_array().unwrap().len(), 2);
    let call = &calls[0]["tool_call"];
    assert_eq!(
        (&call["id"], &call["function"]["name"]),
        (&"call_get_weather".into(), &"get_weather".into())
    );
    let arguments = call["function"]["arguments"].as_str().unwrap();
    assert!(arguments.contains("Paris"), "{arguments}");
    let answers = chats
        .iter()
        .find(|chat| said(chat)["content"].is_string())
        .unwrap();
    assert!(
        said(answers)["content"]
            .as_str()
            .unwrap()
            .contains("umbrella")
    );
    // Each tool's answer is a message of its own, with the call it answers.
    let asked = &answers["attributes"]["llm"]["input_messages"];
    let roles: Vec<_> = asked
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (&entry["message"]["role"], &entry["message"]["tool_call_id"]))
        .collect();
    let none = &Json::Null;
    assert_eq!(
        roles,
        [
            (&"user".into(), none),
            (&"assistant".into(), none),
            (&"tool".into(), &"call_get_weather".into()),
            (&"tool".into(), &"call_find_hotel".into()),
        ]
    );

    let weather = one(&trace, "execute_tool get_weather");
    assert_eq!(weather["spanKind"], "tool");
    let shown = &weather["attributes"];
    assert_eq!(shown["tool"]["name"], "get_weather");
    assert_eq!(shown["tool"]["id"], "call_get_weather");
    assert_eq!(shown["tool"]["parameters"]["city"], "Paris");
    assert_eq!(shown["output"]["value"], "14 °C and light rain in Paris");
    let step = one(&trace, "think");
    assert_eq!(step["events"][0]["name"], "plan.refined");
}

#[test]
#[ignore = "needs the real Phoenix: .ci/backends start phoenix"]
fn phoenix_shows_no_word_of_what_was_said_unless_it_was_asked_for() {
    let trace = trace(&quickstart(&[]), 6, 2);
    let chats = named(&trace, "chat gpt-4o-mini");
    for chat in &chats {
        let llm = &chat["attributes"]["llm"];
        assert_eq!(
            (&llm["input_messages"], &llm["output_messages"]),
            (&Json::Null, &Json::Null)
        );
        assert!(cost(chat).unwrap() > 0.0, "figures are no content");
    }
    let all = trace.to_string();
    for said in [
        "rainy weekend",
        "umbrella",
        "light rain",
        "Hôtel",
        "\"Paris\"",
    ] {
        assert!(!all.contains(said), "{said}: {all}");
    }
}

#[test]
#[ignore = "needs the real Phoenix: .ci/backends start phoenix"]
fn phoenix_shows_where_a_run_failed_and_why() {
    // Nobody listens there.
    let nobody = [
        ("OPENAI_API_KEY", "a key"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
    ];
    let trace = trace(&quickstart(&[nobody[0], nobody[1], CAPTURE]), 3, 0);
    assert_eq!(trace["errorCount"], 3);
    for name in ["invoke_agent trip-planner", "think", "chat gpt-4o-mini"] {
        let span = one(&trace, name);
        assert_eq!(span["statusCode"], "ERROR", "{name}");
        let why = span["statusMessage"].as_str().unwrap();
        assert!(why.starts_with("no connection"), "{name}: {why}");
        let exception = &span["events"][0];
        assert_eq!(
            (&exception["name"], &exception["message"]),
            (&"exception".into(), &why.into())
        );
    }
    let chat = one(&trace, "chat gpt-4o-mini");
    let kind = chat["attributes"]["error"]["type"].as_str().unwrap();
    assert!(kind.ends_with("ClientError"), "{kind}");
}

/// What is recorded here goes to Phoenix, all of it captured. Gives the trace's id.
fn record(work: impl FnOnce()) -> String {
    record_with(work, |builder| builder)
}

fn record_with(
    work: impl FnOnce(),
    configure: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
) -> String {
    let otlp = OtlpConfig::new().endpoint(variable("PHOENIX_OTLP_HTTP_URL"));
    let builder = Telemetry::builder("oracle")
        .environment(|_| None)
        .otlp(otlp.without(Signal::Metrics).without(Signal::Logs))
        .capture(CaptureMode::Full);
    let telemetry = configure(builder).build().unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let id = tracing::subscriber::with_default(subscriber, || {
        let run = agent("oracle").session_id("s-1").start();
        run.in_scope(work);
        run.complete();
        run.context().span().span_context().trace_id()
    });
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    id.to_string()
}

#[test]
#[ignore = "needs the real Phoenix: .ci/backends start phoenix"]
fn phoenix_and_we_agree_on_the_prices_of_many_models_to_the_hundredth() {
    let plain = |input, output| Usage::new().input(input).output(output);
    let calls = [
        ("openai", "gpt-4o", plain(1_200, 340).cache_read(1_024)),
        ("openai", "gpt-4o-mini", plain(180, 32).cache_read(40)),
        ("openai", "gpt-4.1", plain(90_000, 2_000)),
        (
            "openai",
            "gpt-5",
            plain(5_000, 900).cache_read(4_096).reasoning(640),
        ),
        ("openai", "gpt-5-mini", plain(5_000, 900)),
        ("openai", "o3-mini", plain(700, 4_000).reasoning(3_500)),
        (
            "anthropic",
            "claude-haiku-4-5",
            plain(9_000, 500).cache_read(6_000),
        ),
        (
            "anthropic",
            "claude-opus-4-5",
            plain(9_000, 500).cache_read(6_000),
        ),
        (
            "gcp.gemini",
            "gemini-2.5-flash",
            plain(3_000, 700).reasoning(300),
        ),
        (
            "gcp.gemini",
            "gemini-2.5-pro",
            plain(30_000, 700).cache_read(10_000),
        ),
    ];
    let id = record(|| {
        for (provider, model, usage) in &calls {
            chat(provider, model).start().usage(*usage).complete();
        }
        // No price is known: none is made up.
        let unknown = chat("openai", "a-model-of-tomorrow").start();
        unknown.usage(plain(10, 10)).complete();
    });
    let trace = trace(&id, calls.len() + 2, calls.len());
    for (_, model, usage) in &calls {
        let span = one(&trace, &format!("chat {model}"));
        assert_eq!(
            span["tokenCountPrompt"].as_u64(),
            usage.input_tokens,
            "{model}"
        );
        let ours = span["attributes"]["gen_ai"]["usage"]["cost"].as_f64();
        let ours = ours.unwrap_or_else(|| panic!("{model}: we know no price"));
        let theirs = cost(span).unwrap_or_else(|| panic!("{model}: Phoenix knows no price"));
        println!("{model}: {theirs} and {ours} USD");
        assert_near(theirs, ours, model);
    }
    let unknown = one(&trace, "chat a-model-of-tomorrow");
    assert_eq!(unknown["attributes"]["gen_ai"]["usage"]["cost"], Json::Null);
    assert_eq!(cost(unknown), None);
}

/// For backends that know the conventions of 1.41, where writes to a cache had another name.
struct FormerName;

impl Enrich for FormerName {
    fn after_span(&self, span: &mut SpanMut<'_>) {
        if let Some(tokens) = span.get("gen_ai.usage.cache_write.input_tokens") {
            span.set("gen_ai.usage.cache_creation.input_tokens", tokens);
        }
    }
}

#[test]
#[ignore = "needs the real Phoenix: .ci/backends start phoenix"]
fn phoenix_prices_writes_to_a_cache_as_we_do_once_it_is_told_of_them_under_their_former_name() {
    let call = || {
        let usage = Usage::new()
            .input(9_000)
            .cache_read(6_000)
            .cache_write(2_000);
        let call = chat("anthropic", "claude-haiku-4-5").start();
        call.usage(usage.output(500)).complete();
    };
    let prices = |id: &str| {
        let trace = trace(id, 2, 1);
        let span = one(&trace, "chat claude-haiku-4-5");
        let ours = span["attributes"]["gen_ai"]["usage"]["cost"].as_f64();
        (cost(span).unwrap(), ours.unwrap())
    };
    // It takes them for plain input, which is cheaper.
    let (theirs, ours) = prices(&record(call));
    assert!(theirs < ours * 0.95, "{theirs} and {ours} USD");
    let (theirs, ours) = prices(&record_with(call, |builder| builder.enrich(FormerName)));
    assert_near(theirs, ours, "claude-haiku-4-5");
}

#[test]
#[ignore = "needs the real Phoenix: .ci/backends start phoenix"]
fn phoenix_shows_whole_conversations_whoever_wrote_them() {
    let id = record(|| {
        let history = json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [
                { "type": "text", "text": "What is this?" },
                { "type": "image_url", "image_url": { "url": "https://example.org/cat.png" } },
            ] },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "c-1", "type": "function", "function": { "name": "look", "arguments": "{\"at\":\"it\"}" } },
            ] },
            { "role": "tool", "tool_call_id": "c-1", "content": "a cat" },
        ]);
        let call = chat("openai", "gpt-4o")
            .system("You see.")
            .messages(&from_openai(&history).value.messages)
            .start();
        call.response(&json!({
            "id": "x", "model": "gpt-4o-2024-11-20",
            "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "A cat." } }],
            "usage": { "prompt_tokens": 100, "completion_tokens": 3 },
        }));
        call.complete();
        // An answer whose end nobody told is an answer all the same.
        let call = chat("openai", "gpt-4.1").prompt("And this?").start();
        call.output(&[Message::assistant("A dog.")]).complete();
        let call = tool("look").arguments(json!({"at": "it"})).start();
        call.result(json!({"seen": "a cat"})).complete();
        embeddings("openai", "text-embedding-3-small")
            .start()
            .usage(Usage::new().input(9))
            .complete();
        retrieval("handbook").start().complete();
        step("file").start().complete();
        workflow("triage").start().complete();
    });
    let trace = trace(&id, 8, 1);
    assert_eq!(trace["session"]["sessionId"], "s-1");
    let llm = &one(&trace, "chat gpt-4o")["attributes"]["llm"];
    let asked = llm["input_messages"].as_array().unwrap();
    let roles: Vec<_> = asked
        .iter()
        .map(|m| m["message"]["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        ["system", "system", "user", "assistant", "tool"],
        "{llm}"
    );
    assert_eq!(asked[0]["message"]["content"], "You see.");
    let contents = &asked[2]["message"]["contents"];
    assert_eq!(contents[0]["message_content"]["text"], "What is this?");
    assert_eq!(
        contents[1]["message_content"]["image"]["image"]["url"],
        "https://example.org/cat.png"
    );
    assert_eq!(asked[4]["message"]["content"], "a cat");
    assert_eq!(llm["output_messages"][0]["message"]["content"], "A cat.");
    let llm = &one(&trace, "chat gpt-4.1")["attributes"]["llm"];
    assert_eq!(llm["output_messages"][0]["message"]["content"], "A dog.");
    let look = one(&trace, "execute_tool look");
    assert_eq!(
        look["attributes"]["output"]["mime_type"],
        "application/json"
    );
    let embeddings = one(&trace, "embeddings text-embedding-3-small");
    assert_eq!(embeddings["spanKind"], "embedding");
    // Phoenix counts tokens of models that talk only.
    assert_eq!(embeddings["attributes"]["llm"]["token_count"]["prompt"], 9);
    for (name, kind) in [
        ("retrieval handbook", "retriever"),
        ("file", "unknown"),
        ("invoke_workflow triage", "unknown"),
    ] {
        assert_eq!(one(&trace, name)["spanKind"], kind, "{name}");
    }
}
