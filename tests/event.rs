//! What an event promises: its parts, its type, its views, and the same event after a trip through JSON.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use proptest::prelude::*;
use serde_json::json;
use tracing_genai::event::{
    AgentExecutionCompleted, Attrs, Body, Channel, ErrorInfo, Event, EventData, EventId, EventSpec,
    EventType, FinishReason, Flavor, Level, LlmCallChunk, LlmCallCompleted, LlmCallFailed,
    LlmCallStarted, Phase, SpanId, Subject, ToolCallCompleted, TraceId, Usage, Value, Visibility,
};

fn at() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_767_225_599, 123_456_789)
}

fn data(ty: &str) -> EventData {
    EventData::new(EventType::parse(ty).unwrap(), at())
}

fn through_json(data: &EventData) -> EventData {
    serde_json::from_str(&serde_json::to_string(data).unwrap()).unwrap()
}

/// Every type the table lists, and one moment of each subject that it does not.
fn every_type() -> Vec<EventType> {
    let listed = Subject::ALL.iter().flat_map(|subject| {
        subject
            .phases()
            .iter()
            .map(|phase| EventType::new(*subject, Phase::from(*phase)))
    });
    let unlisted = Subject::ALL
        .iter()
        .map(|subject| EventType::new(*subject, Phase::Moment("noticed".into())));
    listed.chain(unlisted).collect()
}

fn full(ty: EventType) -> EventData {
    let mut data = EventData::new(ty, at());
    data.seq = 7;
    data.cursor = u64::MAX;
    data.flavor = Flavor::new("crew");
    data.channel = Channel::new("MY_FRAMEWORK");
    data.level = Level::Alert;
    data.visibility = Visibility::Internal;
    data.cx.trace = TraceId::from(0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128);
    data.cx.span = SpanId::from(0x00f0_67aa_0ba9_02b7_u64);
    data.cx.parent_span = SpanId::from(1_u64);
    data.cx.parent_event = Some(EventId::new(1, 1));
    data.cx.started_event = Some(EventId::new(1, 2));
    data.cx.previous = Some(EventId::new(1, 3));
    data.cx.triggered_by = Some(EventId::from_u128(u128::MAX));
    data.who.agent_name = Some("planner".into());
    data.who.agent_id = Some("a-1".into());
    data.who.step_name = Some("rank \"best\"\n".into());
    data.who.session_id = Some("s-1".into());
    data.who.conversation_id = Some("c-1".into());
    data.who.correlation_id = Some("k-1".into());
    data.name = "chat gpt-4o".into();
    data.duration = Some(Duration::new(3, 5));
    data.error = Some(ErrorInfo::new("timeout").with_message("after 3 s"));
    data.attrs.set("zeta", 0.1 + 0.2);
    data.attrs.set("alpha", vec![1, 2]);
    data.attrs.set(
        "deep",
        json!({"b": {"c": [null, 1.0, "é"]}, "a": 18_446_744_073_709_551_615_u64}),
    );
    data.body = Some(json!({"messages": [{"role": "user"}]}).into());
    data
}

#[test]
fn every_event_carries_id_time_type_kind_phase_channel_level_and_its_ids() {
    for ty in every_type() {
        let mut data = EventData::new(ty.clone(), at());
        data.cx.trace = TraceId::from(5_u128);
        data.cx.span = SpanId::from(6_u64);
        let json = serde_json::to_value(Event::new(data)).unwrap();
        let field = |name: &str| {
            json[name]
                .as_str()
                .unwrap_or_else(|| panic!("{ty}: {name} in {json}"))
                .to_owned()
        };

        assert_eq!(field("id").len(), 36);
        assert_eq!(field("time"), "2025-12-31T23:59:59.123456789Z");
        assert_eq!(field("event_type"), ty.to_string());
        assert_eq!(field("kind"), ty.subject().kind().as_str());
        assert!(field("event_type").ends_with(&format!(".{}", field("phase"))));
        assert_eq!(field("channel"), ty.subject().channel().as_str());
        assert_eq!(field("level"), ty.default_level().severity_text());
        assert_eq!(field("trace_id"), "00000000000000000000000000000005");
        assert_eq!(field("span_id"), "0000000000000006");
        assert_eq!(json["schema_version"], "1.0");
    }
}

#[test]
fn an_event_outside_a_span_has_no_ids_rather_than_zeroes() {
    let json = serde_json::to_value(data("env.detected")).unwrap();
    for absent in [
        "trace_id",
        "span_id",
        "parent_span_id",
        "parent_event",
        "duration_ns",
        "error",
        "body",
    ] {
        assert!(json.get(absent).is_none(), "{absent} in {json}");
    }
}

#[test]
fn ids_sort_by_time_and_carry_it() {
    let earlier = EventData::new(EventType::from_lossy("step.started"), at());
    let later = EventData::new(
        EventType::from_lossy("step.started"),
        at() + Duration::from_millis(1),
    );
    assert!(earlier.id < later.id);
    assert_eq!(earlier.id.unix_ms(), 1_767_225_599_123);
    assert_eq!(earlier.id.to_string().as_bytes()[14], b'7');
}

#[test]
fn every_event_survives_json_without_losing_a_field() {
    for ty in every_type() {
        for data in [EventData::new(ty.clone(), at()), full(ty.clone())] {
            let back = through_json(&data);
            assert_eq!(back, data);
            let order = |data: &EventData| {
                data.attrs
                    .iter()
                    .map(|(key, _)| key.to_owned())
                    .collect::<Vec<_>>()
            };
            assert_eq!(order(&back), order(&data));
        }
    }
}

#[test]
fn a_body_of_null_is_not_the_same_as_no_body() {
    let mut event = data("tool.call.completed");
    assert_eq!(through_json(&event).body, None);
    event.body = Some(Body(serde_json::Value::Null));
    assert_eq!(through_json(&event).body, event.body);
}

#[test]
fn fields_an_event_leaves_out_take_the_defaults_of_its_type() {
    let read: EventData = serde_json::from_value(json!({
        "id": "01912345-6789-7fff-bfff-ffffffffffff",
        "time": "2026-01-01T01:59:59.5+02:00",
        "event_type": "tool.call.failed",
        "added_by_a_later_minor_version": [1, 2, 3],
    }))
    .unwrap();
    assert_eq!(read.time_rfc3339(), "2025-12-31T23:59:59.500000000Z");
    assert_eq!(read.phase, Phase::Failed);
    assert_eq!(read.level, Level::Error);
    assert_eq!(read.channel, Channel::TOOL);
    assert_eq!(read.cx.trace, TraceId::INVALID);
}

#[test]
fn an_event_written_before_version_1_is_read_and_written_as_version_1() {
    let old: EventData = serde_json::from_str(include_str!("data/event_v0.json")).unwrap();
    assert_eq!(old.ty, *"tool.call.failed");
    assert_eq!(old.time_rfc3339(), "2025-12-31T23:59:59.500000000Z");
    assert_eq!((old.level, &old.channel), (Level::Error, &Channel::TOOL));
    assert_eq!(old.who.agent_id.as_deref(), Some("my-agent"));
    assert_eq!(old.error, Some(ErrorInfo::new("timeout")));
    assert_eq!(old.attr("tool.attempt"), Some(&Value::I64(2)));
    assert_eq!(old.id.unix_ms(), 1_767_225_599_500, "it had no id");

    let written = serde_json::to_value(&old).unwrap();
    assert_eq!(written["schema_version"], "1.0");
    assert_eq!(through_json(&old), old);

    let mut nameless = written;
    nameless.as_object_mut().unwrap().shift_remove("id");
    let refused = serde_json::from_value::<EventData>(nameless).unwrap_err();
    assert!(refused.to_string().contains("id"), "{refused}");
}

#[test]
fn json_that_may_mean_something_else_is_refused_with_a_reason() {
    let good = serde_json::to_value(full(EventType::from_lossy("llm.call.failed"))).unwrap();
    assert!(serde_json::from_value::<Event>(good.clone()).is_ok());
    for (field, value, reason) in [
        ("schema_version", json!("2.0"), "event schema \"2.0\""),
        ("time", json!("yesterday"), "RFC 3339"),
        ("event_type", json!("LLM Call"), "segment 1"),
        (
            "trace_id",
            json!("+0000000000000000000000000000005"),
            "32 hexadecimal",
        ),
        ("span_id", json!("5"), "16 hexadecimal"),
        ("id", json!("no"), "event id"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let error = serde_json::from_value::<Event>(bad)
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{field}: {error}");
    }
}

#[test]
fn event_types_of_upper_case_spaces_or_empty_segments_are_refused() {
    for text in [
        "",
        ".",
        "llm",
        "llm.call.",
        ".llm.call",
        "llm..started",
        "LLM.call.started",
        "llm.call.Started",
        "llm call.started",
        "llm.call.started ",
        "llm.call.1st",
        "llm.call._x",
        "llm.call.stärted",
        "llm-call.started",
        "llm.call.started\n",
    ] {
        // One bare word is a name of the application's own, unless it is a subject or a phase.
        assert_eq!(EventType::parse(text).is_ok(), text == "llm", "{text:?}");
    }
    assert!(EventType::parse(&"a".repeat(EventType::MAX_LEN)).is_ok());
    assert!(EventType::parse(&"a".repeat(EventType::MAX_LEN + 1)).is_err());
}

#[test]
fn a_subject_or_a_phase_alone_is_no_event_type() {
    for subject in Subject::ALL {
        assert!(EventType::parse(subject.name()).is_err(), "{subject}");
    }
    assert!(EventType::parse("completed").is_err());
}

#[test]
fn every_type_of_the_table_parses_to_its_subject_and_phase() {
    for ty in every_type() {
        let read = EventType::parse(&ty.to_string()).unwrap();
        assert_eq!((read.subject(), read.phase()), (ty.subject(), ty.phase()));
        assert!(read == *ty.to_string(), "{ty}");
        assert_eq!(read.subject_name(), ty.subject().name());
    }
}

#[test]
fn a_view_of_the_wrong_type_is_none() {
    let completed = Event::new(data("llm.call.completed"));
    assert!(LlmCallCompleted::view(&completed).is_some());
    assert!(LlmCallStarted::view(&completed).is_none());
    assert!(ToolCallCompleted::view(&completed).is_none());
    assert!(LlmCallCompleted::view(&Event::new(data("llm.call.completed_late"))).is_none());
}

#[test]
fn a_view_reads_the_known_attributes_and_leaves_the_unknown_readable() {
    let mut call = data("llm.call.completed");
    for (key, value) in [
        ("gen_ai.operation.name", Value::from("chat")),
        ("gen_ai.provider.name", "openai".into()),
        ("gen_ai.request.model", "gpt-4o".into()),
        ("gen_ai.response.model", "gpt-4o-2024-08-06".into()),
        ("gen_ai.response.finish_reasons", vec!["stop", "odd"].into()),
        ("gen_ai.usage.input_tokens", 1200.into()),
        ("gen_ai.usage.cache_read.input_tokens", 1000.into()),
        ("gen_ai.usage.output_tokens", 340.into()),
        ("gen_ai.usage.cost", 0.0042.into()),
        ("gen_ai.response.time_to_first_chunk", 0.25.into()),
        ("x.y", "kept".into()),
    ] {
        call.attrs.set(key, value);
    }
    call.duration = Some(Duration::from_millis(900));
    let event = Event::new(call);

    let view = LlmCallCompleted::view(&event).unwrap();
    assert_eq!(
        (view.operation, view.provider),
        (Some("chat"), Some("openai"))
    );
    assert_eq!(
        (view.request_model, view.model),
        (Some("gpt-4o"), Some("gpt-4o-2024-08-06"))
    );
    assert_eq!(
        view.finish_reasons,
        [FinishReason::Stop, FinishReason::Other("odd".into())]
    );
    assert_eq!(
        view.usage,
        Usage::new().input(1200).cache_read(1000).output(340)
    );
    assert_eq!(
        (view.cost_usd, view.time_to_first_chunk),
        (Some(0.0042), Some(0.25))
    );
    assert_eq!(view.duration, Some(Duration::from_millis(900)));
    assert_eq!(view.event.attr("x.y"), Some(&"kept".into()));
}

#[test]
fn an_unknown_price_is_absent_from_a_view_never_zero() {
    let event = Event::new(data("llm.call.completed"));
    let view = LlmCallCompleted::view(&event).unwrap();
    assert_eq!(view.cost_usd, None);
    assert!(view.usage.is_empty());
    let event = Event::new(data("agent.execution.completed"));
    assert_eq!(
        AgentExecutionCompleted::view(&event)
            .unwrap()
            .total_cost_usd,
        None
    );
}

#[test]
fn attributes_of_the_wrong_type_are_absent_from_a_view() {
    let mut call = data("llm.call.failed");
    call.attrs.set("gen_ai.request.model", 4);
    call.attrs.set("gen_ai.usage.input_tokens", -1);
    call.attrs.set("gen_ai.usage.output_tokens", "many");
    call.attrs.set("gen_ai.response.finish_reasons", json!({}));
    let event = Event::new(call);
    let view = LlmCallFailed::view(&event).unwrap();
    assert_eq!(view.model, None);
    assert!(view.usage.is_empty());
    assert!(view.finish_reasons.is_empty());
}

#[test]
fn content_is_readable_in_events_and_views_but_never_printed_by_debug() {
    let mut chunk = data("llm.call.chunk");
    chunk.body = Some("CANARY".into());
    let mut tool = data("tool.call.completed");
    tool.attrs
        .set("gen_ai.tool.call.arguments", json!({"query": "CANARY"}));
    tool.attrs.set("gen_ai.input.messages", "CANARY");
    tool.error = Some(ErrorInfo::new("timeout").with_message("CANARY"));
    let (chunk, tool) = (Event::new(chunk), Event::new(tool));

    let chunk_view = LlmCallChunk::view(&chunk).unwrap();
    let tool_view = ToolCallCompleted::view(&tool).unwrap();
    assert_eq!(chunk_view.text, Some("CANARY"));
    assert!(tool_view.arguments.is_some());
    let printed = format!("{chunk:?} {tool:?} {chunk_view:?} {tool_view:#?} {chunk} {tool}");
    assert!(!printed.contains("CANARY"), "{printed}");
}

#[test]
fn links_between_started_and_terminal_events_and_their_parents_survive_json() {
    let mut parent: Option<EventData> = None;
    let mut stored = Vec::new();
    for (span, subject) in (1_u64..).zip(["workflow", "step", "llm.call", "tool.call"]) {
        let mut started = data(&format!("{subject}.started"));
        started.cx.span = SpanId::from(span);
        started.cx.parent_event = parent.as_ref().map(|parent| parent.id);
        let mut ended = data(&format!("{subject}.completed"));
        ended.cx = started.cx;
        ended.cx.started_event = Some(started.id);
        stored.extend([through_json(&started), through_json(&ended)]);
        parent = Some(started);
    }
    let by_id: BTreeMap<_, _> = stored.iter().map(|event| (event.id, event)).collect();
    for ended in stored.iter().filter(|event| event.phase.is_terminal()) {
        let started = by_id[&ended.cx.started_event.unwrap()];
        assert_eq!(started.cx.span, ended.cx.span);
        assert_eq!(started.ty.subject(), ended.ty.subject());
    }
    let mut up = stored.last().unwrap();
    let mut path = vec![up.ty.subject_name()];
    while let Some(parent) = up.cx.parent_event {
        up = by_id[&parent];
        path.push(up.ty.subject_name());
    }
    assert_eq!(path, ["tool.call", "llm.call", "step", "workflow"]);
}

#[test]
fn levels_run_from_trace_to_alert_and_an_alert_outranks_an_error() {
    let levels = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Alert,
    ];
    assert!(levels.is_sorted());
    assert!(levels.map(Level::severity_number).is_sorted());
    assert_eq!(
        (Level::Alert.severity_number(), Level::Alert.severity_text()),
        (19, "ALERT")
    );
    for level in levels {
        assert_eq!(
            Level::from_str_lossy(&level.to_string().to_lowercase()),
            level
        );
    }
    assert_eq!(Level::from_str_lossy("warning"), Level::Warn);
    assert_eq!(Level::from_str_lossy("whatever"), Level::Info);
}

#[test]
fn values_that_json_cannot_carry_become_marked_text() {
    struct Stubborn;
    impl serde::Serialize for Stubborn {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("my secret is 42"))
        }
    }
    let marked = Value::from_serialize(&Stubborn);
    let text = marked.as_str().unwrap();
    assert!(
        text.starts_with("<not serialisable: ") && text.contains("Stubborn"),
        "{text}"
    );
    assert!(!text.contains("secret"));

    for (float, word) in [
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(serde_json::to_value(Value::from(float)).unwrap(), word);
        assert_eq!(Value::from(float).to_json(), word);
    }
    assert_eq!(
        serde_json::to_value(Value::from(u64::MAX)).unwrap(),
        "18446744073709551615"
    );
    let nested = json!({"a": [{"b": null}], "c": 1.5});
    assert_eq!(
        serde_json::to_value(Value::from_serialize(&nested)).unwrap(),
        nested
    );
}

#[test]
fn a_value_whose_serialisation_panics_is_marked_text_too() {
    struct Bomb;
    impl serde::Serialize for Bomb {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("CANARY")
        }
    }
    let marked = Value::from_serialize(&Bomb);
    assert!(marked.as_str().unwrap().contains("Bomb"), "{marked}");
    assert!(!marked.to_string().contains("CANARY"));
}

#[test]
fn a_text_of_64_mib_survives_json_and_shows_only_its_length() {
    let text = "x".repeat(64 << 20);
    let mut event = data("tool.call.completed");
    event.attrs.set("gen_ai.tool.call.result", text);
    assert!(through_json(&event) == event, "the texts differ");
    assert!(format!("{event:?}").len() < 2_000);
}

#[test]
fn finish_reasons_are_one_vocabulary_and_the_unknown_is_kept_raw() {
    use FinishReason::{ContentFilter, Error, Length, Other, Stop, ToolCalls};
    for (raw, reason) in [
        ("stop", Stop),
        ("STOP", Stop),
        ("end_turn", Stop),
        ("COMPLETE", Stop),
        ("tool_calls", ToolCalls),
        ("ToolCalls", ToolCalls),
        ("tool_call", ToolCalls),
        ("TOOL_CALL", ToolCalls),
        ("tool_use", ToolCalls),
        ("function_call", ToolCalls),
        ("length", Length),
        ("max_tokens", Length),
        ("MAX_TOKENS", Length),
        ("content_filter", ContentFilter),
        ("SAFETY", ContentFilter),
        ("refusal", ContentFilter),
        ("error", Error),
        ("weird", Other("weird".into())),
        ("Pause_Turn", Other("Pause_Turn".into())),
        ("", Other("".into())),
    ] {
        assert_eq!(FinishReason::from(raw), reason, "{raw}");
        let known = FinishReason::from(reason.as_str());
        assert_eq!(known, reason, "the common word reads as itself");
    }
}

#[test]
fn finish_reasons_are_read_from_a_list_one_word_or_a_printed_list() {
    let read = |value: Value| {
        let mut attrs = Attrs::new();
        attrs.set("gen_ai.response.finish_reasons", value);
        FinishReason::from_attrs(&attrs)
    };
    assert_eq!(
        read(vec!["stop", "length"].into()),
        [FinishReason::Stop, FinishReason::Length]
    );
    assert_eq!(read("tool_use".into()), [FinishReason::ToolCalls]);
    assert_eq!(read("[\"stop\"]".into()), [FinishReason::Stop]);
    assert_eq!(read("[\"stop".into()), []);
}

fn any_value() -> impl Strategy<Value = Value> {
    let finite =
        any::<f64>().prop_filter("JSON has finite numbers only", |number| number.is_finite());
    let scalar = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        finite.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::Json(serde_json::Value::Null)),
    ];
    scalar.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|fields| Value::from(json!(fields))),
        ]
    })
}

fn some_text() -> impl Strategy<Value = Option<std::sync::Arc<str>>> {
    prop::option::of(any::<String>().prop_map(Into::into))
}

fn any_event() -> impl Strategy<Value = EventData> {
    let when = (0_u64..250_000_000_000, 0_u32..1_000_000_000);
    let texts = (some_text(), some_text(), some_text(), some_text());
    let ids = (any::<u128>(), any::<u64>(), any::<u64>(), any::<u128>());
    let content = (
        prop::collection::vec((any::<String>(), any_value()), 0..8),
        prop::option::of(any_value()),
        prop::option::of((any::<String>(), some_text())),
    );
    let about = prop::sample::select(every_type());
    (about, when, texts, ids, content).prop_map(|(ty, when, texts, ids, content)| {
        let mut event = EventData::new(ty, UNIX_EPOCH + Duration::new(when.0, when.1));
        (event.seq, event.cursor) = (ids.1, ids.2);
        event.cx.trace = TraceId::from(ids.0);
        event.cx.span = SpanId::from(ids.1);
        event.cx.parent_event = Some(EventId::from_u128(ids.3));
        (event.who.agent_name, event.who.step_name) = (texts.0, texts.1);
        event.name = texts.2.unwrap_or_default();
        event.flavor = texts
            .3
            .map_or(Flavor::NONE, |text| Flavor::new(text.to_string()));
        event.duration = Some(Duration::from_nanos(ids.2));
        event.attrs = content.0.into_iter().collect();
        event.body = content.1.map(|value| Body(value.to_json()));
        event.error = content.2.map(|(kind, message)| match message {
            Some(message) => ErrorInfo::new(kind).with_message(message),
            None => ErrorInfo::new(kind),
        });
        event
    })
}

proptest! {
    #[test]
    fn any_event_survives_json_and_its_time_ends_in_z(event in any_event()) {
        let json = serde_json::to_value(&event).unwrap();
        prop_assert!(json["time"].as_str().unwrap().ends_with('Z'));
        prop_assert_eq!(through_json(&event), event);
    }

    #[test]
    fn event_types_print_as_they_parse(text in "[a-z][a-z0-9_]{0,8}(\\.[a-z][a-z0-9_]{0,8}){1,4}") {
        if Subject::parse(&text).is_none() {
            let ty = EventType::parse(&text).unwrap();
            prop_assert_eq!(ty.to_string(), text.clone());
            prop_assert!(ty == *text);
            let json = serde_json::to_string(&ty).unwrap();
            prop_assert_eq!(serde_json::from_str::<EventType>(&json).unwrap(), ty);
        }
    }

    #[test]
    fn any_text_is_an_event_type_or_refused_and_always_has_a_nearest_one(text in ".{0,300}") {
        let nearest = EventType::from_lossy(&text);
        prop_assert_eq!(&EventType::parse(&nearest.to_string()).unwrap(), &nearest);
        if let Ok(exact) = EventType::parse(&text) {
            prop_assert_eq!(exact, nearest);
        }
    }

    #[test]
    fn attributes_survive_json_in_value_and_order(
        pairs in prop::collection::vec((any::<String>(), any_value()), 0..24)
    ) {
        let attrs: Attrs = pairs.into_iter().collect();
        let back: Attrs = serde_json::from_str(&serde_json::to_string(&attrs).unwrap()).unwrap();
        prop_assert!(attrs.iter().eq(back.iter()), "{:?} is not {:?}", back, attrs);
    }

    #[test]
    fn attributes_behave_like_a_map_that_remembers_first_writes(
        writes in prop::collection::vec(("[a-d]", any::<i64>()), 0..40)
    ) {
        let mut attrs = Attrs::new();
        let mut model: Vec<(String, i64)> = Vec::new();
        for (key, value) in &writes {
            attrs.set(key.clone(), *value);
            match model.iter_mut().find(|(known, _)| known == key) {
                Some(slot) => slot.1 = *value,
                None => model.push((key.clone(), *value)),
            }
        }
        prop_assert!(attrs.iter().map(|(key, value)| (key.to_owned(), value.as_i64().unwrap())).eq(model));
        let at_once: Attrs = writes.into_iter().collect();
        prop_assert_eq!(at_once, attrs);
    }
}
