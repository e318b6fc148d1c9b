//! A framework that knows nothing of telemetry, monitored from outside: `cargo run --example custom_framework`
//!
//! Its entry points are wrapped, its model client is checked and measured, a channel of its own carries its events, and a
//! forwarder gets every one of them as JSON.
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::time::Duration;

use serde_json::{Value, json};
use tracing_genai::console::escape;
use tracing_genai::monitor::{LlmError, Verdict};
use tracing_genai::{
    Telemetry, chat, event, event::Level, instrumentation_applied, log_event, monitor,
    monitor_call, scope,
};
use tracing_subscriber::prelude::*;

const CHANNEL: &str = "MY_FRAMEWORK";

/// Somebody else's framework.
struct Framework;

impl Framework {
    fn analyze(&self, text: &str) -> Result<usize, std::num::ParseIntError> {
        text.split('=').next_back().unwrap_or_default().parse()
    }

    fn generate(&self, prompt: &str) -> Result<Value, std::io::Error> {
        Ok(json!({
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{ "finish_reason": "stop", "message": { "content": format!("About {prompt}") } }],
            "usage": { "prompt_tokens": 140, "completion_tokens": 32 },
        }))
    }
}

/// A check of one's own: what is dangerous is blocked, what is suspicious is told.
fn security(text: &str) -> Verdict {
    let text = text.to_uppercase();
    if ["DROP TABLE", "RM -RF"]
        .iter()
        .any(|word| text.contains(word))
    {
        Verdict::block("dangerous_command")
    } else if text.contains("IGNORE PREVIOUS") {
        Verdict::alert("prompt_manipulation")
    } else {
        Verdict::Allow
    }
}

/// The same framework, monitored: a method for each that is called.
struct Patched(Framework);

impl Patched {
    fn new(framework: Framework) -> Self {
        instrumentation_applied("Framework").channel(CHANNEL).emit();
        Self(framework)
    }

    fn process(&self, input: &str) -> Result<Value, Box<dyn std::error::Error>> {
        monitor("Framework::process", CHANNEL, || {
            let rows = monitor("Framework::analyze", CHANNEL, || self.0.analyze(input))?;
            event("rows.counted")
                .attr("rows", rows)
                .channel(CHANNEL)
                .emit();
            let call = chat("openai", "gpt-4o-mini").guard(&security);
            Ok(call.call(input, |prompt| self.0.generate(prompt))?)
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Telemetry::builder("my-service")
        .channels([CHANNEL, "CUSTOM"])
        .build()?;
    telemetry.bus().on_event(|event| {
        let error = event.error.as_ref().map_or("", |error| &error.kind);
        println!(
            "{:13} {:24} {} {error}",
            event.channel,
            event.ty,
            escape(&event.name)
        );
    });
    tracing_subscriber::registry()
        .with(telemetry.layer())
        .init();

    // Any function, from now on.
    let add = monitor_call("add", |a: i32, b: i32| a + b, "CUSTOM");
    assert_eq!(add(1, 2), 3);

    let framework = Patched::new(Framework);
    scope([("session.id", "s1")]).in_scope(|| {
        for input in ["museums=3", "museums=many", "DROP TABLE museums; n=1"] {
            let answer = framework.process(input);
            // Events arrive some milliseconds later; here they are printed with what they belong to.
            telemetry.flush(Duration::from_secs(5));
            match answer {
                Ok(answer) => println!("-> {}", answer["choices"][0]["message"]["content"]),
                Err(error) => match error.downcast_ref::<LlmError<std::io::Error>>() {
                    Some(LlmError::Blocked(blocked)) => {
                        println!("-> refused: {}", escape(&blocked.reason))
                    }
                    _ => println!("-> failed: {error}"),
                },
            }
        }
    });
    log_event(
        "custom_event",
        json!({ "key": "value" }),
        CHANNEL,
        Level::Info,
    );

    let report = telemetry.shutdown();
    let failed = telemetry.history().event_type("call.failed")?.fetch()?;
    println!("{report}; {} calls failed", failed.len());
    Ok(())
}
