//! A sender's promises: what is tried again and when, what is counted as what, and that deadlines hold.
//!
//! The first part scripts the verdicts and runs on a paused clock; the second sends to a real socket.
#![cfg(feature = "otlp")]
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use support::collector::{Answer, Collector, PATIENCE, closed_address};
use tokio::runtime::{Handle, Runtime};
use tokio::time::Instant;
use tracing_genai::otlp::internal::{
    Backoff, Batch, Cause, Deliver, Sender, SenderOptions, Transport, Verdict, Voice,
};
use tracing_genai::otlp::{OtlpConfig, Protocol, Signal};

const DELIVERED: Verdict = Verdict::Delivered {
    rejected: 0,
    message: None,
};

fn batch(records: u32) -> Batch {
    Batch {
        body: Bytes::from(vec![7; 100]),
        records,
    }
}

fn named(name: u8, records: u32) -> Batch {
    Batch {
        body: Bytes::from(vec![name]),
        records,
    }
}

fn retry() -> Verdict {
    Verdict::Retry {
        after: None,
        cause: Cause::Connection("connection refused".into()),
    }
}

fn retry_after(seconds: u64) -> Verdict {
    let cause = Cause::Http {
        status: 503,
        message: None,
    };
    Verdict::Retry {
        after: Some(Duration::from_secs(seconds)),
        cause,
    }
}

fn refusal(status: u16) -> Cause {
    Cause::Http {
        status,
        message: None,
    }
}

/// Gives verdicts in order, then delivers; keeps when it was asked for what.
#[derive(Default)]
struct Script {
    verdicts: Mutex<VecDeque<Verdict>>,
    after_that: Option<Verdict>,
    takes: Duration,
    tries: Mutex<Vec<(Instant, u8)>>,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Script {
    fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Script {
        Script {
            verdicts: Mutex::new(verdicts.into_iter().collect()),
            ..Script::default()
        }
    }

    fn always(verdict: Verdict) -> Script {
        Script {
            after_that: Some(verdict),
            ..Script::default()
        }
    }

    fn times(&self) -> Vec<Instant> {
        self.tries
            .lock()
            .unwrap()
            .iter()
            .map(|(at, _)| *at)
            .collect()
    }

    fn bodies(&self) -> Vec<u8> {
        self.tries
            .lock()
            .unwrap()
            .iter()
            .map(|(_, body)| *body)
            .collect()
    }
}

impl Deliver for Script {
    async fn deliver(&self, _: Signal, body: Bytes) -> Verdict {
        self.tries.lock().unwrap().push((Instant::now(), body[0]));
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(under_way, Ordering::SeqCst);
        tokio::time::sleep(self.takes).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let next = self.verdicts.lock().unwrap().pop_front();
        next.or_else(|| self.after_that.clone())
            .unwrap_or(DELIVERED)
    }

    fn shown(&self, _: Signal) -> String {
        "http://there".into()
    }
}

struct Rig {
    script: Arc<Script>,
    sender: Sender,
    said: Arc<Mutex<String>>,
}

fn rig(script: Script) -> Rig {
    rig_with(script, Signal::Traces, SenderOptions::default())
}

fn rig_with(script: Script, signal: Signal, options: SenderOptions) -> Rig {
    let script = Arc::new(script);
    let (voice, said) = Voice::captured();
    let options = SenderOptions { voice, ..options };
    let sender = Sender::spawn(&Handle::current(), signal, script.clone(), options, None);
    Rig {
        script,
        sender,
        said,
    }
}

impl Rig {
    fn lines(&self) -> Vec<String> {
        self.said
            .lock()
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

fn within(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn batches_leave_in_order_and_one_at_a_time() {
    let rig = rig(Script {
        takes: Duration::from_millis(10),
        ..Script::of([DELIVERED, retry()])
    });
    for name in 0..5 {
        assert!(rig.sender.enqueue(named(name, 2)));
    }
    assert_eq!(rig.sender.counts().pending, 10);
    assert!(rig.sender.drain(within(60)).await);
    assert_eq!(rig.script.bodies(), [0, 1, 1, 2, 3, 4]);
    assert_eq!(rig.script.most_under_way.load(Ordering::SeqCst), 1);
    let counts = rig.sender.counts();
    assert_eq!(
        (counts.accepted, counts.delivered, counts.pending),
        (10, 10, 0)
    );
    assert_eq!(rig.sender.pending_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn waits_grow_to_thirty_seconds_and_end_after_five_minutes_of_trying() {
    let rig = rig(Script::always(retry()));
    let start = Instant::now();
    rig.sender.enqueue(named(1, 3));
    rig.sender.enqueue(named(2, 4));
    // A drain would restart the series, so this only watches.
    while rig.sender.counts().retry_exhausted == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let counts = rig.sender.counts();
    assert_eq!((counts.retry_exhausted, counts.pending), (3, 4));
    let tried_for = start.elapsed();
    assert!((300..=331).contains(&tried_for.as_secs()), "{tried_for:?}");
    for (n, pair) in rig.script.times().windows(2).enumerate() {
        let bound = Duration::from_millis(500 << n.min(10)).min(Duration::from_secs(30));
        assert!(
            pair[1] - pair[0] <= bound + Duration::from_millis(1),
            "wait {n}: {:?}",
            pair[1] - pair[0]
        );
    }
    assert!(rig.lines()[1].contains("gave up sending 3 records of traces to http://there"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_asked_for_by_the_receiver_is_kept_even_when_someone_drains() {
    let rig = rig(Script::of([retry_after(40), retry_after(7)]));
    rig.sender.enqueue(batch(1));
    while !rig.sender.drain(within(1)).await {}
    let times = rig.script.times();
    for (n, asked) in [40, 7].into_iter().enumerate() {
        let wait = times[n + 1] - times[n];
        assert!(wait >= Duration::from_secs(asked), "{wait:?}");
        assert!(
            wait <= Duration::from_millis(asked * 1000 + 501),
            "{wait:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_five_minutes_gets_one_more_try_after_them() {
    let rig = rig(Script::of([retry_after(300), DELIVERED]));
    rig.sender.enqueue(batch(1));
    assert!(rig.sender.drain(within(400)).await);
    assert_eq!(rig.sender.counts().delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_tries_at_once_and_soon_again_however_long_the_outage_was() {
    let rig = rig(Script::of(std::iter::repeat_n(retry(), 14)));
    rig.sender.enqueue(batch(1));
    // Deep in the series, where waits are up to 30 s.
    while rig.script.times().len() < 12 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let start = Instant::now();
    let drained = rig.sender.drain(within(60));
    assert!(drained.await);
    let times = rig.script.times();
    assert!(
        times[12] - start < Duration::from_millis(2),
        "{:?}",
        times[12] - start
    );
    // Two more tries failed: the series began anew, with bounds of 0.5 s and 1 s.
    assert!(
        start.elapsed() <= Duration::from_millis(1502),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_what_was_there_and_not_for_what_comes_later() {
    let rig = rig(Script {
        takes: Duration::from_secs(1),
        ..Script::default()
    });
    rig.sender.enqueue(batch(1));
    rig.sender.enqueue(batch(1));
    let drain = rig.sender.drain(within(60));
    tokio::pin!(drain);
    // Started, and not done.
    assert!(
        tokio::time::timeout(Duration::from_millis(1500), &mut drain)
            .await
            .is_err()
    );
    for _ in 0..100 {
        rig.sender.enqueue(batch(1));
    }
    let start = Instant::now();
    assert!(drain.await);
    assert!(start.elapsed() <= Duration::from_secs(1));
    assert_eq!(rig.sender.counts().pending, 100);
    assert!(rig.sender.drain(within(1000)).await);
}

#[tokio::test(start_paused = true)]
async fn a_drain_returns_at_its_deadline_and_nothing_is_lost_by_that() {
    let rig = rig(Script {
        takes: Duration::from_secs(10),
        ..Script::default()
    });
    rig.sender.enqueue(batch(3));
    let start = Instant::now();
    assert!(!rig.sender.drain(within(4)).await);
    assert_eq!(start.elapsed().as_secs(), 4);
    assert_eq!(rig.sender.counts().pending, 3);
    assert!(rig.sender.drain(within(60)).await);
    assert_eq!(rig.sender.counts().delivered, 3);
}

#[tokio::test(start_paused = true)]
async fn an_empty_outbox_is_drained_at_once() {
    let rig = rig(Script::default());
    assert!(rig.sender.drain(Instant::now()).await);
    assert!(rig.sender.enqueue(Batch {
        body: Bytes::new(),
        records: 0
    }));
    assert!(rig.sender.drain(Instant::now()).await);
    assert!(
        rig.script.times().is_empty(),
        "an empty request is not sent"
    );
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_the_newest_are_dropped_counted_and_told_once() {
    let options = SenderOptions {
        max_bytes: 1000,
        ..SenderOptions::default()
    };
    let rig = rig_with(Script::always(retry()), Signal::Traces, options);
    let kept = (0..50).filter(|_| rig.sender.enqueue(batch(1))).count();
    assert_eq!(kept, 4, "each takes its 100 bytes and a fixed share");
    let counts = rig.sender.counts();
    assert_eq!((counts.pending, counts.queue_bytes), (4, 46));
    assert!(counts.is_balanced());
    assert_eq!(
        rig.lines(),
        [
            "tracing-genai: 1000 bytes of traces wait for http://there; no more may: the newest are dropped"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_receiver_rejects_or_refuses_is_counted_and_the_next_batch_goes_on() {
    let rig = rig(Script::of([
        Verdict::Delivered {
            rejected: 2,
            message: Some("too\nold".into()),
        },
        Verdict::Drop(refusal(400)),
        Verdict::Drop(Cause::RequestTooLarge(1)),
        Verdict::Drop(refusal(400)),
    ]));
    for _ in 0..5 {
        rig.sender.enqueue(batch(10));
    }
    assert!(rig.sender.drain(within(5)).await);
    let counts = rig.sender.counts();
    assert_eq!((counts.delivered, counts.rejected), (18, 2));
    assert_eq!((counts.http_permanent, counts.too_large), (20, 10));
    assert_eq!(rig.script.times().len(), 5, "one request each");
    assert_eq!(
        rig.lines(),
        [
            "tracing-genai: http://there rejected 2 of 10 traces: too\\nold",
            "tracing-genai: http://there refused 10 records of traces: HTTP 400; they are dropped",
            "tracing-genai: http://there refused 10 records of traces: the request has 1 bytes, above the \
             limit of 64 MiB; they are dropped",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_signal_is_said_once_and_not_sent_any_more() {
    let script = Script::of([Verdict::Refused(refusal(405))]);
    let rig = rig_with(script, Signal::Metrics, SenderOptions::default());
    for _ in 0..3 {
        rig.sender.enqueue(batch(5));
    }
    assert!(rig.sender.drain(within(5)).await);
    assert!(!rig.sender.enqueue(batch(5)));
    assert!(rig.sender.drain(within(5)).await);
    let counts = rig.sender.counts();
    assert_eq!((counts.refused_signal, counts.pending), (20, 0));
    assert!(counts.is_balanced());
    assert_eq!(rig.script.times().len(), 1);
    assert_eq!(
        rig.lines(),
        ["tracing-genai: http://there does not take metrics: HTTP 405; they are not sent any more"]
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_at_its_start_and_at_its_end_with_what_it_cost() {
    let options = SenderOptions {
        max_bytes: 500,
        ..SenderOptions::default()
    };
    let rig = rig_with(
        Script::of([retry(), retry(), retry()]),
        Signal::Traces,
        options,
    );
    rig.sender.enqueue(batch(1));
    tokio::task::yield_now().await;
    rig.sender.enqueue(batch(1));
    rig.sender.enqueue(batch(6));
    assert!(rig.sender.drain(within(100)).await);
    assert_eq!(
        rig.lines(),
        [
            "tracing-genai: traces do not reach http://there: connection refused; trying again, up to \
             500 bytes may wait",
            "tracing-genai: 500 bytes of traces wait for http://there; no more may: the newest are dropped",
            "tracing-genai: traces reach http://there again; 6 records were lost meanwhile",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_sends_what_waits_and_counts_the_rest_when_its_time_is_over() {
    let rig = rig(Script {
        takes: Duration::from_secs(3),
        ..Script::default()
    });
    for _ in 0..4 {
        rig.sender.enqueue(batch(10));
    }
    let start = Instant::now();
    let counts = rig.sender.shutdown(within(5)).await;
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(
        (counts.delivered, counts.shutdown_timeout, counts.pending),
        (10, 30, 0)
    );
    assert!(!rig.sender.enqueue(batch(1)));
    let later = rig.sender.counts();
    assert_eq!(later.after_shutdown, 1);
    assert!(later.is_balanced());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        rig.sender.counts(),
        later,
        "what was under way is not counted twice"
    );
    assert_eq!(
        rig.lines(),
        [
            "tracing-genai: shut down before 30 records of traces reached http://there; they are lost"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn shutdown_keeps_its_deadline_while_a_receiver_asks_to_wait_longer() {
    let rig = rig(Script::of([retry_after(200)]));
    rig.sender.enqueue(batch(10));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    let counts = rig.sender.shutdown(within(5)).await;
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(counts.shutdown_timeout, 10);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_with_nothing_to_send_returns_at_once_and_may_be_repeated() {
    let rig = rig(Script::default());
    let start = Instant::now();
    rig.sender.shutdown(within(5)).await;
    rig.sender.shutdown(within(5)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(rig.lines().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_dropped_says_what_it_leaves_behind() {
    let Rig { sender, said, .. } = rig(Script::always(retry()));
    sender.enqueue(batch(10));
    drop(sender);
    assert!(said.lock().unwrap().contains("shut down before 10 records"));
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        6 => Just(DELIVERED),
        2 => (0_u64..20).prop_map(|rejected| Verdict::Delivered { rejected, message: None }),
        4 => Just(retry()),
        2 => (0_u64..300).prop_map(retry_after),
        1 => Just(Verdict::Drop(refusal(500))),
        1 => Just(Verdict::Drop(Cause::RequestTooLarge(9))),
        1 => Just(Verdict::Refused(refusal(404))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_account_balances_under_any_verdicts_waits_and_deadlines(
        verdicts in proptest::collection::vec(verdict(), 0..40),
        steps in proptest::collection::vec((1_u32..20, 0_u64..90), 1..30),
        give_up in 0_u64..400,
        deadline in 0_u64..200,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let options = SenderOptions {
                max_bytes: 1500,
                give_up_after: Duration::from_secs(give_up),
                ..SenderOptions::default()
            };
            let rig = rig_with(Script::of(verdicts), Signal::Logs, options);
            let mut handed_over = 0;
            for (records, pause) in steps {
                rig.sender.enqueue(batch(records));
                handed_over += u64::from(records);
                tokio::time::sleep(Duration::from_secs(pause)).await;
                let counts = rig.sender.counts();
                assert!(counts.is_balanced(), "{counts:?}");
                assert_eq!(counts.accepted, handed_over);
            }
            let counts = rig.sender.shutdown(within(deadline)).await;
            assert!(counts.is_balanced() && counts.pending == 0, "{counts:?}");
            assert_eq!(counts.accepted, handed_over);
        });
    }
}

// === against a real socket ===

/// A sender as the telemetry thread runs it: the test's own thread is free to wait.
struct Live {
    runtime: Runtime,
    sender: Sender,
    said: Arc<Mutex<String>>,
}

fn live(config: OtlpConfig) -> Live {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let transport = Transport::new(&config.resolve(&|_| None).unwrap().unwrap()).unwrap();
    let (voice, said) = Voice::captured();
    let backoff = Backoff {
        initial: Duration::from_millis(20),
        max: Duration::from_millis(100),
    };
    let options = SenderOptions {
        voice,
        backoff,
        ..SenderOptions::default()
    };
    let sender = Sender::spawn(
        runtime.handle(),
        Signal::Traces,
        Arc::new(transport),
        options,
        None,
    );
    Live {
        runtime,
        sender,
        said,
    }
}

impl Live {
    fn drain(&self, within: Duration) -> bool {
        self.runtime
            .block_on(async { self.sender.drain(Instant::now() + within).await })
    }
}

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

fn to(collector: &Collector, protocol: Protocol) -> OtlpConfig {
    OtlpConfig::new()
        .endpoint(collector.endpoint())
        .protocol(protocol)
}

#[test]
fn everything_sent_while_the_collector_was_away_arrives_when_it_is_back() {
    for protocol in BOTH {
        let address = closed_address();
        let live = live(
            OtlpConfig::new()
                .endpoint(format!("http://{address}"))
                .protocol(protocol),
        );
        for name in 0..20 {
            assert!(live.sender.enqueue(named(name, 5)));
        }
        assert!(!live.drain(Duration::from_millis(200)));
        assert_eq!(live.sender.counts().pending, 100);
        let collector = Collector::start_at(address);
        assert!(live.drain(PATIENCE));
        assert_eq!(live.sender.counts().delivered, 100);
        let bodies: Vec<u8> = collector
            .requests()
            .iter()
            .map(|request| request.body[0])
            .collect();
        assert_eq!(bodies, (0..20).collect::<Vec<u8>>());
        let said = live.said.lock().unwrap();
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].contains("do not reach") && lines[0].contains("refused"),
            "{}",
            lines[0]
        );
        assert!(
            lines[1].ends_with("again; nothing was lost"),
            "{}",
            lines[1]
        );
    }
}

#[test]
fn a_permanent_error_costs_one_request_and_the_next_batch_arrives() {
    for protocol in BOTH {
        let collector = Collector::start();
        let live = live(to(&collector, protocol));
        for status in [400, 401, 413, 500] {
            collector.answer(Answer::status(status));
            live.sender.enqueue(named(1, 5));
        }
        live.sender.enqueue(named(2, 5));
        assert!(live.drain(PATIENCE));
        let counts = live.sender.counts();
        assert_eq!((counts.http_permanent, counts.delivered), (20, 5));
        assert_eq!(collector.requests().len(), 5);
    }
}

#[test]
fn retry_after_is_kept_to_the_second() {
    for status in [429, 503] {
        let collector = Collector::start();
        collector.answer(Answer::with(status, &[("retry-after", "1")], ""));
        let live = live(to(&collector, Protocol::HttpProtobuf));
        live.sender.enqueue(named(1, 5));
        assert!(live.drain(PATIENCE));
        let requests = collector.requests();
        assert_eq!(requests.len(), 2);
        assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
        assert_eq!(live.sender.counts().delivered, 5);
    }
}

#[test]
fn a_hanging_collector_is_given_up_at_the_timeout_while_a_drain_keeps_its_own_deadline() {
    for protocol in BOTH {
        let collector = Collector::start();
        collector.always(Signal::Traces, Answer::Hang);
        let live = live(to(&collector, protocol).timeout(Duration::from_millis(150)));
        live.sender.enqueue(named(1, 5));
        let start = std::time::Instant::now();
        assert!(!live.drain(Duration::from_millis(400)));
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
        collector.wait_for_requests(2);
        collector.heal();
        assert!(live.drain(PATIENCE));
        assert_eq!(live.sender.counts().delivered, 5);
    }
}

#[test]
fn a_hanging_collector_does_not_hold_up_shutdown() {
    for protocol in BOTH {
        let collector = Collector::start();
        collector.always(Signal::Traces, Answer::Hang);
        let live = live(to(&collector, protocol));
        live.sender.enqueue(named(1, 5));
        collector.wait_for_requests(1);
        let start = std::time::Instant::now();
        let deadline = Duration::from_millis(200);
        let counts = live
            .runtime
            .block_on(async { live.sender.shutdown(Instant::now() + deadline).await });
        assert!(
            start.elapsed() < Duration::from_secs(2),
            "{:?}",
            start.elapsed()
        );
        assert_eq!((counts.shutdown_timeout, counts.pending), (5, 0));
    }
}

#[test]
fn a_batch_whose_acknowledgement_was_lost_is_sent_again_unchanged() {
    for protocol in BOTH {
        for fault in [Answer::ResetUnread, Answer::ResetRead] {
            let collector = Collector::start();
            collector.answer(fault);
            let live = live(to(&collector, protocol));
            live.sender.enqueue(batch(5));
            assert!(live.drain(PATIENCE));
            let requests = collector.requests();
            assert_eq!(requests.len(), 2);
            assert_eq!(requests[1].body, batch(5).body);
            assert_eq!(live.sender.counts().delivered, 5);
        }
    }
}

#[test]
fn a_slow_collector_is_waited_for() {
    for protocol in BOTH {
        let collector = Collector::start();
        let slow = Answer::Slow(Duration::from_millis(150), Box::new(Answer::Ok));
        collector.always(Signal::Traces, slow);
        let live = live(to(&collector, protocol));
        live.sender.enqueue(named(1, 2));
        live.sender.enqueue(named(2, 2));
        assert!(live.drain(PATIENCE));
        assert_eq!(live.sender.counts().delivered, 4);
        assert_eq!(collector.requests().len(), 2);
    }
}
