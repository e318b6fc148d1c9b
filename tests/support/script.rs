//! Events of agent runs, as a script, and a writer that remembers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tracing_genai::console::Console;
use tracing_genai::event::{ErrorInfo, Event, EventData, EventType, SpanId, TraceId, Value};

/// Where the console wrote, one entry for each `write`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<String>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap()
            .push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).concat()
    }

    pub(crate) fn frames(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// `millis` after the beginning of every test.
pub(crate) fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000) + Duration::from_millis(millis)
}

/// An event of span `span` below `parent`; 0 is none.
pub(crate) fn event(ty: &str, span: u64, parent: u64, name: &str, millis: u64) -> EventData {
    let mut event = EventData::new(EventType::parse(ty).unwrap(), at(millis));
    event.cx.trace = TraceId::from(1);
    event.cx.span = SpanId::from(span);
    event.cx.parent_span = SpanId::from(parent);
    event.name = name.into();
    event
}

pub(crate) fn with(mut event: EventData, attrs: &[(&'static str, Value)]) -> EventData {
    event.attrs.extend(attrs.iter().cloned());
    event
}

pub(crate) fn ended(mut event: EventData, millis: u64) -> EventData {
    event.duration = Some(Duration::from_millis(millis));
    event
}

pub(crate) fn failed(mut event: EventData, kind: &str) -> EventData {
    event.error = Some(ErrorInfo::new(kind).with_message("SECRET message"));
    event
}

pub(crate) fn feed(console: &mut Console, events: impl IntoIterator<Item = EventData>) {
    for event in events {
        console.on_event(&Event::new(event));
    }
}

pub(crate) fn usage(input: i64, output: i64, cached: i64) -> Vec<(&'static str, Value)> {
    let mut attrs = vec![
        ("gen_ai.usage.input_tokens", input.into()),
        ("gen_ai.usage.output_tokens", output.into()),
        ("gen_ai.output.messages", "SECRET answer".into()),
    ];
    if cached > 0 {
        attrs.push(("gen_ai.usage.cache_read.input_tokens", cached.into()));
    }
    attrs
}

/// A run that plans, calls two tools, one of which fails, and answers.
pub(crate) fn trip() -> Vec<EventData> {
    let mut chat = usage(140, 32, 0);
    chat.push(("gen_ai.usage.cost", 0.000_043_2.into()));
    chat.push(("gen_ai.response.time_to_first_chunk", 0.12.into()));
    let totals = [
        ("llm.total_calls", Value::from(2)),
        ("llm.total_tool_calls", 2.into()),
        ("llm.total_tool_errors", 1.into()),
        ("gen_ai.aggregated_usage.input_tokens", 1_352.into()),
        ("gen_ai.aggregated_usage.output_tokens", 73.into()),
        ("gen_ai.aggregated_usage.cost", 0.000_043_2.into()),
        ("llm.total_cost_complete", false.into()),
    ];
    vec![
        event("agent.execution.started", 1, 0, "invoke_agent planner", 0),
        event("step.started", 2, 1, "plan", 1),
        event("llm.call.started", 3, 2, "chat gpt-4o-mini", 2),
        event("llm.call.chunk", 3, 2, "chat gpt-4o-mini", 122),
        ended(
            with(
                event("llm.call.completed", 3, 2, "chat gpt-4o-mini", 340),
                &chat,
            ),
            338,
        ),
        ended(event("step.completed", 2, 1, "plan", 341), 340),
        event("tool.call.started", 4, 1, "execute_tool search", 342),
        event("tool.call.started", 5, 1, "execute_tool weather", 342),
        event("tool.call.retrying", 5, 1, "execute_tool weather", 350),
        failed(
            ended(
                event("tool.call.failed", 5, 1, "execute_tool weather", 372),
                30,
            ),
            "timeout",
        ),
        ended(
            event("tool.call.completed", 4, 1, "execute_tool search", 376),
            34,
        ),
        event("llm.call.started", 6, 1, "chat gpt-4o-mini", 380),
        ended(
            with(
                event("llm.call.completed", 6, 1, "chat gpt-4o-mini", 900),
                &usage(1_212, 41, 1_024),
            ),
            520,
        ),
        ended(
            with(
                event(
                    "agent.execution.completed",
                    1,
                    0,
                    "invoke_agent planner",
                    1_240,
                ),
                &totals,
            ),
            1_240,
        ),
    ]
}

/// What the quickstart does: an agent that thinks, calls two tools at once, and answers. The first `LIVE` events lead to its middle.
pub(crate) const LIVE: usize = 11;

pub(crate) fn quickstart() -> Vec<EventData> {
    let call = |input, output, cached, cost: f64, ttfc: f64| {
        let mut attrs = usage(input, output, cached);
        attrs.push(("gen_ai.usage.cost", cost.into()));
        attrs.push(("gen_ai.response.time_to_first_chunk", ttfc.into()));
        attrs
    };
    let totals = |calls: i64, tools: i64, input: i64, output: i64, cost: f64| {
        vec![
            ("llm.total_calls", Value::from(calls)),
            ("llm.total_tool_calls", tools.into()),
            ("gen_ai.aggregated_usage.input_tokens", input.into()),
            ("gen_ai.aggregated_usage.output_tokens", output.into()),
            ("gen_ai.aggregated_usage.cost", cost.into()),
        ]
    };
    let (agent, chat) = ("invoke_agent trip-planner", "chat gpt-4o-mini");
    let (weather, hotel) = ("execute_tool get_weather", "execute_tool find_hotel");
    vec![
        event("agent.execution.started", 1, 0, agent, 0),
        event("step.started", 2, 1, "think", 1),
        event("llm.call.started", 3, 2, chat, 2),
        ended(
            with(
                event("llm.call.completed", 3, 2, chat, 263),
                &call(136, 48, 0, 0.000_049_2, 0.098),
            ),
            261,
        ),
        event("plan.refined", 2, 1, "think", 264),
        ended(
            with(
                event("step.completed", 2, 1, "think", 264),
                &totals(1, 0, 136, 48, 0.000_049_2),
            ),
            263,
        ),
        event("tool.call.started", 4, 1, weather, 265),
        event("tool.call.started", 5, 1, hotel, 265),
        ended(event("tool.call.completed", 4, 1, weather, 306), 41),
        event("llm.call.started", 6, 1, chat, 308),
        event("llm.call.chunk", 6, 1, chat, 407),
        ended(event("tool.call.completed", 5, 1, hotel, 706), 441),
        ended(
            with(
                event("llm.call.completed", 6, 1, chat, 790),
                &call(257, 22, 256, 0.000_032_5, 0.099),
            ),
            482,
        ),
        ended(
            with(
                event("agent.execution.completed", 1, 0, agent, 792),
                &totals(2, 2, 393, 70, 0.000_081_7),
            ),
            792,
        ),
    ]
}

/// A run that fails: three attempts at a call, and a tool two agents down that times out. The first 14 events lead to its middle.
pub(crate) fn failure() -> Vec<EventData> {
    let (crew, writer) = ("invoke_workflow report", "invoke_agent writer");
    let (chat, search) = ("chat claude-sonnet-4-5", "execute_tool search");
    let attempt = |span, from| {
        [
            event("llm.call.started", span, 2, chat, from),
            failed(
                ended(event("llm.call.failed", span, 2, chat, from + 200), 200),
                "rate_limit",
            ),
        ]
    };
    let mut events = vec![
        event("workflow.started", 1, 0, crew, 0),
        event("agent.execution.started", 2, 1, writer, 1),
    ];
    events.extend(
        [10, 11, 12]
            .into_iter()
            .zip([5, 210, 415])
            .flat_map(|(span, from)| attempt(span, from)),
    );
    events.extend([
        event(
            "agent.execution.started",
            3,
            2,
            "invoke_agent researcher",
            620,
        ),
        event("tool.call.started", 4, 3, search, 621),
        event("tool.call.retrying", 4, 3, search, 700),
        event("tool.call.retrying", 4, 3, search, 900),
        failed(
            ended(event("tool.call.failed", 4, 3, search, 1_621), 1_000),
            "timeout",
        ),
        failed(
            ended(
                event(
                    "agent.execution.failed",
                    3,
                    2,
                    "invoke_agent researcher",
                    1_622,
                ),
                1_002,
            ),
            "timeout",
        ),
        event("llm.call.started", 5, 2, chat, 1_623),
        ended(
            with(
                event("llm.call.completed", 5, 2, chat, 4_000),
                &usage(5_120, 900, 0),
            ),
            2_377,
        ),
        failed(
            ended(event("agent.execution.failed", 2, 1, writer, 4_001), 4_000),
            "timeout",
        ),
        failed(
            ended(event("workflow.failed", 1, 0, crew, 4_002), 4_002),
            "timeout",
        ),
    ]);
    events
}

/// A call that was blocked, with what was found in it.
pub(crate) fn blocked() -> Vec<EventData> {
    let chat = "chat gpt-4o";
    vec![
        event("agent.execution.started", 1, 0, "invoke_agent clerk", 0),
        event("llm.call.started", 2, 1, chat, 1),
        event("security.alert", 2, 1, chat, 2),
        failed(
            ended(event("llm.call.blocked", 2, 1, chat, 3), 2),
            "security_blocked",
        ),
        ended(
            event("agent.execution.completed", 1, 0, "invoke_agent clerk", 4),
            4,
        ),
    ]
}

/// Names that are long, wide, or have marks.
pub(crate) fn names() -> Vec<EventData> {
    let long = "chat arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5";
    let names = [
        long,
        "execute_tool 東京の天気を調べる",
        "execute_tool 한국어_검색",
        "execute_tool cafe\u{301} e\u{301}t\u{e9}",
        "execute_tool 🚀❤\u{fe0f}",
    ];
    let mut events = vec![event(
        "agent.execution.started",
        1,
        0,
        "invoke_agent 旅行プランナー",
        0,
    )];
    for (n, name) in names.into_iter().enumerate() {
        let (n, ty) = (n as u64, if n == 0 { "llm.call" } else { "tool.call" });
        events.push(event(&format!("{ty}.started"), n + 2, 1, name, n));
        let end = event(&format!("{ty}.completed"), n + 2, 1, name, n + 30);
        events.push(ended(
            if n == 0 {
                with(end, &usage(5_120, 900, 4_096))
            } else {
                end
            },
            30,
        ));
    }
    events.push(ended(
        event(
            "agent.execution.completed",
            1,
            0,
            "invoke_agent 旅行プランナー",
            40,
        ),
        40,
    ));
    events
}

/// A span with hundreds of children, two of which fail and one of which is slow, and below the last a deep chain.
pub(crate) fn wide_and_deep() -> Vec<EventData> {
    let mut events = vec![event("workflow.started", 1, 0, "invoke_workflow index", 0)];
    for n in 0..500 {
        let (span, from) = (n + 2, n * 10);
        let name = format!("execute_tool page-{n}");
        events.push(event("tool.call.started", span, 1, &name, from));
        let (lived, end) = match n {
            250 => (4_000, "completed"),
            100 | 400 => (7, "failed"),
            _ => (5, "completed"),
        };
        let end = ended(
            event(&format!("tool.call.{end}"), span, 1, &name, from + lived),
            lived,
        );
        events.push(if lived == 7 {
            failed(end, "not_found")
        } else {
            end
        });
    }
    for n in 0..30 {
        let parent = if n == 0 { 1 } else { 1_000 + n - 1 };
        events.push(event(
            "step.started",
            1_000 + n,
            parent,
            &format!("level {n}"),
            5_000 + n,
        ));
    }
    for n in (0..30).rev() {
        let parent = if n == 0 { 1 } else { 1_000 + n - 1 };
        events.push(ended(
            event(
                "step.completed",
                1_000 + n,
                parent,
                &format!("level {n}"),
                5_100,
            ),
            100,
        ));
    }
    events.push(ended(
        event("workflow.completed", 1, 0, "invoke_workflow index", 6_000),
        6_000,
    ));
    events
}
