//! Views of the Model Context Protocol: tools, connections, other requests.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{count, duration, either, error, flag, float, text, value},
};
use crate::{
    event::{ErrorInfo, Event, Value},
    semconv,
};

views! {
    /// A tool called over MCP.
    McpToolView {
        /// The tool's name.
        name: Option<&'e str> = text(semconv::GEN_AI_TOOL_NAME);
        /// The id the model gave to the call.
        call_id: Option<&'e str> = text(semconv::GEN_AI_TOOL_CALL_ID);
        /// The MCP server, as the client calls it.
        server_name: Option<&'e str> = text("mcp.server.name");
        /// How the server is reached: `stdio`, `http`, `sse`; or else the transport below: `pipe`, `tcp`.
        transport: Option<&'e str> = either("mcp.transport", semconv::NETWORK_TRANSPORT);
        /// The MCP session.
        session_id: Option<&'e str> = text(semconv::MCP_SESSION_ID);
        /// `none`, `suspicious` or `dangerous`: what a check of the arguments or the result found.
        alert_level: Option<&'e str> = text("security.alert_level");
        /// Why it was not allowed, on `mcp.tool.blocked`.
        block_reason: Option<&'e str> = text("security.block_reason");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {
        /// Its arguments, if capturing content is switched on.
        arguments: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_ARGUMENTS);
        /// Its result, if capturing content is switched on.
        result: Option<&'e Value> = value(semconv::GEN_AI_TOOL_CALL_RESULT);
    } {
        /// A tool was called.
        McpToolStarted = "mcp.tool.started";
        /// A tool answered.
        McpToolCompleted = "mcp.tool.completed";
        /// A tool failed, or the server did.
        McpToolFailed = "mcp.tool.failed";
        /// A tool was not allowed to run.
        McpToolBlocked = "mcp.tool.blocked";
        /// A call was dropped before its answer.
        McpToolCanceled = "mcp.tool.canceled";
    }

    /// A client connecting to an MCP server.
    McpConnectionView {
        /// The MCP server, as the client calls it.
        server_name: Option<&'e str> = text("mcp.server.name");
        /// How the server is reached: `stdio`, `http`, `sse`; or else the transport below: `pipe`, `tcp`.
        transport: Option<&'e str> = either("mcp.transport", semconv::NETWORK_TRANSPORT);
        /// The server's host.
        address: Option<&'e str> = text(semconv::SERVER_ADDRESS);
        /// The server's port.
        port: Option<u64> = count(semconv::SERVER_PORT);
        /// The MCP session.
        session_id: Option<&'e str> = text(semconv::MCP_SESSION_ID);
        /// The version of the protocol both speak.
        protocol_version: Option<&'e str> = text(semconv::MCP_PROTOCOL_VERSION);
        /// Seconds it may take.
        connect_timeout: Option<f64> = float("mcp.connect_timeout");
        /// Whether there was a connection before.
        reconnect: Option<bool> = flag("mcp.reconnect");
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A client begins to connect.
        McpConnectionStarted = "mcp.connection.started";
        /// A client is connected.
        McpConnectionCompleted = "mcp.connection.completed";
        /// A client could not connect.
        McpConnectionFailed = "mcp.connection.failed";
        /// A client gave up connecting.
        McpConnectionCanceled = "mcp.connection.canceled";
        /// A session has ended, on either side; its duration is the session's.
        McpConnectionClosed = "mcp.connection.closed";
    }

    /// An MCP request other than a tool call.
    McpRequestView {
        /// The method: `resources/list`.
        method: Option<&'e str> = text(semconv::MCP_METHOD_NAME);
        /// The request's own id.
        request_id: Option<&'e str> = text(semconv::JSONRPC_REQUEST_ID);
        /// The resource asked for.
        resource_uri: Option<&'e str> = text(semconv::MCP_RESOURCE_URI);
        /// The MCP server, as the client calls it.
        server_name: Option<&'e str> = text("mcp.server.name");
        /// How the server is reached: `stdio`, `http`, `sse`; or else the transport below: `pipe`, `tcp`.
        transport: Option<&'e str> = either("mcp.transport", semconv::NETWORK_TRANSPORT);
        /// How long it took.
        duration: Option<Duration> = duration;
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A request was sent.
        McpRequestStarted = "mcp.request.started";
        /// A request was answered.
        McpRequestCompleted = "mcp.request.completed";
        /// A request failed.
        McpRequestFailed = "mcp.request.failed";
        /// A request was dropped before its answer.
        McpRequestCanceled = "mcp.request.canceled";
    }

    /// The configuration of an MCP server that could not be had.
    McpConfigView {
        /// Which configuration.
        slug: Option<&'e str> = text("mcp.config.slug");
        /// What went wrong.
        error: Option<&'e ErrorInfo> = error;
    } content {} {
        /// A configuration could not be fetched.
        McpConfigUnavailable = "mcp.config.unavailable";
    }
}
