//! The twenty lines of the README: `cargo run --example readme`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example talks"
)]

use tracing_genai::event::{LlmCallCompleted, Usage};
use tracing_genai::{Telemetry, chat, tool};
use tracing_subscriber::prelude::*;

#[tracing::instrument(err, fields(gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "planner"))]
async fn plan(question: &str) -> Result<String, std::io::Error> {
    let call = chat("openai", "gpt-4o-mini").temperature(0.2).start();
    let answer = call.run(ask_the_model(question)).await?; // an Err ends the span as failed
    call.usage(Usage::new().input(140).output(32))
        .finish_reason("stop")
        .complete();
    tool("search").run(search(&answer)).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Telemetry::builder("trip-planner")
        .otlp_from_env()
        .console()
        .build()?;
    tracing_subscriber::registry()
        .with(telemetry.layer())
        .init();
    telemetry
        .bus()
        .on::<LlmCallCompleted>(|call| println!("{:?} cost {:?} USD", call.model, call.cost_usd));
    println!("{}", plan("Paris in May").await?);
    println!("{}", telemetry.shutdown_async().await);
    Ok(())
}

async fn ask_the_model(question: &str) -> Result<String, std::io::Error> {
    Ok(format!("museums of {question}"))
}

async fn search(what: &str) -> Result<String, std::io::Error> {
    Ok(format!("The best {what}: the Orsay"))
}
