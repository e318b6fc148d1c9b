//! From `tracing`'s values to captured fields.
//!
//! Promise: numbers stay numbers (`u64`, `i128` and `u128` too, as far as an attribute can hold them), text is copied
//! once, and user code (`Debug`, `Display`, `Error`) runs with no lock of ours held.

use std::cell::Cell;
use std::error::Error;
use std::fmt;

use tracing::field::{Field, Visit};

use crate::record::{Fields, Limits};

/// Copies every visited value into `fields`.
pub(crate) struct Capture<'a> {
    pub(crate) fields: &'a mut Fields,
    pub(crate) limits: &'a Limits,
}

impl Visit for Capture<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.set_i64(field.name(), value, self.limits);
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
        self.fields.set_f64(field.name(), value, self.limits);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.set_bool(field.name(), value, self.limits);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.set_str(field.name(), value, self.limits);
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.record_debug(field, &HexBytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.set_fmt(field.name(), value, self.limits);
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
