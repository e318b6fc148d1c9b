//! The runs that are open, as trees.
//!
//! Promise: bounded. At most [`Limits::roots`] trees and [`Limits::lines`] lines (spans and moments) are kept; past that
//! finished parts of open trees are dropped and counted, then the oldest tree is given up. No tree is deeper than
//! [`DEPTH`]: what is nested deeper stands beside its parent.
//! Never: formats, prints, or reads a clock.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use super::facts::{Note, Run, Totals, is_chunk};
use crate::event::{Causality, Event, EventId, Kind, Phase, SpanId, TraceId};

/// A span's identity.
pub(super) type Key = (TraceId, SpanId);

/// Deeper trees than this are calls that call themselves; their indentation would leave no room for the text.
const DEPTH: usize = 32;
/// Finished children that an open span keeps when room is needed: what fills a screen.
const KEPT: usize = 20;
/// How long a tree whose root has ended waits for what still runs below it.
const LINGER: Duration = Duration::from_secs(2);

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) roots: usize,
    pub(super) lines: usize,
    /// Whether content is kept to be shown.
    pub(super) content: bool,
}

/// What a span holds, in the order it happened.
#[derive(Debug)]
pub(super) enum Child {
    Run(Key),
    Note(Note),
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) run: Run,
    pub(super) children: Vec<Child>,
    /// Children that were dropped to make room.
    pub(super) more: usize,
    /// Open spans in this subtree, itself included.
    pub(super) open: usize,
    /// Failed and blocked spans in this subtree, itself included.
    pub(super) troubles: usize,
    /// What has ended below it so far.
    pub(super) totals: Totals,
    pub(super) depth: usize,
    parent: Option<Key>,
    event: Option<EventId>,
}

impl Node {
    /// Its children that are spans.
    pub(super) fn runs(&self) -> impl DoubleEndedIterator<Item = Key> + '_ {
        self.children.iter().filter_map(Child::key)
    }
}

/// What an event did to the trees.
#[derive(Debug)]
pub(super) enum Applied {
    Nothing,
    Changed,
    /// This span got a moment, its last child.
    Noted(Key),
    /// This span has ended.
    Ended(Key),
    /// A moment outside of every known span.
    Loose(Note),
    /// The end of a span without identity.
    LooseRun(Box<Run>),
}

#[derive(Debug)]
pub(super) struct Tree {
    nodes: HashMap<Key, Node>,
    /// Spans by their `started` event: how a child finds a parent it does not name.
    starts: HashMap<EventId, Key>,
    roots: VecDeque<Key>,
    lines: usize,
    limits: Limits,
    shrinking: bool,
}

impl Tree {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            nodes: HashMap::new(),
            starts: HashMap::new(),
            roots: VecDeque::new(),
            lines: 0,
            limits,
            shrinking: false,
        }
    }

    pub(super) fn get(&self, key: Key) -> Option<&Node> {
        self.nodes.get(&key)
    }

    /// The roots, oldest first.
    pub(super) fn roots(&self) -> impl Iterator<Item = Key> + '_ {
        self.roots.iter().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// The root above `key`, if nothing in its tree is open any more.
    pub(super) fn finished_root(&self, key: Key) -> Option<Key> {
        let (root, node) = self.ancestors(key).last()?;
        (node.open == 0).then_some(root)
    }

    pub(super) fn apply(&mut self, event: &Event) -> Applied {
        let key = (event.cx.trace, event.cx.span);
        match &event.phase {
            Phase::Started => self.start(key, event),
            Phase::Moment(_) => self.moment(key, event),
            _ => self.end(key, event),
        }
    }

    fn start(&mut self, key: Key, event: &Event) -> Applied {
        if key.1 == SpanId::INVALID || self.nodes.contains_key(&key) {
            return Applied::Nothing;
        }
        let run = Run::new(event, self.limits.content);
        if self.insert(key, &event.cx, Some(event.id), run) {
            Applied::Changed
        } else {
            Applied::Nothing
        }
    }

    fn end(&mut self, key: Key, event: &Event) -> Applied {
        if key.1 == SpanId::INVALID {
            let mut run = Run::new(event, self.limits.content);
            run.end(event);
            return if run.hidden {
                Applied::Nothing
            } else {
                Applied::LooseRun(Box::new(run))
            };
        }
        if !self.nodes.contains_key(&key) {
            // Its start was not seen, or its tree was given up.
            let run = Run::new(event, self.limits.content);
            self.insert(key, &event.cx, event.cx.started_event, run);
        }
        match self.nodes.get_mut(&key) {
            Some(node) if node.run.is_open() => node.run.end(event),
            _ => return Applied::Nothing,
        }
        self.closed(key);
        self.add_up(key);
        Applied::Ended(key)
    }

    fn moment(&mut self, key: Key, event: &Event) -> Applied {
        let known = self.nodes.contains_key(&key).then_some(key);
        let place = known.or_else(|| self.starts.get(&event.cx.parent_event?).copied());
        let node = place.and_then(|key| Some((key, self.nodes.get_mut(&key)?)));
        if is_chunk(event) {
            let Some((_, node)) = node else {
                return Applied::Nothing;
            };
            node.run.chunk(event);
            return Applied::Changed;
        }
        match (Note::new(event), node) {
            (None, _) => Applied::Nothing,
            (Some(note), None) => Applied::Loose(note),
            (Some(note), Some((key, node))) => {
                if let Some(Child::Note(last)) = node.children.last_mut()
                    && last.is_again(&note)
                {
                    last.times += 1;
                    return Applied::Noted(key);
                }
                node.children.push(Child::Note(note));
                self.lines += 1;
                Applied::Noted(key)
            }
        }
    }

    /// A span without events began: a place that what is below it needs to find its own.
    pub(super) fn start_unseen(&mut self, cx: &Causality, event: Option<EventId>) {
        let key = (cx.trace, cx.span);
        if key.1 != SpanId::INVALID && !self.nodes.contains_key(&key) {
            self.insert(key, cx, event, Run::unseen());
        }
    }

    /// It ended.
    pub(super) fn end_unseen(&mut self, cx: &Causality) -> Option<Key> {
        let key = (cx.trace, cx.span);
        let node = self.nodes.get_mut(&key).filter(|node| node.run.is_open())?;
        node.run.end_unseen();
        self.closed(key);
        Some(key)
    }

    /// False if there is nothing to keep: a hidden span at the top holds nothing together that people see.
    fn insert(&mut self, key: Key, cx: &Causality, event: Option<EventId>, run: Run) -> bool {
        let parent = self.parent(cx);
        if run.hidden && parent.is_none() {
            return false;
        }
        let depth = parent
            .and_then(|key| self.get(key))
            .map_or(0, |parent| parent.depth + 1);
        match parent.and_then(|key| self.nodes.get_mut(&key)) {
            Some(parent) => parent.children.push(Child::Run(key)),
            None => self.roots.push_back(key),
        }
        if let Some(event) = event {
            self.starts.insert(event, key);
        }
        self.lines += 1;
        let node = Node {
            run,
            children: Vec::new(),
            more: 0,
            open: 0,
            troubles: 0,
            totals: Totals::default(),
            depth,
            parent,
            event,
        };
        self.nodes.insert(key, node);
        self.each_above(key, |node| node.open += 1);
        true
    }

    fn parent(&self, cx: &Causality) -> Option<Key> {
        let named = (cx.trace, cx.parent_span);
        let key = if self.nodes.contains_key(&named) {
            named
        } else {
            *self.starts.get(&cx.parent_event?)?
        };
        let node = self.get(key)?;
        if node.depth < DEPTH {
            Some(key)
        } else {
            node.parent
        }
    }

    fn closed(&mut self, key: Key) {
        self.each_above(key, |node| node.open = node.open.saturating_sub(1));
    }

    /// Adds what has ended to what is around it.
    fn add_up(&mut self, key: Key) {
        let Some(node) = self.get(key) else { return };
        if node.run.in_trouble() {
            self.each_above(key, |node| node.troubles += 1);
        }
        let Some((parent, adds)) = self
            .get(key)
            .and_then(|node| Some((node.parent?, node.run.adds()?)))
        else {
            return;
        };
        // A model call inside one is a part of that, unless an agent or a tool made it.
        let inner = adds.calls > 0 && self.maker(parent) == Some(Kind::Llm);
        if !inner {
            self.each_above(parent, |node| node.totals.add(&adds));
        }
    }

    /// What kind of work a call below `key` is done for.
    fn maker(&self, key: Key) -> Option<Kind> {
        let mut kinds = self.ancestors(key).map(|(_, node)| node.run.kind);
        kinds.find(|kind| {
            matches!(
                kind,
                Kind::Llm | Kind::Agent | Kind::Workflow | Kind::Tool | Kind::Mcp
            )
        })
    }

    /// Changes `key` and everything above it.
    fn each_above(&mut self, key: Key, change: impl Fn(&mut Node)) {
        let mut at = Some(key);
        while let Some(node) = at.and_then(|key| self.nodes.get_mut(&key)) {
            change(node);
            at = node.parent;
        }
    }

    fn ancestors(&self, key: Key) -> impl Iterator<Item = (Key, &Node)> {
        let first = self.get(key).map(|node| (key, node));
        std::iter::successors(first, |(_, node)| {
            let parent = node.parent?;
            Some((parent, self.get(parent)?))
        })
    }

    // === making room ===

    /// A tree whose root ended a while ago, though something below still runs.
    pub(super) fn lingering(&self, now: SystemTime) -> Option<Key> {
        self.roots().find(|key| {
            let ended = self.get(*key).and_then(|node| node.run.ended.as_ref());
            ended.is_some_and(|ended| {
                now.duration_since(ended.at)
                    .is_ok_and(|since| since >= LINGER)
            })
        })
    }

    /// The tree to give up, if there is too much of everything.
    pub(super) fn overfull(&mut self) -> Option<Key> {
        if self.lines > self.limits.lines {
            self.shrinking = true;
            self.prune();
        }
        // Going down to nine tenths at once keeps the next event from starting all over.
        self.shrinking &= self.lines > self.limits.lines / 10 * 9;
        let too_much = self.shrinking || self.roots.len() > self.limits.roots;
        self.roots.front().copied().filter(|_| too_much)
    }

    /// Drops finished children of open spans, the oldest first.
    fn prune(&mut self) {
        let open: Vec<Key> = self
            .nodes
            .iter()
            .filter(|(_, node)| node.open > 0)
            .map(|(key, _)| *key)
            .collect();
        for key in open {
            let Some(node) = self.nodes.get_mut(&key) else {
                continue;
            };
            let children = std::mem::take(&mut node.children);
            let is_open = |child: &Child| matches!(child, Child::Run(key) if self.get(*key).is_some_and(|n| n.open > 0));
            let finished = children.iter().filter(|child| !is_open(child)).count();
            let mut surplus = finished.saturating_sub(KEPT);
            let (mut kept, mut dropped) = (Vec::new(), Vec::new());
            for child in children {
                if surplus > 0 && !is_open(&child) {
                    surplus -= 1;
                    dropped.push(child);
                } else {
                    kept.push(child);
                }
            }
            if let Some(node) = self.nodes.get_mut(&key) {
                node.more += dropped.len();
                node.children = kept;
            }
            for child in dropped {
                match child {
                    Child::Run(key) => self.drop_subtree(key),
                    Child::Note(_) => self.lines -= 1,
                }
            }
        }
    }

    /// Takes a tree out. Spans in it that are still open become roots, with all that is below them.
    pub(super) fn release(&mut self, root: Key) {
        self.roots.retain(|key| *key != root);
        let mut stack = vec![root];
        while let Some(key) = stack.pop() {
            if self.get(key).is_some_and(|node| node.run.is_open()) {
                self.make_root(key);
            } else if let Some(node) = self.take(key) {
                stack.extend(node.children.iter().rev().filter_map(Child::key));
            }
        }
    }

    fn make_root(&mut self, key: Key) {
        let Some(node) = self.nodes.get_mut(&key) else {
            return;
        };
        if node.run.hidden {
            // At the top it would hold nothing together: its children stand for themselves.
            node.run.end_unseen();
            return self.release(key);
        }
        node.parent = None;
        self.roots.push_back(key);
        let mut stack = vec![(key, 0)];
        while let Some((key, depth)) = stack.pop() {
            let Some(node) = self.nodes.get_mut(&key) else {
                continue;
            };
            node.depth = depth;
            stack.extend(
                node.children
                    .iter()
                    .filter_map(Child::key)
                    .map(|child| (child, depth + 1)),
            );
        }
    }

    /// Takes a tree out, open or not.
    pub(super) fn forget(&mut self, root: Key) {
        self.roots.retain(|key| *key != root);
        self.drop_subtree(root);
    }

    fn drop_subtree(&mut self, key: Key) {
        let mut stack = vec![key];
        while let Some(key) = stack.pop() {
            let node = self.take(key);
            stack.extend(
                node.iter()
                    .flat_map(|node| &node.children)
                    .filter_map(Child::key),
            );
        }
    }

    fn take(&mut self, key: Key) -> Option<Node> {
        let node = self.nodes.remove(&key)?;
        if let Some(event) = node.event {
            self.starts.remove(&event);
        }
        let notes = node
            .children
            .iter()
            .filter(|child| child.key().is_none())
            .count();
        self.lines -= 1 + notes;
        Some(node)
    }
}

impl Child {
    fn key(&self) -> Option<Key> {
        match self {
            Self::Run(key) => Some(*key),
            Self::Note(_) => None,
        }
    }
}
