//! Writing events.
//!
//! Promise: all events of a batch are stored in one transaction, or none. Numbers are given inside it, and SQLite lets one
//! writer in at a time, so a lower number never appears after a higher one; they have no gaps but for what was deleted.

use std::{collections::HashMap, fmt::Write as _};

use rusqlite::{
    CachedStatement, Connection, Error as SqlError, Result as SqlResult, TransactionBehavior,
    params,
};

use super::depth;
use crate::{
    event::{Event, SpanId, TraceId, time},
    history::query::{agent_of, user_of},
};

/// Stores `events`; how many were new.
pub(super) fn append(db: &mut Connection, events: &[Event]) -> SqlResult<usize> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut inserter = Inserter::new(&change)?;
    let mut new = 0;
    for event in events.iter().filter(|event| !event.replay) {
        new += usize::from(inserter.insert(event, None)?);
    }
    inserter.finish()?;
    change.commit()?;
    Ok(new)
}

/// Inserts events within a transaction of the caller's.
pub(super) struct Inserter<'c> {
    insert: CachedStatement<'c>,
    agent: CachedStatement<'c>,
    /// The agents of this batch, by id, a line feed, and name.
    agents: HashMap<String, Agent>,
    next: i64,
    // Buffers, used again for every event.
    key: String,
    text: String,
    time: String,
    data: Vec<u8>,
}

struct Agent {
    row: i64,
    first: String,
    last: String,
}

impl<'c> Inserter<'c> {
    pub(super) fn new(db: &'c Connection) -> SqlResult<Self> {
        // Numbers are given here because SQLite spends one on every event that turns out to be there already. The largest
        // in the table counts too: tools that copy tables forget the sequence.
        let next = db
            .prepare_cached(
                "SELECT max(ifnull((SELECT max(seq) FROM sqlite_sequence WHERE name = 'events'), 0),
                            ifnull((SELECT max(id) FROM events), 0)) + 1",
            )?
            .query_row((), |row| row.get(0))?;
        Ok(Self {
            insert: db.prepare_cached(
                "INSERT INTO events (id, event_id, agent_id, event_type, flavor, channel, level, severity, timestamp,
                                     trace_id, span_id, session_id, conversation_id, user_id, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
                 ON CONFLICT (event_id) DO NOTHING",
            )?,
            agent: db.prepare_cached(
                "INSERT INTO agents (agent_id, name, created_at, last_seen) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (agent_id, name) DO UPDATE SET
                     created_at = min(created_at, excluded.created_at), last_seen = max(last_seen, excluded.last_seen)
                 RETURNING id",
            )?,
            agents: HashMap::new(),
            next,
            key: String::new(),
            text: String::new(),
            time: String::new(),
            data: Vec::new(),
        })
    }

    /// Inserts one event, under the number given or the next one; whether it was new.
    pub(super) fn insert(&mut self, event: &Event, number: Option<i64>) -> SqlResult<bool> {
        let failed = |error: serde_json::Error| SqlError::ToSqlConversionFailure(error.into());
        self.data.clear();
        serde_json::to_writer(&mut self.data, &*depth::readable(event)).map_err(failed)?;
        let data = str::from_utf8(&self.data)?;
        self.time.clear();
        self.text.clear();
        // Writing to a string cannot fail.
        let _ = time::write_rfc3339(&mut self.time, event.time);
        let _ = write!(self.text, "{}", event.ty);
        let agent = agent_row(
            &mut self.agents,
            &mut self.key,
            &mut self.agent,
            event,
            &self.time,
        )?;
        let number = number.unwrap_or(self.next);
        let (trace, span) = (event.cx.trace, event.cx.span);
        let who = &event.who;
        let inserted = self.insert.execute(params![
            number,
            event.id.to_string(),
            agent,
            self.text,
            (!event.flavor.is_none()).then(|| event.flavor.as_str()),
            event.channel.as_str(),
            event.level.severity_text().to_ascii_lowercase(),
            event.level.severity_number(),
            self.time,
            (trace != TraceId::INVALID).then(|| trace.to_string()),
            (span != SpanId::INVALID).then(|| span.to_string()),
            who.session_id.as_deref(),
            who.conversation_id.as_deref(),
            user_of(event),
            data,
        ])?;
        let new = inserted > 0;
        if new {
            self.next = self.next.max(number.saturating_add(1));
        }
        Ok(new)
    }

    /// Writes down when agents were seen.
    pub(super) fn finish(mut self) -> SqlResult<()> {
        for (key, seen) in &self.agents {
            if seen.first != seen.last {
                let (agent, name) = key.split_once('\n').unwrap_or((key, ""));
                self.agent
                    .query_row(params![agent, name, seen.first, seen.last], |_| Ok(()))?;
            }
        }
        Ok(())
    }
}

/// The row of the event's agent, made if it is new.
fn agent_row(
    agents: &mut HashMap<String, Agent>,
    key: &mut String,
    statement: &mut CachedStatement<'_>,
    event: &Event,
    time: &str,
) -> SqlResult<Option<i64>> {
    let Some((agent, name)) = agent_of(&event.who) else {
        return Ok(None);
    };
    let name = name.unwrap_or("");
    key.clear();
    key.extend([agent, "\n", name]);
    if let Some(seen) = agents.get_mut(key.as_str()) {
        let moved = if time < seen.first.as_str() {
            &mut seen.first
        } else if time > seen.last.as_str() {
            &mut seen.last
        } else {
            return Ok(Some(seen.row));
        };
        moved.clear();
        moved.push_str(time);
        return Ok(Some(seen.row));
    }
    let row = statement.query_row(params![agent, name, time, time], |row| row.get(0))?;
    let seen = Agent {
        row,
        first: time.to_owned(),
        last: time.to_owned(),
    };
    agents.insert(key.clone(), seen);
    Ok(Some(row))
}
