//! From trees to rows.
//!
//! Promise: a span is one row. What went wrong is never among what
//! is left out for want of room, unless there is nothing else.
//! Never: shows content, unless the tree keeps some.

use std::time::{Duration, SystemTime};

use super::facts::{Note, Run, Totals};
use super::layout::{self, Bar, Room, Row};
use super::line::{Line, Style};
use super::row::{again, glyph, more, note, run, text};
use super::summary;
use super::tree::{Child, Key, Node, Tree};
use crate::event::Level;
use crate::security::redact::Redactor;

/// Children of one span that a final tree shows all of. Of more the first and the last, the slowest, and what went wrong.
const CHILDREN: usize = 40;
/// How many of each of these.
const ENDS: usize = 10;
const SLOWEST: usize = 3;
/// From so many rows on the first one may have left the screen, and a summary follows the last.
const SUMMARY: usize = 12;

/// What rows are made for.
#[derive(Debug, Clone, Copy)]
struct Frame<'a> {
    tree: &'a Tree,
    /// `None` is for good.
    now: Option<SystemTime>,
    redactor: Option<&'a Redactor>,
}

/// The whole tree below `root`, and below a long one what it comes to.
pub(super) fn whole(tree: &Tree, root: Key, room: Room) -> Vec<Line> {
    let frame = Frame {
        tree,
        now: None,
        redactor: None,
    };
    let rows: Vec<Row> = frame.rows(root).into_iter().map(|(row, _)| row).collect();
    let summary = (rows.len() >= SUMMARY)
        .then(|| summary::of(tree, root))
        .flatten();
    let mut lines = layout::lines(rows, room);
    lines.extend(summary.map(|row| layout::line(row, room)));
    lines
}

/// One span by itself, indented by its depth.
pub(super) fn single(node: &Node, room: Room) -> Line {
    let mut row = run(&node.run, &node.totals, None);
    row.guide = "  ".repeat(node.depth);
    layout::line(row, room)
}

/// The last moment of a span by itself.
pub(super) fn last_note(node: &Node, room: Room) -> Option<Line> {
    let Some(Child::Note(moment)) = node.children.last() else {
        return None;
    };
    let mut row = note(moment);
    row.guide = "  ".repeat(node.depth + 1);
    Some(layout::line(row, room))
}

/// One span that belongs nowhere.
pub(super) fn loose_run(span: &Run, room: Room) -> Line {
    layout::line(run(span, &Totals::default(), None), room)
}

/// One moment that belongs nowhere.
pub(super) fn loose_note(moment: &Note, room: Room) -> Line {
    layout::line(note(moment), room)
}

/// What is going on, on at most `height` lines: every open span, what went wrong beside them, then what ended last.
pub(super) fn live(
    tree: &Tree,
    redactor: Option<&Redactor>,
    height: usize,
    now: SystemTime,
    room: Room,
) -> Vec<Line> {
    let frame = Frame {
        tree,
        now: Some(now),
        redactor,
    };
    let mut rows: Vec<(Row, Class)> = tree.roots().flat_map(|root| frame.rows(root)).collect();
    let hidden = if rows.len() > height {
        keep(&mut rows, height.saturating_sub(1))
    } else {
        0
    };
    let mut rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
    if hidden > 0 {
        rows.push(more(hidden));
    }
    layout::lines(rows, room)
}

/// Why a row should stay when there is no room for all, the best reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Open,
    Trouble,
    Done,
}

/// Keeps `room` rows in their order: of open ones the first, of the others the last. Answers how many went.
fn keep(rows: &mut Vec<(Row, Class)>, room: usize) -> usize {
    let before = rows.len();
    let mut stays = vec![false; before];
    let mut left = room;
    for class in [Class::Open, Class::Trouble, Class::Done] {
        let mut of_class: Vec<usize> = (0..before).filter(|at| rows[*at].1 == class).collect();
        if class != Class::Open {
            of_class.reverse();
        }
        for at in of_class.into_iter().take(left) {
            stays[at] = true;
            left -= 1;
        }
    }
    let mut at = 0;
    rows.retain(|_| {
        at += 1;
        stays[at - 1]
    });
    before - rows.len()
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

/// What people see below a node.
#[derive(Debug)]
enum Seen<'a> {
    /// A span, and how many before it failed just like it in how much time.
    Run(Key, usize, Duration),
    Note(&'a Note),
    More(usize),
    Text(&'static str, String),
}

/// When a run began, and how many seconds it took or has taken.
type Scale = Option<(SystemTime, f64)>;

impl<'a> Frame<'a> {
    fn rows(self, root: Key) -> Vec<(Row, Class)> {
        let scale = self.tree.get(root).and_then(|node| {
            let end = match &node.run.ended {
                Some(ended) => ended.at,
                None => self.now?,
            };
            let took = end.duration_since(node.run.started).ok()?;
            Some((node.run.started, took.as_secs_f64()))
        });
        let mut rows = Vec::new();
        self.walk(root, &Guide::default(), scale, &mut rows);
        rows
    }

    /// Adds the rows of a subtree. Recursion is safe: trees are shallow.
    fn walk(self, key: Key, guide: &Guide, scale: Scale, rows: &mut Vec<(Row, Class)>) {
        let Some(node) = self.tree.get(key) else {
            return;
        };
        if !node.run.hidden {
            let mut row = run(&node.run, &node.totals, self.now);
            row.guide.clone_from(&guide.own);
            row.bar = scale.and_then(|scale| bar(&node.run, scale, self.now));
            rows.push((row, class(node)));
        }
        let items = self.below(node);
        let count = items.len();
        for (at, item) in items.into_iter().enumerate() {
            let guide = if node.run.hidden {
                guide.clone()
            } else {
                guide.child(at + 1 == count)
            };
            let (mut row, class) = match item {
                Seen::Run(key, before, took) => {
                    let first = rows.len();
                    self.walk(key, &guide, scale, rows);
                    if before > 0
                        && let Some((row, _)) = rows.get_mut(first)
                    {
                        let last = self.tree.get(key).and_then(|node| node.run.ended.as_ref());
                        let last = last.map(|ended| ended.duration).unwrap_or_default();
                        again(row, before + 1, took.saturating_add(last));
                    }
                    continue;
                }
                Seen::Note(moment) if moment.level >= Level::Warn => (note(moment), Class::Trouble),
                Seen::Note(moment) => (note(moment), Class::Done),
                Seen::More(n) => (more(n), Class::Done),
                Seen::Text(what, words) => (text(what, words), class(node)),
            };
            row.guide = guide.own;
            rows.push((row, class));
        }
    }

    /// What is shown below a node.
    fn below(self, node: &'a Node) -> Vec<Seen<'a>> {
        let (mut seen, mut dropped) = (Vec::new(), 0);
        self.collect(node, &mut seen, &mut dropped);
        self.fold(&mut seen);
        if self.now.is_none() {
            self.thin_out(&mut seen);
        } else if node.open == 0 {
            // The way to what went wrong.
            seen.retain(|seen| match seen {
                Seen::Run(key, ..) => self.tree.get(*key).is_some_and(|node| node.troubles > 0),
                _ => false,
            });
            dropped = 0;
        }
        if dropped > 0 {
            seen.insert(0, Seen::More(dropped));
        }
        if let Some(shown) = &node.run.shown {
            if let Some(arguments) = &shown.arguments {
                seen.insert(0, Seen::Text("with", arguments.clone()));
            }
            let streams = node.run.is_open() && self.now.is_some();
            if let Some(words) = shown.words(self.redactor).filter(|_| streams) {
                let what = if node.run.thinking { "thinks" } else { "says" };
                seen.push(Seen::Text(what, words));
            }
        }
        seen
    }

    /// The children, with those of hidden ones in their place.
    fn collect(self, node: &'a Node, seen: &mut Vec<Seen<'a>>, dropped: &mut usize) {
        *dropped += node.more;
        for child in &node.children {
            match child {
                Child::Note(moment) => seen.push(Seen::Note(moment)),
                Child::Run(key) => match self.tree.get(*key) {
                    Some(node) if node.run.hidden => self.collect(node, seen, dropped),
                    Some(_) => seen.push(Seen::Run(*key, 0, Duration::ZERO)),
                    None => {}
                },
            }
        }
    }

    /// Attempts that failed alike, one after the other, become the last of them.
    fn fold(self, seen: &mut Vec<Seen<'a>>) {
        let mut folded: Vec<Seen<'a>> = Vec::with_capacity(seen.len());
        for next in seen.drain(..) {
            if let (Some(Seen::Run(last, before, took)), Seen::Run(key, ..)) =
                (folded.last_mut(), &next)
                && let Some(lived) = self.failed_alike(*last, *key)
            {
                (*last, *before) = (*key, *before + 1);
                *took = took.saturating_add(lived);
            } else {
                folded.push(next);
            }
        }
        *seen = folded;
    }

    /// How long the first took, if both failed in the same way with nothing below them.
    fn failed_alike(self, first: Key, second: Key) -> Option<Duration> {
        let (first, second) = (self.tree.get(first)?, self.tree.get(second)?);
        let alike = |a: &Run, b: &Run| {
            let error = |run: &Run| run.ended.as_ref().and_then(|ended| ended.error.clone());
            a.failed() && b.failed() && a.name == b.name && a.kind == b.kind && error(a) == error(b)
        };
        let bare = |node| {
            let (mut seen, mut dropped) = (Vec::new(), 0);
            self.collect(node, &mut seen, &mut dropped);
            seen.is_empty() && dropped == 0
        };
        let ended = first.run.ended.as_ref()?;
        (alike(&first.run, &second.run) && bare(first) && bare(second)).then_some(ended.duration)
    }

    /// Of very many children some stand for all.
    fn thin_out(self, seen: &mut Vec<Seen<'a>>) {
        let count = seen.len();
        if count <= CHILDREN {
            return;
        }
        let node = |seen: &Seen<'_>| match seen {
            Seen::Run(key, ..) => self.tree.get(*key),
            _ => None,
        };
        let lived = |seen: &Seen<'_>| {
            let ended = node(seen)?.run.ended.as_ref()?;
            Some(ended.duration)
        };
        let troubled = |seen: &Seen<'_>| match seen {
            Seen::Note(moment) => moment.level >= Level::Error,
            seen => node(seen).is_some_and(|node| node.troubles > 0 || node.open > 0),
        };
        let mut slowest: Vec<usize> = (0..count).collect();
        slowest.sort_by_key(|at| std::cmp::Reverse(lived(&seen[*at])));
        let mut stays = vec![false; count];
        let middle = ENDS..count - ENDS;
        let troubles = middle.clone().filter(|at| troubled(&seen[*at])).take(ENDS);
        let ends = (0..count).filter(|at| !middle.contains(at));
        for at in ends
            .chain(troubles)
            .chain(slowest.into_iter().take(SLOWEST))
        {
            stays[at] = true;
        }
        let (mut thinned, mut gone) = (Vec::new(), 0);
        for (seen, stays) in seen.drain(..).zip(stays) {
            if !stays {
                gone += 1;
                continue;
            }
            if gone > 0 {
                thinned.push(Seen::More(gone));
                gone = 0;
            }
            thinned.push(seen);
        }
        *seen = thinned;
    }
}

fn class(node: &Node) -> Class {
    match node {
        node if node.open > 0 => Class::Open,
        node if node.troubles > 0 => Class::Trouble,
        _ => Class::Done,
    }
}

fn bar(run: &Run, (begun, took): (SystemTime, f64), now: Option<SystemTime>) -> Option<Bar> {
    if took <= 0.0 {
        return None;
    }
    let end = match &run.ended {
        Some(ended) => ended.at,
        None => now?,
    };
    let place = |time: SystemTime| {
        let since = time.duration_since(begun).unwrap_or_default();
        since.as_secs_f64() / took
    };
    let style = if run.in_trouble() {
        Style::Red
    } else {
        glyph(run.kind).1
    };
    Some(Bar {
        from: place(run.started),
        to: place(end),
        style,
    })
}
