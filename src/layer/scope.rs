//! The attributes of the scope this thread is in.
//!
//! Promise: leaving a scope restores the one around it, on a panic too.

use std::cell::RefCell;
use std::sync::Arc;

use crate::record::{Fields, Inherited, Limits};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Fields>>> = const { RefCell::new(None) };
}

fn exchange(scope: Option<Arc<Fields>>) -> Option<Arc<Fields>> {
    CURRENT
        .try_with(|cell| {
            cell.try_borrow_mut()
                .ok()
                .and_then(|mut cell| std::mem::replace(&mut *cell, scope))
        })
        .ok()?
}

/// The attributes of the innermost scope, those around it included.
pub(crate) fn current() -> Option<Arc<Fields>> {
    CURRENT
        .try_with(|cell| cell.try_borrow().ok().and_then(|cell| cell.clone()))
        .ok()?
}

/// Runs `f` in the scope of `fields`, over those of the scope around it.
pub(crate) fn within<R>(fields: &Arc<Fields>, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<Fields>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            exchange(self.0.take());
        }
    }
    let outer = current();
    let inner = over(fields, outer.as_ref());
    exchange(Some(inner));
    let _restore = Restore(outer);
    f()
}

/// Adds the scope of this thread to what a span or moment inherits from the span around it; the thread's wins.
pub(crate) fn inherit(inherited: &mut Option<Arc<Inherited>>) {
    let Some(current) = current() else { return };
    let above = inherited.as_ref().and_then(|above| above.scope.as_ref());
    if above.is_some_and(|above| Arc::ptr_eq(above, &current)) {
        return;
    }
    let scope = Some(over(&current, above));
    let above = inherited.as_deref().cloned().unwrap_or_default();
    *inherited = Some(Arc::new(Inherited { scope, ..above }));
}

/// `fields`, and what `around` has under other names.
fn over(fields: &Arc<Fields>, around: Option<&Arc<Fields>>) -> Arc<Fields> {
    match around {
        Some(around) if !Arc::ptr_eq(fields, around) => {
            let mut all = Fields::clone(fields);
            all.fill_from(around, &Limits::DEFAULT);
            Arc::new(all)
        }
        _ => Arc::clone(fields),
    }
}
