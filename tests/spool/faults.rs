//! A file layer over the real one that fails as it is told, and remembers what the loss of power would leave.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use tracing_genai::otlp::internal::{Disk, DiskFile, Entry, RealDisk};

pub const ENFILE: i32 = 23;
pub const EMFILE: i32 = 24;
pub const ENOSPC: i32 = 28;
pub const EROFS: i32 = 30;
pub const EIO: i32 = 5;
pub const EDQUOT: i32 = if cfg!(target_os = "linux") { 122 } else { 69 };

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    CreateDir,
    RemoveDir,
    List,
    Create,
    Open,
    Remove,
    SyncDir,
    Size,
    ReadAt,
    Append,
    WriteAt,
    SetLen,
    Sync,
}

/// Everything that changes something.
pub const CHANGES: [Op; 7] = [
    Op::CreateDir,
    Op::RemoveDir,
    Op::Create,
    Op::Remove,
    Op::Append,
    Op::WriteAt,
    Op::SetLen,
];
/// Everything that takes a file handle.
pub const HANDLES: [Op; 4] = [Op::List, Op::Create, Op::Open, Op::SyncDir];

/// Called before (`true`) and after everything.
type Hook = Box<dyn FnMut(Op, &Path, bool) + Send>;

#[derive(Default)]
struct State {
    /// Bytes until the disk is full, and the error that is then.
    room: Option<u64>,
    full: Option<i32>,
    fails: Vec<(Op, i32)>,
    /// Everything fails, as if there were no process any more.
    dead: bool,
    later: Duration,
    earlier: Duration,
    hook: Option<Hook>,
    done: Vec<(Op, PathBuf)>,
    // What is there, and what is on the disk of it: each file has a number.
    files: BTreeMap<PathBuf, u64>,
    dirs: BTreeSet<PathBuf>,
    synced: BTreeMap<u64, Vec<u8>>,
    synced_files: BTreeMap<PathBuf, u64>,
    synced_dirs: BTreeSet<PathBuf>,
    next: u64,
}

impl State {
    fn is_full(&self) -> io::Error {
        io::Error::from_raw_os_error(self.full.unwrap_or(ENOSPC))
    }
}

#[derive(Clone, Default)]
pub struct FaultDisk(Arc<Mutex<State>>);

impl fmt::Debug for FaultDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultDisk")
    }
}

impl FaultDisk {
    pub fn new() -> FaultDisk {
        FaultDisk::default()
    }

    pub fn arc(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// A full disk says this.
    pub fn says_when_full(&self, code: i32) {
        self.state().full = Some(code);
    }

    pub fn fail(&self, ops: impl IntoIterator<Item = Op>, code: i32) {
        let fails = ops.into_iter().map(|op| (op, code));
        self.state().fails.extend(fails);
    }

    pub fn heal(&self) {
        let mut state = self.state();
        state.fails.clear();
        state.room = None;
    }

    pub fn die(&self, dead: bool) {
        self.state().dead = dead;
    }

    pub fn later(&self, by: Duration) {
        self.state().later += by;
    }

    pub fn earlier(&self, by: Duration) {
        self.state().earlier += by;
    }

    pub fn hook(&self, hook: impl FnMut(Op, &Path, bool) + Send + 'static) {
        self.state().hook = Some(Box::new(hook));
    }

    /// How often something was done to paths that end so.
    pub fn count(&self, op: Op, end: &str) -> usize {
        let state = self.state();
        let done = state.done.iter();
        done.filter(|(done, path)| *done == op && path.to_string_lossy().ends_with(end))
            .count()
    }

    fn before(&self, op: Op, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if let Some(hook) = &mut state.hook {
            hook(op, path, true);
        }
        if state.dead {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        if let Some((_, code)) = state.fails.iter().find(|(fails, _)| *fails == op) {
            return Err(io::Error::from_raw_os_error(*code));
        }
        if state.room == Some(0) && matches!(op, Op::Create | Op::CreateDir) {
            return Err(state.is_full());
        }
        Ok(())
    }

    fn after(&self, op: Op, path: &Path) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.done.push((op, path.into()));
        if let Some(hook) = &mut state.hook {
            hook(op, path, false);
        }
        state
    }

    /// Makes in `to` what the loss of power leaves of `from`: what was synced for certain, and of the rest what `luck` says
    /// for each thing, from 0 (nothing) to 255 (all).
    pub fn lose_power(&self, from: &Path, to: &Path, mut luck: impl FnMut() -> u8) {
        let state = self.state();
        let moved = |path: &Path| to.join(path.strip_prefix(from).unwrap());
        for dir in &state.dirs {
            // Parents come before what is in them.
            if (state.synced_dirs.contains(dir) || luck() > 127)
                && moved(dir).parent().unwrap().is_dir()
            {
                RealDisk.create_dir(&moved(dir)).unwrap();
            }
        }
        let mut names: BTreeMap<&PathBuf, u64> = BTreeMap::new();
        for (path, id) in &state.synced_files {
            let removed = state.files.get(path) != Some(id);
            if !removed || luck() <= 127 {
                names.insert(path, *id);
            }
        }
        for (path, id) in &state.files {
            if state.synced_files.get(path) != Some(id) && luck() > 127 {
                names.insert(path, *id);
            }
        }
        for (path, id) in names {
            if !moved(path).parent().unwrap().is_dir() {
                continue;
            }
            let mut bytes = state.synced.get(&id).cloned().unwrap_or_default();
            if state.files.get(path) == Some(&id) {
                let now = std::fs::read(path).unwrap();
                let luck = luck();
                if now.len() > bytes.len() {
                    // The length may be there before the bytes.
                    let more = (now.len() - bytes.len()) * usize::from(luck) / 255;
                    let from = bytes.len();
                    bytes.extend(&now[from..from + more]);
                    if luck % 2 == 1 {
                        bytes.resize(now.len(), 0);
                    }
                } else if luck > 127 {
                    bytes = now;
                }
            }
            std::fs::write(moved(path), bytes).unwrap();
        }
    }
}

impl Disk for FaultDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.before(Op::CreateDir, path)?;
        RealDisk.create_dir(path)?;
        self.after(Op::CreateDir, path).dirs.insert(path.into());
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.before(Op::RemoveDir, path)?;
        RealDisk.remove_dir(path)?;
        self.after(Op::RemoveDir, path).dirs.remove(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.before(Op::List, path)?;
        let list = RealDisk.list(path)?;
        drop(self.after(Op::List, path));
        Ok(list)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.before(Op::Create, path)?;
        let file = RealDisk.create(path)?;
        let mut state = self.after(Op::Create, path);
        state.next += 1;
        let id = state.next;
        state.files.insert(path.into(), id);
        Ok(self.file(path, id, file))
    }

    fn open(&self, path: &Path, write: bool) -> io::Result<Arc<dyn DiskFile>> {
        self.before(Op::Open, path)?;
        let file = RealDisk.open(path, write)?;
        let state = self.after(Op::Open, path);
        let id = state.files.get(path).copied().unwrap_or(u64::MAX);
        drop(state);
        Ok(self.file(path, id, file))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.before(Op::Remove, path)?;
        let len = path.metadata().map_or(0, |metadata| metadata.len());
        RealDisk.remove(path)?;
        let mut state = self.after(Op::Remove, path);
        state.files.remove(path);
        if let Some(room) = &mut state.room {
            *room += len;
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.before(Op::SyncDir, path)?;
        RealDisk.sync_dir(path)?;
        let mut state = self.after(Op::SyncDir, path);
        let State {
            files,
            dirs,
            synced_files,
            synced_dirs,
            ..
        } = &mut *state;
        let here = |child: &PathBuf| child.parent() == Some(path);
        synced_files.retain(|child, _| !here(child));
        synced_files.extend(
            files
                .iter()
                .filter(|(child, _)| here(child))
                .map(|(p, n)| (p.clone(), *n)),
        );
        synced_dirs.retain(|child| !here(child));
        synced_dirs.extend(dirs.iter().filter(|child| here(child)).cloned());
        Ok(())
    }

    fn now(&self) -> SystemTime {
        let state = self.state();
        SystemTime::now() + state.later - state.earlier
    }
}

impl FaultDisk {
    fn file(&self, path: &Path, id: u64, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(FaultFile {
            disk: self.clone(),
            path: path.into(),
            id,
            file,
        })
    }
}

#[derive(Debug)]
struct FaultFile {
    disk: FaultDisk,
    path: PathBuf,
    id: u64,
    file: Arc<dyn DiskFile>,
}

impl DiskFile for FaultFile {
    fn size(&self) -> io::Result<u64> {
        self.disk.before(Op::Size, &self.path)?;
        self.file.size()
    }

    fn read_at(&self, buf: &mut [u8], at: u64) -> io::Result<()> {
        self.disk.before(Op::ReadAt, &self.path)?;
        self.file.read_at(buf, at)
    }

    fn append(&self, head: &[u8], body: &[u8]) -> io::Result<()> {
        let fits = |room: u64| room.min((head.len() + body.len()) as u64);
        let room = self.disk.state().room;
        if let Some(room) = room.filter(|room| fits(*room) == *room) {
            // What fits is written, as a real disk does it.
            let bytes = [head, body].concat();
            self.file.append(&bytes[..room as usize], &[])?;
            self.disk.room(Some(0));
            return Err(self.disk.state().is_full());
        }
        // So that a failure leaves something that must be cut off.
        if let Err(error) = self.disk.before(Op::Append, &self.path) {
            if !self.disk.state().dead {
                self.file.append(&head[..head.len() / 2], &[])?;
            }
            return Err(error);
        }
        self.file.append(head, body)?;
        let mut state = self.disk.after(Op::Append, &self.path);
        if let Some(room) = &mut state.room {
            *room -= (head.len() + body.len()) as u64;
        }
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.disk.before(Op::WriteAt, &self.path)?;
        self.file.write_at(bytes, at)?;
        drop(self.disk.after(Op::WriteAt, &self.path));
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.before(Op::SetLen, &self.path)?;
        let before = self.file.size()?;
        self.file.set_len(len)?;
        let mut state = self.disk.after(Op::SetLen, &self.path);
        if let Some(room) = &mut state.room {
            *room += before.saturating_sub(len);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.before(Op::Sync, &self.path)?;
        self.file.sync()?;
        let mut bytes = vec![0; self.file.size()? as usize];
        self.file.read_at(&mut bytes, 0)?;
        let mut state = self.disk.after(Op::Sync, &self.path);
        state.synced.insert(self.id, bytes);
        Ok(())
    }
}
