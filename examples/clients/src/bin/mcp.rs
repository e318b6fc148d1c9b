//! An MCP client and its server, in two processes: one trace.
//!
//! The program starts itself again as the server. Each side prints the spans it made; the server's hang below the client's.

use std::process::Stdio;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::{TokioChildProcess, stdio};
use rmcp::{ServiceExt as _, schemars, tool, tool_router};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tracing_genai::mcp::{PeerExt as _, Transport, traced};
use tracing_genai::testing::render;
use tracing_genai_clients::{Failure, Shown, install};

#[derive(Clone)]
struct Weather;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Place {
    city: String,
}

#[tool_router(server_handler)]
impl Weather {
    #[tool(description = "The weather in a city")]
    #[tracing::instrument(skip_all)]
    async fn get_weather(&self, Parameters(place): Parameters<Place>) -> Result<String, String> {
        match place.city.as_str() {
            "Atlantis" => Err("no such city".to_owned()),
            _ => Ok("14 °C, light rain".to_owned()),
        }
    }
}

/// The server: `traced` around the handler is all there is to do.
async fn serve() -> Result<(), Failure> {
    let server = traced(Weather).transport(Transport::Stdio);
    server.serve(stdio()).await?.waiting().await?;
    Ok(())
}

/// The client: `traced()` before the call.
async fn ask() -> Result<String, Failure> {
    let mut server = Command::new(std::env::current_exe()?);
    server.arg("server");
    let (process, stderr) = TokioChildProcess::builder(server)
        .stderr(Stdio::piped())
        .spawn()?;
    let client = ().serve(process).await?;
    tracing_genai::agent("traveller")
        .run(async {
            let peer = client.traced().transport(Transport::Stdio);
            for city in ["Paris", "Atlantis"] {
                let arguments = rmcp::object!({ "city": city });
                let call = CallToolRequestParams::new("get_weather").with_arguments(arguments);
                tracing_genai::tool("get_weather")
                    .run(peer.call_tool(call))
                    .await?;
            }
            peer.list_all_tools().await.map_err(Failure::from)
        })
        .await?;
    client.cancel().await?;
    let mut told = String::new();
    stderr.ok_or("no stderr")?.read_to_string(&mut told).await?;
    Ok(told)
}

/// This side's part of the trace that both sides share. What lies beside it is the connection: its opening, and a span of
/// rmcp's that lasts as long as it does.
fn told(side: &str, shown: &Shown) -> String {
    let spans = shown.spans();
    let list = spans.iter().find(|span| span.name == "tools/list");
    let trace = list.map(|span| span.trace_id);
    let shared: Vec<_> = spans
        .iter()
        .filter(|span| Some(span.trace_id) == trace)
        .cloned()
        .collect();
    let trace = trace.map(|id| id.to_string()).unwrap_or_default();
    format!("{side}, trace {trace}\n{}", render(&shared))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let shown = install()?;
    if std::env::args().any(|arg| arg == "server") {
        serve().await?;
        // Standard output belongs to the protocol.
        eprint!("{}", told("server", &shown));
        // The reading of standard input cannot be stopped, and would keep the runtime.
        std::process::exit(0);
    }
    let server = ask().await?;
    print!("{}\n{server}", told("client", &shown));
    Ok(())
}
