//! The page of the process's own.

use std::sync::Arc;

use opentelemetry::Key;
use opentelemetry_sdk::Resource;

use super::super::ConfigError;
use super::TelemetryBuilder;
use crate::clock::Nanos;
use crate::enrich::{RollUp, builtin};
use crate::event::{Event, Phase};
use crate::history::History;
use crate::layer::instance::Instance;
use crate::pipeline::foreign;
use crate::record::Record;
use crate::viewer::{self, Feed, Subject, Viewer, ViewerHandle};

/// Events read from a history at a time.
const PAGE: usize = 1_000;

const SERVICE_NAME: Key = Key::from_static_str("service.name");

impl TelemetryBuilder {
    /// Serves a page that shows runs as they happen: waterfall, tokens, cost, errors, and messages where [content](Self::capture) is
    /// captured. `"127.0.0.1:0"` takes a free port; [`Telemetry::viewer`](crate::Telemetry::viewer) tells which. A [history](Self::history)
    /// of the application's own is shown too, as far as the page has room. It is what its events tell: after a restart the pieces of
    /// streams are not there, nor the attempts and calls that lay inside another call.
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
    resource: &Resource,
    begun: Nanos,
    instance: &Arc<Instance>,
    capture: &'static str,
    past: Option<History>,
) -> Result<Option<(Feed, ViewerHandle)>, ConfigError> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let instance = Arc::clone(instance);
    let (service, bounds) = (resource.get(&SERVICE_NAME), wanted.clone());
    let subject = Subject {
        service: service.map(|name| name.to_string()).unwrap_or_default(),
        clock: instance.clock.clone(),
        begun,
        capture,
        past: Box::new(move || {
            past.map_or_else(Vec::new, |past| records(&past, begun, &bounds, &instance))
        }),
    };
    Ok(Some(viewer::start(&wanted, subject)?))
}

/// What a history tells of spans that ended and what happened in them, as records: the newest, as far as there is room for them. A
/// store that cannot be read tells nothing here; its own questions say why.
fn records(past: &History, begun: Nanos, wanted: &Viewer, instance: &Instance) -> Vec<Record> {
    let clock = &instance.clock;
    // What happens from here on is told by itself, and is in the history too by the time that is read.
    let now = clock.system_time(begun);
    let past = past.before(now);
    let told = |event: &Event| {
        let piece = |word: &str| matches!(word, "chunk" | "thinking");
        event.phase != Phase::Started && !matches!(&event.phase, Phase::Moment(word) if piece(word))
    };
    let record = |event: Event| {
        let mut data = event.into_data();
        if data.phase.is_terminal() && data.ty.subject().has_span() {
            foreign::span(None, Some(&data), now, clock, &instance.limits)
        } else {
            foreign::moment(&mut data, clock, &instance.limits)
        }
    };
    let (most, room) = wanted.bounds();
    let (mut records, mut bytes) = (Vec::new(), 0);
    for from in (0..most).step_by(PAGE) {
        let page = past.offset(from).limit(PAGE.min(most - from));
        let events = page.fetch().unwrap_or_default();
        let last = events.len() < PAGE;
        for record in events.into_iter().filter(told).map(record) {
            bytes += record.bytes();
            if bytes > room {
                break;
            }
            records.push(record);
        }
        if last || bytes > room {
            break;
        }
    }
    records.reverse();
    let mut totals = RollUp::new();
    for record in &mut records {
        builtin::roll_up_again(record, &mut totals);
    }
    records
}
