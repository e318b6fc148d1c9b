//! Events in files: rendered records in a file that rotates, JSON Lines by default.
//!
//! Owns: where a file lies, when it is full, who may write to it now, and reading it back.
//! Promise: a record is never split over two files; several writers and, on Unix, several processes may share a file and lose
//! nothing; a file or directory that vanishes is made again; what cannot be written is counted, and the next batch tries again.
//! Never: keeps an event back. What was written is the operating system's before the next batch is begun.
//!
//! # Durability
//!
//! A batch (up to 512 events) is written by one system call, or a few when it is large. Once it is written, a process that is
//! killed loses nothing of it; a machine that loses its power may, unless [`fsync`](EventFile::fsync) is on. A process killed in
//! the middle of writing can leave half a record at the end of the file: the next writer ends that line before its own, and
//! [`JsonFile::read`] reports it, or passes over it where it is the last one.
//!
//! # Several writers
//!
//! Every batch is written under an advisory lock of the file (`flock`), after a look whether another writer has rotated it
//! meanwhile. So lines come whole and in turn, and no limit is overrun by two at once. A process that is stopped while it has
//! the lock makes the others' writers wait, never those who emit; their queues fill meanwhile, and count. Where the file system
//! has no locks, or outside Unix, give each process a file of its own.
//!
//! # What can be lost
//!
//! What the disk does not take (full, read-only, the directory not to be made again) is lost, counted under
//! [`Loss::Write`](crate::Loss::Write), and said on stderr once an hour. Backups beyond the number kept are deleted: that is
//! what rotation is.

mod appender;
mod options;
mod path;
mod read;
mod rotation;
mod writer;

pub use self::{
    options::{EventFile, FileError, JsonFile},
    read::{Events, LineError},
    rotation::Rotation,
    writer::FileWriter,
};
