//! The queue under paused time: waits, order, overlap, and the account.

mod account;
mod order;
mod retry;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::internal::Voice;
use super::queue::Stage;
use super::*;
use crate::event::{Event, EventData, EventType};

/// An event of a scenario run, known by its number.
fn event(run: &str, number: i64) -> Event {
    event_of("workflow.step", run, number)
}

fn event_of(ty: &str, run: &str, number: i64) -> Event {
    let mut data = EventData::new(EventType::from_lossy(ty), SystemTime::UNIX_EPOCH);
    if !run.is_empty() {
        data.attrs.set("scenario.run.id", run.to_owned());
    }
    data.attrs.set("number", number);
    data.flavor = "scenario".into();
    Event::new(data)
}

fn number(event: &Event) -> i64 {
    event
        .attr("number")
        .and_then(crate::event::Value::as_i64)
        .unwrap()
}

fn run(event: &Event) -> String {
    event
        .attr("scenario.run.id")
        .map_or_else(String::new, ToString::to_string)
}

/// Every attempt: when it began, of which run, which event.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<(u128, String, i64)>>>, Instant);

impl Log {
    fn new() -> Self {
        Self(Arc::default(), Instant::now())
    }

    fn write(&self, event: &Event) {
        let at = self.1.elapsed().as_millis();
        self.0.lock().unwrap().push((at, run(event), number(event)));
    }

    fn read(&self) -> Vec<(u128, String, i64)> {
        self.0.lock().unwrap().clone()
    }

    /// The events of each run in the order of their attempts, those of one event once.
    fn orders(&self) -> BTreeMap<String, Vec<i64>> {
        let mut orders = BTreeMap::<String, Vec<i64>>::new();
        for (_, run, number) in self.read() {
            let order = orders.entry(run).or_default();
            if order.last() != Some(&number) {
                order.push(number);
            }
        }
        orders
    }
}

/// Runs the queue in the test's own runtime, whose time is paused, until everything published so far is settled.
async fn settle(reporting: &Reporting) {
    let worker = Arc::clone(reporting.worker());
    if worker.queue.enter(Stage::Listening) {
        tokio::spawn(Arc::clone(&worker).run());
    }
    while reporting.stats().pending > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn exact() -> Backoff {
    Backoff::new().jitter(0.0)
}

fn quiet() -> ReportingBuilder {
    Reporting::builder().voice(Voice::captured().0)
}
