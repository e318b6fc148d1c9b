//! What a question is answered with, and how an answer is folded from events.
//!
//! Promise: answers are sorted the same way whoever made them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

use super::query::agent_of;
use crate::event::Event;

/// What [`History::distribution`](super::History::distribution) counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum By {
    /// By event type: `llm.call.completed`.
    Type,
    /// By channel: `LLM`.
    Channel,
    /// By level: `WARN`.
    Level,
    /// By agent: its id, or its name if it has no id; events without an agent under the empty name.
    Agent,
}

/// How many events there are, and the times of the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// How many.
    pub events: u64,
    /// When the first of them happened.
    pub first: Option<SystemTime>,
    /// When the last of them happened.
    pub last: Option<SystemTime>,
}

impl Stats {
    pub(super) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.first = match (self.first, other.first) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.last = self.last.max(other.last);
    }

    fn of(event: &Event) -> Self {
        Self {
            events: 1,
            first: Some(event.time),
            last: Some(event.time),
        }
    }
}

/// The events of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AgentStats {
    /// The agent's id, or its name if it has no id.
    pub agent: String,
    /// How many events are of it.
    pub events: u64,
    /// When the first of them happened.
    pub first: SystemTime,
    /// When the last of them happened.
    pub last: SystemTime,
}

pub(super) fn stats(events: &[Event]) -> Stats {
    let mut sum = Stats::default();
    events.iter().for_each(|event| sum.add(Stats::of(event)));
    sum
}

pub(super) fn agents(events: &[Event]) -> Vec<AgentStats> {
    let mut sums = BTreeMap::<String, Stats>::new();
    for event in events {
        if let Some((agent, _)) = agent_of(&event.who) {
            let sum = match sums.get_mut(agent) {
                Some(sum) => sum,
                None => sums.entry(agent.to_owned()).or_default(),
            };
            sum.add(Stats::of(event));
        }
    }
    sorted_agents(sums)
}

pub(super) fn sorted_agents(sums: BTreeMap<String, Stats>) -> Vec<AgentStats> {
    let mut agents: Vec<_> = sums
        .into_iter()
        .filter_map(|(agent, sum)| {
            Some(AgentStats {
                agent,
                events: sum.events,
                first: sum.first?,
                last: sum.last?,
            })
        })
        .collect();
    // Stable: agents last seen at the same time stay in the order of their names.
    agents.sort_by_key(|agent| Reverse(agent.last));
    agents
}

pub(super) fn distribution(events: &[Event], by: By) -> Vec<(String, u64)> {
    let mut counts = HashMap::<String, u64>::new();
    for event in events {
        let value = match by {
            By::Type => event.ty.to_string(),
            By::Channel => event.channel.to_string(),
            By::Level => event.level.to_string(),
            By::Agent => agent_of(&event.who)
                .map_or("", |(agent, _)| agent)
                .to_owned(),
        };
        *counts.entry(value).or_default() += 1;
    }
    sorted_counts(counts)
}

pub(super) fn sorted_counts(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
