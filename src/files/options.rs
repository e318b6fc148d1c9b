//! What is settled before a file is opened.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::read::Events;
use super::rotation::Rotation;
use super::writer::FileWriter;
use crate::console::escape;
use crate::render::{Json, Render};

/// A JSON Lines file: one event a line, and every line reads back into an equal event.
///
/// ```
/// use tracing_genai::EventWriter as _;
/// use tracing_genai::event::{Event, EventData, EventType};
/// use tracing_genai::files::{JsonFile, Rotation};
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("logs/agent.jsonl");
/// let mut file = JsonFile::new(&path)
///     .rotation(Rotation::Size { bytes: 1 << 20, backups: 3 }) // default: 10 MiB, 5 backups
///     .open()?;
/// let event = Event::new(EventData::new(EventType::parse("step.started")?, std::time::SystemTime::now()));
/// file.write(&[event.clone()])?;
///
/// let read = JsonFile::read(&path)?.collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(read, [event]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type JsonFile = EventFile<Json>;

/// A file of events about to be opened: where, how rendered, when rotated.
///
/// # Where
///
/// * A directory (one that exists, or a path that ends in a separator) gets a file
///   `{agent}_monitoring_{YYYYmmdd_HHMMSS}.{extension}` of its own, the time being UTC.
/// * A path without an extension gets the renderer's: `logs/app` is `logs/app.jsonl`.
/// * Parent directories are made. On Unix they are for their owner only (`0700`), and so are the files (`0600`): they may hold
///   content. What exists keeps its rights.
/// * `~` is the shell's business and an ordinary name here.
#[must_use = "nothing happens until `open`"]
pub struct EventFile<R> {
    pub(super) path: PathBuf,
    pub(super) agent: String,
    pub(super) render: R,
    pub(super) rotation: Rotation,
    pub(super) fsync: bool,
    pub(super) clock: Clock,
}

/// What time it is.
pub(super) type Clock = Box<dyn Fn() -> SystemTime + Send>;

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The path is empty.
    #[error("an event file needs a path")]
    NoPath,
    /// Something else than a regular file is there: a device, a pipe, a socket. A
    /// [`RenderWriter`](crate::render::RenderWriter) writes to those.
    #[error("{} is not a regular file", escape(&.0.to_string_lossy()))]
    NotAFile(PathBuf),
    /// The file or its directory cannot be made, or not be written.
    #[error("{} cannot be opened for appending: {source}", escape(&.path.to_string_lossy()))]
    Open {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl JsonFile {
    /// A JSON Lines file at `path`, see [the rules](Self#where).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::rendered(path, Json)
    }

    /// Reads the events of one file, oldest first. Rotated files are files of their own.
    ///
    /// # Errors
    /// If the file cannot be opened. Lines that cannot be read are errors of the iterator, which goes on behind them.
    pub fn read(path: impl AsRef<Path>) -> io::Result<Events> {
        Events::open(path.as_ref())
    }
}

impl<R: Render> EventFile<R> {
    /// A file at `path` of what `render` makes of each event.
    ///
    /// ```
    /// use tracing_genai::files::EventFile;
    /// use tracing_genai::render::Line;
    ///
    /// # let dir = tempfile::tempdir()?;
    /// let file = EventFile::rendered(dir.path().join("app"), Line).open()?;
    /// assert_eq!(file.path().extension(), Some("log".as_ref()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rendered(path: impl Into<PathBuf>, render: R) -> Self {
        Self {
            path: path.into(),
            agent: "agent".to_owned(),
            render,
            rotation: Rotation::default(),
            fsync: false,
            clock: Box::new(SystemTime::now),
        }
    }

    /// The name a file in a directory goes by. Default `agent`. Letters, digits, `-`, `_` and inner dots stay, everything else
    /// becomes `_`.
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.agent = name.into();
        self
    }

    /// When a new file is begun. Default: at 10 MiB, keeping 5 backups.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Whether a flush waits until the disk has what was written. Default no: a power cut may lose the last seconds.
    pub fn fsync(mut self, on: bool) -> Self {
        self.fsync = on;
        self
    }

    /// Where the time of file names and of daily rotation comes from. Default the system's clock.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + 'static) -> Self {
        self.clock = Box::new(now);
        self
    }

    /// Makes directory and file, and checks that the file can be written.
    ///
    /// # Errors
    /// If the path is empty, names something that is no regular file, or cannot be made or written.
    pub fn open(self) -> Result<FileWriter<R>, FileError> {
        FileWriter::open(self)
    }
}

impl<R> fmt::Debug for EventFile<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventFile")
            .field("path", &self.path)
            .field("agent", &self.agent)
            .field("rotation", &self.rotation)
            .field("fsync", &self.fsync)
            .finish_non_exhaustive()
    }
}
