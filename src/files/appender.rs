//! The open file: making it, sharing it, appending to it.
//!
//! Promise: while a [`Claim`] lives, its file is the one at the path and nobody else that plays by the lock writes to it or
//! moves it; what is appended begins on a line of its own and ends with a whole record.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;

use crate::render::Batch;

#[derive(Debug, Default)]
pub(super) struct Appender {
    file: Option<File>,
    /// How long we left it: if it is another length now, somebody else wrote to it.
    left_at: u64,
}

impl Appender {
    /// The file at `path`, made if it is not there, locked until the claim is dropped.
    ///
    /// Waits for whoever has the lock: they have it for one batch.
    pub(super) fn claim(&mut self, path: &Path) -> io::Result<Claim<'_>> {
        let file = loop {
            let file = match self.file.take() {
                Some(file) => file,
                None => {
                    self.left_at = u64::MAX;
                    open(path)?
                }
            };
            lock(&file);
            if is_at(&file, path)? {
                break file;
            }
            // Rotated or removed by somebody: what is at the path now is another one.
        };
        let len = file.metadata()?.len();
        let mut claim = Claim {
            file: self.file.insert(file),
            left_at: &mut self.left_at,
            len,
        };
        if len != *claim.left_at && len > 0 && !claim.ends_a_line()? {
            // Somebody died while writing. Their line ends here, so that ours is whole.
            claim.file.write_all(b"\n")?;
            claim.len += 1;
        }
        *claim.left_at = claim.len;
        Ok(claim)
    }

    /// The next claim opens the file anew.
    pub(super) fn close(&mut self) {
        self.file = None;
    }

    /// Waits until the disk has what was appended.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

/// The right to append to the file.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    file: &'a mut File,
    left_at: &'a mut u64,
    len: u64,
}

impl Claim<'_> {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends records of a batch; says how many are in the file, whole. What is there of one that is not is cut off again.
    pub(super) fn append(
        &mut self,
        batch: &Batch,
        records: Range<usize>,
    ) -> (usize, io::Result<()>) {
        let put = batch.put(records, self.file);
        self.len += put.bytes as u64;
        *self.left_at = self.len;
        if put.torn && self.file.set_len(self.len).is_err() {
            // The next claim finds half a line and ends it.
            *self.left_at = u64::MAX;
        }
        (put.records, put.result)
    }

    fn ends_a_line(&mut self) -> io::Result<bool> {
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        // Where it could not be locked there is nothing to unlock.
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
        && !parent.exists()
    {
        make_directory(parent)?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Waits for the lock. A file system without locks has none to wait for, and one writer.
fn lock(file: &File) {
    while let Err(error) = file.lock() {
        if error.kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Whether `file` is the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match fs::metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let here = file.metadata()?;
        Ok((here.dev(), here.ino()) == (there.dev(), there.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = (file, there);
        Ok(true)
    }
}
