//! Where a forwarder remembers how far it has come.
//!
//! Promise: the file holds the old cursor or the new one, never a part of one, whenever the process or the machine stops; one
//! forwarder at a time uses it.
//! Never: goes on from the beginning because the file cannot be read.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::super::ReporterConfigError;
use crate::console::escape;
use crate::history::Cursor;

#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    /// Held as long as this lives; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl CursorFile {
    /// Opens the file, or makes it, and says where it stands.
    pub(super) fn open(path: &Path) -> Result<(Self, Cursor), ReporterConfigError> {
        let fail = |problem: String| ReporterConfigError::CursorFile {
            path: path.to_string_lossy().into_owned(),
            problem,
        };
        let io = |doing: &str, error: &io::Error| {
            fail(format!("{doing} failed ({})", escape(&error.to_string())))
        };
        if let Some(directory) = directory(path) {
            fs::create_dir_all(directory).map_err(|error| io("making its directory", &error))?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(beside(path, "lock"))
            .map_err(|error| io("opening its lock", &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(fail(
                    "another forwarder uses it; give each its own".to_owned(),
                ));
            }
            // Some file systems have no locks; nothing is said against one forwarder there.
            Err(TryLockError::Error(_)) => {}
        }
        let cursor = match fs::read_to_string(path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                fail("it does not hold a cursor; correct it, or delete it to begin anew".to_owned())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Cursor::START,
            Err(error) => return Err(io("reading it", &error)),
        };
        let file = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        // Said now rather than after the first batch.
        file.save(cursor)
            .map_err(|error| io("writing it", &error))?;
        Ok((file, cursor))
    }

    /// Puts a cursor in the place of the one before.
    pub(super) fn save(&self, cursor: Cursor) -> io::Result<()> {
        let new = beside(&self.path, "new");
        let mut file = File::create(&new)?;
        writeln!(file, "{cursor}")?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        #[cfg(unix)]
        if let Some(directory) = directory(&self.path) {
            // Or else the rename itself may be lost with the machine's power.
            File::open(directory)?.sync_all()?;
        }
        Ok(())
    }
}

fn directory(path: &Path) -> Option<&Path> {
    match path.parent()? {
        none if none.as_os_str().is_empty() => Some(Path::new(".")),
        directory => Some(directory),
    }
}

/// `cursor` as `cursor.lock`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_there_again_and_one_forwarder_at_a_time_has_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/cursor");
        let (file, cursor) = CursorFile::open(&path).unwrap();
        assert_eq!(cursor, Cursor::START);
        file.save(Cursor::new(42)).unwrap();
        let error = CursorFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("another forwarder"), "{error}");
        drop(file);
        let (_file, cursor) = CursorFile::open(&path).unwrap();
        assert_eq!(cursor, Cursor::new(42));
    }

    #[test]
    fn a_file_that_holds_no_cursor_is_an_error_and_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cursor");
        fs::write(&path, "4x2\n").unwrap();
        let error = CursorFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("does not hold a cursor"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "4x2\n");
    }
}
