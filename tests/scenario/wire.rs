//! Runs beside their documents: the same events, and documents made of events that read back the same.

use serde_json::{Value as Json, json};
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Dialect, Event, EventData, import};
use tracing_genai::message::Message;
use tracing_genai::scenario::{Agent, EvaluatorResult, Results, Scenario, payload};
use tracing_genai::testing::{Capture, capture_with};

use super::support::catalogue;

/// The three documents of one run, as Scenario's SDKs write them.
fn documents() -> [Json; 3] {
    let ids = |json: Json| {
        let mut all = json!({
            "batchRunId": "batch-123",
            "scenarioId": "weather-query-test",
            "scenarioRunId": "run-456",
            "scenarioSetId": "nightly",
        });
        let fields = json.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(fields);
        all
    };
    [
        ids(json!({
            "type": "SCENARIO_RUN_STARTED",
            "timestamp": 1_703_123_456_789_u64,
            "metadata": {
                "name": "weather query test",
                "description": "User asks about weather, agent should provide helpful response",
                "agents": [
                    {"name": "WeatherAgent", "role": "agent"},
                    {"name": "UserSimulatorAgent", "role": "user"},
                ],
                "fields": {"city": "Paris"},
                "suite": "smoke",
            },
        })),
        ids(json!({
            "type": "SCENARIO_MESSAGE_SNAPSHOT",
            "timestamp": 1_703_123_456_800_u64,
            "messages": [
                {"id": "msg-1", "role": "user", "content": "What's the weather like?"},
                {"id": "msg-2", "role": "assistant", "content": "Let me check that for you..."},
            ],
        })),
        ids(json!({
            "type": "SCENARIO_RUN_FINISHED",
            "timestamp": 1_703_123_459_789_u64,
            "status": "FAILED",
            "results": {
                "verdict": "failure",
                "reasoning": "The agent never said the temperature.",
                "metCriteria": ["Agent is helpful"],
                "unmetCriteria": ["Agent gives a temperature", "Agent is brief"],
                "inconclusiveCriteria": ["Agent is brief"],
                "evaluations": [{"name": "toxicity", "score": 0.01, "passed": true, "details": "clean"}],
            },
        })),
    ]
}

/// The same run, recorded.
fn recorded() -> Capture {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full).error_messages(true));
    capture.record(|| {
        let run = Scenario::new("weather query test")
            .batch("batch-123")
            .id("weather-query-test")
            .run_id("run-456")
            .set("nightly")
            .description("User asks about weather, agent should provide helpful response")
            .agents([
                Agent::new("WeatherAgent", "agent"),
                Agent::new("UserSimulatorAgent", "user"),
            ])
            .field("city", "Paris")
            .metadata("suite", "smoke")
            .start();
        run.messages(&[
            Message::user("What's the weather like?"),
            Message::assistant("Let me check that for you..."),
        ]);
        let toxicity = EvaluatorResult::new("toxicity");
        run.finish(
            Results::failure()
                .reasoning("The agent never said the temperature.")
                .met("Agent is helpful")
                .unmet("Agent gives a temperature")
                .undecided("Agent is brief")
                .evaluation(toxicity.score(0.01).passed(true).details("clean")),
        );
    });
    capture
}

/// What an event says beside when and under which ids: its type, the labels, attributes, content.
///
/// A recorded end has the reasoning as an attribute, which is exported with the span, and what every span has; an imported one has
/// it in the body.
fn told(event: &EventData) -> Json {
    let mut json = serde_json::to_value(event).unwrap();
    let mut attributes = json["attributes"].take();
    let fields = attributes.as_object_mut().unwrap();
    let reasoning = fields.shift_remove("scenario.reasoning");
    for name in ["gen_ai.operation.name", "error.type"] {
        fields.shift_remove(name);
    }
    // Repeated on every span for the totals of what lies below.
    fields.retain(|name, _| !name.starts_with("llm.") && !name.starts_with("gen_ai.aggregated"));
    fields.sort_keys();
    let body = reasoning.map_or(json["body"].take(), |text| json!({"reasoning": text}));
    json!({
        "type": json["event_type"],
        "flavor": json["flavor"],
        "channel": json["channel"],
        "level": json["level"],
        "error": json["error"],
        "attributes": attributes,
        "body": body,
    })
}

#[test]
fn a_recorded_run_has_the_events_the_import_of_its_documents_has() {
    let imported: Vec<_> = documents()
        .iter()
        .flat_map(|document| import(Dialect::Scenario, document).unwrap())
        .map(|event| told(&event))
        .collect();
    let mut recorded: Vec<_> = recorded()
        .events()
        .iter()
        .map(|event| told(event))
        .collect();
    // Verdicts are told while the run is open; a document has them when it is over.
    let end = recorded.pop().unwrap();
    recorded.insert(2, end);
    // The name of the run is on every event of the span; the document of an end does not repeat what the start said.
    let start = recorded[0]["attributes"].clone();
    let repeated = |json: &mut Json, but: &Json| {
        let fields = json["attributes"].as_object_mut().unwrap();
        fields.retain(|name, value| but.get(name).is_some() || start.get(name) != Some(value));
    };
    let wanted = imported[2]["attributes"].clone();
    repeated(&mut recorded[2], &wanted);
    assert_eq!(recorded.len(), imported.len());
    for (recorded, imported) in recorded.iter().zip(&imported) {
        assert_eq!(recorded, imported, "\n{recorded:#}\n{imported:#}");
    }
}

#[test]
fn the_documents_of_a_recorded_run_are_those_its_sdk_would_send() {
    let recorded = recorded();
    let sent: Vec<_> = recorded.events().iter().filter_map(payload).collect();
    assert_eq!(sent.len(), 3);
    for (mut sent, mut expected) in sent.into_iter().zip(documents()) {
        assert!(sent["timestamp"].is_u64());
        for json in [&mut sent, &mut expected] {
            json.as_object_mut().unwrap().shift_remove("timestamp");
        }
        assert_eq!(sent, expected);
    }
}

#[test]
fn every_document_of_scenario_reads_back_the_same_from_what_is_made_of_its_event() {
    let mut types = 0;
    for row in catalogue::rows() {
        if row.dialect != Dialect::Scenario {
            continue;
        }
        let document = row.document(&row.names[0]).json;
        let label = row.label();
        let event = import(Dialect::Scenario, &document).unwrap().remove(0);
        let made = payload(&Event::new(event.clone())).unwrap_or_else(|| panic!("{label}"));
        let again = import(Dialect::Scenario, &made).unwrap().remove(0);
        assert_eq!(again.time, event.time, "{label}");
        assert_eq!(
            told(&again),
            told(&event),
            "{label}\n{document:#}\n{made:#}"
        );
        assert_eq!(made["type"], row.names[0], "{label}");
        types += 1;
    }
    assert_eq!(types, 12);
}

#[test]
fn what_is_made_of_a_recorded_event_is_imported_as_that_event() {
    for event in recorded().events() {
        let Some(made) = payload(&event) else {
            continue;
        };
        let again = import(Dialect::Scenario, &made).unwrap().remove(0);
        let millis = |event: &EventData| {
            let since = event.time.duration_since(std::time::UNIX_EPOCH);
            since.unwrap().as_millis()
        };
        assert_eq!(millis(&again), millis(&event));
        let (again, mut event) = (told(&again), told(&event));
        // A document of an end has no place for what the start said.
        let fields = event["attributes"].as_object_mut().unwrap();
        fields.retain(|name, _| again["attributes"].get(name).is_some());
        assert_eq!(again, event, "{made:#}");
    }
}

#[test]
fn a_given_time_is_kept_through_the_bus_and_onto_the_wire() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
    for document in documents() {
        capture
            .telemetry()
            .import(Dialect::Scenario, &document)
            .unwrap();
    }
    let sent: Vec<_> = capture.events().iter().filter_map(payload).collect();
    let times: Vec<_> = sent.iter().map(|json| json["timestamp"].clone()).collect();
    let given = documents().map(|json| json["timestamp"].clone());
    assert_eq!(times, given);
}

#[test]
fn events_of_others_have_no_document() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
    capture.record(|| {
        tracing_genai::workflow("plain").start().complete();
        tracing_genai::evaluation("Relevance").score(0.9).emit();
        // Of the flavor, but of no run.
        tracing_genai::workflow("odd")
            .flavor("scenario")
            .start()
            .complete();
    });
    let events = capture.events();
    assert_eq!(events.len(), 5);
    assert!(events.iter().all(|event| payload(event).is_none()));
}
