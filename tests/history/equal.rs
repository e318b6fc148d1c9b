//! The two stores, asked the same at random.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value as Json, json};
use tracing_genai::event::{
    ErrorInfo, Event, EventData, EventId, EventType, Level, SpanId, TraceId, Visibility,
};
use tracing_genai::history::{By, Cursor, EventStore, History, MemoryStore, SqliteStore};

use super::events::{at, place};

const TYPES: [&str; 8] = [
    "llm.call.started",
    "llm.call.completed",
    "llm.call.failed",
    "tool.call.started",
    "tool.call.failed",
    "workflow.started",
    "security.alert",
    "billing.invoice.paid",
];
const PATTERNS: [&str; 12] = [
    "llm.call.started",
    "llm.call.failed",
    "workflow.started",
    "billing.invoice.paid",
    "memory.query.started",
    "llm.*",
    "*.failed",
    "*.call.*",
    "billing.*",
    "nothing.*",
    "*",
    "*.started",
];
const LEVELS: [Level; 6] = [
    Level::Trace,
    Level::Debug,
    Level::Info,
    Level::Warn,
    Level::Error,
    Level::Alert,
];
const TEXTS: [&str; 10] = [
    "a",
    "A",
    "ab",
    "",
    "Zürich",
    "zürich",
    "\"a\"",
    "50%_",
    "a\nb\u{0}c\\",
    "12",
];
/// Few moments, so that many events share one.
const SECONDS: u64 = 6;

fn text() -> impl Strategy<Value = Arc<str>> {
    select(&TEXTS[..]).prop_map(Arc::from)
}

fn maybe_text() -> impl Strategy<Value = Option<Arc<str>>> {
    proptest::option::of(text())
}

fn moment() -> impl Strategy<Value = SystemTime> {
    (0..SECONDS, 0u64..3).prop_map(|(seconds, nanos)| at(seconds) + Duration::from_nanos(nanos))
}

fn trace() -> impl Strategy<Value = TraceId> {
    (0u128..3).prop_map(|n| TraceId::from_bytes(n.to_be_bytes()))
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-1e9..1e9f64).prop_map(Json::from),
        text().prop_map(|text| Json::from(&*text)),
        ".{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            (inner.clone(), inner).prop_map(|(a, b)| json!({"a": a, "ab": b})),
        ]
    })
}

prop_compose! {
    fn event()(
        ty in select(&TYPES[..]),
        flavor in select(vec!["", "crew", "pipeline"]),
        time in moment(),
        channel in proptest::option::of(select(vec!["LLM", "ÄÖ", "x"])),
        level in proptest::option::of(select(&LEVELS[..])),
        who in [maybe_text(), maybe_text(), maybe_text(), maybe_text()],
        trace in trace(),
        user in proptest::option::of(json()),
        attrs in proptest::collection::vec((text(), json()), 0..3),
        body in proptest::option::of(json()),
        error in proptest::option::of((text(), maybe_text())),
        rest in (any::<u32>(), any::<u64>(), any::<bool>(), text()),
    ) -> Event {
        let mut data = EventData::new(EventType::parse(ty).unwrap(), time);
        data.flavor = flavor.into();
        data.channel = channel.map_or(data.channel, Into::into);
        data.level = level.unwrap_or(data.level);
        let [id, name, session, conversation] = who;
        data.who.agent_id = id;
        data.who.agent_name = name;
        data.who.session_id = session;
        data.who.conversation_id = conversation;
        data.cx.trace = trace;
        data.cx.span = SpanId::from_bytes(rest.1.to_be_bytes());
        data.cx.previous = rest.2.then(|| EventId::from_u128(rest.1.into()));
        data.duration = rest.2.then(|| Duration::from_nanos(rest.1));
        data.visibility = if rest.2 { Visibility::Internal } else { Visibility::Public };
        data.seq = rest.0.into();
        data.name = rest.3;
        if let Some(user) = user {
            data.attrs.set("user.id", user);
        }
        data.attrs.extend(attrs.into_iter().map(|(key, value)| (key.to_string(), value)));
        data.body = body.map(Into::into);
        data.error = error.map(|(kind, message)| {
            let error = ErrorInfo::new(kind);
            message.map_or(error.clone(), |message| error.with_message(message))
        });
        data.into()
    }
}

/// What narrows a history: applied to both stores' alike.
#[derive(Debug, Clone)]
enum Filter {
    Agent(Arc<str>),
    Type(&'static str),
    Channel(&'static str),
    Level(Level),
    MinLevel(Level),
    Trace(TraceId),
    Session(Arc<str>),
    Conversation(Arc<str>),
    User(Arc<str>),
    Since(SystemTime),
    Before(SystemTime),
    Search(Arc<str>),
    Limit(usize),
    Offset(usize),
    OldestFirst,
}

fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        3 => text().prop_map(Filter::Agent),
        4 => select(&PATTERNS[..]).prop_map(Filter::Type),
        1 => select(vec!["LLM", "äö", "X", "none"]).prop_map(Filter::Channel),
        1 => select(&LEVELS[..]).prop_map(Filter::Level),
        1 => select(&LEVELS[..]).prop_map(Filter::MinLevel),
        1 => trace().prop_map(Filter::Trace),
        1 => text().prop_map(Filter::Session),
        1 => text().prop_map(Filter::Conversation),
        1 => text().prop_map(Filter::User),
        1 => moment().prop_map(Filter::Since),
        1 => moment().prop_map(Filter::Before),
        2 => text().prop_map(Filter::Search),
        2 => (0usize..20).prop_map(Filter::Limit),
        2 => (0usize..10).prop_map(Filter::Offset),
        2 => Just(Filter::OldestFirst),
    ]
}

fn narrow(history: &History, filters: &[Filter]) -> History {
    filters
        .iter()
        .fold(history.clone(), |view, filter| match filter.clone() {
            Filter::Agent(agent) => view.agent(agent),
            Filter::Type(ty) => view.event_type(ty).unwrap(),
            Filter::Channel(channel) => view.channel(channel),
            Filter::Level(level) => view.level(level),
            Filter::MinLevel(level) => view.min_level(level),
            Filter::Trace(trace) => view.trace(trace),
            Filter::Session(session) => view.session(session),
            Filter::Conversation(conversation) => view.conversation(conversation),
            Filter::User(user) => view.user(user),
            Filter::Since(time) => view.since(time),
            Filter::Before(time) => view.before(time),
            Filter::Search(text) => view.search(text),
            Filter::Limit(n) => view.limit(n),
            Filter::Offset(n) => view.offset(n),
            Filter::OldestFirst => view.oldest_first(),
        })
}

/// Everything a view answers, comparable.
fn answers(view: &History) -> impl PartialEq + std::fmt::Debug + use<> {
    let by = |by| view.distribution(by).unwrap();
    (
        view.fetch().unwrap(),
        view.count().unwrap(),
        view.stats().unwrap(),
        view.agents().unwrap(),
        [By::Type, By::Channel, By::Level, By::Agent].map(by),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_answer_every_question_alike(
        events in proptest::collection::vec(event(), 0..60),
        again in subsequence((0..40usize).collect::<Vec<_>>(), 0..5),
        questions in proptest::collection::vec(proptest::collection::vec(filter(), 0..5), 1..12),
        doomed in proptest::collection::vec(filter(), 1..4),
    ) {
        let memory = MemoryStore::new();
        let (_directory, path) = place();
        let sqlite = SqliteStore::open(path).unwrap();
        let again: Vec<_> = again.iter().filter_map(|at| events.get(*at)).cloned().collect();
        for batch in events.chunks(17).chain([&again[..]]) {
            prop_assert_eq!(memory.append(batch).unwrap(), sqlite.append(batch).unwrap());
        }
        let (in_memory, on_disk) = (History::new(memory.clone()), History::new(sqlite.clone()));

        // Whatever an event carried is in it again.
        let all: HashSet<_> = events.iter().map(|event| event.id).collect();
        prop_assert_eq!(on_disk.fetch().unwrap().len(), all.len());

        for question in questions {
            let (a, b) = (narrow(&in_memory, &question), narrow(&on_disk, &question));
            prop_assert_eq!(answers(&a), answers(&b), "{:?}", question);
        }
        let erased = narrow(&in_memory, &doomed).erase().unwrap();
        prop_assert_eq!(erased, narrow(&on_disk, &doomed).erase().unwrap(), "{:?}", doomed);
        prop_assert_eq!(answers(&in_memory), answers(&on_disk), "after erasing {:?}", doomed);
        let mut cursor = Cursor::START;
        loop {
            let page = memory.since(cursor, 7).unwrap();
            prop_assert_eq!(&page, &sqlite.since(cursor, 7).unwrap());
            prop_assert_eq!(page.missed, 0);
            if page.events.is_empty() {
                break;
            }
            cursor = page.next;
        }
    }
}
