//! Connections: how they are opened, what they are set to, and whether their file is still the one at the path.
//!
//! Promise: a file of somebody else is not changed. Files and directories made here are the user's own to read.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, Error as SqlError, ErrorCode, OpenFlags, config::DbConfig, functions::FunctionFlags,
};

use super::{Settings, schema};
use crate::{
    event::Event,
    history::{
        error::{Kind, StoreError},
        search::Needle,
    },
};

/// The SQL function `mentions(data, text)`, which decides as [`Needle`] does.
pub(super) const MENTIONS: &str = "mentions";

/// Prepared statements kept per connection: a dozen for writing, and the shapes of question a program asks again and again.
const STATEMENTS: usize = 64;

/// How the connection that writes is set. A checkpoint every 16 MiB of log instead of every 4 and a page cache of 8 MiB instead
/// of 2 write the pages of the indexes, which every batch touches again, a quarter as often.
const WRITING_WELL: &str = "
    PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA cache_size = -8000;";

/// The connection that writes. Makes the file, brings it up to date.
pub(super) fn writer(path: &Path, settings: &Settings) -> Result<Connection, StoreError> {
    create(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |error| failed(OPENING, path, error);
    let mut db = open(path, flags, settings)?;
    // Until it is known whose file this is, closing it must not write back somebody's journal.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(fail)?;
    schema::identify(&db)
        .map_err(fail)?
        .map_err(|kind| StoreError::new(kind, OPENING).at(path))?;
    if db.is_readonly("main").map_err(fail)? {
        return Err(StoreError::new(Kind::ReadOnly, OPENING).at(path));
    }
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map_err(fail)?;
    // Switching to the write-ahead log does not wait for other processes by itself.
    patiently(settings.busy_timeout, || {
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))
    })
    .map_err(fail)?;
    db.execute_batch(WRITING_WELL).map_err(fail)?;
    if let Some(bytes) = settings.max_bytes {
        let page = db
            .pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))
            .map_err(fail)?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        db.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))
            .map_err(fail)?;
    }
    schema::migrate(&mut db)
        .map_err(fail)?
        .map_err(|kind| StoreError::new(kind, OPENING).at(path))?;
    Ok(db)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path, settings: &Settings) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, settings)
}

fn open(path: &Path, flags: OpenFlags, settings: &Settings) -> Result<Connection, StoreError> {
    let fail = |error| failed(OPENING, path, error);
    let db = Connection::open_with_flags(path, flags).map_err(fail)?;
    db.busy_timeout(settings.busy_timeout).map_err(fail)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.create_scalar_function(
        MENTIONS,
        2,
        FunctionFlags::SQLITE_UTF8
            | FunctionFlags::SQLITE_DETERMINISTIC
            | FunctionFlags::SQLITE_DIRECTONLY,
        |call| {
            let needle = call.get_or_create_aux(1, |value| {
                value
                    .as_str()
                    .map(|text| (Needle::new(text), Needle::in_json(text)))
            })?;
            let data = call.get_raw(0).as_str()?;
            // Parsing is ten times as dear as looking through the text.
            Ok(needle.1.is_in(data)
                && serde_json::from_str::<Event>(data)
                    .is_ok_and(|event| needle.0.is_mentioned(&event)))
        },
    )
    .map_err(fail)?;
    Ok(db)
}

/// Makes the file and the directories to it if they are not there, for this user alone.
fn create(path: &Path) -> Result<(), StoreError> {
    let fail = |error: io::Error| {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::ReadOnly,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
            _ => Kind::Unreachable,
        };
        StoreError::new(kind, OPENING).at(path).because(error)
    };
    if path.exists() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        let mut directories = fs::DirBuilder::new();
        directories.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut directories, 0o700);
        directories.create(parent).map_err(fail)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(fail)
}

/// Tries again while another process is in the way.
fn patiently<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<T, SqlError>,
) -> Result<T, SqlError> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < patience =>
            {
                thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

// === the file at the path ===

/// Which file it is, apart from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileId([u64; 2]);

/// The file at the path now; where the system does not say, every file is the same.
pub(super) fn file_id(path: &Path) -> Option<FileId> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let id = {
        use std::os::unix::fs::MetadataExt;
        FileId([metadata.dev(), metadata.ino()])
    };
    #[cfg(not(unix))]
    let id = {
        drop(metadata);
        FileId([0; 2])
    };
    Some(id)
}

// === errors ===

pub(super) const OPENING: &str = "opening the event database";

/// What SQLite said, as an error of ours. SQLite's own message is left out: it may quote.
pub(super) fn failed(doing: &'static str, path: &Path, error: SqlError) -> StoreError {
    let (kind, source) = match error {
        SqlError::SqliteFailure(code, _) => (kind_of(code.code), Some(code)),
        SqlError::SqlInputError { error: code, .. } => (kind_of(code.code), Some(code)),
        SqlError::FromSqlConversionFailure(..)
        | SqlError::IntegralValueOutOfRange(..)
        | SqlError::Utf8Error(..)
        | SqlError::InvalidColumnType(..)
        | SqlError::QueryReturnedNoRows => (Kind::Corrupt, None),
        _ => (Kind::Other, None),
    };
    let failure = StoreError::new(kind, doing).at(path);
    match source {
        Some(source) => failure.because(source),
        None => failure,
    }
}

fn kind_of(code: ErrorCode) -> Kind {
    match code {
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Kind::ReadOnly,
        ErrorCode::DiskFull => Kind::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Kind::Locked,
        ErrorCode::DatabaseCorrupt => Kind::Corrupt,
        ErrorCode::NotADatabase => Kind::Foreign,
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Kind::Unreachable,
        _ => Kind::Other,
    }
}
