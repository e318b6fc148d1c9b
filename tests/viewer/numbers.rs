//! The page's numbers are the exported ones, whoever called whom.

use opentelemetry::Value as OtelValue;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use serde_json::{Value, json};
use tracing_genai::event::Usage;
use tracing_genai::{agent, chat, embeddings, step, tool, workflow};

use super::client::{SOON, get};
use super::{builder, record, url};

fn number(span: &SpanData, name: &str) -> Option<f64> {
    let found = span.attributes.iter().find(|kv| kv.key.as_str() == name)?;
    match &found.value {
        OtelValue::I64(n) => Some(*n as f64),
        OtelValue::F64(x) => Some(*x),
        OtelValue::Bool(flag) => Some(f64::from(u8::from(*flag))),
        other => panic!("{name} is {other:?}"),
    }
}

fn used(input: u64, output: u64) -> Usage {
    Usage::new().input(input).output(output)
}

/// What happens inside the agent.
const PROGRAMS: &[(&str, fn())] = &[
    ("nothing", || ()),
    ("two calls", || {
        chat("openai", "gpt-4o")
            .start()
            .usage(used(3, 1))
            .complete();
        chat("openai", "gpt-4o")
            .start()
            .usage(used(5, 2))
            .complete();
    }),
    ("a framework's call around its client's", || {
        let outer = chat("openai", "gpt-4o").start();
        outer.in_scope(|| {
            chat("openai", "gpt-4o")
                .start()
                .usage(used(7, 3))
                .complete()
        });
        outer.complete();
    }),
    ("a call that knows around one that knows", || {
        let outer = chat("openai", "gpt-4o").start();
        outer.in_scope(|| {
            chat("openai", "gpt-4o")
                .start()
                .usage(used(7, 3))
                .complete()
        });
        outer.usage(used(7, 3)).complete();
    }),
    ("attempts inside a call", || {
        let outer = chat("openai", "gpt-4o").start();
        outer.in_scope(|| {
            chat("openai", "gpt-4o").start().fail_as("rate_limited");
            chat("openai", "gpt-4o")
                .start()
                .usage(used(2, 1))
                .complete();
            chat("openai", "gpt-4o")
                .start()
                .usage(used(2, 1))
                .complete();
        });
        outer.complete();
    }),
    ("three deep", || {
        let outer = chat("openai", "gpt-4o").start();
        let middle = outer.in_scope(|| chat("openai", "gpt-4o").start());
        middle.in_scope(|| {
            chat("openai", "gpt-4o")
                .start()
                .usage(used(4, 4))
                .complete()
        });
        middle.complete();
        outer.complete();
    }),
    ("a call inside that ends after the outer one", || {
        let outer = chat("openai", "gpt-4o").start();
        let inner = outer.in_scope(|| chat("openai", "gpt-4o").start());
        outer.complete();
        inner.usage(used(9, 9)).complete();
    }),
    (
        "a call inside that knows nothing and ends after the outer one",
        || {
            let outer = chat("openai", "gpt-4o").start();
            let inner = outer.in_scope(|| chat("openai", "gpt-4o").start());
            outer.usage(used(9, 9)).complete();
            inner.complete();
        },
    ),
    ("embeddings inside a chat", || {
        let outer = chat("openai", "gpt-4o").start();
        outer.in_scope(|| {
            embeddings("openai", "text-embedding-3-small")
                .start()
                .usage(Usage::new().input(6))
                .complete();
        });
        outer.usage(used(1, 1)).complete();
    }),
    ("a call inside a tool inside a call", || {
        let outer = chat("openai", "gpt-4o").start();
        outer.in_scope(|| {
            let tool = tool("summarise").start();
            tool.in_scope(|| {
                chat("openai", "gpt-4o")
                    .start()
                    .usage(used(8, 2))
                    .complete()
            });
            tool.complete();
        });
        outer.usage(used(20, 1)).complete();
    }),
    ("an agent inside an agent inside a workflow", || {
        let workflow = workflow("flow").start();
        workflow.in_scope(|| {
            let inner = agent("inner").start();
            inner.in_scope(|| {
                let step = step("think").start();
                step.in_scope(|| {
                    chat("openai", "gpt-4o")
                        .start()
                        .usage(used(1, 2))
                        .complete()
                });
                step.complete();
                tool("find").start().fail_as("no_room");
            });
            inner.complete();
        });
        workflow.complete();
    }),
    (
        "a call that failed, and one that nobody has a price for",
        || {
            chat("openai", "gpt-4o").start().fail_as("rate_limited");
            chat("nobody", "unheard-of")
                .start()
                .usage(used(1, 1))
                .complete();
            chat("openai", "gpt-4o")
                .start()
                .usage(used(1, 1))
                .complete();
        },
    ),
    ("a call that was dropped", || {
        drop(chat("openai", "gpt-4o").start())
    }),
    ("a call that was blocked", || {
        let call = chat("openai", "gpt-4o").start();
        call.block("no such model here");
    }),
    ("an agent that reports a sum and no calls", || {
        agent("remote")
            .start()
            .set("gen_ai.usage.input_tokens", 11)
            .set("gen_ai.usage.output_tokens", 4)
            .complete();
    }),
    (
        "a reporting agent inside a reporting agent beside a call",
        || {
            let outer = agent("outer").start();
            outer.in_scope(|| {
                agent("remote")
                    .start()
                    .set("gen_ai.usage.input_tokens", 11)
                    .set("gen_ai.usage.output_tokens", 4)
                    .complete();
            });
            outer
                .set("gen_ai.usage.input_tokens", 11)
                .set("gen_ai.usage.output_tokens", 4)
                .complete();
            chat("openai", "gpt-4o")
                .start()
                .usage(used(1, 1))
                .complete();
        },
    ),
    ("an agent that reports what its calls did not", || {
        let outer = agent("outer").start();
        outer.in_scope(|| chat("openai", "gpt-4o").start().complete());
        outer
            .set("gen_ai.usage.input_tokens", 30)
            .set("gen_ai.usage.output_tokens", 3)
            .set("gen_ai.usage.cost", 0.25)
            .complete();
    }),
    ("an agent that reports what its calls did too", || {
        let outer = agent("outer").start();
        outer.in_scope(|| {
            chat("openai", "gpt-4o")
                .start()
                .usage(used(30, 3))
                .complete()
        });
        outer
            .set("gen_ai.usage.input_tokens", 30)
            .set("gen_ai.usage.output_tokens", 3)
            .complete();
    }),
];

#[tokio::test]
async fn a_runs_totals_are_its_agents_exported_ones_however_calls_are_nested() {
    let exporter = InMemorySpanExporter::default();
    let telemetry = builder().span_exporter(exporter.clone()).build().unwrap();
    record(&telemetry, || {
        for (name, program) in PROGRAMS {
            let agent = agent(name).start();
            agent.in_scope(program);
            agent.complete();
        }
    });
    assert!(telemetry.flush(SOON).is_complete());
    let exported = exporter.get_finished_spans().unwrap();
    let mut wrong = Vec::new();
    for (name, _) in PROGRAMS {
        let title = format!("invoke_agent {name}");
        let root = exported.iter().find(|span| *span.name == title).unwrap();
        let trace = root.span_context.trace_id();
        let (_, shown) = get(&format!("{}api/runs/{trace}", url(&telemetry))).await;
        for (field, name) in [
            ("calls", "llm.total_calls"),
            ("tools", "llm.total_tool_calls"),
            ("input", "gen_ai.aggregated_usage.input_tokens"),
            ("output", "gen_ai.aggregated_usage.output_tokens"),
            ("cost", "gen_ai.aggregated_usage.cost"),
        ] {
            let (page, there) = (shown["run"][field].as_f64(), number(root, name));
            let same = page == there || (there.unwrap_or(0.0) == 0.0 && page.unwrap_or(0.0) == 0.0);
            if !same {
                wrong.push(format!("{title}: {field} is {page:?}, exported {there:?}"));
            }
        }
        let complete =
            number(root, "llm.total_cost.complete").or(number(root, "llm.total_cost_complete"));
        let partial = shown["run"]["partial"] == json!(true);
        if partial != (complete == Some(0.0)) {
            wrong.push(format!(
                "{title}: partial is {partial}, exported {complete:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_spans_attributes_are_the_exported_ones() {
    let exporter = InMemorySpanExporter::default();
    let telemetry = builder().span_exporter(exporter.clone()).build().unwrap();
    record(&telemetry, || {
        let agent = agent("planner")
            .session_id("s-1")
            .conversation_id("c-1")
            .start();
        agent.in_scope(|| {
            for (_, program) in PROGRAMS {
                program();
            }
            tracing::info_span!("http", otel.kind = "client", http.status = 200).in_scope(|| ());
        });
        agent.complete();
    });
    assert!(telemetry.flush(SOON).is_complete());
    for span in exporter.get_finished_spans().unwrap() {
        let (trace, id) = (span.span_context.trace_id(), span.span_context.span_id());
        let (_, shown) = get(&format!("{}api/runs/{trace}/{id}", url(&telemetry))).await;
        let attributes = shown["attributes"].as_object().unwrap();
        let mut names: Vec<&str> = attributes.keys().map(String::as_str).collect();
        let mut there: Vec<&str> = span.attributes.iter().map(|kv| kv.key.as_str()).collect();
        names.sort_unstable();
        there.sort_unstable();
        assert_eq!(names, there, "{}", span.name);
    }
}

/// Ends of steps without their starts, in one trace and inside nothing.
fn ends(telemetry: &tracing_genai::Telemetry, n: usize) {
    for n in 0..n {
        let document = json!({
            "StepName": format!("step {n}"), "EventType": "step.completed", "Timestamp": "2026-03-15T09:00:00Z",
            "CorrelationId": "req-7", "Success": true, "Duration": "00:00:01",
        });
        telemetry
            .import(tracing_genai::event::Dialect::AiTaskAgent, &document)
            .unwrap();
    }
}

#[tokio::test]
async fn a_run_of_nothing_but_roots_makes_room_too() {
    let telemetry = builder()
        .viewer(tracing_genai::viewer::Viewer::new("127.0.0.1:0").spans(50))
        .build()
        .unwrap();
    ends(&telemetry, 300);
    telemetry.flush(SOON);
    let (_, found) = get(&format!("{}api/search?q=&limit=1000", url(&telemetry))).await;
    let kept = found["spans"].as_array().unwrap().len();
    assert!((1..=50).contains(&kept), "{kept} spans are kept");
    let trace = found["spans"][0]["trace"].as_str().unwrap();
    let (_, shown) = get(&format!("{}api/runs/{trace}", url(&telemetry))).await;
    assert_eq!(shown["run"]["spans"], 300);
}

#[tokio::test]
async fn a_run_that_was_called_from_elsewhere_keeps_the_span_it_came_in_by() {
    use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceFlags, TraceState};
    let telemetry = builder()
        .viewer(tracing_genai::viewer::Viewer::new("127.0.0.1:0").spans(50))
        .build()
        .unwrap();
    let caller = SpanContext::new(
        opentelemetry::TraceId::from(7_u128),
        opentelemetry::SpanId::from(9_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let caller = opentelemetry::Context::new().with_remote_span_context(caller);
    record(&telemetry, || {
        let agent = agent("called").remote_parent(&caller).start();
        agent.in_scope(|| chat("openai", "gpt-4o").start().complete());
        agent.complete();
        // Later work of the same caller.
        for _ in 0..200 {
            chat("openai", "gpt-4o")
                .remote_parent(&caller)
                .start()
                .complete();
        }
    });
    telemetry.flush(SOON);
    let trace = opentelemetry::TraceId::from(7_u128);
    let (_, shown) = get(&format!("{}api/runs/{trace}", url(&telemetry))).await;
    assert_eq!(
        (&shown["run"]["name"], &shown["run"]["calls"]),
        (&json!("invoke_agent called"), &json!(201))
    );
    assert!(shown["spans"].as_array().unwrap().len() <= 50);
}

#[tokio::test]
async fn a_span_that_says_it_lies_in_itself_is_shown() {
    let telemetry = builder().build().unwrap();
    let document = json!({
        "event": "LLM_call_finish", "timestamp": "2026-01-01T00:00:00Z", "level": "info",
        "trace_id": "00000000000000000000000000000005", "span_id": "0000000000000006", "parent_span_id": "0000000000000006",
        "name": "llm.call.finish", "agent_id": "a", "session_id": "s", "schema_version": "1.0",
        "attributes": {"llm.request.model": "gpt-4o"},
    });
    let taken = telemetry.import(tracing_genai::event::Dialect::CylestioOtel, &document);
    println!("{taken:?}");
    taken.unwrap();
    telemetry.flush(SOON);
    let (_, found) = get(&format!("{}api/search?q=", url(&telemetry))).await;
    let span = &found["spans"][0];
    assert_eq!(span["parent"], span["id"], "{found:#}");
    let trace = span["trace"].as_str().unwrap();
    let (status, shown) = get(&format!("{}api/runs/{trace}", url(&telemetry))).await;
    assert_eq!(
        (status.as_u16(), shown["spans"].as_array().map(Vec::len)),
        (200, Some(1))
    );
}

#[tokio::test]
async fn a_few_letters_find_what_mentions_them_and_not_every_number() {
    let telemetry = builder()
        .deterministic(std::time::Duration::from_millis(1))
        .build()
        .unwrap();
    record(&telemetry, || {
        chat("openai", "gpt-4o").start().complete();
        agent("found")
            .in_scope(|span| {
                span.event("note.made")
                    .body(json!({"where": "0000 Elm Street"}))
                    .emit();
                Ok::<_, String>(())
            })
            .unwrap();
    });
    telemetry.flush(SOON);
    let search = async |q: &str| -> Vec<Value> {
        let (_, found) = get(&format!("{}api/search?q={q}", url(&telemetry))).await;
        found["spans"].as_array().unwrap().clone()
    };
    assert_eq!(
        search("0000").await.len(),
        0,
        "ids are full of zeros, and nothing says so"
    );
    let all = search("").await;
    let id = all[0]["id"].as_str().unwrap();
    assert_eq!(
        search(id).await.len(),
        1,
        "a whole id is what somebody looks for"
    );
    let trace = all[0]["trace"].as_str().unwrap();
    assert_eq!(search(trace).await.len(), 1);
}

/// What is shown after a restart is what was shown before it.
#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_restart_changes_no_runs_totals_and_doubles_no_moment() {
    use tracing_genai::history::SqliteStore;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.db");
    let build = || {
        builder()
            .capture(tracing_genai::content::CaptureMode::Redacted)
            .history(SqliteStore::open(&file).unwrap())
            .build()
            .unwrap()
    };
    let runs = async |telemetry: &tracing_genai::Telemetry| -> Vec<Value> {
        let mut live = super::client::Live::open(&url(telemetry), "").await;
        let mut runs = live
            .until(|changes| {
                let runs = changes["runs"].as_array()?;
                (runs.len() == PROGRAMS.len()).then(|| runs.clone())
            })
            .await;
        runs.sort_by_key(|run| run["name"].to_string());
        runs
    };
    let moments = async |telemetry: &tracing_genai::Telemetry| -> Vec<String> {
        let (_, found) = get(&format!("{}api/search?q=note.made", url(telemetry))).await;
        let spans = found["spans"].as_array().unwrap();
        let moments = spans
            .iter()
            .flat_map(|span| span["moments"].as_array().cloned().unwrap_or_default());
        moments.map(|moment| moment["type"].to_string()).collect()
    };
    let before = build();
    record(&before, || {
        for (name, program) in PROGRAMS {
            let agent = agent(name).start();
            agent.in_scope(program);
            agent.event("note.made").emit();
            agent.complete();
        }
    });
    before.flush(SOON);
    let (shown, told) = (runs(&before).await, moments(&before).await);
    assert_eq!(told.len(), PROGRAMS.len());
    assert!(before.shutdown().is_complete());
    let after = build();
    let (again, told_again) = (runs(&after).await, moments(&after).await);
    assert_eq!(told_again, told);
    let mut wrong = Vec::new();
    for (a, b) in shown.iter().zip(&again) {
        for field in [
            "name", "status", "agent", "start", "end", "calls", "tools", "input", "output", "cost",
            "partial", "errors", "models",
        ] {
            // A call inside a call is a plain span, and the history has none of those: of one that failed, or that ended too late to
            // be one, it cannot be told what it was.
            let nested = a["name"].as_str().unwrap();
            let lost = nested.ends_with("attempts inside a call") && field == "errors"
                || nested.ends_with("ends after the outer one") && field == "calls";
            if a[field] != b[field] && !lost {
                wrong.push(format!(
                    "{}: {field} was {}, is {}",
                    a["name"], a[field], b[field]
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_tree_of_a_thousand_levels_and_a_run_of_many_moments_are_shown() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || {
        let mut spans = vec![agent("deep").start()];
        for level in 0..1_000 {
            let inner = spans[level].in_scope(|| agent("deeper").start());
            spans.push(inner);
        }
        for _ in 0..5_000 {
            spans[0].event("note.made").emit();
        }
        while let Some(span) = spans.pop() {
            span.complete();
        }
    });
    telemetry.flush(SOON);
    let (_, found) = get(&format!("{}api/search?q=note.made", url(&telemetry))).await;
    let span = &found["spans"][0];
    assert_eq!(span["moments"].as_array().unwrap().len(), 100);
    assert_eq!(span["more"], 4_900);
    let (_, shown) = get(&format!(
        "{}api/runs/{}",
        url(&telemetry),
        span["trace"].as_str().unwrap()
    ))
    .await;
    assert_eq!(shown["run"]["spans"], 1_001);
}

#[tokio::test]
async fn a_call_that_three_layers_tell_of_is_one() {
    let exporter = InMemorySpanExporter::default();
    let telemetry = builder().span_exporter(exporter.clone()).build().unwrap();
    for (knows_middle, knows_inner) in [(true, true), (false, true), (true, false)] {
        exporter.reset();
        record(&telemetry, || {
            let outer = chat("openai", "gpt-4o").start();
            let middle = outer.in_scope(|| chat("openai", "gpt-4o").start());
            let inner = middle.in_scope(|| chat("openai", "gpt-4o").start());
            if knows_inner {
                inner.usage(used(4, 4));
            }
            inner.complete();
            if knows_middle {
                middle.usage(used(4, 4));
            }
            middle.complete();
            outer.complete();
        });
        telemetry.flush(SOON);
        let spans = exporter.get_finished_spans().unwrap();
        let outer = spans
            .iter()
            .find(|span| span.parent_span_id == opentelemetry::SpanId::INVALID)
            .unwrap();
        assert_eq!(
            (
                number(outer, "gen_ai.usage.input_tokens"),
                number(outer, "gen_ai.usage.cost").is_some()
            ),
            (Some(4.0), true),
            "{knows_middle} {knows_inner}"
        );
    }
}
