//! What was written and is not on the disk yet, and the thread that brings it there.
//!
//! Promise: a failed sync is tried again, and said once. Never: is waited for by whoever drops it.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::SpoolSync;
use super::disk::{Disk, DiskFile};
use crate::diagnostics::say_once;

#[derive(Debug)]
pub(super) struct Syncer {
    policy: SpoolSync,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    dirty: Mutex<Dirty>,
    wake: Condvar,
    /// Held while syncing: who asks for a sync gets it done, also when the thread began one before.
    syncing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Dirty {
    files: HashMap<PathBuf, Arc<dyn DiskFile>>,
    dirs: BTreeSet<PathBuf>,
    stop: bool,
}

impl Syncer {
    pub(super) fn start(policy: SpoolSync, disk: Arc<dyn Disk>) -> io::Result<Arc<Syncer>> {
        let shared = Arc::new(Shared {
            disk,
            dirty: Mutex::default(),
            wake: Condvar::new(),
            syncing: Mutex::default(),
        });
        if let SpoolSync::Every(every) = policy {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name("tracing-genai-sync".into())
                .spawn(move || shared.run(every))?;
        }
        Ok(Arc::new(Syncer { policy, shared }))
    }

    /// A file was written; with [`SpoolSync::Always`] it, and the directories before it, are on the disk afterwards.
    pub(super) fn written(&self, path: &Path, file: &Arc<dyn DiskFile>) -> io::Result<()> {
        match self.policy {
            SpoolSync::Never => Ok(()),
            SpoolSync::Every(_) => {
                let mut dirty = self.shared.lock();
                if !dirty.files.contains_key(path) {
                    dirty.files.insert(path.into(), file.clone());
                    self.shared.wake.notify_one();
                }
                Ok(())
            }
            SpoolSync::Always => {
                file.sync()?;
                self.shared.sync()
            }
        }
    }

    /// Something was made in a directory.
    pub(super) fn dirty_dir(&self, path: &Path) {
        if self.policy != SpoolSync::Never {
            self.shared.lock().dirs.insert(path.into());
            self.shared.wake.notify_one();
        }
    }

    /// A file is gone.
    pub(super) fn forget(&self, path: &Path) {
        if self.policy != SpoolSync::Never {
            self.shared.lock().files.remove(path);
        }
    }

    /// Brings everything to the disk now.
    pub(super) fn sync(&self) -> io::Result<()> {
        match self.policy {
            SpoolSync::Never => Ok(()),
            SpoolSync::Every(_) | SpoolSync::Always => self.shared.sync(),
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Dirty> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, every: Duration) {
        loop {
            let clean =
                |dirty: &mut Dirty| !dirty.stop && dirty.files.is_empty() && dirty.dirs.is_empty();
            let dirty = self
                .wake
                .wait_while(self.lock(), clean)
                .unwrap_or_else(PoisonError::into_inner);
            let (dirty, _) = self
                .wake
                .wait_timeout_while(dirty, every, |dirty| !dirty.stop)
                .unwrap_or_else(PoisonError::into_inner);
            let stop = dirty.stop;
            drop(dirty);
            if let Err(error) = self.sync() {
                say_once(
                    "spool.sync",
                    format_args!(
                        "spool: what is written does not reach the disk, and a loss of power would lose it: {error}"
                    ),
                );
            }
            if stop {
                return;
            }
        }
    }

    /// What is written meanwhile does not wait for the disk.
    fn sync(&self) -> io::Result<()> {
        let _syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, dirs) = {
            let mut dirty = self.lock();
            (
                std::mem::take(&mut dirty.files),
                std::mem::take(&mut dirty.dirs),
            )
        };
        let mut result = Ok(());
        for (path, file) in files {
            if let Err(error) = file.sync() {
                self.lock().files.entry(path).or_insert(file);
                result = Err(error);
            }
        }
        for dir in dirs {
            match self.disk.sync_dir(&dir) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    self.lock().dirs.insert(dir);
                    result = Err(error);
                }
                _ => {}
            }
        }
        result
    }
}
