//! What a long run comes to, on one line below its tree.
//!
//! ```text
//! = ✗ ◆ invoke_agent planner  2 failed, first execute_tool weather timeout · 12 calls · $0.0021 · slowest chat gpt-4o 12 s · 41 s
//! ```
//!
//! Promise: says what the first row says, which may have left the screen, and where to look.

use super::facts::Run;
use super::format;
use super::layout::{Fact, Rank, Row};
use super::line::{self, Style};
use super::row;
use super::tree::{Key, Node, Tree};
use crate::event::Phase;

/// The longest name in it, in columns.
const NAME: usize = 40;

/// `None` if there is no such tree, or it has no row of its own.
pub(super) fn of(tree: &Tree, root: Key) -> Option<Row> {
    let node = tree.get(root).filter(|node| !node.run.hidden)?;
    let mut row = row::run(&node.run, &node.totals, None);
    row.marks.insert(0, (Style::Dim, "= ".to_owned()));
    let below = Below::of(tree, node);
    let mut facts = Vec::new();
    let first = below.first;
    for (n, word, style) in [
        (below.failed, "failed", Style::Red),
        (below.blocked, "blocked", Style::Yellow),
    ] {
        if n == 0 {
            continue;
        }
        let mut text = format!("{} {word}", format::count(n));
        let ended_so = |run: &&Run| {
            let ended = run.ended.as_ref();
            ended.is_some_and(|ended| ended.phase.as_str() == word)
        };
        if let Some(run) = first.filter(ended_so) {
            text.push_str(if n == 1 { ": " } else { ", first " });
            text.push_str(&line::cut(&run.name, NAME));
            if let Some(error) = run.ended.as_ref().and_then(|ended| ended.error.as_ref()) {
                text = format!("{text} {error}");
            }
        }
        facts.push(Fact {
            rank: Rank::Error,
            style,
            text,
        });
    }
    row.facts.splice(0..0, facts);
    if let Some((run, ended)) = below
        .slowest
        .and_then(|run| Some((run, run.ended.as_ref()?)))
    {
        let name = line::cut(&run.name, NAME);
        row.facts.push(Fact {
            rank: Rank::Stream,
            style: Style::Dim,
            text: format!("slowest {name} {}", format::duration(ended.duration)),
        });
    }
    Some(row)
}

/// What is found below a root.
#[derive(Debug, Default)]
struct Below<'a> {
    failed: u64,
    blocked: u64,
    /// What went wrong first with nothing wrong below it.
    first: Option<&'a Run>,
    /// Of what has nothing below it, what took longest.
    slowest: Option<&'a Run>,
}

impl<'a> Below<'a> {
    fn of(tree: &'a Tree, root: &'a Node) -> Self {
        let mut found = Self::default();
        let mut stack: Vec<&Node> = vec![root];
        while let Some(node) = stack.pop() {
            let before = stack.len();
            stack.extend(node.runs().rev().filter_map(|key| tree.get(key)));
            let leaf = stack[before..].iter().all(|node| node.run.hidden);
            if !std::ptr::eq(node, root) && !node.run.hidden {
                found.look_at(node, leaf);
            }
        }
        found
    }

    fn look_at(&mut self, node: &'a Node, leaf: bool) {
        let run = &node.run;
        let Some(ended) = &run.ended else { return };
        // A cause, not what failed because of it.
        if run.in_trouble() && node.troubles == 1 {
            match ended.phase {
                Phase::Blocked => self.blocked += 1,
                _ => self.failed += 1,
            }
            let at = |run: &Run| run.ended.as_ref().map(|ended| ended.at);
            if self.first.is_none_or(|first| at(run) < at(first)) {
                self.first = Some(run);
            }
        }
        let lived = |run: &Run| run.ended.as_ref().map(|ended| ended.duration);
        if leaf
            && self
                .slowest
                .is_none_or(|slowest| lived(run) > lived(slowest))
        {
            self.slowest = Some(run);
        }
    }
}
