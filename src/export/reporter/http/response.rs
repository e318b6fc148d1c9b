//! What a receiver answered, for those who want to know.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::target::Answer;
use crate::event::Event;

/// Batches that are remembered as told. A process has a few; this bounds one that has many.
const BATCHES: usize = 1_024;

const BATCH: &str = "scenario.batch_run.id";

/// The answer to an event that was delivered, for [`on_response`](super::HttpReporterBuilder::on_response).
pub struct ReportResponse<'a> {
    pub(super) answer: &'a Answer,
    pub(super) event: &'a Event,
}

impl ReportResponse<'_> {
    /// The HTTP status, 200 to 299.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// The body, of which 64 KiB at most are read. It comes from outside: [`escape`](crate::console::escape) it before you print
    /// it.
    pub fn body(&self) -> &[u8] {
        &self.answer.body
    }

    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body()).ok()
    }

    /// The event that was delivered.
    pub fn event(&self) -> &Event {
        self.event
    }

    /// Its `scenario.batch_run.id`.
    pub fn batch_run_id(&self) -> Option<&str> {
        batch(self.event)
    }
}

impl fmt::Debug for ReportResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportResponse")
            .field("status", &self.status())
            .field("body", &format_args!("<{} bytes>", self.body().len()))
            .field("event", &self.event)
            .finish()
    }
}

fn batch(event: &Event) -> Option<&str> {
    event.attr(BATCH)?.as_str()
}

/// The batches whose first answer was told.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<(HashSet<String>, VecDeque<String>)>);

impl Told {
    /// Whether this is the first event of its batch; those without one are a batch too.
    pub(super) fn is_first(&self, event: &Event) -> bool {
        let batch = batch(event).unwrap_or_default();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, order) = &mut *told;
        if !known.insert(batch.to_owned()) {
            return false;
        }
        order.push_back(batch.to_owned());
        if order.len() > BATCHES
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        true
    }
}
