//! AG-UI: its messages and its events.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracing_genai::event::{Event, EventData, EventType};
use tracing_genai::frame::Frame;
use tracing_genai::message::{AgUi, Message, Part, Role, from_ag_ui, from_openai, to_ag_ui};
use tracing_genai::opentelemetry::{SpanId, TraceId};

use super::{any_messages, conversation, problems};

#[test]
fn openai_messages_become_ag_ui_messages_with_ids_and_its_names() {
    let history = json!([
        {"role": "developer", "content": "d"},
        {"role": "system", "content": "s"},
        {"role": "user", "content": "Weather?", "id": "u1"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "get", "arguments": "{\"city\":\"Paris\"}"}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "14"},
        {"role": "assistant", "content": "14 °C"},
    ]);
    let messages = json!([
        {"id": "msg-1", "role": "developer", "content": "d"},
        {"id": "msg-2", "role": "system", "content": "s"},
        {"id": "u1", "role": "user", "content": "Weather?"},
        {"id": "msg-4", "role": "assistant", "toolCalls": [
            {"id": "c1", "type": "function", "function": {"name": "get", "arguments": "{\"city\":\"Paris\"}"}},
        ]},
        {"id": "msg-5", "role": "tool", "toolCallId": "c1", "content": "14"},
        {"id": "msg-6", "role": "assistant", "content": "14 °C"},
    ]);
    let read = from_openai(&history).strict().unwrap();
    assert_eq!(json!(to_ag_ui(&read).strict().unwrap()), messages);
    let back = from_ag_ui(&messages).strict().unwrap();
    assert_eq!(json!(to_ag_ui(&back).strict().unwrap()), messages);
}

#[test]
fn every_kind_of_ag_ui_message_is_read_and_written_as_it_was() {
    // The kinds of the protocol's pages on messages, with the names its JSON has.
    let messages = json!([
        {"id": "dev-1", "role": "developer", "content": "Be brief."},
        {"id": "sys-1", "role": "system", "content": "You are a helpful assistant.", "name": "setup"},
        {"id": "user-1", "role": "user", "content": "What's the weather?", "name": "ann"},
        {"id": "user-2", "role": "user", "content": [
            {"type": "text", "text": "And what is this?"},
            {"type": "image", "source": {"type": "url", "value": "https://a.example/cat.png", "mimeType": "image/png"}},
        ]},
        {"id": "asst-1", "role": "assistant", "content": "Let me check.", "toolCalls": [
            {"id": "call-1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"NYC\"}"}},
            {"id": "call-2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}},
        ]},
        {"id": "tool-1", "role": "tool", "content": "{\"temperature\":72}", "toolCallId": "call-1"},
        {"id": "tool-2", "role": "tool", "content": "", "toolCallId": "call-2", "error": "no clock"},
        {"id": "asst-2", "role": "assistant", "content": "72 °F."},
        {"id": "act-1", "role": "activity", "activityType": "PLAN", "content": {"steps": ["a", "b"]}},
    ]);
    let read = from_ag_ui(&messages).strict().unwrap();
    let ids: Vec<_> = read
        .messages
        .iter()
        .filter_map(|it| it.id.as_deref())
        .collect();
    assert_eq!(ids.len(), 9);
    let calls = read.messages.iter().filter(|message| message.calls_tools());
    assert_eq!(calls.count(), 1);
    assert_eq!(json!(to_ag_ui(&read).strict().unwrap()), messages);
}

#[test]
fn what_is_wrong_in_ag_ui_messages_is_named_by_its_index() {
    let read = from_ag_ui(&json!([
        {"id": "1", "role": "user"},
        {"id": "2", "role": "tool", "content": "x"},
        {"id": "3", "role": "wizard", "content": "x"},
        {"id": "4", "role": "assistant", "toolCalls": [{"id": "c"}]},
        {"id": "4", "role": "user", "content": [{"type": "text", "text": "kept"}]},
    ]));
    assert_eq!(
        problems(&read),
        [
            "messages[0].content: is missing",
            "messages[1].toolCallId: is missing",
            "messages[2].role: is no known role",
            "messages[3].toolCalls[0].function: is missing",
            "messages[4].id: is used twice",
        ]
    );
    assert_eq!(
        read.value.messages.last().unwrap().parts,
        [Part::text("kept")]
    );
}

#[test]
fn an_empty_text_beside_reasoning_is_no_message_of_its_own() {
    let mut message = Message::new(Role::Assistant);
    message.parts = vec![
        Part::text(""),
        Part::reasoning("The user asks for an umbrella."),
    ];
    let written = to_ag_ui(&conversation(vec![message])).value;
    let said =
        json!({"id": "msg-1", "role": "reasoning", "content": "The user asks for an umbrella."});
    assert_eq!(written, [said]);
    assert_eq!(to_ag_ui(&from_ag_ui(&json!(written)).value).value, written);
}

proptest! {
    /// The first way in drops what says nothing: an empty text of an assistant. From then on nothing changes.
    #[test]
    fn ag_ui_messages_that_were_read_once_stay_the_same(messages in any_messages()) {
        let again = |messages: Vec<Json>| to_ag_ui(&from_ag_ui(&json!(messages)).value).value;
        let written = to_ag_ui(&conversation(messages)).value;
        let read = again(written.clone());
        prop_assert_eq!(read.len(), written.len());
        prop_assert_eq!(again(read.clone()), read);
    }
}

fn frame(ty: &str, span: u64, fields: Json) -> Frame {
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(span);
    let mut data = EventData::new(EventType::parse(ty).unwrap(), time);
    data.cx.trace = TraceId::from(7u128);
    data.cx.span = SpanId::from(span);
    for (name, value) in fields.as_object().unwrap() {
        data.attrs.set(name.clone(), value.as_str().unwrap());
    }
    Frame::of(&Event::new(data)).unwrap()
}

fn project(frames: &[Frame]) -> Vec<Json> {
    let mut run = AgUi::new().thread_id("t").run_id("r");
    let mut events: Vec<_> = frames.iter().flat_map(|frame| run.frame(frame)).collect();
    events.extend(run.finish());
    events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .collect()
}

fn types(events: &[Json]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[test]
fn a_run_with_a_tool_is_told_in_the_protocols_order() {
    let call = json!({"gen_ai.tool.call.id": "c1", "gen_ai.tool.name": "get"});
    let events = project(&[
        frame("agent.execution.started", 1, json!({})),
        frame("step.started", 2, json!({})),
        frame("tool.call.started", 3, call.clone()),
        frame("tool.call.completed", 3, call),
        frame("step.completed", 2, json!({})),
        frame("agent.execution.completed", 1, json!({})),
    ]);
    assert_eq!(
        types(&events),
        [
            "RUN_STARTED",
            "STEP_STARTED",
            "TOOL_CALL_START",
            "TOOL_CALL_END",
            "TOOL_CALL_RESULT",
            "STEP_FINISHED",
            "RUN_FINISHED",
        ]
    );
    assert_eq!(events[2]["toolCallName"], "get");
    assert_eq!(events[4]["toolCallId"], "c1");
    assert_eq!(events[4]["content"], ""); // not captured
}

#[test]
fn a_run_that_fails_or_is_never_seen_to_end_closes_what_is_open_and_is_an_error() {
    let start = [
        frame("workflow.started", 1, json!({})),
        frame("step.started", 2, json!({})),
    ];
    let events = project(&start);
    assert_eq!(
        types(&events),
        ["RUN_STARTED", "STEP_STARTED", "STEP_FINISHED", "RUN_ERROR"]
    );
    assert_eq!(events[3]["code"], "interrupted");
    let mut failed = start.to_vec();
    failed.push(frame("workflow.failed", 1, json!({})));
    failed.push(frame("step.started", 4, json!({})));
    let events = project(&failed);
    assert_eq!(
        types(&events),
        ["RUN_STARTED", "STEP_STARTED", "STEP_FINISHED", "RUN_ERROR"]
    );
}

const TYPES: [&str; 14] = [
    "workflow.started",
    "workflow.completed",
    "agent.execution.started",
    "agent.execution.failed",
    "step.started",
    "step.completed",
    "llm.call.started",
    "llm.call.chunk",
    "llm.call.thinking",
    "llm.call.completed",
    "tool.call.started",
    "tool.call.completed",
    "tool.call.failed",
    "conversation.message.added",
];

proptest! {
    /// What is opened is closed, nothing is opened twice, a run starts first and ends last.
    #[test]
    fn no_order_of_frames_breaks_the_protocols_rules(
        frames in prop::collection::vec((prop::sample::select(&TYPES[..]), 1u64..6), 1..40),
    ) {
        let data = json!({"tool_call.id": "c", "tool_call.name": "f", "gen_ai.tool.name": "f"});
        let frames: Vec<Frame> = frames.into_iter().map(|(ty, span)| frame(ty, span, data.clone())).collect();
        let events = project(&frames);
        let types = types(&events);
        prop_assert_eq!(types[0], "RUN_STARTED");
        prop_assert!(matches!(types[types.len() - 1], "RUN_FINISHED" | "RUN_ERROR"));
        let mut open: Vec<(String, Json)> = Vec::new();
        for event in &events[1..events.len() - 1] {
            let ty = event["type"].as_str().unwrap();
            prop_assert!(!ty.starts_with("RUN_"));
            let id = ["messageId", "toolCallId", "stepName"].iter().find_map(|name| event.get(name)).cloned().unwrap_or_default();
            for (start, end) in [("_START", "_END"), ("_STARTED", "_FINISHED")] {
                if let Some(kind) = ty.strip_suffix(start) {
                    let item = (kind.to_owned(), id.clone());
                    prop_assert!(!open.contains(&item), "{} opened twice", ty);
                    open.push(item);
                } else if let Some(kind) = ty.strip_suffix(end) {
                    let item = (kind.to_owned(), id.clone());
                    let at = open.iter().position(|open| *open == item);
                    prop_assert!(at.is_some(), "{} without its start", ty);
                    open.remove(at.unwrap());
                }
            }
        }
        prop_assert!(open.is_empty(), "{open:?}");
    }
}
