//! The measuring loop: batches on one or more threads, timed on each thread, with a pause between two batches in which the
//! consumer catches up untimed.
//!
//! A batch stays below the 2,048 spans that the OpenTelemetry SDK queues by default, so nobody drops, because dropping is
//! cheaper than recording.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use tracing::Dispatch;

/// Runs in a batch, on each thread.
pub const BATCH: u64 = 40;

/// What one competitor cost a thread of the application.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Nanoseconds a run, the median of all batches.
    pub nanos: f64,
    /// Allocations a run.
    pub allocations: f64,
}

/// Runs `run` under `dispatch` on `threads` threads, `batches` times [`BATCH`] times each, calling `settle` after every
/// batch. `allocations` runs what it is given and says how many allocations that made on its thread.
pub fn cost(
    dispatch: &Dispatch,
    threads: usize,
    batches: usize,
    run: fn(),
    settle: &(dyn Fn() + Sync),
    allocations: fn(&mut dyn FnMut()) -> u64,
) -> Cost {
    let barrier = Barrier::new(threads);
    let warm = batches / 4 + 2;
    let counted = batches / 10 + 1;
    let work = |leads: bool| {
        tracing::dispatcher::with_default(dispatch, || {
            let mut nanos = Vec::with_capacity(batches);
            let mut allocated = 0;
            for batch in 0..warm + batches + counted {
                barrier.wait();
                if batch < warm + batches {
                    let took = timed(BATCH, run);
                    if batch >= warm {
                        nanos.push(took.as_nanos() as f64);
                    }
                } else {
                    allocated += allocations(&mut || (0..BATCH).for_each(|_| run()));
                }
                barrier.wait();
                if leads {
                    settle();
                }
            }
            (nanos, allocated)
        })
    };
    let per_thread: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|n| scope.spawn(move || work(n == 0)))
            .collect();
        handles.into_iter().filter_map(|h| h.join().ok()).collect()
    });
    let allocated: u64 = per_thread.iter().map(|(_, made)| made).sum();
    let nanos = per_thread.into_iter().flat_map(|(nanos, _)| nanos);
    Cost {
        nanos: median(nanos.collect()) / BATCH as f64,
        allocations: allocated as f64 / (BATCH as usize * threads * counted) as f64,
    }
}

/// Time of `n` runs on this thread.
pub fn timed(n: u64, run: fn()) -> Duration {
    let begun = Instant::now();
    for _ in 0..n {
        run();
    }
    begun.elapsed()
}

/// The middle one.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
