//! The telemetry thread: one for each installation, with a current-thread runtime of its own.
//!
//! Promise: nothing on it is observed (no subscriber, OpenTelemetry suppressed), so sending telemetry makes no telemetry; a
//! panic in one record costs that record only; after a shutdown the thread is gone.
//! Never: runs on the application's runtime, so it works beside any and cannot be starved by one.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use tracing::dispatcher;

use super::Rules;
use super::inbox::{Answer, Ask, Inbox, Request};
use super::process::Processor;
use super::queue::{Item, Queue};
use crate::bus::Bus;
use crate::console::{Console, ConsoleHandle, ConsoleOptions, Output};
use crate::contain::contain;
use crate::enrich::Hooks;
use crate::enrich::builtin::Prices;
use crate::export::{ExportBooks, Exports};
use crate::layer::instance::Instance;
use crate::stats::Loss;
use crate::telemetry::Report;
use crate::unobserved;

/// The pause between two rounds while records keep coming: a round costs some microseconds, so at 5 ms they are well below
/// a per cent of a core, and a subscriber sees an event 5 ms late at most. Half doubles the wake-ups for nothing anybody
/// sees; at double a live view starts to feel late.
const ROUND: Duration = Duration::from_millis(5);
/// How often the wall clock is read again.
const ANCHOR: Duration = Duration::from_secs(10);
/// Records between two looks at the senders: at two microseconds each, half a millisecond.
const STRETCH: usize = 256;

/// Everything the thread is made of.
pub(crate) struct Parts {
    pub(crate) instance: Arc<Instance>,
    pub(crate) bus: Bus,
    pub(crate) hooks: Hooks,
    pub(crate) prices: Prices,
    pub(crate) console: Option<(Output, ConsoleOptions)>,
    pub(crate) rules: Rules,
    /// Makes the outlets; called inside the runtime that will drive them.
    pub(crate) exports: Box<dyn FnOnce(&tokio::runtime::Handle) -> Exports + Send>,
}

/// The thread as the installation holds it.
#[derive(Debug)]
pub(crate) struct Worker {
    inbox: Arc<Inbox>,
    queue: Arc<Queue>,
    books: ExportBooks,
    console: Option<ConsoleHandle>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    pub(crate) fn start(parts: Parts) -> io::Result<Self> {
        let inbox = Arc::new(Inbox::default());
        let queue = Arc::clone(&parts.instance.queue);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let console = parts
            .console
            .map(|(output, options)| Console::new(output, options));
        let exports = {
            let _inside = runtime.enter();
            (parts.exports)(runtime.handle())
        };
        let books = exports.books();
        let handle = console.as_ref().map(Console::handle);
        let processor = Processor::new(
            parts.instance,
            parts.bus,
            parts.hooks,
            parts.prices,
            console,
            exports,
            parts.rules,
        );
        let theirs = Arc::clone(&inbox);
        let thread = std::thread::Builder::new()
            .name("tracing-genai".into())
            .spawn(move || {
                let _gone = Gone(&theirs);
                dispatcher::with_default(unobserved::dispatch(), || {
                    let _suppressed = Context::enter_telemetry_suppressed_scope();
                    runtime.block_on(run(processor, &theirs));
                    // Connections may take their time to close; nobody waits for them.
                    runtime.shutdown_background();
                });
            })?;
        Ok(Self {
            inbox,
            queue,
            books,
            console: handle,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts a request to the thread.
    pub(crate) fn ask(&self, ask: Ask, deadline: Instant) -> Answer {
        let answer = self.inbox.put(ask, deadline);
        self.queue.call();
        answer
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn purge(&self) -> u64 {
        self.books.purge()
    }

    pub(crate) fn console(&self) -> Option<ConsoleHandle> {
        self.console.clone()
    }

    pub(crate) fn fill(&self, report: &mut Report) {
        self.books.fill(report);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = thread.take_if(|thread| thread.is_finished()) {
            // Its panic, if any, was somebody's hook's; the books say what it cost.
            let _ = ended.join();
        }
    }
}

/// Closes the inbox when the thread ends, however it ends.
struct Gone<'a>(&'a Inbox);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn run(mut processor: Processor, inbox: &Inbox) {
    let instance = Arc::clone(&processor.instance);
    let queue = Arc::clone(&instance.queue);
    let mut taken: Vec<(Item, usize)> = Vec::new();
    let mut anchored = Instant::now();
    loop {
        // Requests first: whatever was pushed before one of them is in the queue by now.
        let requests = inbox.take();
        queue.take(&mut taken);
        let busy = !taken.is_empty();
        let mut items = taken.drain(..);
        while items.len() > 0 {
            work(&mut processor, items.by_ref().take(STRETCH));
            tokio::task::yield_now().await;
        }
        drop(items);
        for request in requests {
            if answer(&mut processor, request).await {
                return;
            }
        }
        let now = Instant::now();
        if now.duration_since(anchored) > ANCHOR {
            instance.clock.anchor();
            anchored = now;
        }
        let next = processor.tick(now);
        let rest = if busy {
            Some(now + ROUND)
        } else if queue.rest() {
            next
        } else {
            continue;
        };
        match rest {
            Some(until) => drop(tokio::time::timeout_at(until.into(), queue.woken()).await),
            None => queue.woken().await,
        }
    }
}

/// Works on a stretch of records, then settles them all at once: counters and free lists that the application's threads use
/// too are touched once a stretch and not once a record, which would take their cache lines away each time.
fn work(processor: &mut Processor, items: impl Iterator<Item = (Item, usize)>) {
    let (mut records, mut bytes, mut failed) = (0, 0, 0);
    for (item, size) in items {
        let done = contain(|| processor.item(item));
        failed += u64::from(done.is_none());
        records += 1;
        bytes += size;
    }
    processor.give_back();
    let instance = &processor.instance;
    instance.books.deliver(records as u64 - failed);
    instance.books.lose(Loss::Encode, failed);
    instance.queue.done(records, bytes);
}

/// Answers a request; true if the thread has to end.
async fn answer(processor: &mut Processor, request: Request) -> bool {
    if request.ask == Ask::Shutdown {
        processor.end_foreign_spans();
    }
    if request.ask == Ask::Flush {
        processor.draw();
    }
    let _ = request.processed.send(());
    let settled = processor.settle_all(request.deadline);
    match request.ask {
        Ask::Flush => {
            // A slow receiver must not keep other records waiting.
            tokio::spawn(async move {
                let _ = request.settled.send(settled.await);
            });
            false
        }
        Ask::Shutdown => {
            if let Some(console) = &mut processor.console {
                console.finish();
            }
            let delivered = settled.await;
            processor.exports.give_up().await;
            let _ = request.settled.send(delivered);
            true
        }
    }
}
