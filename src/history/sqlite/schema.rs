//! Whose file it is, and how it becomes one of this version.
//!
//! Promise: a file is brought up to date in one transaction, or not at all.
//! Never: touches a file that is neither empty, nor ours, nor of the shape Cylestio Monitor wrote.

use std::collections::BTreeSet;

use rusqlite::{Connection, Result as SqlResult, Transaction, TransactionBehavior};

use super::adopt;
use crate::history::error::Kind;

/// What `PRAGMA application_id` says in files of ours: "tgna".
pub(super) const APPLICATION: i32 = 0x7467_6e61;

/// What to do to reach version 1, 2 … of the schema, which `PRAGMA user_version` counts. Rows are added, never changed.
const STEPS: &[&str] = &[include_str!("schema.sql")];

/// Made anew after every step, so that no step has to care for them.
const VIEWS: &str = include_str!("views.sql");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Nobody,
    /// Of ours, with so many steps taken.
    Ours(usize),
    /// Of Cylestio Monitor.
    Cylestio,
}

/// Whose file it is; or why it cannot be used. Seen at one moment: half before and half after another one made the file, it would
/// look like nobody's.
pub(super) fn identify(db: &Connection) -> SqlResult<Result<Whose, Kind>> {
    if db.is_autocommit() {
        return seen(&*db.unchecked_transaction()?);
    }
    seen(db)
}

fn seen(db: &Connection) -> SqlResult<Result<Whose, Kind>> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let mut names = db.prepare(
        "SELECT name, type FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let all = names
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<SqlResult<Vec<(String, String)>>>()?;
    Ok(match (application, version) {
        (APPLICATION, version) => match usize::try_from(version) {
            Ok(taken) if taken <= STEPS.len() => Ok(Whose::Ours(taken)),
            Ok(_) => Err(Kind::Newer),
            Err(_) => Err(Kind::Foreign),
        },
        (0, 0) if all.is_empty() => Ok(Whose::Nobody),
        (0, 0) if is_cylestio(db, &all)? => Ok(Whose::Cylestio),
        _ => Err(Kind::Foreign),
    })
}

fn is_cylestio(db: &Connection, all: &[(String, String)]) -> SqlResult<bool> {
    let columns = |table: &str| {
        db.prepare("SELECT name FROM pragma_table_info(?1)")?
            .query_map([table], |row| row.get(0))?
            .collect::<SqlResult<BTreeSet<String>>>()
    };
    let has = |table, wanted: &[&str]| {
        columns(table).map(|found| wanted.iter().all(|column| found.contains(*column)))
    };
    let tables: BTreeSet<_> = all
        .iter()
        .filter(|(_, what)| what != "index")
        .map(|(name, what)| (name.as_str(), what.as_str()))
        .collect();
    Ok(
        tables == BTreeSet::from([("agents", "table"), ("events", "table")])
            && has("agents", &["id", "agent_id"])?
            && has("events", &adopt::COLUMNS)?,
    )
}

/// Takes the steps that are missing.
pub(super) fn migrate(db: &mut Connection) -> SqlResult<Result<(), Kind>> {
    if identify(db)? == Ok(Whose::Ours(STEPS.len())) {
        return Ok(Ok(()));
    }
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let whose = match identify(&change)? {
        Ok(whose) => whose,
        Err(kind) => return Ok(Err(kind)),
    };
    let taken = match whose {
        Whose::Ours(taken) => taken,
        Whose::Nobody => 0,
        Whose::Cylestio => {
            adopt::set_aside(&change)?;
            0
        }
    };
    if taken < STEPS.len() {
        drop_views(&change)?;
        for step in &STEPS[taken..] {
            change.execute_batch(step)?;
        }
        change.execute_batch(VIEWS)?;
        if whose == Whose::Cylestio {
            adopt::take_over(&change)?;
        }
        change.pragma_update(None, "application_id", APPLICATION)?;
        change.pragma_update(None, "user_version", STEPS.len() as i64)?;
    }
    change.commit().map(Ok)
}

fn drop_views(change: &Transaction<'_>) -> SqlResult<()> {
    let drops: Vec<String> = change
        .prepare("SELECT format('DROP VIEW \"%w\"', name) FROM sqlite_schema WHERE type = 'view'")?
        .query_map((), |row| row.get(0))?
        .collect::<SqlResult<_>>()?;
    drops.iter().try_for_each(|drop| change.execute_batch(drop))
}
