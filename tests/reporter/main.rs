//! Reporters and the forwarder: requirements 102 to 119 and 121, from the outside. Waits and verdicts under paused time are tested in
//! `src/export/reporter/tests`.
#![cfg(feature = "otlp")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

#[path = "../support/mod.rs"]
mod support;

mod bus;
mod config;
mod forwarder;
mod http;
mod installation;
mod killed;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tracing_genai::event::{Event, EventData, EventType};
use tracing_genai::reporter::internal::Voice;
use tracing_genai::reporter::{Backoff, ReportError, Reporter, Reporting, ReportingBuilder};

const SOON: Duration = Duration::from_secs(20);

/// An event of a scenario run, known by its number.
fn event(ty: &str, run: &str, number: i64) -> Event {
    let mut data = EventData::new(EventType::parse(ty).unwrap(), SystemTime::now());
    data.attrs.set("scenario.run.id", run.to_owned());
    data.attrs.set("number", number);
    data.flavor = "scenario".into();
    data.into()
}

fn number(event: &Event) -> i64 {
    event
        .attr("number")
        .and_then(|value| value.as_i64())
        .unwrap_or(-1)
}

/// Keeps what it gets.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<Event>>>);

impl Keeper {
    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    fn numbers(&self) -> Vec<i64> {
        self.events().iter().map(number).collect()
    }
}

impl Reporter for Keeper {
    async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
        self.0.lock().unwrap().push(event.clone());
        Ok(())
    }
}

/// A queue that waits little and warns into a buffer.
fn queue(reporter: impl Reporter) -> (ReportingBuilder, Arc<Mutex<String>>) {
    let (voice, said) = Voice::captured();
    let builder = Reporting::builder()
        .reporter(reporter)
        .voice(voice)
        .backoff(Backoff::new().initial(Duration::from_millis(1)));
    (builder, said)
}
