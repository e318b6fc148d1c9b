//! What is shown of a run.

use std::collections::HashMap;

use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData};
use serde_json::{Value, json};
use tracing_genai::content::CaptureMode;
use tracing_genai::event::Usage;
use tracing_genai::message::Message;
use tracing_genai::security::Policy;
use tracing_genai::{agent, chat, tool};

use super::client::{Live, SOON, get, run};
use super::{builder, record, url};

fn trip() {
    let done = agent("planner").in_scope(|_| {
        tracing::info_span!("think").in_scope(|| {
            let call = chat("openai", "gpt-4o-mini")
                .messages(&[Message::user("Where is my umbrella?")])
                .start();
            tracing::info!(genai.event = "plan.refined", tools = 2);
            call.response_model("gpt-4o-mini-2024-07-18")
                .usage(Usage::new().input(140).output(32).cache_read(40))
                .output(&[Message::assistant("In the hall.")])
                .finish_reason("stop")
                .complete();
        });
        chat("openai", "gpt-4o-mini")
            .start()
            .usage(Usage::new().input(10).output(5))
            .complete();
        let _ = tool("find_hotel").in_scope(|_| Err::<(), _>("no room".to_owned()));
        tool("get_weather").in_scope(|_| Ok::<_, String>(()))
    });
    done.unwrap();
}

fn attribute(span: &SpanData, name: &str) -> Option<f64> {
    let found = span.attributes.iter().find(|kv| kv.key.as_str() == name)?;
    match &found.value {
        opentelemetry::Value::I64(n) => Some(*n as f64),
        opentelemetry::Value::F64(x) => Some(*x),
        other => panic!("{name} is {other:?}"),
    }
}

#[tokio::test]
async fn an_agents_run_is_shown_with_the_numbers_that_are_exported() {
    let exporter = InMemorySpanExporter::default();
    let telemetry = builder().span_exporter(exporter.clone()).build().unwrap();
    record(&telemetry, trip);
    assert!(telemetry.flush(SOON).is_complete());

    let mut live = Live::open(&url(&telemetry), "").await;
    let row = live
        .until(|changes| run(changes, "invoke_agent planner").cloned())
        .await;
    let trace = row["trace"].as_str().unwrap();
    let (_, shown) = get(&format!("{}api/runs/{trace}", url(&telemetry))).await;
    assert_eq!(shown["run"], row);
    let rows: HashMap<&str, &Value> = shown["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| (span["id"].as_str().unwrap(), span))
        .collect();

    let exported = exporter.get_finished_spans().unwrap();
    assert_eq!((exported.len(), rows.len()), (6, 6));
    for span in &exported {
        let row = rows[span.span_context.span_id().to_string().as_str()];
        assert_eq!(row["name"], *span.name);
        assert_eq!(row["trace"], span.span_context.trace_id().to_string());
        let parent = span.parent_span_id;
        let shown = row["parent"].as_str().map(str::to_owned);
        assert_eq!(
            shown,
            (parent != opentelemetry::SpanId::INVALID).then(|| parent.to_string())
        );
        for (field, name) in [
            ("input", "gen_ai.usage.input_tokens"),
            ("output", "gen_ai.usage.output_tokens"),
            ("cached", "gen_ai.usage.cache_read.input_tokens"),
            ("cost", "gen_ai.usage.cost"),
        ] {
            assert_eq!(
                row[field].as_f64(),
                attribute(span, name),
                "{} {field}",
                span.name
            );
        }
        let micros = |at: std::time::SystemTime| {
            at.duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_micros() as u64
        };
        assert_eq!(row["start"], micros(span.start_time));
        assert_eq!(row["end"], micros(span.end_time));
    }
    let root = exported
        .iter()
        .find(|span| span.name == "invoke_agent planner")
        .unwrap();
    for (field, name) in [
        ("calls", "llm.total_calls"),
        ("tools", "llm.total_tool_calls"),
        ("input", "gen_ai.aggregated_usage.input_tokens"),
        ("output", "gen_ai.aggregated_usage.output_tokens"),
        ("cost", "gen_ai.aggregated_usage.cost"),
    ] {
        assert_eq!(
            row[field].as_f64(),
            attribute(root, name),
            "the run's {field}"
        );
        let total = &rows[root.span_context.span_id().to_string().as_str()]["total"];
        assert_eq!(
            total[field].as_f64(),
            attribute(root, name),
            "the agent's {field}"
        );
    }
    assert_eq!(
        (&row["status"], &row["agent"], &row["errors"]),
        (&json!("completed"), &json!("planner"), &json!(1))
    );
}

#[tokio::test]
async fn kinds_errors_and_moments_are_on_the_rows() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || {
        trip();
        tracing::info_span!("job", otel.kind = "server").in_scope(|| {
            tracing::info!("a line");
            chat("openai", "gpt-4o").start().fail_as("rate_limited");
        });
    });
    telemetry.flush(SOON);
    let (_, found) = get(&format!("{}api/search?q=", url(&telemetry))).await;
    let spans = found["spans"].as_array().unwrap();
    let of = |name: &str| {
        spans
            .iter()
            .find(|span| span["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {spans:#?}"))
    };
    assert_eq!(of("invoke_agent planner")["kind"], "agent");
    assert_eq!(of("think")["kind"], "step");
    assert_eq!(of("execute_tool find_hotel")["kind"], "tool");
    assert_eq!(of("execute_tool find_hotel")["status"], "failed");
    assert_eq!(of("chat gpt-4o")["error"], "rate_limited");
    let call = spans.iter().find(|span| span["cached"] == 40).unwrap();
    assert_eq!(
        (&call["kind"], &call["model"], &call["requested"]),
        (
            &json!("llm"),
            &json!("gpt-4o-mini-2024-07-18"),
            &json!("gpt-4o-mini")
        )
    );
    assert_eq!(call["finish"], json!(["stop"]));
    assert!(call["content"].is_null(), "nothing is captured by default");
    let moments = |name: &str| -> Vec<String> {
        let all = of(name)["moments"].as_array().cloned().unwrap_or_default();
        all.iter()
            .map(|moment| {
                format!(
                    "{} {}",
                    moment["level"].as_str().unwrap(),
                    moment["type"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        moments("think"),
        ["info plan.refined"],
        "told once, though it is mirrored on the span"
    );
    assert_eq!(moments("job"), ["info a line"]);
}

#[tokio::test]
async fn totals_by_model_add_up_the_calls() {
    let telemetry = builder().build().unwrap();
    record(&telemetry, || {
        trip();
        chat("openai", "gpt-4o").start().fail_as("rate_limited");
        chat("nobody", "unheard-of")
            .start()
            .usage(Usage::new().input(1).output(1))
            .complete();
    });
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let changes = live.named("changes").await.data;
    let models: Vec<(String, u64, u64)> = changes["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| {
            (
                model["model"].as_str().unwrap().to_owned(),
                model["calls"].as_u64().unwrap(),
                model["errors"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        models,
        [
            ("gpt-4o-mini-2024-07-18".to_owned(), 1, 0),
            ("gpt-4o-mini".to_owned(), 1, 0),
            ("gpt-4o".to_owned(), 1, 1),
            ("unheard-of".to_owned(), 1, 0),
        ]
    );
    assert_eq!(changes["models"][3]["unpriced"], 1);
}

#[tokio::test]
async fn messages_are_shown_where_they_are_captured_and_nowhere_else() {
    for (mode, input) in [
        (CaptureMode::Off, Value::Null),
        (
            CaptureMode::Redacted,
            json!([{"role": "user", "parts": [{"type": "text", "content": "Where is my umbrella?"}]}]),
        ),
    ] {
        let telemetry = builder().capture(mode).build().unwrap();
        record(&telemetry, trip);
        telemetry.flush(SOON);
        let url = url(&telemetry);
        let mut live = Live::open(&url, "").await;
        assert_eq!(live.named("hello").await.data["capture"], mode.as_str());
        let (_, found) = get(&format!("{url}api/search?q=2024-07-18")).await;
        let call = &found["spans"]
            .as_array()
            .unwrap()
            .iter()
            .find(|span| span["kind"] == "llm")
            .unwrap()
            .clone();
        let (_, detail) = get(&format!(
            "{url}api/runs/{}/{}",
            call["trace"].as_str().unwrap(),
            call["id"].as_str().unwrap()
        ))
        .await;
        assert_eq!(detail["input"], input);
        assert_eq!(
            call["content"],
            if mode == CaptureMode::Off {
                Value::Null
            } else {
                json!(true)
            }
        );
        assert_eq!(detail["attributes"]["gen_ai.usage.input_tokens"], 140);
        if mode != CaptureMode::Off {
            assert_eq!(detail["output"][0]["parts"][0]["content"], "In the hall.");
        }
        let (_, found) = get(&format!("{url}api/search?q=UMBRELLA")).await;
        assert_eq!(
            found["spans"].as_array().unwrap().len(),
            usize::from(mode != CaptureMode::Off)
        );
    }
}

#[tokio::test]
async fn what_is_redacted_for_export_is_redacted_here() {
    let telemetry = builder().capture(CaptureMode::Redacted).build().unwrap();
    const KEY: &str = "AKIAIOSFODNN7EXAMPLQ";
    record(&telemetry, || {
        let span = tracing::info_span!("upload", note = format!("key {KEY}"));
        span.in_scope(|| {
            chat("openai", "gpt-4o")
                .messages(&[Message::user(format!("use {KEY}"))])
                .start()
                .complete()
        });
    });
    telemetry.flush(SOON);
    let (_, found) = get(&format!("{}api/search?q={KEY}", url(&telemetry))).await;
    assert_eq!(found["spans"], json!([]));
    let (_, found) = get(&format!("{}api/search?q=REDACTED", url(&telemetry))).await;
    assert_eq!(found["spans"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn security_findings_are_told_on_the_run() {
    let telemetry = builder().security(Policy::new()).build().unwrap();
    record(&telemetry, || {
        let _ = tool("shell")
            .arguments(json!({"command": "sudo rm -rf /"}))
            .in_scope(|_| Ok::<_, String>(()));
    });
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    let row = live
        .until(|changes| run(changes, "execute_tool shell").cloned())
        .await;
    assert_eq!(row["alerts"], 1, "{row:#}");
}

#[tokio::test]
async fn unsampled_spans_are_shown_too() {
    let telemetry = builder()
        .sampler(opentelemetry_sdk::trace::Sampler::AlwaysOff)
        .build()
        .unwrap();
    record(&telemetry, || chat("openai", "gpt-4o").start().complete());
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    live.until(|changes| run(changes, "chat gpt-4o").map(|_| ()))
        .await;
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_history_on_disk_is_there_after_a_restart() {
    use tracing_genai::history::SqliteStore;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.db");
    let before = builder()
        .history(SqliteStore::open(&file).unwrap())
        .build()
        .unwrap();
    record(&before, trip);
    assert!(before.shutdown().is_complete());

    let after = builder()
        .history(SqliteStore::open(&file).unwrap())
        .build()
        .unwrap();
    let mut live = Live::open(&url(&after), "").await;
    let row = live
        .until(|changes| run(changes, "invoke_agent planner").cloned())
        .await;
    assert_eq!(
        (&row["calls"], &row["input"], &row["output"]),
        (&json!(2), &json!(150), &json!(37)),
        "{row:#}"
    );
}
