use serde_json::json;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::FinishReason;
use tracing_genai::message::Message;
use tracing_genai::provider::{Answer, Api, Endpoint, Reader};
use tracing_genai::testing::{CapturedSpan, capture, capture_with};
use tracing_genai::{chat, event::Value};

use super::{assert_same, read, samples};

fn reader(api: Api) -> Reader {
    Endpoint::new(api, "").reader(Some("text/event-stream"), true)
}

fn chunk(text: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"id": "c1", "model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]})
    )
}

#[test]
fn a_cut_stream_says_so_and_keeps_what_it_knew() {
    for sample in samples() {
        let (bytes, kind) = sample.stream();
        let half = &bytes[..bytes.len() / 2];
        let (answer, ..) = read(
            sample.endpoint("stream_url").reader(Some(kind), true),
            half,
            &[5],
        );
        assert!(!answer.complete, "{}", sample.name);
        assert_eq!(answer.error, None, "{}", sample.name);
        assert!(!answer.content.is_empty(), "{}", sample.name);
    }
}

#[test]
fn tool_calls_without_numbers_are_told_apart_by_their_names() {
    let endpoint = Endpoint::new(Api::OpenAiChat, "openai");
    let mut reader = endpoint.reader(Some("text/event-stream"), true);
    for call in [
        json!({"id": "a", "function": {"name": "rain", "arguments": "{\"city\""}}),
        json!({"function": {"arguments": ":\"Paris\"}"}}),
        json!({"id": "b", "function": {"name": "wind", "arguments": "{\"city\":\"Oslo\"}"}}),
    ] {
        let frame = json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]});
        reader.push(format!("data: {frame}\n\n").as_bytes());
    }
    let calls = reader.answer().tool_calls();
    let calls: Vec<_> = calls
        .iter()
        .map(|c| (c.name.as_str(), &c.arguments))
        .collect();
    let (paris, oslo) = (json!({"city": "Paris"}), json!({"city": "Oslo"}));
    assert_eq!(calls, [("rain", &paris), ("wind", &oslo)]);
}

#[test]
fn several_choices_have_a_reason_each() {
    let mut reader = reader(Api::OpenAiChat);
    for (index, reason) in [(1, "length"), (0, "stop")] {
        let frame = json!({"choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": reason}]});
        reader.push(format!("data: {frame}\n\n").as_bytes());
    }
    let answer = reader.answer();
    assert_eq!(
        answer.finish_reasons,
        [FinishReason::Stop, FinishReason::Length]
    );
    let exported = answer.attrs.get("gen_ai.response.finish_reasons").unwrap();
    assert_eq!(exported.to_json(), json!(["stop", "length"]));
    assert!(answer.complete);
}

#[test]
fn unknown_fields_and_unknown_events_are_passed_by() {
    let mut reader = reader(Api::AnthropicMessages);
    reader.push(b"event: brand_new\ndata: {\"type\":\"brand_new\",\"x\":[1,{\"y\":null}]}\n\n");
    reader.push(b"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"mood\":1},\"usage\":{\"output_tokens\":3,\"carbon\":2}}\n\n");
    let answer = reader.answer();
    assert_eq!(answer.usage.output_tokens, Some(3));
    assert_eq!((answer.unread, answer.refused), (0, 0));
}

#[test]
fn frames_that_differ_only_in_their_text_count_as_output_without_being_parsed() {
    let mut reader = Endpoint::new(Api::OpenAiChat, "").reader(Some("text/event-stream"), false);
    let outputs: u32 = (0..1000)
        .map(|n| reader.push(chunk(&format!("word {n}")).as_bytes()).outputs)
        .sum();
    assert_eq!(outputs, 1000);
    reader.push(b"data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1000}}\n\ndata: [DONE]\n\n");
    let answer = reader.answer();
    assert_eq!(answer.usage.output_tokens, Some(1000));
    assert!(answer.complete);
}

#[test]
fn gemini_streams_a_json_array_without_alt_sse() {
    let url =
        "https://generativelanguage.googleapis.com/v1beta/models/gemini:streamGenerateContent";
    let frame = |text: &str, tokens: u64| {
        json!({"candidates": [{"content": {"parts": [{"text": text}]}}],
            "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": tokens}})
    };
    let body = format!("[{},\r\n{}\n]", frame("a ] } \" b", 1), frame("c", 2));
    for size in [1, 3, 1000] {
        let endpoint = Endpoint::of_url(url).unwrap();
        let (answer, frames, first) = read(
            endpoint.reader(Some("application/json"), false),
            body.as_bytes(),
            &[size],
        );
        assert_eq!(
            (answer.usage.output_tokens, frames, first),
            (Some(2), 2, Some(0))
        );
    }
}

// Spans of streams have their tokens: counts of the start and of the later events come together, and none is added twice.
#[test]
fn tokens_of_a_streamed_answer_are_put_together_from_its_start_and_its_later_events() {
    for name in ["anthropic", "bedrock-converse", "openai-chat", "gemini"] {
        let sample = samples().into_iter().find(|s| s.name == name).unwrap();
        let (bytes, kind) = sample.stream();
        let (answer, ..) = read(
            sample.endpoint("stream_url").reader(Some(kind), false),
            &bytes,
            &[17],
        );
        let expected = &sample.expected["stream"];
        assert_eq!(
            answer.usage.input_tokens,
            expected["gen_ai.usage.input_tokens"].as_u64()
        );
        assert_eq!(
            answer.usage.output_tokens,
            expected["gen_ai.usage.output_tokens"].as_u64()
        );
    }
}

/// The parsed frames of a stream, as a client library hands them out.
fn frames(name: &str) -> Vec<serde_json::Value> {
    let sample = samples().into_iter().find(|s| s.name == name).unwrap();
    if name == "bedrock-converse" {
        let lines = String::from_utf8(sample.read("stream.jsonl")).unwrap();
        return lines
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                json!({ line["event-type"].as_str().unwrap(): line["payload"] })
            })
            .collect();
    }
    let text = String::from_utf8(sample.stream().0).unwrap();
    text.lines()
        .map(|line| line.strip_prefix("data: ").unwrap_or(line))
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

#[test]
fn frames_given_to_the_call_tell_the_same_as_the_bytes_on_the_wire() {
    for sample in samples() {
        let capture = capture();
        capture.record(|| {
            let call = chat("p", "m").streaming().start();
            for frame in frames(&sample.name) {
                call.stream_frame(&frame);
            }
            call.complete();
        });
        let span = capture.span("chat m");
        for (name, value) in sample.expected["stream"].as_object().unwrap() {
            let found = span.attr(name).map(Value::to_json);
            assert_eq!(found.as_ref(), Some(value), "{} {name}", sample.name);
        }
        assert!(
            span.attr("gen_ai.response.time_to_first_chunk").is_some(),
            "{}",
            sample.name
        );
        let kinds: Vec<_> = capture.events().iter().map(|e| e.ty.to_string()).collect();
        assert!(
            kinds.iter().any(|kind| kind == "llm.call.chunk"),
            "{}",
            sample.name
        );
    }
}

fn output(span: &CapturedSpan) -> serde_json::Value {
    let text = span
        .attr("gen_ai.output.messages")
        .and_then(Value::as_str)
        .unwrap_or("null");
    serde_json::from_str(text).unwrap()
}

#[test]
fn frames_and_answers_given_to_the_call_are_its_output_where_content_is_captured() {
    for mode in [CaptureMode::Full, CaptureMode::Off] {
        for sample in samples() {
            for part in ["stream", "response"] {
                let capture = capture_with(|builder| builder.capture(mode));
                capture.record(|| {
                    let call = chat("p", "m").start();
                    if part == "response" {
                        let answer = sample.read("response.json");
                        call.response(&serde_json::from_slice(&answer).unwrap());
                    } else {
                        frames(&sample.name).iter().for_each(|frame| {
                            call.stream_frame(frame);
                        });
                    }
                    call.complete();
                });
                let mut expected = &sample.expected["content"][part]["gen_ai.output.messages"];
                if mode == CaptureMode::Off {
                    expected = &serde_json::Value::Null;
                }
                let found = output(&capture.span("chat m"));
                assert_same(&found, expected, &format!("{} {part} {mode}", sample.name));
            }
        }
    }
}

#[test]
fn a_stream_that_is_left_early_gave_what_had_come_and_output_that_is_told_wins() {
    let delta =
        json!({"choices": [{"index": 0, "delta": {"content": "Rain"}, "finish_reason": null}]});
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
    capture.record(|| {
        let call = chat("p", "left").start();
        call.stream_frame(&delta);
        drop(call);
        let call = chat("p", "told").start();
        call.stream_frame(&delta);
        call.output(&[Message::assistant("Sun").finish_reason("stop")]);
        call.complete();
    });
    let message = |name: &str| output(&capture.span(name))[0].clone();
    assert_eq!(
        message("chat left"),
        json!({"role": "assistant", "parts": [{"type": "text", "content": "Rain"}], "finish_reason": "error"})
    );
    assert_eq!(message("chat told")["parts"][0]["content"], "Sun");
}

#[test]
fn an_error_among_the_frames_fails_the_call() {
    let capture = capture();
    capture.record(|| {
        let call = chat("anthropic", "m").start();
        call.stream_frame(&json!({"type": "error", "error": {"type": "overloaded_error"}}));
        call.complete();
    });
    let span = capture.span("chat m");
    assert_eq!(span.attr("error.type"), Some(&"overloaded_error".into()));
}

#[test]
fn an_answer_of_unknown_shape_gives_what_answers_have_in_common() {
    let answer = Answer::guess(&json!({"id": "x", "model": "m", "usage": {"prompt_tokens": 3}}));
    assert_eq!(answer.usage.input_tokens, Some(3));
    assert_eq!(answer.attrs.get("gen_ai.response.id"), Some(&"x".into()));
    for nonsense in [
        json!(null),
        json!([]),
        json!({"id": 3, "choices": "x", "usage": []}),
        json!("text"),
    ] {
        assert!(Answer::guess(&nonsense).attrs.is_empty(), "{nonsense}");
    }
}
