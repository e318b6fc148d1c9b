//! The JSON of LangWatch's scenario events, made from this library's.
//!
//! Promise: importing what is made here gives the event it was made from: the same type, time (to the millisecond), attributes
//! and content.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use serde_json::{Map, Value as Json};

use super::snapshot::Snapshot;
use super::{Status, Transcript, Verdict, names};
use crate::event::{Event, EventId, Phase, Value};
use crate::semconv;

/// Runs whose conversation [`Payloads`] remembers at most.
const RUNS: usize = 1024;

/// The events of a run, and what they are called on the wire.
const TYPES: [(&str, &str); 11] = [
    ("workflow.started", "SCENARIO_RUN_STARTED"),
    ("workflow.completed", FINISHED),
    ("workflow.failed", FINISHED),
    ("workflow.canceled", FINISHED),
    ("conversation.snapshot", "SCENARIO_MESSAGE_SNAPSHOT"),
    ("conversation.message.opened", "SCENARIO_TEXT_MESSAGE_START"),
    (
        "conversation.message.chunk",
        "SCENARIO_TEXT_MESSAGE_CONTENT",
    ),
    ("conversation.message.added", "SCENARIO_TEXT_MESSAGE_END"),
    ("tool.call.announced", "SCENARIO_TOOL_CALL_START"),
    ("tool.call.chunk", "SCENARIO_TOOL_CALL_ARGS"),
    ("tool.call.sealed", "SCENARIO_TOOL_CALL_END"),
];

const FINISHED: &str = "SCENARIO_RUN_FINISHED";

/// Attributes that are fields of the document itself, and what these are called.
const FIELDS: [(&str, &str); 11] = [
    (names::BATCH, "batchRunId"),
    (names::ID, "scenarioId"),
    (names::RUN, "scenarioRunId"),
    (names::SET, "scenarioSetId"),
    (names::MESSAGE_ID, "messageId"),
    (names::MESSAGE_ROLE, "role"),
    (names::MESSAGE_INDEX, "messageIndex"),
    (names::MESSAGE_PARENT, "parentMessageId"),
    (semconv::GENAI_LINK_TRACE_ID, "traceId"),
    (semconv::GEN_AI_TOOL_CALL_ID, "toolCallId"),
    (semconv::GEN_AI_TOOL_NAME, "toolCallName"),
];

/// The same for the metadata of a start.
const METADATA: [(&str, &str); 4] = [
    (semconv::GEN_AI_WORKFLOW_NAME, "name"),
    (names::DESCRIPTION, "description"),
    (names::AGENTS, "agents"),
    (names::FIELDS, "fields"),
];

/// The same for the results of an end.
const RESULTS: [(&str, &str); 7] = [
    (names::VERDICT, "verdict"),
    (names::REASONING, "reasoning"),
    (names::MET, "metCriteria"),
    (names::UNMET, "unmetCriteria"),
    (names::INCONCLUSIVE, "inconclusiveCriteria"),
    (names::CRITERIA, "criteria"),
    (names::EVALUATIONS, "evaluations"),
];

/// The document LangWatch's endpoint (`POST …/api/scenario-events`) takes for an event of a scenario run; `None` for all other
/// events, and for those that would say nothing: a snapshot or a piece of a text whose content is
/// [not captured](crate::content), and a snapshot that tells only [what changed](super::Snapshots::Delta), for which
/// [`Payloads`] is made.
///
/// An event is one of a run if its flavor is `scenario` and it carries `scenario.run.id`.
///
/// ```
/// use serde_json::json;
/// use tracing_genai::event::{Dialect, Event, import};
/// use tracing_genai::scenario::payload;
///
/// let document = json!({
///     "type": "SCENARIO_RUN_STARTED",
///     "timestamp": 1703123456789_u64,
///     "batchRunId": "batch-123",
///     "scenarioId": "weather-query-test",
///     "scenarioRunId": "run-456",
///     "scenarioSetId": "default",
///     "metadata": {"name": "weather query test", "description": "User asks about weather"},
/// });
/// let event = Event::new(import(Dialect::Scenario, &document)?.remove(0));
/// assert_eq!(payload(&event), Some(document));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn payload(event: &Event) -> Option<Json> {
    let messages = match Snapshot::of(event) {
        Some(Snapshot::Whole(list)) => Some(list),
        _ => None,
    };
    write(event, messages)
}

/// [`payload`] for runs that tell [what changed](super::Snapshots::Delta): remembers each run's conversation until the run ends,
/// of at most 1,024 runs, so that every snapshot is sent whole.
///
/// To be asked about the events in their order, as a handler of the bus sees them, each as often as one likes. A snapshot whose predecessor was not seen has
/// no payload; the next whole one mends that.
#[derive(Default)]
pub struct Payloads {
    runs: Mutex<Runs>,
}

#[derive(Default)]
struct Runs {
    by_id: HashMap<String, Told>,
    /// The oldest first.
    order: VecDeque<String>,
}

/// What was told of one run.
#[derive(Default)]
struct Told {
    transcript: Transcript,
    /// The last snapshot that was put together: asked about again, as by a reporter that tries again, it is not put on itself.
    last: Option<EventId>,
}

impl fmt::Debug for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payloads").finish_non_exhaustive()
    }
}

impl Payloads {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The document of an event; see [`payload`].
    pub fn of(&self, event: &Event) -> Option<Json> {
        let run = run_of(event)?;
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if event.phase.is_terminal() && event.ty.subject().name() == "workflow" {
            runs.forget(run);
        }
        if event.ty != "conversation.snapshot" {
            drop(runs);
            return payload(event);
        }
        let told = runs.of(run);
        if told.last != Some(event.id) {
            told.transcript.apply(event).ok()?;
            told.last = Some(event.id);
        }
        write(event, Some(told.transcript.messages()))
    }
}

impl Runs {
    fn of(&mut self, run: &str) -> &mut Told {
        if !self.by_id.contains_key(run) {
            self.order.push_back(run.to_owned());
            if self.order.len() > RUNS
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_id.remove(&oldest);
            }
        }
        self.by_id.entry(run.to_owned()).or_default()
    }

    fn forget(&mut self, run: &str) {
        if self.by_id.remove(run).is_some() {
            self.order.retain(|id| id != run);
        }
    }
}

/// The run an event of a scenario belongs to.
fn run_of(event: &Event) -> Option<&str> {
    let run = event.attr(names::RUN).and_then(Value::as_str)?;
    (event.flavor.as_str() == names::FLAVOR).then_some(run)
}

fn write(event: &Event, messages: Option<&[Json]>) -> Option<Json> {
    run_of(event)?;
    let (_, name) = TYPES.iter().find(|(ty, _)| event.ty == **ty)?;
    let mut document = Map::new();
    document.insert("type".to_owned(), (*name).into());
    document.insert("timestamp".to_owned(), millis(event));
    copy(event, &FIELDS, &mut document);
    let mut body = event.body.as_ref().map(|body| &body.0);
    match *name {
        "SCENARIO_RUN_STARTED" => {
            let mut metadata = Map::new();
            copy(event, &METADATA, &mut metadata);
            copy_below(event, names::METADATA, &mut metadata);
            document.insert("metadata".to_owned(), Json::Object(metadata));
        }
        FINISHED => {
            let status = event.attr(names::STATUS).map(Value::to_json);
            let status = status.unwrap_or_else(|| status_of(&event.phase).as_str().into());
            document.insert("status".to_owned(), status);
            if let Some(results) = results(event, &mut body) {
                document.insert("results".to_owned(), Json::Object(results));
            }
        }
        "SCENARIO_MESSAGE_SNAPSHOT" => {
            document.insert("messages".to_owned(), Json::Array(messages?.to_vec()));
            body = match body {
                Some(Json::Object(fields)) => raw(fields),
                _ => None,
            };
        }
        "SCENARIO_TEXT_MESSAGE_CONTENT" | "SCENARIO_TOOL_CALL_ARGS" => {
            document.insert("delta".to_owned(), body.take()?.clone());
        }
        "SCENARIO_TEXT_MESSAGE_END" => {
            if !document.contains_key("traceId")
                && event.cx.trace != opentelemetry::TraceId::INVALID
            {
                document.insert("traceId".to_owned(), event.cx.trace.to_string().into());
            }
            message(&mut document, body.take());
        }
        _ => {}
    }
    if let Some(raw) = body {
        document.insert("rawEvent".to_owned(), raw.clone());
    }
    Some(Json::Object(document))
}

fn millis(event: &Event) -> Json {
    let millis = match event.time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    millis.into()
}

/// Copies attributes under their names on the wire.
fn copy(event: &Event, names: &[(&str, &str)], into: &mut Map<String, Json>) {
    for (attribute, field) in names {
        if let Some(value) = event.attr(attribute) {
            into.insert((*field).to_owned(), value.to_json());
        }
    }
}

/// Copies the attributes that begin so, under what follows.
fn copy_below(event: &Event, prefix: &str, into: &mut Map<String, Json>) {
    for (name, value) in event.attrs.iter() {
        if let Some(field) = name.strip_prefix(prefix) {
            into.insert(field.to_owned(), value.to_json());
        }
    }
}

/// The results of a run that ended, if anything is known of them.
fn results<'e>(event: &'e Event, body: &mut Option<&'e Json>) -> Option<Map<String, Json>> {
    let mut results = Map::new();
    copy(event, &RESULTS, &mut results);
    copy_below(event, names::RESULTS, &mut results);
    // An imported end has the reasoning in its body.
    if let Some(Json::Object(fields)) = *body
        && let Some(reasoning) = fields.get("reasoning")
    {
        results.insert("reasoning".to_owned(), reasoning.clone());
        *body = raw(fields);
    }
    if let Some(error) = &event.error {
        let kind: &str = &error.kind;
        // Where nothing else is known of the error, the status says it.
        let told = (!matches!(kind, "verdict_failure" | "error")).then_some(kind);
        if let Some(text) = error.message.as_deref().or(told) {
            results.insert("error".to_owned(), text.into());
        }
    }
    if results.is_empty() {
        return None;
    }
    // Results without these three are none.
    let empty = || Json::Array(Vec::new());
    for (field, default) in [
        ("verdict", Json::from(Verdict::Inconclusive.as_str())),
        ("metCriteria", empty()),
        ("unmetCriteria", empty()),
    ] {
        results.entry(field).or_insert(default);
    }
    Some(results)
}

/// The status of an end that does not say its own.
fn status_of(phase: &Phase) -> Status {
    match phase {
        Phase::Completed => Status::Success,
        Phase::Canceled => Status::Cancelled,
        _ => Status::Failed,
    }
}

/// The part of a body that the document had as its raw event.
fn raw(fields: &Map<String, Json>) -> Option<&Json> {
    fields.get("rawEvent").or_else(|| fields.get("raw_event"))
}

/// A message that ended: its text, its object, or both.
fn message(document: &mut Map<String, Json>, body: Option<&Json>) {
    match body {
        None => {}
        Some(Json::Object(fields))
            if fields
                .keys()
                .all(|key| key == "content" || key == "message") =>
        {
            document.extend(fields.clone());
        }
        Some(object @ Json::Object(_)) => {
            document.insert("message".to_owned(), object.clone());
        }
        Some(text) => {
            document.insert("content".to_owned(), text.clone());
        }
    }
}
