//! Deleting events.
//!
//! Promise: deletes in slices, so that writers come in between; what is deleted is overwritten in the file, and the log
//! that still holds it is emptied at the end, unless a reader is in the way.
//! Never: needs the file to grow, as long as the disk or `max_bytes` leaves the log some room.

use rusqlite::{Connection, Result as SqlResult, TransactionBehavior, params, params_from_iter};

use super::select::Selection;
use crate::history::query::Query;

/// Events deleted in one transaction: about ten milliseconds, and a log of some MiB.
pub(super) const SLICE: usize = 1000;

/// The newest number. What comes later is not for a deletion that begins now.
pub(super) fn newest(db: &Connection) -> SqlResult<i64> {
    db.prepare_cached("SELECT ifnull(max(id), 0) FROM events")?
        .query_row((), |row| row.get(0))
}

/// Deletes up to `limit` of those the question is for, numbered up to `newest`; says how many.
pub(super) fn slice(
    db: &mut Connection,
    query: &Query,
    newest: i64,
    limit: usize,
) -> SqlResult<usize> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut selection = Selection::of(&change, query)?;
    selection.up_to(newest);
    let rows = selection.rows(
        "id, timestamp",
        query.oldest_first,
        Some(limit),
        query.offset,
    );
    let Some(rows) = rows else {
        return Ok(0);
    };
    let text = format!(
        "DELETE FROM events WHERE id IN (SELECT id FROM ({}))",
        rows.text
    );
    let deleted = change
        .prepare_cached(&text)?
        .execute(params_from_iter(&rows.values))?;
    change.commit()?;
    Ok(deleted)
}

/// Deletes up to [`SLICE`] events from before `cutoff`, and notes for readers that they are gone; says how many.
pub(super) fn expired(db: &mut Connection, cutoff: &str) -> SqlResult<usize> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (mut deleted, mut newest) = (0, 0i64);
    {
        let mut delete = change.prepare_cached(
            "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE timestamp < ?1 ORDER BY timestamp LIMIT ?2)
             RETURNING id",
        )?;
        let mut rows = delete.query(params![cutoff, SLICE as i64])?;
        while let Some(row) = rows.next()? {
            deleted += 1;
            newest = newest.max(row.get(0)?);
        }
    }
    if deleted > 0 {
        change
            .prepare_cached("UPDATE state SET value = max(value, ?1) WHERE key = 'dropped'")?
            .execute([newest])?;
    }
    change.commit()?;
    Ok(deleted)
}

/// Forgets agents without events, and empties the log.
pub(super) fn finish(db: &Connection) -> SqlResult<()> {
    db.execute(
        "DELETE FROM agents WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.agent_id = agents.id)",
        (),
    )?;
    checkpoint(db)
}

/// Copies the log into the file and empties it. A reader in the way is no error: the next checkpoint does it.
pub(super) fn checkpoint(db: &Connection) -> SqlResult<()> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
}

/// Rebuilds the file without the pages that deletions left empty.
pub(super) fn vacuum(db: &Connection) -> SqlResult<()> {
    db.execute_batch("VACUUM")?;
    checkpoint(db)
}
