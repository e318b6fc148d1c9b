//! A question as SQL.
//!
//! Promise: what the SQL selects is what [`Query::matches`] says. Newest-first questions read the index of their most
//! selective filter in order and stop at the limit: SQLite has no statistics on a growing file, so the choice is made here,
//! and a `+` before a column keeps SQLite from choosing otherwise.

use std::collections::BTreeSet;

use rusqlite::{Connection, Result as SqlResult, types::Value as Sql};

use super::connect::MENTIONS;
use crate::{
    event::{EventType, Level, Pattern, TraceId, time},
    history::query::Query,
};

/// Branches of one question at most; SQLite's own limit is 500. Each takes some microseconds to prepare, which past this many adds
/// up to what sorting takes.
const BRANCHES: usize = 128;

/// The rows of a question, as the union of branches that have no row in common.
#[derive(Debug)]
pub(super) struct Selection {
    branches: Vec<Condition>,
    /// The table, and the index to read if SQLite would not choose it by itself.
    pub(super) from: &'static str,
}

/// A `WHERE` clause and what its question marks stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    pub(super) text: String,
    pub(super) values: Vec<Sql>,
}

impl Condition {
    fn and(&mut self, text: &str, values: impl IntoIterator<Item = Sql>) {
        if !self.text.is_empty() {
            self.text.push_str(" AND ");
        }
        self.text.push_str(text);
        self.values.extend(values);
    }
}

/// The filter whose index is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    Trace,
    Conversation,
    Session,
    User,
    /// With that of agent and type together, where both are asked for.
    Type,
    Level,
    Agent,
    Channel,
    /// Warnings and above have an index of their own, because they are rare.
    Serious,
    Time,
}

impl Lead {
    /// The most selective one of those there are, as a rule.
    fn of(query: &Query, types: Option<&Types>) -> Self {
        let serious = query.level.is_some_and(|level| level >= Level::Warn);
        [
            (
                query.trace.is_some_and(|id| id != TraceId::INVALID),
                Self::Trace,
            ),
            (query.conversation.is_some(), Self::Conversation),
            (query.session.is_some(), Self::Session),
            (query.user.is_some(), Self::User),
            (types.is_some(), Self::Type),
            (serious, Self::Level),
            (query.agent.is_some(), Self::Agent),
            (query.channel.is_some(), Self::Channel),
            (query.level.is_some(), Self::Level),
            (
                query.min_level.is_some_and(|level| level >= Level::Warn),
                Self::Serious,
            ),
        ]
        .into_iter()
        .find_map(|(there, lead)| there.then_some(lead))
        .unwrap_or(Self::Time)
    }
}

/// Event types, with the flavor where only that one is meant.
type Types = BTreeSet<(String, Option<String>)>;

impl Selection {
    pub(super) fn of(db: &Connection, query: &Query) -> SqlResult<Self> {
        let types = types(db, query)?;
        let agents = match &query.agent {
            Some(agent) => Some(agent_rows(db, agent)?),
            None => None,
        };
        let lead = Lead::of(query, types.as_ref());
        let rest = filters(query, lead);
        let branches = |n: Option<usize>| n.unwrap_or(1);
        let wide = matches!(lead, Lead::Type | Lead::Agent)
            && branches(types.as_ref().map(BTreeSet::len))
                * branches(agents.as_ref().map(Vec::len))
                <= BRANCHES;
        let mut all = vec![Condition::default()];
        if let Some(agents) = &agents {
            let plus = plus(matches!(lead, Lead::Agent | Lead::Type));
            all = if wide {
                each(&all, agents, |branch, agent| {
                    branch.and("agent_id = ?", [Sql::Integer(*agent)]);
                })
            } else {
                all[0].and(
                    &format!("{plus}agent_id IN (SELECT value FROM json_each(?))"),
                    [json(agents)],
                );
                all
            };
        }
        if let Some(types) = &types {
            all = if wide {
                each(&all, types, |branch, (ty, flavor)| {
                    branch.and("event_type = ?", [ty.clone().into()]);
                    if let Some(flavor) = flavor {
                        branch.and("+flavor = ?", [flavor.clone().into()]);
                    }
                })
            } else {
                any_type(&mut all[0], types, plus(lead == Lead::Type));
                all
            };
        }
        for branch in &mut all {
            branch.and(&rest.text, rest.values.iter().cloned());
        }
        let from = match lead {
            Lead::Serious => "events INDEXED BY idx_events_serious",
            _ => "events",
        };
        Ok(Self {
            branches: all,
            from,
        })
    }

    pub(super) fn branches(&self) -> &[Condition] {
        &self.branches
    }

    /// Whether there can be nothing.
    fn is_empty(&self) -> bool {
        self.branches.is_empty()
    }

    /// Also asks for `id` up to this one.
    pub(super) fn up_to(&mut self, id: i64) {
        for branch in &mut self.branches {
            branch.and("+id <= ?", [Sql::Integer(id)]);
        }
    }

    /// `SELECT columns …` in the order of the question, from `offset` on, at most `limit` rows. `None` if there can be
    /// nothing. `columns` must name `timestamp` and `id`.
    pub(super) fn rows(
        &self,
        columns: &str,
        oldest_first: bool,
        limit: Option<usize>,
        offset: usize,
    ) -> Option<Condition> {
        if self.is_empty() {
            return None;
        }
        let order = if oldest_first { "ASC" } else { "DESC" };
        let mut rows = Condition::default();
        for (at, branch) in self.branches.iter().enumerate() {
            if at > 0 {
                // SQLite merges the branches row by row, each read in the order of its index.
                rows.text.push_str(" UNION ALL ");
            }
            rows.text.push_str("SELECT ");
            rows.text.push_str(columns);
            rows.text.push_str(" FROM ");
            rows.text.push_str(self.from);
            rows.text.push_str(" WHERE ");
            rows.text.push_str(&branch.text);
            rows.values.extend(branch.values.iter().cloned());
        }
        rows.text.push_str(&format!(
            " ORDER BY timestamp {order}, id {order} LIMIT ? OFFSET ?"
        ));
        let whole = |n: usize| Sql::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        rows.values
            .extend([limit.map_or(Sql::Integer(-1), whole), whole(offset)]);
        Some(rows)
    }
}

fn plus(leads: bool) -> &'static str {
    if leads { "" } else { "+" }
}

fn each<'t, T: 't>(
    branches: &[Condition],
    items: impl IntoIterator<Item = &'t T> + Clone,
    add: impl Fn(&mut Condition, &T),
) -> Vec<Condition> {
    let mut all = Vec::new();
    for branch in branches {
        for item in items.clone() {
            let mut longer = branch.clone();
            add(&mut longer, item);
            all.push(longer);
        }
    }
    all
}

/// Everything but agent and types. Never empty.
fn filters(query: &Query, lead: Lead) -> Condition {
    let mut all = Condition::default();
    let mut equal = |column: &str, value: Option<Sql>, of: Lead| {
        if let Some(value) = value {
            all.and(&format!("{}{column} = ?", plus(lead == of)), [value]);
        }
    };
    let text = |text: &std::sync::Arc<str>| Sql::Text(text.to_string());
    let trace = query.trace.filter(|trace| *trace != TraceId::INVALID);
    equal(
        "trace_id",
        trace.map(|id| id.to_string().into()),
        Lead::Trace,
    );
    equal(
        "conversation_id",
        query.conversation.as_ref().map(text),
        Lead::Conversation,
    );
    equal(
        "session_id",
        query.session.as_ref().map(text),
        Lead::Session,
    );
    equal("user_id", query.user.as_ref().map(text), Lead::User);
    let channel = query.channel.as_ref();
    equal(
        "channel",
        channel.map(|channel| channel.to_string().into()),
        Lead::Channel,
    );
    let level = query.level.map(Level::severity_text);
    equal(
        "level",
        level.map(|level| level.to_ascii_lowercase().into()),
        Lead::Level,
    );
    if query.trace == Some(TraceId::INVALID) {
        all.and("trace_id IS NULL", []);
    }
    if let Some(level) = query.min_level {
        if lead == Lead::Serious {
            // Spelled as the partial index is.
            all.and("severity >= 13", []);
        }
        all.and(
            "severity >= ?",
            [Sql::Integer(level.severity_number().into())],
        );
    }
    let time = |time| Sql::Text(time::to_rfc3339(time));
    if let Some(since) = query.since {
        all.and("timestamp >= ?", [time(since)]);
    }
    if let Some(before) = query.before {
        all.and("timestamp < ?", [time(before)]);
    }
    if let Some(needle) = query.search.as_ref().filter(|needle| !needle.is_empty()) {
        all.and(&format!("{MENTIONS}(data, ?)"), [text(needle)]);
    }
    if all.text.is_empty() {
        all.and("TRUE", []);
    }
    all
}

/// The types in the store that the question is for; `None` for all.
fn types(db: &Connection, query: &Query) -> SqlResult<Option<Types>> {
    if query.types.is_empty() || query.types.iter().any(Pattern::is_any) {
        return Ok(None);
    }
    let globs: Vec<_> = query.types.iter().filter(|p| p.types().is_none()).collect();
    let mut types: Types = query
        .types
        .iter()
        .filter_map(Pattern::types)
        .flatten()
        .map(|(ty, flavor)| {
            (
                ty.to_string(),
                (!flavor.is_none()).then(|| flavor.to_string()),
            )
        })
        .collect();
    if !globs.is_empty() {
        for name in known_types(db)? {
            let ty = EventType::from_lossy(&name);
            if globs.iter().any(|glob| glob.matches_type(&ty)) {
                types.insert((name, None));
            }
        }
    }
    let whole: BTreeSet<String> = types
        .iter()
        .filter(|(_, flavor)| flavor.is_none())
        .map(|(ty, _)| ty.clone())
        .collect();
    types.retain(|(ty, flavor)| flavor.is_none() || !whole.contains(ty));
    Ok(Some(types))
}

/// The distinct types, by skipping through their index: a few microseconds each, however many events there are.
fn known_types(db: &Connection) -> SqlResult<Vec<String>> {
    db.prepare_cached(
        "WITH RECURSIVE types (name) AS (
             SELECT min(event_type) FROM events
             UNION ALL
             SELECT (SELECT min(event_type) FROM events WHERE event_type > name) FROM types WHERE name IS NOT NULL
         )
         SELECT name FROM types WHERE name IS NOT NULL",
    )?
    .query_map((), |row| row.get(0))?
    .collect()
}

fn agent_rows(db: &Connection, agent: &str) -> SqlResult<Vec<i64>> {
    db.prepare_cached(
        "SELECT id FROM agents WHERE ?1 <> '' AND (agent_id = ?1 OR (name = ?1 AND name <> ''))",
    )?
    .query_map([agent], |row| row.get(0))?
    .collect()
}

fn any_type(branch: &mut Condition, types: &Types, plus: &str) {
    let whole: Vec<_> = types
        .iter()
        .filter(|(_, flavor)| flavor.is_none())
        .map(|(ty, _)| ty)
        .collect();
    let flavored: Vec<_> = types
        .iter()
        .filter(|(_, flavor)| flavor.is_some())
        .collect();
    branch.and(
        &format!(
            "({plus}event_type IN (SELECT value FROM json_each(?))
              OR ({plus}event_type, flavor) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?)))"
        ),
        [json(&whole), json(&flavored)],
    );
}

fn json<T: serde::Serialize>(list: &T) -> Sql {
    // Lists of numbers and texts always serialise.
    Sql::Text(serde_json::to_string(list).unwrap_or_else(|_| "[]".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{EventStore, History, MemoryStore, SqliteStore};

    /// How SQLite would find the newest hundred of a view.
    fn plan(db: &Connection, view: &History) -> String {
        let rows = Selection::of(db, &view.query)
            .unwrap()
            .rows("data, timestamp, id", false, Some(100), 0)
            .unwrap();
        db.prepare(&format!("EXPLAIN QUERY PLAN {}", rows.text))
            .unwrap()
            .query_map(rusqlite::params_from_iter(&rows.values), |row| row.get(3))
            .unwrap()
            .collect::<SqlResult<Vec<String>>>()
            .unwrap()
            .join("; ")
    }

    #[test]
    fn every_question_reads_an_index_and_sorts_nothing_but_a_trace_or_a_session() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.db");
        let store = SqliteStore::open(&path).unwrap();
        let event = |ty: &str| {
            let ty = EventType::parse(ty).unwrap();
            let mut data = crate::event::EventData::new(ty, std::time::SystemTime::UNIX_EPOCH);
            data.who.agent_id = Some("a".into());
            data.into()
        };
        store
            .append(
                &[
                    "llm.call.started",
                    "llm.call.completed",
                    "tool.call.started",
                ]
                .map(event),
            )
            .unwrap();
        let db = Connection::open(&path).unwrap();
        let all = History::new(MemoryStore::new());
        let llm = all.event_type("llm.call.started").unwrap();
        let now = std::time::SystemTime::now();
        for (view, index, sorts) in [
            (all.clone(), "idx_events_timestamp", false),
            (all.last_days(1), "idx_events_timestamp", false),
            (all.agent("a"), "idx_events_agent_id", false),
            (all.agent("a").last_hours(1), "idx_events_agent_id", false),
            (llm.clone(), "idx_events_event_type", false),
            (llm.last_hours(1), "idx_events_event_type", false),
            (llm.agent("a"), "idx_events_agent_type", false),
            (
                llm.agent("a").between(now, now).channel("LLM"),
                "idx_events_agent_type",
                false,
            ),
            (
                all.event_type("llm.*").unwrap(),
                "idx_events_event_type",
                false,
            ),
            (
                all.event_type("llm.*").unwrap().agent("a"),
                "idx_events_agent_type",
                false,
            ),
            (all.channel("LLM"), "idx_events_channel", false),
            (
                all.channel("LLM").level(Level::Error),
                "idx_events_level",
                false,
            ),
            (all.level(Level::Info), "idx_events_level", false),
            (all.min_level(Level::Error), "idx_events_serious", false),
            (all.min_level(Level::Info), "idx_events_timestamp", false),
            (all.session("s"), "idx_events_session_id", true),
            (all.user("u").channel("LLM"), "idx_events_user_id", true),
            (
                llm.conversation("c").agent("a"),
                "idx_events_conversation_id",
                true,
            ),
            (
                llm.trace(TraceId::from_bytes([1; 16])).session("s"),
                "idx_events_trace_id",
                true,
            ),
        ] {
            let plan = plan(&db, &view);
            let what = format!("{view:?}: {plan}");
            assert!(
                plan.contains(&format!("INDEX {index} ("))
                    || plan.contains(&format!("INDEX {index};"))
                    || plan.ends_with(&format!("INDEX {index}")),
                "{what}"
            );
            assert_eq!(plan.contains("TEMP B-TREE"), sorts, "{what}");
            let scans_table = plan.split("; ").any(|step| step == "SCAN events");
            assert!(!scans_table, "{what}");
        }
    }
}
