//! The installation's reporters: queues that listen to its bus.

use std::time::Instant;

use super::ConfigError;
use crate::bus::Bus;
use crate::reporter::Reporting;
use crate::stats::Tally;

#[derive(Debug, Default)]
pub(super) struct Reporters(Vec<Reporting>);

impl Reporters {
    /// Has them listen to the bus.
    pub(super) fn start(wanted: Vec<Reporting>, bus: &Bus) -> Result<Self, ConfigError> {
        for reporting in &wanted {
            reporting.attach(bus).map_err(ConfigError::Thread)?;
        }
        Ok(Self(wanted))
    }

    /// Waits until everything published so far is delivered or dropped; false if `deadline` came first.
    pub(super) fn flush(&self, deadline: Instant) -> bool {
        let mut all = true;
        for reporting in &self.0 {
            all &= reporting.flush(deadline);
        }
        all
    }

    /// Ends them after what they were offered so far; false if something was left at `deadline`.
    pub(super) fn end(&self, deadline: Instant) -> bool {
        let mut all = true;
        for reporting in &self.0 {
            all &= reporting.end(deadline);
        }
        all
    }

    pub(super) fn tallies(&self) -> Vec<(&'static str, Tally)> {
        self.0
            .iter()
            .map(|reporting| (reporting.name(), reporting.stats()))
            .collect()
    }
}
