//! A call that is the work of an open `execute_tool` span gets no span of its own.

use opentelemetry::trace::{SpanKind, Status};
use tracing::{Instrument as _, field, info_span};
use tracing_genai::event::Value;
use tracing_genai::mcp::{PeerExt as _, Transport, traced};
use tracing_genai::testing::{CapturedSpan, capture};
use tracing_genai::{agent, step, tool};

use super::library::{Library, call, run, with};
use super::tree::captured;

fn attr<'s>(span: &'s CapturedSpan, name: &str) -> Option<&'s str> {
    span.attr(name).and_then(Value::as_str)
}

// Requirement 163: merged into an open `execute_tool` span.
#[test]
fn no_double_span() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let peer = peer.traced().transport(Transport::Stdio);
            // Made outside the tool's span, and put into it.
            let work = async { tool("search").run(peer.call_tool(call("search"))).await };
            agent("librarian").run(work).await.unwrap();
        })
        .await;
    });
    let spans = capture.spans();
    assert_eq!(
        captured(&spans),
        "\
invoke_agent librarian Internal
  execute_tool search Internal
    tools/call search Server
      look up Internal
"
    );
    let span = capture.span("execute_tool search");
    assert_eq!(attr(&span, "mcp.method.name"), Some("tools/call"));
    assert_eq!(attr(&span, "network.transport"), Some("pipe"));
    assert!(attr(&span, "mcp.protocol.version").is_some());
    assert_eq!(span.status, Status::Unset);
    let agent = capture.span("invoke_agent librarian");
    assert_eq!(agent.attr("llm.total_tool_calls"), Some(&Value::I64(1)));
}

#[test]
fn a_foreign_span_that_names_the_tool_late_counts_and_gets_what_it_never_declared() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            // As rig has it: the fields are declared, and recorded later.
            let span = info_span!(
                target: "rig_agent::agent::telemetry",
                "execute_tool",
                gen_ai.operation.name = "execute_tool",
                gen_ai.tool.name = field::Empty
            );
            span.record("gen_ai.tool.name", "search");
            let called = peer.traced().call_tool(call("search"));
            drop(called);
            async { peer.traced().call_tool(call("search")).await.unwrap() }
                .instrument(span)
                .await;
        })
        .await;
    });
    let spans = capture.spans();
    assert_eq!(
        captured(&spans),
        "\
execute_tool search Internal
  tools/call search Server
    look up Internal
"
    );
    let span = capture.span("execute_tool search");
    assert_eq!(attr(&span, "mcp.method.name"), Some("tools/call"));
}

#[test]
fn steps_inside_the_tool_are_its_work_and_other_tools_are_not() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let peer = &peer;
            let asked = async {
                peer.traced().call_tool(call("search")).await?;
                // Of another name: a call of its own.
                peer.traced().call_tool(call("meta")).await
            };
            let work = async { step("ask the library").run(asked).await };
            tool("search").run(work).await.unwrap();
        })
        .await;
    });
    assert_eq!(
        captured(&capture.spans()),
        "\
execute_tool search Internal
  ask the library Internal
    tools/call search Server
      look up Internal
    tools/call meta Client
      tools/call meta Server
"
    );
}

#[test]
fn a_tool_error_fails_the_tool_span_though_the_code_around_completes_it() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            tool("lend")
                .run(peer.traced().call_tool(call("lend")))
                .await
                .unwrap();
        })
        .await;
    });
    let span = capture.span("execute_tool lend");
    assert_eq!(attr(&span, "error.type"), Some("tool_error"));
    assert_eq!(span.status, Status::error("tool_error"));
    capture.assert_sequence(["tool.call.started", "tool.call.failed"]);
}

#[test]
fn a_second_try_that_goes_well_takes_the_failure_back() {
    let capture = capture();
    run(&capture, async {
        let gone = with(traced(Library), |peer| async move { peer }).await;
        with(traced(Library), |peer| async move {
            let work = async {
                gone.traced().call_tool(call("search")).await.unwrap_err();
                peer.traced().call_tool(call("search")).await
            };
            tool("search").run(work).await.unwrap();
        })
        .await;
    });
    let span = capture.span("execute_tool search");
    assert_eq!(attr(&span, "error.type"), None);
    assert_eq!(span.status, Status::Unset);
    capture.assert_sequence(["tool.call.started", "tool.call.completed"]);
}

#[test]
fn a_tool_that_has_ended_takes_nothing_more() {
    let capture = capture();
    run(&capture, async {
        with(traced(Library), |peer| async move {
            let search = tool("search").start();
            search.complete();
            let called = search.in_scope(|| peer.traced().call_tool(call("search")));
            called.await.unwrap();
        })
        .await;
    });
    let spans = capture.spans();
    let kinds: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "tools/call search")
        .map(|span| span.kind.clone())
        .collect();
    assert!(kinds.contains(&SpanKind::Client) && kinds.contains(&SpanKind::Server));
}
