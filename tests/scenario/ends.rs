//! How runs end.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use opentelemetry::trace::Status;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Event, EventSpec as _, Level, ScenarioRunFailed, Value};
use tracing_genai::scenario::{EvaluatorResult, Results, Run, Scenario, Verdict, payload};
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{agent, chat, tool};

use super::support::ends::NotFound;
use super::support::waiting::block_on;
use super::{of, only, text};

fn scenario() -> Scenario {
    Scenario::new("weather query test").run_id("run-456")
}

fn judged() -> Results {
    Results::failure()
        .reasoning("The agent never said the temperature.")
        .met("Agent is helpful")
        .unmet("Agent gives a temperature")
        .undecided("Agent is brief")
        .evaluation(
            EvaluatorResult::new("toxicity")
                .score(0.01)
                .passed(true)
                .details("clean"),
        )
}

/// Starts a run, which is not held any more when it is ended by others.
type Way = fn(&Capture);

/// Every way out of a run, and what it says then: status, verdict, phase, `error.type`, reason.
const WAYS: [(&str, Way, [&str; 5]); 17] = [
    (
        "finish, success",
        |_| scenario().start().finish(Results::success()),
        ["SUCCESS", "success", "completed", "", ""],
    ),
    (
        "finish, failure",
        |_| scenario().start().finish(judged()),
        ["FAILED", "failure", "failed", "verdict_failure", ""],
    ),
    (
        "finish, inconclusive",
        |_| scenario().start().finish(Results::inconclusive()),
        ["FAILED", "inconclusive", "failed", "verdict_failure", ""],
    ),
    (
        "fail",
        |_| scenario().start().fail(&NotFound),
        [
            "ERROR",
            "inconclusive",
            "failed",
            "scenario::support::ends::NotFound",
            "",
        ],
    ),
    (
        "cancel",
        |_| scenario().start().cancel("budget"),
        ["CANCELLED", "inconclusive", "canceled", "", "budget"],
    ),
    (
        "early return",
        |_| {
            fn early() -> Result<(), NotFound> {
                let run = scenario().start();
                Err(NotFound)?;
                run.finish(Results::success());
                Ok(())
            }
            assert!(early().is_err());
        },
        ["CANCELLED", "inconclusive", "canceled", "", "dropped"],
    ),
    (
        "panic",
        |_| {
            let panicked = catch_unwind(|| {
                let _run = scenario().start();
                panic!("on purpose");
            });
            assert!(panicked.is_err());
        },
        ["ERROR", "inconclusive", "failed", "panic", ""],
    ),
    (
        "Err in a future of the run",
        |_| {
            let run = scenario().start();
            let failed = block_on(run.run(async { Err::<(), _>(NotFound) }));
            assert!(failed.is_err());
            // Too late, and no second end.
            run.finish(Results::success().met("Agent is helpful"));
        },
        [
            "ERROR",
            "inconclusive",
            "failed",
            "scenario::support::ends::NotFound",
            "",
        ],
    ),
    (
        "dropped future of the run",
        |_| {
            let run = scenario().start();
            block_on(async {
                let play = run.run(pending::<Result<(), NotFound>>());
                let late = tokio::time::timeout(Duration::from_millis(5), play).await;
                assert!(late.is_err());
            });
        },
        ["CANCELLED", "inconclusive", "canceled", "", "dropped"],
    ),
    (
        "future of the run that is never polled",
        |_| {
            let run = scenario().start();
            drop(run.run(pending::<Result<(), NotFound>>()));
        },
        ["CANCELLED", "inconclusive", "canceled", "", "dropped"],
    ),
    (
        "panic in a future of the run, caught around the poll",
        |_| {
            let run = scenario().start();
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                block_on(run.run(async {
                    if true {
                        panic!("on purpose");
                    }
                    Ok::<(), NotFound>(())
                }))
            }));
            assert!(panicked.is_err());
            run.finish(Results::success());
        },
        ["ERROR", "inconclusive", "failed", "panic", ""],
    ),
    (
        "Scenario::run, results",
        |_| {
            let played = block_on(scenario().run(async |_: &Run| Ok::<_, NotFound>(judged())));
            assert_eq!(played.unwrap(), Verdict::Failure);
        },
        ["FAILED", "failure", "failed", "verdict_failure", ""],
    ),
    (
        "Scenario::run, Err",
        |_| {
            let played = block_on(scenario().run(async |_: &Run| Err(NotFound)));
            assert!(played.is_err());
        },
        [
            "ERROR",
            "inconclusive",
            "failed",
            "scenario::support::ends::NotFound",
            "",
        ],
    ),
    (
        "Scenario::run on a runtime that ends before it",
        |_| {
            let (started, wait) = std::sync::mpsc::channel();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            let task = runtime.spawn(scenario().run(async move |_: &Run| {
                started.send(()).unwrap();
                pending::<Result<Results, NotFound>>().await
            }));
            runtime.block_on(tokio::task::yield_now());
            wait.try_recv().unwrap();
            drop((runtime, task));
        },
        ["CANCELLED", "inconclusive", "canceled", "", "dropped"],
    ),
    (
        "Scenario::in_scope, results",
        |_| {
            let played = scenario().in_scope(|_| Ok::<_, NotFound>(Results::success()));
            assert_eq!(played.unwrap(), Verdict::Success);
        },
        ["SUCCESS", "success", "completed", "", ""],
    ),
    (
        "Scenario::in_scope, Err",
        |_| assert!(scenario().in_scope(|_| Err(NotFound)).is_err()),
        [
            "ERROR",
            "inconclusive",
            "failed",
            "scenario::support::ends::NotFound",
            "",
        ],
    ),
    (
        "shutdown of the telemetry, and finished after it",
        |capture| {
            let run = scenario().start();
            capture.telemetry().shutdown();
            run.finish(judged());
        },
        ["CANCELLED", "inconclusive", "canceled", "", ""],
    ),
];

#[test]
fn a_run_has_one_start_and_one_end_on_every_way_out() {
    for (name, way, [status, verdict, phase, error, reason]) in WAYS {
        let capture = capture();
        capture.record(|| way(&capture));
        let events = capture.events();
        assert_eq!(of(&events, "workflow.started").len(), 1, "{name}");
        let ends: Vec<_> = events.iter().filter(|it| it.phase.is_terminal()).collect();
        assert_eq!(ends.len(), 1, "{name}: {events:?}");
        let end = ends[0];
        assert_eq!(end.phase.as_str(), phase, "{name}");
        assert_eq!(end.flavor.as_str(), "scenario", "{name}");
        assert_eq!(text(end, "scenario.status"), Some(status), "{name}");
        assert_eq!(text(end, "scenario.verdict"), Some(verdict), "{name}");
        let told = |wanted| Some(wanted).filter(|it: &&str| !it.is_empty());
        let kind = end.error.as_ref().map(|error| &*error.kind);
        assert_eq!(kind, told(error), "{name}");
        assert_eq!(text(end, "scenario.results.reason"), told(reason), "{name}");
        let spans = capture.spans();
        assert_eq!(spans.len(), 1, "{name}");
        assert_eq!(
            spans[0].name, "invoke_workflow weather query test",
            "{name}"
        );
        assert_eq!(spans[0].attr("scenario.status"), Some(&status.into()));
        assert_eq!(spans[0].span_id, end.cx.span, "{name}");
        let broken = matches!(spans[0].status, Status::Error { .. });
        assert_eq!(broken, phase == "failed", "{name}");
        let report = capture.flush();
        assert!(
            report.partial.is_empty(),
            "{name}: nothing is said too late"
        );
        let json = payload(end).unwrap();
        assert_eq!(json["status"], status, "{name}");
        assert_eq!(json["results"]["verdict"], verdict, "{name}");
    }
}

#[cfg(feature = "otlp")]
#[test]
fn a_run_is_one_span_and_its_snapshots_and_verdicts_log_records_at_the_collector() {
    use tracing_genai::otlp::OtlpConfig;

    for (name, way, [status, ..]) in WAYS {
        let collector = super::support::collector::Collector::start();
        let otlp = OtlpConfig::new().endpoint(collector.endpoint());
        let capture = capture_with(|builder| builder.otlp(otlp));
        capture.record(|| way(&capture));
        assert!(capture.telemetry().shutdown().is_complete(), "{name}");
        let spans = collector.spans();
        assert_eq!(spans.len(), 1, "{name}");
        let told = |key: &str| {
            let found = spans[0].attributes.iter().find(|it| it.key == key);
            format!("{:?}", found.and_then(|it| it.value.clone()))
        };
        assert!(told("scenario.status").contains(status), "{name}");
        assert!(told("scenario.run.id").contains("run-456"), "{name}");
        let records = collector.log_records();
        let judged = ["finish, failure", "Scenario::run, results"].contains(&name);
        assert_eq!(records.len(), if judged { 4 } else { 0 }, "{name}");
        for record in records {
            assert_eq!(record.event_name, "gen_ai.evaluation.result");
            assert_eq!(record.span_id, spans[0].span_id);
        }
    }
}

#[test]
fn each_criterion_and_evaluator_is_an_evaluation_result_before_the_end() {
    let capture = capture();
    capture.record(|| scenario().start().finish(judged()));
    let events = capture.events();
    let told: Vec<_> = of(&events, "evaluation.result")
        .iter()
        .map(|event| {
            assert_eq!(text(event, "scenario.run.id"), Some("run-456"));
            assert_eq!(event.cx.span, only(&events, "workflow.failed").cx.span);
            (
                text(event, "gen_ai.evaluation.name").unwrap(),
                text(event, "gen_ai.evaluation.score.label"),
                event
                    .attr("gen_ai.evaluation.score.value")
                    .and_then(Value::as_f64),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Agent is helpful", Some("pass"), Some(1.0)),
            ("Agent gives a temperature", Some("fail"), Some(0.0)),
            ("Agent is brief", Some("inconclusive"), None),
            ("toxicity", None, Some(0.01)),
        ]
    );
    assert!(events.last().unwrap().phase.is_terminal());
}

#[test]
fn the_verdict_is_on_the_view_with_its_criteria() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Full));
    capture.record(|| scenario().start().finish(judged()));
    let events = capture.events();
    let end = only(&events, "workflow.failed");
    let view = ScenarioRunFailed::view(end).unwrap();
    assert_eq!(view.name, Some("weather query test"));
    assert_eq!(view.scenario_id, Some("weather-query-test"));
    assert_eq!(view.set_id, Some("default"));
    assert_eq!(
        (view.status, view.verdict),
        (Some("FAILED"), Some("failure"))
    );
    assert_eq!(view.met_criteria, ["Agent is helpful"]);
    assert_eq!(
        view.unmet_criteria,
        ["Agent gives a temperature", "Agent is brief"]
    );
    assert_eq!(view.inconclusive_criteria, ["Agent is brief"]);
    assert_eq!(
        view.reasoning,
        Some("The agent never said the temperature.")
    );
    assert_eq!(end.level, Level::Error);
}

#[test]
fn finishing_one_run_ends_that_run_and_not_the_others() {
    let capture = capture();
    capture.record(|| {
        let first = Scenario::new("a").run_id("run-1").root().start();
        let second = Scenario::new("b").run_id("run-2").root().start();
        first.finish(Results::success());
        let half: Vec<Event> = capture.events();
        let ended = of(&half, "workflow.completed");
        assert_eq!(ended.len(), 1);
        assert_eq!(text(ended[0], "scenario.run.id"), Some("run-1"));
        second.messages(&[]);
        second.finish(Results::success());
    });
    let events = capture.events();
    let run = |ty| {
        let all = of(&events, ty).into_iter();
        all.map(|event| text(event, "scenario.run.id").unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(run("workflow.completed"), ["run-1", "run-2"]);
    assert_eq!(run("conversation.snapshot"), ["run-2"]);
}

#[test]
fn agents_model_calls_and_tools_of_a_run_are_its_children() {
    let capture = capture();
    capture.record(|| {
        let verdict = block_on(scenario().run(async |run: &Run| {
            agent("WeatherAgent")
                .run(async {
                    chat("openai", "gpt-4o-mini").start().complete();
                    tool("get_weather")
                        .run(async { Ok::<_, NotFound>(14) })
                        .await
                })
                .await?;
            let elsewhere = tool("notify").parent(run.span());
            elsewhere.start().complete();
            Ok::<_, NotFound>(Results::success())
        }));
        assert!(verdict.is_ok());
    });
    let run = capture.span("invoke_workflow weather query test");
    let agent = capture.span("invoke_agent WeatherAgent");
    assert_eq!(agent.parent_id, run.span_id);
    assert_eq!(capture.span("execute_tool notify").parent_id, run.span_id);
    for name in ["chat gpt-4o-mini", "execute_tool get_weather"] {
        assert_eq!(capture.span(name).parent_id, agent.span_id, "{name}");
    }
    let ids = capture.spans();
    assert!(ids.iter().all(|span| span.trace_id == run.trace_id));
}

#[test]
fn a_run_of_a_spawned_task_is_played_on_a_runtime_of_several_threads() {
    let capture = capture();
    capture.record(|| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        runtime.block_on(async {
            use tracing::instrument::WithSubscriber as _;
            let play = async {
                let run = scenario().start();
                run.run(async {
                    tokio::task::yield_now().await;
                    Ok::<_, NotFound>(())
                })
                .await?;
                run.finish(Results::success());
                Ok::<_, NotFound>(())
            };
            let played = tokio::spawn(play.with_subscriber(dispatch)).await.unwrap();
            assert!(played.is_ok());
        });
    });
    let events = capture.events();
    assert_eq!(
        text(only(&events, "workflow.completed"), "scenario.status"),
        Some("SUCCESS")
    );
}

#[test]
fn ids_that_are_not_given_are_made_and_the_batch_is_the_same_in_one_process() {
    let runs = [Scenario::new("Größe XL!").start(), scenario().start()];
    assert_eq!(runs[0].scenario_id(), "größe-xl");
    assert_eq!(runs[0].set_id(), "default");
    assert!(runs[0].run_id().starts_with("scenariorun_"));
    assert_eq!(runs[1].run_id(), "run-456");
    assert_eq!(runs[0].batch_run_id(), runs[1].batch_run_id());
    for run in runs {
        run.finish(Results::success());
    }
}

#[test]
fn the_batch_is_the_variables_where_it_is_set() {
    const TEST: &str = "ends::the_batch_is_the_variables_where_it_is_set";
    if std::env::var_os("SCENARIO_BATCH_RUN_ID").is_some() {
        let run = scenario().start();
        assert_eq!(run.batch_run_id(), "ci-job-7");
        return run.finish(Results::success());
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact"])
        .env("SCENARIO_BATCH_RUN_ID", "ci-job-7")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

#[test]
fn without_a_layer_a_run_works_and_records_nothing() {
    let run = scenario().start();
    run.messages(&[]);
    run.message("m", tracing_genai::message::Role::User)
        .push("x");
    run.finish(judged());
}
