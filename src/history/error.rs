//! Why a store could not do what was asked, and what to do about it.
//!
//! Promise: names the file and the remedy. Never: quotes an event, or SQL with its values.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use crate::console::escape;

/// Why a store could not do what was asked. The `is_…` methods say of which kind it is.
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    doing: &'static str,
    path: Option<PathBuf>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[cfg_attr(
    not(feature = "sqlite"),
    allow(dead_code, reason = "a disk has most to say")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ReadOnly,
    Full,
    Locked,
    Corrupt,
    Foreign,
    Newer,
    Unreachable,
    NoPath,
    Other,
}

impl Kind {
    /// What happened, and what to do.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ReadOnly => (
                "the file, its directory or its file system may not be written",
                "change the permissions, or choose another path",
            ),
            Self::Full => (
                "the disk is full, or the file has reached its `max_bytes`",
                "free space, raise the limit, or erase old events",
            ),
            Self::Locked => (
                "another process held the database for longer than `busy_timeout`",
                "end what holds it, or raise the time-out",
            ),
            Self::Corrupt => (
                "the database is damaged",
                "move it away, and save what is readable with `sqlite3 FILE .recover`",
            ),
            Self::Foreign => (
                "this is not a database of this library, and was left as it is",
                "choose another path; if it once was one, its first page is damaged",
            ),
            Self::Newer => (
                "the database was written by a newer version of this library, and was left as it is",
                "upgrade, or choose another path",
            ),
            Self::Unreachable => (
                "the file cannot be opened, read or written",
                "see whether its directory exists and the disk is in order",
            ),
            Self::NoPath => (
                "the user has no data directory",
                "set TRACING_GENAI_DB or HOME, or give a path",
            ),
            Self::Other => ("the store failed", "see the cause"),
        }
    }
}

impl StoreError {
    /// The failure of a store of one's own.
    pub fn other(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::Other,
            doing: "asking the store",
            path: None,
            source: Some(source.into()),
        }
    }

    /// The file or its directory may not be written.
    pub fn is_read_only(&self) -> bool {
        self.kind == Kind::ReadOnly
    }

    /// The disk is full, or the file has reached its limit.
    pub fn is_full(&self) -> bool {
        self.kind == Kind::Full
    }

    /// Somebody else held the database for too long. Trying again may help.
    pub fn is_locked(&self) -> bool {
        self.kind == Kind::Locked
    }

    /// What is on the disk is not what was written.
    pub fn is_corrupt(&self) -> bool {
        self.kind == Kind::Corrupt
    }

    /// The file belongs to something else, or is no database at all.
    pub fn is_foreign(&self) -> bool {
        self.kind == Kind::Foreign
    }

    /// The file needs a newer version of this library.
    pub fn is_newer(&self) -> bool {
        self.kind == Kind::Newer
    }

    /// The file could not be opened, or the disk failed.
    pub fn is_unreachable(&self) -> bool {
        self.kind == Kind::Unreachable
    }

    /// There is no default place for the file.
    pub fn is_no_path(&self) -> bool {
        self.kind == Kind::NoPath
    }

    /// The file it is about.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

#[cfg(feature = "sqlite")]
impl StoreError {
    pub(super) fn new(kind: Kind, doing: &'static str) -> Self {
        Self {
            kind,
            doing,
            path: None,
            source: None,
        }
    }

    pub(super) fn at(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    pub(super) fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (happened, remedy) = self.kind.words();
        f.write_str(self.doing)?;
        if let Some(path) = &self.path {
            write!(f, " ({})", escape(&path.to_string_lossy()))?;
        }
        write!(f, ": {happened}")?;
        if let Some(source) = &self.source {
            write!(f, " ({})", escape(&source.to_string()))?;
        }
        write!(f, "; {remedy}")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
