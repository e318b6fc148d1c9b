//! What a span costs the application's thread, ours and the peers' in one process.
//!
//! Prints criterion's statistics for one thread, then a table of medians for one and two threads with allocations. Every
//! competitor runs in three rounds by turns, so that a slow minute of the machine is nobody's alone.
//!
//! `cargo bench --bench span -- --table` prints the table alone.

use std::time::Duration;

use criterion::{Criterion, Throughput};
use tracing::dispatcher;
use tracing_genai_peers::competitors::{ALL, Competitor, Entry, REFERENCE, ours, registry};
use tracing_genai_peers::measure::{self, Cost, median};
use tracing_genai_peers::{allocations, workload};

const ROUNDS: usize = 3;
const BATCHES: usize = 200;

fn main() {
    if !std::env::args().any(|arg| arg == "--table") {
        let mut criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2))
            .sample_size(30)
            .configure_from_args();
        statistics(&mut criterion);
        criterion.final_summary();
    }
    table();
    unrelated();
}

fn statistics(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("agent run of 13 spans");
    group.throughput(Throughput::Elements(workload::SPANS));
    for (name, make) in ALL {
        let competitor = make();
        group.bench_function(name, |bencher| {
            dispatcher::with_default(&competitor.dispatch, || {
                bencher.iter_custom(|n| elapsed(n, &competitor));
            });
        });
    }
    group.finish();
}

/// Time of `n` runs, in batches between which the consumer catches up untimed.
fn elapsed(n: u64, competitor: &Competitor) -> Duration {
    let batches = (0..n).step_by(measure::BATCH as usize);
    let times = batches.map(|done| {
        let took = measure::timed((n - done).min(measure::BATCH), competitor.run);
        (competitor.settle)();
        took
    });
    times.sum()
}

fn cost(competitor: &Competitor, threads: usize) -> Cost {
    measure::cost(
        &competitor.dispatch,
        threads,
        BATCHES,
        competitor.run,
        &competitor.settle,
        allocations::count,
    )
}

/// The median of the rounds' medians, by entry, for each number of threads.
fn rounds<const N: usize>(entries: &[Entry], threads: [usize; N]) -> Vec<[Cost; N]> {
    let mut all: Vec<Vec<[Cost; N]>> = vec![Vec::new(); entries.len()];
    for _ in 0..ROUNDS {
        for (costs, (_, make)) in all.iter_mut().zip(entries) {
            costs.push(threads.map(|threads| cost(&make(), threads)));
        }
    }
    let middle = |rounds: &Vec<[Cost; N]>| {
        std::array::from_fn(|n| Cost {
            nanos: median(rounds.iter().map(|r| r[n].nanos).collect()),
            allocations: median(rounds.iter().map(|r| r[n].allocations).collect()),
        })
    };
    all.iter().map(middle).collect()
}

fn table() {
    let spans = workload::SPANS as f64;
    let costs = rounds(&ALL, [1, 2]);
    let reference = ALL.iter().position(|(name, _)| *name == REFERENCE);
    let reference = reference.map(|at| costs[at]).expect("it is in the list");
    println!(
        "\nper span, on the application's thread   1 thread  ratio   2 threads  ratio   allocations"
    );
    for ((name, _), [one, two]) in ALL.iter().zip(costs) {
        println!(
            "{name:38} {:8.0} ns  {:5.2}  {:8.0} ns  {:5.2}  {:12.2}",
            one.nanos / spans,
            one.nanos / reference[0].nanos,
            two.nanos / spans,
            two.nanos / reference[1].nanos,
            one.allocations / spans,
        );
    }
}

/// Spans that have nothing to do with GenAI, where only GenAI is wanted.
fn unrelated() {
    let plain = |competitor: Competitor| Competitor {
        run: workload::plain_run,
        ..competitor
    };
    let entries: [Entry; 2] = [
        ("registry alone", registry),
        ("tracing-genai, genai_only", || ours(|b| b.genai_only())),
    ];
    let mut nanos = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (nanos, (_, make)) in nanos.iter_mut().zip(entries) {
            nanos.push(cost(&plain(make()), 1).nanos / workload::PLAIN_SPANS as f64);
        }
    }
    println!("\nper span without GenAI in or around it");
    for ((name, _), nanos) in entries.iter().zip(nanos) {
        println!("{name:38} {:8.0} ns", median(nanos));
    }
}
