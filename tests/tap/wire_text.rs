//! What OpenAI's chat completions look like on the wire, made for a test.

use serde_json::{Value, json};
use tracing_genai::event::Event;
use tracing_genai::testing::{Capture, CapturedSpan};

pub const MODEL: &str = "gpt-4o-mini";
pub const ANSWERED_BY: &str = "gpt-4o-mini-2024-07-18";

/// A request; its question is the canary that must not show up anywhere.
pub fn question(stream: bool) -> String {
    let mut body = json!({
        "model": MODEL,
        "temperature": 0.5,
        "messages": [{ "role": "user", "content": "What about Paris?" }],
    });
    if stream {
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
    }
    body.to_string()
}

pub fn usage(input: i64, output: i64) -> Value {
    json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output })
}

/// A whole answer.
pub fn answer(usage: Value) -> String {
    let message = json!({ "role": "assistant", "content": "Take an umbrella." });
    let mut answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_750_000_000, "model": ANSWERED_BY,
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
    });
    if !usage.is_null() {
        answer["usage"] = usage;
    }
    answer.to_string()
}

fn event(choices: Value, usage: &Value) -> String {
    let chunk = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_750_000_000, "model": ANSWERED_BY,
        "choices": choices, "usage": usage,
    });
    format!("data: {chunk}\n\n")
}

/// A piece of text.
pub fn word(text: &str) -> String {
    event(
        json!([{ "index": 0, "delta": { "content": text }, "finish_reason": null }]),
        &Value::Null,
    )
}

pub fn role() -> String {
    let delta = json!({ "role": "assistant", "content": "" });
    event(
        json!([{ "index": 0, "delta": delta, "finish_reason": null }]),
        &Value::Null,
    )
}

/// The events after the last word: why it stopped, the usage, and the end.
pub fn closing(usage: &Value) -> Vec<String> {
    let stop = json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]);
    let mut events = vec![event(stop, &Value::Null)];
    if !usage.is_null() {
        events.push(event(json!([]), usage));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// A whole stream.
pub fn stream(words: &[&str], usage: &Value) -> Vec<String> {
    let mut events = vec![role()];
    events.extend(words.iter().map(|text| word(text)));
    events.extend(closing(usage));
    events
}

pub const WORDS: [&str; 4] = ["Take ", "an ", "umbrella", "."];

// === What is looked for in spans ===

pub fn int(span: &CapturedSpan, name: &str) -> Option<i64> {
    span.attr(name).map(|value| value.as_i64().unwrap())
}

pub fn text<'a>(span: &'a CapturedSpan, name: &str) -> Option<&'a str> {
    span.attr(name).map(|value| value.as_str().unwrap())
}

pub fn number(span: &CapturedSpan, name: &str) -> Option<f64> {
    span.attr(name).map(|value| value.as_f64().unwrap())
}

pub const INPUT: &str = "gen_ai.usage.input_tokens";
pub const OUTPUT: &str = "gen_ai.usage.output_tokens";
pub const SOURCE: &str = "genai.usage.source";
pub const FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";

/// Tokens in, tokens out, and where they come from.
pub fn tokens(span: &CapturedSpan) -> (Option<i64>, Option<i64>, Option<&str>) {
    (int(span, INPUT), int(span, OUTPUT), text(span, SOURCE))
}

pub fn chunk_events(capture: &Capture) -> Vec<Event> {
    let mut events = capture.events();
    events.retain(|event| event.ty == "llm.call.chunk");
    events
}
