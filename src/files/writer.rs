//! Batches of events into a file that rotates.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::appender::Appender;
use super::options::Clock;
use super::{EventFile, FileError, Rotation, path};
use crate::diagnostics;
use crate::event::Event;
use crate::outlet::{EventWriter, WriteError};
use crate::render::{Batch, Render};

/// An open file of events, from [`EventFile::open`]. Dropping it closes the file; there is nothing left to write then.
pub struct FileWriter<R> {
    render: R,
    target: Target,
    batch: Batch,
}

impl<R: Render> FileWriter<R> {
    pub(super) fn open(options: EventFile<R>) -> Result<Self, FileError> {
        let base = path::resolve(
            &options.path,
            &options.agent,
            options.render.extension(),
            (options.clock)(),
        )?;
        let mut target = Target {
            path: base.clone(),
            base,
            rotation: options.rotation,
            fsync: options.fsync,
            clock: options.clock,
            appender: Appender::default(),
        };
        target.turn_the_page();
        if fs::metadata(&target.path).is_ok_and(|there| !there.is_file()) {
            return Err(FileError::NotAFile(target.path));
        }
        if let Err(source) = target.appender.claim(&target.path) {
            let path = target.path;
            return Err(FileError::Open { path, source });
        }
        Ok(Self {
            render: options.render,
            target,
            batch: Batch::default(),
        })
    }

    /// The file that was written to last.
    pub fn path(&self) -> &Path {
        &self.target.path
    }
}

impl<R: Render + Send + 'static> EventWriter for FileWriter<R> {
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
        let Self {
            render,
            target,
            batch,
        } = self;
        target.turn_the_page();
        batch.write(events, render, |batch| target.put(batch))
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        self.target.sync().map_err(WriteError::new)
    }
}

impl<R> fmt::Debug for FileWriter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileWriter")
            .field("path", &self.target.path)
            .field("rotation", &self.target.rotation)
            .finish_non_exhaustive()
    }
}

struct Target {
    /// The file's name without a day.
    base: PathBuf,
    /// The file now.
    path: PathBuf,
    rotation: Rotation,
    fsync: bool,
    clock: Clock,
    appender: Appender,
}

impl Target {
    /// Where each day has a file of its own, goes on to today's.
    fn turn_the_page(&mut self) {
        let Rotation::Daily { .. } = self.rotation else {
            return;
        };
        let today = path::dated(&self.base, &path::day((self.clock)()));
        if today == self.path {
            return;
        }
        self.leave();
        self.path = today;
        match self.rotation.prune(&self.base, &self.path) {
            // The directory is made together with the file.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.complain("files of earlier days stay", &error);
            }
            _ => {}
        }
    }

    /// Writes the batch, rotating where a record would not fit; says how many records are written.
    fn put(&mut self, batch: &Batch) -> (usize, io::Result<()>) {
        let mut done = 0;
        while done < batch.records() {
            match self.put_some(batch, done) {
                Ok(0) => {}
                Ok(put) => done += put,
                Err((put, error)) => return (done + put, Err(error)),
            }
        }
        (done, Ok(()))
    }

    /// Writes what fits of the batch from record `first` on; nothing, when it had to rotate first.
    fn put_some(&mut self, batch: &Batch, first: usize) -> Result<usize, (usize, io::Error)> {
        let mut claim = self
            .appender
            .claim(&self.path)
            .map_err(|error| (0, error))?;
        let room = self.rotation.limit().saturating_sub(claim.len());
        let fitting = batch.fitting(first, room);
        if fitting == 0 && claim.len() > 0 {
            match self.rotation.shift(&self.path) {
                Ok(()) => {
                    drop(claim);
                    self.leave();
                    return Ok(0);
                }
                // Too large a file is better than a lost event.
                Err(error) => {
                    let (put, result) = claim.append(batch, first..batch.records());
                    drop(claim);
                    self.complain("the file cannot be rotated and grows", &error);
                    return result.map(|()| put).map_err(|error| (put, error));
                }
            }
        }
        // A record that is larger than a whole file has it for itself.
        let (put, result) = claim.append(batch, first..first + fitting.max(1));
        result.map(|()| put).map_err(|error| (put, error))
    }

    /// Is done with the file.
    fn leave(&mut self) {
        if let Err(error) = self.sync() {
            self.complain("the end of a file may not be on the disk", &error);
        }
        self.appender.close();
    }

    fn sync(&self) -> io::Result<()> {
        if self.fsync {
            self.appender.sync()
        } else {
            Ok(())
        }
    }

    fn complain(&self, what: &str, error: &io::Error) {
        let path = self.path.display();
        diagnostics::say_once(
            &format!("{path}: {what}"),
            format_args!("{path}: {what}: {error}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::bus::{Bus, Overflow};
    use crate::event::{EventData, EventType};
    use crate::files::JsonFile;
    use crate::outlet::Outlet;
    use crate::stats::Loss;

    /// As telemetry has it: every file is an outlet with a thread and books of its own.
    #[test]
    fn a_directory_that_is_gone_for_good_is_a_counted_loss_and_the_other_file_has_everything() {
        let dir = tempfile::tempdir().unwrap();
        let bus = Bus::new();
        let outlet = |name, file: &str| {
            let path = dir.path().join(file);
            let writer = JsonFile::new(path).open().unwrap();
            Outlet::start(name, bus.subscribe_with(64, Overflow::DropNewest), writer).unwrap()
        };
        let (gone, kept) = (outlet("gone", "logs/a"), outlet("kept", "b"));
        let later = Instant::now() + Duration::from_secs(30);
        let emit = || {
            let ty = EventType::from_lossy("step.progress");
            bus.publish(Event::new(EventData::new(ty, std::time::UNIX_EPOCH)));
            assert!(gone.flush(later) && kept.flush(later));
        };
        emit();
        fs::remove_dir_all(dir.path().join("logs")).unwrap();
        fs::write(dir.path().join("logs"), "in the way").unwrap();
        emit();
        emit();
        fs::remove_file(dir.path().join("logs")).unwrap();
        emit();

        let lost = gone.tally();
        assert_eq!((lost.accepted, lost.delivered, lost.pending), (4, 2, 0));
        assert_eq!(lost.dropped.get(&Loss::Write), Some(&2));
        assert!(kept.tally().is_complete() && kept.tally().accepted == 4);
        let read = |file: &str| JsonFile::read(dir.path().join(file)).unwrap().count();
        assert_eq!((read("logs/a.jsonl"), read("b.jsonl")), (1, 4));
        assert!(gone.end(later) && kept.end(later));
    }
}
