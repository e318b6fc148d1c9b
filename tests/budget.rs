//! Budgets: every call counts once for whom it belongs to, limits are told once, and who waits is woken.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::sync::mpsc;
use std::time::Duration;

use support::waiting::{DEADLINE, block_on, within};
use tracing_genai::budget::{Budget, BudgetClosed, BudgetError, BudgetExceeded, BudgetWarned};
use tracing_genai::budget::{Limit, Watch};
use tracing_genai::enrich::Usd;
use tracing_genai::event::{Event, Level, Usage};
use tracing_genai::monitor::Verdict;
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{ConfigError, Telemetry, agent, chat, event_types, scope, step, tool};
use tracing_subscriber::prelude::*;

/// A call of `tokens` tokens that costs `dollars`.
fn call(tokens: u64, dollars: f64) {
    let call = chat("openai", "m").start();
    call.usage(Usage::new().input(tokens).output(0))
        .cost_usd(dollars)
        .complete();
}

/// A call in a session.
fn call_in(session: &str, tokens: u64) {
    scope([("session.id", session)]).in_scope(|| call(tokens, 0.01));
}

fn watch(capture: &Capture, budget: Budget) -> Watch {
    capture.telemetry().budgets().watch(budget).unwrap()
}

fn told(capture: &Capture) -> Vec<Event> {
    let mut events = capture.events();
    events.retain(|event| event.ty.to_string().starts_with("budget."));
    events
}

fn told_types(capture: &Capture) -> Vec<String> {
    told(capture).iter().map(|e| e.ty.to_string()).collect()
}

fn spent(capture: &Capture, watch: &Watch) -> (u64, u64) {
    capture.flush();
    (watch.spent().calls, watch.spent().tokens())
}

fn plain() -> tracing_genai::TelemetryBuilder {
    Telemetry::builder("test").environment(|_| None)
}

fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, f)
}

// === what is told ===

#[test]
fn a_warning_is_told_once_at_its_fraction_and_an_alert_once_at_the_limit_in_the_span_of_the_call() {
    let capture = capture();
    let watch = watch(&capture, Budget::session("s1").tokens(100).warn_at(0.5));
    capture.record(|| {
        for _ in 0..4 {
            call_in("s1", 30);
        }
        call_in("s1", 500);
    });
    let told = told(&capture);
    assert_eq!(told_types(&capture), ["budget.warned", "budget.exceeded"]);
    let levels: Vec<_> = told.iter().map(|e| (e.level, e.channel.as_str())).collect();
    assert_eq!(levels, [(Level::Warn, "LLM"), (Level::Alert, "LLM")]);
    let calls: Vec<_> = capture.spans().iter().map(|span| span.span_id).collect();
    assert_eq!([told[0].cx.span, told[1].cx.span], [calls[1], calls[3]]);
    for event in &told {
        assert_eq!(event.who.session_id.as_deref(), Some("s1"));
    }
    assert!(watch.is_exceeded());
    assert_eq!(spent(&capture, &watch), (5, 620));
}

#[test]
fn typed_handlers_get_what_was_spent_and_what_was_allowed() {
    let capture = capture();
    let _watch = watch(&capture, Budget::session("s1").cost_usd(1.0).named("free"));
    let (heard, hears) = mpsc::channel();
    let bus = capture.telemetry().bus();
    let warned = heard.clone();
    bus.on::<BudgetWarned>(move |near| {
        warned.send((near.cost_usd, near.unpriced_calls)).unwrap();
    });
    bus.on::<BudgetExceeded>(move |over| {
        assert_eq!((&*over.budget, &*over.limit), ("free", "cost"));
        assert_eq!(over.scope, "session.id");
        assert_eq!(over.key.as_deref(), Some("s1"));
        assert_eq!((over.cost_usd_limit, over.tokens_limit), (Some(1.0), None));
        assert_eq!((over.calls, over.tokens), (2, 20));
        heard.send((over.cost_usd, 0)).unwrap();
    });
    capture.record(|| {
        scope([("session.id", "s1")]).in_scope(|| {
            call(10, 0.9);
            call(10, 0.9);
        });
    });
    capture.flush();
    assert_eq!(hears.recv_timeout(DEADLINE).unwrap(), (0.9, 0));
    assert_eq!(hears.recv_timeout(DEADLINE).unwrap(), (1.8, 0));
    assert!(capture.telemetry().bus().stats().handler_errors.is_empty());
}

#[test]
fn a_limit_is_reached_when_nothing_is_left() {
    let capture = capture();
    let tokens = watch(&capture, Budget::total().tokens(10));
    let cost = watch(&capture, Budget::total().cost_usd(0.3));
    capture.record(|| {
        call(9, 0.1);
        call(0, 0.1);
    });
    capture.flush();
    assert!(!tokens.is_exceeded() && !cost.is_exceeded());
    // A sum of floats would miss it.
    capture.record(|| call(1, 0.1));
    capture.flush();
    assert!(tokens.is_exceeded() && cost.is_exceeded());
    let limits = [tokens, cost].map(|watch| block_on(watch.exceeded()).unwrap().limit);
    let dollars = Usd::from_f64(0.3).unwrap();
    assert_eq!(limits, [Limit::Tokens(10), Limit::Cost(dollars)]);
}

#[test]
fn an_event_that_tells_of_tokens_is_no_call() {
    event_types! {
        struct Mine: "budget.noted" { tokens: u64 }
    }
    let capture = capture();
    let watch = watch(&capture, Budget::total().tokens(1_000));
    capture.record(|| {
        tracing_genai::emit(Mine { tokens: 5_000 });
        call(1, 0.0);
    });
    assert_eq!(spent(&capture, &watch), (1, 1));
}

// === what is counted ===

#[test]
fn sessions_users_runs_and_tenants_pay_for_their_own_calls_only() {
    let capture = capture();
    let budgets: Vec<_> = [
        Budget::session("s1"),
        Budget::user("u1"),
        Budget::of("tenant", "acme"),
        Budget::of("shard", "7"),
        Budget::total(),
    ]
    .into_iter()
    .map(|budget| watch(&capture, budget.tokens(1_000_000)))
    .collect();
    let run = capture.record(|| {
        scope([("session.id", "s1"), ("user.id", "u1")]).in_scope(|| call(1, 0.0));
        scope([("session.id", "s2"), ("user.id", "u1")]).in_scope(|| call(10, 0.0));
        scope([("tenant", "acme")]).in_scope(|| call(100, 0.0));
        scope([("shard", 7)]).in_scope(|| call(1_000, 0.0));
        let run = agent("planner").session_id("s1").start();
        let run_budget = Budget::run(run.span_context().trace_id()).tokens(1_000_000);
        let run_budget = watch(&capture, run_budget);
        run.in_scope(|| step("search").start().in_scope(|| call(10_000, 0.0)));
        run.complete();
        run_budget
    });
    let tokens: Vec<_> = budgets
        .iter()
        .map(|watch| spent(&capture, watch).1)
        .collect();
    assert_eq!(tokens, [10_001, 11, 100, 1_000, 11_111]);
    assert_eq!(spent(&capture, &run), (1, 10_000));
    assert_ne!(capture.telemetry().budgets().stats().unattributed, 0);
}

#[test]
fn a_call_inside_a_call_is_one_call_and_counts_when_the_outer_one_ends() {
    let capture = capture();
    let watch = watch(&capture, Budget::total().tokens(1_000));
    capture.record(|| {
        // A wrapper that tells its usage, around a client that tells it too.
        let outer = chat("openai", "m").start();
        outer.in_scope(|| step("retry").start().in_scope(|| call(100, 0.5)));
        assert_eq!(spent(&capture, &watch), (0, 0));
        outer.usage(Usage::new().input(100).output(0)).cost_usd(0.5);
        outer.complete();
        assert_eq!(spent(&capture, &watch), (1, 100));
        // One that tells nothing: the client's stands in.
        let outer = chat("openai", "m").start();
        outer.in_scope(|| step("retry").start().in_scope(|| call(20, 0.25)));
        outer.complete();
    });
    assert_eq!(spent(&capture, &watch), (2, 120));
    assert_eq!(watch.spent().cost_usd(), 0.75);
    assert!(watch.spent().is_exact());
}

#[test]
fn an_agent_run_by_a_tool_inside_a_call_pays_for_its_own_calls() {
    let capture = capture();
    let watch = watch(&capture, Budget::total().tokens(1_000));
    capture.record(|| {
        let outer = chat("openai", "m").start();
        outer.in_scope(|| tool("ask").start().in_scope(|| call(7, 0.1)));
        outer.usage(Usage::new().input(100).output(0)).complete();
    });
    assert_eq!(spent(&capture, &watch), (2, 107));
}

#[test]
fn a_stream_that_ends_after_the_call_around_it_is_still_counted_once() {
    for tells in [false, true] {
        let capture = capture();
        let watch = watch(&capture, Budget::total().tokens(1_000));
        capture.record(|| {
            let outer = chat("openai", "m").start();
            let stream = outer.in_scope(|| chat("openai", "m").start());
            if tells {
                outer.usage(Usage::new().input(40).output(0)).cost_usd(0.1);
            }
            outer.complete();
            capture.flush();
            assert_eq!(watch.spent().is_exact(), tells);
            stream.usage(Usage::new().input(40).output(0)).cost_usd(0.1);
            stream.complete();
        });
        assert_eq!(spent(&capture, &watch), (1, 40), "outer tells: {tells}");
        assert!(watch.spent().is_exact());
    }
}

#[test]
fn a_call_of_unknown_price_or_usage_is_told_and_not_taken_for_free() {
    let capture = capture();
    let watch = watch(&capture, Budget::total().cost_usd(1.0));
    capture.record(|| {
        call(10, 0.25);
        let unpriced = chat("openai", "no-such-model").start();
        unpriced.usage(Usage::new().input(10).output(0)).complete();
        let silent = chat("openai", "no-such-model").start();
        silent.fail_as("timeout");
    });
    capture.flush();
    let spent = watch.spent();
    assert_eq!(
        (spent.calls, spent.unpriced_calls, spent.unmetered_calls),
        (3, 2, 1)
    );
    assert!(!spent.is_exact());
    assert_eq!(
        spent.to_string(),
        "20 tokens and $0.25 in 3 calls (2 of unknown cost, 1 of unknown usage)"
    );
}

#[test]
fn a_call_that_was_blocked_before_it_was_sent_is_no_call() {
    let capture = capture();
    let watch = watch(&capture, Budget::total().tokens(10));
    capture.record(|| {
        let never = |_: &str| Verdict::block("never");
        let refused = chat("openai", "m")
            .guard(&never)
            .call("p", |_| Ok::<_, std::io::Error>(String::new()));
        assert!(refused.is_err());
    });
    assert_eq!(spent(&capture, &watch), (0, 0));
}

#[test]
fn unsampled_calls_count_and_a_slow_subscriber_makes_nobody_miss_one() {
    const EACH: u64 = 5_000;
    let telemetry = plain()
        .sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
        .build()
        .unwrap();
    let watch = telemetry
        .budgets()
        .watch(Budget::total().tokens(u64::MAX))
        .unwrap();
    // A subscription that nobody reads, and a handler that is stuck.
    let _unread = telemetry.bus().subscribe();
    let (release, stuck) = mpsc::channel::<()>();
    let stuck = std::sync::Mutex::new(stuck);
    telemetry.bus().on_event(move |_| {
        let _ = stuck.lock().unwrap().recv();
    });
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                record(&telemetry, || {
                    for n in 0..EACH {
                        call(1, 0.0);
                        if n % 500 == 0 {
                            // Let the queue drain: what it drops is another promise.
                            support::waiting::until("the queue", || {
                                telemetry.stats().capture.pending < 4_000
                            });
                        }
                    }
                });
            });
        }
    });
    support::waiting::until("every call is counted", || watch.spent().calls == 4 * EACH);
    assert_eq!(telemetry.stats().capture.total_dropped(), 0);
    assert_eq!(watch.spent().tokens(), 4 * EACH);
    drop(release);
}

// === who waits ===

#[test]
fn a_task_and_a_thread_that_wait_are_woken_when_the_limit_is_reached() {
    let capture = capture();
    let watch = watch(&capture, Budget::session("s1").tokens(100));
    let (thread, token) = (watch.clone(), watch.token());
    let waiting = std::thread::spawn(move || block_on(thread.exceeded()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let task = runtime.spawn(token.clone().cancelled_owned());
    capture.record(|| call_in("s1", 99));
    capture.flush();
    assert!(!token.is_cancelled());
    capture.record(|| call_in("s1", 1));
    let over = within("the waiting thread", move || waiting.join().unwrap()).unwrap();
    assert_eq!(over.limit, Limit::Tokens(100));
    assert_eq!(
        over.to_string(),
        "the budget `session` is spent: 100 tokens and $0.02 in 2 calls"
    );
    within("the waiting task", move || block_on(task).unwrap());
    assert!(token.is_cancelled());
    assert_eq!(block_on(watch.exceeded()), Ok(over), "and again at once");
}

#[test]
fn a_run_is_stopped_by_the_application_and_by_nobody_else() {
    let capture = capture();
    let watch = watch(&capture, Budget::session("s1").tokens(50));
    let rounds = capture.record(|| {
        block_on(async {
            let mut rounds = 0;
            let run = async {
                loop {
                    rounds += 1;
                    call_in("s1", 10);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::select! {
                () = run => unreachable!("it runs for ever"),
                Ok(over) = watch.exceeded() => assert!(over.spent.tokens() >= 50),
            }
            rounds
        })
    });
    assert!(rounds >= 5, "{rounds}");
    // Nothing is cut off afterwards: what goes on is counted on.
    capture.record(|| call_in("s1", 10));
    assert_eq!(spent(&capture, &watch).0, rounds + 1);
}

#[test]
fn cancelling_a_token_of_ones_own_cancels_nobody_elses() {
    let capture = capture();
    let watch = watch(&capture, Budget::total().tokens(10));
    let mine = watch.token();
    mine.cancel();
    assert!(!watch.token().is_cancelled() && !watch.is_exceeded());
    capture.record(|| call(10, 0.0));
    capture.flush();
    assert!(watch.token().is_cancelled());
}

#[test]
fn a_shutdown_wakes_who_waits_and_cancels_nobody() {
    let telemetry = plain().build().unwrap();
    let watch = telemetry
        .budgets()
        .watch(Budget::total().tokens(10))
        .unwrap();
    let (waits, token) = (watch.clone(), watch.token());
    let waiting = std::thread::spawn(move || block_on(waits.exceeded()));
    record(&telemetry, || call(1, 0.0));
    telemetry.shutdown();
    let woken = within("who waits", move || waiting.join().unwrap());
    assert_eq!(woken, Err(BudgetClosed));
    assert!(!token.is_cancelled());
    // Later on, too; and what was spent can still be read.
    record(&telemetry, || call(100, 0.0));
    let late = telemetry
        .budgets()
        .watch(Budget::total().tokens(10))
        .unwrap();
    let late = within("who comes late", move || block_on(late.exceeded()));
    assert_eq!(late, Err(BudgetClosed));
    assert_eq!(watch.spent().tokens(), 1);
}

#[test]
fn a_budget_that_was_spent_before_the_shutdown_stays_spent() {
    let telemetry = plain().build().unwrap();
    let watch = telemetry
        .budgets()
        .watch(Budget::total().tokens(10))
        .unwrap();
    record(&telemetry, || call(10, 0.0));
    telemetry.shutdown();
    assert!(within("the answer", move || block_on(watch.exceeded())).is_ok());
}

#[test]
fn where_telemetry_is_disabled_nobody_waits_for_ever() {
    let disabled = |name: &str| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned());
    let telemetry = Telemetry::builder("test")
        .environment(disabled)
        .budget(Budget::each_user().tokens(10))
        .build()
        .unwrap();
    let watch = telemetry.budgets().find("user", "u1").unwrap();
    let closed = within("the answer", move || block_on(watch.exceeded()));
    assert_eq!(closed, Err(BudgetClosed));
}

// === everybody's budgets ===

#[test]
fn each_user_has_the_builders_budget_for_themselves_before_and_after_the_first_call() {
    let capture = capture_with(|builder| {
        builder
            .budget(Budget::each_user().tokens(10).named("free tier"))
            .budget(Budget::each_run().tokens(1_000))
            .budget(Budget::total().cost_usd(100.0))
    });
    let budgets = capture.telemetry().budgets();
    let early = budgets.find("free tier", "u1").unwrap();
    capture.record(|| {
        scope([("user.id", "u1")]).in_scope(|| call(10, 0.0));
        scope([("user.id", "u2")]).in_scope(|| call(9, 1.0));
    });
    assert_eq!(spent(&capture, &early), (1, 10));
    let other = budgets.find("free tier", "u2").unwrap();
    assert_eq!((early.is_exceeded(), other.is_exceeded()), (true, false));
    assert_eq!(told_types(&capture), ["budget.exceeded", "budget.warned"]);
    let total = budgets.find("total", "").unwrap();
    assert_eq!(total.spent().cost_usd(), 1.0);
    assert!(budgets.find("no such budget", "u1").is_none());
    assert!(budgets.find("free tier", "").is_none());
    assert_eq!(budgets.stats().accounts, 2 + 2 + 1);
}

#[test]
fn a_hundred_thousand_sessions_take_the_memory_of_as_many_as_are_kept_and_forgetting_is_counted() {
    const SESSIONS: usize = 100_000;
    const KEPT: usize = 1_000;
    let telemetry = plain()
        .without_history()
        .budget(Budget::each_session().tokens(1_000).keep(KEPT))
        .build()
        .unwrap();
    let budgets = telemetry.budgets();
    let watched = budgets.find("session", "watched").unwrap();
    record(&telemetry, || {
        call_in("watched", 1);
        for n in 0..SESSIONS {
            chat("openai", "m")
                .session_id(&format!("s{n}"))
                .start()
                .usage(Usage::new().input(1).output(0))
                .complete();
            if n % 500 == 0 {
                call_in("busy", 1);
            }
            if n % 5_000 == 0 {
                telemetry.flush(DEADLINE);
                assert!(budgets.stats().accounts <= KEPT);
            }
        }
        call_in("watched", 1);
    });
    telemetry.flush(DEADLINE);
    assert_eq!(telemetry.stats().capture.total_dropped(), 0);
    let stats = budgets.stats();
    assert!(
        stats.accounts <= KEPT && stats.accounts > KEPT / 2,
        "{stats:?}"
    );
    assert_eq!(stats.accounts as u64 + stats.forgotten, SESSIONS as u64 + 2);
    assert_eq!(watched.spent().calls, 2, "the one that is watched is kept");
    let busy = budgets.find("session", "busy").unwrap();
    assert_eq!(busy.spent().calls, 200, "so is the one that is in use");
    let last = format!("s{}", SESSIONS - 1);
    assert_eq!(budgets.find("session", &last).unwrap().spent().calls, 1);
}

#[test]
fn a_very_long_id_is_cut_and_gets_around_no_budget() {
    let capture = capture_with(|b| b.budget(Budget::each_session().tokens(10)));
    let long = "x".repeat(10_000);
    capture.record(|| {
        for end in ["a", "b"] {
            call_in(&format!("{long}{end}"), 5);
        }
    });
    let watch = capture
        .telemetry()
        .budgets()
        .find("session", &long)
        .unwrap();
    assert_eq!(spent(&capture, &watch), (2, 10));
    assert!(watch.key().len() < 1_000);
}

#[test]
fn a_budget_is_counted_while_it_is_watched_and_forgotten_with_the_last_watch() {
    let capture = capture();
    let budgets = capture.telemetry().budgets();
    let one = watch(&capture, Budget::session("s1").tokens(10));
    let two = watch(&capture, Budget::session("s1").tokens(10));
    let clone = one.clone();
    drop(one);
    assert_eq!(budgets.stats().accounts, 2);
    capture.record(|| call_in("s1", 1));
    assert_eq!(spent(&capture, &clone), (1, 1));
    drop((clone, two));
    assert_eq!(budgets.stats().accounts, 0);
    capture.record(|| call_in("s1", 100));
    capture.flush();
    let late = watch(&capture, Budget::session("s1").tokens(10));
    capture.flush();
    assert_eq!(told_types(&capture).len(), 0);
    drop(late);
}

#[test]
fn a_reset_starts_over_for_one_and_for_all_and_warns_again() {
    let capture = capture_with(|b| b.budget(Budget::each_user().tokens(10).named("daily")));
    let budgets = capture.telemetry().budgets();
    let day = || {
        capture.record(|| {
            for user in ["u1", "u2"] {
                scope([("user.id", user)]).in_scope(|| call(10, 0.0));
            }
        });
        capture.flush();
    };
    day();
    let watch = budgets.find("daily", "u1").unwrap();
    let yesterday = watch.token();
    assert!(yesterday.is_cancelled());
    assert_eq!(budgets.reset("daily"), 2);
    assert_eq!((watch.is_exceeded(), watch.spent().calls), (false, 0));
    let today = watch.token();
    assert!(!today.is_cancelled() && yesterday.is_cancelled());
    day();
    assert!(today.is_cancelled());
    assert_eq!(told_types(&capture), ["budget.exceeded"; 4]);
    watch.reset();
    assert!(!watch.is_exceeded());
    assert!(budgets.find("daily", "u2").unwrap().is_exceeded());
}

// === what cannot work ===

#[test]
fn a_budget_that_makes_no_sense_is_refused_and_says_what_to_write() {
    let telemetry = plain().build().unwrap();
    for (budget, says) in [
        (Budget::total(), "`total` has no limit"),
        (
            Budget::total().tokens(0),
            "`tokens` of the budget `total` is 0",
        ),
        (Budget::total().cost_usd(0.0), "above 0"),
        (
            Budget::total().cost_usd(-1.0),
            "`cost_usd` of the budget `total` is -1",
        ),
        (Budget::total().cost_usd(f64::NAN), "is NaN"),
        (Budget::total().cost_usd(f64::INFINITY), "is inf"),
        (Budget::total().tokens(1).warn_at(0.0), "a fraction above 0"),
        (Budget::total().tokens(1).warn_at(1.1), "is 1.1"),
        (Budget::total().tokens(1).warn_at(f64::NAN), "is NaN"),
        (Budget::session("").tokens(1), "the id of a run"),
        (Budget::each("").tokens(1), "the name of an attribute"),
        (Budget::each_user().tokens(1).keep(0), "`keep`"),
    ] {
        let error = plain().budget(budget.clone()).build().unwrap_err();
        assert!(matches!(error, ConfigError::Budget(_)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
        if let Ok(watch) = telemetry.budgets().watch(budget.clone()) {
            panic!("{watch:?} from {budget:?}");
        }
    }
    let each = telemetry.budgets().watch(Budget::each_user().tokens(1));
    assert!(matches!(each, Err(BudgetError::Each { .. })));
    let twice = plain()
        .budget(Budget::each_user().tokens(1))
        .budget(Budget::each_user().cost_usd(1.0))
        .build();
    let twice = twice.unwrap_err().to_string();
    assert!(twice.contains("two budgets are called `user`"), "{twice}");
}
