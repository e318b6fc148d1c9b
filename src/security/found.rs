//! Findings on their way into records: judged by a policy, told on the span and as an event.

use std::borrow::Cow;

use opentelemetry::TraceId;
use serde_json::Value as Json;

use super::content::flatten;
use super::level::{AlertLevel, Point};
use super::policy::{Action, Policy, SecurityBlocked};
use super::{Content, Verdict};
use crate::event::Value;
use crate::layer::starting::Opened;
use crate::record::{Fields, Limits, Moment, Record};
use crate::semconv as s;

/// What a policy found in a text, and what it does about it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    verdict: Verdict,
    /// At least that of the verdict: what was known before may be worse than what is new.
    level: AlertLevel,
    point: Point,
    pub(crate) action: Action,
    bytes: usize,
}

/// The longest list of rules that is told.
const MOST_RULES: usize = 16;

impl Found {
    /// What `policy` does about a text; `None` for nothing.
    pub(crate) fn text(policy: &Policy, content: &Content<'_>) -> Option<Self> {
        if !policy.watches(content.point) {
            return None;
        }
        let verdict = policy.scans().check(content);
        Self::verdict(policy, verdict, content.point, content.text.len())
    }

    /// The same for a tool's arguments.
    pub(crate) fn arguments(policy: &Policy, name: &str, arguments: &Json) -> Option<Self> {
        if !policy.watches(Point::ToolCall) {
            return None;
        }
        // Text that is JSON is looked at as such: what a rule looks for may be spread over several values.
        let inner = arguments
            .as_str()
            .and_then(|text| serde_json::from_str::<Json>(text).ok());
        let text = flatten(inner.as_ref().unwrap_or(arguments));
        Self::text(policy, &Content::new(Point::ToolCall, &text).name(name))
    }

    /// The same for the messages of a conversation in the conventions' form, of which only those count that are new.
    pub(crate) fn messages(policy: &Policy, conversation: &str, messages: &Json) -> Option<Self> {
        if !policy.watches(Point::Message) {
            return None;
        }
        let texts = texts(messages);
        let bytes = texts.iter().map(|(_, text)| text.len()).sum();
        let history = texts.iter().map(|(role, text)| (*role, text.as_str()));
        let check = policy.seen.check(policy.scans(), conversation, history);
        let (verdict, level) = (check.verdict(), check.level());
        // Told once; stopped as often as it is sent.
        let stops = policy.action(Point::Message, level) == Action::Block;
        let level = if stops { level } else { verdict.level() };
        Self::of(policy, verdict, level, Point::Message, bytes)
    }

    /// What is done about a verdict.
    pub(crate) fn verdict(
        policy: &Policy,
        verdict: Verdict,
        point: Point,
        bytes: usize,
    ) -> Option<Self> {
        let level = verdict.level();
        Self::of(policy, verdict, level, point, bytes)
    }

    fn of(
        policy: &Policy,
        verdict: Verdict,
        level: AlertLevel,
        point: Point,
        bytes: usize,
    ) -> Option<Self> {
        let action = policy.action(point, level);
        (action != Action::Ignore).then_some(Self {
            verdict,
            level,
            point,
            action,
            bytes,
        })
    }

    /// The same, found too late to stop anything.
    pub(crate) fn told(mut self) -> Self {
        self.action = self.action.min(Action::Alert);
        self
    }

    /// Why the call is not made, if it is not.
    pub(crate) fn blocked(&self) -> Option<SecurityBlocked> {
        (self.action == Action::Block).then(|| SecurityBlocked {
            reason: Cow::Owned(self.category().to_owned()),
            level: self.level,
            point: self.point,
            rules: self.rules().map(str::to_owned).collect(),
        })
    }

    fn category(&self) -> &str {
        self.verdict.category().unwrap_or("known_message")
    }

    fn rules(&self) -> impl Iterator<Item = &str> {
        self.verdict.rules().take(MOST_RULES)
    }

    /// The event that tells of it.
    pub(crate) fn event(&self) -> Option<&'static str> {
        match (self.action, self.level) {
            (Action::Ignore | Action::Log, _) => None,
            (Action::Block, _) => Some("security.block"),
            (Action::Alert, AlertLevel::Dangerous) => Some("security.alert"),
            (Action::Alert, _) => Some("security.warning"),
        }
    }

    /// The attributes of the event.
    pub(crate) fn fill(&self, fields: &mut Fields) {
        let limits = &Limits::DEFAULT;
        let mut put = |name: &'static str, value: Value| fields.set_value(name, value, limits);
        put(s::SECURITY_ALERT_LEVEL, self.level.as_str().into());
        put(s::SECURITY_CATEGORY, self.category().into());
        if let Some(severity) = self.verdict.severity() {
            put(s::SECURITY_SEVERITY, severity.as_str().into());
        }
        let rules: Vec<Value> = self.rules().map(Value::from).collect();
        if let Some(first) = rules.first() {
            put(s::SECURITY_RULE, first.clone());
        }
        put(s::SECURITY_RULES, Value::Array(rules));
        put(s::SECURITY_MATCHES, self.verdict.findings().len().into());
        put(s::SECURITY_POINT, self.point.as_str().into());
        put(s::SECURITY_TEXT_BYTES, self.bytes.into());
        put(s::SECURITY_ACTION, self.action.as_str().into());
        if self.action == Action::Block {
            put(s::SECURITY_BLOCK_REASON, self.category().into());
        }
    }

    /// What the span says of it: the worst of what was found in its texts.
    pub(crate) fn mark(&self, fields: &mut Fields) {
        let limits = &Limits::DEFAULT;
        let told = fields.str(s::SECURITY_ALERT_LEVEL).map(word);
        let level = told.unwrap_or_default().max(self.level);
        fields.set_str(s::SECURITY_ALERT_LEVEL, level.as_str(), limits);
        let mut rules: Vec<Value> = match fields.get(s::SECURITY_RULES).map(|of| of.to_value()) {
            Some(Value::Array(rules)) => rules,
            _ => Vec::new(),
        };
        for rule in self.rules().map(Value::from) {
            if !rules.contains(&rule) && rules.len() < MOST_RULES {
                rules.push(rule);
            }
        }
        fields.set_value(s::SECURITY_RULES, Value::Array(rules), limits);
    }

    /// Tells it in an open span.
    pub(crate) fn tell(&self, span: &Opened) {
        let (instance, state) = (&span.instance, &span.state);
        instance.write(state, |inner| {
            self.mark(&mut inner.record.fields);
        });
        if let Some(event) = self.event() {
            let mut fields = Fields::default();
            self.fill(&mut fields);
            instance.moment(Some(state), Moment::new(event), &mut fields);
        }
    }
}

/// What is about to be sent, as a record or a request has it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    conversation: String,
    system: Option<Json>,
    messages: Option<Json>,
    tool: Option<String>,
    arguments: Option<Json>,
}

impl Asked {
    /// What `get` has under the conventions' names, in a call of this record: messages are new, or not, in its conversation, else
    /// in its trace.
    pub(crate) fn read(
        record: &Record,
        trace: TraceId,
        get: impl Fn(&str) -> Option<Value>,
    ) -> Self {
        let json = |name: &str| Some(as_json(&get(name)?));
        let text = |name: &str| get(name)?.as_str().map(str::to_owned);
        let above = || {
            record
                .inherited
                .as_ref()?
                .conversation_id
                .as_deref()
                .map(str::to_owned)
        };
        Self {
            conversation: text(s::GEN_AI_CONVERSATION_ID)
                .or_else(above)
                .unwrap_or_else(|| trace.to_string()),
            system: json(s::GEN_AI_SYSTEM_INSTRUCTIONS),
            messages: json(s::GEN_AI_INPUT_MESSAGES),
            tool: text(s::GEN_AI_TOOL_NAME),
            arguments: json(s::GEN_AI_TOOL_CALL_ARGUMENTS),
        }
    }

    /// What `policy` finds at the points that `of` says of.
    pub(crate) fn check(&self, policy: &Policy, of: impl Fn(Point) -> bool) -> Vec<Found> {
        let system = || {
            let text = flatten(self.system.as_ref()?);
            Found::text(policy, &Content::new(Point::Prompt, &text).name("system"))
        };
        let messages = || Found::messages(policy, &self.conversation, self.messages.as_ref()?);
        let tool = || {
            let name = self.tool.as_deref()?;
            Found::arguments(policy, name, self.arguments.as_ref().unwrap_or(&Json::Null))
        };
        [
            of(Point::Prompt).then(system),
            of(Point::Message).then(messages),
            of(Point::ToolCall).then(tool),
        ]
        .into_iter()
        .flatten()
        .flatten()
        .collect()
    }
}

/// What came back, as a record has it.
pub(crate) fn answered(
    policy: &Policy,
    get: impl Fn(&str) -> Option<Value>,
    of: impl Fn(Point) -> bool,
) -> Vec<Found> {
    let response = || {
        let messages = as_json(&get(s::GEN_AI_OUTPUT_MESSAGES)?);
        let texts = texts(&messages).into_iter().map(|(_, text)| text);
        let text = texts.collect::<Vec<_>>().join("\n");
        Found::text(policy, &Content::new(Point::Response, &text))
    };
    let result = || {
        let text = flatten(&as_json(&get(s::GEN_AI_TOOL_CALL_RESULT)?));
        let name = get(s::GEN_AI_TOOL_NAME);
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
        Found::text(policy, &Content::new(Point::ToolResult, &text).name(name))
    };
    [
        of(Point::Response).then(response),
        of(Point::ToolResult).then(result),
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect()
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Str(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_ref()))
        }
        other => other.to_json(),
    }
}

/// Checks what is about to be sent in an open span, as far as it may be stopped; the rest is left to the telemetry thread. What is
/// found is told.
pub(crate) fn stop(span: &Opened, more: Option<&crate::event::Attrs>) -> Option<SecurityBlocked> {
    const BEFORE: [Point; 3] = [Point::Prompt, Point::Message, Point::ToolCall];
    let policy = span.instance.security.as_deref()?;
    if !BEFORE.into_iter().any(|point| policy.blocks(point)) {
        return None;
    }
    let trace = span.instance.identity(&span.state).trace;
    let asked = {
        let inner = span.state.lock();
        let fields = &inner.record.fields;
        Asked::read(&inner.record, trace, |name| match fields.get(name) {
            Some(value) => Some(value.to_value()),
            None => more?.get(name).cloned(),
        })
    };
    let all = asked.check(policy, |point| policy.blocks(point));
    span.instance.write(&span.state, |inner| {
        let points = BEFORE.into_iter().filter(|point| policy.blocks(*point));
        inner.record.checked |= points.map(bit).sum::<u8>();
    });
    for found in &all {
        found.tell(span);
    }
    all.iter().find_map(Found::blocked)
}

/// The bit of a point in [`Record::checked`](crate::record::Record::checked).
pub(crate) fn bit(point: Point) -> u8 {
    1 << point as u8
}

fn word(level: &str) -> AlertLevel {
    match level {
        "dangerous" => AlertLevel::Dangerous,
        "suspicious" => AlertLevel::Suspicious,
        _ => AlertLevel::None,
    }
}

/// Role and text of each message; a part that is a tool's call or its answer is a text of its own.
pub(crate) fn texts(messages: &Json) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    for message in messages.as_array().into_iter().flatten() {
        let role = message.get("role").and_then(Json::as_str).unwrap_or("");
        let mut text = String::new();
        let parts = message.get("parts").and_then(Json::as_array);
        for part in parts.into_iter().flatten() {
            let names = ["content", "arguments", "response"];
            let value = names.into_iter().find_map(|name| part.get(name));
            // Data is no text.
            let is_data = part.get("type").and_then(Json::as_str) == Some("blob");
            if let Some(value) = value.filter(|_| !is_data) {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(&flatten(value));
            }
        }
        if !text.is_empty() {
            all.push((role, text));
        }
    }
    all
}
