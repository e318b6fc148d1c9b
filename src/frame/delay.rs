//! Waiting for a point in time under any executor, or none.
//!
//! Owns one thread, which runs while somebody waits and ends when nobody does.
//! Promise: wakes no earlier than asked; a delay that is dropped holds on to nothing but its place in the queue.
//! Never: calls a waker with a lock held.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

/// A future that is ready from a point in time on.
#[derive(Debug)]
pub(super) struct Delay(Arc<Slot>);

#[derive(Debug)]
struct Slot {
    due: Instant,
    waker: Mutex<Option<Waker>>,
}

impl Slot {
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delay {
    /// `None` if the system has no thread left to wait on.
    pub(super) fn until(due: Instant) -> Option<Self> {
        let waker = Mutex::default();
        let slot = Arc::new(Slot { due, waker });
        TIMER.add(Arc::clone(&slot)).ok()?;
        Some(Self(slot))
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Cloning and dropping wakers is user code, so both happen outside the lock.
        let waker = cx.waker().clone();
        let replaced = self.0.waker().replace(waker);
        drop(replaced);
        // Looked at after the waker is in its place: the thread looks in the other order.
        if Instant::now() < self.0.due {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        let waker = self.0.waker().take();
        drop(waker);
    }
}

static TIMER: Timer = Timer::new();

struct Timer {
    queue: Mutex<Queue>,
    added: Condvar,
}

struct Queue {
    waiting: BinaryHeap<Reverse<Entry>>,
    running: bool,
}

struct Entry(Arc<Slot>);

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.due.cmp(&other.0.due)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.0.due == other.0.due
    }
}

impl Eq for Entry {}

impl Timer {
    const fn new() -> Self {
        Self {
            queue: Mutex::new(Queue {
                waiting: BinaryHeap::new(),
                running: false,
            }),
            added: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&'static self, slot: Arc<Slot>) -> std::io::Result<()> {
        let mut queue = self.lock();
        if !queue.running {
            thread::Builder::new()
                .name("tracing-genai-timer".to_owned())
                .spawn(|| self.run())?;
            queue.running = true;
        }
        queue.waiting.push(Reverse(Entry(slot)));
        drop(queue);
        self.added.notify_one();
        Ok(())
    }

    fn run(&self) {
        let mut queue = self.lock();
        loop {
            let Some(Reverse(Entry(next))) = queue.waiting.peek() else {
                queue.running = false;
                return;
            };
            let left = next.due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let due = queue.waiting.pop();
                drop(queue);
                if let Some(Reverse(Entry(slot))) = due {
                    wake(&slot);
                }
                queue = self.lock();
            } else {
                queue = self
                    .added
                    .wait_timeout(queue, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }
}

/// A waker is somebody else's code: its panic ends here.
fn wake(slot: &Slot) {
    let waker = slot.waker().take();
    if let Some(waker) = waker
        && let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
    {
        // Dropping the payload could panic again.
        std::mem::forget(payload);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn no_delay_ends_early_and_no_executor_has_to_have_a_timer() {
        let now = Instant::now();
        // The later one is asked for first, and a dropped one is nobody's.
        let delays = [60, 30, 5].map(|ms| {
            let due = now + Duration::from_millis(ms);
            (due, Delay::until(due).unwrap())
        });
        drop(Delay::until(now + Duration::from_millis(1)));
        block_on(async {
            let [a, b, c] = delays.map(|(due, delay)| async move {
                delay.await;
                assert!(Instant::now() >= due);
            });
            futures_util::future::join3(a, b, c).await;
        });
    }

    #[test]
    fn who_waits_for_the_earliest_is_woken_first() {
        struct Note(u64, Arc<Mutex<Vec<u64>>>);
        impl std::task::Wake for Note {
            fn wake(self: Arc<Self>) {
                self.1.lock().unwrap().push(self.0);
            }
        }
        let woken = Arc::<Mutex<Vec<u64>>>::default();
        let timer = Timer::new();
        let now = Instant::now();
        for ms in [3, 2, 0, 1] {
            let waker = Waker::from(Arc::new(Note(ms, Arc::clone(&woken))));
            let slot = Slot {
                due: now + Duration::from_millis(ms),
                waker: Mutex::new(Some(waker)),
            };
            timer.lock().waiting.push(Reverse(Entry(Arc::new(slot))));
        }
        timer.run();
        assert_eq!(*woken.lock().unwrap(), [0, 1, 2, 3]);
    }
}
