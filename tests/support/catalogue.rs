//! The catalogue: every event of five systems as a fact of `tests/data/catalogue.json`, turned into a document such as that
//! system writes and into what must become of it.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tracing_genai::event::{Dialect, EventData, EventId, Value};

/// One event of one system.
#[derive(Debug, Deserialize)]
pub struct Row {
    #[serde(rename = "dialect", deserialize_with = "dialect")]
    pub dialect: Dialect,
    /// How the catalogue writes it.
    pub source: String,
    /// The first is the one written back.
    pub names: Vec<String>,
    pub event_type: String,
    pub flavor: String,
    pub channel: String,
    pub level: String,
    /// `start`, `end` or `moment`.
    pub signal: String,
    pub span: Option<Span>,
    /// Values that fields must have for the event to be this one.
    #[serde(default)]
    pub with: Map<String, Json>,
    /// Fields of the envelope beside the usual ones.
    #[serde(default)]
    pub given: Map<String, Json>,
    /// Attributes that follow from what the event is.
    #[serde(default)]
    pub attributes: Map<String, Json>,
    pub error_type: Option<String>,
    /// Where each own field lands.
    pub fields: Map<String, Json>,
}

/// The span it starts or ends.
#[derive(Debug, Deserialize)]
pub struct Span {
    pub name: String,
    pub kind: String,
}

/// What every document of a system has.
#[derive(Debug, Deserialize)]
struct Envelope {
    name: String,
    payload: Option<String>,
    fields: Map<String, Json>,
}

/// One thing that must have become of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Landing {
    Attr(String, Json),
    /// In the body, under its name if there is more or if it is a part by nature.
    Body(String, Json, bool),
    Error(String),
    ErrorType(String),
    Duration(Duration),
    Time(SystemTime),
    Id(EventId),
    Cause(&'static str, EventId),
    Seq(u64),
    Trace(String),
    Span(String),
    ParentSpan(String),
}

/// A document, and what must become of its fields.
#[derive(Debug)]
pub struct Document {
    pub json: Json,
    pub lands: Vec<Landing>,
}

pub const AT: Duration = Duration::new(1_767_225_599, 123_000_000);

fn dialect<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Dialect, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = Dialect::ALL.iter().find(|dialect| dialect.as_str() == name);
    known.copied().ok_or_else(|| serde::de::Error::custom(name))
}

/// Every row.
pub fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> =
        LazyLock::new(|| serde_json::from_value(FILE["rows"].clone()).unwrap());
    &ROWS
}

static FILE: LazyLock<Json> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/catalogue.json")).unwrap());

impl Row {
    /// For messages of failed tests.
    pub fn label(&self) -> String {
        format!("{} {} {:?}", self.dialect, self.source, self.with)
    }

    /// The document that system would write under this name, with a value of its own in every field.
    pub fn document(&self, name: &str) -> Document {
        let envelope: Envelope =
            serde_json::from_value(FILE["envelopes"][self.dialect.as_str()].clone()).unwrap();
        let (mut top, mut own, mut lands) = (Map::new(), Map::new(), Vec::new());
        top.insert(envelope.name, name.into());
        for (field, place) in &envelope.fields {
            // Some events have a field of their own where others have the envelope's.
            if !self.fields.contains_key(field) {
                top.insert(field.clone(), sample(field, place, None, &mut lands));
            }
        }
        top.extend(self.given.clone());
        for (field, place) in &self.fields {
            let value = sample(field, place, self.with.get(field), &mut lands);
            own.insert(field.clone(), value);
        }
        match envelope.payload {
            Some(payload) => {
                top.insert(payload, own.into());
            }
            None => top.extend(own),
        }
        for (name, value) in &self.attributes {
            lands.push(Landing::Attr(name.clone(), value.clone()));
        }
        lands.extend(self.error_type.clone().map(Landing::ErrorType));
        Document {
            json: top.into(),
            lands,
        }
    }

    /// The same fields without the envelope: what an application gives when it emits by name.
    pub fn own(&self) -> (Map<String, Json>, Vec<Landing>) {
        let mut lands = Vec::new();
        let fields = self.fields.iter().map(|(field, place)| {
            let value = sample(field, place, self.with.get(field), &mut lands);
            (field.clone(), value)
        });
        (fields.collect(), lands)
    }
}

/// A value for a field that lands like this, and what must become of it.
fn sample(field: &str, place: &Json, given: Option<&Json>, lands: &mut Vec<Landing>) -> Json {
    match place {
        Json::Object(inner) => inner
            .iter()
            .map(|(name, place)| (name.clone(), sample(name, place, None, lands)))
            .collect(),
        Json::Array(places) => {
            // The last place decides what kind of value it must be.
            let mut value = given.cloned();
            for place in places.iter().rev() {
                value = Some(sample(field, place, value.as_ref(), lands));
            }
            value.unwrap()
        }
        place => {
            let (kind, name) = place
                .as_str()
                .unwrap()
                .split_once(' ')
                .unwrap_or((place.as_str().unwrap(), ""));
            one(field, kind, name, given, lands)
        }
    }
}

fn one(
    field: &str,
    kind: &str,
    name: &str,
    given: Option<&Json>,
    lands: &mut Vec<Landing>,
) -> Json {
    let text = |what: &str| {
        given
            .cloned()
            .unwrap_or_else(|| format!("{what} of this").into())
    };
    let id = |last: u128| EventId::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_0000 + last);
    let at = UNIX_EPOCH + AT;
    match (kind, name) {
        ("attr", name) => {
            let value = text(name);
            lands.push(Landing::Attr(name.to_owned(), value.clone()));
            value
        }
        ("list", name) => {
            let value = text(name);
            lands.push(Landing::Attr(name.to_owned(), json!([value])));
            value
        }
        ("tokens", name) => {
            let value = if name.contains("input") { 11 } else { 7 };
            lands.push(Landing::Attr(name.to_owned(), value.into()));
            value.into()
        }
        ("total", _) => 18.into(),
        ("usage", _) => {
            for (name, count) in [
                ("gen_ai.usage.input_tokens", 11),
                ("gen_ai.usage.output_tokens", 7),
                ("gen_ai.usage.cache_read.input_tokens", 5),
                ("llm.usage.successful_requests", 1),
            ] {
                lands.push(Landing::Attr(name.to_owned(), count.into()));
            }
            json!({"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18,
                "cached_prompt_tokens": 5, "successful_requests": 1})
        }
        ("names", name) => {
            lands.push(Landing::Attr(name.to_owned(), json!(["first", "second"])));
            json!([{"name": "first", "secret": "live"}, "second"])
        }
        ("keys", name) => {
            let paths = json!(["security.keywords.dangerous", "monitoring.dangerous"]);
            lands.push(Landing::Attr(name.to_owned(), paths));
            json!({"dangerous": "never kept"})
        }
        ("count", name) => {
            lands.push(Landing::Attr(name.to_owned(), 3.into()));
            json!(["one", "two", "three"])
        }
        ("mapped", name) => {
            lands.push(Landing::Attr(name.to_owned(), "pipe".into()));
            "stdio".into()
        }
        ("piece", name) => {
            let value = text(field);
            lands.push(Landing::Attr(name.to_owned(), json!({field: value})));
            value
        }
        ("body", _) => {
            let value = text(field);
            lands.push(Landing::Body(field.to_owned(), value.clone(), true));
            value
        }
        ("part", _) => {
            let value = text(field);
            lands.push(Landing::Body(field.to_owned(), value.clone(), false));
            value
        }
        ("error", "") => {
            lands.push(Landing::Error("what went wrong".to_owned()));
            "what went wrong".into()
        }
        ("error", _) => {
            let value = text("class");
            lands.push(Landing::ErrorType(value.as_str().unwrap().to_owned()));
            value
        }
        ("url", _) => {
            for (name, value) in [
                ("url.full", json!("https://peer.example:8443/x")),
                ("server.address", json!("peer.example")),
                ("server.port", json!(8443)),
            ] {
                lands.push(Landing::Attr(name.to_owned(), value));
            }
            "https://peer.example:8443/x".into()
        }
        ("duration", unit) => {
            lands.push(Landing::Duration(Duration::from_millis(1_250)));
            match unit {
                "s" => 1.25.into(),
                "ms" => 1250.into(),
                _ => "00:00:01.2500000".into(),
            }
        }
        ("started", name) => {
            let value = json!("2025-12-31T23:59:57.500000+00:00");
            lands.push(Landing::Attr(name.to_owned(), value.clone()));
            value
        }
        ("ended", name) => {
            let value = json!("2025-12-31T23:59:59.000000+00:00");
            lands.push(Landing::Attr(name.to_owned(), value.clone()));
            value
        }
        ("time", "") => {
            lands.push(Landing::Time(at));
            "2025-12-31T23:59:59.123000+00:00".into()
        }
        // The envelope's time counts; this one is kept.
        ("time", name) => {
            lands.push(Landing::Attr(name.to_owned(), json!(1_700_000_000.5)));
            json!(1_700_000_000.5)
        }
        ("naive", _) => {
            lands.push(Landing::Time(at));
            "2025-12-31T23:59:59.123000".into()
        }
        ("ms", _) => {
            lands.push(Landing::Time(at));
            1_767_225_599_123_u64.into()
        }
        ("id", _) => {
            lands.push(Landing::Id(id(0)));
            id(0).to_string().into()
        }
        ("cause", cause) => {
            let (cause, last) = match cause {
                "parent" => ("parent", 1),
                "started" => ("started", 2),
                "previous" => ("previous", 3),
                _ => ("trigger", 4),
            };
            lands.push(Landing::Cause(cause, id(last)));
            id(last).to_string().into()
        }
        ("seq", _) => {
            lands.push(Landing::Seq(42));
            42.into()
        }
        ("trace", _) => {
            let hex = "4bf92f3577b34da6a3ce929d0e0e4736";
            lands.push(Landing::Trace(hex.to_owned()));
            hex.into()
        }
        ("span", _) => {
            lands.push(Landing::Span("00f067aa0ba902b7".to_owned()));
            "00f067aa0ba902b7".into()
        }
        ("parent", _) => {
            lands.push(Landing::ParentSpan("00f067aa0ba902b8".to_owned()));
            "00f067aa0ba902b8".into()
        }
        ("told" | "flag", _) => given.cloned().unwrap_or(Json::Bool(true)),
        other => panic!("{field}: nobody knows what {other:?} means"),
    }
}

/// Panics unless everything landed.
pub fn assert_landed(label: &str, event: &EventData, lands: &[Landing]) {
    let pieces = lands
        .iter()
        .filter(|landing| matches!(landing, Landing::Body(..)))
        .count();
    let body = event.body.as_ref().map(|body| &body.0);
    for landing in lands {
        let found = match landing {
            Landing::Attr(name, wanted) => {
                let found = event.attr(name).map(Value::to_json);
                // A piece is one field of the object, a key path one of the list.
                match (&found, wanted) {
                    (Some(Json::Object(found)), Json::Object(wanted)) => wanted
                        .iter()
                        .all(|(key, value)| found.get(key) == Some(value)),
                    // What is a message's place holds messages, whatever was put there.
                    (Some(Json::String(found)), wanted) if found.contains(r#""parts":["#) => {
                        let wanted = wanted
                            .as_object()
                            .and_then(|it| it.values().next())
                            .unwrap_or(wanted);
                        found.contains(wanted.as_str().unwrap())
                    }
                    (Some(Json::Array(found)), Json::Array(wanted)) if name.ends_with("keys") => {
                        found.len() == wanted.len()
                    }
                    _ => found.as_ref() == Some(wanted),
                }
            }
            Landing::Body(_, value, true) if pieces == 1 => body == Some(value),
            Landing::Body(field, value, _) => body.and_then(|body| body.get(field)) == Some(value),
            Landing::Error(wanted) => {
                let error = event.error.as_ref();
                error.and_then(|error| error.message.as_deref()) == Some(wanted)
            }
            Landing::ErrorType(wanted) => {
                event.error.as_ref().map(|error| &*error.kind) == Some(wanted)
            }
            Landing::Duration(wanted) => event.duration == Some(*wanted),
            Landing::Time(wanted) => event.time == *wanted,
            Landing::Id(wanted) => event.id == *wanted,
            Landing::Cause("parent", wanted) => event.cx.parent_event == Some(*wanted),
            Landing::Cause("started", wanted) => event.cx.started_event == Some(*wanted),
            Landing::Cause("previous", wanted) => event.cx.previous == Some(*wanted),
            Landing::Cause(_, wanted) => event.cx.triggered_by == Some(*wanted),
            Landing::Seq(wanted) => event.seq == *wanted,
            Landing::Trace(wanted) => event.cx.trace.to_string() == *wanted,
            Landing::Span(wanted) => event.cx.span.to_string() == *wanted,
            Landing::ParentSpan(wanted) => event.cx.parent_span.to_string() == *wanted,
        };
        let shown = serde_json::to_string_pretty(event).unwrap();
        assert!(found, "{label}: {landing:?} is not in {shown}");
    }
}
