//! Documents of five systems become events of this library, and nothing in them is lost.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

mod support;

use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use support::catalogue::{self, Row};
use tracing_genai::event::{
    Channel, Dialect, EventData, EventId, ImportError, Level, Phase, Visibility, import,
};

fn one(dialect: Dialect, document: Json) -> EventData {
    import(dialect, &document).unwrap().remove(0)
}

fn crew(name: &str, fields: Json) -> EventData {
    let mut document = json!({"type": name, "timestamp": "2026-01-01T00:00:00Z"});
    document
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    one(Dialect::CrewAi, document)
}

/// The documents of `tests/data/import/` and the events they must become, ids left out where the document has none.
const FILES: [(Dialect, &str, &str); 5] = [
    (
        Dialect::Cylestio,
        include_str!("data/import/cylestio.json"),
        include_str!("data/import/cylestio.events.json"),
    ),
    (
        Dialect::CylestioOtel,
        include_str!("data/import/cylestio-otel.json"),
        include_str!("data/import/cylestio-otel.events.json"),
    ),
    (
        Dialect::AiTaskAgent,
        include_str!("data/import/ai-task-agent.json"),
        include_str!("data/import/ai-task-agent.events.json"),
    ),
    (
        Dialect::CrewAi,
        include_str!("data/import/crewai.json"),
        include_str!("data/import/crewai.events.json"),
    ),
    (
        Dialect::Scenario,
        include_str!("data/import/scenario.json"),
        include_str!("data/import/scenario.events.json"),
    ),
];

fn written(dialect: Dialect, document: &Json) -> Vec<Json> {
    let has_id = ["event_id", "id"]
        .iter()
        .any(|id| document.get(id).is_some());
    let events = import(dialect, document).unwrap();
    let shown = events.iter().enumerate().map(|(at, event)| {
        let mut json = serde_json::to_value(event).unwrap();
        if at > 0 || !has_id {
            json.as_object_mut().unwrap().shift_remove("id");
        }
        if at > 0 && !has_id {
            json.as_object_mut().unwrap().shift_remove("triggered_by");
        }
        json
    });
    shown.collect()
}

#[test]
fn a_document_of_each_system_becomes_the_events_it_describes() {
    for (dialect, documents, events) in FILES {
        let documents: Vec<Json> = serde_json::from_str(documents).unwrap();
        let expected: Vec<Json> = serde_json::from_str(events).unwrap();
        let found: Vec<Json> = documents
            .iter()
            .flat_map(|document| written(dialect, document))
            .collect();
        assert_eq!(found.len(), expected.len(), "{dialect}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{dialect}: {found:#}");
        }
    }
}

#[test]
fn success_false_becomes_the_failed_phase_and_the_flag_follows_from_it() {
    for (name, failed) in [
        ("pipeline.completed", "workflow.failed"),
        ("step.completed", "step.failed"),
        ("tool.completed", "tool.call.failed"),
        ("tag.completed", "tag.failed"),
    ] {
        for (success, phase) in [(true, Phase::Completed), (false, Phase::Failed)] {
            let event = one(
                Dialect::AiTaskAgent,
                json!({"EventType": name, "Timestamp": "2026-01-01T00:00:00Z", "Success": success}),
            );
            assert_eq!(event.phase, phase, "{name}");
            assert_eq!(event.ty == *failed, !success, "{name}");
            assert_eq!(event.phase == Phase::Completed, success, "{name}");
            assert_eq!(event.attr("Success"), None, "the phase says it");
            assert_eq!(event.error.is_some(), !success, "{name}");
        }
    }
    let delegation = |status: &str| {
        crew("a2a_delegation_completed", json!({"status": status}))
            .ty
            .to_string()
    };
    assert_eq!(delegation("completed"), "a2a.delegation.completed");
    assert_eq!(delegation("failed"), "a2a.delegation.failed");
    assert_eq!(delegation("input-required"), "a2a.delegation.paused");
    // What is neither true nor false decides nothing, and stays.
    let unsure = crew("plan_step_completed", json!({"success": "perhaps"}));
    assert_eq!(
        (unsure.phase, unsure.attrs.get("success")),
        (Phase::Completed, Some(&"perhaps".into()))
    );
}

#[test]
fn a_guardrail_that_denied_did_its_work_and_is_completed_with_a_warning() {
    let denied = crew(
        "llm_guardrail_completed",
        json!({"success": false, "error": "contains an address"}),
    );
    assert_eq!(
        (denied.ty.to_string().as_str(), denied.level),
        ("guardrail.completed", Level::Warn)
    );
    assert_eq!(denied.attr("guardrail.verdict"), Some(&"deny".into()));
    assert_eq!(
        denied.attr("guardrail.reason"),
        Some(&"contains an address".into())
    );
    assert_eq!(denied.error, None);
}

#[test]
fn a_given_time_is_kept_and_one_without_an_offset_is_utc() {
    for timestamp in [
        "2026-01-31T12:00:00.5",
        "2026-01-31T14:00:00.5+02:00",
        "2026-01-31T12:00:00.5Z",
    ] {
        let event = one(
            Dialect::Cylestio,
            json!({"event": "x", "timestamp": timestamp}),
        );
        assert_eq!(event.time_rfc3339(), "2026-01-31T12:00:00.500000000Z");
    }
    let scenario = one(
        Dialect::Scenario,
        json!({"type": "SCENARIO_RUN_STARTED", "timestamp": 1_703_123_456_789_u64}),
    );
    assert_eq!(
        scenario.time,
        UNIX_EPOCH + Duration::from_millis(1_703_123_456_789)
    );
    // Where only the end of the work is said, that is when the event happened.
    let document = json!({"type": "tool_usage_finished", "started_at": "2026-01-01T00:00:01Z", "finished_at": "2026-01-01T00:00:03Z"});
    let ended = one(Dialect::CrewAi, document);
    assert_eq!(
        (ended.time_rfc3339().as_str(), ended.duration),
        (
            "2026-01-01T00:00:03.000000000Z",
            Some(Duration::from_secs(2))
        )
    );
}

#[test]
fn foreign_ids_link_the_events_they_linked_before() {
    let start = crew(
        "task_started",
        json!({"event_id": "run-1/e-1", "emission_sequence": 1}),
    );
    let end = crew(
        "task_completed",
        json!({"event_id": "run-1/e-2", "started_event_id": "run-1/e-1", "previous_event_id": "run-1/e-1"}),
    );
    assert_eq!(
        (end.cx.started_event, end.cx.previous),
        (Some(start.id), Some(start.id))
    );
    assert_eq!(start.attr("source.event_id"), Some(&"run-1/e-1".into()));
    assert_eq!(
        start.id,
        crew("task_started", json!({"event_id": "run-1/e-1"})).id
    );
    let uuid = "9b2f7c52-1a43-4a0e-8b62-7a5c0f4f6f01";
    let known = crew("task_started", json!({"event_id": uuid}));
    assert_eq!(known.id, uuid.parse::<EventId>().unwrap());
    assert_eq!(known.attr("source.event_id"), None);
    let (one, other) = (
        crew("task_started", json!({})),
        crew("task_started", json!({})),
    );
    assert_ne!(
        one.id, other.id,
        "a document without an id gets a fresh one"
    );
}

#[test]
fn an_event_nobody_knows_becomes_one_of_its_own_with_every_field() {
    let event = one(
        Dialect::AiTaskAgent,
        json!({"EventType": "data.processed", "Timestamp": "2026-01-01T00:00:00Z", "StepName": "load",
            "SuppressFromUser": true, "Rows": 12, "Success": false, "Nested": {"a": null}}),
    );
    assert_eq!(event.ty, *"data.processed");
    assert_eq!(event.who.step_name.as_deref(), Some("load"));
    assert_eq!(event.visibility, Visibility::Internal);
    let json = |name| event.attr(name).unwrap().to_json();
    assert_eq!(
        (json("Rows"), json("Success"), json("Nested")),
        (json!(12), json!(false), json!({"a": null}))
    );
    assert_eq!(event.attr("source.event_name"), None, "the type spells it");

    let odd = one(
        Dialect::Cylestio,
        json!({"event": "User Login!", "timestamp": "2026-01-01T00:00:00", "channel": "my_app", "data": {"event": "inner"}}),
    );
    assert_eq!(
        (odd.ty.to_string().as_str(), odd.channel),
        ("user_login_", Channel::new("MY_APP"))
    );
    assert_eq!(
        odd.attrs.get("source.event_name"),
        Some(&"User Login!".into())
    );
    assert_eq!(odd.attrs.get("event"), Some(&"inner".into()));
}

#[test]
fn a_field_whose_place_is_taken_is_kept_beside_it() {
    let document = json!({"type": "SCENARIO_RUN_STARTED", "timestamp": 0, "batchRunId": "a", "batch_run_id": "b"});
    let event = one(Dialect::Scenario, document);
    assert_eq!(event.attr("scenario.batch_run.id"), Some(&"a".into()));
    assert_eq!(event.attr("batch_run_id"), Some(&"b".into()));

    let event = crew(
        "agent_execution_started",
        json!({"agent_role": "a", "agent": {"role": "b", "goal": "c"}}),
    );
    let attr = |name| event.attr(name).unwrap().to_json();
    assert_eq!(
        (attr("gen_ai.agent.name"), attr("agent.role")),
        (json!("a"), json!("b"))
    );
    assert_eq!(attr("gen_ai.agent.goal"), "c");

    // Content does not end up under a name that nobody knows to carry content.
    let document = json!({"name": "llm.request", "timestamp": "2026-01-01T00:00:00Z",
        "attributes": {"llm.request.data": "first", "llm.request.prompt": "second"}});
    let event = one(Dialect::CylestioOtel, document);
    assert_eq!(event.attr("gen_ai.input.messages"), Some(&"first".into()));
    assert_eq!(event.attr("llm.request.prompt"), None);
    assert_eq!(
        event.body.unwrap().0,
        json!({"llm.request.prompt": "second"})
    );
}

#[test]
fn a_changed_setting_is_told_by_its_path_and_never_by_its_value() {
    let event = one(
        Dialect::Cylestio,
        json!({"event": "config_updated", "timestamp": "2026-01-01T00:00:00", "agent_id": "a",
            "data": {"security": {"keywords": ["CANARY"], "on": true}, "reason": "CANARY"}}),
    );
    assert_eq!(
        event.attr("config.keys").unwrap().to_json(),
        json!(["security.keywords", "security.on", "reason"])
    );
    assert_eq!(event.who.agent_id.as_deref(), Some("a"));
    assert!(!serde_json::to_string(&event).unwrap().contains("CANARY"));
}

#[test]
fn a_document_that_is_no_event_is_refused_by_field_and_never_by_value() {
    let now = "2026-01-01T00:00:00Z";
    for (dialect, document, reason) in [
        (
            Dialect::CrewAi,
            json!(["CANARY"]),
            "a crewai event is a JSON object, and this is a list",
        ),
        (
            Dialect::CrewAi,
            json!("CANARY"),
            "a crewai event is a JSON object, and this is text",
        ),
        (
            Dialect::CrewAi,
            json!({"timestamp": now, "x": "CANARY"}),
            "needs the field \"type\"",
        ),
        (
            Dialect::CrewAi,
            json!({"type": null, "timestamp": now}),
            "needs the field \"type\"",
        ),
        (
            Dialect::CrewAi,
            json!({"type": ["CANARY"]}),
            "the field \"type\" of a crewai event must be the name of an event; here it is a list",
        ),
        (
            Dialect::CrewAi,
            json!({"type": "task_started"}),
            "needs the field \"timestamp\"",
        ),
        (
            Dialect::CrewAi,
            json!({"type": "task_started", "timestamp": "CANARY"}),
            "the field \"timestamp\"",
        ),
        (
            Dialect::CrewAi,
            json!({"type": "task_started", "timestamp": 1e300}),
            "the field \"timestamp\"",
        ),
        (
            Dialect::Scenario,
            json!({"type": "x", "timestamp": [0]}),
            "the field \"timestamp\" of a scenario event",
        ),
        (
            Dialect::Cylestio,
            json!({"event": "x", "timestamp": now, "data": ["CANARY"]}),
            "the field \"data\" of a cylestio event must be an object",
        ),
        (
            Dialect::Cylestio,
            json!({"event": "x", "timestamp": now, "data": "CANARY {"}),
            "the field \"data\"",
        ),
        (
            Dialect::CylestioOtel,
            json!({"name": "x", "timestamp": now, "attributes": 7}),
            "the field \"attributes\"",
        ),
        (
            Dialect::AiTaskAgent,
            json!({"StepName": "x"}),
            "needs the field \"EventType\"",
        ),
    ] {
        let error = import(dialect, &document).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("CANARY"),
            "{error:?}"
        );
    }
}

#[test]
fn a_document_too_deep_for_the_stack_is_refused_without_touching_it() {
    for depth in [129, 100_000] {
        let mut deep = json!(null);
        for at in 0..depth {
            deep = if at % 2 == 0 {
                Json::Array(vec![deep])
            } else {
                Json::Object(Map::from_iter([("a".to_owned(), deep)]))
            };
        }
        let document =
            json!({"type": "task_started", "timestamp": "2026-01-01T00:00:00Z", "context": null});
        let Json::Object(mut fields) = document else {
            unreachable!()
        };
        fields.insert("context".to_owned(), deep);
        let document = Json::Object(fields);
        let refused = import(Dialect::CrewAi, &document);
        assert_eq!(refused, Err(ImportError::TooDeep { limit: 128 }));
        // Dropping it is what overflows the stack.
        std::mem::forget(document);
    }
}

#[test]
fn a_document_of_64_mib_and_one_of_200_000_fields_are_read_whole() {
    let text = "x".repeat(64 << 20);
    let event = crew("llm_stream_chunk", json!({"chunk": text}));
    assert_eq!(event.body.unwrap().as_str().map(str::len), Some(64 << 20));

    let fields: Map<String, Json> = (0..200_000)
        .map(|at| (format!("k{at}"), at.into()))
        .collect();
    let event = crew("task_started", fields.into());
    assert_eq!(event.attrs.len(), 200_000);
}

/// The names of fields any of the tables knows, as the catalogue lists them, and some it does not.
fn field_name() -> impl Strategy<Value = String> {
    static KNOWN: LazyLock<Vec<String>> = LazyLock::new(|| {
        let own = catalogue::rows().iter().flat_map(|row| row.fields.keys());
        let mut known: Vec<String> = own.cloned().collect();
        known.extend(
            [
                "timestamp",
                "level",
                "data",
                "attributes",
                "agent_id",
                "type",
                "event",
                "name",
            ]
            .map(str::to_owned),
        );
        known.sort();
        known.dedup();
        known
    });
    prop_oneof![4 => prop::sample::select(KNOWN.as_slice()), 1 => "[a-zA-Z._]{1,12}"]
}

/// JSON whose texts are all different, so that each can be looked for.
fn document() -> impl Strategy<Value = Json> {
    let leaf = any::<u64>().prop_map(|text| json!(format!("text-{text}-")));
    let inner = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(field_name(), inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    });
    prop::collection::btree_map(field_name(), inner, 0..10).prop_map(|fields| json!(fields))
}

fn texts(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::String(text) => found.push(text.to_lowercase()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Json::Object(fields) => fields.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

static ROWS: LazyLock<Vec<&'static Row>> = LazyLock::new(|| catalogue::rows().iter().collect());

proptest! {
    #[test]
    fn no_text_of_any_document_is_lost(row in prop::sample::select(ROWS.as_slice()), own in document()) {
        // Live objects and settings are told by their names only.
        const NAMES_ONLY: [&str; 3] = ["callbacks", "available_functions", "config_updated"];

        let mut own = own;
        let fields = own.as_object_mut().unwrap();
        fields.retain(|field, _| !NAMES_ONLY.contains(&field.as_str()));
        prop_assume!(row.names[0] != "config_updated");

        let mut document = row.document(&row.names[0]).json;
        let payload = ["data", "attributes"].into_iter().find(|payload| document.get(payload).is_some());
        let target = match payload {
            Some(payload) => document.get_mut(payload).unwrap(),
            None => &mut document,
        };
        let envelope = ["type", "timestamp", "EventType", "Timestamp"];
        for (field, json) in own.as_object().unwrap() {
            if payload.is_some() || !envelope.contains(&field.as_str()) {
                target.as_object_mut().unwrap().insert(field.clone(), json.clone());
            }
        }
        let mut wanted = Vec::new();
        texts(&own, &mut wanted);
        let events = import(row.dialect, &document).unwrap();
        let found = serde_json::to_string(&events).unwrap().to_lowercase();
        for text in wanted {
            let replaced = envelope.iter().any(|field| own.get(field).is_some_and(|json| json.to_string().contains(&text)));
            prop_assert!(replaced || found.contains(&text), "{} is not in {} from {}", text, found, document);
        }
        for event in &events {
            let back: EventData = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            prop_assert_eq!(&back, event);
        }
    }

    #[test]
    fn any_document_is_read_or_refused_without_a_panic(dialect in prop::sample::select(Dialect::ALL), document in document()) {
        let _ = import(dialect, &document);
    }
}
