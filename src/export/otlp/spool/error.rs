//! What can be wrong with a spool's directory or settings, said so that a person can fix it, and why a batch was not taken.

use std::io;
use std::path::{Path, PathBuf};

use crate::console::escape;

/// Why a [`SpoolConfig`](super::SpoolConfig) cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// There is something else where the directory should be.
    #[error("spool directory {} is a file, not a directory: name another, or remove it", shown(.path))]
    #[non_exhaustive]
    NotADirectory {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is a symbolic link, which somebody may point elsewhere.
    #[error("spool directory {} is a symbolic link: name the directory it points to", shown(.path))]
    #[non_exhaustive]
    Symlink {
        /// The directory.
        path: PathBuf,
    },
    /// The directory belongs to another user, who could read what is written into it.
    #[error(
        "spool directory {} belongs to user {owner}, and this process runs as user {user}: change its owner, or name \
         another directory", shown(.path)
    )]
    #[non_exhaustive]
    ForeignOwner {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        user: u32,
    },
    /// Other users can write into the directory.
    #[error("spool directory {} can be written by other users (mode {mode:o}): chmod 700 it", shown(.path))]
    #[non_exhaustive]
    WritableByOthers {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system refused.
    #[error("spool: {doing} failed at {}: {source}", shown(.path))]
    #[non_exhaustive]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A setting is out of range.
    #[error("spool: `{what}` is {value}, but must be {allowed}")]
    #[non_exhaustive]
    Bounds {
        /// The setting's method.
        what: &'static str,
        /// What it was given.
        value: String,
        /// What would work.
        allowed: String,
    },
}

impl SpoolError {
    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> SpoolError {
        move |source| SpoolError::Io {
            path: path.into(),
            doing,
            source,
        }
    }
}

/// A path as a message may show it.
pub(super) fn shown(path: &Path) -> String {
    format!("\"{}\"", escape(&path.display().to_string()))
}

/// Why a batch was not taken. Nothing of it counts as being on disk: who appended it still has it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The queue has its limit in bytes, and nothing may be dropped for the new one.
    #[error("the spool is full")]
    Full,
    /// The batch is larger than 64 MiB, or than the whole queue may be.
    #[error("the batch is larger than the spool takes")]
    TooLarge,
    /// The file system refused; it may not the next time.
    #[error("the spool cannot be written: {0}")]
    Io(#[source] io::Error),
}
