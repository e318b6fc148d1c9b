//! The directory of a spool, and in it one of each process: whose they are, and who may take them over.
//!
//! Promise: nothing is written below a directory that others can write or that is not ours; a directory belongs to one
//! living process at most. Never: follows a symbolic link, or waits for a lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use super::config::Purged;
use super::disk::{Disk, Kind, dir_builder, private};
use super::error::{SpoolError, shown};
use crate::diagnostics::say_once;

const LOCK: &str = "lock";

/// Directories of dead processes taken over at once; each costs a file handle while it is held. The next process takes the rest.
const MAX_ADOPTED: usize = 64;

/// Names tried for the own directory. Each can be lost to a process that takes it for a dead one's, in the moment between
/// making and locking it.
const TRIES: usize = 16;

/// The directory of one process, locked.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    lock: File,
    own: bool,
    /// Who locked it. What this process forks has a copy of all this, and must not act on it.
    process: u32,
    gone: AtomicBool,
}

impl Home {
    /// Makes the directory of this process. Where it belongs to another user than the one around it, that one is foreign.
    pub(super) fn create(root: &Path, disk: Arc<dyn Disk>) -> Result<Home, SpoolError> {
        let mut last = io::ErrorKind::WouldBlock.into();
        for _ in 0..TRIES {
            let random = RandomState::new().hash_one(std::process::id());
            let path = root.join(format!("{}-{random:016x}", std::process::id()));
            disk.create_dir(&path).map_err(SpoolError::io(
                &path,
                "making the directory of this process",
            ))?;
            match same_owner(root, &path) {
                Ok(()) => {}
                Err(SpoolError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    last = source;
                    continue;
                }
                Err(error) => {
                    let _ = disk.remove_dir(&path);
                    return Err(error);
                }
            }
            match lock(&path, true) {
                Ok(Some(lock)) => {
                    return Ok(Home {
                        path,
                        disk,
                        lock,
                        own: true,
                        process: std::process::id(),
                        gone: AtomicBool::new(false),
                    });
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => last = error,
                Err(error) => {
                    let _ = disk.remove(&path.join(LOCK));
                    let _ = disk.remove_dir(&path);
                    return Err(SpoolError::io(
                        &path,
                        "locking the directory of this process",
                    )(error));
                }
            }
        }
        Err(SpoolError::io(
            root,
            "making a directory of this process alone",
        )(last))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether this is the process that locked it.
    pub(super) fn is_ours(&self) -> bool {
        self.process == std::process::id()
    }

    /// Removes the directory of a dead process if nothing but the lock is in it.
    pub(super) fn tidy(&self) {
        if !self.own {
            self.remove_if_empty();
        }
    }

    fn remove_if_empty(&self) {
        if self.gone.load(Ordering::Relaxed) {
            return;
        }
        let Ok(entries) = self.disk.list(&self.path) else {
            return;
        };
        // The lock goes last: without it, a directory with something in it would be anybody's.
        if entries.iter().all(|entry| entry.name == LOCK)
            && self.disk.remove(&self.path.join(LOCK)).is_ok()
        {
            let _ = self.disk.remove_dir(&self.path);
            self.gone.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.is_ours() {
            self.remove_if_empty();
            // Not only by closing it: a child that is just being started has it open too for a moment.
            let _ = self.lock.unlock();
        }
    }
}

/// Makes the directory if it is not there, and refuses it where others could change what is in it.
pub(super) fn root(dir: &Path, disk: &dyn Disk) -> Result<PathBuf, SpoolError> {
    let root = plain(dir)?;
    match fs::symlink_metadata(&root) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = root.parent() {
                dir_builder()
                    .recursive(true)
                    .create(parent)
                    .map_err(SpoolError::io(parent, "making the directory"))?;
            }
            match disk.create_dir(&root) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(SpoolError::io(&root, "making the directory")(error));
                }
                _ => {}
            }
            if let Some(parent) = root.parent() {
                let _ = disk.sync_dir(parent);
            }
        }
        Err(error) => return Err(SpoolError::io(&root, "looking at the directory")(error)),
    }
    check(&root)?;
    Ok(root)
}

/// The path in full, and without what would make the system follow a link at its end.
fn plain(dir: &Path) -> Result<PathBuf, SpoolError> {
    let absolute =
        std::path::absolute(dir).map_err(SpoolError::io(dir, "finding the directory"))?;
    Ok(absolute
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect())
}

fn check(path: &Path) -> Result<(), SpoolError> {
    let metadata =
        fs::symlink_metadata(path).map_err(SpoolError::io(path, "looking at the directory"))?;
    if metadata.is_symlink() {
        return Err(SpoolError::Symlink { path: path.into() });
    }
    if !metadata.is_dir() {
        return Err(SpoolError::NotADirectory { path: path.into() });
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o7777;
        if mode & 0o022 != 0 {
            return Err(SpoolError::WritableByOthers {
                path: path.into(),
                mode,
            });
        }
    }
    Ok(())
}

/// Refuses a directory that is not of the user whose a directory is that was just made in it.
#[cfg(unix)]
fn same_owner(root: &Path, made: &Path) -> Result<(), SpoolError> {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: &Path| {
        fs::symlink_metadata(path)
            .map(|metadata| metadata.uid())
            .map_err(SpoolError::io(path, "looking at the directory"))
    };
    let (owner, user) = (of(root)?, of(made)?);
    if owner == user {
        return Ok(());
    }
    Err(SpoolError::ForeignOwner {
        path: root.into(),
        owner,
        user,
    })
}

#[cfg(not(unix))]
fn same_owner(_root: &Path, _made: &Path) -> Result<(), SpoolError> {
    Ok(())
}

/// `<process id>-<16 hex digits>`
fn is_of_a_process(name: &str) -> bool {
    name.split_once('-').is_some_and(|(process, random)| {
        process.parse::<u32>().is_ok()
            && random.len() == 16
            && random.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Locks a directory, unless somebody else has. `None` also where the directory went away meanwhile.
fn lock(path: &Path, make: bool) -> io::Result<Option<File>> {
    let path = path.join(LOCK);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(make);
    let file = private(&mut options).open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Who held it before may have removed it just now; a lock on a file without a name keeps nobody out.
    Ok(is_same(&file, &path).then_some(file))
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(file), Ok(path)) => id(file) == id(path),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(_file: &File, path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Takes over a directory if its process is dead. Where nothing is left in it, it is removed.
fn take_over(path: &Path, like: &Path, disk: &Arc<dyn Disk>) -> io::Result<Option<Home>> {
    check(path).map_err(io::Error::other)?;
    same_owner(path, like).map_err(io::Error::other)?;
    let lock = match lock(path, false) {
        // Its process died between making and locking it, or between unlocking and removing it. If it still lives, it makes
        // another one.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if disk.remove_dir(path).is_ok() || !path.exists() {
                return Ok(None);
            }
            lock(path, true)?
        }
        lock => lock?,
    };
    let Some(lock) = lock else { return Ok(None) };
    let home = Home {
        path: path.into(),
        disk: disk.clone(),
        lock,
        own: false,
        process: std::process::id(),
        gone: AtomicBool::new(false),
    };
    home.tidy();
    Ok((!home.gone.load(Ordering::Relaxed)).then_some(home))
}

/// Takes over what dead processes left beside the directory `own`, oldest first.
pub(super) fn adopt(root: &Path, own: &Path, disk: &Arc<dyn Disk>) -> Vec<Home> {
    let entries = match disk.list(root) {
        Ok(entries) => entries,
        Err(error) => {
            left_alone(root, &error);
            return Vec::new();
        }
    };
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .into_iter()
        .filter(|entry| entry.kind == Kind::Dir && is_of_a_process(&entry.name))
        .map(|entry| root.join(entry.name))
        .filter(|path| path != own)
        .map(|path| (born(&path), path))
        .collect();
    found.sort();
    let mut adopted = Vec::new();
    for (_, path) in found {
        if adopted.len() == MAX_ADOPTED {
            break;
        }
        match take_over(&path, own, disk) {
            Ok(home) => adopted.extend(home),
            Err(error) => left_alone(&path, &error),
        }
    }
    adopted
}

/// When a process locked its directory, which is the only time the file is written.
fn born(path: &Path) -> SystemTime {
    let metadata = fs::symlink_metadata(path.join(LOCK)).or_else(|_| fs::symlink_metadata(path));
    metadata
        .and_then(|metadata| metadata.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Says once that there is something that is not read.
pub(super) fn left_alone(path: &Path, why: &dyn std::fmt::Display) {
    say_once(
        "spool.left_alone",
        format_args!("spool: {} is left alone: {why}", shown(path)),
    );
}

/// Deletes what dead processes left.
pub(super) fn purge(dir: &Path, disk: &dyn Disk) -> io::Result<Purged> {
    let mut purged = Purged {
        removed: 0,
        left_alone: 0,
    };
    let root = plain(dir).map_err(io::Error::other)?;
    match fs::symlink_metadata(&root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(purged),
        _ => check(&root).map_err(io::Error::other)?,
    }
    for entry in disk.list(&root)? {
        let path = root.join(&entry.name);
        if entry.kind != Kind::Dir || !is_of_a_process(&entry.name) || check(&path).is_err() {
            purged.left_alone += 1;
            continue;
        }
        let Some(_lock) = (match lock(&path, true) {
            // Another process removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            lock => lock?,
        }) else {
            purged.left_alone += 1;
            continue;
        };
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            if entry.file_name() == LOCK {
                continue;
            }
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        disk.remove(&path.join(LOCK))?;
        disk.remove_dir(&path)?;
        purged.removed += 1;
    }
    Ok(purged)
}
