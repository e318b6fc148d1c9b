use super::*;
use crate::stats::Loss;

#[tokio::test(start_paused = true)]
async fn three_attempts_in_all_at_0_100_and_300_ms() {
    let log = Log::new();
    let seen = log.clone();
    let reporting = quiet()
        .reporter(reporter_fn(move |event| {
            seen.write(&event);
            async { Err(ReportError::transient("away")) }
        }))
        .backoff(exact())
        .build()
        .unwrap();
    reporting.publish(event("r", 1));
    settle(&reporting).await;
    let times: Vec<_> = log.read().into_iter().map(|(at, ..)| at).collect();
    assert_eq!(times, [0, 100, 300]);
    assert_eq!(
        reporting.stats().dropped.get(&Loss::RetryExhausted),
        Some(&1)
    );
}

#[tokio::test(start_paused = true)]
async fn chance_moves_each_wait_by_15_per_cent_at_most() {
    for _ in 0..50 {
        let log = Log::new();
        let seen = log.clone();
        let reporting = quiet()
            .reporter(reporter_fn(move |event| {
                seen.write(&event);
                async { Err(ReportError::transient("away")) }
            }))
            .build()
            .unwrap();
        reporting.publish(event("r", 1));
        settle(&reporting).await;
        let times: Vec<_> = log.read().into_iter().map(|(at, ..)| at).collect();
        assert!((85..=117).contains(&times[1]), "{times:?}");
        assert!((170..=232).contains(&(times[2] - times[1])), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_succeeds_late_is_delivered_and_the_rest_of_its_run_has_waited_for_it() {
    let log = Log::new();
    let seen = log.clone();
    let reporting = quiet()
        .reporter(reporter_fn(move |event| {
            seen.write(&event);
            let again = seen.read().iter().filter(|(.., n)| *n == 1).count() < 3;
            async move {
                if number(&event) == 1 && again {
                    return Err(ReportError::transient("away"));
                }
                Ok(())
            }
        }))
        .backoff(exact())
        .build()
        .unwrap();
    reporting.publish(event("r", 1));
    reporting.publish(event("r", 2));
    settle(&reporting).await;
    let log: Vec<_> = log.read().into_iter().map(|(at, _, n)| (at, n)).collect();
    assert_eq!(log, [(0, 1), (100, 1), (300, 1), (300, 2)]);
    assert!(reporting.stats().is_complete());
}

#[tokio::test(start_paused = true)]
async fn what_the_receiver_asks_for_is_waited_and_five_minutes_at_most() {
    for (asked, waited) in [
        (Duration::from_millis(1), 100),
        (Duration::from_secs(7), 7_000),
        (Duration::from_secs(86_400), 300_000),
    ] {
        let log = Log::new();
        let seen = log.clone();
        let reporting = quiet()
            .reporter(reporter_fn(move |event| {
                seen.write(&event);
                async move { Err(ReportError::transient_after(asked, "slow down")) }
            }))
            .backoff(exact())
            .max_attempts(2)
            .build()
            .unwrap();
        reporting.publish(event("r", 1));
        settle(&reporting).await;
        assert_eq!(log.read()[1].0, waited);
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_not_tried_again_and_told_in_one_line_without_content() {
    let (voice, said) = Voice::captured();
    let log = Log::new();
    let seen = log.clone();
    let reporting = Reporting::builder()
        .voice(voice)
        .name("langwatch")
        .reporter(reporter_fn(move |event| {
            seen.write(&event);
            let audio = "UklG".repeat(100);
            async move { Err(ReportError::permanent(format!("bad shape of {audio}"))) }
        }))
        .build()
        .unwrap();
    let mut data = event("r", 1).into_data();
    data.body = Some("CANARY".into());
    reporting.publish(data);
    settle(&reporting).await;
    assert_eq!(log.read().len(), 1);
    assert_eq!(reporting.stats().dropped.get(&Loss::Permanent), Some(&1));
    let said = said.lock().unwrap().clone();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(
            "langwatch: an event is dropped, permanent: bad shape of <400 b64 chars elided>"
        ),
        "{said}"
    );
    assert!(
        said.contains("workflow.step") && !said.contains("CANARY"),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn many_losses_of_a_kind_are_one_line_a_minute_with_their_number() {
    let (voice, said) = Voice::captured();
    let reporting = Reporting::builder()
        .voice(voice)
        .reporter(reporter_fn(|_| async { Err(ReportError::permanent("no")) }))
        .build()
        .unwrap();
    for n in 0..1000 {
        reporting.publish(event(&n.to_string(), n));
    }
    settle(&reporting).await;
    assert_eq!(said.lock().unwrap().lines().count(), 1);
    assert_eq!(reporting.stats().dropped.get(&Loss::Permanent), Some(&1000));
}

#[tokio::test(start_paused = true)]
async fn a_reporter_that_panics_or_never_ends_costs_the_events_it_had() {
    let log = Log::new();
    let seen = log.clone();
    let reporting = quiet()
        .reporter(reporter_fn(move |event| {
            seen.write(&event);
            async move {
                match number(&event) {
                    1 => panic!("a bug of the reporter"),
                    2 => std::future::pending().await,
                    _ => Ok(()),
                }
            }
        }))
        .backoff(exact())
        .build()
        .unwrap();
    for n in 1..=3 {
        reporting.publish(event("r", n));
    }
    settle(&reporting).await;
    let tally = reporting.stats();
    assert_eq!(tally.delivered, 1);
    assert_eq!(tally.dropped.get(&Loss::Hook), Some(&1));
    assert_eq!(tally.dropped.get(&Loss::RetryExhausted), Some(&1));
    let log: Vec<_> = log.read().into_iter().map(|(at, _, n)| (at, n)).collect();
    // Three attempts of ten seconds each, and the waits between them.
    assert_eq!(log, [(0, 1), (0, 2), (10_100, 2), (20_300, 2), (30_300, 3)]);
}
