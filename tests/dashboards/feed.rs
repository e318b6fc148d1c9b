//! Programs to look at: the quickstart, and a service in which everything happens that the quickstart has not: failures, security
//! findings, unknown prices, embeddings, retrieval, workflows, MCP.

use std::process::Command;
use std::time::Duration;

use opentelemetry::trace::TraceContextExt as _;
use serde_json::json;
use tracing_genai::event::Usage;
use tracing_genai::otlp::{OtlpConfig, Protocol};
use tracing_genai::security::{Action, AlertLevel, Policy};
use tracing_genai::{Telemetry, agent, chat, embeddings, retrieval, step, tool, workflow};
use tracing_subscriber::prelude::*;

/// Runs the quickstart against the collector and gives the id of its trace.
pub(crate) fn quickstart(endpoint: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "quickstart"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        .env_remove("OPENAI_API_KEY")
        .env_remove("OPENAI_BASE_URL")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let id = printed
        .split("/trace/")
        .nth(1)
        .expect("a link to the trace");
    id.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// Runs the other service, and gives the id of the trace of its agent's run.
pub(crate) fn support_desk(endpoint: &str) -> String {
    let telemetry = Telemetry::builder("support-desk")
        .environment(|_| None)
        .otlp(
            OtlpConfig::new()
                .endpoint(endpoint)
                .protocol(Protocol::HttpProtobuf),
        )
        .security(Policy::new().on(AlertLevel::Dangerous, Action::Block))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let id = tracing::subscriber::with_default(subscriber, work);
    let report = telemetry.shutdown_within(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    id
}

fn work() -> String {
    let run = agent("support-desk").start();
    let trace = run.context().span().span_context().trace_id().to_string();
    run.span().in_scope(|| {
        let call = chat("openai", "gpt-4o").streaming().start();
        call.chunk("It ");
        std::thread::sleep(Duration::from_millis(5));
        call.chunk("rains.");
        let usage = Usage::new()
            .input(9_000)
            .output(600)
            .cache_read(4_000)
            .reasoning(200);
        call.usage(usage).finish_reason("stop").complete();
        chat("openai", "gpt-4o")
            .start()
            .fail_as("rate_limit_exceeded");
        // A model that no price list knows.
        let call = chat("own", "house-model").start();
        call.usage(Usage::new().input(100).output(20)).complete();
        embeddings("openai", "text-embedding-3-small")
            .start()
            .usage(Usage::new().input(300))
            .complete();
        retrieval("handbook").start().complete();
        let step = step("file").start();
        step.retrying(2, &std::io::Error::from(std::io::ErrorKind::TimedOut));
        step.complete();
        tool("lookup").start().complete();
        tool("lookup").start().fail_as("timeout");
        let arguments = json!({ "program": "rm", "args": ["-rf", "/"] });
        let blocked = tool("shell").arguments(arguments).try_start();
        assert!(blocked.is_err(), "a dangerous call is not made");
        for side in ["client", "server"] {
            let span = tracing::info_span!(
                "mcp",
                "genai.subject" = "mcp.request",
                "mcp.method.name" = "resources/read",
                "otel.kind" = side
            );
            span.in_scope(|| {});
        }
    });
    run.fail_as("gave_up");
    workflow("triage").start().complete();
    trace
}
