//! From trees to lines.
//!
//! Promise: a span is one line, and the same line live and final but for what is not known yet.
//! Never: shows content. There is nothing in the tree that could be.

use std::time::SystemTime;

use super::facts::{Ended, Note, Run};
use super::format;
use super::line::{Line, Style};
use super::tree::{Child, Key, Node, Tree};
use crate::event::{Kind, Level, Phase, Usage};

/// The whole tree below `root`.
pub(super) fn whole(tree: &Tree, root: Key) -> Vec<Line> {
    let mut rows = Vec::new();
    walk(tree, root, &Guide::default(), true, &mut rows);
    rows.into_iter().map(|row| row.line(None)).collect()
}

/// One span by itself, indented by its depth.
pub(super) fn single(node: &Node) -> Line {
    let mut line = Line::default();
    line.push(Style::Plain, "  ".repeat(node.depth));
    run(&mut line, &node.run, None);
    line
}

/// The last moment of a span by itself.
pub(super) fn last_note(node: &Node) -> Option<Line> {
    let Some(Child::Note(moment)) = node.children.last() else {
        return None;
    };
    let mut line = Line::default();
    line.push(Style::Plain, "  ".repeat(node.depth + 1));
    note(&mut line, moment);
    Some(line)
}

/// One span that belongs nowhere.
pub(super) fn loose_run(span: &Run) -> Line {
    let mut line = Line::default();
    run(&mut line, span, None);
    line
}

/// One moment that belongs nowhere.
pub(super) fn loose_note(moment: &Note) -> Line {
    let mut line = Line::default();
    note(&mut line, moment);
    line
}

/// What is going on, on at most `height` lines: every open span, then what ended last beside them.
pub(super) fn live(tree: &Tree, height: usize, now: SystemTime) -> Vec<Line> {
    let mut rows = Vec::new();
    for root in tree.roots() {
        walk(tree, root, &Guide::default(), false, &mut rows);
    }
    let mut hidden = 0;
    if rows.len() > height {
        let room = height.saturating_sub(1);
        let mut open = room.min(rows.iter().filter(|row| row.open).count());
        let mut closed_to_drop = rows
            .iter()
            .filter(|row| !row.open)
            .count()
            .saturating_sub(room - open);
        let before = rows.len();
        rows.retain(|row| {
            let budget = if row.open {
                &mut open
            } else {
                &mut closed_to_drop
            };
            let spent = *budget > 0;
            *budget = budget.saturating_sub(1);
            // For open rows the budget is what may stay, for finished ones what must go.
            spent == row.open
        });
        hidden = before - rows.len();
    }
    let mut lines: Vec<Line> = rows.into_iter().map(|row| row.line(Some(now))).collect();
    if hidden > 0 {
        lines.push(more("", hidden));
    }
    lines
}

// === rows ===

/// The lines that lead from a parent to its children.
#[derive(Debug, Clone, Default)]
struct Guide {
    own: String,
    below: String,
}

impl Guide {
    fn child(&self, last: bool) -> Self {
        let (own, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        Self {
            own: format!("{}{own}", self.below),
            below: format!("{}{below}", self.below),
        }
    }
}

#[derive(Debug)]
enum Item<'a> {
    Run(&'a Run),
    Note(&'a Note),
    More(usize),
}

#[derive(Debug)]
struct Row<'a> {
    guide: String,
    item: Item<'a>,
    open: bool,
}

impl Row<'_> {
    fn line(self, now: Option<SystemTime>) -> Line {
        if let Item::More(n) = self.item {
            return more(&self.guide, n);
        }
        let mut line = Line::default();
        line.push(Style::Dim, self.guide);
        match self.item {
            Item::Run(span) => run(&mut line, span, now),
            Item::Note(moment) => note(&mut line, moment),
            Item::More(_) => {}
        }
        line
    }
}

fn more(guide: &str, n: usize) -> Line {
    let mut line = Line::default();
    line.push(Style::Dim, format!("{guide}… {n} more"));
    line
}

/// What people see below a node.
enum Seen<'a> {
    Run(Key),
    Note(&'a Note),
}

/// Adds the rows of a subtree; what is finished is opened up only if `whole`. Recursion is safe: trees are shallow.
fn walk<'a>(tree: &'a Tree, key: Key, guide: &Guide, whole: bool, rows: &mut Vec<Row<'a>>) {
    let Some(node) = tree.get(key) else { return };
    if !node.run.hidden {
        let open = node.open > 0;
        rows.push(Row {
            guide: guide.own.clone(),
            item: Item::Run(&node.run),
            open,
        });
        if !open && !whole {
            return;
        }
    }
    let (mut seen, mut dropped) = (Vec::new(), 0);
    collect(tree, node, &mut seen, &mut dropped);
    let guide_of = |last| {
        if node.run.hidden {
            guide.clone()
        } else {
            guide.child(last)
        }
    };
    if dropped > 0 {
        let guide = guide_of(seen.is_empty()).own;
        rows.push(Row {
            guide,
            item: Item::More(dropped),
            open: false,
        });
    }
    let count = seen.len();
    for (at, seen) in seen.into_iter().enumerate() {
        let guide = guide_of(at + 1 == count);
        match seen {
            Seen::Run(key) => walk(tree, key, &guide, whole, rows),
            Seen::Note(moment) => rows.push(Row {
                guide: guide.own,
                item: Item::Note(moment),
                open: false,
            }),
        }
    }
}

/// The children, with those of hidden ones in their place.
fn collect<'a>(tree: &'a Tree, node: &'a Node, seen: &mut Vec<Seen<'a>>, dropped: &mut usize) {
    *dropped += node.more;
    for child in &node.children {
        match child {
            Child::Note(moment) => seen.push(Seen::Note(moment)),
            Child::Run(key) => match tree.get(*key) {
                Some(node) if node.run.hidden => collect(tree, node, seen, dropped),
                Some(_) => seen.push(Seen::Run(*key)),
                None => {}
            },
        }
    }
}

// === one line ===

fn run(line: &mut Line, run: &Run, now: Option<SystemTime>) {
    let (mark, style) = mark(run);
    line.push(style, format!("{mark} "));
    let (glyph, style) = glyph(run.kind);
    line.push(style, format!("{glyph} "));
    let bold = matches!(run.kind, Kind::Agent | Kind::Workflow | Kind::A2a);
    line.push(
        if bold { Style::Bold } else { Style::Plain },
        run.name.clone(),
    );
    let mut facts = match &run.ended {
        Some(ended) => finished(run, ended),
        None => running(run, now),
    };
    facts.retain(|(_, text)| !text.is_empty());
    for (at, (style, text)) in facts.into_iter().enumerate() {
        line.push(Style::Dim, if at == 0 { "  " } else { " · " });
        line.push(style, text);
    }
}

fn running(run: &Run, now: Option<SystemTime>) -> Vec<(Style, String)> {
    let Some(now) = now else {
        return vec![(Style::Yellow, "still running".to_owned())];
    };
    let mut facts = Vec::new();
    if let Some(wait) = run.first_chunk {
        facts.push((Style::Dim, format!("ttfc {}", format::duration(wait))));
    }
    if run.chunks > 0 {
        facts.push((Style::Dim, format::plural(run.chunks, "chunk")));
    }
    let lived = now.duration_since(run.started).unwrap_or_default();
    facts.push((Style::Plain, format::elapsed(lived).unwrap_or_default()));
    facts
}

fn finished(run: &Run, ended: &Ended) -> Vec<(Style, String)> {
    let mut facts = Vec::new();
    let mut say = |style, text: String| facts.push((style, text));
    match (&ended.phase, &ended.error) {
        (_, Some(kind)) => say(Style::Red, kind.clone()),
        (Phase::Failed, None) => say(Style::Red, "failed".to_owned()),
        (Phase::Completed, None) => {}
        (other, None) => say(Style::Yellow, other.as_str().to_owned()),
    }
    let totals = &ended.totals;
    if totals.calls > 0 {
        say(Style::Dim, format::plural(totals.calls, "call"));
    }
    if totals.tools > 0 {
        say(Style::Dim, format::plural(totals.tools, "tool"));
    }
    if totals.tool_errors > 0 {
        say(Style::Red, format::plural(totals.tool_errors, "tool error"));
    }
    let own = !ended.usage.is_empty();
    tokens(if own { &ended.usage } else { &totals.usage }, &mut say);
    let cost = if own {
        ended.cost
    } else {
        totals.cost.or(ended.cost)
    };
    match cost.and_then(format::dollars) {
        Some(cost) if !own && totals.cost_partial => say(Style::Green, format!("≥ {cost}")),
        Some(cost) => say(Style::Green, cost),
        None if own && run.kind == Kind::Llm => say(Style::Dim, "cost ?".to_owned()),
        None => {}
    }
    if let Some(wait) = run.first_chunk {
        say(Style::Dim, format!("ttfc {}", format::duration(wait)));
    }
    say(Style::Plain, format::duration(ended.duration));
    facts
}

fn tokens(usage: &Usage, say: &mut impl FnMut(Style, String)) {
    if let Some(input) = usage.input_tokens {
        let cached = usage.cache_read_tokens.filter(|n| *n > 0);
        let cached = cached.map_or(String::new(), |n| format!(" ({} cached)", format::count(n)));
        say(Style::Plain, format!("in {}{cached}", format::count(input)));
    }
    if let Some(output) = usage.output_tokens {
        say(Style::Plain, format!("out {}", format::count(output)));
    }
}

fn note(line: &mut Line, note: &Note) {
    let style = match note.level {
        Level::Warn => Style::Yellow,
        Level::Error | Level::Alert => Style::Red,
        _ => Style::Dim,
    };
    line.push(style, format!("· {}", note.text));
    if let Some(kind) = &note.error {
        line.push(Style::Dim, "  ");
        line.push(Style::Red, kind.clone());
    }
}

/// How it went.
fn mark(run: &Run) -> (char, Style) {
    match run.ended.as_ref().map(|ended| &ended.phase) {
        None => ('…', Style::Yellow),
        Some(Phase::Completed) => ('✓', Style::Green),
        Some(Phase::Failed) => ('✗', Style::Red),
        Some(Phase::Blocked) => ('⊘', Style::Yellow),
        Some(Phase::Paused) => ('‖', Style::Yellow),
        Some(_) => ('–', Style::Yellow),
    }
}

/// What it is.
fn glyph(kind: Kind) -> (char, Style) {
    match kind {
        Kind::Workflow => ('◈', Style::Magenta),
        Kind::Agent | Kind::A2a => ('◆', Style::Magenta),
        Kind::Plan => ('◇', Style::Magenta),
        Kind::Step => ('▸', Style::Dim),
        Kind::Llm => ('●', Style::Cyan),
        Kind::Tool | Kind::Mcp => ('■', Style::Yellow),
        Kind::Retrieval | Kind::Memory => ('▲', Style::Yellow),
        Kind::Guardrail | Kind::Security => ('▼', Style::Red),
        Kind::Evaluation | Kind::Human => ('○', Style::Cyan),
        _ => ('▪', Style::Dim),
    }
}
