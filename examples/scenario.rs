//! A scenario run: an agent is tested by a simulated user and judged: `cargo run --example scenario`
//!
//! Prints every event as it comes, and beside it the JSON that LangWatch's endpoint takes. Nothing is sent anywhere.
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::time::Duration;

use serde_json::json;
use tracing_genai::console::escape;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::Usage;
use tracing_genai::message::{Message, Part, Role};
use tracing_genai::scenario::{Agent, EvaluatorResult, Results, Run, Scenario, Verdict, payload};
use tracing_genai::{Telemetry, agent, chat, tool};
use tracing_subscriber::prelude::*;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The agent that is tested: it asks a tool, and answers.
async fn weather_agent(question: &str) -> Result<Vec<Message>, Failed> {
    agent("WeatherAgent")
        .run(async {
            let first = chat("openai", "gpt-4o-mini").prompt(question).start();
            first.usage(Usage::new().input(41).output(18));
            first.finish_reason("tool_calls").complete();
            let arguments = json!({ "city": "NYC" });
            let weather = tool("get_weather")
                .call_id("call-1")
                .arguments(&arguments)
                .run(async { Ok::<_, Failed>(json!({ "temperature": 72, "condition": "sunny" })) })
                .await?;
            let second = chat("openai", "gpt-4o-mini").start();
            second.usage(Usage::new().input(83).output(12));
            second.finish_reason("stop").complete();
            let call = Part::tool_call(Some("call-1"), "get_weather", arguments);
            Ok::<_, Failed>(vec![
                Message::assistant("Let me check the weather for you.").part(call),
                Message::tool("call-1", weather),
                Message::assistant("72 °F and sunny in New York."),
            ])
        })
        .await
}

/// The user, played by another agent.
async fn simulated_user() -> Result<&'static str, Failed> {
    agent("UserSimulatorAgent")
        .run(async { Ok::<_, Failed>("What's the weather like in New York?") })
        .await
}

fn judge(conversation: &[Message]) -> Results {
    let answer = conversation.last().map(Message::text).unwrap_or_default();
    let results = match answer.contains("°F") {
        true => Results::success().met("Agent provides weather info"),
        false => Results::failure().unmet("Agent provides weather info"),
    };
    results
        .met("Agent is helpful")
        .reasoning("The agent looked the weather up and told it.")
        .evaluation(EvaluatorResult::new("toxicity").score(0.01).passed(true))
}

async fn play(run: &Run) -> Result<Results, Failed> {
    let question = simulated_user().await?;
    let mut conversation = vec![Message::user(question).id("msg-1")];
    run.messages(&conversation);

    // What a page would show while the answer is written.
    let mut typed = run.message("msg-2", Role::Assistant);
    for piece in ["Let me check ", "the weather for you."] {
        typed.push(piece);
    }
    typed.end();

    conversation.extend(weather_agent(question).await?);
    run.messages(&conversation);
    Ok(judge(&conversation))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let telemetry = Telemetry::builder("weather-tests")
        .capture(CaptureMode::Redacted)
        .build()?;
    telemetry.bus().on_event(|event| {
        println!("{:<28} {}", event.ty.to_string(), escape(&event.name));
        if let Some(json) = payload(event) {
            println!("    {json}");
        }
    });
    tracing_subscriber::registry()
        .with(telemetry.layer())
        .try_init()?;

    let verdict = Scenario::new("weather query test")
        .id("weather-query-test")
        .set("examples")
        .description("User asks about weather, agent should provide helpful response")
        .agents([
            Agent::new("WeatherAgent", "agent"),
            Agent::new("UserSimulatorAgent", "user"),
        ])
        .run(play)
        .await?;

    telemetry.flush(Duration::from_secs(5));
    println!("\nverdict: {verdict}");
    println!("{}", telemetry.shutdown());
    match verdict {
        Verdict::Success => Ok(()),
        _ => Err("the scenario was not passed".into()),
    }
}
