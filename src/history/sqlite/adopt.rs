//! A database of Cylestio Monitor becomes one of ours.
//!
//! Promise: every row stays, under its number; its type is the one its name stands for, its `data` becomes attributes.
//! Never: leaves a half: it runs inside the transaction of the migration.

use std::time::{Duration, SystemTime};

use rusqlite::{Result as SqlResult, Transaction, types::Value as Sql};
use serde_json::Value as Json;

use super::write::Inserter;
use crate::event::{Channel, Event, EventData, EventType, Level, Value, alias, time};

/// The columns its table of events has.
pub(super) const COLUMNS: [&str; 7] = [
    "id",
    "agent_id",
    "event_type",
    "channel",
    "level",
    "timestamp",
    "data",
];

/// Moves its tables out of the way of ours.
pub(super) fn set_aside(change: &Transaction<'_>) -> SqlResult<()> {
    let indexes: Vec<String> = change
        .prepare(
            "SELECT format('DROP INDEX \"%w\"', name) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
        )?
        .query_map((), |row| row.get(0))?
        .collect::<SqlResult<_>>()?;
    for index in indexes {
        change.execute_batch(&index)?;
    }
    change.execute_batch(
        "ALTER TABLE events RENAME TO old_events; ALTER TABLE agents RENAME TO old_agents;",
    )
}

/// Copies what was set aside, and drops it.
pub(super) fn take_over(change: &Transaction<'_>) -> SqlResult<()> {
    let mut rows = change.prepare(
        "SELECT e.id, a.agent_id, e.event_type, e.channel, e.level, e.timestamp, e.data,
                strftime('%s', e.timestamp) - strftime('%s', e.timestamp, 'utc')
         FROM old_events e LEFT JOIN old_agents a ON a.id = e.agent_id ORDER BY e.id",
    )?;
    let mut rows = rows.query(())?;
    let mut inserter = Inserter::new(change)?;
    while let Some(row) = rows.next()? {
        let text = |at| row.get::<_, Sql>(at).map(to_text);
        let mut data = event(
            &text(2)?,
            &text(5)?,
            row.get::<_, Option<i64>>(7)?.unwrap_or(0),
        );
        let agent = text(1)?;
        data.who.agent_id = (!agent.is_empty()).then(|| agent.into());
        data.channel = Channel::new(text(3)?);
        data.level = Level::from_str_lossy(&text(4)?);
        match serde_json::from_str(&text(6)?) {
            Ok(Json::Object(fields)) => data.attrs.extend(fields),
            Ok(other) => data.attrs.set("data", other),
            Err(_) => data.attrs.set("data", text(6)?),
        }
        inserter.insert(&Event::new(data), Some(row.get(0)?))?;
    }
    inserter.finish()?;
    drop(rows);
    // Numbers that were given away stay given away, also those of rows deleted since.
    change.execute_batch(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'events', 0
            WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events');
         UPDATE sqlite_sequence SET seq = max(seq, ifnull((SELECT max(seq) FROM sqlite_sequence WHERE name = 'old_events'), 0))
            WHERE name = 'events';
         DROP TABLE old_events; DROP TABLE old_agents;",
    )
}

/// A type by any name, at a time that was written without a zone: in that of this machine, as Python writes it. `ahead` is
/// by how many seconds this zone is ahead of UTC at that time.
fn event(name: &str, timestamp: &str, ahead: i64) -> EventData {
    let with_zone = time::from_rfc3339(timestamp);
    let time = with_zone.or_else(|_| {
        let time = time::from_rfc3339(&format!("{timestamp}Z"))?;
        let shift = Duration::from_secs(ahead.unsigned_abs());
        Ok::<_, time::ParseTimeError>(if ahead < 0 {
            time + shift
        } else {
            time - shift
        })
    });
    let time = time.unwrap_or(SystemTime::UNIX_EPOCH);
    let Some(known) = alias::resolve(name) else {
        return EventData::new(EventType::from_lossy(name), time);
    };
    let mut data = EventData::new(known.ty, time);
    data.flavor = known.flavor;
    data
}

/// SQLite keeps whatever was put into a column; here it is text.
fn to_text(value: Sql) -> String {
    match value {
        Sql::Null => String::new(),
        Sql::Integer(number) => number.to_string(),
        Sql::Real(number) => Value::F64(number).to_string(),
        Sql::Text(text) => text,
        Sql::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
    }
}
