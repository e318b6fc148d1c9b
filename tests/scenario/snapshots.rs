//! Conversations told whole or as what changed.

use proptest::prelude::*;
use serde_json::json;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Event, EventSpec as _, ScenarioMessageSnapshot};
use tracing_genai::message::{Conversation, Message, Part, to_ag_ui};
use tracing_genai::scenario::{
    Payloads, Results, Scenario, SnapshotError, Snapshots, Transcript, payload,
};
use tracing_genai::testing::{capture, capture_with};

use super::of;

fn conversation() -> Vec<Message> {
    let call = Part::tool_call(Some("call-1"), "get_weather", json!({"city": "NYC"}));
    vec![
        Message::system("You report the weather."),
        Message::user("What's the weather?"),
        Message::assistant("Let me check the weather for you.").part(call),
        Message::tool("call-1", json!({"temperature": 72, "condition": "sunny"})),
        Message::assistant("72 °F and sunny."),
    ]
}

/// The events of a run that tells these conversations one after the other.
fn told(snapshots: Snapshots, conversations: &[Vec<Message>]) -> Vec<Event> {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
    capture.record(|| {
        let run = Scenario::new("weather").snapshots(snapshots).start();
        for messages in conversations {
            run.messages(messages);
        }
        run.finish(Results::success());
    });
    capture.events()
}

/// Ever longer conversations.
fn growing() -> Vec<Vec<Message>> {
    let whole = conversation();
    (1..=whole.len()).map(|n| whole[..n].to_vec()).collect()
}

fn ag_ui(messages: &[Message]) -> Vec<serde_json::Value> {
    to_ag_ui(&Conversation::new(messages.to_vec())).value
}

#[test]
fn a_snapshot_is_the_conversation_in_the_form_of_ag_ui_with_its_count() {
    let events = told(Snapshots::Full, &[conversation()]);
    let snapshot = of(&events, "conversation.snapshot")[0];
    let view = ScenarioMessageSnapshot::view(snapshot).unwrap();
    assert_eq!(view.message_count, Some(5));
    let sent = payload(snapshot).unwrap();
    assert_eq!(sent["type"], "SCENARIO_MESSAGE_SNAPSHOT");
    let messages = &sent["messages"];
    assert_eq!(*messages, json!(ag_ui(&conversation())));
    let function = &messages[2]["toolCalls"][0]["function"];
    assert_eq!(function["name"], "get_weather");
    assert_eq!(messages[3]["toolCallId"], "call-1");
}

#[test]
fn snapshots_as_deltas_are_put_together_to_the_whole_after_each() {
    let growing = growing();
    let events = told(Snapshots::Delta, &growing);
    let mut transcript = Transcript::new();
    let mut seen = 0;
    for event in &events {
        if transcript.apply(event).unwrap() {
            assert_eq!(transcript.messages(), ag_ui(&growing[seen]));
            seen += 1;
        }
    }
    assert_eq!(seen, growing.len());
    let read = transcript.conversation().strict().unwrap();
    assert_eq!(read.messages[4].text(), "72 °F and sunny.");
    let bytes = |events: &[Event]| -> usize {
        let bodies = of(events, "conversation.snapshot").into_iter();
        bodies
            .map(|event| event.body.as_ref().unwrap().0.to_string().len())
            .sum()
    };
    let whole = bytes(&told(Snapshots::Full, &growing));
    assert!(bytes(&events) * 2 < whole, "{} of {whole}", bytes(&events));
}

#[test]
fn payloads_of_deltas_are_whole_and_one_without_its_predecessor_is_none() {
    let growing = growing();
    let events = told(Snapshots::Delta, &growing);
    let payloads = Payloads::new();
    let sent: Vec<_> = events
        .iter()
        .filter_map(|event| payloads.of(event))
        .collect();
    assert_eq!(sent.len(), growing.len() + 2, "and the start and the end");
    for (json, messages) in sent[1..].iter().zip(&growing) {
        assert_eq!(json["messages"], json!(ag_ui(messages)));
    }
    let snapshots = of(&events, "conversation.snapshot");
    assert_eq!(payload(snapshots[1]), None, "half a conversation is none");
    let late = Payloads::new();
    assert!(late.of(snapshots[0]).is_some());
    assert_eq!(late.of(snapshots[2]), None);
    assert!(late.of(snapshots[1]).is_some());
}

#[test]
fn a_transcript_that_missed_a_snapshot_says_so_and_the_next_whole_one_mends_it() {
    let mut conversations = growing();
    conversations.push(vec![Message::user("Something else.")]);
    let events = told(Snapshots::Delta, &conversations);
    let snapshots = of(&events, "conversation.snapshot");
    let mut transcript = Transcript::new();
    transcript.apply(snapshots[0]).unwrap();
    let before = transcript.messages().to_vec();
    assert_eq!(transcript.apply(snapshots[2]), Err(SnapshotError::Missed));
    assert_eq!(transcript.messages(), before);
    assert_eq!(transcript.apply(snapshots[5]), Ok(true));
    assert_eq!(transcript.messages(), ag_ui(&conversations[5]));
}

#[test]
fn without_capture_a_snapshot_is_a_number_and_no_word_of_the_run_leaves() {
    for snapshots in [Snapshots::Full, Snapshots::Delta] {
        let capture = capture();
        capture.record(|| {
            let run = Scenario::new("weather").snapshots(snapshots).start();
            run.messages(&conversation());
            let evaluator = tracing_genai::scenario::EvaluatorResult::new("tone");
            run.finish(
                Results::failure()
                    .reasoning("It said it is sunny.")
                    .evaluation(evaluator.score(0.5).details("sunny all over")),
            );
        });
        let events = capture.events();
        let snapshot = of(&events, "conversation.snapshot")[0];
        let view = ScenarioMessageSnapshot::view(snapshot).unwrap();
        assert_eq!(view.message_count, Some(5));
        assert_eq!(payload(snapshot), None);
        let told = serde_json::to_string(&events).unwrap();
        for word in ["sunny", "NYC", "get_weather", "assistant"] {
            assert!(!told.contains(word), "{word}: {told}");
        }
        for span in capture.spans() {
            let all = span.attributes.iter();
            let told: String = all
                .map(|(name, value)| format!("{name}={value} "))
                .collect();
            assert!(!told.contains("sunny"), "{told}");
        }
        let error = Transcript::new().apply(snapshot);
        assert_eq!(error, Err(SnapshotError::NotCaptured));
        let sent = payload(events.last().unwrap()).unwrap();
        assert_eq!(sent["results"]["verdict"], "failure");
    }
}

#[test]
fn secrets_in_messages_are_replaced_where_content_is_redacted() {
    const KEY: &str = "sk-proj-Zm9vYmFyYmF6cXV4MDEyMzQ1Njc4OWFiY2RlZg";
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    capture.record(|| {
        let run = Scenario::new("leak").start();
        run.messages(&[Message::user(format!("my key is {KEY}"))]);
        run.finish(Results::failure().reasoning(format!("It repeated {KEY}")));
    });
    let events = capture.events();
    let told = serde_json::to_string(&events).unwrap();
    assert!(
        told.contains("my key is") && told.contains("It repeated"),
        "{told}"
    );
    assert!(!told.contains(KEY), "{told}");
}

fn any_conversations() -> impl Strategy<Value = Vec<Vec<Message>>> {
    let message = (0..4u8, "[a-z]{0,6}").prop_map(|(kind, text)| match kind {
        0 => Message::system(text),
        1 => Message::user(text).id("u"),
        2 => Message::assistant(text).part(Part::reasoning("because")),
        _ => Message::tool("call", text),
    });
    prop::collection::vec(prop::collection::vec(message, 0..6), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Grown, cut, changed or exchanged: what is put together from deltas is what was told.
    #[test]
    fn any_conversations_told_as_deltas_read_back_as_they_were(conversations in any_conversations()) {
        let events = told(Snapshots::Delta, &conversations);
        let mut transcript = Transcript::new();
        let mut all = conversations.iter();
        for event in &events {
            if transcript.apply(event).unwrap() {
                prop_assert_eq!(transcript.messages(), ag_ui(all.next().unwrap()));
            }
        }
        prop_assert!(all.next().is_none());
    }
}
