//! Answering questions.
//!
//! Promise: each answer is of one moment: what is written meanwhile is wholly in it or not at all.

use std::{
    collections::{BTreeMap, HashMap},
    time::SystemTime,
};

use rusqlite::{Connection, Error as SqlError, Result as SqlResult, Row, params_from_iter};

use super::select::Selection;
use crate::{
    event::{Event, Level, time},
    history::{
        AgentStats, By, Cursor, Page, Query, Stats,
        answer::{sorted_agents, sorted_counts},
    },
};

pub(super) fn find(db: &mut Connection, query: &Query) -> SqlResult<Vec<Event>> {
    let moment = db.transaction()?;
    let selection = Selection::of(&moment, query)?;
    let rows = selection.rows(
        "data, timestamp, id",
        query.oldest_first,
        query.limit,
        query.offset,
    );
    let Some(rows) = rows else {
        return Ok(Vec::new());
    };
    moment
        .prepare_cached(&rows.text)?
        .query_map(params_from_iter(&rows.values), |row| event(row, 0))?
        .collect()
}

pub(super) fn since(db: &mut Connection, cursor: Cursor, limit: usize) -> SqlResult<Page> {
    let moment = db.transaction()?;
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let found = moment
        .prepare_cached("SELECT id, data FROM events WHERE id > ?1 ORDER BY id LIMIT ?2")?
        .query_map([whole(cursor.0), whole(limit as u64)], |row| {
            Ok((Cursor(number(row, 0)?), event(row, 1)?))
        })?
        .collect::<SqlResult<Vec<_>>>()?;
    let dropped = moment
        .prepare_cached("SELECT value FROM state WHERE key = 'dropped'")?
        .query_row((), |row| number(row, 0))?;
    Ok(Page::new(cursor, limit, found, dropped))
}

pub(super) fn stats(db: &mut Connection, query: &Query) -> SqlResult<Stats> {
    let mut sum = Stats::default();
    fold(
        db,
        query,
        "count(*), min(timestamp), max(timestamp)",
        "",
        |row| {
            sum.add(stats_of(row, 0)?);
            Ok(())
        },
    )?;
    Ok(sum)
}

pub(super) fn count(db: &mut Connection, query: &Query) -> SqlResult<u64> {
    let mut sum = 0;
    fold(db, query, "count(*)", "", |row| {
        sum += number(row, 0)?;
        Ok(())
    })?;
    Ok(sum)
}

pub(super) fn agents(db: &mut Connection, query: &Query) -> SqlResult<Vec<AgentStats>> {
    let mut sums = BTreeMap::<String, Stats>::new();
    fold(
        db,
        query,
        "count(*), min(timestamp), max(timestamp), (SELECT agent_id FROM agents WHERE id = events.agent_id)",
        "GROUP BY agent_id",
        |row| {
            if let Some(agent) = row.get::<_, Option<String>>(3)? {
                sums.entry(agent).or_default().add(stats_of(row, 0)?);
            }
            Ok(())
        },
    )?;
    Ok(sorted_agents(sums))
}

pub(super) fn distribution(
    db: &mut Connection,
    query: &Query,
    by: By,
) -> SqlResult<Vec<(String, u64)>> {
    let (columns, group) = match by {
        By::Type => ("count(*), event_type", "GROUP BY event_type"),
        By::Channel => ("count(*), channel", "GROUP BY channel"),
        By::Level => ("count(*), level", "GROUP BY level"),
        By::Agent => (
            "count(*), ifnull((SELECT agent_id FROM agents WHERE id = events.agent_id), '')",
            "GROUP BY agent_id",
        ),
    };
    let mut counts = HashMap::<String, u64>::new();
    fold(db, query, columns, group, |row| {
        let mut value: String = row.get(1)?;
        if by == By::Level {
            value = Level::from_str_lossy(&value).to_string();
        }
        *counts.entry(value).or_default() += number(row, 0)?;
        Ok(())
    })?;
    Ok(sorted_counts(counts))
}

/// Calls `add` with every row of `SELECT columns … group` over each branch.
fn fold(
    db: &mut Connection,
    query: &Query,
    columns: &str,
    group: &str,
    mut add: impl FnMut(&Row<'_>) -> SqlResult<()>,
) -> SqlResult<()> {
    let moment = db.transaction()?;
    let selection = Selection::of(&moment, query)?;
    for branch in selection.branches() {
        let text = format!(
            "SELECT {columns} FROM {} WHERE {} {group}",
            selection.from, branch.text
        );
        let mut rows = moment.prepare_cached(&text)?;
        let mut rows = rows.query(params_from_iter(&branch.values))?;
        while let Some(row) = rows.next()? {
            add(row)?;
        }
    }
    Ok(())
}

fn stats_of(row: &Row<'_>, at: usize) -> SqlResult<Stats> {
    let time = |at| {
        let text: Option<String> = row.get(at)?;
        text.map(|text| instant(&text, at)).transpose()
    };
    Ok(Stats {
        events: number(row, at)?,
        first: time(at + 1)?,
        last: time(at + 2)?,
    })
}

fn instant(text: &str, at: usize) -> SqlResult<SystemTime> {
    time::from_rfc3339(text).map_err(|error| unreadable(at, error))
}

fn event(row: &Row<'_>, at: usize) -> SqlResult<Event> {
    let text = row
        .get_ref(at)?
        .as_str()
        .map_err(|error| unreadable(at, error))?;
    serde_json::from_str(text).map_err(|error| unreadable(at, error))
}

/// Counts and numbers are never negative.
fn number(row: &Row<'_>, at: usize) -> SqlResult<u64> {
    row.get::<_, i64>(at)
        .map(|number| u64::try_from(number).unwrap_or(0))
}

fn unreadable(at: usize, error: impl std::error::Error + Send + Sync + 'static) -> SqlError {
    SqlError::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
}
