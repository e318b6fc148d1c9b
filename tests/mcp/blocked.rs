//! Calls of tools that are not made, or not handled.

use rmcp::model::CallToolRequestParams;
use rmcp::service::ServiceError;
use serde_json::json;
use tracing_genai::event::Value;
use tracing_genai::mcp::{PeerExt as _, traced};
use tracing_genai::security::{Action, AlertLevel, Policy};
use tracing_genai::testing::{Capture, capture_with};
use tracing_genai::tool;

use super::library::{Library, run, with};

fn blocking() -> Capture {
    let policy = Policy::new().on(AlertLevel::Dangerous, Action::Block);
    capture_with(|builder| builder.security(policy))
}

fn dangerous() -> CallToolRequestParams {
    let arguments = json!({"program": "rm", "args": ["-rf", "/"]});
    CallToolRequestParams::new("echo").with_arguments(arguments.as_object().unwrap().clone())
}

fn assert_refused(error: &ServiceError) {
    let ServiceError::McpError(error) = error else {
        panic!("{error:?}");
    };
    let data = error.data.as_ref().unwrap();
    assert_eq!(data["reason"], "dangerous_commands");
    assert_eq!(data["rules"][0], "command.remove_root");
    assert!(!format!("{error:?}").contains("-rf"), "{error:?}");
}

fn types(capture: &Capture) -> Vec<String> {
    let events = capture.events();
    let types = events.iter().map(|event| event.ty.to_string());
    types
        .filter(|ty| {
            ty.starts_with("mcp.tool") || ty.starts_with("security") || ty.starts_with("tool.call")
        })
        .collect()
}

#[test]
fn a_client_does_not_make_a_call_that_is_blocked() {
    let capture = blocking();
    run(&capture, async {
        // The server is not traced: what it was asked would be on no span.
        with(Library, |peer| async move {
            assert_refused(&peer.traced().call_tool(dangerous()).await.unwrap_err());
            let fine = CallToolRequestParams::new("echo");
            assert!(peer.traced().call_tool(fine).await.is_ok());
        })
        .await;
    });
    assert_eq!(
        types(&capture),
        [
            "mcp.tool.started",
            "security.block",
            "mcp.tool.blocked",
            "mcp.tool.started",
            "mcp.tool.completed"
        ]
    );
    let spans = capture.spans();
    let blocked = spans
        .iter()
        .find(|span| span.name == "tools/call echo")
        .unwrap();
    assert_eq!(blocked.attr("error.type"), Some(&"blocked".into()));
    assert_eq!(
        blocked.attr("security.block_reason"),
        Some(&Value::from("dangerous_commands"))
    );
}

#[test]
fn a_server_does_not_handle_a_call_that_is_blocked() {
    let capture = blocking();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            // This client knows nothing of policies.
            assert_refused(&peer.call_tool(dangerous()).await.unwrap_err());
        })
        .await;
    });
    assert_eq!(
        types(&capture),
        ["mcp.tool.started", "security.block", "mcp.tool.blocked"]
    );
}

#[test]
fn the_span_of_the_tool_that_a_blocked_call_is_the_work_of_ends_as_blocked() {
    let capture = blocking();
    run(&capture, async {
        with(Library, |peer| async move {
            let call = tool("echo").run(peer.traced().call_tool(dangerous())).await;
            assert_refused(&call.unwrap_err());
        })
        .await;
    });
    assert_eq!(
        types(&capture),
        ["tool.call.started", "security.block", "tool.call.blocked"]
    );
}
