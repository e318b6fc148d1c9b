//! From frames to events of the protocol.
//!
//! Owns: what is open (messages, tool calls, steps), so that it is opened once and closed before the run ends.
//! Promise: bounded. What does not fit is not shown, and counted.

mod open;

use std::collections::HashSet;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use super::super::{Content, Conversation, Message, from_ag_ui, from_gen_ai};
use super::{AgUiEvent, to_ag_ui};
use crate::event::{Phase, Subject, Value};
use crate::frame::{Frame, FrameItem};
use crate::semconv;

/// The frames of one run as [AG-UI events](https://docs.ag-ui.com/concepts/events).
///
/// Give it the frames of a run in their order, those of a [`RunStream`](crate::frame::RunStream) say, and send what it gives;
/// [`AgUiStream`](super::AgUiStream) does that for a stream. The first frame's span is the run: its end ends the run, and
/// frames of other traces, and those that come after, give nothing.
///
/// | Here | There |
/// | --- | --- |
/// | the run's span starts, completes or pauses | `RUN_STARTED`, `RUN_FINISHED` |
/// | it fails, is blocked or canceled | `RUN_ERROR`, with the class of the error as `code` |
/// | workflows, agents and steps below it | `STEP_STARTED`, `STEP_FINISHED` |
/// | `llm.call.chunk`, `llm.call.thinking` | `TEXT_MESSAGE_*`, `REASONING_*`; pieces of tool calls `TOOL_CALL_*` |
/// | a model's answer that was not streamed, if content is captured | the same, whole |
/// | `tool.call.*`, `mcp.tool.*` | `TOOL_CALL_START`, `_ARGS`, `_END`, and `TOOL_CALL_RESULT` at its end |
/// | `conversation.snapshot`, `step.snapshot` | `MESSAGES_SNAPSHOT`, `STATE_SNAPSHOT` |
/// | `conversation.message.*` | `TEXT_MESSAGE_*` |
/// | frames that were missed | `CUSTOM` of the name `lagged` |
/// | every other frame, if asked for by [`custom`](Self::custom) | `CUSTOM` of the name of its type |
///
/// Text, arguments and results are there only where content is captured; a result that is not is the empty string, as the
/// protocol wants one. A canceled run is a `RUN_ERROR` of the code `canceled`: the outcome that newer versions have for it is an
/// error to older ones.
///
/// ```
/// use tracing_genai::event::{Event, EventData, EventType};
/// use tracing_genai::frame::Frame;
/// use tracing_genai::message::AgUi;
///
/// # fn frame(ty: &str) -> Frame {
/// #     let mut data = EventData::new(EventType::parse(ty).unwrap(), std::time::SystemTime::UNIX_EPOCH);
/// #     data.cx.span = tracing_genai::event::SpanId::from(1u64);
/// #     Frame::of(&Event::new(data)).unwrap()
/// # }
/// let mut run = AgUi::new().thread_id("thread-1").run_id("run-1");
/// let mut types = Vec::new();
/// for frame in [frame("workflow.started"), frame("workflow.completed")] {
///     types.extend(run.frame(&frame).iter().map(|event| event.event_type()));
/// }
/// assert_eq!(types, ["RUN_STARTED", "RUN_FINISHED"]);
/// ```
#[derive(Debug, Default)]
pub struct AgUi {
    thread_id: Option<String>,
    run_id: Option<String>,
    custom: bool,
    state: State,
    trace: Option<String>,
    root: Option<String>,
    open: Vec<Item>,
    /// Calls whose start was shown, and calls whose result was.
    called: HashSet<String>,
    answered: HashSet<String>,
    /// Model calls something of whose answer was shown as it came.
    streamed: HashSet<String>,
    unshown: u64,
    last: Option<SystemTime>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    Running,
    Ended,
}

/// Something that was opened and has to be closed.
#[derive(Debug)]
struct Item {
    kind: ItemKind,
    /// The protocol's id of it, or a step's name.
    id: String,
    /// The span it ends with.
    owner: String,
    /// Among the tool calls of an answer, which.
    index: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ItemKind {
    Text,
    Reasoning,
    Call,
    Step,
}

/// Things open at a time, and ids remembered: far more than a run has that a person watches, so a guard and no working limit.
const MOST: usize = 4096;

impl AgUi {
    /// A run that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of the conversation, as the front end knows it. Default: `gen_ai.conversation.id` of the first frame, or else its
    /// trace.
    #[must_use]
    pub fn thread_id(mut self, id: impl Into<String>) -> Self {
        self.thread_id = Some(id.into());
        self
    }

    /// The id of the run, as the front end knows it. Default: the trace.
    #[must_use]
    pub fn run_id(mut self, id: impl Into<String>) -> Self {
        self.run_id = Some(id.into());
        self
    }

    /// Also gives a `CUSTOM` event for every frame that has no event of its own, with the frame as its value. Default off.
    #[must_use]
    pub fn custom(mut self) -> Self {
        self.custom = true;
        self
    }

    /// Whether the run has ended: nothing comes after.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Things that were not shown because too many were open at once.
    pub fn unshown(&self) -> u64 {
        self.unshown
    }

    /// What the next item says: a frame, or how many are missing in its place.
    pub fn item(&mut self, item: &FrameItem) -> Vec<AgUiEvent> {
        match item {
            FrameItem::Frame(frame) => self.frame(frame),
            FrameItem::Lagged(missed) if self.state == State::Running => {
                let time = self.last.unwrap_or(SystemTime::UNIX_EPOCH);
                let value = json!({ "missed": missed });
                vec![AgUiEvent::new(
                    "CUSTOM",
                    time,
                    [("name", "lagged".into()), ("value", value)],
                )]
            }
            FrameItem::Lagged(_) => Vec::new(),
        }
    }

    /// What the next frame says.
    pub fn frame(&mut self, frame: &Frame) -> Vec<AgUiEvent> {
        let mut out = Vec::new();
        let another = self.trace.is_some() && frame.trace_id != self.trace;
        if self.state == State::Ended || another {
            return out;
        }
        self.last = Some(frame.time);
        let starts = self.state == State::Waiting;
        if starts {
            self.start(frame, &mut out);
        }
        let is_root = self.root.is_some() && frame.span_id == self.root || starts;
        let mut now = Now {
            frame,
            out: &mut out,
        };
        self.project(&mut now, is_root);
        if is_root && frame.ty.phase().is_terminal() {
            self.end(frame, &mut out);
        }
        out
    }

    /// The stream is over: closes what is open. Without the end of the run, which may have been lost, it is an error of the
    /// code `interrupted`.
    pub fn finish(&mut self) -> Vec<AgUiEvent> {
        let mut out = Vec::new();
        if self.state == State::Running {
            let time = self.last.unwrap_or(SystemTime::UNIX_EPOCH);
            self.close(time, &mut out, |_| true);
            out.push(error(time, "the run's end was not seen", "interrupted"));
        }
        self.state = State::Ended;
        out
    }

    fn start(&mut self, frame: &Frame, out: &mut Vec<AgUiEvent>) {
        self.state = State::Running;
        self.trace.clone_from(&frame.trace_id);
        if *frame.ty.phase() == Phase::Started {
            self.root.clone_from(&frame.span_id);
        }
        let trace = || {
            frame
                .trace_id
                .clone()
                .unwrap_or_else(|| frame.id.to_string())
        };
        let conversation = text(frame, semconv::GEN_AI_CONVERSATION_ID);
        self.thread_id
            .get_or_insert_with(|| conversation.map_or_else(trace, str::to_owned));
        self.run_id.get_or_insert_with(trace);
        out.push(self.run("RUN_STARTED", frame.time));
    }

    fn run(&self, ty: &'static str, time: SystemTime) -> AgUiEvent {
        let ids = [("threadId", &self.thread_id), ("runId", &self.run_id)];
        AgUiEvent::new(
            ty,
            time,
            ids.map(|(name, id)| (name, id.clone().unwrap_or_default().into())),
        )
    }

    fn end(&mut self, frame: &Frame, out: &mut Vec<AgUiEvent>) {
        self.close(frame.time, out, |_| true);
        self.state = State::Ended;
        let event = match frame.ty.phase() {
            Phase::Failed => {
                let code = frame.error_type.as_deref().unwrap_or("error");
                let words = frame.content.as_deref().unwrap_or(code);
                error(frame.time, words, code)
            }
            Phase::Blocked => {
                let reason = text(frame, "security.block_reason");
                error(frame.time, reason.unwrap_or("blocked"), "blocked")
            }
            Phase::Canceled => error(frame.time, "the run was canceled", "canceled"),
            _ => self.run("RUN_FINISHED", frame.time),
        };
        out.push(event);
    }

    fn project(&mut self, now: &mut Now<'_>, is_root: bool) {
        let frame = now.frame;
        let phase = frame.ty.phase();
        match (frame.ty.subject(), phase.as_str()) {
            (Subject::LLM_CALL, "chunk") => self.chunk(now),
            (Subject::LLM_CALL, "thinking") => self.piece(now, ItemKind::Reasoning),
            (Subject::LLM_CALL, "completed") => self.answered(now),
            (Subject::LLM_CALL, _) if phase.is_terminal() => self.close_owned(now),
            (Subject::LLM_CALL, _) => {}
            (Subject::TOOL_CALL | Subject::MCP_TOOL, word) => self.tool(now, word),
            (Subject::CONVERSATION, "snapshot") => self.snapshot(now),
            (Subject::STEP, "snapshot") if frame.body.is_some() => {
                let state = frame.body.clone().unwrap_or_default();
                now.say("STATE_SNAPSHOT", [("snapshot", state)]);
            }
            (Subject::CONVERSATION_MESSAGE, word) => self.message(now, word),
            (
                Subject::STEP | Subject::WORKFLOW | Subject::AGENT_EXECUTION | Subject::TAG,
                "started",
            ) if !is_root => self.step(now),
            (_, _) if phase.is_terminal() && self.owns(frame) => self.close_owned(now),
            (_, _) if self.custom && !is_root => {
                let value = serde_json::to_value(frame).unwrap_or_default();
                let name = frame.ty.to_string();
                now.say("CUSTOM", [("name", name.into()), ("value", value)]);
            }
            _ => {}
        }
    }

    // === model calls ===

    fn chunk(&mut self, now: &mut Now<'_>) {
        let frame = now.frame;
        let of_call = ["tool_call.id", "tool_call.index", "tool_call.name"];
        if of_call.iter().any(|name| frame.data.contains(name)) {
            self.call_piece(now);
        } else {
            self.piece(now, ItemKind::Text);
        }
    }

    /// A piece of text or reasoning. Without its words there is nothing to show.
    fn piece(&mut self, now: &mut Now<'_>, kind: ItemKind) {
        let Some(delta) = now.frame.content.as_deref().filter(|text| !text.is_empty()) else {
            return;
        };
        let owner = owner(now.frame);
        let (id, content) = match kind {
            ItemKind::Reasoning => (format!("{owner}-reasoning"), "REASONING_MESSAGE_CONTENT"),
            _ => (owner.clone(), "TEXT_MESSAGE_CONTENT"),
        };
        // Whoever begins to answer has thought.
        if kind == ItemKind::Text {
            self.close(now.frame.time, now.out, |item| {
                item.kind == ItemKind::Reasoning && item.owner == owner
            });
        }
        if self.open_item(now, kind, &id, &owner, |event| event) {
            self.remember_stream(&owner);
            now.say(content, [("messageId", id.into()), ("delta", delta.into())]);
        }
    }

    /// A piece of a tool call: the id and the name come with the first, the others are told by their index or come in a row.
    fn call_piece(&mut self, now: &mut Now<'_>) {
        let frame = now.frame;
        let owner = owner(frame);
        let index = frame.data.get("tool_call.index").and_then(Value::as_i64);
        let index = index.and_then(|index| u64::try_from(index).ok());
        let given = text(frame, "tool_call.id").filter(|id| !id.is_empty());
        let mut open = self.open.iter().rev();
        let known = open.find(|item| {
            item.kind == ItemKind::Call
                && item.owner == owner
                && (given == Some(item.id.as_str())
                    || given.is_none() && (index.is_none() || item.index == index))
        });
        let known = known.map(|item| item.id.clone());
        let is_new = known.is_none();
        let id = known.unwrap_or_else(|| {
            given.map_or_else(
                || format!("{owner}-call-{}", index.unwrap_or(0)),
                str::to_owned,
            )
        });
        let name = text(frame, "tool_call.name").unwrap_or_default();
        if is_new && !self.open_call(now, &id, name, &owner, index) {
            return;
        }
        self.remember_stream(&owner);
        let arguments = match frame.data.get("tool_call.arguments") {
            Some(Value::Str(text)) => Some(text.to_string()),
            Some(Value::Json(Json::Null)) | None => None,
            Some(value) => Some(value.to_json().to_string()),
        };
        let arguments = arguments.or_else(|| frame.content.clone());
        if let Some(delta) = arguments.filter(|delta| !delta.is_empty()) {
            let fields = [("toolCallId", id.into()), ("delta", delta.into())];
            now.say("TOOL_CALL_ARGS", fields);
        }
    }

    /// The answer is complete. One that was not streamed is shown whole, if its content is there.
    fn answered(&mut self, now: &mut Now<'_>) {
        let owner = owner(now.frame);
        self.close_owned(now);
        if self.streamed.remove(&owner) {
            return;
        }
        let Some(messages) = now.frame.data.get(semconv::GEN_AI_OUTPUT_MESSAGES) else {
            return;
        };
        // On spans the messages are JSON text.
        let json = match messages {
            Value::Str(text) => serde_json::from_str(text).unwrap_or_default(),
            other => other.to_json(),
        };
        for (at, message) in from_gen_ai(&json).value.messages.iter().enumerate() {
            let id = match at {
                0 => owner.clone(),
                at => format!("{owner}-{at}"),
            };
            self.whole(now, message, &id);
        }
    }

    fn whole(&mut self, now: &mut Now<'_>, message: &Message, id: &str) {
        let mut shown = false;
        for part in &message.parts {
            match &part.content {
                Content::Reasoning(text) if !text.is_empty() => {
                    let id = format!("{id}-reasoning");
                    if self.open_item(now, ItemKind::Reasoning, &id, &id, |event| event) {
                        let fields = [
                            ("messageId", id.as_str().into()),
                            ("delta", text.as_str().into()),
                        ];
                        now.say("REASONING_MESSAGE_CONTENT", fields);
                    }
                }
                Content::Text(text) if !text.is_empty() => {
                    let role = message.role.as_str().to_owned();
                    if shown
                        || self.open_item(now, ItemKind::Text, id, id, |e| e.with("role", role))
                    {
                        shown = true;
                        let fields = [("messageId", id.into()), ("delta", text.as_str().into())];
                        now.say("TEXT_MESSAGE_CONTENT", fields);
                    }
                }
                _ => {}
            }
        }
        let (out, time) = (&mut *now.out, now.frame.time);
        self.close(time, out, |item| {
            item.owner == id || item.owner.strip_suffix("-reasoning") == Some(id)
        });
        for (at, part) in message.parts.iter().enumerate() {
            if let Content::ToolCall {
                id: call,
                name,
                arguments,
            } = &part.content
            {
                let call = call.clone().unwrap_or_else(|| format!("{id}-call-{at}"));
                let arguments = super::super::arguments_text(arguments);
                self.whole_call(now, &call, name, Some(arguments));
            }
        }
    }

    // === tools ===

    fn tool(&mut self, now: &mut Now<'_>, word: &str) {
        let frame = now.frame;
        let own = owner(frame);
        let id = text(frame, semconv::GEN_AI_TOOL_CALL_ID).map_or(own, str::to_owned);
        let name = text(frame, semconv::GEN_AI_TOOL_NAME).unwrap_or_default();
        let is_open = |item: &Item| item.kind == ItemKind::Call && item.id == id;
        match word {
            "announced" => {
                self.open_call(now, &id, name, &owner(frame), None);
            }
            "chunk" => {
                let delta = frame.content.as_deref().filter(|text| !text.is_empty());
                if self.open.iter().any(is_open)
                    && let Some(delta) = delta
                {
                    let fields = [("toolCallId", id.into()), ("delta", delta.into())];
                    now.say("TOOL_CALL_ARGS", fields);
                }
            }
            "sealed" => self.close(frame.time, now.out, is_open),
            "started" => {
                self.close(frame.time, now.out, is_open);
                if !self.called.contains(&id) {
                    let arguments = frame.data.get(semconv::GEN_AI_TOOL_CALL_ARGUMENTS);
                    self.whole_call(now, &id, name, arguments.map(words));
                }
            }
            _ if frame.ty.phase().is_terminal() => {
                self.close(frame.time, now.out, is_open);
                self.result(now, &id);
            }
            _ => {}
        }
    }

    fn whole_call(&mut self, now: &mut Now<'_>, id: &str, name: &str, arguments: Option<String>) {
        if !self.open_call(now, id, name, id, None) {
            return;
        }
        if let Some(delta) = arguments.filter(|delta| !delta.is_empty()) {
            let fields = [("toolCallId", id.into()), ("delta", delta.into())];
            now.say("TOOL_CALL_ARGS", fields);
        }
        let is_this = |item: &Item| item.kind == ItemKind::Call && item.id == id;
        self.close(now.frame.time, now.out, is_this);
    }

    fn result(&mut self, now: &mut Now<'_>, id: &str) {
        let frame = now.frame;
        // A tool over MCP ends twice: as the tool, and as the request.
        if !self.called.contains(id)
            || self.answered.len() >= MOST
            || !self.answered.insert(id.to_owned())
        {
            return;
        }
        let content = match frame.data.get(semconv::GEN_AI_TOOL_CALL_RESULT) {
            Some(value) => words(value),
            None => match frame.ty.phase() {
                Phase::Completed => String::new(),
                other => {
                    let class = frame.error_type.as_deref();
                    let said = frame.content.as_deref().or(class);
                    said.unwrap_or(other.as_str()).to_owned()
                }
            },
        };
        let fields = [
            ("messageId", format!("{id}-result").into()),
            ("toolCallId", id.into()),
            ("content", content.into()),
            ("role", "tool".into()),
        ];
        now.say("TOOL_CALL_RESULT", fields);
    }

    // === messages and steps ===

    fn snapshot(&mut self, now: &mut Now<'_>) {
        let Some(body) = &now.frame.body else {
            return;
        };
        // In the protocol's own form already, or in the conventions'.
        let first = body.get(0).or_else(|| body.get("messages")?.get(0));
        let conversation: Conversation = match first.and_then(|message| message.get("parts")) {
            Some(_) => from_gen_ai(body).value,
            None => from_ag_ui(body).value,
        };
        let messages = to_ag_ui(&conversation).value;
        now.say("MESSAGES_SNAPSHOT", [("messages", Json::Array(messages))]);
    }

    /// Messages that are told one by one, as LangWatch Scenario does: opened, in pieces, added.
    fn message(&mut self, now: &mut Now<'_>, word: &str) {
        let frame = now.frame;
        let id = text(frame, "message.id").map_or_else(|| frame.id.to_string(), str::to_owned);
        let role = text(frame, "message.role")
            .filter(|role| matches!(*role, "user" | "assistant" | "system" | "developer"));
        // A result is shown where its tool ends.
        if word == "added" && text(frame, "message.role") == Some("tool") {
            return;
        }
        let role = role.unwrap_or("assistant").to_owned();
        let is_open = |item: &Item| item.kind == ItemKind::Text && item.id == id;
        let was_open = self.open.iter().any(is_open);
        if !was_open && !self.open_item(now, ItemKind::Text, &id, &id, |e| e.with("role", role)) {
            return;
        }
        let delta = frame.content.as_deref().filter(|text| !text.is_empty());
        if let Some(delta) = delta.filter(|_| word == "chunk" || !was_open) {
            let fields = [("messageId", id.as_str().into()), ("delta", delta.into())];
            now.say("TEXT_MESSAGE_CONTENT", fields);
        }
        if word == "added" {
            self.close(frame.time, now.out, is_open);
        }
    }

    fn step(&mut self, now: &mut Now<'_>) {
        let frame = now.frame;
        let given = match frame.namespace.last() {
            Some(name) => name.as_str(),
            None => frame.name.as_str(),
        };
        let given = if given.is_empty() {
            frame.ty.subject_name()
        } else {
            given
        };
        // Two steps of a name at a time are two steps.
        let taken = |name: &str, open: &[Item]| {
            let mut open = open.iter();
            open.any(|item| item.kind == ItemKind::Step && item.id == name)
        };
        let mut name = given.to_owned();
        let mut number = 2u32;
        while taken(&name, &self.open) {
            name = format!("{given} ({number})");
            number += 1;
        }
        self.open_item(now, ItemKind::Step, &name, &owner(frame), |event| event);
    }
}

/// The frame at hand, and what it gives.
struct Now<'a> {
    frame: &'a Frame,
    out: &'a mut Vec<AgUiEvent>,
}

impl Now<'_> {
    fn say<const N: usize>(&mut self, ty: &'static str, fields: [(&str, Json); N]) {
        self.out.push(AgUiEvent::new(ty, self.frame.time, fields));
    }
}

fn error(time: SystemTime, message: &str, code: &str) -> AgUiEvent {
    AgUiEvent::new(
        "RUN_ERROR",
        time,
        [("message", message.into()), ("code", code.into())],
    )
}

/// What a frame belongs to: its span, or itself.
fn owner(frame: &Frame) -> String {
    frame
        .span_id
        .clone()
        .unwrap_or_else(|| frame.id.to_string())
}

fn text<'f>(frame: &'f Frame, name: &str) -> Option<&'f str> {
    frame.data.get(name).and_then(Value::as_str)
}

/// Text as it is, anything else as the text of its JSON.
fn words(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        other => other.to_json().to_string(),
    }
}
