//! Open spans: one [`SpanState`] each, kept in a table so that shutting down can end what is still open, and used
//! again once the telemetry thread has read it.
//!
//! Promise: in a steady state opening a span allocates nothing here; a state is reused only when nobody else holds it.
//! Never: runs user code under one of its locks.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::Context;
use opentelemetry::baggage::KeyValueMetadata;

use super::wire::Wire;
use crate::record::{Identity, Record};

/// What the lock of an open span guards.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Who the span is, once that is fixed; see [`Instance::identified`](super::instance::Instance::identified).
    pub(crate) id: Identity,
    pub(crate) record: Record,
    /// The OpenTelemetry context that is current while the span is entered, made when it first is.
    pub(crate) context: Option<Context>,
    /// The baggage of the request this span answers.
    pub(crate) baggage: Vec<KeyValueMetadata>,
    /// It has been handed to the telemetry thread; later writes are losses.
    pub(crate) ended: bool,
    /// It, or a span around it, speaks GenAI.
    pub(crate) genai: bool,
    /// It, or a span around it, is a model call.
    pub(crate) inside_inference: bool,
    /// It is an agent, a tool or a workflow: model calls inside it are its own, whatever it was called from.
    pub(crate) scope: bool,
    /// How many spans lie around it.
    pub(crate) nesting: u32,
    /// What was read of it on the wire.
    pub(crate) wire: Option<Box<Wire>>,
    /// The last call made for it failed: it fails too, even if the code around completes it.
    pub(crate) call_failed: bool,
    /// Its start was handed to the telemetry thread, with a subject or without.
    pub(crate) start_pushed: bool,
}

/// One open span.
#[derive(Debug, Default)]
pub(crate) struct SpanState {
    /// When the span was last left, on the instance's clock; zero for never.
    pub(crate) last_exit: AtomicU64,
    shard: usize,
    inner: Mutex<Inner>,
}

impl SpanState {
    /// A writer that panicked has only ever left whole entries behind, so a poisoned lock is as good as any.
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended
    }

    fn reset(&mut self) {
        *self.last_exit.get_mut() = 0;
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut record = std::mem::take(&mut inner.record);
        let mut baggage = std::mem::take(&mut inner.baggage);
        record.clear();
        baggage.clear();
        *inner = Inner {
            record,
            baggage,
            ..Inner::default()
        };
    }
}

/// Where an open span is found: the layer, and with it the subscriber, that saw it, and its id there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpanKey {
    pub(crate) layer: u32,
    pub(crate) id: u64,
}

impl SpanKey {
    /// The registry's ids carry the thread that made them in these bits. Were it otherwise, threads would meet in one shard
    /// more often, and that is all.
    fn shard(self) -> usize {
        (self.id >> 38) as usize % SHARDS
    }
}

/// Ids differ in a few bits that one multiplication spreads over the word; they are no input of an attacker.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Shards of the table: a thread's spans lie in one of them, so two threads rarely meet.
const SHARDS: usize = 16;
/// States kept for reuse on each side of a shard. A state takes one to two kilobytes once used, so a thread that bursts keeps
/// about 1 MiB; sixteen threads that all burst keep up to 32 MiB for as long as the instance lives. Fewer cost allocations in
/// bursts, more keep more of a burst's memory.
const KEPT: usize = 512;

/// The application's side of a shard. Aligned, so that no two of them share a cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard {
    open: HashMap<SpanKey, Arc<SpanState>, BuildHasherDefault<KeyHasher>>,
    /// States to use next.
    spare: Vec<Arc<SpanState>>,
}

/// The telemetry thread's side of it: states it is done with. The other side takes them all at once.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Returned(Vec<Arc<SpanState>>);

/// The table of one instance's open spans.
#[derive(Debug, Default)]
pub(crate) struct OpenSpans {
    shards: [Mutex<Shard>; SHARDS],
    returned: [Mutex<Returned>; SHARDS],
}

impl OpenSpans {
    /// A fresh state, listed under `key`.
    pub(crate) fn open(&self, key: SpanKey) -> Arc<SpanState> {
        let mut shard = self.shard(key.shard());
        if shard.spare.is_empty() {
            std::mem::swap(&mut shard.spare, &mut self.returned(key.shard()).0);
        }
        let state = shard.spare.pop().unwrap_or_else(|| {
            Arc::new(SpanState {
                shard: key.shard(),
                ..SpanState::default()
            })
        });
        shard.open.insert(key, Arc::clone(&state));
        state
    }

    pub(crate) fn find(&self, key: SpanKey) -> Option<Arc<SpanState>> {
        self.shard(key.shard()).open.get(&key).cloned()
    }

    /// Takes a closed span off the table.
    pub(crate) fn close(&self, key: SpanKey) -> Option<Arc<SpanState>> {
        self.shard(key.shard()).open.remove(&key)
    }

    /// Gives a state back for reuse.
    pub(crate) fn recycle(&self, mut state: Arc<SpanState>) {
        let Some(fresh) = Arc::get_mut(&mut state) else {
            return;
        };
        fresh.reset();
        let mut returned = self.returned(fresh.shard);
        if returned.0.len() < KEPT {
            returned.0.push(state);
        }
    }

    /// Everything still open, in no order.
    pub(crate) fn all(&self) -> Vec<Arc<SpanState>> {
        let all = |shard| self.shard(shard).open.values().cloned().collect::<Vec<_>>();
        (0..SHARDS).flat_map(all).collect()
    }

    fn shard(&self, at: usize) -> MutexGuard<'_, Shard> {
        self.shards[at % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn returned(&self, at: usize) -> MutexGuard<'_, Returned> {
        self.returned[at % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_used_again_only_when_nobody_holds_it() {
        let open = OpenSpans::default();
        let key = |id| SpanKey { layer: 1, id };
        let place = |state: &Arc<SpanState>| Arc::as_ptr(state);
        let close = |id| open.recycle(open.close(key(id)).unwrap());
        let held = open.open(key(1));
        close(1);
        assert!(open.find(key(1)).is_none());
        let second = {
            let second = open.open(key(2));
            assert_ne!(place(&second), place(&held));
            second.lock().ended = true;
            place(&second)
        };
        close(2);
        let third = open.open(key(3));
        assert_eq!(place(&third), second);
        assert!(!third.is_ended());
        assert_eq!(open.all().len(), 1);
    }
}
