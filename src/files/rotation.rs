//! When a new file is begun, and what becomes of the old ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::path::{backup, dated};

/// When a new file is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// Before a record would make the file larger than `bytes`: `app.jsonl` becomes `app.jsonl.1`, the former `.1` becomes
    /// `.2`, and so on; the oldest beyond `backups` is deleted, with 0 backups the file itself. A single record that is larger
    /// gets a file of its own.
    Size {
        /// The largest size of a file.
        bytes: u64,
        /// How many older files are kept.
        backups: u32,
    },
    /// One file a UTC day, with the day in its name: `app.2026-11-25.jsonl`, today's included. Its size has no limit.
    Daily {
        /// How many files of earlier days are kept; older ones are deleted when a new day's file is begun.
        keep: u32,
    },
    /// Never.
    Never,
}

impl Default for Rotation {
    /// 10 MiB, 5 backups.
    fn default() -> Self {
        Self::Size {
            bytes: 10 * 1024 * 1024,
            backups: 5,
        }
    }
}

impl Rotation {
    /// The size a file may have.
    pub(super) fn limit(self) -> u64 {
        match self {
            Self::Size { bytes, .. } => bytes,
            Self::Daily { .. } | Self::Never => u64::MAX,
        }
    }

    /// Makes room at `path`: every backup moves up by one, the oldest goes. The file at `path` moves last, so that whoever
    /// holds its lock is alone until it is done.
    pub(super) fn shift(self, path: &Path) -> io::Result<()> {
        let Self::Size { backups, .. } = self else {
            return Ok(());
        };
        if backups == 0 {
            return fs::remove_file(path);
        }
        // Up to the first free number; the oldest is replaced.
        let free = (1..backups).find(|n| !backup(path, *n).exists());
        for n in (1..free.unwrap_or(backups)).rev() {
            fs::rename(backup(path, n), backup(path, n + 1))?;
        }
        fs::rename(path, backup(path, 1))
    }

    /// Deletes the files of days beyond those kept; `path` is the file's name without a day, `today` the one with today's.
    pub(super) fn prune(self, path: &Path, today: &Path) -> io::Result<()> {
        let Self::Daily { keep } = self else {
            return Ok(());
        };
        let mut days = days(path)?;
        days.retain(|path| path != today);
        // Names sort like days.
        days.sort_unstable();
        let old = days.len().saturating_sub(keep as usize);
        for path in &days[..old] {
            match fs::remove_file(path) {
                // Another process was faster.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// The files of all days, in the directory as `path` names it.
fn days(path: &Path) -> io::Result<Vec<PathBuf>> {
    // Where the day stands in a name, the rest of which must be the same.
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.as_encoded_bytes().to_vec())
    };
    let pattern = name(&dated(path, "dddd-dd-dd")).unwrap_or_default();
    let start = path.file_stem().unwrap_or_default().len() + 1;
    let is_day = |name: &[u8]| {
        name.len() == pattern.len()
            && name
                .iter()
                .zip(pattern.iter())
                .enumerate()
                .all(|(at, (c, p))| {
                    let in_day = (start..start + 10).contains(&at) && *p == b'd';
                    if in_day { c.is_ascii_digit() } else { c == p }
                })
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?.file_name();
        if is_day(entry.as_encoded_bytes()) {
            found.push(path.with_file_name(entry));
        }
    }
    Ok(found)
}
