//! The stage: what of a record's content stays, and in what form. Secrets are taken out of everything else here, too.
//!
//! Runs on the telemetry thread, once a record is complete and before any outlet reads it.
//! Promise: idempotent, so that what passes twice (a start of another system's and the span made of it) is as after once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::{SpanId, TraceId};
use serde_json::{Map, Value as Json, json};

use super::names::{self, Shape};
use super::store::{ContentId, Uploads};
use super::{CaptureMode, Rules, is_content, mend};
use crate::event::{EventData, Value};
use crate::message::{self, fit};
#[cfg(feature = "viewer")]
use crate::record::Inherited;
use crate::record::cut::TRUNCATED;
use crate::record::{FieldRef, Fields, Record, What};
use crate::security::redact::{Known, Redactor, Report};
use crate::semconv;
use crate::stats::{Books, Loss};

/// What became of secrets, readable from any thread.
#[derive(Debug, Default)]
pub(crate) struct Redactions(AtomicU64);

impl Redactions {
    pub(crate) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct Stage {
    rules: Rules,
    error_messages: bool,
    redactor: Option<Redactor>,
    known: Known,
    redactions: Arc<Redactions>,
    parts: Arc<Books>,
    uploads: Option<Uploads>,
}

impl Stage {
    pub(crate) fn new(
        rules: Rules,
        error_messages: bool,
        redactor: Option<Redactor>,
        redactions: Arc<Redactions>,
        parts: Arc<Books>,
        uploads: Option<Uploads>,
    ) -> Self {
        Self {
            rules,
            error_messages,
            redactor,
            known: Known::default(),
            redactions,
            parts,
            uploads,
        }
    }

    /// Resolves when content that was given to the store so far is stored or lost.
    pub(crate) fn stored(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let settled = self.uploads.as_ref().map(Uploads::settled);
        async move {
            if let Some(settled) = settled {
                settled.await;
            }
        }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Takes out of a record what may not leave, and brings what may into its form.
    pub(crate) fn settle(&mut self, record: &mut Record) {
        let capture = self.rules.of(record.subject);
        self.drop_from_events(record, capture);
        let mut contents = self.settle_fields(record, capture);
        self.redact(record, capture);
        if !contents.is_empty() {
            contents.sort_by_key(|name| names::rank(name));
            let ended = record.what == What::Ended;
            let span = (record.id.trace, record.id.span);
            self.fit(&mut record.fields, &contents, ended.then_some(span));
        }
        let moment = record.moment.as_mut();
        if let Some(body) = moment.and_then(|moment| moment.body.as_mut()) {
            self.fit_body(body);
        }
    }

    /// Content on events of a span is on no budget: it stays where it is wanted, as attributes of the length that all have.
    fn drop_from_events(&self, record: &mut Record, capture: CaptureMode) {
        if record.events.is_empty() {
            return;
        }
        let content = capture >= CaptureMode::Redacted;
        let errors = self.error_messages;
        record.retain_event_fields(|name| {
            (content || !is_content(name)) && (errors || !names::is_error(name))
        });
    }

    /// Drops or reduces content, as the mode says; answers the names of what is left of it.
    fn settle_fields(&self, record: &mut Record, capture: CaptureMode) -> Vec<String> {
        let names = record.fields.iter().map(|(name, _)| name);
        let mut names: Vec<_> = names
            .filter(|name| is_content(name))
            .map(str::to_owned)
            .collect();
        if capture >= CaptureMode::Redacted {
            return names;
        }
        if let Some(moment) = &mut record.moment {
            moment.body = None;
        }
        let mut bytes = 0;
        names.retain(|name| {
            let value = record.fields.get(name).map(FieldRef::to_value);
            record.remove(name);
            let Some(value) = value.filter(|_| capture == CaptureMode::Metadata) else {
                return false;
            };
            let shape = names::shape(name);
            let json = parsed(&value, shape);
            bytes += size(&json);
            let outline = outline(&json, shape);
            if let Some(outline) = &outline {
                record.fields.put_whole(name, &outline.to_string());
            }
            outline.is_some()
        });
        if bytes > 0 {
            record.fields.put_count(semconv::GENAI_CONTENT_BYTES, bytes);
        }
        names
    }

    fn redact(&mut self, record: &mut Record, capture: CaptureMode) {
        let Some(redactor) = &self.redactor else {
            return;
        };
        let full = capture == CaptureMode::Full;
        if !full {
            // What lies in a text of JSON is looked at with its keys.
            record.fields.rewrite(|name, value| match value {
                FieldRef::Str(text) if is_content(name) && names::shape(name) != Shape::Json => {
                    (None, json_of(text).map(Value::from))
                }
                _ => (None, None),
            });
        }
        let leave = |name: &str| full && (name.is_empty() || is_content(name));
        let report = redactor.redact_record(record, &mut self.known, leave);
        self.count(&report);
    }

    fn count(&self, report: &Report) {
        if !report.is_clean() {
            self.redactions
                .0
                .fetch_add(report.total(), Ordering::Relaxed);
            self.parts.lose(Loss::Redaction, report.failed());
        }
    }

    /// Gives the budget out.
    fn fit(&self, fields: &mut Fields, contents: &[String], span: Option<(TraceId, SpanId)>) {
        let mut room = self.rules.limits.span;
        let mut cut = 0;
        for name in contents {
            let Some(value) = fields.get(name).map(FieldRef::to_value) else {
                continue;
            };
            if !matches!(value, Value::Str(_) | Value::Array(_) | Value::Json(_)) {
                // A number is as short as it gets.
                continue;
            }
            let budget = room.min(self.rules.limits.field);
            let shape = names::shape(name);
            if let (Some(uploads), Some((trace_id, span_id))) = (&self.uploads, span) {
                let whole = value.to_string();
                let id = ContentId {
                    attribute: name,
                    trace_id,
                    span_id,
                };
                if whole.len() > budget
                    && let Some(reference) = uploads.put(id, whole)
                {
                    fields.put_whole(&format!("{name}_ref"), &reference);
                }
            }
            match fitted(&value, shape, budget) {
                Some((text, less)) => {
                    room -= text.len().min(room);
                    cut += less;
                    // What is a list or an object stays one, where nobody expects text.
                    let whole = shape == Shape::Json && less == 0 && value.as_str().is_none();
                    if !whole && value.as_str() != Some(&*text) {
                        fields.put_whole(name, &text);
                    }
                }
                None => {
                    cut += size(&value.to_json());
                    fields.remove(name);
                    fields.drop_one();
                    self.parts.lose(Loss::SpanLimits, 1);
                }
            }
        }
        if cut > 0 {
            fields.put_count(semconv::GENAI_CONTENT_CUT_BYTES, cut);
        }
    }

    /// The same for the body of a moment that stays.
    fn fit_body(&self, body: &mut Json) {
        let budget = self.rules.limits.field;
        if let Json::String(text) = body {
            if text.len() > budget {
                *text = fit::text(text, budget).into_owned();
            }
            return;
        }
        let text = body.to_string();
        if text.len() > budget {
            *body = fit::json_text(&text, budget)
                .ok()
                .and_then(|fitted| serde_json::from_str(&fitted.json).ok())
                .unwrap_or(Json::Null);
        }
    }

    /// What [`settle`](Self::settle) does, for an event of another system.
    pub(crate) fn settle_event(&mut self, data: &mut EventData) {
        let capture = self.rules.of(Some(data.ty.subject()));
        if capture < CaptureMode::Redacted {
            data.body = None;
            let drop: Vec<_> = data
                .attrs
                .iter()
                .map(|(name, _)| name)
                .filter(|name| is_content(name))
                .map(str::to_owned)
                .collect();
            for name in drop {
                data.attrs.remove(&name);
            }
        } else if let Some(body) = &mut data.body {
            self.fit_body(&mut body.0);
        }
        if !self.error_messages {
            if let Some(error) = &mut data.error {
                error.message = None;
            }
            for name in [semconv::EXCEPTION_MESSAGE, semconv::EXCEPTION_STACKTRACE] {
                data.attrs.remove(name);
            }
        }
        self.redact_event(data);
    }

    /// Takes secrets out of an event that a hook may have changed.
    pub(crate) fn redact_event(&mut self, data: &mut EventData) {
        let Some(redactor) = &self.redactor else {
            return;
        };
        let full = self.rules.of(Some(data.ty.subject())) == CaptureMode::Full;
        // Content that is captured as it came is put aside meanwhile.
        let body = data.body.take_if(|_| full);
        let content: Vec<_> = data
            .attrs
            .iter()
            .filter(|(name, _)| full && is_content(name))
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        for (name, _) in &content {
            data.attrs.remove(name);
        }
        let report = redactor.redact_event(data);
        for (name, value) in content {
            data.attrs.set(name, value);
        }
        data.body = body.or(data.body.take());
        self.count(&report);
    }

    /// The same for the agent that a record, which may have no such attribute of its own, lies in.
    #[cfg(feature = "viewer")]
    pub(crate) fn redact_agent(&mut self, record: &mut Record) {
        let (Some(redactor), Some(above)) = (&self.redactor, &record.inherited) else {
            return;
        };
        let mut name = above.agent_name.clone();
        // It is counted where it is an attribute.
        let mut report = Report::new();
        redactor.redact_shared(
            semconv::GEN_AI_AGENT_NAME,
            &mut name,
            &mut self.known,
            &mut report,
        );
        if name != above.agent_name {
            let mut own = Inherited::clone(above);
            own.agent_name = name;
            record.inherited = Some(Arc::new(own));
        }
    }

    /// Takes secrets out of what an event says of whom it is about, which it may have from spans around it.
    pub(crate) fn redact_who(&mut self, data: &mut EventData) {
        let Some(redactor) = &self.redactor else {
            return;
        };
        let mut report = Report::new();
        let who = &mut data.who;
        for (name, text) in [
            (semconv::GEN_AI_AGENT_NAME, &mut who.agent_name),
            (semconv::GEN_AI_AGENT_ID, &mut who.agent_id),
            (semconv::GEN_AI_CONVERSATION_ID, &mut who.conversation_id),
            (semconv::SESSION_ID, &mut who.session_id),
            (semconv::CORRELATION_ID, &mut who.correlation_id),
            (semconv::STEP_NAME, &mut who.step_name),
        ] {
            redactor.redact_shared(name, text, &mut self.known, &mut report);
        }
        self.count(&report);
    }
}

/// What is kept of content where only its outline is; `None` for what has none.
fn outline(json: &Json, shape: Shape) -> Option<Json> {
    match shape {
        Shape::Messages(_) => Some(message::metadata(json)),
        Shape::Parts => Some(message::metadata_of_parts(json)),
        Shape::Json => None,
    }
}

/// Bytes of a value: of a text without its quotes, of all else as JSON.
fn size(value: &Json) -> usize {
    match value {
        Json::Null => 0,
        Json::String(text) => text.len(),
        other => other.to_string().len(),
    }
}

/// JSON that a text is, or was before it was cut.
fn json_of(text: &str) -> Option<Json> {
    match text.trim_start().as_bytes().first() {
        Some(b'[' | b'{') => {}
        _ => return None,
    }
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&mend::mend(text)?).ok())
}

/// The content of an attribute as the JSON it stands for.
fn parsed(value: &Value, shape: Shape) -> Json {
    let json = match value {
        Value::Str(text) => json_of(text).unwrap_or_else(|| Json::from(text.as_ref())),
        other => other.to_json(),
    };
    let all = |json, each: &dyn Fn(Json) -> Json| match json {
        Json::Array(items) => items.into_iter().map(each).collect(),
        one => Json::Array(vec![each(one)]),
    };
    match shape {
        Shape::Messages(role) => all(json, &|json| as_message(json, role)),
        Shape::Parts => all(json, &as_part),
        Shape::Json => json,
    }
}

/// What stands for a message, as one: of this role, unless it says another.
fn as_message(json: Json, role: &str) -> Json {
    let mut message = match json {
        Json::Object(fields) if fields.contains_key("role") || fields.contains_key("parts") => {
            fields
        }
        other => Map::from_iter([("parts".to_owned(), json!([as_part(other)]))]),
    };
    if !message.get("role").is_some_and(Json::is_string) {
        message.insert("role".to_owned(), role.into());
    }
    if !message.get("parts").is_some_and(Json::is_array) {
        // As providers have it.
        let parts = match message.remove("content") {
            Some(Json::Array(parts)) => parts.into_iter().map(as_part).collect(),
            Some(content) if !content.is_null() => json!([as_part(content)]),
            _ => json!([]),
        };
        message.insert("parts".to_owned(), parts);
    }
    if role == "assistant" && !message.contains_key("finish_reason") {
        // Nobody said why the model stopped.
        message.insert("finish_reason".to_owned(), "unknown".into());
    }
    Json::Object(message)
}

/// What stands for a part, as one: text, unless it says what it is.
fn as_part(json: Json) -> Json {
    match json {
        Json::String(text) => json!({"type": "text", "content": text}),
        part if part.get("type").is_some_and(Json::is_string) => part,
        other => json!({"type": "text", "content": other.to_string()}),
    }
}

/// The content of an attribute as text of at most `budget` bytes, and how many bytes it lacks at least.
fn fitted(value: &Value, shape: Shape, budget: usize) -> Option<(String, usize)> {
    let less = |whole: usize, text: &str| whole.saturating_sub(text.len());
    if let Value::Str(text) = value {
        let begins = |with: &[char]| text.trim_start().starts_with(with);
        if shape == Shape::Json
            && begins(&['[', '{'])
            && !text.ends_with(TRUNCATED)
            && let Ok(fitted) = fit::json_text(text, budget)
        {
            let json = fitted.json.into_owned();
            let less = less(text.len(), &json);
            return Some((json, less));
        }
        if shape == Shape::Json && json_of(text).is_none() {
            let cut = fit::text(text, budget).into_owned();
            let less = less(text.len(), &cut);
            return Some((cut, less));
        }
    }
    let json = parsed(value, shape);
    let fitted = fit::json(&json, budget).ok()?.json.into_owned();
    let less = less(size(&json), &fitted);
    Some((fitted, less))
}
