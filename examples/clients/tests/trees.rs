//! Every client runs, as a user runs it, and the tree it prints is the one it should be.

use std::process::Command;

fn run(program: &str) -> String {
    let output = Command::new(program)
        .env_remove("RUST_LOG")
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed: {told}");
    String::from_utf8(output.stdout).expect("text")
}

/// What a run prints after the answer.
fn tree(program: &str) -> String {
    let stdout = run(program);
    let (_, tree) = stdout.split_once("\n\n").expect("an answer, then a tree");
    tree.to_owned()
}

#[test]
fn genai_with_its_feature_otel_needs_nothing_else() {
    assert_eq!(
        tree(env!("CARGO_BIN_EXE_genai")),
        "\
invoke_agent weather
    chat gpt-4o-mini  in=90 out=24 cost=$0.0000279
    execute_tool get_weather
    chat gpt-4o-mini  in=163 out=22 cost=$0.00002805
"
    );
}

#[test]
fn rigs_own_spans_are_understood_and_the_tap_adds_what_they_lack() {
    assert_eq!(
        tree(env!("CARGO_BIN_EXE_rig")),
        "\
invoke_agent weather
    chat gpt-4o-mini  in=87 out=24 cost=$0.00002745
    execute_tool get_weather
    chat gpt-4o-mini  in=147 out=22 cost=$0.00002565

What the tap adds to rig's own spans
chat gpt-4o-mini: [\"tool_calls\"]
chat gpt-4o-mini: [\"stop\"]
"
    );
}

#[test]
fn async_openai_is_seen_through_the_tap_streamed_and_whole() {
    assert_eq!(
        tree(env!("CARGO_BIN_EXE_async_openai")),
        "\
invoke_agent poet
    chat gpt-4o-mini  in=47 out=17 cost=$0.00001725
    chat gpt-4o-mini  in=61 out=17 cost=$0.00001935
"
    );
}

#[test]
fn langchain_rust_needs_nothing_at_all() {
    assert_eq!(
        tree(env!("CARGO_BIN_EXE_langchain")),
        "\
invoke_agent
    plan
        invoke_workflow llm_chain
            chat gpt-4o-mini  in=405 out=24 cost=$0.00007515
    execute_tool get_weather
    plan
        invoke_workflow llm_chain
            chat gpt-4o-mini  in=469 out=22 cost=$0.00008355
"
    );
}

#[test]
fn mcp_in_two_processes_is_one_trace() {
    let stdout = run(env!("CARGO_BIN_EXE_mcp"));
    let (client, server) = stdout.split_once("\n\n").expect("both sides");
    let (client_trace, client) = client.split_once('\n').expect("a trace, then a tree");
    let (server_trace, server) = server.split_once('\n').expect("a trace, then a tree");
    assert_eq!(
        client_trace.strip_prefix("client"),
        server_trace.strip_prefix("server")
    );
    assert_eq!(
        client,
        "\
invoke_agent traveller
    execute_tool get_weather
    execute_tool get_weather  error=tool_error
    tools/list"
    );
    assert_eq!(
        server,
        "\
tools/call get_weather
    get_weather
tools/call get_weather  error=tool_error
    get_weather
tools/list
"
    );
}
