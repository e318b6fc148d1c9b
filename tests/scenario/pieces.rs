//! Messages and calls that come in pieces.

use tracing_genai::content::CaptureMode;
use tracing_genai::message::Role;
use tracing_genai::scenario::{Results, Scenario, payload};
use tracing_genai::testing::{Capture, capture_with};

fn streamed(mode: CaptureMode) -> Capture {
    let capture = capture_with(|builder| builder.capture(mode));
    capture.record(|| {
        let run = Scenario::new("greeting").run_id("run-1").start();
        let mut answer = run.message("msg-2", Role::Assistant).index(1);
        answer.push("Hi ").push("there!");
        answer.end();
        let mut call = run.tool_call("call-1", "get_weather");
        call.push("{\"city\":").push("\"Paris\"}");
        drop(call);
        run.finish(Results::success());
    });
    capture
}

#[test]
fn a_message_and_a_call_in_pieces_are_opened_told_and_closed() {
    let capture = streamed(CaptureMode::Full);
    let sent: Vec<_> = capture.events().iter().filter_map(payload).collect();
    let types: Vec<_> = sent
        .iter()
        .map(|json| json["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "SCENARIO_RUN_STARTED",
            "SCENARIO_TEXT_MESSAGE_START",
            "SCENARIO_TEXT_MESSAGE_CONTENT",
            "SCENARIO_TEXT_MESSAGE_CONTENT",
            "SCENARIO_TEXT_MESSAGE_END",
            "SCENARIO_TOOL_CALL_START",
            "SCENARIO_TOOL_CALL_ARGS",
            "SCENARIO_TOOL_CALL_ARGS",
            "SCENARIO_TOOL_CALL_END",
            "SCENARIO_RUN_FINISHED",
        ]
    );
    assert_eq!(sent[1]["role"], "assistant");
    assert_eq!(
        (&sent[2]["delta"], &sent[3]["delta"]),
        (&"Hi ".into(), &"there!".into())
    );
    assert_eq!(sent[4]["content"], "Hi there!");
    assert_eq!(sent[4]["messageIndex"], 1);
    let trace = capture.spans()[0].trace_id.to_string();
    assert_eq!(sent[4]["traceId"], trace, "where the message came from");
    assert_eq!(sent[5]["toolCallName"], "get_weather");
    for json in &sent[1..5] {
        assert_eq!(json["messageId"], "msg-2");
    }
    for json in &sent[5..9] {
        assert_eq!(json["toolCallId"], "call-1");
        assert_eq!(json["scenarioRunId"], "run-1");
    }
}

#[test]
fn pieces_are_content_and_without_capture_only_their_frame_is_told() {
    let capture = streamed(CaptureMode::Off);
    let events = capture.events();
    assert!(events.iter().all(|event| event.body.is_none()));
    let sent: Vec<_> = events.iter().filter_map(payload).collect();
    let told = serde_json::to_string(&sent).unwrap();
    assert!(!told.contains("there") && !told.contains("Paris"), "{told}");
    assert_eq!(sent.len(), 6, "a piece without its text is nothing to send");
}
