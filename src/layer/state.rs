//! Open spans: one [`SpanState`] each, kept in a table so that shutting down can end what is still open, and used
//! again once the telemetry thread has read it.
//!
//! Promise: in a steady state opening a span allocates nothing here; a state is reused only when nobody else holds it.
//! Never: runs user code under one of its locks.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use opentelemetry::baggage::KeyValueMetadata;
use opentelemetry::trace::{SpanContext, TraceState};
use opentelemetry::{Context, SpanId, TraceId};

use crate::record::{Identity, Record};

/// What a span takes from its parent when its own identity is fixed.
#[derive(Debug, Clone)]
pub(crate) struct ParentIds {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) sampled: bool,
    pub(crate) remote: bool,
    pub(crate) trace_state: TraceState,
    pub(crate) event: u128,
}

impl From<&Identity> for ParentIds {
    fn from(id: &Identity) -> Self {
        Self {
            trace: id.trace,
            span: id.span,
            sampled: id.sampled,
            remote: false,
            trace_state: id.trace_state.clone(),
            event: id.started_event,
        }
    }
}

impl From<&SpanContext> for ParentIds {
    fn from(cx: &SpanContext) -> Self {
        Self {
            trace: cx.trace_id(),
            span: cx.span_id(),
            sampled: cx.is_sampled(),
            remote: cx.is_remote(),
            trace_state: cx.trace_state().clone(),
            event: 0,
        }
    }
}

/// What the lock of an open span guards.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) record: Record,
    /// Until the identity is fixed.
    pub(crate) parent: Option<ParentIds>,
    /// The OpenTelemetry context that is current while the span is entered, made when it first is.
    pub(crate) context: Option<Context>,
    /// The baggage of the request this span answers.
    pub(crate) baggage: Vec<KeyValueMetadata>,
}

/// One open span.
#[derive(Debug, Default)]
pub(crate) struct SpanState {
    identity: OnceLock<Identity>,
    flags: AtomicU32,
    /// When the span was last left, on the instance's clock; zero for never.
    pub(crate) last_exit: AtomicU64,
    shard: usize,
    slot: usize,
    inner: Mutex<Inner>,
}

impl SpanState {
    /// It has been handed to the telemetry thread; later writes are losses.
    pub(crate) const ENDED: u32 = 1;
    /// It, or a span around it, speaks GenAI.
    pub(crate) const GENAI: u32 = 1 << 1;
    /// It, or a span around it, is a model call.
    pub(crate) const INSIDE_INFERENCE: u32 = 1 << 2;
    /// It is an agent, a tool or a workflow: model calls inside it are its own, whatever it was called from.
    pub(crate) const SCOPE: u32 = 1 << 3;

    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags.load(Ordering::Acquire) & flag != 0
    }

    /// Sets `flag` and says whether it was set before.
    pub(crate) fn set(&self, flag: u32) -> bool {
        self.flags.fetch_or(flag, Ordering::AcqRel) & flag != 0
    }

    /// A writer that panicked has only ever left whole entries behind, so a poisoned lock is as good as any.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.get()
    }

    /// Fixes the identity unless another thread was faster, and says which one holds and whether it is this one.
    pub(crate) fn fix(&self, identity: Identity) -> (&Identity, bool) {
        let mut mine = false;
        let fixed = self.identity.get_or_init(|| {
            mine = true;
            identity
        });
        (fixed, mine)
    }

    fn reset(&mut self) {
        self.identity.take();
        *self.flags.get_mut() = 0;
        *self.last_exit.get_mut() = 0;
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        inner.record.clear();
        inner.parent = None;
        inner.context = None;
        inner.baggage.clear();
    }
}

/// Shards of the table: a thread always uses the same one, so two threads rarely meet.
const SHARDS: usize = 8;
/// States kept for reuse in each shard: about 2 MiB in all at the size of a usual model call. Fewer cost allocations in
/// bursts, more keep a burst's memory for ever.
const KEPT: usize = 2048;

#[derive(Debug, Default)]
struct Shard {
    open: Vec<Option<Arc<SpanState>>>,
    vacant: Vec<usize>,
    free: Vec<Arc<SpanState>>,
}

/// The table of one instance's open spans.
#[derive(Debug, Default)]
pub(crate) struct OpenSpans {
    shards: [Mutex<Shard>; SHARDS],
}

impl OpenSpans {
    /// A fresh state, listed as open.
    pub(crate) fn open(&self) -> Arc<SpanState> {
        let home = home();
        let mut shard = self.shard(home);
        let slot = shard.vacant.pop().unwrap_or(shard.open.len());
        let mut state = shard.free.pop().unwrap_or_default();
        if let Some(fresh) = Arc::get_mut(&mut state) {
            (fresh.shard, fresh.slot) = (home, slot);
        } else {
            state = Arc::new(SpanState {
                shard: home,
                slot,
                ..SpanState::default()
            });
        }
        match shard.open.get_mut(slot) {
            Some(place) => *place = Some(Arc::clone(&state)),
            None => shard.open.push(Some(Arc::clone(&state))),
        }
        state
    }

    /// Takes an ended span off the table.
    pub(crate) fn close(&self, state: &SpanState) -> Option<Arc<SpanState>> {
        let mut shard = self.shard(state.shard);
        let taken = shard.open.get_mut(state.slot).and_then(Option::take);
        if taken.is_some() {
            shard.vacant.push(state.slot);
        }
        taken
    }

    /// Gives a state back for reuse.
    pub(crate) fn recycle(&self, mut state: Arc<SpanState>) {
        let Some(fresh) = Arc::get_mut(&mut state) else {
            return;
        };
        fresh.reset();
        let mut shard = self.shard(fresh.shard);
        if shard.free.len() < KEPT {
            shard.free.push(state);
        }
    }

    /// Everything still open, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<SpanState>> {
        let all = |shard| {
            self.shard(shard)
                .open
                .iter()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
        };
        (0..SHARDS).flat_map(all).collect()
    }

    fn shard(&self, at: usize) -> MutexGuard<'_, Shard> {
        self.shards[at % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// This thread's shard.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static HOME: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    HOME.try_with(|home| {
        if home.get() == usize::MAX {
            home.set(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        home.get()
    })
    .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_used_again_only_when_nobody_holds_it() {
        let open = OpenSpans::default();
        let first = open.open();
        let held = Arc::clone(&first);
        let place = Arc::as_ptr(&first);
        drop(open.close(&first));
        open.recycle(first);
        let second = open.open();
        assert_ne!(Arc::as_ptr(&second), place);
        drop(open.close(&held));
        drop(open.close(&second));
        let place = Arc::as_ptr(&second);
        second.set(SpanState::ENDED);
        open.recycle(second);
        let third = open.open();
        assert_eq!(Arc::as_ptr(&third), place);
        assert!(!third.has(SpanState::ENDED));
        assert_eq!(open.all().len(), 1);
    }
}
