//! The spans this thread is in, innermost last, with the guards that keep their OpenTelemetry contexts current.
//!
//! Promise: exits may come in any order; nothing here panics, not even while the thread is being torn down or while an
//! OpenTelemetry context is borrowed.
//! Never: drops a guard while the stack is borrowed, because what a context holds may run anybody's code.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::{Context, ContextGuard};

use super::state::{SpanKey, SpanState};

struct Entered {
    instance: u32,
    key: SpanKey,
    state: Arc<SpanState>,
    guard: Option<ContextGuard>,
}

thread_local! {
    static STACK: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
    static QUIET: Cell<u32> = const { Cell::new(0) };
    static SEQUENCE: Cell<u64> = const { Cell::new(0) };
    /// Without a destructor, so it can be read to the thread's very end.
    static GONE: Cell<bool> = const { Cell::new(false) };
    static BEHIND_CONTEXT: Sentinel = const { Sentinel };
    static BEHIND_REGISTRY: Sentinel = const { Sentinel };
}

/// Tells that the thread is ending before OpenTelemetry's thread-local state and the registry's are gone. Both panic when
/// they are asked afterwards, which in a destructor aborts the process. Thread-local values are dropped in the reverse order
/// of their first use, so a sentinel that is used right after such a state is dropped before it.
struct Sentinel;

impl Drop for Sentinel {
    fn drop(&mut self) {
        GONE.set(true);
    }
}

/// Called when the registry has made a span on this thread.
pub(crate) fn watch_registry() {
    let _ = BEHIND_REGISTRY.try_with(|_| ());
}

/// Whether the thread is past the point up to which OpenTelemetry's context may be touched.
pub(crate) fn is_ending() -> bool {
    GONE.get()
}

/// Puts a span on the stack and makes `context` current.
pub(crate) fn push(instance: u32, key: SpanKey, state: Arc<SpanState>, context: Option<Context>) {
    // `attach` panics while somebody on this thread has the current context borrowed, which can only be survived.
    let guard = context.and_then(|cx| catch_unwind(AssertUnwindSafe(|| cx.attach())).ok());
    let _ = STACK.try_with(|stack| {
        if let Ok(mut stack) = stack.try_borrow_mut() {
            stack.push(Entered {
                instance,
                key,
                state,
                guard,
            });
        }
    });
}

/// Takes a span off the stack, wherever it lies in it, and says whether it was the innermost.
pub(crate) fn pop(key: SpanKey) -> Option<(Arc<SpanState>, bool)> {
    let (entered, innermost) = STACK
        .try_with(|stack| {
            let mut stack = stack.try_borrow_mut().ok()?;
            let at = stack.iter().rposition(|e| e.key == key)?;
            // Other layers keep their spans on the same stack.
            let innermost = !stack.iter().skip(at + 1).any(|e| e.key.layer == key.layer);
            Some((stack.remove(at), innermost))
        })
        .ok()??;
    let Entered { state, guard, .. } = entered;
    let _ = catch_unwind(AssertUnwindSafe(|| drop(guard)));
    Some((state, innermost))
}

/// Asks the innermost span of `instance` on this thread. `ask` runs nobody's code: the stack is borrowed meanwhile.
pub(crate) fn ask_current<R>(instance: u32, ask: impl FnOnce(&Arc<SpanState>) -> R) -> Option<R> {
    STACK
        .try_with(|stack| {
            let stack = stack.try_borrow().ok()?;
            let entered = stack.iter().rev().find(|e| e.instance == instance)?;
            Some(ask(&entered.state))
        })
        .ok()?
}

/// The innermost span of `instance` on this thread.
pub(crate) fn current(instance: u32) -> Option<Arc<SpanState>> {
    ask_current(instance, Arc::clone)
}

/// The span `key`, if this thread is in it.
pub(crate) fn find(key: SpanKey) -> Option<Arc<SpanState>> {
    STACK
        .try_with(|stack| {
            let stack = stack.try_borrow().ok()?;
            stack
                .iter()
                .rev()
                .find(|e| e.key == key)
                .map(|e| Arc::clone(&e.state))
        })
        .ok()?
}

/// Runs somebody's code that must not be observed, a sampler for instance: spans and events inside are not captured.
pub(crate) fn quietly<R>(f: impl FnOnce() -> R) -> R {
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = QUIET.try_with(|quiet| quiet.set(quiet.get().saturating_sub(1)));
        }
    }
    let _ = QUIET.try_with(|quiet| quiet.set(quiet.get() + 1));
    let _restore = Restore;
    f()
}

/// Whether what happens on this thread now is to be left alone: our own work, or an exporter's.
pub(crate) fn is_quiet() -> bool {
    if GONE.get() || QUIET.get() > 0 {
        return true;
    }
    let suppressed = Context::is_current_telemetry_suppressed();
    let _ = BEHIND_CONTEXT.try_with(|_| ());
    suppressed
}

/// The last number this thread took; 0 for none.
pub(crate) fn sequence() -> u64 {
    SEQUENCE.try_with(Cell::get).unwrap_or(0)
}

pub(crate) fn set_sequence(last: u64) {
    let _ = SEQUENCE.try_with(|sequence| sequence.set(last));
}

/// The number of the next record this thread emits, from 1.
pub(crate) fn next_sequence() -> u64 {
    SEQUENCE
        .try_with(|sequence| {
            sequence.set(sequence.get().wrapping_add(1));
            sequence.get()
        })
        .unwrap_or(0)
}
