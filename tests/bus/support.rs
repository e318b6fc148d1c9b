//! Events with numbers, and what the tests do with them.

use std::time::SystemTime;

use tracing_genai::{
    bus::{Bus, Delivery, Subscription},
    event::{Event, EventData, EventType},
};

pub use crate::waiting::{DEADLINE, alone, block_on, until, within};

/// A deadline that only passes when something hangs.
pub fn in_time() -> std::time::Instant {
    std::time::Instant::now() + DEADLINE
}

pub fn data(ty: &str, number: u64) -> EventData {
    let mut data = EventData::new(EventType::parse(ty).unwrap(), SystemTime::UNIX_EPOCH);
    data.cursor = number;
    data.attrs.set("custom.number", number);
    data
}

pub fn event(ty: &str, number: u64) -> Event {
    Event::new(data(ty, number))
}

pub fn publish(bus: &Bus, numbers: std::ops::Range<u64>) {
    numbers.for_each(|number| bus.publish(event("step.completed", number)));
}

pub fn flush(bus: &Bus) {
    let report = bus.flush(in_time());
    assert!(report.complete, "{report:?}");
}

/// Everything that can be read now: event numbers, and `None` per missing event.
pub fn drain(subscription: &mut Subscription) -> Vec<Option<u64>> {
    let mut read = Vec::new();
    while let Some(delivery) = subscription.try_recv() {
        match delivery {
            Delivery::Event(event) => read.push(Some(event.cursor)),
            Delivery::Lagged(missed) => {
                assert!(missed > 0);
                read.extend((0..missed).map(|_| None));
            }
        }
    }
    read
}

/// The books of subscriptions add up.
pub fn assert_books(bus: &Bus) {
    let stats = bus.stats();
    let accounted =
        stats.delivered + stats.filtered + stats.lagged + stats.unread + stats.discarded;
    assert_eq!(stats.offered, accounted, "{stats:?}");
}

/// Panics whose text begins with `expected:` are not printed.
pub fn silence_expected_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let expected = info
                .payload()
                .downcast_ref::<&str>()
                .is_some_and(|text| text.starts_with("expected:"));
            if !expected {
                default(info);
            }
        }));
    });
}

/// A gate that holds whoever passes it until it is opened, and says when somebody has come.
#[derive(Default)]
pub struct Gate {
    state: std::sync::Mutex<(usize, bool)>,
    changed: std::sync::Condvar,
}

impl Gate {
    pub fn new() -> std::sync::Arc<Self> {
        std::sync::Arc::default()
    }

    pub fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, open)| !*open).unwrap());
    }

    pub fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    /// Waits until this many have come to it.
    pub fn wait_for(&self, comers: usize) {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, DEADLINE, |(came, _)| *came < comers);
        assert!(!waited.unwrap().1.timed_out(), "nobody came to the gate");
    }
}
