//! Events inside the process: subscriptions that are read, handlers that are called, taps that watch.
//!
//! Promise: publishing never runs a handler and never waits, except for a subscription that was asked to
//! [block](Overflow::Block), as long as that says; who is too slow loses events, exactly counted, and nobody else notices.
//! Without anybody interested, publishing is one atomic load.
//! Never: makes an event, reorders the events of one publisher, or calls user code with a lock held.
//!
//! ```text
//!  publish ──┬─▶ tap, tap …                 inline; fast code that must not miss anything
//!            ├─▶ mailbox ─▶ Subscription    one bounded queue each; Lagged(n) where n events are missing
//!            └─▶ queue ─▶ one thread ─▶ level ─▶ level …   handlers, sync and async, each after those it depends on;
//!                                                          panics contained and counted by name
//! ```

mod dispatch;
mod failures;
mod filter;
mod flush;
mod handler;
mod here;
mod registry;
mod rest;
mod stats;
mod subscription;
mod tap;

use std::{
    fmt,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;

pub(crate) use self::subscription::Tail;
use self::{
    dispatch::Dispatcher,
    failures::{Failures, contain},
    registry::Registry,
    subscription::Mailbox,
    tap::Tap,
};
pub use self::{
    filter::Filter,
    flush::BusFlush,
    handler::{EventListener, Handler, HandlerBuilder, HandlerGuard, HandlerId, Listener, Outcome},
    registry::{CircularDependencyError, DependencyError, Depends, HandlerScope},
    stats::BusStats,
    subscription::{Delivery, Overflow, RecvError, Subscription, SubscriptionBuilder},
};
use crate::{diagnostics, event::Event};

/// A cheap handle on one bus. Clones share it; separate buses share nothing.
///
/// A handler that captures a clone of its own bus keeps the bus alive until [`Bus::close`].
///
/// ```
/// use std::time::{Duration, Instant, SystemTime};
/// use tracing_genai::{bus::Bus, event::{Event, EventData, EventType, LlmCallCompleted}};
///
/// let bus = Bus::new();
/// bus.on::<LlmCallCompleted>(|call| assert_eq!(call.usage.input_tokens, Some(12)));
///
/// let mut call = EventData::new(EventType::parse("llm.call.completed")?, SystemTime::now());
/// call.attrs.set("gen_ai.usage.input_tokens", 12);
/// bus.publish(Event::new(call));
///
/// let report = bus.flush(Instant::now() + Duration::from_secs(5));
/// assert!(report.complete);
/// # assert!(bus.stats().handler_errors.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    /// Subscriptions, handlers and taps, times two, plus one when closed: what `publish` must know before anything else.
    interest: AtomicUsize,
    taps: ArcSwap<Vec<Arc<Tap>>>,
    mailboxes: ArcSwap<Vec<Arc<Mailbox>>>,
    dispatcher: Arc<Dispatcher>,
    /// Held while any of the above changes.
    registry: Mutex<Registry>,
    failures: Arc<Failures>,
    published: AtomicU64,
    replayed: AtomicU64,
    too_deep: AtomicU64,
    after_close: AtomicU64,
}

const CLOSED: usize = 1;
const ONE: usize = 2;

impl Bus {
    /// How many events a subscription holds unless told otherwise. A burst of a few agents fits; at a kilobyte
    /// an event, a reader that never reads keeps about a megabyte alive.
    pub const SUBSCRIPTION_CAPACITY: usize = 1_024;

    /// How many events wait for the handlers' thread unless told otherwise: several seconds of a busy process.
    pub const HANDLER_QUEUE: usize = 16_384;

    /// How deep handlers and taps may cause events: an event published by one is one deeper than the event it is with, and
    /// deeper ones than this are dropped and counted. Real reactions to reactions end after two or three.
    pub const MAX_DEPTH: u8 = 16;

    /// How many handlers are called at the same time, at most: those of one level, see [`Handler`]. Helper threads are started
    /// when they are first of use, one fewer than this, because the handlers' own thread works as well.
    pub const PARALLEL_HANDLERS: usize = 8;

    /// A bus with the default handler queue, [`Bus::HANDLER_QUEUE`]. Starts no thread.
    pub fn new() -> Self {
        Self::with_handler_queue(Self::HANDLER_QUEUE)
    }

    /// A bus whose handlers' queue holds `events`, at least one. When full, new events do not reach the
    /// handlers and are counted under [`BusStats::handler_lagged`].
    pub fn with_handler_queue(events: usize) -> Self {
        let failures = Arc::<Failures>::default();
        let dispatcher = Dispatcher::new(events.max(1), Arc::clone(&failures));
        Self {
            inner: Arc::new(Inner {
                interest: AtomicUsize::new(0),
                taps: ArcSwap::default(),
                mailboxes: ArcSwap::default(),
                dispatcher: Arc::new(dispatcher),
                registry: Mutex::default(),
                failures,
                published: AtomicU64::new(0),
                replayed: AtomicU64::new(0),
                too_deep: AtomicU64::new(0),
                after_close: AtomicU64::new(0),
            }),
        }
    }

    /// The bus of the process, made when it is first asked for. Nothing here uses it unless told to.
    pub fn global() -> &'static Self {
        static GLOBAL: LazyLock<Bus> = LazyLock::new(Bus::new);
        &GLOBAL
    }

    /// Hands `event` to everybody interested. Waits for nobody but a subscription with [`Overflow::Block`].
    ///
    /// The events of one publishing thread reach each subscription and each handler in that thread's order. Inside a handler
    /// or a tap, the event is one deeper than the one that is there, and dropped and counted past [`Bus::MAX_DEPTH`].
    #[inline]
    #[doc(alias = "emit")]
    pub fn publish(&self, event: Event) {
        self.publish_at_depth(event, 0);
    }

    /// Publishes an event whose depth was taken with [`Bus::depth`] where it was caused; the greater one counts, of that
    /// and the depth here.
    #[inline]
    pub fn publish_at_depth(&self, event: Event, depth: u8) {
        let interest = self.inner.interest.load(Ordering::Acquire);
        if interest != 0 {
            self.inner
                .fan_out(event, depth.max(here::depth()), interest);
        }
    }

    /// Shows events again that happened before: their ids, numbers and times stay, and [`replay`] is set, so that whoever
    /// gets them can tell. What keeps events (history, files, the record) does not keep these.
    ///
    /// [`replay`]: crate::event::EventData::replay
    pub fn replay(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let mut data = event.into_data();
            data.replay = true;
            self.publish(Event::new(data));
        }
    }

    /// The depth an event published on this thread now has: 0, or inside a handler or a tap one more than that of the event
    /// it is with. For those who carry an event to [`Bus::publish_at_depth`] by way of another thread.
    pub fn depth() -> u8 {
        here::depth()
    }

    /// Whether anybody would get an event published now.
    #[inline]
    pub fn has_interest(&self) -> bool {
        let interest = self.inner.interest.load(Ordering::Acquire);
        interest >= ONE && interest & CLOSED == 0
    }

    /// Ends the bus: later events are refused and counted, and the first of them said on stderr; subscriptions end once read
    /// empty; handlers and taps are removed; what still waits for handlers is discarded and counted, and async handlers that
    /// wait for something are dropped. Call [`Bus::flush`] first to keep it.
    ///
    /// Does not wait for a handler that is running. Idempotent, and safe from inside a handler.
    pub fn close(&self) {
        self.inner.close();
    }

    /// What the bus has done so far.
    pub fn stats(&self) -> BusStats {
        self.inner.stats()
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus")
            .field("subscriptions", &self.inner.mailboxes.load().len())
            .field("handlers", &self.inner.registry().visible().len())
            .field("closed", &self.inner.is_closed())
            .finish()
    }
}

// === impl Inner ===

impl Inner {
    fn fan_out(&self, event: Event, depth: u8, interest: usize) {
        if interest & CLOSED != 0 {
            self.refuse();
            return;
        }
        if depth > Bus::MAX_DEPTH {
            self.too_deep.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.published.fetch_add(1, Ordering::Relaxed);
        if event.replay {
            self.replayed.fetch_add(1, Ordering::Relaxed);
        }
        self.show_taps(&event, depth);
        for mailbox in self.mailboxes.load().iter() {
            mailbox.offer(&event);
        }
        self.dispatcher.offer(event, depth);
    }

    fn show_taps(&self, event: &Event, depth: u8) {
        let taps = self.taps.load();
        if !taps.is_empty() {
            let _here = here::tapping(depth);
            taps.iter().for_each(|tap| tap.show(event, &self.failures));
            // Whoever lets go of a removed tap last drops what it captured.
            contain(|| drop(taps));
        }
    }

    fn refuse(&self) {
        if self.after_close.fetch_add(1, Ordering::Relaxed) == 0 {
            diagnostics::say_once(
                "bus closed",
                format_args!(
                    "events are published on a bus that is closed: they are refused and counted"
                ),
            );
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bus")
    }
}
