//! Events inside the process: subscriptions that are read, handlers that are called.
//!
//! Promise: publishing never blocks and never runs a handler; who is too slow loses events, exactly counted,
//! and nobody else notices. Without subscribers and handlers, publishing is one atomic load.
//! Never: makes an event, reorders the events of one publisher, or calls user code with a lock held.
//!
//! ```text
//!  publish ──┬─▶ mailbox ─▶ Subscription   one bounded queue each; Lagged(n) where n events are missing
//!            └─▶ queue ─▶ one thread ─▶ handler, handler, …   panics contained and counted by name
//! ```

mod dispatcher;
mod handler;
mod mailbox;
mod selector;
mod stats;
mod subscription;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use arc_swap::ArcSwap;

pub(crate) use self::subscription::Tail;
use self::{
    dispatcher::Dispatcher,
    mailbox::{Mailbox, MailboxCounts},
};
pub use self::{
    handler::{HandlerBuilder, HandlerId},
    stats::{BusFlush, BusStats},
    subscription::{Delivery, Overflow, RecvError, Subscription},
};
use crate::event::{Event, EventSpec};

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
    /// Subscriptions and handlers, times two, plus one when closed: what `publish` must know before anything else.
    interest: AtomicUsize,
    mailboxes: ArcSwap<Vec<Arc<Mailbox>>>,
    dispatcher: Arc<Dispatcher>,
    /// Held while the registry changes. Guards what subscriptions counted that no longer exist.
    retired: Mutex<MailboxCounts>,
    published: AtomicU64,
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

    /// How deep handlers may cause events: an event emitted by a handler is one deeper than the one it handles,
    /// and deeper ones than this are dropped and counted. Real reactions to reactions end after two or three.
    pub const MAX_DEPTH: u8 = 16;

    /// A bus with the default handler queue, [`Bus::HANDLER_QUEUE`]. Starts no thread.
    pub fn new() -> Self {
        Self::with_handler_queue(Self::HANDLER_QUEUE)
    }

    /// A bus whose handlers' queue holds `events`, at least one. When full, new events do not reach the
    /// handlers and are counted under [`BusStats::handler_lagged`].
    pub fn with_handler_queue(events: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                interest: AtomicUsize::new(0),
                mailboxes: ArcSwap::default(),
                dispatcher: Arc::new(Dispatcher::new(events.max(1))),
                retired: Mutex::default(),
                published: AtomicU64::new(0),
                too_deep: AtomicU64::new(0),
                after_close: AtomicU64::new(0),
            }),
        }
    }

    /// Hands `event` to everybody interested. Never blocks.
    ///
    /// The events of one publishing thread reach each subscription and each handler in that thread's order.
    #[inline]
    pub fn publish(&self, event: Event) {
        self.publish_at_depth(event, 0);
    }

    /// Publishes from wherever it is called: inside a handler, the event is one deeper than the one being
    /// handled, and dropped and counted past [`Bus::MAX_DEPTH`]; elsewhere like [`Bus::publish`].
    pub fn emit(&self, event: Event) {
        self.publish_at_depth(event, Self::depth());
    }

    /// The depth an event emitted on this thread now has: 0, or inside a handler one more than that of the
    /// event it handles. For those who carry an event to [`Bus::publish_at_depth`] by way of another thread.
    pub fn depth() -> u8 {
        dispatcher::depth_here()
    }

    /// Publishes an event whose depth was taken with [`Bus::depth`] where it was caused.
    #[inline]
    pub fn publish_at_depth(&self, event: Event, depth: u8) {
        let interest = self.inner.interest.load(Ordering::Acquire);
        if interest != 0 {
            self.inner.fan_out(event, depth, interest);
        }
    }

    /// Whether anybody would get an event published now.
    #[inline]
    pub fn has_interest(&self) -> bool {
        let interest = self.inner.interest.load(Ordering::Acquire);
        interest >= ONE && interest & CLOSED == 0
    }

    /// A subscription to every event from now on: [`Bus::SUBSCRIPTION_CAPACITY`], [`Overflow::DropOldest`].
    pub fn subscribe(&self) -> Subscription {
        self.subscribe_with(Self::SUBSCRIPTION_CAPACITY, Overflow::default())
    }

    /// A subscription that holds up to `capacity` unread events, at least one, and then does as `overflow` says.
    ///
    /// On a closed bus it ends at once.
    pub fn subscribe_with(&self, capacity: usize, overflow: Overflow) -> Subscription {
        let mailbox = Arc::new(Mailbox::new(capacity.max(1), overflow));
        let registry = self.inner.registry();
        if self.inner.is_closed() {
            mailbox.close();
        } else {
            let mut mailboxes = self.inner.mailboxes.load().to_vec();
            mailboxes.push(Arc::clone(&mailbox));
            self.inner.mailboxes.store(Arc::new(mailboxes));
            self.inner.interest.fetch_add(ONE, Ordering::Release);
        }
        drop(registry);
        Subscription::new(mailbox, Arc::downgrade(&self.inner))
    }

    /// Calls `handler` with every event of one type, on the bus's own thread, from now on.
    ///
    /// The handler is named by its event type and this line of code; [`Bus::handler`] gives it another name.
    #[track_caller]
    pub fn on<S: EventSpec>(
        &self,
        handler: impl for<'e> Fn(S::View<'e>) + Send + Sync + 'static,
    ) -> HandlerId {
        self.handler(handler::default_name(S::TYPE))
            .on::<S>(handler)
    }

    /// Calls `handler` with every event, on the bus's own thread, from now on.
    #[track_caller]
    pub fn on_event(&self, handler: impl Fn(&Event) + Send + Sync + 'static) -> HandlerId {
        self.handler(handler::default_name("*")).on_event(handler)
    }

    /// Begins a handler of this name, under which its panics are counted. Names need not be unique.
    pub fn handler(&self, name: impl Into<Arc<str>>) -> HandlerBuilder<'_> {
        HandlerBuilder::new(self, name.into())
    }

    /// Removes a handler; whether it was there. No call begins afterwards, but one may still be running.
    /// May be called from inside a handler, even the one it removes.
    pub fn off(&self, id: HandlerId) -> bool {
        let registry = self.inner.registry();
        let removed = self.inner.dispatcher.remove(id);
        if removed.is_some() {
            self.inner.interest.fetch_sub(ONE, Ordering::Release);
        }
        drop(registry);
        // What the handler captured is dropped here, outside the lock.
        removed.is_some()
    }

    /// Waits until every event published before the call has been through all handlers, or until `deadline`.
    ///
    /// Subscriptions are not waited for: they are read at their owner's pace. Called from inside a handler it
    /// returns at once, because waiting for itself would never end.
    pub fn flush(&self, deadline: Instant) -> BusFlush {
        self.inner.dispatcher.flush(deadline)
    }

    /// Ends the bus: later events are refused and counted, subscriptions end once read empty, handlers are
    /// removed and what still waits for them is discarded and counted. Call [`Bus::flush`] first to keep it.
    ///
    /// Does not wait for a handler that is running. Idempotent, and safe from inside a handler.
    pub fn close(&self) {
        self.inner.close();
    }

    /// What the bus has done so far.
    pub fn stats(&self) -> BusStats {
        self.inner.stats()
    }

    fn add(&self, handler: handler::Handler) -> HandlerId {
        let id = handler.id();
        let registry = self.inner.registry();
        if !self.inner.is_closed() {
            self.inner.dispatcher.add(handler);
            self.inner.interest.fetch_add(ONE, Ordering::Release);
        }
        drop(registry);
        id
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
            .field("handlers", &self.inner.dispatcher.handlers())
            .field("closed", &self.inner.is_closed())
            .finish()
    }
}

// === impl Inner ===

impl Inner {
    fn registry(&self) -> MutexGuard<'_, MailboxCounts> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.interest.load(Ordering::Acquire) & CLOSED != 0
    }

    fn fan_out(&self, event: Event, depth: u8, interest: usize) {
        if interest & CLOSED != 0 {
            self.after_close.fetch_add(1, Ordering::Relaxed);
            return;
        }
        if depth > Bus::MAX_DEPTH {
            self.too_deep.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.published.fetch_add(1, Ordering::Relaxed);
        for mailbox in self.mailboxes.load().iter() {
            mailbox.push(event.clone());
        }
        self.dispatcher.offer(event, depth);
    }

    fn unsubscribe(&self, mailbox: &Arc<Mailbox>) {
        let mut retired = self.registry();
        let current = self.mailboxes.load_full();
        if let Some(at) = current.iter().position(|known| Arc::ptr_eq(known, mailbox)) {
            let mut mailboxes = current.to_vec();
            mailboxes.remove(at);
            self.mailboxes.store(Arc::new(mailboxes));
            self.interest.fetch_sub(ONE, Ordering::Release);
            retired.add(&mailbox.discard());
        }
    }

    fn close(&self) {
        let registry = self.registry();
        let before = self.interest.fetch_or(CLOSED, Ordering::AcqRel);
        let removed = self.dispatcher.close();
        if before & CLOSED == 0 {
            self.interest
                .fetch_sub(removed.len() * ONE, Ordering::Release);
        }
        let mailboxes = self.mailboxes.load_full();
        drop(registry);
        // User code from here on: what the handlers captured, and the readers' wakers.
        drop(removed);
        for mailbox in mailboxes.iter() {
            mailbox.close();
        }
    }

    fn stats(&self) -> BusStats {
        let retired = self.registry();
        let mut counts = *retired;
        let mailboxes = self.mailboxes.load_full();
        for mailbox in mailboxes.iter() {
            counts.add(&mailbox.counts());
        }
        drop(retired);
        let mut stats = self.dispatcher.stats();
        stats.published = self.published.load(Ordering::Relaxed);
        stats.subscriptions = mailboxes.len();
        stats.offered = counts.offered;
        stats.delivered = counts.delivered;
        stats.lagged = counts.lagged;
        stats.unread = counts.unread;
        stats.discarded = counts.discarded;
        stats.too_deep = self.too_deep.load(Ordering::Relaxed);
        stats.after_close = self.after_close.load(Ordering::Relaxed);
        stats
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
