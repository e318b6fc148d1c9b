//! The thread of one outlet: reads its subscription, writes in batches, answers flushes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{EventWriter, WriteError};
use crate::bus::{Delivery, RecvError, Subscription, Tail};
use crate::contain::contain;
use crate::diagnostics;
use crate::event::Event;
use crate::stats::{Books, Loss, Tally};

/// Events in one batch at most: enough to make a transaction's fixed cost small, few enough that a failed one costs little.
const BATCH: usize = 512;
/// How long an outlet that wrote something waits for more before it syncs, and with it a flush. Nobody reads a file sooner after
/// an event; shorter writes the same events in more and smaller pieces.
const QUIET: Duration = Duration::from_millis(10);

/// A running outlet. Dropping it ends the thread once everything offered has been written.
pub(crate) struct Outlet {
    name: &'static str,
    tail: Tail,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    books: Books,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Of the subscription's events: read and written, or lost.
    settled: u64,
    /// Of those, how many were synced.
    synced: u64,
    /// Flushes that wait.
    waiting: usize,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Outlet {
    /// Starts the thread that writes what `subscription` yields.
    pub(crate) fn start(
        name: &'static str,
        subscription: Subscription,
        writer: impl EventWriter,
    ) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let tail = subscription.tail();
        let mut work = Work {
            name,
            subscription,
            writer,
            shared: theirs,
        };
        let thread = thread::Builder::new()
            .name(format!("tracing-genai-{name}"))
            .spawn(move || work.run())?;
        Ok(Self {
            name,
            tail,
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// What it is called in reports.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until everything published before the call is written and synced, or lost; false if `deadline` came first.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        let offered = self.tail.offered();
        let mut state = self.shared.lock();
        state.waiting += 1;
        while state.synced < offered && !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.wait(state, left);
        }
        state.waiting -= 1;
        state.synced >= offered
    }

    /// Ends the thread after what was offered so far; false if it has not ended by `deadline`.
    pub(crate) fn end(&self, deadline: Instant) -> bool {
        self.tail.close();
        let mut state = self.shared.lock();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.wait(state, left);
        }
        drop(state);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
        true
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, left: Duration) -> MutexGuard<'s, State> {
        self.shared
            .changed
            .wait_timeout(state, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// What became of what it was offered.
    pub(crate) fn tally(&self) -> Tally {
        self.shared.books.read()
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.tail.close();
    }
}

struct Work<W> {
    name: &'static str,
    subscription: Subscription,
    writer: W,
    shared: Arc<Shared>,
}

impl<W: EventWriter> Work<W> {
    fn run(&mut self) {
        let mut batch = Vec::new();
        loop {
            let taken = self.take(&mut batch);
            if let Some(taken) = taken {
                self.write(&batch);
                batch.clear();
                self.shared.lock().settled += taken;
            }
            let due = {
                let state = self.shared.lock();
                let now = taken.is_none_or(|taken| taken == 0) || state.waiting > 0;
                now && state.synced < state.settled
            };
            if due {
                self.sync();
            }
            if taken.is_none() {
                break;
            }
        }
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
    }

    /// Reads what there is into `batch`, waiting for the first: for long where everything is synced, else for a while. Says
    /// how many events that settles, missed ones included; `None` at the end.
    fn take(&mut self, batch: &mut Vec<Event>) -> Option<u64> {
        let unsynced = {
            let state = self.shared.lock();
            state.synced < state.settled
        };
        let mut next = if unsynced {
            match self.subscription.recv_timeout(QUIET) {
                Ok(delivery) => Some(delivery),
                Err(RecvError::Timeout) => None,
                Err(RecvError::Closed) => return None,
            }
        } else {
            Some(self.subscription.recv()?)
        };
        let mut taken = 0;
        while let Some(delivery) = next {
            match delivery {
                Delivery::Event(event) => {
                    taken += 1;
                    if !event.replay {
                        self.shared.books.accept(1);
                        batch.push(event);
                    }
                }
                Delivery::Lagged(missed) => {
                    taken += missed;
                    self.shared.books.accept(missed);
                    self.shared.books.lose(Loss::QueueFull, missed);
                }
            }
            if batch.len() >= BATCH {
                break;
            }
            next = self.subscription.try_recv();
        }
        Some(taken)
    }

    fn write(&mut self, batch: &[Event]) {
        if batch.is_empty() {
            return;
        }
        let written = match contain(|| self.writer.write(batch)) {
            Some(Ok(())) => batch.len(),
            Some(Err(error)) => {
                self.say(&error);
                error.written.min(batch.len())
            }
            None => {
                self.say(&WriteError::new("the writer panicked"));
                0
            }
        };
        let books = &self.shared.books;
        books.deliver(written as u64);
        books.lose(Loss::Write, (batch.len() - written) as u64);
    }

    fn sync(&mut self) {
        let settled = self.shared.lock().settled;
        match contain(|| self.writer.sync()) {
            Some(Ok(())) => {}
            Some(Err(error)) => self.say(&error),
            None => self.say(&WriteError::new("the writer panicked")),
        }
        self.shared.lock().synced = settled;
        self.shared.changed.notify_all();
    }

    fn say(&self, error: &WriteError) {
        diagnostics::say_once(
            &format!("outlet {}", self.name),
            format_args!("{}: {error}", self.name),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::SystemTime;

    use super::*;
    use crate::bus::{Bus, Overflow};
    use crate::event::{EventData, EventType};

    struct Slow {
        go: mpsc::Receiver<()>,
        seen: Arc<Mutex<Vec<u64>>>,
    }

    impl EventWriter for Slow {
        fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
            let _ = self.go.recv();
            for (at, event) in events.iter().enumerate() {
                match event.cursor {
                    13 => return Err(WriteError::after(at, "thirteen")),
                    66 => panic!("sixty-six"),
                    cursor => self.seen.lock().unwrap().push(cursor),
                }
            }
            Ok(())
        }
    }

    fn event(cursor: u64) -> Event {
        let mut data = EventData::new(EventType::from_lossy("a.b"), SystemTime::UNIX_EPOCH);
        data.cursor = cursor;
        Event::new(data)
    }

    #[test]
    fn every_event_is_written_lost_with_a_reason_or_pending() {
        let bus = Bus::new();
        let (go, gate) = mpsc::channel();
        let seen = Arc::<Mutex<Vec<u64>>>::default();
        let subscription = bus.subscribe_with(4, Overflow::DropNewest);
        let writer = Slow {
            go: gate,
            seen: Arc::clone(&seen),
        };
        let outlet = Outlet::start("test", subscription, writer).unwrap();
        // The writer is stuck in its first batch, whatever that holds; four more fit.
        bus.publish(event(1));
        while bus.stats().unread > 0 {
            std::thread::yield_now();
        }
        for cursor in 2..=10 {
            bus.publish(event(cursor));
        }
        let mut replayed = event(99).into_data();
        replayed.replay = true;
        bus.publish(Event::new(replayed));
        let soon = Instant::now() + Duration::from_millis(20);
        assert!(!outlet.flush(soon));
        drop(go);
        let later = Instant::now() + Duration::from_secs(20);
        assert!(outlet.flush(later));
        for cursor in [13, 66, 14] {
            bus.publish(event(cursor));
            assert!(outlet.flush(later));
        }
        let tally = outlet.tally();
        assert_eq!(tally.pending, 0);
        assert_eq!(tally.dropped.get(&Loss::Write), Some(&2));
        assert_eq!(tally.dropped.get(&Loss::QueueFull), Some(&6));
        assert_eq!(*seen.lock().unwrap(), [1, 2, 3, 4, 5, 14]);
        assert!(outlet.end(later));
    }
}
