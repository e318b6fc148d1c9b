//! What takes one event somewhere: [`Reporter`], closures, and boxes of either.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::ReportError;
use crate::event::Event;

/// Takes events somewhere, one at a time: a log, a database, a web service.
///
/// Implement the one method as an `async fn`. A [`Reporting`](super::Reporting) calls it with each event, again after a
/// [transient](ReportError::transient) failure, and counts what became of it.
///
/// ```
/// use tracing_genai::event::Event;
/// use tracing_genai::reporter::{ReportError, Reporter, Reporting};
///
/// struct Printer;
///
/// impl Reporter for Printer {
///     async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
///         println!("{event}");
///         Ok(())
///     }
/// }
///
/// let reporting = Reporting::builder().reporter(Printer).build()?;
/// # Ok::<(), tracing_genai::reporter::ReporterConfigError>(())
/// ```
///
/// It runs on a thread of the queue's own, inside a tokio runtime with timers and sockets, so it needs none of the
/// application's. Code that blocks that thread holds up the other runs; hand it to `tokio::task::spawn_blocking`. There is no
/// `tracing` subscriber on that thread: what a reporter logs with `tracing` would come back to it as events.
pub trait Reporter: Send + Sync + 'static {
    /// Takes one event somewhere.
    ///
    /// # Errors
    /// When it did not arrive; whether it is tried again is for the [error](ReportError) to say.
    fn post_event(&self, event: &Event) -> impl Future<Output = Result<(), ReportError>> + Send;
}

impl<R: Reporter> Reporter for Arc<R> {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        (**self).post_event(event).await
    }
}

/// A closure as a reporter, from [`reporter_fn`].
#[derive(Clone)]
pub struct ReporterFn<F>(F);

/// Makes a reporter of a closure, which is given the event itself; an event is cheap to keep.
///
/// ```
/// use tracing_genai::reporter::{Reporting, reporter_fn};
///
/// let reporting = Reporting::builder()
///     .reporter(reporter_fn(|event| async move {
///         println!("{event}");
///         Ok(())
///     }))
///     .build()?;
/// # Ok::<(), tracing_genai::reporter::ReporterConfigError>(())
/// ```
pub fn reporter_fn<F, T>(post: F) -> ReporterFn<F>
where
    F: Fn(Event) -> T + Send + Sync + 'static,
    T: Future<Output = Result<(), ReportError>> + Send,
{
    ReporterFn(post)
}

impl<F, T> Reporter for ReporterFn<F>
where
    F: Fn(Event) -> T + Send + Sync + 'static,
    T: Future<Output = Result<(), ReportError>> + Send,
{
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        (self.0)(event.clone()).await
    }
}

impl<F> fmt::Debug for ReporterFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReporterFn")
    }
}

/// Any reporter, where one type for several is needed. Cloning shares it.
///
/// ```
/// use tracing_genai::reporter::{BoxReporter, reporter_fn};
///
/// let reporters: Vec<BoxReporter> = vec![
///     BoxReporter::new(reporter_fn(|_| async { Ok(()) })),
///     BoxReporter::new(reporter_fn(|event| async move { println!("{event}"); Ok(()) })),
/// ];
/// # assert_eq!(reporters.len(), 2);
/// ```
#[derive(Clone)]
pub struct BoxReporter(Arc<dyn DynReporter>);

/// [`Reporter`] as a trait object can have it.
trait DynReporter: Send + Sync {
    fn post<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReportError>> + Send + 'a>>;
}

impl<R: Reporter> DynReporter for R {
    fn post<'a>(
        &'a self,
        event: &'a Event,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReportError>> + Send + 'a>> {
        Box::pin(self.post_event(event))
    }
}

impl BoxReporter {
    /// Puts a reporter into the box.
    pub fn new(reporter: impl Reporter) -> Self {
        Self(Arc::new(reporter))
    }
}

impl Reporter for BoxReporter {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        self.0.post(event).await
    }
}

impl fmt::Debug for BoxReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxReporter")
    }
}
