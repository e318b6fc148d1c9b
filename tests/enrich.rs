//! What is added to spans on the way out: hooks, names, inherited attributes, cost, totals.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use opentelemetry_sdk::trace::Sampler;
use support::ends::{NotFound, ends, only_end};
use support::waiting::{block_on, within};
use tracing::instrument::WithSubscriber as _;
use tracing::{Instrument as _, field, info_span};
use tracing_genai::enrich::{
    Cost, CostModel, CostOutcome, CostSource, Enrich, ModelAliases, Override, PriceTable,
    PricedCall, SpanMut, Usd, Verdict,
};
use tracing_genai::event::{
    AgentExecutionCompleted, Event, EventData, EventSpec as _, FinishReason, LlmCallCompleted,
    Subject, Usage, Value, Visibility,
};
use tracing_genai::testing::{Capture, CapturedSpan, capture, capture_with};
use tracing_genai::{Loss, agent, chat, embeddings, step, tool, workflow};

fn event(capture: &Capture, ty: &str) -> Event {
    let mut found = capture.events().into_iter().filter(|e| e.ty == ty);
    let event = found.next().unwrap();
    assert!(found.next().is_none(), "{ty} more than once");
    event
}

#[track_caller]
fn text<'s>(span: &'s CapturedSpan, name: &str) -> Option<&'s str> {
    span.attr(name).map(|value| value.as_str().unwrap())
}

#[track_caller]
fn int(span: &CapturedSpan, name: &str) -> Option<i64> {
    span.attr(name).map(|value| match value {
        Value::I64(n) => *n,
        other => panic!("{name} is {other:?}"),
    })
}

#[track_caller]
fn float(span: &CapturedSpan, name: &str) -> Option<f64> {
    span.attr(name).map(|value| match value {
        Value::F64(x) => *x,
        other => panic!("{name} is {other:?}"),
    })
}

/// A dollar for a million input tokens of `house`, two for output: no test depends on today's prices.
fn house_prices() -> PriceTable {
    PriceTable::bundled()
        .with_override(Override::exact("house").input("1").output("2"))
        .unwrap()
}

fn house() -> Capture {
    capture_with(|b| b.prices(house_prices()))
}

/// A call of `house` with a hundred tokens in and ten out: 0.00012 dollars.
fn call_house() {
    let call = chat("openai", "house").start();
    call.usage(Usage::new().input(100).output(10)).complete();
}

fn near(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() < 1e-12)
}

// === hooks ===

/// Writes down when it is called.
struct Diary {
    name: &'static str,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Diary {
    fn note(&self, what: &str) {
        self.lines
            .lock()
            .unwrap()
            .push(format!("{} {what}", self.name));
    }
}

impl Enrich for Diary {
    fn before_span(&self, span: &mut SpanMut<'_>) {
        self.note(&format!("before {}", span.name()));
    }
    fn after_span(&self, span: &mut SpanMut<'_>) {
        self.note(&format!("after {}", span.name()));
    }
    fn on_started(&self, event: &mut EventData) -> Verdict {
        self.note(&event.ty.to_string());
        Verdict::Keep
    }
    fn on_completed(&self, event: &mut EventData) -> Verdict {
        self.note(&event.ty.to_string());
        Verdict::Keep
    }
}

#[test]
fn each_hook_is_called_once_at_each_point_in_the_order_they_were_added() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let diary = |name| Diary {
        name,
        lines: Arc::clone(&lines),
    };
    let (a, b) = (diary("a"), diary("b"));
    let capture = capture_with(|builder| builder.enrich(a).enrich(b));
    capture.record(|| tool("t").start().fail(&NotFound));
    capture.flush();
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "a before execute_tool t",
            "b before execute_tool t",
            "a tool.call.started",
            "b tool.call.started",
            "a after execute_tool t",
            "b after execute_tool t",
            "a tool.call.failed",
            "b tool.call.failed",
        ]
    );
}

#[test]
fn hooks_see_plain_spans_too() {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let diary = Diary {
        name: "a",
        lines: Arc::clone(&lines),
    };
    let capture = capture_with(|b| b.enrich(diary));
    capture.record(|| info_span!(target: "hyper", "request").in_scope(|| {}));
    capture.flush();
    assert_eq!(
        *lines.lock().unwrap(),
        ["a before request", "a after request"]
    );
}

/// A hook made of closures.
type OnSpan = Box<dyn Fn(&mut SpanMut<'_>) + Send + Sync>;
type OnEvent = Box<dyn Fn(&mut EventData) -> Verdict + Send + Sync>;

#[derive(Default)]
struct Hook {
    subject: Option<Subject>,
    before: Option<OnSpan>,
    after: Option<OnSpan>,
    started: Option<OnEvent>,
    completed: Option<OnEvent>,
}

impl Enrich for Hook {
    fn subject(&self) -> Option<Subject> {
        self.subject
    }
    fn before_span(&self, span: &mut SpanMut<'_>) {
        if let Some(f) = &self.before {
            f(span);
        }
    }
    fn after_span(&self, span: &mut SpanMut<'_>) {
        if let Some(f) = &self.after {
            f(span);
        }
    }
    fn on_started(&self, event: &mut EventData) -> Verdict {
        self.started.as_ref().map_or(Verdict::Keep, |f| f(event))
    }
    fn on_completed(&self, event: &mut EventData) -> Verdict {
        self.completed.as_ref().map_or(Verdict::Keep, |f| f(event))
    }
}

fn hooked(hook: Hook) -> Capture {
    capture_with(|b| b.prices(house_prices()).enrich(hook))
}

#[test]
fn what_hooks_set_on_spans_is_on_the_events_and_on_the_exported_span() {
    let capture = hooked(Hook {
        before: Some(Box::new(|span| span.set("tenant", "acme"))),
        after: Some(Box::new(|span| {
            let calls = span.get("hits").map_or(0, |v| v.as_i64().unwrap());
            span.set("hits.doubled", calls * 2);
            assert!(span.remove("hits"));
        })),
        ..Hook::default()
    });
    capture.record(|| {
        let run = tool("t").start();
        run.set("hits", 21);
        run.complete();
    });
    let (end, span) = only_end(&capture);
    let started = event(&capture, "tool.call.started");
    let tenant = Some(&Value::from("acme"));
    assert_eq!(started.attr("tenant"), tenant);
    assert_eq!(end.attr("tenant"), tenant);
    assert_eq!(span.attr("tenant"), tenant);
    assert!(started.attr("hits.doubled").is_none());
    assert_eq!(end.attr("hits.doubled"), Some(&Value::I64(42)));
    assert_eq!(span.attr("hits.doubled"), Some(&Value::I64(42)));
    assert!(end.attr("hits").is_none() && span.attr("hits").is_none());
}

#[test]
fn what_hooks_change_on_events_stays_in_the_process() {
    let capture = hooked(Hook {
        started: Some(Box::new(|event| {
            event.attrs.set("at.start", true);
            Verdict::Keep
        })),
        completed: Some(Box::new(|event| {
            event.attrs.set("at.end", true);
            Verdict::Keep
        })),
        ..Hook::default()
    });
    capture.record(|| tool("t").start().complete());
    let (end, span) = only_end(&capture);
    let yes = Some(&Value::Bool(true));
    assert_eq!(event(&capture, "tool.call.started").attr("at.start"), yes);
    assert_eq!((end.attr("at.end"), end.attr("at.start")), (yes, None));
    assert!(span.attr("at.start").is_none() && span.attr("at.end").is_none());
}

#[test]
fn what_a_hook_set_at_the_start_does_not_overwrite_what_the_span_sets_later() {
    let capture = hooked(Hook {
        before: Some(Box::new(|span| {
            span.set("priority", "from the hook");
            span.set("region", "from the hook");
        })),
        ..Hook::default()
    });
    capture.record(|| {
        let run = tool("t").start();
        run.set("priority", "from the span");
        run.complete();
    });
    let (_, span) = only_end(&capture);
    assert_eq!(text(&span, "priority"), Some("from the span"));
    assert_eq!(text(&span, "region"), Some("from the hook"));
}

#[test]
fn after_span_comes_before_the_price_and_on_completed_after_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (after, completed) = (Arc::clone(&seen), Arc::clone(&seen));
    let capture = hooked(Hook {
        after: Some(Box::new(move |span| {
            after.lock().unwrap().push((
                span.get("gen_ai.provider.name"),
                span.get("gen_ai.usage.cost"),
            ));
            // A correction of the counts is a correction of the price.
            span.set("gen_ai.usage.input_tokens", 1_000_000);
        })),
        completed: Some(Box::new(move |event| {
            completed
                .lock()
                .unwrap()
                .push((None, event.attr("gen_ai.usage.cost").cloned()));
            Verdict::Keep
        })),
        ..Hook::default()
    });
    capture.record(|| {
        let call = chat("Azure_OpenAI", "house").start();
        call.usage(Usage::new().input(1).output(0)).complete();
    });
    let (_, span) = only_end(&capture);
    assert_eq!(float(&span, "llm.cost_usd"), Some(1.0));
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], (Some("azure.ai.openai".into()), None));
    assert_eq!(seen[1], (None, Some(Value::F64(1.0))));
}

#[test]
fn a_hook_for_one_subject_sees_that_subject_only() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let event_count = Arc::clone(&seen);
    let capture = hooked(Hook {
        subject: Some(Subject::TOOL_CALL),
        after: Some(Box::new(move |span| {
            assert_eq!(span.subject(), Some(Subject::TOOL_CALL));
            count.fetch_add(1, Ordering::Relaxed);
        })),
        completed: Some(Box::new(move |event| {
            assert_eq!(event.ty.subject(), Subject::TOOL_CALL);
            event_count.fetch_add(1, Ordering::Relaxed);
            Verdict::Keep
        })),
        ..Hook::default()
    });
    capture.record(|| {
        let a = agent("a").start();
        a.in_scope(|| {
            tool("t").start().complete();
            call_house();
            info_span!("plain").in_scope(|| {});
        });
    });
    capture.flush();
    assert_eq!(seen.load(Ordering::Relaxed), 2);
    assert!(capture.telemetry().stats().partial.is_empty());
}

#[test]
fn hide_marks_the_event_internal_and_the_strictest_verdict_holds() {
    let say = |verdict| Hook {
        completed: Some(Box::new(move |_| verdict)),
        ..Hook::default()
    };
    let capture = capture_with(|b| {
        b.enrich(say(Verdict::Keep))
            .enrich(say(Verdict::Hide))
            .enrich(say(Verdict::Keep))
    });
    capture.record(|| tool("t").start().complete());
    assert_eq!(only_end(&capture).0.visibility, Visibility::Internal);
    assert_eq!(
        event(&capture, "tool.call.started").visibility,
        Visibility::Public
    );
}

#[test]
fn drop_keeps_the_event_from_the_bus_and_the_span_is_exported_all_the_same() {
    let capture = capture_with(|b| {
        b.enrich(Hook {
            started: Some(Box::new(|_| Verdict::Drop)),
            completed: Some(Box::new(|event| match &*event.name {
                "execute_tool secret" => Verdict::Drop,
                _ => Verdict::Keep,
            })),
            ..Hook::default()
        })
        .enrich(Hook {
            completed: Some(Box::new(|_| Verdict::Hide)),
            ..Hook::default()
        })
    });
    capture.record(|| {
        tool("secret").start().complete();
        tool("open").start().complete();
    });
    let names: Vec<_> = capture.events().iter().map(|e| e.name.clone()).collect();
    assert_eq!(names, ["execute_tool open".into()]);
    assert_eq!(capture.spans().len(), 2);
}

#[test]
fn a_panicking_hook_costs_its_own_part_only_and_is_counted() {
    let capture = capture_with(|b| {
        b.enrich(Hook {
            before: Some(Box::new(|span| {
                span.set("half", true);
                panic!("in before_span")
            })),
            completed: Some(Box::new(|_| panic!("in on_completed"))),
            ..Hook::default()
        })
        .enrich(Hook {
            after: Some(Box::new(|span| span.set("second", true))),
            ..Hook::default()
        })
    });
    capture.record(|| tool("t").start().complete());
    let (end, span) = only_end(&capture);
    assert_eq!(end.attr("second"), Some(&Value::Bool(true)));
    assert_eq!(span.attr("second"), Some(&Value::Bool(true)));
    let report = capture.flush();
    assert_eq!(report.partial[&Loss::Hook], 2);
    assert!(report.is_complete(), "the records arrived: {report}");
}

/// Spans until the hook of `panics` is no longer called, of 30.
fn calls_of(panics: impl Fn(usize) -> bool + Send + Sync + 'static) -> usize {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let capture = capture_with(|b| {
        b.enrich(Hook {
            after: Some(Box::new(move |_| {
                let n = count.fetch_add(1, Ordering::Relaxed);
                assert!(!panics(n), "call {n}");
            })),
            ..Hook::default()
        })
    });
    capture.record(|| (0..30).for_each(|_| tool("t").start().complete()));
    assert_eq!(capture.spans().len(), 30);
    calls.load(Ordering::Relaxed)
}

#[test]
fn a_hook_that_panics_ten_times_in_a_row_is_switched_off() {
    assert_eq!(calls_of(|_| true), 10);
    assert_eq!(calls_of(|n| n >= 5), 15);
}

#[test]
fn a_hook_that_panics_now_and_then_stays_on() {
    assert_eq!(calls_of(|n| n % 10 != 9), 30);
}

#[test]
fn a_slow_hook_does_not_delay_the_application() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let capture = within("a hundred spans past a hook that waits", move || {
        let capture = capture_with(|b| {
            b.enrich(Hook {
                before: Some(Box::new(move |_| {
                    // Answers only once the application is through; then the channel is gone and it never waits again.
                    let _ = wait.lock().unwrap().recv();
                })),
                ..Hook::default()
            })
        });
        capture.record(|| (0..100).for_each(|_| tool("t").start().complete()));
        assert!(capture.telemetry().stats().capture.pending > 0);
        drop(go);
        capture
    });
    assert_eq!(capture.spans().len(), 100);
}

#[test]
fn what_a_hook_emits_is_not_recorded() {
    let capture = hooked(Hook {
        after: Some(Box::new(|_| {
            info_span!("from the hook").in_scope(|| tracing::error!("and an event"));
            tool("from the hook").start().complete();
        })),
        ..Hook::default()
    });
    capture.record(|| tool("t").start().complete());
    capture.flush();
    only_end(&capture);
}

// === names ===

#[test]
fn every_spelling_of_a_provider_is_exported_as_the_conventional_one() {
    let capture = capture();
    capture.record(|| {
        chat("OpenAI", "a").start().complete();
        chat("azure_openai", "b").start().complete();
        info_span!(
            "c",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "c",
            gen_ai.provider.name = "Bedrock"
        )
        .in_scope(|| {});
        chat("AcmeGateway", "d").start().complete();
    });
    for (span, provider) in [
        ("chat a", "openai"),
        ("chat b", "azure.ai.openai"),
        ("chat c", "aws.bedrock"),
        ("chat d", "AcmeGateway"),
    ] {
        let span = capture.span(span);
        assert_eq!(text(&span, "gen_ai.provider.name"), Some(provider));
        assert_eq!(text(&span, "llm.provider"), Some(provider));
    }
}

#[test]
fn names_before_the_present_conventions_are_mapped_and_not_exported() {
    let capture = house();
    capture.record(|| {
        info_span!(
            "old",
            gen_ai.operation.name = "chat",
            gen_ai.system = "openai",
            gen_ai.request.model = "house",
            gen_ai.usage.prompt_tokens = 100,
            gen_ai.usage.completion_tokens = 10,
            gen_ai.usage.cache_creation.input_tokens = 0,
        )
        .in_scope(|| {});
    });
    let span = capture.span("chat house");
    assert_eq!(text(&span, "gen_ai.provider.name"), Some("openai"));
    assert_eq!(int(&span, "gen_ai.usage.input_tokens"), Some(100));
    assert_eq!(int(&span, "gen_ai.usage.output_tokens"), Some(10));
    assert_eq!(int(&span, "gen_ai.usage.cache_write.input_tokens"), Some(0));
    for old in [
        "gen_ai.system",
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ] {
        assert!(span.attr(old).is_none(), "{old}");
    }
    assert!(near(float(&span, "llm.cost_usd"), 0.000_12));
}

#[test]
fn of_an_old_name_and_the_present_one_the_last_word_counts() {
    let capture = capture();
    capture.record(|| {
        let span = info_span!(
            "both",
            gen_ai.operation.name = "chat",
            gen_ai.usage.prompt_tokens = 100,
            gen_ai.usage.input_tokens = 7,
            gen_ai.usage.output_tokens = 1,
            gen_ai.usage.completion_tokens = tracing::field::Empty,
        );
        span.record("gen_ai.usage.completion_tokens", 2);
    });
    let span = capture.span("chat");
    assert_eq!(int(&span, "gen_ai.usage.input_tokens"), Some(7));
    assert_eq!(int(&span, "gen_ai.usage.output_tokens"), Some(2));
}

#[test]
fn model_calls_carry_the_four_plain_names_and_other_spans_none() {
    let capture = house();
    capture.record(|| {
        let call = chat("OpenAI", "house").start();
        call.response_model("House")
            .usage(Usage::new().input(100).output(10))
            .complete();
        tool("t").start().complete();
    });
    let span = capture.span("chat house");
    assert_eq!(text(&span, "llm.model"), Some("House"));
    assert_eq!(text(&span, "llm.provider"), Some("openai"));
    assert_eq!(int(&span, "llm.tokens_used"), Some(110));
    assert!(near(float(&span, "llm.cost_usd"), 0.000_12));
    assert!(near(float(&span, "gen_ai.usage.cost"), 0.000_12));
    let tool = capture.span("execute_tool t");
    assert!(
        !tool
            .attributes
            .iter()
            .any(|(name, _)| name.starts_with("llm."))
    );
}

#[test]
fn finish_reasons_are_one_vocabulary_in_views_and_the_providers_own_words_on_the_span() {
    let capture = capture();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    capture
        .telemetry()
        .bus()
        .on::<LlmCallCompleted>(move |call| keep.lock().unwrap().extend(call.finish_reasons));
    let words = ["end_turn", "MAX_TOKENS", "tool_use", "SAFETY", "bored"];
    capture.record(|| {
        for word in words {
            let call = chat("openai", word).start();
            call.finish_reason(word).complete();
        }
    });
    capture.flush();
    assert_eq!(
        *seen.lock().unwrap(),
        [
            FinishReason::Stop,
            FinishReason::Length,
            FinishReason::ToolCalls,
            FinishReason::ContentFilter,
            FinishReason::Other("bored".into())
        ]
    );
    for word in words {
        let span = capture.span(&format!("chat {word}"));
        let exported = span.attr("gen_ai.response.finish_reasons").unwrap();
        assert_eq!(exported, &Value::Array(vec![word.into()]));
    }
}

// === cost ===

#[test]
fn a_price_override_prices_a_call_and_says_so() {
    let capture = house();
    capture.record(call_house);
    let (end, span) = only_end(&capture);
    assert!(near(float(&span, "gen_ai.usage.cost"), 0.000_12));
    assert_eq!(text(&span, "genai.cost.source"), Some("override"));
    assert!(span.attr("genai.cost.unknown_reason").is_none());
    let view = LlmCallCompleted::view(&end).unwrap();
    assert!(near(view.cost_usd, 0.000_12));
    assert_eq!(view.usage.total(), Some(110));
}

#[test]
fn an_override_wins_over_the_table() {
    let prices = PriceTable::bundled()
        .with_override(Override::exact("gpt-4o-mini").input("1000").output("0"))
        .unwrap();
    let capture = capture_with(|b| b.prices(prices));
    capture.record(|| {
        let call = chat("openai", "gpt-4o-mini").start();
        call.usage(Usage::new().input(1_000).output(5)).complete();
    });
    let (_, span) = only_end(&capture);
    assert_eq!(float(&span, "llm.cost_usd"), Some(1.0));
}

#[test]
fn an_unknown_model_has_no_cost_attribute_and_a_reason() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "no-such-model").start();
        call.usage(Usage::new().input(1).output(1)).complete();
    });
    let (end, span) = only_end(&capture);
    for name in ["llm.cost_usd", "gen_ai.usage.cost", "genai.cost.source"] {
        assert!(span.attr(name).is_none(), "{name}");
    }
    assert_eq!(
        text(&span, "genai.cost.unknown_reason"),
        Some("unknown_model")
    );
    assert_eq!(LlmCallCompleted::view(&end).unwrap().cost_usd, None);
}

#[test]
fn a_known_model_without_usage_has_no_cost_and_says_why() {
    let capture = house();
    capture.record(|| chat("openai", "house").start().complete());
    let (_, span) = only_end(&capture);
    assert!(span.attr("llm.cost_usd").is_none());
    assert_eq!(text(&span, "genai.cost.unknown_reason"), Some("no_usage"));
    assert!(span.attr("llm.tokens_used").is_none());
}

#[test]
fn a_cost_that_the_provider_reports_passes_through_and_is_marked() {
    let capture = house();
    capture.record(|| {
        let call = chat("openrouter", "house").start();
        call.usage(Usage::new().input(100).output(10))
            .cost_usd(0.5)
            .complete();
        let free = chat("openrouter", "free").start();
        free.cost_usd(0.0).complete();
    });
    let span = capture.span("chat house");
    assert_eq!(float(&span, "llm.cost_usd"), Some(0.5));
    assert_eq!(float(&span, "gen_ai.usage.cost"), Some(0.5));
    assert_eq!(text(&span, "genai.cost.source"), Some("provider"));
    assert_eq!(float(&capture.span("chat free"), "llm.cost_usd"), Some(0.0));
}

#[test]
fn a_reported_cost_that_can_be_none_is_replaced_by_the_tables() {
    let capture = house();
    capture.record(|| {
        for nonsense in [-1.0, f64::NAN, f64::INFINITY] {
            let call = chat("openai", "house").start();
            call.usage(Usage::new().input(100).output(10))
                .cost_usd(nonsense)
                .complete();
        }
    });
    for span in capture.spans() {
        assert!(near(float(&span, "llm.cost_usd"), 0.000_12));
        assert_eq!(text(&span, "genai.cost.source"), Some("override"));
    }
}

#[test]
fn an_alias_is_priced_as_the_model_it_stands_for_and_keeps_its_name() {
    let aliases = ModelAliases::new().with("prod-chat", "house");
    let capture = capture_with(|b| b.prices(house_prices()).model_aliases(aliases));
    capture.record(|| {
        let call = chat("azure", "prod-chat").start();
        call.usage(Usage::new().input(100).output(10)).complete();
    });
    let span = capture.span("chat prod-chat");
    assert!(near(float(&span, "llm.cost_usd"), 0.000_12));
    assert_eq!(text(&span, "llm.model"), Some("prod-chat"));
}

#[test]
fn a_cost_model_of_ones_own_is_asked_with_what_is_known() {
    fn flat() -> impl CostModel {
        |call: &PricedCall<'_>| {
            assert_eq!(call.provider, Some("openai"));
            assert_eq!((call.model, call.request_model), ("m-2024", Some("m")));
            let fee = Usd::from_f64(0.01 * call.usage.total().unwrap() as f64).unwrap();
            CostOutcome::Priced(Cost::new(fee, CostSource::Override))
        }
    }
    let capture = capture_with(|b| b.prices(flat()));
    capture.record(|| {
        let call = chat("openai", "m").start();
        call.response_model("m-2024")
            .usage(Usage::new().input(1).output(2))
            .complete();
    });
    assert!(near(float(&only_end(&capture).1, "llm.cost_usd"), 0.03));
}

#[test]
fn a_cost_model_that_panics_costs_the_price_and_not_the_call() {
    let capture = capture_with(|b| {
        b.prices(|_: &PricedCall<'_>| -> CostOutcome { panic!("in the cost model") })
    });
    capture.record(call_house);
    let (_, span) = only_end(&capture);
    assert!(span.attr("llm.cost_usd").is_none());
    assert!(span.attr("genai.cost.unknown_reason").is_some());
    assert_eq!(int(&span, "llm.tokens_used"), Some(110));
    assert_eq!(capture.flush().partial[&Loss::Hook], 1);
}

// === totals ===

/// A workflow of two agents with three calls each, and a tool that fails in the first.
fn trip() {
    let w = workflow("trip").start();
    w.in_scope(|| {
        for name in ["a", "b"] {
            let a = agent(name).start();
            a.in_scope(|| {
                for _ in 0..3 {
                    call_house();
                }
                let t = tool("t").start();
                if name == "a" {
                    t.fail(&NotFound);
                } else {
                    t.complete();
                }
            });
            a.complete();
        }
        drop(tool("given up").start());
    });
    w.complete();
}

/// The totals of an event's or a span's attributes: calls, tokens, tools, failed tools.
fn counts(get: impl Fn(&str) -> Option<Value>) -> [Option<i64>; 6] {
    [
        "llm.total_calls",
        "llm.total_tokens",
        "llm.total_tool_calls",
        "llm.total_tool_errors",
        "gen_ai.aggregated_usage.input_tokens",
        "gen_ai.aggregated_usage.output_tokens",
    ]
    .map(|name| get(name).map(|value| value.as_i64().unwrap()))
}

#[test]
fn two_agents_of_three_calls_add_up_in_their_workflow() {
    let capture = house();
    capture.record(trip);
    for (name, expected, cost) in [
        ("invoke_agent a", [3, 330, 1, 1, 300, 30], 0.000_36),
        ("invoke_agent b", [3, 330, 1, 0, 300, 30], 0.000_36),
        ("invoke_workflow trip", [6, 660, 3, 1, 600, 60], 0.000_72),
    ] {
        let span = capture.span(name);
        let seen = counts(|attr| span.attr(attr).cloned());
        assert_eq!(seen, expected.map(Some), "{name}");
        assert!(near(float(&span, "llm.total_cost_usd"), cost), "{name}");
        assert!(near(float(&span, "gen_ai.aggregated_usage.cost"), cost));
        assert!(span.attr("llm.total_cost_complete").is_none());
        let usage = span
            .attributes
            .iter()
            .filter(|(name, _)| name.starts_with("gen_ai.usage."));
        assert_eq!(usage.count(), 0, "a back end would add it twice");
    }
    assert!(
        capture
            .span("execute_tool given up")
            .attr("llm.total_calls")
            .is_none()
    );
}

#[test]
fn the_bus_and_totals_are_the_same_though_nothing_is_sampled() {
    let capture = capture_with(|b| b.prices(house_prices()).sampler(Sampler::AlwaysOff));
    capture.record(trip);
    assert!(capture.spans().is_empty());
    let end = event(&capture, "workflow.completed");
    let seen = counts(|attr| end.attr(attr).cloned());
    assert_eq!(seen, [6, 660, 3, 1, 600, 60].map(Some));
    assert_eq!(ends(&capture).len(), 1 + 2 + 6 + 3);
    let report = capture.flush();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn views_of_agents_tell_the_totals() {
    let capture = house();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    capture
        .telemetry()
        .bus()
        .on::<AgentExecutionCompleted>(move |agent| {
            keep.lock().unwrap().push((
                agent.agent_name.map(str::to_owned),
                agent.total_usage.total(),
                agent.total_cost_usd,
            ));
        });
    capture.record(trip);
    capture.flush();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for ((name, tokens, cost), expected) in seen.iter().zip(["a", "b"]) {
        assert_eq!((name.as_deref(), *tokens), (Some(expected), Some(330)));
        assert!(near(*cost, 0.000_36));
    }
}

#[test]
fn a_plain_instrumented_function_gets_the_totals_of_what_it_calls() {
    #[tracing::instrument]
    fn answer() {
        call_house();
        embed();
    }
    #[tracing::instrument]
    fn embed() {
        let call = embeddings("openai", "house").start();
        call.usage(Usage::new().input(50).output(0)).complete();
    }
    let capture = house();
    capture.record(answer);
    assert_eq!(int(&capture.span("answer"), "llm.total_tokens"), Some(160));
    assert_eq!(int(&capture.span("answer"), "llm.total_calls"), Some(2));
    assert_eq!(int(&capture.span("embed"), "llm.total_tokens"), Some(50));
}

#[test]
fn a_model_call_inside_a_model_call_is_one_call() {
    let capture = house();
    capture.record(|| {
        let a = agent("a").start();
        a.in_scope(|| {
            let outer = chat("openai", "house").start();
            // The HTTP client's own span below the wrapper's.
            outer
                .in_scope(|| {
                    step("retry").in_scope(|_| {
                        call_house();
                        Ok::<_, NotFound>(())
                    })
                })
                .unwrap();
            outer.usage(Usage::new().input(100).output(10)).complete();
        });
        a.complete();
    });
    let span = capture.span("invoke_agent a");
    assert_eq!(int(&span, "llm.total_calls"), Some(1));
    assert_eq!(int(&span, "llm.total_tokens"), Some(110));
    assert!(near(float(&span, "llm.total_cost_usd"), 0.000_12));
}

#[test]
fn a_model_call_of_a_tool_that_a_model_call_runs_is_a_call_of_its_own() {
    let capture = house();
    capture.record(|| {
        let a = agent("a").start();
        a.in_scope(|| {
            let outer = chat("openai", "house").start();
            outer
                .in_scope(|| {
                    tool("summarise").in_scope(|_| {
                        call_house();
                        Ok::<_, NotFound>(())
                    })
                })
                .unwrap();
            outer.usage(Usage::new().input(100).output(10)).complete();
        });
        a.complete();
    });
    let span = capture.span("invoke_agent a");
    assert_eq!(int(&span, "llm.total_calls"), Some(2));
    assert_eq!(int(&span, "llm.total_tool_calls"), Some(1));
}

#[test]
fn a_total_that_leaves_unpriced_calls_out_says_so() {
    let capture = house();
    capture.record(|| {
        let a = agent("a").start();
        a.in_scope(|| {
            call_house();
            let unknown = chat("openai", "no-such-model").start();
            unknown.usage(Usage::new().input(1).output(1)).complete();
        });
        a.complete();
    });
    let span = capture.span("invoke_agent a");
    assert!(near(float(&span, "llm.total_cost_usd"), 0.000_12));
    assert_eq!(
        span.attr("llm.total_cost_complete"),
        Some(&Value::Bool(false))
    );
    assert_eq!(int(&span, "llm.total_tokens"), Some(112));
}

#[test]
fn failed_and_canceled_calls_count_with_what_they_used() {
    let capture = house();
    capture.record(|| {
        let a = agent("a").start();
        a.in_scope(|| {
            let failing = chat("openai", "house").start();
            failing.usage(Usage::new().input(100).output(10));
            failing.fail_as("timeout");
            let dropped = chat("openai", "house").start();
            dropped.usage(Usage::new().input(100).output(10));
        });
        a.complete();
    });
    let span = capture.span("invoke_agent a");
    assert_eq!(int(&span, "llm.total_calls"), Some(2));
    assert!(near(float(&span, "llm.total_cost_usd"), 0.000_24));
}

#[test]
fn an_agent_that_did_nothing_has_no_totals() {
    let capture = capture();
    capture.record(|| agent("idle").start().complete());
    let span = capture.span("invoke_agent idle");
    assert!(
        !span
            .attributes
            .iter()
            .any(|(name, _)| name.contains("total"))
    );
}

// === what children take over ===

#[test]
fn spans_inside_an_agent_carry_its_name_and_inner_agents_their_own() {
    let capture = capture();
    capture.record(|| {
        agent("outer")
            .in_scope(|_| {
                tool("t").start().complete();
                chat("openai", "m").start().complete();
                step("s").start().complete();
                agent("inner").in_scope(|_| {
                    tool("u").start().complete();
                    Ok::<_, NotFound>(())
                })
            })
            .unwrap();
    });
    for (span, name) in [
        ("execute_tool t", Some("outer")),
        ("chat m", Some("outer")),
        ("execute_tool u", Some("inner")),
        ("invoke_agent inner", Some("inner")),
        ("s", None),
    ] {
        assert_eq!(
            text(&capture.span(span), "gen_ai.agent.name"),
            name,
            "{span}"
        );
    }
    let of_step = event(&capture, "step.completed");
    assert_eq!(of_step.who.agent_name.as_deref(), Some("outer"));
    for started in capture
        .events()
        .iter()
        .filter(|e| e.ty == "tool.call.started")
    {
        assert!(started.attr("gen_ai.agent.name").is_some());
    }
}

#[test]
fn conversation_and_session_given_at_the_start_reach_everything_below() {
    let capture = capture();
    capture.record(|| {
        let w = workflow("w")
            .conversation_id("conv-1")
            .session_id("session-1")
            .start();
        w.in_scope(|| {
            agent("a")
                .in_scope(|_| tool("t").in_scope(|_| Ok::<_, NotFound>(())))
                .unwrap();
        });
        w.complete();
    });
    for span in capture.spans() {
        assert_eq!(text(&span, "gen_ai.conversation.id"), Some("conv-1"));
        assert_eq!(text(&span, "session.id"), Some("session-1"));
    }
    for event in capture.events() {
        assert_eq!(event.who.conversation_id.as_deref(), Some("conv-1"));
        assert_eq!(event.who.session_id.as_deref(), Some("session-1"));
    }
}

#[test]
fn a_conversation_recorded_late_reaches_what_starts_afterwards() {
    let capture = capture();
    capture.record(|| {
        let a = agent("a").start();
        a.set("gen_ai.conversation.id", "by set");
        a.in_scope(|| tool("t").start().complete());
        a.complete();
        let span = info_span!(
            "b",
            gen_ai.operation.name = "invoke_agent",
            gen_ai.conversation.id = field::Empty
        );
        span.record("gen_ai.conversation.id", "by record");
        span.in_scope(|| tool("u").start().complete());
        use tracing_genai::SpanExt as _;
        let span = info_span!("c");
        span.set_attribute("gen_ai.conversation.id", "by extension");
        span.in_scope(|| tool("v").start().complete());
    });
    for (span, id) in [
        ("invoke_agent a", "by set"),
        ("execute_tool t", "by set"),
        ("execute_tool u", "by record"),
        ("execute_tool v", "by extension"),
    ] {
        let span = capture.span(span);
        assert_eq!(text(&span, "gen_ai.conversation.id"), Some(id));
    }
}

#[test]
fn a_session_on_a_span_that_is_no_genai_span_reaches_what_is_inside() {
    let capture = capture();
    capture.record(|| {
        info_span!(target: "axum", "request", session.id = "session-1")
            .in_scope(|| tool("t").start().complete());
    });
    let span = capture.span("execute_tool t");
    assert_eq!(text(&span, "session.id"), Some("session-1"));
}

#[test]
fn tasks_and_threads_inside_an_agent_inherit_across_the_spawn() {
    let capture = capture();
    capture.record(|| {
        let a = agent("planner").conversation_id("conv-1").start();
        block_on(async {
            let task = async { tool("task").start().complete() }
                .instrument(a.span().clone())
                .with_current_subscriber();
            tokio::spawn(task).await.unwrap();
        });
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    tool("thread").parent(a.span()).start().complete();
                });
            });
        });
        a.complete();
    });
    for name in ["execute_tool task", "execute_tool thread"] {
        let span = capture.span(name);
        assert_eq!(text(&span, "gen_ai.agent.name"), Some("planner"));
        assert_eq!(text(&span, "gen_ai.conversation.id"), Some("conv-1"));
    }
}

#[test]
fn what_a_span_says_itself_wins_over_what_it_inherits() {
    let capture = capture();
    capture.record(|| {
        let a = agent("a").conversation_id("outer").start();
        a.in_scope(|| tool("t").conversation_id("own").start().complete());
        a.complete();
    });
    let span = capture.span("execute_tool t");
    assert_eq!(text(&span, "gen_ai.conversation.id"), Some("own"));
}

#[test]
fn moments_know_who_they_are_about() {
    let capture = capture();
    capture.record(|| {
        let a = agent("planner").conversation_id("conv-1").start();
        a.in_scope(|| tracing::info!(genai.event = "tool.call.selected", tool = "search"));
        a.complete();
    });
    let moment = event(&capture, "tool.call.selected");
    assert_eq!(moment.who.agent_name.as_deref(), Some("planner"));
    assert_eq!(moment.who.conversation_id.as_deref(), Some("conv-1"));
}
