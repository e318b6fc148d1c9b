//! The examples' model speaks the wire format it claims to, and their client reads it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it goes wrong"
)]

#[path = "../examples/support/mod.rs"]
mod support;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use support::{ClientError, OpenAi, model_server};
use tracing_genai::event::Usage;

fn start() -> OpenAi {
    OpenAi::new(&model_server::start().unwrap(), "sk-test")
}

fn tool(name: &str) -> Value {
    json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } })
}

fn question() -> Value {
    json!({
        "model": "gpt-4o-mini",
        "messages": [{ "role": "user", "content": "A day in Paris?" }],
        "tools": [tool("weather"), tool("search")],
    })
}

/// The same conversation after the tools have run.
fn with_results(answer: &Value) -> Value {
    let mut body = question();
    let message = answer["choices"][0]["message"].clone();
    let messages = body["messages"].as_array_mut().unwrap();
    for call in message["tool_calls"].as_array().unwrap() {
        messages.push(
            json!({ "role": "tool", "tool_call_id": call["id"], "content": "…".repeat(400) }),
        );
    }
    messages.insert(1, message);
    body
}

async fn chunks(client: &OpenAi, mut body: Value, include_usage: bool) -> Vec<Value> {
    body["stream"] = true.into();
    if include_usage {
        body["stream_options"] = json!({ "include_usage": true });
    }
    client
        .chat_stream(&body)
        .await
        .unwrap()
        .map(Result::unwrap)
        .collect()
        .await
}

fn deltas(chunks: &[Value]) -> impl Iterator<Item = &Value> {
    chunks
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta"))
}

#[tokio::test]
async fn the_first_answer_asks_for_two_tools_and_the_next_is_text() {
    let client = start();
    let first = client.chat(&question()).await.unwrap();
    assert!(first["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(first["object"], "chat.completion");
    assert_eq!(first["model"], "gpt-4o-mini-2024-07-18");
    assert_eq!(first["choices"][0]["finish_reason"], "tool_calls");
    let calls = first["choices"][0]["message"]["tool_calls"]
        .as_array()
        .unwrap();
    let names: Vec<_> = calls.iter().map(|call| &call["function"]["name"]).collect();
    assert_eq!(names, ["weather", "search"]);
    let arguments: Value =
        serde_json::from_str(calls[0]["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments["city"], "Paris");

    let last = client.chat(&with_results(&first)).await.unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert!(
        last["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .contains("Orsay")
    );
    let usage = Usage::from_json(&last).unwrap();
    assert!(
        usage.is_consistent() && usage.cache_read_tokens > Some(0),
        "{usage:?}"
    );
}

#[tokio::test]
async fn streamed_words_make_the_text_and_the_last_chunk_the_usage() {
    let client = start();
    let first = client.chat(&question()).await.unwrap();
    let whole = client.chat(&with_results(&first)).await.unwrap();
    let chunks = chunks(&client, with_results(&first), true).await;
    let text: String = deltas(&chunks)
        .filter_map(|delta| delta["content"].as_str())
        .collect();
    assert_eq!(
        text,
        whole["choices"][0]["message"]["content"].as_str().unwrap()
    );
    assert_eq!(chunks[0]["object"], "chat.completion.chunk");
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let (usage, rest) = chunks.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["prompt_tokens"].as_u64() > Some(0));
    assert!(
        rest.iter()
            .all(|chunk| chunk.get("usage") == Some(&Value::Null))
    );
    assert_eq!(rest.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn streamed_tool_calls_carry_their_arguments_in_pieces() {
    let client = start();
    let chunks = chunks(&client, question(), false).await;
    let mut calls = vec![(String::new(), String::new(), 0); 2];
    for call in deltas(&chunks)
        .filter_map(|delta| delta["tool_calls"].as_array())
        .flatten()
    {
        let (id, arguments, pieces) = &mut calls[call["index"].as_u64().unwrap() as usize];
        id.push_str(call["id"].as_str().unwrap_or(""));
        arguments.push_str(call["function"]["arguments"].as_str().unwrap());
        *pieces += 1;
    }
    for (id, arguments, pieces) in calls {
        assert!(id.starts_with("call_") && pieces > 2);
        assert!(
            serde_json::from_str::<Value>(&arguments)
                .unwrap()
                .is_object()
        );
    }
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "tool_calls"
    );
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[tokio::test]
async fn refusals_and_absence_are_errors_that_say_so() {
    let base_url = model_server::start().unwrap();
    let client = OpenAi::new(&base_url, "sk-test");
    let refused = client
        .chat(&json!({ "model": "gpt-4o-mini" }))
        .await
        .unwrap_err();
    assert!(matches!(refused, ClientError::Refused(400, _)), "{refused}");
    let elsewhere = OpenAi::new(&format!("{base_url}/x"), "sk-test");
    let refused = elsewhere.chat(&question()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the server answered 404: Unknown request URL"
    );
    let nobody = OpenAi::new("http://127.0.0.1:1/v1", "sk-test");
    let absent = nobody.chat(&question()).await.unwrap_err();
    assert!(matches!(absent, ClientError::Connect(_)), "{absent}");
}
