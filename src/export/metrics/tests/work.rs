//! What metrics of agents, tools, workflows and client operations promise.

use super::support::{Build as _, agent, chat, measured, span};
use crate::event::Subject;
use crate::export::metrics::MetricNames;
use crate::semconv;

#[test]
fn client_operations_other_than_inference_have_one_name() {
    let embeddings = chat().with("gen_ai.operation.name", "embeddings");
    let remote = span(Subject::AGENT_EXECUTION).with("otel.kind", "client");
    let records = [
        embeddings,
        chat().with("gen_ai.operation.name", "fetch_response"),
        span(Subject::RETRIEVAL_QUERY),
        span(Subject::MEMORY_QUERY),
        span(Subject::MEMORY_SAVE).with("gen_ai.operation.name", "delete_memory"),
        span(Subject::AGENT),
        remote,
    ];
    let points = measured(MetricNames::Latest, &records);
    assert_eq!(points.names(), ["gen_ai.client.operation.duration"]);
    let points = points.all("gen_ai.client.operation.duration");
    let mut operations: Vec<_> = points
        .iter()
        .map(|p| p.attributes["gen_ai.operation.name"].as_str())
        .collect();
    operations.sort_unstable();
    assert_eq!(
        operations,
        [
            "create_agent",
            "delete_memory",
            "embeddings",
            "fetch_response",
            "invoke_agent",
            "retrieval",
            "search_memory"
        ]
    );
    let points = measured(MetricNames::Legacy, &records);
    assert_eq!(points.all("gen_ai.client.token.usage").len(), 2);
    assert_eq!(points.all("gen_ai.client.operation.duration").len(), 7);
}

#[test]
fn an_agent_counts_its_own_calls_and_not_those_of_agents_it_ran() {
    let tool = |name: &str| span(Subject::TOOL_CALL).with(semconv::GEN_AI_TOOL_NAME, name);
    let helper = span(Subject::AGENT_EXECUTION).with(semconv::GEN_AI_AGENT_NAME, "helper");
    let records = [
        chat().at(10, 4).failed("timeout"),
        tool("search").at(11, 4),
        // The helper is run by a tool of the planner, below a step.
        helper.at(4, 3),
        tool("ask_helper").at(3, 2),
        chat().at(12, 2),
        chat().at(13, 2).with("gen_ai.operation.name", "embeddings"),
        span(Subject::STEP).at(2, 1),
        chat().at(14, 1).failed("timeout"),
        agent().at(1, 0),
    ];
    for names in [MetricNames::Latest, MetricNames::Legacy] {
        let points = measured(names, &records);
        for (metric, helper, planner) in [
            ("gen_ai.invoke_agent.inference_calls", 1.0, 2.0),
            ("gen_ai.invoke_agent.tool_calls", 1.0, 1.0),
            ("gen_ai.invoke_agent.duration", 1.5, 1.5),
        ] {
            for (agent, value) in [("helper", helper), ("planner", planner)] {
                let points = points.all(metric);
                let point = points
                    .iter()
                    .find(|p| p.attributes["gen_ai.agent.name"] == agent);
                let point = point.unwrap_or_else(|| panic!("{metric} of {agent}"));
                assert_eq!((point.count(), point.sum()), (1, value), "{metric} {agent}");
            }
        }
        assert_eq!(points.all("gen_ai.execute_tool.duration").len(), 2);
    }
}

#[test]
fn an_agent_that_called_nothing_says_so() {
    let points = measured(MetricNames::Both, &[agent()]);
    for metric in ["inference_calls", "tool_calls"] {
        let calls = points.one(&format!("gen_ai.invoke_agent.{metric}"));
        assert_eq!((calls.count(), calls.sum()), (1, 0.0));
        assert_eq!(calls.labels(), "gen_ai.agent.name=planner");
    }
}

#[test]
fn tools_and_workflows_are_timed() {
    let tool = span(Subject::TOOL_CALL)
        .with(semconv::GEN_AI_TOOL_NAME, "search")
        .with(semconv::GEN_AI_TOOL_TYPE, "function")
        .with(semconv::GEN_AI_AGENT_NAME, "planner")
        .with(semconv::GEN_AI_TOOL_CALL_ID, "call_1")
        .failed("io");
    let workflow = span(Subject::WORKFLOW).with(semconv::GEN_AI_WORKFLOW_NAME, "trip");
    let points = measured(MetricNames::Both, &[tool, workflow]);
    assert_eq!(
        points.one("gen_ai.execute_tool.duration").labels(),
        "error.type=io gen_ai.agent.name=planner gen_ai.tool.name=search gen_ai.tool.type=function"
    );
    let workflow = points.one("gen_ai.invoke_workflow.duration");
    assert_eq!(workflow.labels(), "gen_ai.workflow.name=trip");
    assert_eq!(workflow.sum(), 1.5);
}

#[test]
fn mcp_messages_are_timed_on_the_side_that_sees_them_and_a_tool_called_so_is_the_agents_call() {
    let call = span(Subject::MCP_TOOL)
        .with(semconv::GEN_AI_TOOL_NAME, "search")
        .with(semconv::NETWORK_TRANSPORT, "pipe")
        .with(semconv::JSONRPC_REQUEST_ID, "1")
        .failed("tool_error");
    let served = call.clone().with(semconv::OTEL_KIND, "server");
    let records = [
        // The server's half, in the same process.
        served.at(3, 2),
        call.at(2, 1),
        span(Subject::MCP_REQUEST)
            .with(semconv::MCP_METHOD_NAME, "tools/list")
            .at(4, 1),
        span(Subject::MCP_REQUEST).at(5, 1),
        agent().at(1, 0),
    ];
    let points = measured(MetricNames::Both, &records);
    let served = points.one("mcp.server.operation.duration");
    let labels = "error.type=tool_error gen_ai.operation.name=execute_tool gen_ai.tool.name=search \
                  mcp.method.name=tools/call network.transport=pipe";
    assert_eq!(served.labels(), labels);
    let calls = points.all("mcp.client.operation.duration");
    let mut calls: Vec<_> = calls.iter().map(|point| point.labels()).collect();
    calls.sort();
    assert_eq!(calls, [labels, "mcp.method.name=tools/list"]);
    let own = points.one("gen_ai.invoke_agent.tool_calls");
    assert_eq!(own.sum(), 1.0);
}
