//! By name and by builder: what is given arrives, whatever it is.

use opentelemetry::trace::Status;
use serde::{Serialize, Serializer};
use serde_json::json;
use std::collections::BTreeSet;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Channel, Event, EventData, EventType, Kind, Level, Value};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{
    Loss, agent, event, log_error, log_event, log_info, log_warning, route, step, tool,
};

use crate::vocabulary::*;

#[test]
fn log_event_logs_any_custom_event_with_its_data_channel_and_level() {
    let event = only(|| {
        log_event(
            "custom_event",
            json!({ "key": "value", "n": 3, "deep": { "a": [1, null] } }),
            "CUSTOM_CHANNEL",
            Level::Warn,
        );
    });
    assert!(event.ty == "custom_event");
    assert_eq!(event.kind, Kind::Custom);
    assert_eq!(event.channel.as_str(), "CUSTOM_CHANNEL");
    assert_eq!(event.level, Level::Warn);
    assert_eq!(text(&event, "key"), Some("value"));
    assert_eq!(event.attr("n"), Some(&Value::I64(3)));
    assert_eq!(
        event.attr("deep"),
        Some(&Value::Json(json!({ "a": [1, null] })))
    );
}

#[test]
fn every_event_carries_id_time_type_kind_phase_channel_level_and_inside_a_span_its_ids() {
    let all = events(|| {
        step("s")
            .in_scope(|_| Ok::<_, Lost>(event("order.placed").emit()))
            .unwrap();
    });
    let ids: BTreeSet<_> = all.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), all.len());
    for event in &all {
        let json = serde_json::to_value(event).unwrap();
        assert!(json["time"].as_str().unwrap().ends_with('Z'), "{json}");
        for field in [
            "id",
            "event_type",
            "kind",
            "phase",
            "channel",
            "level",
            "trace_id",
            "span_id",
        ] {
            assert!(json[field].is_string(), "{field}: {json}");
        }
        assert!(event.seq > 0 && event.cursor > 0);
    }
}

#[test]
fn the_channel_defaults_to_system_and_the_level_to_info() {
    let event = only(|| event("something").emit());
    assert_eq!(
        (event.channel.clone(), event.level),
        (Channel::SYSTEM, Level::Info)
    );
    let empty = only(|| {
        log_event(
            "something",
            json!({}),
            "",
            Level::from_str_lossy("shouting"),
        )
    });
    assert_eq!(
        (empty.channel.clone(), empty.level),
        (Channel::SYSTEM, Level::Info)
    );
}

#[test]
fn levels_from_trace_to_alert_exist_and_an_alert_leaves_the_spans_status_alone() {
    let capture = capture();
    let levels = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Alert,
    ];
    assert!(levels.is_sorted());
    capture.record(|| {
        let step = step("s").start();
        for level in levels {
            step.event("a.told").level(level).emit();
        }
        step.complete();
    });
    let told: Vec<_> = capture
        .events()
        .iter()
        .filter(|event| event.ty == "a.told")
        .map(|event| event.level)
        .collect();
    assert_eq!(told, levels);
    assert_eq!(Level::Alert.severity_number(), 19);
    assert_eq!(capture.span("s").status, Status::Unset);
}

#[test]
fn data_that_does_not_serialise_is_too_large_or_no_object_never_fails_the_caller() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("the content"))
        }
    }
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("the content")
        }
    }
    let huge = "x".repeat(64 << 20);
    let all = events(|| {
        log_event("a.b", Fails, "", Level::Info);
        log_event("a.b", Panics, "", Level::Info);
        log_event("a.b", json!({ "huge": huge }), "", Level::Info);
        log_event("a.b", [1, 2], "", Level::Info);
        log_event("a.b", (), "", Level::Info);
        log_event("", json!({ "": 1 }), "  ", Level::Info);
        log_event("!? not a type\u{0}", json!({}), "", Level::Info);
    });
    for event in &all[..2] {
        let told = text(event, "data").unwrap();
        assert!(told.starts_with("<not serialisable: "), "{told}");
        assert!(!told.contains("the content"));
    }
    assert!(text(&all[2], "huge").unwrap().len() < 1 << 20);
    assert_eq!(all[3].attr("data").unwrap().as_array().unwrap().len(), 2);
    assert!(all[4].attrs.is_empty());
    assert!(all[5].ty == "unnamed");
    assert_eq!(all.len(), 7);
}

#[test]
fn a_writer_that_always_fails_costs_the_caller_nothing_and_is_counted() {
    struct Fails;
    impl tracing_genai::EventWriter for Fails {
        fn write(&mut self, _: &[Event]) -> Result<(), tracing_genai::WriteError> {
            Err(tracing_genai::WriteError::new("the disk is gone"))
        }
    }
    let capture = capture_with(|builder| builder.event_writer("bad disk", Fails));
    capture.record(|| log_event("a.b", json!({}), "", Level::Info));
    let report = capture.flush();
    let (name, tally) = &report.writers[0];
    assert_eq!(*name, "bad disk");
    assert_eq!(
        (tally.accepted, tally.dropped.get(&Loss::Write)),
        (1, Some(&1))
    );
    assert!(!report.is_complete());
    assert_eq!(capture.events().len(), 1, "others are unaffected");
}

#[test]
fn a_declared_list_of_channels_reports_others_once_and_lets_them_pass() {
    let heard = crate::support::waiting::alone(
        "log_event::a_declared_list_of_channels_reports_others_once_and_lets_them_pass",
        || {
            let capture = capture_with(|builder| builder.channels(["MY_FRAMEWORK"]));
            capture.record(|| {
                for channel in ["my_framework", "LLM", "OTHER", "OTHER"] {
                    log_event("a.b", json!({}), channel, Level::Info);
                }
            });
            assert_eq!(capture.events().len(), 4);
        },
    );
    if let Some(stderr) = heard {
        assert_eq!(stderr.matches("channel OTHER").count(), 1, "{stderr}");
        assert_eq!(
            stderr.matches("channel MY_FRAMEWORK").count(),
            0,
            "{stderr}"
        );
    }
}

#[test]
fn helpers_log_texts_and_errors_with_type_and_message_apart() {
    let capture = capture_with(|builder| builder.error_messages(true));
    capture.record(|| {
        log_info("data.loaded", "12 rows");
        log_warning("data.odd", "no header");
        log_error("data.error", &Lost("in transit"));
    });
    let all = capture.events();
    assert_eq!(
        all.iter().map(|event| event.level).collect::<Vec<_>>(),
        [Level::Info, Level::Warn, Level::Error]
    );
    assert_eq!(text(&all[0], "message"), Some("12 rows"));
    let error = all[2].error.as_ref().unwrap();
    assert!(error.kind.ends_with("Lost"));
    assert_eq!(error.message.as_deref(), Some("in transit"));
    let silent = only(|| log_error("data.error", &Lost("secret")));
    assert!(!serde_json::to_string(&silent).unwrap().contains("secret"));
    assert!(silent.error.as_ref().unwrap().kind.ends_with("Lost"));
}

#[test]
fn the_plain_macros_and_the_builder_make_the_same_event() {
    let all = events(|| {
        tracing::info!(
            genai.event = "user_login",
            user_id = "u1",
            genai.channel = "users"
        );
        event("user_login")
            .attr("user_id", "u1")
            .channel("users")
            .emit();
        tracing::warn!(genai.event = "tripped", genai.alert = true);
    });
    let strip = |event: &Event| {
        let mut data = EventData::clone(event);
        (data.id, data.seq, data.cursor) = (all[0].id, 0, 0);
        data.time = all[0].time;
        data
    };
    assert_eq!(strip(&all[0]), strip(&all[1]));
    assert_eq!(all[2].level, Level::Alert);
}

#[test]
fn names_of_other_systems_are_understood_and_keep_their_flavor() {
    let all = events(|| {
        log_event(
            "tool_failure_detected",
            json!({ "tool_name": "search", "policy": "warn" }),
            "",
            Level::Warn,
        );
        tracing::info!(genai.event = "human_feedback_requested");
    });
    assert!(all[0].ty == "tool.call.failure_reported");
    assert_eq!(text(&all[0], "gen_ai.tool.name"), Some("search"));
    assert!(all[1].ty == "human.feedback.requested");
}

#[test]
fn a_start_and_an_end_logged_by_name_are_one_exported_span() {
    let capture = capture();
    capture.record(|| {
        agent("planner")
            .in_scope(|_| {
                log_event(
                    "LLM_call_start",
                    json!({ "model": "gpt-4o-mini" }),
                    "",
                    Level::Info,
                );
                log_event(
                    "LLM_call_finish",
                    json!({ "duration": 0.5 }),
                    "",
                    Level::Info,
                );
                Ok::<_, Lost>(())
            })
            .unwrap();
    });
    let (agent, call) = (
        capture.span("invoke_agent planner"),
        capture.span("chat gpt-4o-mini"),
    );
    assert_eq!(
        (call.trace_id, call.parent_id),
        (agent.trace_id, agent.span_id)
    );
    let all = capture.events();
    let (start, end) = (
        named(&all, "llm.call.started"),
        named(&all, "llm.call.completed"),
    );
    assert_eq!(end.cx.started_event, Some(start.id));
    assert_eq!((start.cx.span, end.cx.span), (call.span_id, call.span_id));
    assert!(end.duration.is_some());
    assert_eq!(
        agent.attr("llm.total_calls"),
        Some(&Value::I64(1)),
        "it counts as a call of the agent's"
    );
}

#[test]
fn a_start_that_finds_no_end_is_exported_as_interrupted_at_shutdown() {
    let capture = capture();
    capture.record(|| log_event("llm.call.started", json!({}), "", Level::Info));
    capture.telemetry().shutdown();
    let span = capture.span("chat");
    assert_eq!(span.attr("genai.interrupted"), Some(&Value::Bool(true)));
}

#[test]
fn identical_events_count_once_in_the_window_and_different_ones_do_not() {
    let capture = capture_with(|builder| builder.dedupe(1024));
    capture.record(|| {
        for n in [1, 1, 2, 1] {
            event("rate.limited").attr("n", n).emit();
        }
        tool("t").start().complete();
        tool("t").start().complete();
    });
    let all = capture.events();
    assert_eq!(
        all.iter()
            .filter(|event| event.ty == "rate.limited")
            .count(),
        2
    );
    assert_eq!(
        all.iter()
            .filter(|event| event.ty == "tool.call.started")
            .count(),
        2
    );
    assert_eq!(capture.flush().partial.get(&Loss::Duplicate), Some(&2));
}

#[test]
fn without_a_window_identical_events_all_arrive() {
    let all = events(|| {
        for _ in 0..3 {
            event("rate.limited").emit();
        }
    });
    assert_eq!(all.len(), 3);
}

#[test]
fn without_a_layer_emitting_does_nothing_and_says_so() {
    assert_eq!(event("a.b").emit(), None);
    log_event("a.b", json!({}), "", Level::Info);
    assert_eq!(route("x").emit(), None);
    let step = step("s").start();
    step.progress("m", 1, 2).retrying(2, &Lost("x"));
    assert!(!step.span_context().is_valid());
}

#[test]
fn bodies_and_content_attributes_stay_home_unless_content_is_on() {
    let emit = || {
        event("conversation.message.added").body("the text").emit();
        log_event(
            "LLM_call_start",
            json!({ "prompt": "the text" }),
            "",
            Level::Info,
        );
    };
    let off = capture();
    off.record(emit);
    for event in off.events() {
        assert!(
            !serde_json::to_string(&event).unwrap().contains("the text"),
            "{event:?}"
        );
    }
    let on = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    on.record(emit);
    let told = on.events();
    assert_eq!(told[0].body.as_ref().unwrap().as_str(), Some("the text"));
    assert!(
        serde_json::to_string(&told[1])
            .unwrap()
            .contains("the text")
    );
    assert!(!format!("{told:?}").contains("the text"));
}

#[test]
fn an_event_type_that_is_malformed_becomes_the_nearest_one() {
    for (given, expected) in [
        ("User Login!", "user_login_"),
        ("llm.call", "custom.llm_call"),
        ("..", "unnamed"),
    ] {
        let event = only(|| event(given).emit());
        assert_eq!(event.ty, EventType::from_lossy(given));
        assert!(event.ty == expected, "{given}: {}", event.ty);
    }
}

tracing_genai::event_types! {
    /// An order was paid.
    struct OrderPaid: "order.paid" in ORDERS at Warn {
        number: u64,
        note: Option<String>,
    }
}

#[test]
fn an_event_of_a_type_of_ones_own_reaches_typed_handlers_and_is_a_log_record_like_any_other() {
    let collector = crate::support::collector::Collector::start();
    let config = tracing_genai::otlp::OtlpConfig::new().endpoint(collector.endpoint());
    let capture = capture_with(|builder| builder.otlp(config));
    let paid = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&paid);
    capture.telemetry().bus().on::<OrderPaid>(move |order| {
        seen.lock()
            .unwrap()
            .push((order.number, order.note.clone()))
    });
    let id = capture.record(|| {
        let note = None;
        tracing_genai::emit(OrderPaid { number: 7, note })
    });
    let event = capture.events().remove(0);
    assert_eq!(Some(event.id), id);
    assert_eq!(
        (event.channel.as_str(), event.level),
        ("ORDERS", Level::Warn)
    );
    assert_eq!(*paid.lock().unwrap(), [(7, None)]);
    capture.telemetry().shutdown();
    let record = collector.log_records().remove(0);
    assert_eq!(
        (record.event_name.as_str(), record.severity_text.as_str()),
        ("order.paid", "WARN")
    );
}
