//! An agent that plans a trip: it thinks, calls a model (streamed) over real HTTP, runs two tools, answers.
//!
//! `cargo run --example quickstart`
//!
//! With `OPENAI_API_KEY` (and, if wanted, `OPENAI_BASE_URL`) it talks to that API, otherwise to a small OpenAI-compatible server
//! of its own. It exports to `OTEL_EXPORTER_OTLP_ENDPOINT`, else to a collector on localhost:4317 or 4318 if one listens. What is
//! said stays here unless `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY` asks for it.
//!
//! On a terminal, or with `-- --stay`, it opens its page in the browser and stays until you end it; Enter runs the agent once more.
//! Somebody looks then, so prompts and answers are captured too, with secrets replaced.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks"
)]

mod support;

use std::error::Error;
use std::io::{BufRead as _, IsTerminal as _};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use support::OpenAi;
use support::model_server;
use tracing::{info, instrument};
use tracing_genai::console::escape_lines;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{
    AgentExecutionCompleted, AgentExecutionFailed, Event, LlmCallCompleted, ToolCallCompleted,
};
use tracing_genai::message::from_openai;
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::{Loss, StreamExt as _, Telemetry, chat, tool};

type Failure = Box<dyn Error + Send + Sync>;

const MODEL: &str = "gpt-4o-mini";

/// The agent. The first two fields make the span an agent run; everything inside it is counted into its totals. The third puts
/// all runs of one conversation together.
#[instrument(skip_all, err, fields(
    gen_ai.operation.name = "invoke_agent",
    gen_ai.agent.name = "trip-planner",
    gen_ai.conversation.id = "paris-weekend",
))]
async fn plan_trip(model: &OpenAi, wish: &str) -> Result<String, Failure> {
    let mut messages = vec![json!({ "role": "user", "content": wish })];
    let calls = think(model, &mut messages).await?;
    for call in calls {
        let result = run_tool(&call).await?;
        messages.push(json!({ "role": "tool", "tool_call_id": call["id"], "content": result }));
    }
    ask(model, &messages).await.map(|(answer, _)| answer)
}

/// A step: a plain `#[instrument]` function.
#[instrument(skip_all, err)]
async fn think(model: &OpenAi, messages: &mut Vec<Value>) -> Result<Vec<Value>, Failure> {
    let (_, calls) = ask(model, messages).await?;
    // A moment: an event in this process, a log record at the collector, a span event in Jaeger.
    info!(genai.event = "plan.refined", tools = calls.len());
    messages.push(json!({ "role": "assistant", "content": null, "tool_calls": calls }));
    Ok(calls)
}

/// One streamed call of the model: the text it said, and the tools it asks for.
async fn ask(model: &OpenAi, messages: &[Value]) -> Result<(String, Vec<Value>), Failure> {
    let request = json!({
        "model": MODEL, "messages": messages, "tools": tools(), "temperature": 0.2,
        "stream": true, "stream_options": { "include_usage": true },
    });
    let call = chat("openai", MODEL)
        .temperature(0.2)
        .streaming()
        .messages(&from_openai(&request).value.messages)
        .start();
    let chunks = call.run(model.chat_stream(&request)).await?;
    // From here the stream keeps the call open: to its end, to its first error, or until it is dropped.
    let chunks = chunks.try_instrumented(call).inspect(|call, chunk| {
        if let Ok(chunk) = chunk {
            call.stream_frame(chunk);
        }
    });
    let mut chunks = std::pin::pin!(chunks);
    let (mut text, mut calls) = (String::new(), Vec::new());
    while let Some(chunk) = chunks.next().await {
        let delta = &chunk?["choices"][0]["delta"];
        text.push_str(delta["content"].as_str().unwrap_or_default());
        for piece in delta["tool_calls"].as_array().into_iter().flatten() {
            merge(&mut calls, piece);
        }
    }
    Ok((text, calls))
}

/// Tool calls are streamed in pieces: the first names the tool, the others add to its arguments.
fn merge(calls: &mut Vec<Value>, piece: &Value) {
    let index = piece["index"].as_u64().unwrap_or(0) as usize;
    if index >= calls.len() {
        calls.push(json!({ "id": piece["id"], "type": "function", "function": piece["function"] }));
        return;
    }
    let arguments = &mut calls[index]["function"]["arguments"];
    let more = piece["function"]["arguments"].as_str().unwrap_or_default();
    *arguments = json!(format!("{}{more}", arguments.as_str().unwrap_or_default()));
}

async fn run_tool(call: &Value) -> Result<String, Failure> {
    let name = call["function"]["name"].as_str().unwrap_or("unknown");
    let arguments: Value =
        serde_json::from_str(call["function"]["arguments"].as_str().unwrap_or("{}"))?;
    let work = async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        match name {
            "get_weather" => Ok(format!(
                "14 °C and light rain in {}",
                arguments["city"].as_str().unwrap_or("?")
            )),
            "find_hotel" => Ok("Hôtel des Arts, 120 EUR a night".to_owned()),
            other => Err(format!("there is no tool {other}")),
        }
    };
    let span = tool(name)
        .call_id(call["id"].as_str().unwrap_or_default())
        .arguments(&arguments)
        .start();
    let result = span.run(work).await?;
    span.result(&result).complete();
    Ok(result)
}

fn tools() -> Value {
    let tool = |name: &str| {
        let city = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
        json!({ "type": "function", "function": { "name": name, "parameters": city } })
    };
    json!([tool("get_weather"), tool("find_hotel")])
}

/// Where to export to: what the environment says, else a collector on this machine, else nowhere.
fn collector() -> Option<OtlpConfig> {
    if std::env::vars()
        .any(|(name, _)| name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("ENDPOINT"))
    {
        return Some(OtlpConfig::new());
    }
    [4317, 4318].into_iter().find_map(|port| {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok()?;
        Some(OtlpConfig::new().endpoint(format!("http://{address}")))
    })
}

/// Opens the page where there is a desktop to open it on.
fn show(url: &str) {
    let desktop = |name| std::env::var_os(name).is_some();
    if cfg!(not(target_os = "linux")) || desktop("DISPLAY") || desktop("WAYLAND_DISPLAY") {
        let _ = open::that_detached(url);
    }
    println!("The page: {url}\n");
}

/// Asks whether to go on. Not Enter but the end of the input, or a `q`, ends the program.
async fn once_more(telemetry: &Telemetry) -> Result<bool, Failure> {
    // The tree is drawn to its end first; then the terminal is the person's.
    telemetry.flush_async(Duration::from_secs(1)).await;
    let _paused = telemetry.console().map(|console| console.pause());
    println!("\nEnter runs the agent once more, q and Enter ends the program.");
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        read.map(|bytes| (bytes > 0).then_some(line))
    });
    let line = read.await??;
    Ok(line.is_some_and(|line| !line.trim().eq_ignore_ascii_case("q")))
}

async fn run() -> Result<bool, Failure> {
    let collector = collector();
    let exports = collector.is_some();
    let stays =
        std::io::stdout().is_terminal() || std::env::args().any(|argument| argument == "--stay");
    let mut builder = Telemetry::builder("trip-planner")
        .console()
        .viewer("127.0.0.1:0");
    if stays {
        builder = builder.capture(CaptureMode::Redacted);
    }
    let telemetry = collector
        .into_iter()
        .fold(builder, |builder, config| builder.otlp(config))
        .build()?;
    telemetry.install()?;

    // The same facts, typed, in this process.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let say = |line: String, seen: &Arc<Mutex<Vec<String>>>| {
        seen.lock().unwrap_or_else(|e| e.into_inner()).push(line)
    };
    let (calls, tools) = (Arc::clone(&seen), Arc::clone(&seen));
    telemetry.bus().on::<LlmCallCompleted>(move |call| {
        let model = call.model.unwrap_or("?");
        let cost = call
            .cost_usd
            .map_or("unknown".to_owned(), |usd| format!("{usd:.7} USD"));
        let tokens = call.usage.total().unwrap_or(0);
        say(
            format!(
                "llm.call.completed  {model}, {tokens} tokens, {cost}, {:?}",
                call.finish_reasons
            ),
            &calls,
        );
    });
    telemetry.bus().on::<ToolCallCompleted>(move |call| {
        say(
            format!(
                "tool.call.completed  {}, {:.0?}",
                call.name.unwrap_or("?"),
                call.duration.unwrap_or_default()
            ),
            &tools,
        );
    });
    let agent = Arc::new(Mutex::new(None::<Event>));
    let keep = |event: &Event, agent: &Arc<Mutex<Option<Event>>>| {
        *agent.lock().unwrap_or_else(|e| e.into_inner()) = Some(event.clone());
    };
    let (done, failed) = (Arc::clone(&agent), Arc::clone(&agent));
    let bus = telemetry.bus();
    bus.on::<AgentExecutionCompleted>(move |run| keep(run.event, &done));
    bus.on::<AgentExecutionFailed>(move |run| keep(run.event, &failed));

    let key = std::env::var("OPENAI_API_KEY").ok();
    let base_url = match &key {
        Some(_) => std::env::var("OPENAI_BASE_URL")
            .unwrap_or_else(|_| "https://api.openai.com/v1".to_owned()),
        None => model_server::start()?,
    };
    let model = OpenAi::new(&base_url, key.as_deref().unwrap_or("no key"));
    const WISH: &str = "A rainy weekend in Paris, please. Check the weather and find a hotel.";
    if let Some(viewer) = telemetry.viewer().filter(|_| stays) {
        show(viewer.url());
    }
    let mut answer = plan_trip(&model, WISH).await;
    while stays && once_more(&telemetry).await? {
        answer = plan_trip(&model, WISH).await;
    }
    let report = telemetry.shutdown_async().await;

    match &answer {
        Ok(answer) => println!("\nThe agent says\n  {}", escape_lines(answer)),
        Err(error) => println!("\nThe agent failed\n  {}", escape_lines(&error.to_string())),
    }
    println!("\nThe handlers saw");
    let seen = seen.lock().unwrap_or_else(|e| e.into_inner());
    seen.iter().for_each(|line| println!("  {line}"));
    let agent = agent
        .lock()
        .unwrap_or_else(|e| e.into_inner())
        .take()
        .ok_or("the agent's run was not seen")?;
    let total = |name: &str| agent.attr(name).map_or("?".to_owned(), ToString::to_string);
    println!(
        "\nTotals of the run\n  {} model calls, {} tool calls, {} tokens, {} USD",
        total("llm.total_calls"),
        total("llm.total_tool_calls"),
        total("llm.total_tokens"),
        total("llm.total_cost_usd"),
    );
    println!("\nDelivery\n  {report}");
    if exports {
        println!("  http://localhost:16686/trace/{}", agent.cx.trace);
    } else {
        println!(
            "  no collector on localhost:4317 or 4318, and OTEL_EXPORTER_OTLP_ENDPOINT is not set: nothing was exported"
        );
    }
    // Only a run that did what it claims is a success. A backend for traces alone, as Jaeger is, says so, and that is no loss.
    let arrived = report.in_time
        && report.exports().all(|(_, tally)| {
            tally.pending == 0 && tally.dropped.keys().all(|why| *why == Loss::RefusedSignal)
        });
    Ok(!answer?.is_empty() && arrived && seen.len() >= 2)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("not everything was delivered");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}
