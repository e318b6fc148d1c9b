//! The file layer: the few things a spool does to files, so that tests can let each of them fail.
//!
//! Promise: what it makes is for this user alone (0700, 0600). Never: follows a symbolic link to make something, or keeps a
//! handle of its own.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// A file system, and the clock its files are dated by.
pub trait Disk: Debug + Send + Sync {
    /// Makes a directory, which is not there.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// What is in a directory, in any order.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;
    /// Makes a file, which is not there. It is written at its end.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file to be read, or to be read and written in place.
    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Forces to the disk what was made in a directory.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// What time it is.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// An open file. One thread reads and writes; another may sync.
pub trait DiskFile: Debug + Send + Sync {
    /// How long it is.
    fn size(&self) -> io::Result<u64>;
    /// Fills `buf` from a place on.
    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<()>;
    /// Writes both parts at the end, in one go where it can. After an error any part of them may be there.
    fn append(&self, head: &[u8], body: &[u8]) -> io::Result<()>;
    /// Writes in place.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;
    /// Cuts it.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Forces it to the disk.
    fn sync(&self) -> io::Result<()>;
}

/// Something in a directory.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name, with replacements for what is not Unicode.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The length of a file.
    pub len: u64,
}

/// What is in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A link, a socket, …
    Other,
}

/// The file system of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        dir_builder().create(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let kind = match metadata.file_type() {
                ty if ty.is_file() => Kind::File,
                ty if ty.is_dir() => Kind::Dir,
                _ => Kind::Other,
            };
            entries.push(Entry {
                name: entry.file_name().to_string_lossy().into_owned(),
                kind,
                len: metadata.len(),
            });
        }
        Ok(entries)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create_new(true);
        Ok(Arc::new(private(&mut options).open(path)?))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(write).open(path)?;
        Ok(Arc::new(file))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened, and needs not to be.
        if cfg!(unix) {
            File::open(path)?.sync_all()?;
        }
        Ok(())
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<()> {
        let mut file = self;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(buf)
    }

    fn append(&self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let mut file = self;
        let parts = [IoSlice::new(head), IoSlice::new(body)];
        let written = match file.write_vectored(&parts) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            written => written?,
        };
        if let Some(rest) = head.get(written..) {
            file.write_all(rest)?;
            return file.write_all(body);
        }
        file.write_all(body.get(written - head.len()..).unwrap_or_default())
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut file = self;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes directories for this user alone.
pub(super) fn dir_builder() -> fs::DirBuilder {
    #[allow(unused_mut, reason = "only Unix has modes")]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes files for this user alone.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// There are no handles or there is no memory now; there will be.
pub(super) fn passes_by_itself(error: &io::Error) -> bool {
    // "Too many open files", of the process and of the machine: on Unix, and on Windows.
    let handles: &[i32] = if cfg!(unix) { &[24, 23] } else { &[4] };
    matches!(
        error.kind(),
        io::ErrorKind::OutOfMemory | io::ErrorKind::Interrupted
    ) || error
        .raw_os_error()
        .is_some_and(|code| handles.contains(&code))
}

/// There is no room on the disk, or none left for this user.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
