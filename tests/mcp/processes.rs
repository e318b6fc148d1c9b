//! Two processes over standard streams, one trace at a real collector.

use std::env;
use std::process::Stdio;
use std::time::Duration;

use rmcp::model::GetPromptRequestParams;
use rmcp::transport::stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tracing_genai::mcp::{PeerExt as _, Transport, connect, traced};
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::{Telemetry, agent, tool};
use tracing_subscriber::prelude::*;

use super::library::{Library, blocking, call};
use super::support::collector::Collector;
use super::tree::collected;

/// In the server's process: where it exports to.
const COLLECTOR: &str = "TRACING_GENAI_TEST_COLLECTOR";
/// What the test runner of the server's process prints comes before this line.
const READY: &str = "--- mcp ---";

fn telemetry(service: &str, endpoint: &str) -> Telemetry {
    Telemetry::builder(service)
        .environment(|_| None)
        .otlp(OtlpConfig::new().endpoint(endpoint))
        .build()
        .unwrap()
}

fn recorded<T>(telemetry: &Telemetry, f: impl Future<Output = T>) -> T {
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || blocking(f))
}

fn serve(endpoint: &str) {
    let telemetry = telemetry("library", endpoint);
    println!("\n{READY}");
    recorded(&telemetry, async {
        let server = traced(Library).transport(Transport::Stdio);
        server
            .serve(stdio())
            .await
            .unwrap()
            .waiting()
            .await
            .unwrap();
    });
    assert!(telemetry.shutdown().is_complete());
    // The reading of standard input cannot be stopped, and would keep the runtime.
    std::process::exit(0);
}

// Requirement 164: two processes, one trace.
#[test]
fn two_processes_over_stdio_are_one_trace() {
    if let Ok(endpoint) = env::var(COLLECTOR) {
        return serve(&endpoint);
    }
    let collector = Collector::start();
    let telemetry = telemetry("librarian", &collector.endpoint());
    recorded(&telemetry, async {
        let mut server = Command::new(env::current_exe().unwrap())
            .args([
                "processes::two_processes_over_stdio_are_one_trace",
                "--exact",
                "--nocapture",
            ])
            .env(COLLECTOR, collector.endpoint())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        while line.trim() != READY {
            line.clear();
            assert_ne!(
                out.read_line(&mut line).await.unwrap(),
                0,
                "the server is gone"
            );
        }
        let pipes = (out, server.stdin.take().unwrap());
        let client = connect((), pipes)
            .transport(Transport::Stdio)
            .await
            .unwrap();
        let work = async {
            let peer = client.traced().transport(Transport::Stdio);
            tool("search").run(peer.call_tool(call("search"))).await?;
            peer.call_tool(call("lend")).await?;
            peer.get_prompt(GetPromptRequestParams::new("greeting"))
                .await
        };
        agent("librarian").run(work).await.unwrap();
        client.cancel().await.unwrap();
        let status = tokio::time::timeout(Duration::from_secs(15), server.wait()).await;
        assert!(status.unwrap().unwrap().success());
    });
    assert!(telemetry.shutdown().is_complete());
    let spans = collector.spans();
    assert_eq!(
        collected(&spans),
        "\
invoke_agent librarian Internal
  execute_tool search Internal
    tools/call search Server
      look up Internal
  tools/call lend Client
    tools/call lend Server
  prompts/get greeting Client
    prompts/get greeting Server
"
    );
    let root = spans
        .iter()
        .find(|span| span.name == "invoke_agent librarian")
        .unwrap();
    let in_trace = spans.iter().filter(|span| span.trace_id == root.trace_id);
    assert_eq!(in_trace.count(), 8);
    let metrics = collector.metrics();
    for name in [
        "mcp.client.operation.duration",
        "mcp.server.operation.duration",
        "mcp.client.session.duration",
        "mcp.server.session.duration",
    ] {
        assert!(metrics.iter().any(|metric| metric.name == name), "{name}");
    }
}
