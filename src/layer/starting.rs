//! From a starter to the layer: the attributes of a span that is being started on this thread, and back the states that
//! the layers of this thread's subscriber opened for it.
//!
//! A typed starter knows all attributes before it makes its `tracing` span. Handing them over here spares them the way
//! through `tracing`'s field sets, which cannot carry names that a call site does not declare.

use std::cell::RefCell;
use std::sync::Arc;

use tracing::Span;

use super::instance::Instance;
use super::state::SpanState;
use crate::record::{Fields, Limits};

/// A span in one instance's eyes.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) instance: Arc<Instance>,
    pub(crate) state: Arc<SpanState>,
}

#[derive(Default)]
struct Starting {
    fields: Fields,
    opened: Vec<Opened>,
}

thread_local! {
    static STARTING: RefCell<Option<Starting>> = const { RefCell::new(None) };
}

/// Makes a span by `make`, whose attributes are `fields`, and says who opened it. Most often one instance does; none
/// where no layer is installed or a filter is in the way.
pub(crate) fn start(fields: Fields, make: impl FnOnce() -> Span) -> (Span, Vec<Opened>) {
    let outer = exchange(Some(Starting {
        fields,
        opened: Vec::new(),
    }));
    let span = make();
    let starting = exchange(outer);
    (span, starting.map(|s| s.opened).unwrap_or_default())
}

fn exchange(starting: Option<Starting>) -> Option<Starting> {
    STARTING
        .try_with(|cell| {
            cell.try_borrow_mut()
                .ok()
                .and_then(|mut cell| std::mem::replace(&mut *cell, starting))
        })
        .ok()?
}

/// Copies the attributes of the span being started, as far as `limits` let them; false if none is.
pub(crate) fn take(fields: &mut Fields, limits: &Limits) -> bool {
    let copied = STARTING.try_with(|cell| {
        let cell = cell.try_borrow().ok()?;
        let given = &cell.as_ref()?.fields;
        // A starter knows no instance, so it keeps to the default limits only.
        if *limits == Limits::DEFAULT {
            fields.copy_from(given);
        } else {
            fields.merge_from(given, limits);
        }
        Some(())
    });
    matches!(copied, Ok(Some(())))
}

/// Tells the starter which state its span got.
pub(crate) fn opened(instance: &Arc<Instance>, state: &Arc<SpanState>) {
    let _ = STARTING.try_with(|cell| {
        if let Ok(mut cell) = cell.try_borrow_mut()
            && let Some(starting) = cell.as_mut()
        {
            starting.opened.push(Opened {
                instance: Arc::clone(instance),
                state: Arc::clone(state),
            });
        }
    });
}
