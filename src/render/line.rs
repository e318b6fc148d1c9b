//! One event, one line for people.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::Render;
use crate::console::escape;
use crate::event::{Attrs, CONTENT, Event, Usage, Value};
use crate::semconv;

/// The longest value shown, in characters. Longer ones end in `…`.
const LONGEST: usize = 120;

/// A line with the facts a person looks for: time, level, type, the span's name, then `key=value`.
///
/// ```text
/// 2026-11-25T10:00:00.123Z INFO  llm.call.completed chat gpt-4o agent=planner in=140 out=32 cost_usd=0.0000402 ms=412
/// 2026-11-25T10:00:00.131Z INFO  order.placed agent=planner order_id=7
/// ```
///
/// The attributes of moments are shown, those of spans are left to [`Json`](super::Json). Foreign text is escaped for
/// terminals, values are cut after 120 characters, and content (bodies, error messages, messages, tool arguments) is not
/// shown, even where it is captured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line;

impl Render for Line {
    fn render(&self, event: &Event, out: &mut dyn Write) -> fmt::Result {
        // To the millisecond: `2026-11-25T10:00:00.123`.
        let time = event.time_rfc3339();
        let level = event.level.severity_text();
        write!(
            out,
            "{}Z {level:<5} {}",
            time.get(..23).unwrap_or(&time),
            event.ty
        )?;
        if !event.name.is_empty() {
            write!(out, " {}", shown(&event.name))?;
        }
        facts(event, out)?;
        out.write_char('\n')
    }
}

fn facts(event: &Event, out: &mut dyn Write) -> fmt::Result {
    let usage = Usage::from_attrs(&event.attrs);
    let cost = event
        .attr(semconv::GEN_AI_USAGE_COST)
        .and_then(Value::as_f64);
    let ms = event
        .duration
        .map(|lived| (lived.as_micros() as f64 / 1e3).to_string());
    let facts: [(&str, Option<Cow<'_, str>>); 7] = [
        ("agent", event.who.agent_name.as_deref().map(Cow::from)),
        ("in", usage.input_tokens.map(|n| n.to_string().into())),
        ("out", usage.output_tokens.map(|n| n.to_string().into())),
        ("cost_usd", cost.map(|usd| usd.to_string().into())),
        ("ms", ms.map(Cow::from)),
        (
            "error",
            event.error.as_ref().map(|error| Cow::from(&*error.kind)),
        ),
        (
            "trace",
            (event.cx.trace != opentelemetry::TraceId::INVALID)
                .then(|| event.cx.trace.to_string().into()),
        ),
    ];
    for (key, value) in facts {
        if let Some(value) = value {
            fact(out, key, &value)?;
        }
    }
    if event.phase.is_moment() {
        for (key, value) in own(&event.attrs) {
            fact(out, key, &value.to_string())?;
        }
    }
    Ok(())
}

/// What the application said itself: neither content, nor what the conventions inherit from the span.
fn own(attrs: &Attrs) -> impl Iterator<Item = (&str, &Value)> {
    let inherited = |key: &str| ["gen_ai.", "genai."].iter().any(|of| key.starts_with(of));
    attrs
        .iter()
        .filter(move |(key, _)| !inherited(key) && !CONTENT.contains(key))
}

fn fact(out: &mut dyn Write, key: &str, value: &str) -> fmt::Result {
    let value = shown(value);
    let bare = !value.is_empty() && !value.contains([' ', '\t', '"', '=']);
    if bare {
        write!(out, " {}={value}", shown(key))
    } else {
        write!(out, " {}=\"{}\"", shown(key), value.replace('"', "\\\""))
    }
}

/// Foreign text in its place: cut, then escaped.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        None => escape(text),
        Some((end, _)) => format!("{}…", escape(&text[..end])).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::event::{ErrorInfo, EventData, EventType};

    fn line(build: impl FnOnce(&mut EventData), ty: &str) -> String {
        let mut data = EventData::new(
            EventType::parse(ty).unwrap(),
            SystemTime::UNIX_EPOCH + Duration::from_micros(1_234_567),
        );
        build(&mut data);
        let mut out = String::new();
        Line.render(&Event::new(data), &mut out).unwrap();
        out
    }

    #[test]
    fn a_call_shows_who_how_much_and_how_long() {
        let shown = line(
            |call| {
                call.name = "chat gpt-4o".into();
                call.who.agent_name = Some("the planner".into());
                call.duration = Some(Duration::from_micros(412_500));
                call.attrs.set("gen_ai.usage.input_tokens", 140);
                call.attrs.set("gen_ai.usage.output_tokens", 32);
                call.attrs.set("gen_ai.usage.cost", 0.000_040_2);
                call.error = Some(ErrorInfo::new("timeout").with_message("CANARY"));
                call.body = Some("CANARY".into());
                call.attrs.set("gen_ai.input.messages", "CANARY");
                call.attrs.set("server.address", "left to JSON");
            },
            "llm.call.failed",
        );
        assert_eq!(
            shown,
            "1970-01-01T00:00:01.234Z ERROR llm.call.failed chat gpt-4o agent=\"the planner\" in=140 out=32 \
             cost_usd=0.0000402 ms=412.5 error=timeout\n"
        );
    }

    #[test]
    fn a_moment_shows_its_own_attributes() {
        let shown = line(
            |moment| {
                moment.attrs.set("order_id", 7);
                moment.attrs.set("note", "");
                moment.attrs.set("said", "a=\"b\"");
                moment.attrs.set("gen_ai.agent.name", "inherited");
                moment.attrs.set("exception.message", "CANARY");
            },
            "order.placed",
        );
        assert_eq!(
            shown,
            "1970-01-01T00:00:01.234Z INFO  order.placed order_id=7 note=\"\" said=\"a=\\\"b\\\"\"\n"
        );
    }

    #[test]
    fn foreign_text_neither_starts_a_line_nor_fills_one() {
        let shown = line(
            |moment| {
                moment.name = "chat\nFAKE \x1b[2J".into();
                moment.attrs.set("k\r\n", "x".repeat(10_000));
            },
            "a.b",
        );
        assert_eq!(shown.matches('\n').count(), 1);
        assert!(!shown.contains(['\r', '\x1b']), "{shown:?}");
        assert!(shown.contains("chat\\nFAKE \\u{1b}[2J k\\r\\n=xxx"));
        assert!(shown.ends_with("x…\n") && shown.len() < 300);
    }
}
