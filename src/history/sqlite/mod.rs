//! The store on disk: one SQLite file for any number of threads and processes.
//!
//! Owns: the file, one connection that writes, a few that read.
//! Promise: an event is stored whole or not at all, once; a question never waits for a writer; a file that is not ours is
//! left as it is.
//! Never: writes on a thread that publishes. [`SqliteWriter`] is driven by an outlet's thread.

mod adopt;
mod connect;
mod depth;
mod erase;
mod place;
mod read;
mod schema;
mod select;
mod write;
mod writer;

use std::{
    fmt, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use rusqlite::{Connection, Result as SqlResult};

use self::connect::{FileId, failed, file_id};
pub use self::writer::SqliteWriter;
use super::{
    AgentStats, By, Cursor, EventStore, Page, Query, Stats, StoreError, error::Kind, handle::DAY,
};
use crate::event::{Event, time};

const READING: &str = "reading the event database";
const WRITING: &str = "writing to the event database";
const DELETING: &str = "deleting from the event database";

/// Connections for reading that are kept open. More than this many questions at once open one each.
const READERS: usize = 4;

/// Events in a SQLite file. Cloning shares it.
///
/// ```
/// use std::time::SystemTime;
/// use tracing_genai::event::{EventData, EventType};
/// use tracing_genai::history::{Cursor, EventStore, History, SqliteStore};
///
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("events.db");
/// let store = SqliteStore::builder().path(&path).retention_days(30).open()?;
/// let event = EventData::new(EventType::parse("llm.call.completed")?, SystemTime::now());
/// store.append(&[event.into()])?;
///
/// assert_eq!(History::new(store.clone()).event_type("llm.*")?.limit(100).fetch()?.len(), 1);
/// let page = store.since(Cursor::START, 500)?;
/// assert_eq!((page.events.len(), page.next), (1, Cursor::new(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Durability
///
/// Each batch is one transaction in write-ahead-log mode with `synchronous = NORMAL`. A batch that was written survives the
/// end of the process, by `kill -9` too. If the machine loses power, the batches since the last checkpoint (16 MiB of
/// log) may be gone; the file stays sound, and no batch is there by half. File systems without shared memory (most network
/// ones) are not for a file that several machines write.
///
/// # What can be lost
///
/// A batch that cannot be written, because the disk is full, failing or read-only, or another process holds the file for
/// longer than [`busy_timeout`](SqliteBuilder::busy_timeout), is lost, counted by the outlet, and said once on stderr; the
/// next batch is tried anew, so writing goes on when the cause is gone. On a full disk SQLite cannot even delete:
/// [`max_bytes`](SqliteBuilder::max_bytes) stops the file before that, and deleting below that limit always works. A file that
/// is deleted or replaced while it is open is noticed at the next batch and made anew.
///
/// # Several processes
///
/// Any number may write the same file. SQLite lets in one at a time, and an event's number is given inside its
/// transaction, so a reader that asks [`since`](EventStore::since) its last cursor sees each event once and none too late.
///
/// # Reading it with `sqlite3`
///
/// | Table or view | A row is |
/// | --- | --- |
/// | `events` | an event; `data` is its JSON, `id` its cursor |
/// | `agents` | an agent, with `created_at` and `last_seen` |
/// | `v_events` | an event with the agent's id, name, duration and error type spelled out |
/// | `v_llm_calls` | a finished model call: outcome, provider, model, tokens, cost, duration |
/// | `v_tool_calls` | a finished tool call: outcome, tool, duration |
/// | `v_runs` | a trace: when, which agents, how many calls, tokens, cost, errors |
///
/// ```text
/// $ sqlite3 events.db "SELECT model, sum(cost_usd) FROM v_llm_calls GROUP BY model"
/// ```
///
/// # Erasing
///
/// [`History::erase`](super::History::erase) overwrites what it deletes (`secure_delete`), empties the log, and forgets agents
/// without events. The file keeps its size, for new events; [`vacuum`](Self::vacuum) gives it back.
#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    settings: Settings,
    writer: Mutex<Option<Open>>,
    readers: Mutex<Vec<Open>>,
}

#[derive(Debug, Clone)]
struct Settings {
    busy_timeout: Duration,
    max_bytes: Option<u64>,
    retention: Option<Duration>,
}

/// A connection, and the file it is connected to.
struct Open {
    db: Connection,
    file: FileId,
}

impl SqliteStore {
    /// Opens the file at `path`, and makes it if it is not there.
    ///
    /// # Errors
    /// See [`SqliteBuilder::open`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::builder().path(path).open()
    }

    /// Settings to open a file with.
    pub fn builder() -> SqliteBuilder {
        SqliteBuilder {
            path: None,
            settings: Settings {
                busy_timeout: SqliteBuilder::BUSY_TIMEOUT,
                max_bytes: None,
                retention: None,
            },
        }
    }

    /// Where the file is unless [`SqliteBuilder::path`] says otherwise: what `TRACING_GENAI_DB` says, or else
    /// `tracing-genai/events.db` in the user's data directory: `$XDG_DATA_HOME` or `~/.local/share`, `~/Library/Application
    /// Support` on macOS, `%LOCALAPPDATA%` on Windows. `None` when the environment names no home either.
    pub fn default_path() -> Option<PathBuf> {
        place::default_path()
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// A writer for an outlet, which stores each batch and applies the retention in between.
    pub fn writer(&self) -> SqliteWriter {
        SqliteWriter::new(self.clone())
    }

    /// Deletes what happened before `time`, and says how many events that were. Readers whose cursor is before them learn it
    /// ([`Page::missed`]).
    ///
    /// # Errors
    /// When not all could be deleted; some may be gone.
    pub fn delete_before(&self, time: SystemTime) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            match self.expire(time)? {
                0 => break,
                some => deleted += some as u64,
            }
        }
        if deleted > 0 {
            self.write(DELETING, |db| erase::finish(db))?;
        }
        Ok(deleted)
    }

    /// Deletes what is older at `now` than the retention allows; nothing if there is none.
    ///
    /// # Errors
    /// When not all could be deleted; some may be gone.
    pub fn retain(&self, now: SystemTime) -> Result<u64, StoreError> {
        match self.cutoff(now) {
            Some(cutoff) => self.delete_before(cutoff),
            None => Ok(0),
        }
    }

    /// Gives the space of deleted events back to the disk.
    ///
    /// Rebuilds the file: needs as much free space again as the events take, and nobody writes meanwhile, seconds per GiB.
    /// Deleted space is used again without it.
    ///
    /// # Errors
    /// When the file could not be rebuilt; it is as before.
    pub fn vacuum(&self) -> Result<(), StoreError> {
        self.write(WRITING, |db| erase::vacuum(db))
    }

    fn cutoff(&self, now: SystemTime) -> Option<SystemTime> {
        now.checked_sub(self.0.settings.retention?)
    }

    /// Deletes one slice of what happened before `time`.
    fn expire(&self, time: SystemTime) -> Result<usize, StoreError> {
        let cutoff = time::to_rfc3339(time);
        self.write(DELETING, |db| erase::expired(db, &cutoff))
    }

    /// Runs `task` with the connection that writes, on the file that is at the path now.
    fn write<T>(
        &self,
        doing: &'static str,
        task: impl FnOnce(&mut Connection) -> SqlResult<T>,
    ) -> Result<T, StoreError> {
        let Inner { path, settings, .. } = &*self.0;
        let mut writer = lock(&self.0.writer);
        let there = file_id(path);
        if writer.as_ref().map(|open| open.file) != there || there.is_none() {
            *writer = None;
            let db = connect::writer(path, settings)?;
            let file = file_id(path).unwrap_or_default();
            *writer = Some(Open { db, file });
        }
        match &mut *writer {
            Some(open) => task(&mut open.db).map_err(|error| failed(doing, path, error)),
            None => Err(StoreError::new(Kind::Unreachable, doing).at(path)),
        }
    }

    /// Runs `task` with a connection that reads.
    fn read<T>(&self, task: impl FnOnce(&mut Connection) -> SqlResult<T>) -> Result<T, StoreError> {
        let Inner { path, settings, .. } = &*self.0;
        let file = file_id(path).unwrap_or_default();
        let idle = {
            let mut readers = lock(&self.0.readers);
            match readers.pop() {
                Some(open) if open.file == file => Some(open),
                // They are all of a file that is gone; closing them takes a while.
                Some(open) => {
                    let gone = (open, mem::take(&mut *readers));
                    drop(readers);
                    drop(gone);
                    None
                }
                None => None,
            }
        };
        let mut open = match idle {
            Some(open) => open,
            None => Open {
                db: connect::reader(path, settings)?,
                file,
            },
        };
        let answer = task(&mut open.db).map_err(|error| failed(READING, path, error))?;
        let mut readers = lock(&self.0.readers);
        if readers.len() < READERS {
            readers.push(open);
        }
        Ok(answer)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EventStore for SqliteStore {
    fn feed(self: Arc<Self>) -> crate::history::Feed {
        crate::history::Feed::Writer(Box::new(self.writer()))
    }

    fn append(&self, events: &[Event]) -> Result<usize, StoreError> {
        self.write(WRITING, |db| write::append(db, events))
    }

    fn find(&self, query: &Query) -> Result<Vec<Event>, StoreError> {
        self.read(|db| read::find(db, query))
    }

    fn delete(&self, query: &Query) -> Result<u64, StoreError> {
        let newest = self.write(DELETING, |db| erase::newest(db))?;
        let mut left = query.limit.unwrap_or(usize::MAX);
        let mut deleted = 0;
        while left > 0 {
            let slice = left.min(erase::SLICE);
            let gone = self.write(DELETING, |db| erase::slice(db, query, newest, slice))?;
            if gone == 0 {
                break;
            }
            left -= gone;
            deleted += gone as u64;
        }
        self.write(DELETING, |db| erase::finish(db))?;
        Ok(deleted)
    }

    fn since(&self, cursor: Cursor, limit: usize) -> Result<Page, StoreError> {
        self.read(|db| read::since(db, cursor, limit))
    }

    fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.read(|db| read::count(db, query))
    }

    fn stats(&self, query: &Query) -> Result<Stats, StoreError> {
        self.read(|db| read::stats(db, query))
    }

    fn agents(&self, query: &Query) -> Result<Vec<AgentStats>, StoreError> {
        self.read(|db| read::agents(db, query))
    }

    fn distribution(&self, query: &Query, by: By) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|db| read::distribution(db, query, by))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.0.path)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

/// How to open a [`SqliteStore`].
#[derive(Debug, Clone)]
#[must_use = "nothing is opened before `open`"]
pub struct SqliteBuilder {
    path: Option<PathBuf>,
    settings: Settings,
}

impl SqliteBuilder {
    /// The default of [`busy_timeout`](Self::busy_timeout): ten times what a checkpoint on a slow disk takes.
    pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

    /// Days that suit most retention policies; see [`retention_days`](Self::retention_days).
    pub const RETENTION_DAYS: u32 = 30;

    /// Where the file is. Default [`SqliteStore::default_path`]. Missing directories are made.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Deletes events automatically once they are older than so many days, at least one. Default: never.
    ///
    /// Done by [`SqliteStore::writer`], between its batches, a thousand events at a time; looked for every hour.
    pub fn retention_days(mut self, days: u32) -> Self {
        self.settings.retention = Some(DAY * days.max(1));
        self
    }

    /// How large the file may become, in bytes, to the page (4 KiB). Default: as large as the disk. A batch that does not fit is
    /// lost and counted until something is deleted. The log beside the file, some 16 MiB, comes on top. A file that is already larger
    /// grows no further.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_bytes = Some(bytes);
        self
    }

    /// How long to wait for another process that writes, before giving up. Default [`SqliteBuilder::BUSY_TIMEOUT`], at most
    /// 24 days. Writers wait here, publishers never.
    pub fn busy_timeout(mut self, time: Duration) -> Self {
        self.settings.busy_timeout = time.min(DAY * 24);
        self
    }

    /// Opens the file; makes it, for this user alone (mode 600), if it is not there; brings it up to date if an older version
    /// or Cylestio Monitor made it.
    ///
    /// # Errors
    /// When there is no path, or the file there is read-only, foreign, damaged, of a newer version, locked by another
    /// process, or cannot be reached; see the `is_…` methods of [`StoreError`].
    pub fn open(self) -> Result<SqliteStore, StoreError> {
        let path = match self.path {
            Some(path) => path,
            None => place::default_path()
                .ok_or_else(|| StoreError::new(Kind::NoPath, connect::OPENING))?,
        };
        // A change of the working directory must not change the file, and names like `:memory:` are names of files.
        let path = std::path::absolute(&path).map_err(|error| {
            StoreError::new(Kind::Unreachable, connect::OPENING)
                .at(&path)
                .because(error)
        })?;
        let store = SqliteStore(Arc::new(Inner {
            path,
            settings: self.settings,
            writer: Mutex::default(),
            readers: Mutex::default(),
        }));
        store.write(connect::OPENING, |_| Ok(()))?;
        Ok(store)
    }
}
