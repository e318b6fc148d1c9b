//! The installation's event outlets: files, databases and writers of the application's own, each on a thread of its own.
//!
//! Promise: what cannot be opened is said by `build()`; afterwards every event an outlet was offered is in its books.

use std::time::Instant;

use super::ConfigError;
use std::sync::Arc;

use crate::bus::{Bus, Filter, Overflow};
use crate::history::{EventStore, Feed, History, MemoryStore};
use crate::layer::instance::Instance;
use crate::outlet::{EventWriter, Outlet};
use crate::pipeline::recent::Recent;
use crate::stats::Tally;

/// Events that wait for one outlet at most. They are shared with the bus and the history, so a full queue costs little more
/// than its length; half of it would lose a part of a burst of 10,000 spans, with their starts, while a disk syncs.
const QUEUE: usize = 32_768;

/// A writer that is not open yet; what it is given is the service's name.
pub(super) type Open = Box<dyn FnOnce(&str) -> Result<Box<dyn EventWriter>, ConfigError> + Send>;

/// An outlet the builder was asked for.
pub(super) struct Wanted {
    pub(super) name: &'static str,
    pub(super) open: Open,
}

/// Where the history is kept.
#[derive(Default)]
pub(super) enum Keep {
    #[default]
    Default,
    In(Box<Kept>),
    Nothing,
}

impl Keep {
    /// Has the store fed with the events of `bus`, or with the records of the pipeline.
    pub(super) fn attach(
        self,
        bus: &Bus,
        instance: &Arc<Instance>,
        writers: &mut Vec<Wanted>,
    ) -> (History, Option<Arc<Recent>>) {
        match self {
            Self::Default => {
                let recent = Arc::new(Recent::new(Arc::clone(instance)));
                let store = Arc::clone(&recent) as Arc<dyn EventStore>;
                (History::from(store), Some(recent))
            }
            Self::In(kept) => (kept.attach(bus, writers), None),
            Self::Nothing => (History::new(MemoryStore::with_limits(0, 0)), None),
        }
    }
}

/// A store of the history, and how it is fed.
pub(super) struct Kept {
    history: History,
    feed: Feed,
}

impl Kept {
    pub(super) fn new<S: EventStore + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            history: History::from(Arc::clone(&store) as Arc<dyn EventStore>),
            feed: store.feed(),
        }
    }

    fn attach(self, bus: &Bus, writers: &mut Vec<Wanted>) -> History {
        match self.feed {
            Feed::Inline => {
                let store = Arc::clone(self.history.store());
                bus.tap(Filter::new(), move |event| {
                    // A store in memory has nothing to say; replays it passes over by itself.
                    let _ = store.append(std::slice::from_ref(event));
                });
            }
            Feed::Writer(writer) => writers.push(Wanted {
                name: "history",
                open: Box::new(move |_| Ok(writer)),
            }),
        }
        self.history
    }
}

/// The running outlets.
#[derive(Debug, Default)]
pub(super) struct Writers(Vec<Outlet>);

impl Writers {
    pub(super) fn start(
        wanted: Vec<Wanted>,
        service: &str,
        bus: &Bus,
    ) -> Result<Self, ConfigError> {
        // All are opened before the first one starts.
        let opened = wanted
            .into_iter()
            .map(|wanted| Ok((wanted.name, (wanted.open)(service)?)))
            .collect::<Result<Vec<_>, ConfigError>>()?;
        let start = |(name, writer)| {
            let events = bus.subscribe_with(QUEUE, Overflow::DropNewest);
            Outlet::start(name, events, writer).map_err(ConfigError::Thread)
        };
        let outlets = opened.into_iter().map(start);
        Ok(Self(outlets.collect::<Result<_, _>>()?))
    }

    /// Waits until everything published so far is written; false if `deadline` came first.
    pub(super) fn flush(&self, deadline: Instant) -> bool {
        let mut all = true;
        for outlet in &self.0 {
            all &= outlet.flush(deadline);
        }
        all
    }

    /// Ends the outlets after what they were offered so far; false if one has not ended by `deadline`.
    pub(super) fn end(&self, deadline: Instant) -> bool {
        let mut all = true;
        for outlet in &self.0 {
            all &= outlet.end(deadline);
        }
        all
    }

    pub(super) fn tallies(&self) -> Vec<(&'static str, Tally)> {
        self.0
            .iter()
            .map(|outlet| (outlet.name(), outlet.tally()))
            .collect()
    }
}
