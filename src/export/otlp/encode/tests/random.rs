//! Records of every shape the layer can make, and some it should not.

use std::sync::LazyLock;

use opentelemetry::trace::{SpanContext, TraceState};
use opentelemetry::{SpanId, TraceFlags, TraceId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tracing::Metadata;

use crate::event::{Level, Subject, Value};
use crate::record::{Fields, Limits, Moment, Outcome, Record};

/// Limits that random records run into.
const TIGHT: Limits = Limits {
    structure_bytes: 1 << 20,
    attributes: 3,
    value_bytes: 24,
    span_bytes: 120,
    events: 2,
    links: 2,
};

const NAMES: [&str; 18] = [
    "",
    "otel.name",
    "otel.kind",
    "otel.status_code",
    "otel.status_description",
    "otel.other",
    "genai.subject",
    "genai.outcome",
    "genai.channel",
    "error.type",
    "message",
    "gen_ai.operation.name",
    "gen_ai.request.model",
    "gen_ai.tool.name",
    "gen_ai.usage.input_tokens",
    "gen_ai.input.messages",
    "naïve.ключ",
    "llm.cost_usd",
];

const WORDS: [&str; 10] = [
    "",
    "ok",
    "OK",
    "ERROR",
    "client",
    "server",
    "chat",
    "exception",
    "blocked",
    "🦀 gpt-4o",
];

pub(super) fn value() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            proptest::sample::select(&WORDS[..]).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(Value::from("x".repeat(200))),
        ]
    };
    let double = || {
        prop_oneof![
            any::<f64>(),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(-0.0)
        ]
        .prop_map(Value::F64)
    };
    let integer = || prop_oneof![any::<i64>(), -2_i64..300].prop_map(Value::I64);
    let flag = || any::<bool>().prop_map(Value::Bool);
    let scalar = || prop_oneof![3 => text(), 2 => integer(), 1 => double(), 1 => flag()];
    let any_value = prop_oneof![scalar(), json().prop_map(Value::Json)];
    let mixed = any_value.prop_recursive(2, 12, 4, |inner| vec(inner, 0..4).prop_map(Value::Array));
    prop_oneof![
        6 => scalar(),
        1 => vec(text(), 0..4).prop_map(Value::Array),
        1 => vec(integer(), 0..4).prop_map(Value::Array),
        1 => vec(double(), 0..4).prop_map(Value::Array),
        1 => vec(flag(), 0..4).prop_map(Value::Array),
        2 => mixed,
    ]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Value as J, json};
    let leaf = prop_oneof![
        Just(J::Null),
        any::<bool>().prop_map(J::from),
        any::<i64>().prop_map(J::from),
        any::<u64>().prop_map(J::from),
        any::<f64>().prop_map(|x| json!(x)),
        any::<String>().prop_map(J::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(J::from),
            vec((any::<String>(), inner), 0..4).prop_map(|kv| J::Object(kv.into_iter().collect())),
        ]
    })
}

fn attributes(most: usize) -> impl Strategy<Value = Vec<(String, Value)>> {
    let name = prop_oneof![
        3 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    vec((name, value()), 0..most)
}

fn filled(attributes: Vec<(String, Value)>, limits: &Limits) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in attributes {
        fields.set_value(name, value, limits);
    }
    fields
}

fn trace_state() -> impl Strategy<Value = TraceState> {
    prop_oneof![
        3 => Just(TraceState::NONE),
        1 => Just("vendor=1,other=a:b".parse().unwrap()),
    ]
}

fn context() -> impl Strategy<Value = SpanContext> {
    let ids = (any::<u128>(), any::<u64>(), any::<u8>());
    (ids, any::<bool>(), trace_state()).prop_map(|((trace, span, flags), remote, state)| {
        let (trace, span) = (TraceId::from(trace), SpanId::from(span));
        SpanContext::new(trace, span, TraceFlags::new(flags), remote, state)
    })
}

/// A call site's metadata, for its name.
fn site() -> &'static Metadata<'static> {
    static SITE: LazyLock<&'static Metadata<'static>> = LazyLock::new(|| {
        let registry = tracing_subscriber::registry();
        let make = || tracing::info_span!("call_site").metadata();
        tracing::subscriber::with_default(registry, make).unwrap()
    });
    *SITE
}

/// The record of a span that ended.
pub(super) fn span() -> impl Strategy<Value = Record> {
    let identity = (
        (any::<u128>(), any::<u64>(), option::of(any::<u64>())),
        any::<bool>(),
        any::<bool>(),
        trace_state(),
    );
    let subject = option::of(proptest::sample::select(vec![
        Subject::LLM_CALL,
        Subject::TOOL_CALL,
        Subject::AGENT_EXECUTION,
        Subject::STEP,
    ]));
    let outcome = proptest::sample::select(vec![
        Outcome::Closed,
        Outcome::Completed,
        Outcome::Failed,
        Outcome::Canceled,
        Outcome::Interrupted,
    ]);
    let event_name = proptest::sample::select(vec!["event", "exception", "moment"]);
    let events = vec((any::<u32>(), event_name, attributes(4)), 0..4);
    let limits = prop_oneof![3 => Just(Limits::DEFAULT), 1 => Just(TIGHT)];
    let what = (subject, any::<bool>(), outcome, option::of(any::<String>()));
    let times = (any::<u32>(), any::<u32>());
    (
        identity,
        what,
        times,
        attributes(8),
        events,
        vec(context(), 0..4),
        limits,
    )
        .prop_map(
            |(identity, (subject, sited, outcome, message), times, own, events, links, limits)| {
                let ((trace, span, parent), remote, sampled, state) = identity;
                let mut record = Record {
                    subject,
                    meta: sited.then(site),
                    outcome,
                    error_message: message,
                    start: u64::from(times.0),
                    end: u64::from(times.0) + u64::from(times.1),
                    fields: filled(own, &limits),
                    ..Record::default()
                };
                record.id.trace = TraceId::from(trace);
                record.id.span = SpanId::from(span);
                record.id.parent = parent.map_or(SpanId::INVALID, SpanId::from);
                (record.id.parent_remote, record.id.sampled) = (remote, sampled);
                record.id.trace_state = state;
                for (at, name, attributes) in events {
                    record.add_event(at.into(), name, &filled(attributes, &limits), &limits);
                }
                for link in links {
                    record.add_link(link, &limits);
                }
                record
            },
        )
}

/// The record of a moment, inside a span or outside any.
pub(super) fn moment() -> impl Strategy<Value = Record> {
    let level = proptest::sample::select(vec![
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Alert,
    ]);
    let ids = option::of((any::<u128>(), any::<u64>(), any::<bool>()));
    (ids, level, "[a-z.]{1,20}", attributes(8), any::<u32>()).prop_map(
        |(ids, level, event_type, attributes, at)| {
            let mut record = Record {
                start: at.into(),
                end: at.into(),
                fields: filled(attributes, &Limits::DEFAULT),
                moment: Some(Moment {
                    level: Some(level),
                    ..Moment::new(event_type)
                }),
                ..Record::default()
            };
            if let Some((trace, span, sampled)) = ids {
                record.id.trace = TraceId::from(trace);
                record.id.span = SpanId::from(span);
                record.id.sampled = sampled;
            }
            record
        },
    )
}
