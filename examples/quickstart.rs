//! A trip planner: an agent that plans, calls two tools and answers, with a live tree of it on stderr.
//!
//! Runs against a model in this process. `OPENAI_API_KEY` (and `OPENAI_BASE_URL`) make it talk to a real one, and
//! `OTEL_EXPORTER_OTLP_ENDPOINT` sends everything to a collector as well.

mod support;

use std::env;
use std::error::Error;
use std::io::Write as _;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use support::{ClientError, OpenAi, model_server};
use tracing_genai::console::escape_lines;
use tracing_genai::{Call, StreamExt as _, Telemetry, agent, chat, tool};

const MODEL: &str = "gpt-4o-mini";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::builder("trip-planner")
        .otlp_from_env()
        .console()
        .build()?;
    telemetry.install()?;

    let model = match env::var("OPENAI_API_KEY") {
        Ok(key) => {
            let base_url = env::var("OPENAI_BASE_URL");
            OpenAi::new(
                base_url.as_deref().unwrap_or("https://api.openai.com/v1"),
                &key,
            )
        }
        Err(_) => OpenAi::new(&model_server::start()?, "sk-local"),
    };
    agent("trip-planner")
        .run(trip(&model, "A day in Paris?"))
        .await?;

    println!("\n{}", telemetry.shutdown());
    Ok(())
}

async fn trip(model: &OpenAi, question: &str) -> Result<(), ClientError> {
    let plan = plan(model, question).await?;
    let mut messages = vec![
        json!({ "role": "system", "content": plan }),
        json!({ "role": "user", "content": question }),
    ];
    // Ask, run the tools that are asked for, ask again, until there is an answer.
    loop {
        let message = ask(model, &messages).await?;
        let calls = message["tool_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        messages.push(message);
        if calls.is_empty() {
            return Ok(());
        }
        for call in &calls {
            let name = call["function"]["name"].as_str().unwrap_or_default();
            let id = call["id"].as_str().unwrap_or_default();
            let result = tool(name)
                .call_id(id)
                .run(execute(name, &call["function"]["arguments"]))
                .await;
            // A tool that failed is an answer too: the model may know what to do.
            let content = result.unwrap_or_else(|error| error.to_string());
            messages.push(json!({ "role": "tool", "tool_call_id": id, "content": content }));
        }
    }
}

/// A plain function: a step of the run.
#[tracing::instrument(skip_all)]
async fn plan(model: &OpenAi, question: &str) -> Result<Value, ClientError> {
    let call = chat("openai", MODEL).temperature(0.2).start();
    let messages =
        json!([{ "role": "user", "content": format!("Plan in one sentence: {question}") }]);
    let body = json!({ "model": MODEL, "temperature": 0.2, "messages": messages });
    let answer = call.run(model.chat(&body)).await?;
    call.response(&answer).complete();
    Ok(answer["choices"][0]["message"]["content"].clone())
}

/// Streams one answer: words to stdout, pieces of tool calls into the message that is returned.
async fn ask(model: &OpenAi, messages: &[Value]) -> Result<Value, ClientError> {
    let function = |name| json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } });
    let body = json!({
        "model": MODEL, "messages": messages, "tools": [function("weather"), function("search")],
        "stream": true, "stream_options": { "include_usage": true },
    });
    let call = chat("openai", MODEL).streaming().start();
    let chunks = call.run(model.chat_stream(&body)).await?;
    let mut chunks = std::pin::pin!(chunks.try_instrumented(call).inspect(learn));
    let (mut text, mut calls) = (String::new(), Vec::<Value>::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        let delta = &chunk["choices"][0]["delta"];
        if let Some(word) = delta["content"].as_str() {
            let mut stdout = std::io::stdout();
            let _ = write!(stdout, "{}", escape_lines(word)).and_then(|()| stdout.flush());
            text.push_str(word);
        }
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            merge(&mut calls, piece);
        }
    }
    let mut message = json!({ "role": "assistant", "content": text });
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    Ok(message)
}

/// What a chunk tells about the call: that the answer has begun, and in the end model, finish reason and usage.
fn learn(call: &Call, chunk: &Result<Value, ClientError>) {
    let Ok(chunk) = chunk else { return };
    let delta = &chunk["choices"][0]["delta"];
    match delta["content"].as_str() {
        Some("") | None if delta["tool_calls"].is_null() => {}
        text => _ = call.chunk(text.unwrap_or_default()),
    }
    call.response(chunk);
}

/// Puts a piece of a streamed tool call to the pieces before it.
fn merge(calls: &mut Vec<Value>, piece: &Value) {
    let index = piece["index"].as_u64().unwrap_or(0) as usize;
    match calls.get_mut(index) {
        Some(call) => {
            let more = piece["function"]["arguments"].as_str().unwrap_or_default();
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            call["function"]["arguments"] = format!("{arguments}{more}").into();
        }
        None => calls.push(piece.clone()),
    }
}

/// The tools. Each takes and gives text, as models do.
async fn execute(name: &str, arguments: &Value) -> Result<String, serde_json::Error> {
    let arguments: Value = serde_json::from_str(arguments.as_str().unwrap_or_default())?;
    tokio::time::sleep(std::time::Duration::from_millis(40)).await; // a service somewhere
    Ok(match name {
        "weather" => format!("{}: 14 °C, rain from four", arguments["city"]),
        _ => "Musée d'Orsay until 18:00; Louvre until 21:00; Rodin closed".to_owned(),
    })
}
