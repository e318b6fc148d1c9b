//! MCP through `rmcp` 3: spans for what is asked and answered over the Model Context Protocol, and one trace on both sides.
//!
//! Owns the wrapper of a server's (or client's) handler, the traced calls of a peer, and the trace context in `params._meta`.
//! Promise: requests and answers pass unchanged, but for the three entries of trace context that a client adds to `_meta`;
//! a span's parent is who asked, never the connection; arguments and results are recorded only where
//! [`capture`](crate::TelemetryBuilder::capture) is switched on.
//! Never: opens a second span for a tool call that an open `execute_tool` span already tells of.
//!
//! # On the server
//!
//! ```
//! use rmcp::{ServerHandler, transport::stdio};
//! use tracing_genai::mcp::{Transport, traced};
//!
//! #[derive(Clone)]
//! struct Weather;
//! impl ServerHandler for Weather {}
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let server = traced(Weather).transport(Transport::Stdio).serve(stdio()).await?;
//! server.waiting().await?;
//! # Ok(()) }
//! ```
//!
//! [`traced`] takes everything that is an `rmcp` service. `StreamableHttpService` insists on a
//! [`ServerHandler`](rmcp::ServerHandler): for it there is [`traced_handler`].
//!
//! # On the client
//!
//! ```
//! use rmcp::model::CallToolRequestParams;
//! use rmcp::service::{RoleClient, RunningService};
//! use tracing_genai::mcp::PeerExt as _;
//!
//! # async fn run(client: RunningService<RoleClient, ()>) -> Result<(), Box<dyn std::error::Error>> {
//! let weather = client.traced().call_tool(CallToolRequestParams::new("weather")).await?;
//! # Ok(()) }
//! ```
//!
//! # What becomes what
//!
//! | | Span | Kind | Events |
//! | --- | --- | --- | --- |
//! | a client calls a tool | `tools/call {tool}` | client | `mcp.tool.started`, `.completed`, `.failed`, `.canceled` |
//! | the same inside an open `execute_tool {tool}` | that one | as it is | those of the tool |
//! | a client asks for anything else | `{method}`, `prompts/get {prompt}` | client | `mcp.request.…`; `mcp.connection.…` for `initialize` |
//! | a server answers a request or takes a notification | the same names | server | the same |
//!
//! Either side may ask: a server that asks its client for a model call (`sampling/createMessage`) is the client of that span.
//!
//! * `isError` in a tool's result fails the span with `error.type` `tool_error`; a JSON-RPC error fails it with its code, which
//!   is `rpc.response.status_code` too. The text of either is kept where
//!   [`error_messages`](crate::TelemetryBuilder::error_messages) allows it.
//! * A call whose future is dropped, and a request that the peer cancels, end as canceled.
//! * A server's span is the child of the span that `params._meta` names, and without one the root of a trace. It links the
//!   span the message arrived in: the HTTP request's, for instance. `rmcp`'s own `serve_inner`, which lives as long as the
//!   connection, is not seen: it is neither parent nor link, and no trace. What a handler without [`traced`] makes is a root.
//!
//! # Sessions
//!
//! A session that has ended is the event `mcp.connection.closed`, once, and the metric `mcp.client.session.duration` or
//! `mcp.server.session.duration`, in seconds, whatever is sampled. It is told of clients that [`connect`] made, and of servers:
//!
//! * [`Traced::serve`] tells it when the transport ends. `error.type` is `transport_send` or `transport_close` where that was the
//!   last thing to happen.
//! * Served otherwise (by `serve_server`, or over HTTP with [`traced_handler`]), it is told when `rmcp` drops the handler, and
//!   without an error, of which a handler hears nothing.
//!
//! A handshake that fails is no session, and neither is an HTTP request without `Mcp-Session-Id`.
//!
//! Follows the MCP part of the conventions at [`SEMCONV_COMMIT`](crate::semconv::SEMCONV_COMMIT).

mod client;
mod connect;
mod handler;
mod message;
mod meta;
mod observed;
mod origin;
mod server;
mod session;

pub use client::{PeerExt, TracedPeer};
pub use connect::{Connect, connect};
pub use handler::{TracedHandler, traced_handler};
pub use server::{Traced, traced};

use crate::layer::classify;
use crate::semconv;

/// What carries the messages of a session.
///
/// A message that came by `rmcp`'s streamable HTTP server says so itself. Everything else has to be told; untold it is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// The standard streams of a process: `network.transport` is `pipe`.
    Stdio,
    /// HTTP: `network.transport` is `tcp`, `network.protocol.name` is `http`.
    Http,
}

impl Transport {
    fn attributes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Stdio => &[(semconv::NETWORK_TRANSPORT, "pipe")],
            Self::Http => &[
                (semconv::NETWORK_TRANSPORT, "tcp"),
                (semconv::NETWORK_PROTOCOL_NAME, "http"),
            ],
        }
    }
}

/// Whether a span is one of `rmcp`'s own: those live as long as a connection does.
fn is_connection(span: &tracing::Span) -> bool {
    span.metadata().is_some_and(classify::is_connection)
}
