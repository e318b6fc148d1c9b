//! One plugged-in exporter's lane: an open batch, closed batches that wait, and at most one thread that works on them.
//!
//! Promise: holds at most its limit in bytes, drops the newest beyond it; every span is counted exactly once, also when
//! the exporter hangs for ever.
//! Never: blocks the caller.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::{Array, Context, KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::dispatcher;

use super::boxed::{Answer, BoxedExporter};
use crate::diagnostics;
use crate::stats::{Books, Loss};
use crate::unobserved;

/// When a batch is closed, and how much the lane may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
    pub(crate) age: Duration,
    /// Bytes of spans that wait or are being exported.
    pub(crate) held_bytes: usize,
}

pub(crate) struct Lane {
    shared: Arc<Shared>,
    bounds: Bounds,
    open: Vec<SpanData>,
    open_bytes: usize,
    opened: Option<Instant>,
}

struct Shared {
    exporter: BoxedExporter,
    books: Arc<Books>,
    state: Mutex<State>,
    /// Pieces of work that are over.
    done: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    /// Spans under way; taken by whoever counts them, the worker or the shutdown.
    under_way: usize,
    /// Bytes of all spans in the lane, open ones included.
    bytes: usize,
    /// Pieces of work ever given.
    given: u64,
    working: bool,
    closed: bool,
}

enum Work {
    Export { batch: Vec<SpanData>, bytes: usize },
    Flush,
    Shutdown(Duration),
}

impl Lane {
    pub(crate) fn new(exporter: BoxedExporter, bounds: Bounds, books: Arc<Books>) -> Self {
        let shared = Shared {
            exporter,
            books,
            state: Mutex::default(),
            done: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
            bounds,
            open: Vec::new(),
            open_bytes: 0,
            opened: None,
        }
    }

    /// Puts a span into the open batch, if there is room for it.
    pub(crate) fn add(&mut self, span: SpanData) {
        self.shared.books.accept(1);
        let bytes = weight(&span);
        {
            let mut state = self.shared.lock();
            let full = state.bytes + bytes > self.bounds.held_bytes;
            if state.closed || full {
                let why = if state.closed {
                    Loss::AfterShutdown
                } else {
                    Loss::QueueBytes
                };
                drop(state);
                self.shared.books.lose(why, 1);
                return;
            }
            state.bytes += bytes;
        }
        self.open.push(span);
        self.open_bytes += bytes;
        if self.opened.is_none() {
            self.opened = Some(Instant::now());
        }
        if self.open.len() >= self.bounds.records || self.open_bytes >= self.bounds.bytes {
            self.close();
        }
    }

    /// Closes the open batch if it is old enough, and says when it will be.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        let due = self.opened? + self.bounds.age;
        if due <= now {
            self.close();
            return None;
        }
        Some(due)
    }

    /// Closes the open batch and asks for a flush; resolves when all of it is over.
    pub(crate) fn flush(&mut self) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.close();
        self.shared.give(Work::Flush)
    }

    /// Takes nothing more, counts what waits as lost, and asks for the shutdown; resolves when that is over.
    pub(crate) fn shutdown(
        &mut self,
        timeout: Duration,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        let mut lost = std::mem::take(&mut self.open).len();
        self.opened = None;
        {
            let mut state = self.shared.lock();
            state.closed = true;
            for work in &mut state.waiting {
                if let Work::Export { batch, .. } = std::mem::replace(work, Work::Flush) {
                    lost += batch.len();
                }
            }
        }
        self.shared.books.lose(Loss::ShutdownTimeout, lost as u64);
        self.shared.give(Work::Shutdown(timeout))
    }

    /// Counts what is still under way as lost.
    pub(crate) fn give_up(&self) {
        let left = std::mem::take(&mut self.shared.lock().under_way);
        self.shared.books.lose(Loss::ShutdownTimeout, left as u64);
    }

    fn close(&mut self) {
        self.opened = None;
        let bytes = std::mem::take(&mut self.open_bytes);
        let batch = std::mem::take(&mut self.open);
        if !batch.is_empty() {
            drop(self.shared.give(Work::Export { batch, bytes }));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a piece of work and sees to it that somebody does it; resolves when it is over.
    fn give(self: &Arc<Self>, work: Work) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (target, start) = {
            let mut state = self.lock();
            state.waiting.push_back(work);
            state.given += 1;
            (state.given, !std::mem::replace(&mut state.working, true))
        };
        let mut done = self.done.subscribe();
        if start {
            let shared = Arc::clone(self);
            match Handle::try_current() {
                // Its threads may block, and exporters find the runtime there that drives their connections.
                Ok(runtime) => drop(runtime.spawn_blocking(move || shared.work())),
                Err(_) => shared.work(),
            }
        }
        async move {
            let _ = done.wait_for(|done| *done >= target).await;
        }
    }

    /// Works until nothing waits. Like the telemetry thread, it is not observed.
    fn work(&self) {
        dispatcher::with_default(unobserved::dispatch(), || {
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            while let Some(work) = self.next() {
                self.perform(work);
                self.done.send_modify(|done| *done += 1);
            }
        });
    }

    fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        let work = state.waiting.pop_front();
        match &work {
            Some(Work::Export { batch, .. }) => state.under_way = batch.len(),
            Some(Work::Flush | Work::Shutdown(_)) => {}
            None => state.working = false,
        }
        work
    }

    fn perform(&self, work: Work) {
        let (answer, bytes) = match work {
            Work::Export { batch, bytes } => (self.exporter.export(batch), bytes),
            Work::Flush => (self.exporter.force_flush(), 0),
            Work::Shutdown(timeout) => (self.exporter.shutdown(timeout), 0),
        };
        let spans = {
            let mut state = self.lock();
            state.bytes = state.bytes.saturating_sub(bytes);
            std::mem::take(&mut state.under_way) as u64
        };
        let how = match answer {
            Answer::Done => return self.books.deliver(spans),
            Answer::Failed => "failed",
            Answer::Panicked => "panicked",
        };
        self.books.lose(Loss::Hook, spans);
        diagnostics::say_once(
            "plugged-in exporter",
            format_args!("a plugged-in span exporter {how}; the spans it was given count as lost"),
        );
    }
}

/// About how many bytes of memory a span takes.
fn weight(span: &SpanData) -> usize {
    let events = span.events.iter();
    let events = events.map(|e| size_of_val(e) + e.name.len() + of_attributes(&e.attributes));
    size_of::<SpanData>()
        + span.name.len()
        + of_attributes(&span.attributes)
        + events.sum::<usize>()
        + size_of_val(&*span.links.links)
}

fn of_attributes(attributes: &[KeyValue]) -> usize {
    let text = |a: &KeyValue| a.key.as_str().len() + of_value(&a.value);
    size_of_val(attributes) + attributes.iter().map(text).sum::<usize>()
}

fn of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_str().len(),
        Value::Array(Array::Bool(items)) => size_of_val(&**items),
        Value::Array(Array::I64(items)) => size_of_val(&**items),
        Value::Array(Array::F64(items)) => size_of_val(&**items),
        Value::Array(Array::String(items)) => {
            let text = |s: &opentelemetry::StringValue| size_of_val(s) + s.as_str().len();
            items.iter().map(text).sum()
        }
        _ => 0,
    }
}
