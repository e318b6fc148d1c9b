//! An MCP client and its server, in two processes: one trace.
//!
//! The program starts itself again as the server. Each side prints the spans it made; the server's hang below the client's.

use std::process::Stdio;

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::{TokioChildProcess, stdio};
use rmcp::{ServerHandler, ServiceExt as _, schemars, tool, tool_handler, tool_router};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tracing_genai::mcp::{PeerExt as _, Transport, traced};
use tracing_genai_clients::{Failure, Shown, install};

#[derive(Clone)]
struct Weather {
    tool_router: ToolRouter<Self>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Place {
    city: String,
}

#[tool_router]
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

#[tool_handler]
impl ServerHandler for Weather {}

/// The server: `traced` around the handler is all there is to do.
async fn serve() -> Result<(), Failure> {
    let weather = Weather {
        tool_router: Weather::tool_router(),
    };
    let server = traced(weather).transport(Transport::Stdio);
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

fn told(side: &str, shown: &Shown) -> String {
    let trace = shown.spans().first().map(|span| span.trace_id.to_string());
    format!(
        "{side}, trace {}\n{}",
        trace.unwrap_or_default(),
        shown.tree()
    )
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
