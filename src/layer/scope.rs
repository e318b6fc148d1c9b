//! What this thread is in the scope of: attributes, and the event that set it all off.
//!
//! Promise: leaving a scope restores the one around it, on a panic too.

use std::cell::RefCell;
use std::sync::Arc;

use opentelemetry::trace::SpanContext;

use crate::record::{Around, Inherited, Limits};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Around>>> = const { RefCell::new(None) };
}

fn exchange(scope: Option<Arc<Around>>) -> Option<Arc<Around>> {
    CURRENT
        .try_with(|cell| {
            cell.try_borrow_mut()
                .ok()
                .and_then(|mut cell| std::mem::replace(&mut *cell, scope))
        })
        .ok()?
}

/// The innermost scope, what those around it add included.
pub(crate) fn current() -> Option<Arc<Around>> {
    CURRENT
        .try_with(|cell| cell.try_borrow().ok().and_then(|cell| cell.clone()))
        .ok()?
}

/// Restores, when dropped, the scope that was left for another.
#[derive(Debug)]
pub(crate) struct Restore(Option<Arc<Around>>);

impl Drop for Restore {
    fn drop(&mut self) {
        exchange(self.0.take());
    }
}

/// Enters `scope`, over the scope around it.
pub(crate) fn enter(scope: &Arc<Around>) -> Restore {
    let outer = current();
    let inner = over(scope, outer.as_ref());
    exchange(Some(inner));
    Restore(outer)
}

/// Runs `f` in `scope`, over the scope around it.
pub(crate) fn within<R>(scope: &Arc<Around>, f: impl FnOnce() -> R) -> R {
    let _restore = enter(scope);
    f()
}

/// Adds the scope of this thread to what a span or moment inherits from the span around it; the thread's wins. Says whether
/// that names a cause the span around it does not have.
pub(crate) fn inherit(inherited: &mut Option<Arc<Inherited>>) -> bool {
    let Some(current) = current() else {
        return false;
    };
    let above = inherited.as_ref().and_then(|above| above.scope.as_ref());
    if above.is_some_and(|above| Arc::ptr_eq(above, &current)) {
        return false;
    }
    let cause = |around: &Arc<Around>| around.cause.as_ref().map(|cause| cause.event);
    let news = cause(&current).is_some() && cause(&current) != above.and_then(cause);
    let scope = Some(over(&current, above));
    let above = inherited.as_deref().cloned().unwrap_or_default();
    *inherited = Some(Arc::new(Inherited { scope, ..above }));
    news
}

/// The span of the event named as the cause of what inherits this.
pub(crate) fn cause_span(inherited: Option<&Inherited>) -> Option<SpanContext> {
    let cause = inherited?.scope.as_ref()?.cause.as_ref()?;
    cause.span.clone()
}

/// `inner`, and what `outer` has that it has not.
fn over(inner: &Arc<Around>, outer: Option<&Arc<Around>>) -> Arc<Around> {
    match outer {
        Some(outer) if !Arc::ptr_eq(inner, outer) => {
            let mut all = Around::clone(inner);
            all.fields.fill_from(&outer.fields, &Limits::DEFAULT);
            all.cause = all.cause.or_else(|| outer.cause.clone());
            Arc::new(all)
        }
        _ => Arc::clone(inner),
    }
}
