use proptest::prelude::*;

use super::*;
use crate::stats::{Loss, Tally};

/// What the reporter says to the attempts of an event, one after another.
#[derive(Debug, Clone, Copy)]
enum Said {
    Ok,
    Skipped,
    Permanent,
    Transient,
    Panic,
    Never,
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        6 => Just(Said::Ok),
        1 => Just(Said::Skipped),
        1 => Just(Said::Permanent),
        4 => Just(Said::Transient),
        1 => Just(Said::Panic),
        1 => Just(Said::Never),
    ]
}

fn balances(tally: &Tally) {
    assert_eq!(
        tally.accepted,
        tally.delivered + tally.rejected + tally.total_dropped() + tally.pending,
        "{tally:?}"
    );
}

/// What should become of an event with these answers.
fn expected(script: &[Said]) -> Result<bool, Loss> {
    for said in script.iter().take(3) {
        match said {
            Said::Ok => return Ok(true),
            Said::Skipped => return Ok(false),
            Said::Permanent => return Err(Loss::Permanent),
            Said::Panic => return Err(Loss::Hook),
            Said::Transient | Said::Never => {}
        }
    }
    Err(Loss::RetryExhausted)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_account_balances_at_any_time_and_is_right_in_the_end(
        events in proptest::collection::vec((0_u8..5, proptest::collection::vec(said(), 3)), 1..60),
        room in 10_usize..80,
        parallel in 1_usize..5,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let scripts: Vec<_> = events.iter().map(|(_, script)| script.clone()).collect();
            let attempts = Mutex::new(vec![0_usize; events.len()]);
            let log = Log::new();
            let seen = log.clone();
            let reporting = quiet()
                .reporter(reporter_fn(move |event| {
                    let at = usize::try_from(number(&event)).unwrap();
                    let attempt = {
                        let mut attempts = attempts.lock().unwrap();
                        attempts[at] += 1;
                        attempts[at] - 1
                    };
                    seen.write(&event);
                    let said = scripts[at].get(attempt).copied();
                    async move {
                        tokio::time::sleep(Duration::from_millis(3)).await;
                        match said {
                            Some(Said::Ok) => Ok(()),
                            Some(Said::Skipped) => Err(ReportError::Skipped),
                            Some(Said::Permanent) => Err(ReportError::permanent("no")),
                            Some(Said::Transient) => Err(ReportError::transient("later")),
                            Some(Said::Panic) => panic!("a bug"),
                            Some(Said::Never) => std::future::pending().await,
                            None => panic!("tried more often than allowed"),
                        }
                    }
                }))
                .queue_events(room)
                .parallel(parallel)
                .build()
                .unwrap();
            let mut fates = BTreeMap::<Option<Loss>, u64>::new();
            let mut skipped = 0;
            for (n, (run, script)) in events.iter().enumerate() {
                let before = reporting.stats();
                reporting.publish(event(&run.to_string(), i64::try_from(n).unwrap()));
                let fate = if before.pending as usize >= room { Err(Loss::QueueFull) } else { expected(script) };
                match fate {
                    Ok(true) => *fates.entry(None).or_default() += 1,
                    Ok(false) => skipped += 1,
                    Err(why) => *fates.entry(Some(why)).or_default() += 1,
                }
                balances(&reporting.stats());
            }
            let worker = Arc::clone(reporting.worker());
            worker.queue.enter(Stage::Listening);
            tokio::spawn(Arc::clone(&worker).run());
            while reporting.stats().pending > 0 {
                balances(&reporting.stats());
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            let tally = reporting.stats();
            balances(&tally);
            assert_eq!(tally.delivered, fates.remove(&None).unwrap_or(0));
            assert_eq!(tally.rejected, skipped);
            let fates: BTreeMap<_, _> = fates.into_iter().filter_map(|(why, n)| Some((why?, n))).collect();
            assert_eq!(tally.dropped, fates);
            for (run, order) in log.orders() {
                assert!(order.is_sorted(), "run {run}: {order:?}");
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_finds_the_queue_full_is_dropped_the_newest_and_counted_by_events_and_bytes() {
    let log = Log::new();
    let seen = log.clone();
    let post = reporter_fn(move |event| {
        seen.write(&event);
        async { Ok(()) }
    });
    let (voice, said) = Voice::captured();
    let reporting = Reporting::builder()
        .voice(voice)
        .reporter(post)
        .queue_events(3)
        .queue_bytes(64 * 1024)
        .build()
        .unwrap();
    for n in 0..5 {
        reporting.publish(event("r", n));
    }
    let mut large = event("r", 5).into_data();
    large.body = Some("x".repeat(100_000).into());
    reporting.publish(large.clone());
    let tally = reporting.stats();
    balances(&tally);
    assert_eq!((tally.accepted, tally.pending), (6, 3));
    assert_eq!(
        tally.dropped,
        BTreeMap::from([(Loss::QueueFull, 2), (Loss::TooLarge, 1)])
    );
    settle(&reporting).await;
    assert_eq!(log.orders()["r"], [0, 1, 2]);

    let worker = Arc::clone(reporting.worker());
    worker.queue.enter(Stage::Closing);
    large.body = Some("x".repeat(40_000).into());
    reporting.publish(event("r", 6));
    assert_eq!(reporting.stats().dropped[&Loss::AfterShutdown], 1);
    // One line for each reason.
    assert_eq!(
        said.lock().unwrap().lines().count(),
        3,
        "{}",
        said.lock().unwrap()
    );
}

#[tokio::test(start_paused = true)]
async fn bytes_of_settled_events_make_room_again() {
    let reporting = quiet()
        .reporter(reporter_fn(|_| async { Ok(()) }))
        .queue_bytes(64 * 1024)
        .build()
        .unwrap();
    let mut large = event("r", 5).into_data();
    large.body = Some("x".repeat(40_000).into());
    for _ in 0..3 {
        reporting.publish(large.clone());
        reporting.publish(large.clone());
        settle(&reporting).await;
    }
    let tally = reporting.stats();
    assert_eq!(tally.delivered, 3);
    assert_eq!(tally.dropped, BTreeMap::from([(Loss::QueueBytes, 3)]));
}

#[tokio::test(start_paused = true)]
async fn events_are_posted_with_the_time_and_the_id_they_came_with() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&got);
    let reporting = quiet()
        .reporter(reporter_fn(move |event| {
            seen.lock().unwrap().push(event);
            async { Ok(()) }
        }))
        .build()
        .unwrap();
    let given = event("r", 1);
    reporting.publish(given.clone());
    settle(&reporting).await;
    assert_eq!(*got.lock().unwrap(), [given]);
}
