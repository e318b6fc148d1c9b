//! Spans as indented text.

use std::fmt::Write as _;

use super::CapturedSpan;
use crate::console::escape;
use crate::event::Value;
use crate::semconv;

/// Spans as indented text, children below parents in the order of their starts, with tokens, cost and errors: what
/// [`Capture::tree`](super::Capture::tree) gives, for spans that were captured by other means. Foreign text is escaped.
pub fn render(spans: &[CapturedSpan]) -> String {
    let mut order: Vec<_> = spans.iter().collect();
    order.sort_by_key(|span| span.start);
    let known = |span: &CapturedSpan| {
        spans
            .iter()
            .any(|s| s.span_id == span.parent_id && s.trace_id == span.trace_id)
    };
    let mut text = String::new();
    // A stack of spans to show, the next on top: no recursion, however deep the trace.
    let mut next: Vec<_> = order
        .iter()
        .rev()
        .filter(|span| !known(span))
        .map(|span| (0, *span))
        .collect();
    while let Some((depth, span)) = next.pop() {
        let _ = writeln!(text, "{:indent$}{}", "", line(span), indent = depth * 4);
        let children = order
            .iter()
            .rev()
            .filter(|s| s.parent_id == span.span_id && s.trace_id == span.trace_id);
        next.extend(children.map(|child| (depth + 1, *child)));
    }
    text
}

fn line(span: &CapturedSpan) -> String {
    let mut line = escape(&span.name).into_owned();
    let mut gap = "  ";
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(line, "{gap}{name}={}", escape(&value));
            gap = " ";
        }
    };
    let shown = |name: &str| span.attr(name).map(Value::to_string);
    add("in", shown(semconv::GEN_AI_USAGE_INPUT_TOKENS));
    add("out", shown(semconv::GEN_AI_USAGE_OUTPUT_TOKENS));
    add(
        "cost",
        span.attr(semconv::GEN_AI_USAGE_COST)
            .and_then(Value::as_f64)
            .map(|cost| format!("${cost}")),
    );
    add("error", shown(semconv::ERROR_TYPE));
    line
}
