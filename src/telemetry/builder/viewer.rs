//! The page of the process's own.

use std::sync::Arc;

use super::super::ConfigError;
use super::TelemetryBuilder;
use crate::event::{Event, Phase};
use crate::history::History;
use crate::layer::instance::Instance;
use crate::pipeline::foreign;
use crate::record::Record;
use crate::viewer::{self, Feed, Subject, Viewer, ViewerHandle};

impl TelemetryBuilder {
    /// Serves a page that shows runs as they happen: waterfall, tokens, cost, errors, and messages where [content](Self::capture) is
    /// captured. `"127.0.0.1:0"` takes a free port; [`Telemetry::viewer`](crate::Telemetry::viewer) tells which. A [history](Self::history)
    /// of the application's own is shown too, as far as the page has room.
    ///
    /// A port that is taken, and an address other machines reach, are errors of [`build`](Self::build); see [`viewer`](mod@crate::viewer)
    /// for who can look and what it costs.
    ///
    /// ```
    /// use tracing_genai::Telemetry;
    ///
    /// let telemetry = Telemetry::builder("planner").viewer("127.0.0.1:0").build()?;
    /// let url = telemetry.viewer().map(|viewer| viewer.url().to_owned());
    /// assert!(url.is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    pub fn viewer(mut self, viewer: impl Into<Viewer>) -> Self {
        self.viewer = Some(viewer.into());
        self
    }
}

/// Starts the page, if one is wanted.
pub(super) fn start(
    wanted: Option<Viewer>,
    service: &str,
    instance: &Arc<Instance>,
    capture: &'static str,
    past: Option<History>,
) -> Result<Option<(Feed, ViewerHandle)>, ConfigError> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let instance = Arc::clone(instance);
    let subject = Subject {
        service: service.to_owned(),
        clock: instance.clock.clone(),
        capture,
        past: Box::new(move || past.map_or_else(Vec::new, |past| records(&past, &instance))),
    };
    Ok(Some(viewer::start(&wanted, subject)?))
}

/// What a history tells of spans that ended and what happened in them, as records. A store that cannot be read tells nothing here; its
/// own questions say why.
fn records(past: &History, instance: &Instance) -> Vec<Record> {
    let clock = &instance.clock;
    let now = clock.system_time(clock.now());
    let newest = past.before(now).limit(Viewer::DEFAULT_SPANS);
    let events = newest.fetch().unwrap_or_default();
    let told = |event: &Event| {
        let piece = |word: &str| matches!(word, "chunk" | "thinking");
        event.phase != Phase::Started && !matches!(&event.phase, Phase::Moment(word) if piece(word))
    };
    let records = events.into_iter().rev().filter(told).map(|event| {
        let mut data = event.into_data();
        if data.phase.is_terminal() && data.ty.subject().has_span() {
            foreign::span(None, Some(&data), now, clock, &instance.limits)
        } else {
            foreign::moment(&mut data, clock, &instance.limits)
        }
    });
    records.collect()
}
