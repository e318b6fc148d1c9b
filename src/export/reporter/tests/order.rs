use super::*;

/// A reporter that takes a time that differs from event to event.
fn slow(log: &Log) -> impl Reporter + use<> {
    let log = log.clone();
    reporter_fn(move |event| {
        let log = log.clone();
        async move {
            let n = number(&event).unsigned_abs();
            tokio::time::sleep(Duration::from_millis(n * 7919 % 97)).await;
            log.write(&event);
            Ok(())
        }
    })
}

#[tokio::test(start_paused = true)]
async fn the_order_of_a_run_is_kept_and_runs_overlap() {
    let log = Log::new();
    let reporting = quiet().reporter(slow(&log)).build().unwrap();
    for n in 0..100 {
        for run in ["a", "b", "c"] {
            reporting.publish(event(run, n));
        }
    }
    settle(&reporting).await;
    let orders = log.orders();
    let all: Vec<i64> = (0..100).collect();
    assert!(
        ["a", "b", "c"].iter().all(|run| orders[*run] == all),
        "{orders:?}"
    );
    // One after another they would take the sum.
    let alone: u64 = (0..100).map(|n| n * 7919 % 97).sum();
    let last = log.read().last().unwrap().0;
    assert!(
        last < u128::from(alone) + 100,
        "{last} ms, one run alone takes {alone} ms"
    );
}

#[tokio::test(start_paused = true)]
async fn pieces_of_a_stream_and_events_of_no_run_overlap() {
    let log = Log::new();
    let seen = log.clone();
    let reporting = quiet()
        .reporter(reporter_fn(move |event| {
            let log = seen.clone();
            async move {
                log.write(&event);
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(())
            }
        }))
        .build()
        .unwrap();
    for n in 0..5 {
        reporting.publish(event_of("llm.call.chunk", "r", n));
        reporting.publish(event_of("order.placed", "", n));
    }
    settle(&reporting).await;
    assert!(
        log.read().iter().all(|(at, ..)| *at == 0),
        "{:?}",
        log.read()
    );
}

#[tokio::test(start_paused = true)]
async fn a_poison_event_delays_no_other_run_and_its_own_only_for_its_attempts() {
    let log = Log::new();
    let seen = log.clone();
    let reporting = quiet()
        .reporter(reporter_fn(move |event| {
            let log = seen.clone();
            async move {
                if number(&event) == 0 && run(&event).starts_with("poison") {
                    return Err(ReportError::transient("never"));
                }
                log.write(&event);
                Ok(())
            }
        }))
        .backoff(exact())
        // More poison than there are places.
        .parallel(2)
        .build()
        .unwrap();
    for n in 0..3 {
        for run in ["poison 1", "poison 2", "poison 3", "healthy"] {
            reporting.publish(event(run, n));
        }
    }
    settle(&reporting).await;
    for (at, run, _) in log.read() {
        assert_eq!(at, if run == "healthy" { 0 } else { 300 }, "{run}");
    }
    assert_eq!(log.read().len(), 3 + 3 * 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_attempts_than_allowed_are_under_way() {
    let counts = Arc::new(Mutex::new((0_usize, 0_usize)));
    let seen = Arc::clone(&counts);
    let reporting = quiet()
        .reporter(reporter_fn(move |_| {
            let counts = Arc::clone(&seen);
            async move {
                {
                    let mut counts = counts.lock().unwrap();
                    counts.0 += 1;
                    counts.1 = counts.1.max(counts.0);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
                counts.lock().unwrap().0 -= 1;
                Ok(())
            }
        }))
        .parallel(3)
        .build()
        .unwrap();
    for n in 0..50 {
        reporting.publish(event(&n.to_string(), n));
    }
    settle(&reporting).await;
    assert_eq!(*counts.lock().unwrap(), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_run_is_completed_by_its_own_end_and_not_by_another_runs() {
    let reporting = quiet()
        .reporter(reporter_fn(|_| async { Ok(()) }))
        .build()
        .unwrap();
    reporting.publish(event_of("workflow.started", "a", 1));
    reporting.publish(event_of("workflow.started", "b", 1));
    reporting.publish(event_of("workflow.completed", "a", 2));
    assert!(!reporting.is_completed("a"), "nothing was posted yet");
    settle(&reporting).await;
    assert!(reporting.is_completed("a"));
    assert!(!reporting.is_completed("b"));
    reporting.publish(event_of("workflow.failed", "b", 2));
    settle(&reporting).await;
    assert!(reporting.is_completed("b"));
    assert!(!reporting.is_completed("c"));
}
