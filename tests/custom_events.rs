//! What event types of the application's own promise: typed fields become attributes, reach typed handlers, and come back equal.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use proptest::prelude::*;
use serde_json::json;
use tracing_genai::{
    bus::Bus,
    event::{
        Channel, CustomEvent, Event, EventData, EventSpec, EventType, FieldValue, Level, Phase,
        Subject, Value,
    },
    event_types,
};

event_types! {
    /// A batch of rows was processed.
    pub struct DataProcessed: "data.processed" in CUSTOM {
        /// How many rows it had.
        pub rows: u64,
        /// Where they came from.
        pub source: String,
        /// For people.
        pub note: Option<String>,
    }

    /// Names, channels and levels in every combination.
    #[derive(Eq)]
    pub(crate) struct CacheCleared: "cache_cleared" {}

    struct InvoiceFailed: "billing.invoice.failed" at Warn {
        id: u32 as "invoice.id",
    }

    struct PermissionChanged: "permission.changed" in security at Alert {
        old: Option<String> as "permission.old",
        new: String as "permission.new",
    }

    struct Cached: "llm.call.cached" {
        key: String,
    }

    struct Everything: "test.everything" {
        flag: bool,
        tiny: i8,
        short: i16,
        int: i32,
        long: i64,
        size: isize,
        byte: u8,
        word: u16,
        dword: u32,
        qword: u64,
        length: usize,
        single: f32,
        double: f64,
        text: String,
        shared: Arc<str>,
        lent: Cow<'static, str>,
        list: Vec<String>,
        holes: Vec<Option<i64>>,
        nested: Vec<Vec<u64>>,
        maybe: Option<f64>,
        maybe_list: Option<Vec<bool>>,
        json: serde_json::Value,
        value: Value,
    }
}

fn processed() -> DataProcessed {
    DataProcessed {
        rows: 12,
        source: "s3".into(),
        note: None,
    }
}

fn event(custom: impl CustomEvent) -> Event {
    custom.into_data(SystemTime::UNIX_EPOCH).into()
}

fn through_json(event: &Event) -> Event {
    serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap()
}

#[test]
fn the_fields_of_a_custom_event_become_attributes_and_none_is_left_out() {
    let event = event(processed());
    let attrs: Vec<_> = event.attrs.iter().collect();
    assert_eq!(
        attrs,
        [("rows", &Value::from(12)), ("source", &"s3".into())]
    );
    assert_eq!(event.ty, "data.processed");
    assert_eq!(event.ty.subject(), Subject::CUSTOM);
}

#[test]
fn a_typed_handler_receives_the_fields_of_a_custom_event_and_no_other_type() {
    let bus = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    bus.on::<DataProcessed>(move |data| {
        into.lock()
            .unwrap()
            .push((data.rows, data.source.clone(), data.fields.note.clone()));
    });
    bus.publish(event(processed()));
    bus.publish(event(CacheCleared {}));
    bus.publish(event(DataProcessed {
        note: Some("late".into()),
        ..processed()
    }));
    assert!(bus.flush(Instant::now() + Duration::from_secs(30)).complete);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (12, "s3".to_owned(), None),
            (12, "s3".to_owned(), Some("late".to_owned()))
        ]
    );
}

#[test]
fn attributes_that_are_no_field_survive_and_stay_readable() {
    let mut data = processed().into_data(SystemTime::UNIX_EPOCH);
    data.attrs.set("added.later", json!({"deep": [1]}));
    let back = through_json(&data.into());
    let view = DataProcessed::view(&back).unwrap();
    assert_eq!(*view, processed());
    assert_eq!(
        view.event.attr("added.later"),
        Some(&json!({"deep": [1]}).into())
    );
}

#[test]
fn an_event_without_a_required_field_is_not_of_the_type() {
    let view = |attrs: serde_json::Value| {
        let mut data = EventData::new(
            EventType::from_lossy("data.processed"),
            SystemTime::UNIX_EPOCH,
        );
        data.attrs = serde_json::from_value(attrs).unwrap();
        DataProcessed::view(&data.into()).map(|view| view.fields)
    };
    assert_eq!(view(json!({"rows": 12, "source": "s3"})), Some(processed()));
    assert_eq!(view(json!({"rows": 12})), None, "missing");
    assert_eq!(view(json!({"rows": "12", "source": "s3"})), None, "text");
    assert_eq!(view(json!({"rows": -1, "source": "s3"})), None, "negative");
    assert_eq!(view(json!({"rows": null, "source": "s3"})), None, "null");
    assert_eq!(
        view(json!({"rows": 12, "source": "s3", "note": 3})),
        Some(processed()),
        "an optional field of another type is absent"
    );
}

#[test]
fn the_type_decides_channel_and_level_unless_the_definition_does() {
    let facts = |event: Event| (event.channel.clone(), event.level, event.phase.clone());
    assert_eq!(
        facts(event(processed())),
        (
            Channel::new("CUSTOM"),
            Level::Info,
            Phase::Moment("processed".into())
        )
    );
    assert_eq!(
        facts(event(CacheCleared {})),
        (
            Channel::SYSTEM,
            Level::Info,
            Phase::Moment("cache_cleared".into())
        )
    );
    assert_eq!(
        facts(event(InvoiceFailed { id: 7 })),
        (Channel::SYSTEM, Level::Warn, Phase::Failed)
    );
    assert_eq!(
        facts(event(PermissionChanged {
            old: None,
            new: "write".into()
        })),
        (
            Channel::SECURITY,
            Level::Alert,
            Phase::Moment("changed".into())
        )
    );
}

#[test]
fn a_field_may_have_an_attribute_of_another_name() {
    let event = event(InvoiceFailed { id: 7 });
    assert_eq!(event.attr("invoice.id"), Some(&7.into()));
    assert_eq!(event.attr("id"), None);
    assert_eq!(InvoiceFailed::view(&event).unwrap().id, 7);
}

#[test]
fn a_moment_of_a_known_subject_belongs_to_that_subject() {
    let event = event(Cached { key: "k".into() });
    assert_eq!(event.ty.subject(), Subject::LLM_CALL);
    assert_eq!(event.channel, Channel::LLM);
    assert_eq!(Cached::view(&through_json(&event)).unwrap().key, "k");
}

#[test]
fn a_custom_view_is_shown_with_its_type_and_fields() {
    let event = event(processed());
    let shown = format!("{:?}", DataProcessed::view(&event).unwrap());
    assert!(
        shown.contains("data.processed") && shown.contains("rows: 12"),
        "{shown}"
    );
}

#[test]
fn numbers_json_cannot_carry_come_back_as_they_were() {
    event_types! {
        struct Edges: "test.edges" { large: u64, length: usize, nan: f64, floats: Vec<f64>, single: f32 }
    }
    let edges = Edges {
        large: u64::MAX,
        length: usize::MAX,
        nan: f64::NAN,
        floats: vec![f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE],
        single: f32::INFINITY,
    };
    let back = through_json(&event(edges.clone()));
    let back = Edges::view(&back).unwrap().fields;
    assert!(back.nan.is_nan());
    assert_eq!(Edges { nan: 0.0, ..back }, Edges { nan: 0.0, ..edges });
}

#[test]
fn a_field_may_be_of_a_type_of_ones_own() {
    #[derive(Debug, Clone, PartialEq)]
    enum Plan {
        Free,
        Paid,
    }

    impl FieldValue for Plan {
        fn into_value(self) -> Option<Value> {
            Some(
                match self {
                    Self::Free => "free",
                    Self::Paid => "paid",
                }
                .into(),
            )
        }

        fn from_value(value: Option<&Value>) -> Option<Self> {
            match value?.as_str()? {
                "free" => Some(Self::Free),
                "paid" => Some(Self::Paid),
                _ => None,
            }
        }
    }

    event_types! {
        struct PlanChanged: "account.plan_changed" { from: Option<Plan>, to: Plan }
    }

    let mut data = PlanChanged {
        from: Some(Plan::Free),
        to: Plan::Paid,
    }
    .into_data(SystemTime::UNIX_EPOCH);
    let view = |data: &EventData| PlanChanged::view(&data.clone().into()).map(|view| view.fields);
    assert_eq!(
        view(&data),
        Some(PlanChanged {
            from: Some(Plan::Free),
            to: Plan::Paid
        })
    );
    data.attrs.set("to", "gold");
    assert_eq!(view(&data), None);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>()
            .prop_filter("JSON has finite numbers only", |number| number.is_finite())
            .prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let finite = || any::<f64>().prop_filter("NaN equals nothing", |number| !number.is_nan());
    let whole = (
        any::<(i8, i16, i32, i64, isize)>(),
        any::<(u8, u16, u32, u64, usize)>(),
    );
    let text = (".{0,8}", ".{0,8}", ".{0,8}");
    let few = || 0..4_usize;
    let lists = (
        prop::collection::vec(".{0,8}", few()),
        prop::collection::vec(any::<Option<i64>>(), few()),
        prop::collection::vec(prop::collection::vec(any::<u64>(), few()), few()),
        prop::option::of(prop::collection::vec(any::<bool>(), few())),
    );
    let floats = (
        any::<f32>().prop_filter("NaN equals nothing", |number| !number.is_nan()),
        finite(),
        prop::option::of(finite()),
    );
    (
        any::<bool>(),
        whole,
        text,
        lists,
        floats,
        any_json(),
        any_json(),
    )
        .prop_map(
            |(flag, (signed, unsigned), text, lists, floats, json, value)| Everything {
                flag,
                tiny: signed.0,
                short: signed.1,
                int: signed.2,
                long: signed.3,
                size: signed.4,
                byte: unsigned.0,
                word: unsigned.1,
                dword: unsigned.2,
                qword: unsigned.3,
                length: unsigned.4,
                single: floats.0,
                double: floats.1,
                text: text.0,
                shared: text.1.into(),
                lent: text.2.into(),
                list: lists.0,
                holes: lists.1,
                nested: lists.2,
                maybe: floats.2,
                maybe_list: lists.3,
                json,
                value: value.into(),
            },
        )
}

proptest! {
    #[test]
    fn a_custom_event_reads_back_equal_at_once_and_through_json(written in everything()) {
        let event = event(written.clone());
        prop_assert_eq!(&Everything::view(&event).unwrap().fields, &written);
        prop_assert_eq!(&Everything::view(&through_json(&event)).unwrap().fields, &written);
    }

    #[test]
    fn reading_a_custom_event_from_any_attributes_never_panics(
        attrs in prop::collection::btree_map("(flag|tiny|qword|double|list|holes|maybe|json|text)", any_json(), 0..9)
    ) {
        let mut data = EventData::new(Everything::event_type(), SystemTime::UNIX_EPOCH);
        data.attrs = serde_json::from_value(json!(attrs)).unwrap();
        prop_assert!(Everything::view(&data.into()).is_none(), "some fields are missing");
    }
}
