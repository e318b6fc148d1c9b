//! From `tracing`'s values to captured fields.
//!
//! Promise: numbers stay numbers (`u64`, `i128` and `u128` too, as far as an attribute can hold them), text is copied
//! once, and user code (`Debug`, `Display`, `Error`) runs with no lock of ours held.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::MutexGuard;

use tracing::field::{Field, Visit};

use super::instance::{Instance, is_telling};
use super::state::{Inner, SpanState};
use crate::enrich::dialect::events;
use crate::record::{Fields, Limits};
use crate::stats::Loss;

/// Where visited values go.
pub(crate) trait Target {
    /// Sets the field `name` by `set`, which runs nobody's code.
    fn set(&mut self, name: &'static str, set: impl FnOnce(&mut Fields, &Limits));

    /// Sets it to what `Debug` tells, which is somebody's code.
    fn set_fmt(&mut self, name: &'static str, value: &dyn fmt::Debug);

    /// Whether the text of this field is wanted at all.
    #[inline]
    fn wants_text(&self, _: &'static str) -> bool {
        true
    }
}

/// Fields that are nobody's yet.
pub(crate) struct Loose<'a> {
    pub(crate) fields: &'a mut Fields,
    pub(crate) limits: &'a Limits,
    /// Of a client library's event, how many fields it has: of its texts only names are kept.
    pub(crate) names_of: Option<usize>,
}

impl Target for Loose<'_> {
    fn set(&mut self, _: &'static str, set: impl FnOnce(&mut Fields, &Limits)) {
        set(self.fields, self.limits);
    }

    fn set_fmt(&mut self, name: &'static str, value: &dyn fmt::Debug) {
        self.fields.set_fmt(name, value, self.limits);
    }

    fn wants_text(&self, name: &'static str) -> bool {
        self.names_of
            .is_none_or(|fields| events::is_name(name, fields))
    }
}

/// An open span. It is locked at the first value and stays so until [`InSpan::finish`], except while a value formats itself.
pub(crate) struct InSpan<'a> {
    instance: &'a Instance,
    state: &'a SpanState,
    inner: Option<MutexGuard<'a, Inner>>,
    /// One of the fields tells what children inherit, or the operation.
    told: bool,
    refused: bool,
}

impl<'a> InSpan<'a> {
    pub(crate) fn new(instance: &'a Instance, state: &'a SpanState) -> Self {
        Self {
            instance,
            state,
            inner: None,
            told: false,
            refused: false,
        }
    }

    /// One that is locked already.
    pub(crate) fn locked(
        instance: &'a Instance,
        state: &'a SpanState,
        inner: MutexGuard<'a, Inner>,
    ) -> Self {
        Self {
            inner: Some(inner),
            ..Self::new(instance, state)
        }
    }

    /// Draws the conclusions from what was written, and lets the lock go.
    pub(crate) fn finish(self) {
        if self.refused {
            self.instance.parts.lose(Loss::RecordAfterEnd, 1);
        } else if self.told {
            let mut inner = self.inner.unwrap_or_else(|| self.state.lock());
            self.instance.understand(&mut inner);
        }
    }
}

impl Target for InSpan<'_> {
    fn set(&mut self, name: &'static str, set: impl FnOnce(&mut Fields, &Limits)) {
        let inner = self.inner.get_or_insert_with(|| self.state.lock());
        if inner.ended {
            self.refused = true;
            return;
        }
        self.told |= is_telling(name);
        set(&mut inner.record.fields, &self.instance.limits);
    }

    fn set_fmt(&mut self, name: &'static str, value: &dyn fmt::Debug) {
        self.inner = None;
        with_scratch(|formatted| {
            formatted.set_fmt(name, value, &self.instance.limits);
            self.set(name, |fields, limits| fields.merge_from(formatted, limits));
        });
    }
}

/// Brings every visited value to a [`Target`].
pub(crate) struct Capture<T>(pub(crate) T);

impl<T: Target> Visit for Capture<T> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        let name = field.name();
        self.0
            .set(name, |fields, limits| fields.set_i64(name, value, limits));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(n) => self.record_i64(field, n),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(n) => self.record_i64(field, n),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(n) => self.record_i64(field, n),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let name = field.name();
        self.0
            .set(name, |fields, limits| fields.set_f64(name, value, limits));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let name = field.name();
        self.0
            .set(name, |fields, limits| fields.set_bool(name, value, limits));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let name = field.name();
        if self.0.wants_text(name) {
            self.0
                .set(name, |fields, limits| fields.set_str(name, value, limits));
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.record_debug(field, &HexBytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.0.wants_text(field.name()) {
            self.0.set_fmt(field.name(), value);
        }
    }
}

struct HexBytes<'a>(&'a [u8]);

impl fmt::Debug for HexBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

thread_local! {
    static SCRATCH: Cell<Option<Fields>> = const { Cell::new(None) };
}

/// Runs `f` with an empty set of fields that keeps its buffers from one call on this thread to the next. A call inside
/// the call (a `Debug` that emits an event) gets a set of its own.
pub(crate) fn with_scratch<R>(f: impl FnOnce(&mut Fields) -> R) -> R {
    let mut fields = SCRATCH
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_default();
    let result = f(&mut fields);
    fields.clear();
    let _ = SCRATCH.try_with(|scratch| scratch.set(Some(fields)));
    result
}
