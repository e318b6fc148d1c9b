//! Content that is too large for a span, kept elsewhere, with a reference on the span.
//!
//! Owns the thread that stores it, and the queue before it.
//! Promise: the telemetry thread never waits for a store; what cannot be queued, or stored, is counted. Never: stores what the
//! redactor has not seen, unless content is captured in full.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use opentelemetry::{SpanId, TraceId};
use tokio::sync::watch;

use crate::contain::contain;
use crate::stats::{Books, Loss};
use crate::unobserved;

/// Contents that wait to be stored, at most: the default of OpenTelemetry's own instrumentations. A further one is not stored,
/// has no reference, and is counted as `queue_full`.
pub(crate) const QUEUE: usize = 20;

/// How long the end of an installation waits for what is queued.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which content is to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentId<'a> {
    /// The attribute it belongs to, `gen_ai.input.messages`.
    pub attribute: &'a str,
    /// The trace of its span.
    pub trace_id: TraceId,
    /// Its span.
    pub span_id: SpanId,
}

/// Keeps content that is over the [limits](super::ContentLimits): a directory, a bucket, a database.
///
/// The span carries the cut content all the same, and the reference as `{attribute}_ref` (`gen_ai.input.messages_ref`), the names
/// of OpenTelemetry's own instrumentations.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use tracing_genai::content::{ContentId, ContentStore};
///
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<String, String>>);
///
/// impl ContentStore for InMemory {
///     fn reference(&self, id: ContentId<'_>) -> String {
///         format!("memory:{}/{}", id.span_id, id.attribute)
///     }
///
///     fn store(&self, reference: &str, content: &str) -> std::io::Result<()> {
///         let mut all = self.0.lock().map_err(|_| std::io::Error::other("poisoned"))?;
///         all.insert(reference.to_owned(), content.to_owned());
///         Ok(())
///     }
/// }
/// # drop(tracing_genai::Telemetry::builder("x").content_store(InMemory::default()));
/// ```
pub trait ContentStore: Send + Sync + 'static {
    /// Where the content will be. Called on the telemetry thread, before the content is stored: it must not wait.
    fn reference(&self, id: ContentId<'_>) -> String;

    /// Stores JSON, or text, under its reference. Called on a thread of its own, on which it may take its time.
    ///
    /// # Errors
    /// When it could not be stored: it is counted as `write_failed`, and the reference leads nowhere.
    fn store(&self, reference: &str, content: &str) -> io::Result<()>;
}

/// A directory with a file for each content, readable by its owner alone.
///
/// ```no_run
/// use tracing_genai::Telemetry;
/// use tracing_genai::content::{CaptureMode, DirectoryStore};
///
/// let telemetry = Telemetry::builder("trip-planner")
///     .capture(CaptureMode::Redacted)
///     .content_store(DirectoryStore::new("/var/lib/trip-planner/content"))
///     .build()?;
/// # Ok::<(), tracing_genai::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    path: PathBuf,
}

impl DirectoryStore {
    /// Keeps content in the directory at `path`, which is made when there is something to keep.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl ContentStore for DirectoryStore {
    fn reference(&self, id: ContentId<'_>) -> String {
        let ContentId {
            attribute,
            trace_id,
            span_id,
        } = id;
        // Names of attributes come from whoever made the span: no separators, no dots in front.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
        let name: String = attribute
            .chars()
            .map(|c| if plain(c) { c } else { '_' })
            .collect();
        let file = self.path.join(format!("{trace_id}-{span_id}-{name}.json"));
        format!("file://{}", file.display())
    }

    fn store(&self, reference: &str, content: &str) -> io::Result<()> {
        let file = PathBuf::from(reference.strip_prefix("file://").unwrap_or(reference));
        let mut directory = std::fs::DirBuilder::new();
        directory.recursive(true);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
            directory.mode(0o700);
            options.mode(0o600);
        }
        directory.create(&self.path)?;
        let unfinished = file.with_extension("part");
        io::Write::write_all(&mut options.open(&unfinished)?, content.as_bytes())?;
        std::fs::rename(unfinished, file)
    }
}

type Job = (String, String);

/// A store, the queue before it and its thread.
pub(crate) struct Uploads {
    store: Arc<dyn ContentStore>,
    queue: Option<SyncSender<Job>>,
    /// How many were queued, and how many of them the thread is done with.
    queued: AtomicU64,
    handled: watch::Receiver<u64>,
    done: Receiver<()>,
    parts: Arc<Books>,
}

impl fmt::Debug for Uploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uploads")
    }
}

impl Uploads {
    /// Starts the thread.
    pub(crate) fn start(store: Arc<dyn ContentStore>, parts: Arc<Books>) -> io::Result<Self> {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let (finished, done) = sync_channel(1);
        let (progress, handled) = watch::channel(0);
        let (to, books) = (Arc::clone(&store), Arc::clone(&parts));
        std::thread::Builder::new()
            .name("tracing-genai content".to_owned())
            .spawn(move || {
                let _quiet = tracing::dispatcher::set_default(unobserved::dispatch());
                for (reference, content) in jobs {
                    let stored = contain(|| to.store(&reference, &content));
                    match stored {
                        Some(Ok(())) => {}
                        Some(Err(_)) => books.lose(Loss::Write, 1),
                        None => books.lose(Loss::Hook, 1),
                    }
                    progress.send_modify(|handled| *handled += 1);
                }
                let _ = finished.send(());
            })?;
        Ok(Self {
            store,
            queue: Some(queue),
            queued: AtomicU64::new(0),
            handled,
            done,
            parts,
        })
    }

    /// Queues content; answers where it will be, if there was room.
    pub(crate) fn put(&self, id: ContentId<'_>, content: String) -> Option<String> {
        let reference = contain(|| self.store.reference(id));
        let Some(reference) = reference else {
            self.parts.lose(Loss::Hook, 1);
            return None;
        };
        let queued = self.queue.as_ref()?.try_send((reference.clone(), content));
        if queued.is_err() {
            self.parts.lose(Loss::QueueFull, 1);
            return None;
        }
        self.queued.fetch_add(1, Ordering::Relaxed);
        Some(reference)
    }

    /// Resolves when what was queued so far is stored, or was counted as lost.
    pub(crate) fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let queued = self.queued.load(Ordering::Relaxed);
        let mut handled = self.handled.clone();
        async move {
            // A thread that is gone handles no more.
            let _ = handled.wait_for(|handled| *handled >= queued).await;
        }
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        self.queue = None;
        // A store that hangs is left alone.
        let _ = self.done.recv_timeout(PATIENCE);
    }
}
