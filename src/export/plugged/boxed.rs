//! Any exporter of the SDK as one type: the SDK's trait returns futures of unnamed types and so cannot be boxed itself.
//!
//! Promise: whatever the exporter does, its caller gets an answer: a panic is one.
//! Never: needs a runtime; an exporter that does finds the one it is called in.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use crate::contain::contain;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

type Exporting<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

trait DynExporter: Send + Sync {
    fn export(&self, batch: Vec<SpanData>) -> Exporting<'_>;
    fn force_flush(&self) -> OTelSdkResult;
    fn shutdown(&self, timeout: Duration) -> OTelSdkResult;
    fn set_resource(&mut self, resource: &Resource);
}

struct Shim<E>(E);

impl<E: SpanExporter> DynExporter for Shim<E> {
    fn export(&self, batch: Vec<SpanData>) -> Exporting<'_> {
        Box::pin(self.0.export(batch))
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Somebody's exporter.
pub(crate) struct BoxedExporter(Box<dyn DynExporter>);

/// What came of a call of an exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// It returned an error. Its text is not kept: it may quote what was exported.
    Failed,
    Panicked,
}

impl BoxedExporter {
    pub(crate) fn new(exporter: impl SpanExporter + 'static) -> Self {
        Self(Box::new(Shim(exporter)))
    }

    pub(crate) fn set_resource(&mut self, resource: &Resource) {
        contained(|| {
            self.0.set_resource(resource);
            Ok(())
        });
    }

    /// Exports on this thread, which waits for it.
    pub(crate) fn export(&self, batch: Vec<SpanData>) -> Answer {
        contained(|| block_on(self.0.export(batch)))
    }

    pub(crate) fn force_flush(&self) -> Answer {
        contained(|| self.0.force_flush())
    }

    pub(crate) fn shutdown(&self, timeout: Duration) -> Answer {
        contained(|| self.0.shutdown(timeout))
    }
}

fn contained(call: impl FnOnce() -> OTelSdkResult) -> Answer {
    // After a panic it is called again, as the SDK's own processors would call it: what it left half done is its own.
    match contain(call) {
        Some(Ok(())) => Answer::Done,
        Some(Err(_)) => Answer::Failed,
        None => Answer::Panicked,
    }
}

/// Waits for a future as a plain thread does. The runtime's own way of waiting forbids blocking inside, which exporters
/// with blocking HTTP clients do.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
