//! What user code on the bus does wrong: contained where it happens, counted by name.
//!
//! Promise: the names stay few.
//! Never: keeps or shows the text of an error.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Runs it.
pub(super) use crate::contain::contain;

/// Failures are counted under this many names; then under [`OTHER_NAMES`]. Keeps a handler added in a loop, each
/// time under a new name, from growing the map forever.
const NAMES: usize = 256;
const OTHER_NAMES: &str = "(others)";

/// Panics and failures by name.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<BTreeMap<String, u64>>);

impl Failures {
    pub(super) fn count(&self, name: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if counts.len() < NAMES || counts.contains_key(name) {
            name
        } else {
            OTHER_NAMES
        };
        match counts.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(counts.insert(name.to_owned(), 1)),
        }
    }

    pub(super) fn read(&self) -> BTreeMap<String, u64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.clone()
    }
}
