//! Spans as indented text with their kinds, whoever exported them.

use std::collections::HashSet;

use opentelemetry_proto::tonic::trace::v1::Span;
use tracing_genai::testing::CapturedSpan;

struct Node {
    id: Vec<u8>,
    parent: Vec<u8>,
    start: u64,
    line: String,
}

/// What was captured, but for the handshake and `rmcp`'s own spans.
pub(crate) fn captured(spans: &[CapturedSpan]) -> String {
    let node = |span: &CapturedSpan| Node {
        id: span.span_id.to_bytes().to_vec(),
        parent: span.parent_id.to_bytes().to_vec(),
        start: span
            .start
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64,
        line: format!("{} {:?}", span.name, span.kind),
    };
    render(spans.iter().map(node).collect())
}

/// What a collector got.
pub(crate) fn collected(spans: &[Span]) -> String {
    let node = |span: &Span| Node {
        id: span.span_id.clone(),
        parent: span.parent_span_id.clone(),
        start: span.start_time_unix_nano,
        line: format!(
            "{} {}",
            span.name,
            ["", "Internal", "Server", "Client"][span.kind as usize]
        ),
    };
    render(spans.iter().map(node).collect())
}

fn is_handshake(line: &str) -> bool {
    ["initialize ", "notifications/initialized "]
        .iter()
        .any(|name| line.starts_with(name))
}

fn render(mut nodes: Vec<Node>) -> String {
    nodes.retain(|node| !is_handshake(&node.line));
    nodes.sort_by_key(|node| node.start);
    let known: HashSet<_> = nodes.iter().map(|node| node.id.clone()).collect();
    let mut text = String::new();
    let mut next: Vec<_> = nodes
        .iter()
        .rev()
        .filter(|node| !known.contains(&node.parent))
        .map(|node| (0, node))
        .collect();
    while let Some((depth, node)) = next.pop() {
        text.push_str(&format!(
            "{:indent$}{}\n",
            "",
            node.line,
            indent = depth * 2
        ));
        let children = nodes.iter().rev().filter(|child| child.parent == node.id);
        next.extend(children.map(|child| (depth + 1, child)));
    }
    text
}
