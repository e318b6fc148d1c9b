//! One span or one moment as a row.
//!
//! Promise: the same row live and final but for what is not known yet.

use std::time::{Duration, SystemTime};

use super::facts::{Ended, Note, Run, Totals};
use super::format;
use super::layout::{Fact, Rank, Row};
use super::line::Style;
use crate::event::{Kind, Level, Phase, Usage};

pub(super) fn run(run: &Run, so_far: &Totals, now: Option<SystemTime>) -> Row {
    let (mark, style) = mark(run);
    let prefix = prefix(run.kind);
    let mut row = Row {
        marks: vec![(style, format!("{mark} "))],
        prefix: if run.name.starts_with(prefix) && run.name.len() > prefix.len() {
            prefix.len()
        } else {
            0
        },
        name: run.name.clone(),
        ..Row::default()
    };
    let (glyph, style) = glyph(run.kind);
    row.marks.push((style, format!("{glyph} ")));
    if matches!(run.kind, Kind::Agent | Kind::Workflow | Kind::A2a) {
        row.style = Some(Style::Bold);
    }
    match &run.ended {
        Some(ended) => finished(&mut row, run, ended),
        None => running(&mut row, run, so_far, now),
    }
    row
}

fn running(row: &mut Row, run: &Run, so_far: &Totals, now: Option<SystemTime>) {
    let Some(now) = now else {
        row.time = Some(String::new());
        return row.say(Rank::Error, Style::Yellow, "still running");
    };
    if matches!(
        run.kind,
        Kind::Agent | Kind::Workflow | Kind::Step | Kind::Plan | Kind::A2a
    ) {
        counts(row, so_far);
        tokens(row, &so_far.usage);
        cost(row, so_far.cost, so_far.cost_partial);
    }
    if let Some(wait) = run.first_chunk {
        let wait = format::duration(wait);
        row.say(Rank::Stream, Style::Dim, format!("ttfc {wait}"));
    }
    if run.thinking {
        row.say(Rank::Cost, Style::Magenta, "thinking");
    }
    if run.chunks > 0 {
        row.say(
            Rank::Detail,
            Style::Dim,
            format::plural(run.chunks, "chunk"),
        );
    }
    let lived = now.duration_since(run.started).unwrap_or_default();
    row.time = Some(format::elapsed(lived).unwrap_or_default());
}

fn finished(row: &mut Row, run: &Run, ended: &Ended) {
    match (&ended.phase, &ended.error) {
        (_, Some(kind)) => row.say(Rank::Error, Style::Red, kind.clone()),
        (Phase::Failed, None) => row.say(Rank::Error, Style::Red, "failed"),
        (Phase::Completed, None) => {}
        (other, None) => row.say(Rank::Error, Style::Yellow, other.as_str().to_owned()),
    }
    let totals = &ended.totals;
    counts(row, totals);
    let own = !ended.usage.is_empty();
    if own {
        tokens(row, &ended.usage);
        if ended.cost.is_none() && run.kind == Kind::Llm {
            row.say(Rank::Cost, Style::Dim, "cost ?");
        }
        cost(row, ended.cost, false);
    } else {
        tokens(row, &totals.usage);
        cost(row, totals.cost.or(ended.cost), totals.cost_partial);
    }
    if let Some(wait) = run.first_chunk {
        let wait = format::duration(wait);
        row.say(Rank::Stream, Style::Dim, format!("ttfc {wait}"));
    }
    if let Some(rate) = run.rate() {
        row.say(
            Rank::Detail,
            Style::Dim,
            format!("{}/s", format::rate(rate)),
        );
    }
    row.time = Some(format::duration(ended.duration));
}

fn counts(row: &mut Row, totals: &Totals) {
    for (n, noun, rank, style) in [
        (totals.calls, "call", Rank::Count, Style::Dim),
        (totals.tools, "tool", Rank::Count, Style::Dim),
        (totals.tool_errors, "tool error", Rank::Cost, Style::Red),
    ] {
        if n > 0 {
            row.say(rank, style, format::plural(n, noun));
        }
    }
}

fn tokens(row: &mut Row, usage: &Usage) {
    if let Some(input) = usage.input_tokens {
        let cached = usage.cache_read_tokens.filter(|n| *n > 0);
        let cached = cached.map_or(String::new(), |n| format!(" ({} cached)", format::count(n)));
        let input = format::count(input);
        row.say(Rank::Tokens, Style::Plain, format!("in {input}{cached}"));
    }
    if let Some(output) = usage.output_tokens {
        let output = format::count(output);
        row.say(Rank::Tokens, Style::Plain, format!("out {output}"));
    }
}

fn cost(row: &mut Row, cost: Option<f64>, partial: bool) {
    if let Some(cost) = cost.and_then(format::dollars) {
        let at_least = if partial { "≥ " } else { "" };
        row.say(Rank::Cost, Style::Green, format!("{at_least}{cost}"));
    }
}

/// How many attempts there were. The row is the last one's, the time that of all.
pub(super) fn again(row: &mut Row, attempts: usize, took: Duration) {
    row.say(Rank::Error, Style::Red, format!("×{attempts}"));
    row.time = Some(format::duration(took));
}

pub(super) fn note(note: &Note) -> Row {
    let style = match note.level {
        Level::Warn => Style::Yellow,
        Level::Error | Level::Alert => Style::Red,
        _ => Style::Dim,
    };
    let mut row = Row {
        marks: vec![(style, "· ".to_owned())],
        name: note.text.clone(),
        style: Some(style),
        ..Row::default()
    };
    if note.level >= Level::Warn {
        let level = note.level.severity_text();
        row.marks.push((style, format!("{level} ")));
    }
    if note.times > 1 {
        row.say(
            Rank::Count,
            style,
            format!("×{}", format::count(note.times)),
        );
    }
    if let Some(kind) = &note.error {
        row.say(Rank::Error, Style::Red, kind.clone());
    }
    row
}

pub(super) fn text(what: &'static str, words: String) -> Row {
    Row {
        marks: vec![(Style::Cyan, format!("{what} "))],
        name: words,
        style: Some(Style::Dim),
        end: what != "with",
        ..Row::default()
    }
}

pub(super) fn more(n: usize) -> Row {
    Row {
        name: format!("… {} more", format::count(n as u64)),
        style: Some(Style::Dim),
        ..Row::default()
    }
}

impl Row {
    fn say(&mut self, rank: Rank, style: Style, text: impl Into<String>) {
        let text = text.into();
        self.facts.push(Fact { rank, style, text });
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

/// How the conventions begin the name of what the glyph says.
fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Agent | Kind::A2a => "invoke_agent ",
        Kind::Workflow => "invoke_workflow ",
        Kind::Tool | Kind::Mcp => "execute_tool ",
        _ => "",
    }
}

/// What it is.
pub(super) fn glyph(kind: Kind) -> (char, Style) {
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
