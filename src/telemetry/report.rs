//! What `flush`, `shutdown` and `stats` tell.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::bus::BusStats;
use crate::layer::ScopeStats;
use crate::stats::{Loss, Tally};

/// What became of everything, since the start, per outlet; from [`flush`](crate::Telemetry::flush),
/// [`shutdown`](crate::Telemetry::shutdown) and [`stats`](crate::Telemetry::stats).
///
/// For each tally `accepted = delivered + rejected + Σ dropped + pending`.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Records (starts and ends of spans, moments) from the application's threads to the telemetry thread.
    pub capture: Tally,
    /// Spans to the collector; `None` without an exporter of traces.
    pub traces: Option<Tally>,
    /// Log records to the collector; `None` without an exporter of logs.
    pub logs: Option<Tally>,
    /// Metric data points to the collector; `None` without an exporter of metrics.
    pub metrics: Option<Tally>,
    /// Spans to plugged-in SDK exporters; `None` without one.
    pub plugged: Option<Tally>,
    /// Events to files, databases and writers of the application's own, by name.
    pub writers: Vec<(&'static str, Tally)>,
    /// Events to [reporters](crate::reporter), by name; `rejected` are those that were not for the receiver.
    pub reporters: Vec<(&'static str, Tally)>,
    /// Starts and ends of spans, and moments, to the [page](crate::TelemetryBuilder::viewer) of the process's own; `None` without it.
    #[cfg(feature = "viewer")]
    pub viewer: Option<Tally>,
    /// Events to subscribers and handlers of the bus, and what slow ones missed.
    pub bus: BusStats,
    /// What was lost of records that were delivered all the same: late writes, attributes beyond the limits, a hook's
    /// part.
    pub partial: BTreeMap<Loss, u64>,
    /// Places at which a secret or personal data was replaced, on whatever it was.
    pub redacted: u64,
    /// Events that were not told because their [channel](crate::Telemetry::channel) is off or its level is above theirs. They are
    /// no losses.
    pub filtered: u64,
    /// Mistakes with spans: nested too deeply, left out of order.
    pub scopes: ScopeStats,
    /// Whether the call got through everything within its time.
    pub in_time: bool,
    /// How long the call took; zero for `stats`.
    pub took: Duration,
}

impl Report {
    /// Whether everything that was accepted has been delivered, by every outlet, in time.
    pub fn is_complete(&self) -> bool {
        self.in_time
            && self.capture.is_complete()
            && self.exports().all(|(_, tally)| tally.is_complete())
            && self.writers.iter().all(|(_, tally)| tally.is_complete())
            && self
                .reporters
                .iter()
                .all(|(_, tally)| tally.delivered + tally.rejected == tally.accepted)
            && self.page().all(|(_, tally)| tally.is_complete())
    }

    /// Whether everything that was accepted is accounted for, by every outlet. A `false` is a defect of this crate.
    pub fn is_balanced(&self) -> bool {
        self.outlets().all(|(_, tally)| tally.is_balanced())
    }

    /// Every tally there is, with its name: `capture`, what is [exported](Self::exports), the [writers](Self::writers), the
    /// [reporters](Self::reporters) and the page.
    pub fn outlets(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        std::iter::once(("capture", &self.capture))
            .chain(self.exports())
            .chain(self.of_events())
            .chain(self.page())
    }

    #[cfg(feature = "viewer")]
    fn page(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        self.viewer.iter().map(|tally| ("viewer", tally))
    }

    #[cfg(not(feature = "viewer"))]
    fn page(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        std::iter::empty()
    }

    fn of_events(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        let all = self.writers.iter().chain(&self.reporters);
        all.map(|(name, tally)| (*name, tally))
    }

    /// The exporting outlets there are, with their names.
    pub fn exports(&self) -> impl Iterator<Item = (&'static str, &Tally)> {
        let outlets = [
            ("traces", &self.traces),
            ("logs", &self.logs),
            ("metrics", &self.metrics),
            ("plugged", &self.plugged),
        ];
        outlets
            .into_iter()
            .filter_map(|(name, tally)| tally.as_ref().map(|tally| (name, tally)))
    }
}

impl fmt::Display for Report {
    /// One line: `traces 13 delivered; logs 2 delivered; metrics 21 delivered`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        if !self.capture.dropped.is_empty()
            || self.capture.pending > 0
            || self.exports().next().is_none()
        {
            write!(f, "captured {}", self.capture)?;
            comma = "; ";
        }
        // Of a page that shows everything there is nothing to say.
        let page = self.page().filter(|(_, tally)| !tally.is_complete());
        for (name, tally) in self.exports().chain(self.of_events()).chain(page) {
            write!(f, "{comma}{name} {tally}")?;
            comma = "; ";
        }
        for (why, n) in &self.partial {
            write!(f, "; {n} partly lost ({why})")?;
        }
        if !self.in_time {
            f.write_str("; time was up")?;
        }
        Ok(())
    }
}
