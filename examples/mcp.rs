//! An agent that uses a tool over MCP: the client's and the server's work in one trace.
//!
//! ```text
//! cargo run --example mcp
//! ```
//!
//! Both sides run in this process, over a pipe in memory; nothing leaves it. In real life the server is
//! `traced(Weather).transport(Transport::Stdio).serve(stdio())` in a program of its own, and the trace is the same: the context
//! travels in `_meta`.
#![allow(clippy::print_stdout, reason = "a program for people")]

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ServerHandler, ServiceExt as _};
use tracing_genai::console::escape_lines;
use tracing_genai::mcp::{PeerExt as _, traced};
use tracing_genai::testing::capture;
use tracing_genai::{agent, tool};

/// The server, as one writes it without tracing.
struct Weather;

impl ServerHandler for Weather {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match request.name.as_ref() {
            "forecast" => Ok(forecast().await.into()),
            name => {
                let error = format!("unknown tool: {name}");
                Err(ErrorData::invalid_params(error, None))
            }
        }
    }
}

#[tracing::instrument]
async fn forecast() -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text("14 °C, rain in the evening")])
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The test kit keeps what would be exported; with a collector: `Telemetry::builder(..).otlp_from_env()`.
    let capture = capture();
    capture.telemetry().install()?;

    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = tokio::spawn(async {
        let server = traced(Weather).serve(theirs).await?;
        server.waiting().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    });
    let client = ().serve(ours).await?;

    let day = async {
        let mcp = client.traced();
        // A span of its own, `tools/call forecast`.
        let weather = mcp
            .call_tool(CallToolRequestParams::new("forecast"))
            .await?;
        // The work of a tool's span, which tells of it: `execute_tool forecast`.
        tool("forecast")
            .run(mcp.call_tool(CallToolRequestParams::new("forecast")))
            .await?;
        // A tool that the server does not have.
        let _unknown = mcp.call_tool(CallToolRequestParams::new("horoscope")).await;
        Ok::<_, rmcp::ServiceError>(weather)
    };
    let weather = agent("planner").run(day).await?;
    client.cancel().await?;
    server.await?.map_err(|error| error.to_string())?;

    if let Some(text) = weather.content.first().and_then(|block| block.as_text()) {
        println!("{}\n", escape_lines(&text.text));
    }
    println!("{}", capture.tree());
    Ok(())
}
