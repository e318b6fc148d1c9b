//! How far a queue is settled, in a file of two slots that are written in turn.
//!
//! Promise: a write that is cut leaves the slot before it. Never: grows after it was made, so a full disk does not stop it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::frame::{u32_at, u64_at};

pub(super) const NAME: &str = "cursor";

const SLOT: usize = 12;

#[derive(Debug)]
pub(super) struct Cursor {
    path: PathBuf,
    file: Option<Arc<dyn DiskFile>>,
    /// The slot to write next.
    slot: usize,
}

impl Cursor {
    pub(super) fn new(dir: &Path) -> Cursor {
        Cursor {
            path: dir.join(NAME),
            file: None,
            slot: 0,
        }
    }

    /// Makes the file, with both slots in it.
    pub(super) fn create(&mut self, disk: &dyn Disk) -> io::Result<Arc<dyn DiskFile>> {
        match disk.create(&self.path) {
            // It was made, but not filled, the last time this was tried.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => drop(made?),
        }
        // What was made is written at its end; this is written in place.
        let file = disk.open(&self.path, true)?;
        file.write_at(&[slot(0), slot(0)].concat(), 0)?;
        self.file = Some(file.clone());
        Ok(file)
    }

    /// What the newest right slot says: zero, which settles nothing, if there is none.
    pub(super) fn load(&mut self, disk: &dyn Disk) -> io::Result<u64> {
        let file = match disk.open(&self.path, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            file => file?,
        };
        let mut newest = 0;
        for (at, next) in [(0, 1), (SLOT, 0)] {
            let mut bytes = [0; SLOT];
            match file.read_at(&mut bytes, at as u64) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
                read => read?,
            }
            let through = u64_at(&bytes, 0);
            if bytes == slot(through) && through > newest {
                newest = through;
                self.slot = next;
            }
        }
        Ok(newest)
    }

    pub(super) fn write(&mut self, through: u64, disk: &dyn Disk) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file.clone(),
            None => match disk.open(&self.path, true) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.create(disk)?,
                file => self.file.insert(file?).clone(),
            },
        };
        file.write_at(&slot(through), (self.slot * SLOT) as u64)?;
        self.slot = 1 - self.slot;
        Ok(())
    }

    pub(super) fn remove(&mut self, disk: &dyn Disk) {
        self.file = None;
        let _ = disk.remove(&self.path);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn slot(through: u64) -> [u8; SLOT] {
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&through.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..8]);
    bytes[8..].copy_from_slice(&crc.to_le_bytes());
    debug_assert_eq!(u32_at(&bytes, 8), crc);
    bytes
}
